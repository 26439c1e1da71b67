// Owns the cause slow-dependency: requests wait for an answer of something that the app calls.
import { duration, percent } from '../../shared/units.ts';
import type { SignEvent } from '../events/event.ts';
import { meanOf } from '../events/read-metrics.ts';
import type { Scene } from '../events/scene.ts';
import { effectText, oneLine, saidBy, type CauseRule, type Claim, type Weight } from './cause.ts';
import { pausesOf } from './pauses.ts';
import { sameHost } from './same-host.ts';
import { serviceAt } from './services.ts';
import { byName, signClaim, timesText } from './sign-claim.ts';

/** A call longer than this is felt by who waits for the page. */
const SLOW_MS = 800;
const STUCK_MS = 2_000;
const IDLE_PERCENT = 30;
/** Connections of one host that do not answer; one or two may be a subscription, which answers when there is something to tell. */
const LEAST_SILENT = 3;
/** A script that stands in one of these waits for another server. */
const PHP_CALL = /curl_(?:multi_)?exec|mysqli?(?:_|->|::)\w*(?:query|connect|execute|real_connect)|PDO(?:Statement)?->\w+|pg_query|fsockopen|stream_select|fread|file_get_contents|SoapClient|Redis->|Memcached?->/;

export const slowDependency: CauseRule = {
  id: 'slow-dependency', about: 'a dependency that answers slowly', explains: ['silent', 'slow', 'answered'], needs: ['inside', 'app-log', 'threads'], collect: ['app-inside', 'application-logs', 'node-report'],
  judge(scene): Claim[] {
    const hosts = scene.inside.dependencies.filter((d) => (d.p95Ms ?? 0) >= SLOW_MS || ((d.oldestMs ?? 0) >= STUCK_MS && d.inFlight > 0) || isSilent(d));
    const groups = byName(scene.signs('call-timed-out'));
    const php = scene.signs('php-slow').filter((s) => PHP_CALL.test(s.proof.line ?? s.text));
    const threads = scene.logs.threads.flatMap((t) => t.waiting.filter((w) => w.kind === 'network' && w.threads >= 3).map((w) => ({ ...w, where: t.proof.where })));
    const [host] = [...hosts].sort((a, b) => weighOf(b) - weighOf(a));
    if (host) return ofHost(scene, host, groups.flatMap((g) => g.signs));
    if (groups.length > 0) return groups.flatMap(({ name, signs }) => ofLog(scene, name, signs));
    if (php.length > 0) return ofPhp(scene, php);
    if (threads.length > 0) return ofThreads(scene, threads);
    return ofWaiting(scene);
  },
  excludes: (scene) => (scene.has.has('inside') && scene.inside.dependencies.length > 0 && scene.inside.dependencies.every((d) => (d.p95Ms ?? 0) < SLOW_MS / 2 && (d.oldestMs ?? 0) < STUCK_MS) ? `each dependency answered within ${duration(Math.max(0, ...scene.inside.dependencies.map((d) => d.p95Ms ?? 0)))}` : scene.has.has('inside') && scene.inside.dependencies.length === 0 ? 'the app called nobody' : undefined),
};

type Host = Scene['inside']['dependencies'][number];
const weighOf = (d: Host): number => (d.p95Ms ?? 0) * Math.max(1, d.calls) + (d.oldestMs ?? 0) * Math.max(d.inFlight, isSilent(d) ? d.silent : 0);
const isSilent = (d: Host): boolean => d.silent >= LEAST_SILENT && (d.silentMs ?? 0) >= STUCK_MS;
const named = (host: string): string => `\`${oneLine(host, 80)}\``;
const ADVICE = ['See on the other side why it is slow (its own metrics, slow query log); compare with an hour ago.', 'Be safe: give the call a time limit well below the front\'s, and answer without it where that is possible.', 'Make fewer calls: cache what seldom changes, ask in parallel and not one after the other.'];

function ofHost(scene: Scene, d: Host, signs: readonly SignEvent[]): Claim[] {
  const covers = scene.inside.apps.reduce((ms, a) => Math.max(ms, a.coversMs), 60_000);
  const from = scene.window.to - covers - 5_000;
  const rows = [...scene.rows.failed.filter((r) => r.effect === 'silent' || r.effect === 'answered' || (r.effect === 'gateway' && r.status === 504)), ...scene.rows.slow, ...scene.rows.long].filter((r) => r.until >= from && (r.takenMs ?? 0) >= Math.min(d.p50Ms ?? SLOW_MS, SLOW_MS)).sort((a, b) => a.at - b.at);
  const took = d.p95Ms ?? d.oldestMs ?? 0;
  const unheard = d.calls === 0 && d.inFlight === 0;
  // A subscription that nobody tells anything is silent too: without requests that wait it says nothing.
  if (unheard && rows.length === 0) return [];
  const weights: Weight[] = unheard ? [{ by: 0.6, says: `${d.silent} of ${d.open ?? d.silent} connections to it have not answered for up to ${duration(took)}` }] : [{ by: 0.65, says: `the app measured that calls to it take up to ${duration(took)}` }];
  if (!unheard && (d.oldestMs ?? 0) >= STUCK_MS) weights.push({ by: 0.4, says: `${d.inFlight} calls to it were open, the oldest for ${duration(d.oldestMs ?? 0)}` });
  if (rows.length > 0) weights.push({ by: 0.35, says: 'requests took about as long as its calls' });
  return signClaim(scene, {
    cause: 'slow-dependency', key: d.host, signs: signs.filter((s) => s.named === undefined || sameHost(s.named, d.host)), effects: ['silent', 'answered', 'slow', 'gateway'], by: 0.4, says: 'the log says that calls ran out of time', rows, more: weights, what: unheard ? `${d.host} does not answer for up to ${duration(took)}` : `Calls to ${d.host} take up to ${duration(took)}`,
    facts: unheard ? [{ text: `${d.silent} of ${d.open ?? d.silent} connections to ${d.host} wait for an answer, the oldest for ${duration(took)}`, where: d.proof.where }] : [{ text: `Calls to ${d.host}: ${d.calls}, half of them within ${duration(d.p50Ms ?? 0)}, 95 % within ${duration(d.p95Ms ?? 0)}; ${d.inFlight} open`, where: d.proof.where }],
    title: (t) => `Requests wait for ${serviceAt(scene, d.host, named)}, which ${unheard ? 'has not answered for' : 'takes'} up to ${duration(took)}${unheard ? '' : ' to answer'}: ${effectText(t, 'no failed request was seen')}.`, advice: ADVICE,
  });
}

