// Owns the cause deadlock: threads of a process stand at a lock and none moves on, outside of the JVM's own detection.
import { effectText, oneLine, rowsFact, type CauseRule, type Claim } from './cause.ts';

const LEAST_THREADS = 5;

export const deadlock: CauseRule = {
  id: 'deadlock', about: 'threads that wait for each other', explains: ['silent', 'slow'], needs: ['threads'], collect: ['java-thread-dump', 'memory-dump'], byHand: 'a thread dump',
  judge(scene): Claim[] {
    const dump = scene.logs.threads.find((t) => t.deadlock.length === 0 && t.waiting.some((w) => w.kind === 'lock' && w.threads >= LEAST_THREADS));
    const place = dump?.waiting.find((w) => w.kind === 'lock' && w.threads >= LEAST_THREADS);
    const rows = [...scene.rows.failed.filter((r) => r.effect === 'silent'), ...scene.rows.slow].sort((a, b) => a.at - b.at);
    if (!dump || !place || (rows.length === 0 && scene.rowsFrom !== 'none')) return [];
    return [{
      cause: 'deadlock', key: place.place, rows, incidents: 1, since: rows[0]?.at ?? dump.at, weights: [{ by: 0.45, says: `${place.threads} threads wait for a lock at one place` }, ...(rows.length > 0 ? [{ by: 0.3, says: 'requests got no answer' }] : [])],
      for: [{ text: `${place.threads} threads wait at ${place.place}`, ...(dump.at === undefined ? {} : { at: dump.at }), where: dump.proof.where }, ...rowsFact(rows, 'got no answer in time')], against: [{ text: 'No circle of locks was seen: one thread may hold the lock while it waits for something slow.' }],
      chain: [{ ...(dump.at === undefined ? {} : { at: dump.at }), what: `${place.threads} threads wait for one lock`, detail: place.place, part: 'root' }],
      title: (t) => `${place.threads} threads wait for one lock at \`${oneLine(place.place, 100)}\`: ${effectText(t, 'the requests in them do not end')}.`,
      advice: ['Take a second thread dump a minute later: the same threads at the same place are stuck, others are only slow.', 'Find who holds the lock, and what it waits for.', 'Stop it now: restart.'], mitigations: ['restart'],
    }];
  },
  excludes: (scene) => (scene.logs.threads.length > 0 && scene.logs.threads.every((t) => t.deadlock.length === 0 && !t.waiting.some((w) => w.kind === 'lock' && w.threads >= LEAST_THREADS)) ? 'no group of threads waits for a lock' : undefined),
};
