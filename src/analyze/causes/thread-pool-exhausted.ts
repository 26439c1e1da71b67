// Owns the cause thread-pool-exhausted: all threads that answer requests are taken, and the next request waits.
import { effectText, oneLine, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';

const BUSY_SHARE = 0.95;
const LEAST_THREADS = 5;

export const threadPoolExhausted: CauseRule = {
  id: 'thread-pool-exhausted', about: 'threads that are all taken', explains: ['busy', 'silent', 'slow'], needs: ['app-log', 'threads', 'http'], collect: ['application-logs', 'java-thread-dump', 'memory-dump'], byHand: 'a thread dump',
  judge(scene): Claim[] {
    const signs = scene.signs('threads-busy', 'threads-starved');
    const queue = scene.rows.failed.filter((r) => r.status === 503 && (r.sub === 3 || r.sub === 2));
    const dump = scene.logs.threads.find((t) => t.busyWorkers !== undefined && t.busyWorkers.total >= LEAST_THREADS && t.busyWorkers.busy >= t.busyWorkers.total * BUSY_SHARE);
    if (signs.length === 0 && queue.length === 0 && !dump) return [];
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