function ofLog(scene: Scene, name: string | undefined, signs: readonly SignEvent[]): Claim[] {
  const cpu = meanOf(scene.measured.site('site.cpu'));
  return signClaim(scene, {
    cause: 'slow-dependency', key: name ?? '', signs, effects: ['silent', 'answered', 'stopped', 'slow', 'gateway'], by: 0.65, says: 'the log says that a call ran out of time', crashBy: ['call-timed-out'], what: `A call${name === undefined ? '' : ` to ${name}`} gets no answer in time`,
    more: cpu !== undefined && cpu < IDLE_PERCENT ? [{ by: 0.25, says: `the app itself had time: CPU at ${percent(Math.round(cpu))}` }] : [],
    title: (t) => `A call${name === undefined ? ' out of the app' : ` to ${serviceAt(scene, name, named)}`} gets no answer in time (${saidBy(signs[0]?.text ?? '').slice(0, 120)}): ${effectText(t, `the log says so ${timesText(signs)}`)}.`, advice: ADVICE,
  });
}

function ofPhp(scene: Scene, signs: readonly SignEvent[]): Claim[] {
  const call = PHP_CALL.exec(signs[0]?.proof.line ?? '')?.[0] ?? 'a call';
  return signClaim(scene, {
    cause: 'slow-dependency', key: call, signs, effects: ['silent', 'busy', 'slow', 'gateway'], by: 0.7, says: `PHP's slow log shows scripts standing in ${call}`, what: `Scripts wait in ${call}`,
    title: (t) => `PHP scripts wait in \`${call}\` for another server: ${effectText(t, `the slow log says so ${timesText(signs)}`)}.`, advice: ADVICE,
  });
}

function ofThreads(scene: Scene, threads: readonly { place: string; threads: number; where: string }[]): Claim[] {
  const [top] = threads;
  const rows = [...scene.rows.failed.filter((r) => r.effect === 'silent'), ...scene.rows.slow];
  if (!top) return [];
  return signClaim(scene, {
    cause: 'slow-dependency', key: top.place, signs: [], rows, effects: [], by: 0, says: '', more: [{ by: 0.6, says: `${top.threads} threads wait for bytes from the network at one place` }], what: `Threads wait for the network at ${top.place}`,
    facts: threads.map((t) => ({ text: `${t.threads} threads wait at ${t.place}`, where: t.where })),
    title: (t) => `${top.threads} threads wait for an answer from the network at \`${oneLine(top.place, 100)}\`: ${effectText(t, 'requests wait with them')}.`, advice: ADVICE,
  });
}

/** Requests wait while the app has nothing to do: for something, most likely outside. */
function ofWaiting(scene: Scene): Claim[] {
  const rows = [...scene.rows.failed.filter((r) => r.effect === 'silent' || (r.effect === 'gateway' && r.status === 504)), ...scene.rows.slow].sort((a, b) => a.at - b.at);
  const cpu = meanOf(scene.measured.site('site.cpu'));
  const first = rows[0];
  if (!first || cpu === undefined || cpu >= IDLE_PERCENT || pausesOf(scene).some((p) => p.by !== 'rows') || scene.measured.levels.some((l) => l.measure === 'core' || l.measure === 'host-cpu')) return [];
  return [{
    cause: 'slow-dependency', key: 'unseen', rows, incidents: 1, since: first.at, weights: [{ by: 0.3, says: `requests waited while the app had nothing to do (CPU at ${percent(Math.round(cpu))})` }],
    for: [{ text: `CPU of the site at ${percent(Math.round(cpu))} on average`, where: 'metrics of the agent' }], against: [{ text: 'Which call it is was not seen: a lock or a timer inside the app looks the same from outside.' }],
    chain: [{ at: first.at, what: 'Requests wait while the CPU is idle', part: 'root' }],
    title: (t) => `Requests wait for something while the app has nothing to do, most likely for an answer from outside: ${effectText(t, '')}.`, advice: ['See it from inside: the preload, or a node report, names the calls that are open.', ...ADVICE.slice(1)],
  }];
}
