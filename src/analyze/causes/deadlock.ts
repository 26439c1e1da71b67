// Owns the cause deadlock: threads of a process stand at a lock and none moves on, outside of the JVM's own detection; or requests of a Node app wait for nothing that is open.
import { duration, percent, plural } from '../../shared/units.ts';
import type { Scene } from '../events/scene.ts';
import { effectText, oneLine, rowsFact, type CauseRule, type Claim } from './cause.ts';
import { endedAnswering, flightFacts, rowsLike, stuckOn } from './flights.ts';

const LEAST_THREADS = 5;

export const deadlock: CauseRule = {
  id: 'deadlock', about: 'threads that wait for each other', explains: ['silent', 'slow'], needs: ['threads', 'inside'], collect: ['app-inside', 'java-thread-dump', 'memory-dump'], byHand: 'a thread dump',
  judge: (scene) => [...ofThreads(scene), ...ofFlights(scene)],
  excludes: (scene) => (scene.logs.threads.length > 0 && scene.logs.threads.every((t) => t.deadlock.length === 0 && !t.waiting.some((w) => w.kind === 'lock' && w.threads >= LEAST_THREADS)) ? 'no group of threads waits for a lock' : undefined),
};

function ofThreads(scene: Scene): Claim[] {
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
}

const LEAST_FLIGHTS = 3;
const WAITED_MS = 1_000;
/** A loop that computes so much is not idle, and what it computes may be what they wait for. */
const BUSY_SHARE = 0.5;

/** The app follows what each of its requests has begun: those with nothing open wait for one another, or for somebody who forgot them. */
function ofFlights(scene: Scene): Claim[] {
  const stuck = stuckOn(scene, (f) => f.waitsFor === 'nothing', WAITED_MS);
  const app = scene.inside.apps.find((a) => a.pid === stuck?.pid);
  if (!stuck || stuck.flights.length < LEAST_FLIGHTS || (app?.loop?.utilization ?? 0) > BUSY_SHARE) return [];
  const rows = rowsLike(scene, stuck.flights);
  // A route that never answered was not locked out: it forgets to answer.
  if (rows.length > 0 && !endedAnswering(scene, rows)) return [];
  const utilization = app?.loop?.utilization;
  return [{
    cause: 'deadlock', key: 'flights', rows, incidents: 1, since: rows[0]?.from, against: [{ text: 'What they wait for was not seen by name: a lock, a queue or a promise of the app\'s own.' }],
    weights: [{ by: 0.6, says: `${plural(stuck.flights.length, 'request')} in the app wait for nothing that is open: no call, no file, no timer is theirs` }, ...(rows.length > 0 ? [{ by: 0.5, says: 'their route was answered until then, and not once since' }] : []), ...(utilization === undefined ? [] : [{ by: 0.2, says: `the app had nothing to do: its loop was busy ${percent(Math.round(utilization * 100))} of the time` }])],
    for: [...flightFacts(stuck, 'wait for nothing that is open'), ...rowsFact(rows, 'got no answer in time')],
    chain: [{ ...(rows[0] ? { at: Math.max(0, Math.round(rows[0].from)) } : {}), what: 'A lock or a promise in the app is not given back', part: 'root' }, { ...(rows[0] ? { at: rows[0].at } : {}), what: 'Whoever needs it waits until the front gives up', part: 'effect' }],
    title: (t) => `${plural(stuck.flights.length, 'request')} wait inside the app${t.route === undefined ? '' : ` (${t.route})`} for something that does not come, up to ${duration(stuck.oldestMs)}, most likely a lock or a promise that is never given back: ${effectText(t, 'they do not end')}.`,
    advice: ['Look for the lock, queue or semaphore that this route takes: give it back in a finally block, also when the work throws.', 'See the place: requests in flight with their stacks (one click) show where each awaits.', 'Be safe: give every wait a time limit.', 'Stop it now: restart.'], mitigations: ['restart'],
  }];
}
