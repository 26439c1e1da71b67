// Owns the cause cpu-saturated: the machine has no CPU left, and everything waits for it.
import { duration, percent } from '../../shared/units.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { meanOf } from '../events/read-metrics.ts';
import { effectText, livingIn, oneLine, rowsFact, weightOf, type CauseRule, type Claim, type Weight } from './cause.ts';

const LEAST_MS = 4_000;
/** Without CPU everything waits, not one route. */
const WAITED_SHARE = 0.3;

export const cpuSaturated: CauseRule = {
  id: 'cpu-saturated', about: 'a saturated CPU', explains: ['busy', 'silent', 'slow'], needs: ['metrics'], collect: ['metrics', 'process-list'],
  judge(scene): Claim[] {
    const spans = scene.measured.levels.filter((l) => l.measure === 'host-cpu' && l.until - l.at >= LEAST_MS);
    const open = [...scene.rows.failed.filter((r) => r.effect === 'silent' || r.effect === 'busy' || (r.effect === 'gateway' && r.status === 504)), ...scene.rows.slow].sort((a, b) => a.at - b.at);
    const rows = open.filter((row) => spans.some((s) => row.until >= s.at && row.from <= s.until));
    const [first] = spans;
    if (!first || rows.length === 0) return [];
    const longest = Math.max(...spans.map((s) => s.until - s.at));
    const site = meanOf(scene.measured.site('site.cpu').filter(([at]) => spans.some((s) => at >= s.at && at <= s.until)));
    const routes = new Set(rows.map((r) => r.route)).size;
    const weights: Weight[] = [{ by: 0.55, says: `the machine's CPU stood at ${percent(Math.round(first.peak))} while they waited` }, { by: routes > 1 ? 0.4 : 0.15, says: routes > 1 ? `${routes} routes became slow together` : 'one route became slow' }];
    const meanwhile = spans.reduce((n, s) => n + scene.rows.norms.within('', undefined, s.at, s.until).count, 0);
    if (weightOf(rows) < meanwhile * WAITED_SHARE) weights.push({ by: -0.65, says: 'most requests were answered as usual meanwhile' });
    const spared = sparedOf(scene, spans, rows);
    if (spared !== undefined) weights.push({ by: -0.65, says: `${oneLine(spared, 100)} was answered as usual meanwhile` });
    const quiet = open.filter((r) => !rows.includes(r)).length;
    if (quiet === 0) weights.push({ by: 0.4, says: 'outside of these times nothing was slow' });
    return [{
      cause: 'cpu-saturated', key: '', rows, weights, incidents: spans.length, since: first.at,
      for: [...spans.slice(0, 3).map((s) => ({ text: `CPU of the machine at ${percent(Math.round(s.peak))} for ${duration(s.until - s.at)}`, at: s.at, until: s.until, where: s.proof.where })), ...rowsFact(rows, 'waited meanwhile')], against: [],
      chain: [{ at: first.at, what: 'The machine has no CPU left', ...(site === undefined ? {} : { detail: `the site's own processes used ${percent(Math.round(site))} of one core` }), part: 'root' }, { at: rows[0]?.at ?? first.at, what: `${livingIn(rows, first.at, first.until).length} requests wait for it`, part: 'effect' }],
      title: (t) => `The machine's CPU is saturated (${percent(Math.round(first.peak))} for ${duration(longest)}): ${effectText(t, 'requests wait for it')}.`,
      advice: ['Find who uses it: the list of processes, then a CPU profile of the largest.', 'Stop it now: scale up or out.', 'If it is not the site\'s own work (a scheduled job, another app of the plan), move that away.'],
    }];
  },
  excludes: (scene) => { const cpu = meanOf(scene.measured.site('host.cpu')); return cpu !== undefined && !scene.measured.levels.some((l) => l.measure === 'host-cpu' && l.until - l.at >= LEAST_MS) ? `the machine's CPU was at ${percent(Math.round(cpu))} on average and never full for long` : undefined; },
};

const ASKED_LEAST = 10;
const SPARED_SHARE = 0.1;
/** Nothing else is rare enough to be luck. */
const OF_ALL = 0.25;

/** A route that many asked for and that hardly waited: without CPU it would have. */
function sparedOf(scene: Scene, spans: readonly { readonly at: number; readonly until: number }[], rows: readonly Row[]): string | undefined {
  const { norms } = scene.rows;
  const within = (method: string, route: string | undefined): number => spans.reduce((n, s) => n + norms.within(method, route, s.at, s.until).count, 0);
  const all = within('', undefined);
  const told = norms.routes.map(({ method, route }) => ({ name: `${method} ${route}`, asked: within(method, route), waited: weightOf(rows.filter((r) => r.method === method && r.route === route)) }));
  const spared = told.filter((r) => r.asked >= ASKED_LEAST && r.waited < r.asked * SPARED_SHARE && r.asked >= all * OF_ALL).sort((a, b) => b.asked - a.asked || (a.name < b.name ? -1 : 1));
  return spared[0]?.name;
}
