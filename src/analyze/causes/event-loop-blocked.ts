// Owns the cause event-loop-blocked: one piece of code keeps the only thread of a process, and every other request waits for it.
import { duration, percent } from '../../shared/units.ts';
import type { Scene } from '../events/scene.ts';
import { meanOf } from '../events/read-metrics.ts';
import type { Weight } from './cause.ts';
import { effectText, oneLine, rowsFact, type CauseRule, type Claim } from './cause.ts';
import { shortFile } from '../parse/words.ts';
import type { Row } from '../events/rows.ts';
import { firstRouteOf, pausesOf, type Pause } from './pauses.ts';

export const eventLoopBlocked: CauseRule = {
  id: 'event-loop-blocked', about: 'a blocked event loop', explains: ['busy', 'silent', 'slow'], needs: ['inside', 'metrics'], collect: ['app-inside', 'node-cpu-profile'],
  judge(scene): Claim[] {
    const pauses = pausesOf(scene);
    const busy = scene.rows.failed.filter((r) => r.effect === 'busy' && (r.sub === 1001 || r.sub === 1003));
    const cores = scene.measured.levels.filter((l) => l.measure === 'core');
    const held = [...new Set(pauses.flatMap((p) => p.rows))].filter((row) => explains(row, pauses));
    const rows = [...new Set([...held, ...busy])].sort((a, b) => a.at - b.at);
    if (rows.length === 0) return [];
    const longest = pauses.reduce((most, p) => Math.max(most, p.until - p.from), 0);
    const stack = [...pauses].filter((p) => p.frames.length > 0).sort((a, b) => (b.until - b.from) - (a.until - a.from))[0]?.frames ?? scene.stretches[0]?.frames ?? [];
    const own = stack.find((f) => !/node:|node_modules|<anonymous>|native/.test(f)) ?? stack[0];
    const route = firstRouteOf(scene, pauses);
    const covered = pauses.filter((p) => cores.some((c) => c.at <= p.until + 1_500 && c.until >= p.from - 1_500)).length;
    const weights: Weight[] = [];
    if (pauses.some((p) => p.by === 'app')) weights.push({ by: 0.75, says: 'the app itself measured that its event loop stood still' });
    else if (pauses.some((p) => p.by === 'metrics')) weights.push({ by: 0.65, says: 'the delay of the event loop was measured' });
    else if (pauses.length > 0) weights.push({ by: 0.35, says: 'requests of several routes ended together after a time in which nothing was answered' });
    if (pauses.some((p) => p.frames.length > 0)) weights.push({ by: 0.4, says: 'the stack was caught while it stood still' });
    const [profiled] = scene.stretches;
    if (profiled && pauses.length > 0) weights.push({ by: 0.45, says: `a CPU profile holds ${duration(profiled.forMs)} without anything else` });
    if (busy.length > 0) weights.push({ by: 0.5, says: 'the handler found the pipe to the process busy' });
    if (covered > 0) weights.push({ by: 0.45, says: `one core was busy during ${covered} of ${pauses.length} pauses` });
    else if (pauses.length > 0 && scene.measured.processes.length > 0 && longest >= 3_000 && (scene.measured.stepMs ?? 60_000) <= 2_000 && !pauses.some((p) => p.by !== 'rows')) weights.push({ by: -0.6, says: 'no process used a whole core meanwhile: something else was waited for' });
    const threads = starvedBy(scene, pauses);
    if (threads !== undefined) weights.push({ by: -0.6, says: `the machine was full and the site used ${percent(Math.round(threads))} of a core, more than a loop can: the loop had to wait for its turn` });
    if (rows.length > 0 && pauses.length > 0) weights.push({ by: 0.35, says: 'the requests waited through the pauses' });
    return [{
      cause: 'event-loop-blocked', key: '', rows, weights, incidents: pauses.length, since: pauses[0]?.from ?? rows[0]?.at,
      for: [...pauses.slice(0, 3).map((p) => ({ text: `Nothing was answered for ${duration(p.until - p.from)}`, at: Math.round(p.from), until: Math.round(p.until), where: p.by === 'rows' ? 'the HTTP log' : 'the app from inside (preload)', ...(p.frames.length > 0 ? { proof: p.frames.slice(0, 10).join('\n') } : {}) })),
        ...cores.slice(0, 2).map((c) => ({ text: `Process ${c.pid ?? '?'} used ${percent(Math.round(c.peak))} of a core`, at: c.at, until: c.until, where: c.proof.where })), ...rowsFact(rows, 'waited for it')], against: [],
      chain: [{ at: Math.round(pauses[0]?.from ?? rows[0]?.at ?? 0), what: `${route ?? 'One request'} keeps the only thread`, ...(stack.length > 0 ? { detail: stack.slice(0, 6).join('\n') } : {}), part: 'root' }, { at: Math.round(pauses[0]?.until ?? rows[0]?.at ?? 0), what: 'All other requests wait until it is done', part: 'effect' }],
      title: (t) => `The event loop is blocked${longest > 0 ? ` for up to ${duration(longest)}` : ''}${own !== undefined ? ` by ${placed(own)}${route === undefined ? '' : ` in ${oneLine(route, 80)}`}` : route !== undefined ? `, each time by ${oneLine(route, 100)}` : ''}: ${effectText(t, 'no failed request was seen')}.`,
      advice: [stack.length > 0 ? 'Fix it: move that work to a worker thread, or cut it into pieces; a regular expression that backtracks or a synchronous call is the usual find.' : 'Find it: a CPU profile (one click) or the preload shows the function that keeps the thread.', 'Stop it now: give that route a limit on its input, or switch it off.', 'For time: more processes or instances, so that one blocked loop holds fewer requests.'],
    }];
  },
  excludes: (scene) => (pausesOf(scene).length > 0 ? undefined : scene.has.has('inside') ? 'the app measured no delay of its event loop of half a second' : scene.measured.processes.length > 0 && !scene.measured.levels.some((l) => l.measure === 'core') ? 'no process kept a whole core busy' : undefined),
};

/** One loop fills one core at most: threads beside it did the rest. */
const BEYOND_ONE_CORE = 130;

/** What the site used during pauses in which the machine was full, when it is more than one loop can use. */
function starvedBy(scene: Scene, pauses: readonly Pause[]): number | undefined {
  const full = scene.measured.levels.filter((l) => l.measure === 'host-cpu');
  if (pauses.length === 0 || !pauses.every((p) => full.some((l) => l.at <= p.from + 1_500 && l.until >= p.until - 1_500))) return undefined;
  const used = meanOf(scene.measured.site('site.cpu').filter(([at]) => pauses.some((p) => at >= p.from && at <= p.until + 1_500)));
  return used !== undefined && used > BEYOND_ONE_CORE ? used : undefined;
}

/** A request of five seconds is not slow for a pause of one: the pauses in its life must make a good part of it. */
const PART = 0.4;

function explains(row: Row, pauses: readonly Pause[]): boolean {
  const paused = pauses.reduce((ms, p) => ms + Math.max(0, Math.min(p.until, row.until) - Math.max(p.from, row.from)), 0);
  return paused >= (row.takenMs ?? 0) * PART;
}

/** A frame with its file as the app's owner knows it: "validate (lib/check.js:12)". */
function placed(frame: string): string {
  return oneLine(frame.replace(/(?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^():]+(?=:\d+)/, (file) => shortFile(file)), 120);
}
