// Owns the cause thread-pool-exhausted: all threads that answer requests, or that read files and names for them, are taken, and the next request waits.
import { duration, percent } from '../../shared/units.ts';
import type { Scene } from '../events/scene.ts';
import { meanOf } from '../events/read-metrics.ts';
import { effectText, oneLine, rowsFact, type CauseRule, type Claim } from './cause.ts';
import { flightFacts, rowsLike, stuckOn } from './flights.ts';
import { signClaim, timesText } from './sign-claim.ts';

const BUSY_SHARE = 0.95;
const LEAST_THREADS = 5;

export const threadPoolExhausted: CauseRule = {
  id: 'thread-pool-exhausted', about: 'threads that are all taken', explains: ['busy', 'silent', 'slow'], needs: ['app-log', 'threads', 'http'], collect: ['app-inside', 'application-logs', 'java-thread-dump', 'memory-dump'], byHand: 'a thread dump',
  judge(scene): Claim[] {
    const signs = scene.signs('threads-busy', 'threads-starved');
    const queue = scene.rows.failed.filter((r) => r.status === 503 && (r.sub === 3 || r.sub === 2));
    const dump = scene.logs.threads.find((t) => t.busyWorkers !== undefined && t.busyWorkers.total >= LEAST_THREADS && t.busyWorkers.busy >= t.busyWorkers.total * BUSY_SHARE);
    if (signs.length === 0 && queue.length === 0 && !dump) return ofLibuv(scene);
    const place = dump?.waiting[0];
    return signClaim(scene, {
      cause: 'thread-pool-exhausted', signs, effects: ['busy', 'silent', 'slow', 'stopped'], by: 0.75, says: 'the log says that the pool of threads has none left', what: 'All threads that answer requests are taken',
      rows: [...queue, ...(dump ? scene.rows.failed.filter((r) => r.effect === 'silent') : []), ...(dump ? scene.rows.slow : [])],
      more: [...(dump?.busyWorkers ? [{ by: 0.75, says: `${dump.busyWorkers.busy} of ${dump.busyWorkers.total} threads that answer requests were taken in the dump` }] : []), ...(queue.length > 0 ? [{ by: 0.75, says: 'the server answered that its queue is full' }] : [])],
      facts: place && dump ? [{ text: `${place.threads} threads stand at ${place.place}`, where: dump.proof.where, ...(dump.at === undefined ? {} : { at: dump.at }) }] : [],
      title: (t) => `All threads that answer requests are taken${place ? `, most of them at ${oneLine(place.place, 100)}` : ''}: ${effectText(t, signs.length > 0 ? `the log says so ${timesText(signs)}` : 'the next request waits')}.`,
      advice: ['Shorten what they wait for, or wait without a thread (async all the way, no .Result or .Wait()).', 'Give every call out of the app a time limit.', 'For time: a larger pool, or more instances.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => (scene.logs.threads.some((t) => t.busyWorkers !== undefined && t.busyWorkers.busy < t.busyWorkers.total * 0.8) ? 'threads that answer requests were free' : undefined),
};

/** libuv's own number; UV_THREADPOOL_SIZE raises it. */
const LIBUV_THREADS = 4;
const WAITED_MS = 500;
const IDLE_PERCENT = 40;

/** Files, names and crypto of a Node app go through one small pool: more of them under way than it has threads, for so long, wait for a thread. */
function ofLibuv(scene: Scene): Claim[] {
  const stuck = stuckOn(scene, (f) => f.waitsFor === 'file' || f.waitsFor === 'dns' || f.waitsFor === 'crypto', WAITED_MS);
  if (!stuck || stuck.flights.length <= LIBUV_THREADS) return [];
  const rows = rowsLike(scene, stuck.flights);
  const kinds = [...new Set(stuck.flights.map((f) => f.waitsFor))].sort();
  const cpu = meanOf(scene.measured.site('site.cpu'));
  const idle = cpu !== undefined && cpu < IDLE_PERCENT && !scene.measured.levels.some((l) => l.measure === 'core');
  const what = kinds.map((k) => (k === 'file' ? 'a file' : k === 'dns' ? 'a name' : 'crypto')).join(' or ');
  const routes = new Set(stuck.flights.map((f) => f.route));
  return [{
    cause: 'thread-pool-exhausted', key: 'libuv', rows, incidents: 1, since: rows[0]?.from, against: [], ...(idle ? { over: ['traffic-spike'] as const } : {}),
    weights: [{ by: 0.6, says: `${stuck.flights.length} requests wait for ${what} at once, and Node's pool has ${LIBUV_THREADS} threads unless it is told otherwise` }, ...(idle ? [{ by: 0.4, says: `the app had nothing to do meanwhile (CPU at ${percent(Math.round(cpu))})` }] : []), ...(routes.size > 1 ? [{ by: 0.3, says: `${routes.size} routes wait alike` }] : [])],
    for: [...flightFacts(stuck, `wait for ${what}`), ...rowsFact(rows, 'got no answer in time')],
    chain: [{ ...(rows[0] ? { at: Math.max(0, Math.round(rows[0].from)) } : {}), what: `Operations on ${what} take all threads of the pool${idle ? ' and do not come back' : ''}`, part: 'root' }, { ...(rows[0] ? { at: rows[0].at } : {}), what: 'Every request that needs one waits', part: 'effect' }],
    title: (t) => `All threads of Node's pool are taken: ${stuck.flights.length} requests wait for ${what}, up to ${duration(stuck.oldestMs)}: ${effectText(t, 'the next one waits')}.`,
    advice: [idle ? 'Find what does not answer: a share (mounted storage), a name server, a device; try it by hand from the instance.' : 'Find what takes the threads: hashing, compression, many large files.', 'Keep hot files in memory, and give reads of shares a time limit.', 'For time: raise UV_THREADPOOL_SIZE, or restart.'], mitigations: ['restart'],
  }];
}
