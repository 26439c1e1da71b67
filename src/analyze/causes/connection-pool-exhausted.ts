// Owns the cause connection-pool-exhausted: requests wait for a free connection to a server, and none comes back in time.
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { duration } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { sameHost } from './same-host.ts';
import { serviceAt } from './services.ts';
import { signClaim, timesText } from './sign-claim.ts';

export const connectionPoolExhausted: CauseRule = {
  id: 'connection-pool-exhausted', about: 'a pool of connections that is empty', explains: ['answered', 'silent', 'slow'], needs: ['app-log', 'inside', 'threads'], collect: ['application-logs', 'app-inside', 'connections', 'node-report'],
  judge(scene): Claim[] {
    const signs = scene.signs('pool-empty', 'server-full');
    const waiting = scene.inside.waitingForPool.filter((w) => w.waiting >= 2 || waitedLong(w));
    const threads = scene.logs.threads.flatMap((t) => t.waiting.filter((w) => w.kind === 'pool' && w.threads >= 2).map((w) => ({ ...w, where: t.proof.where })));
    if (signs.length === 0 && waiting.length === 0 && threads.length === 0) return [];
    const full = signs[0]?.sign === 'server-full';
    const host = waiting[0]?.host;
    const held = host === undefined ? [] : scene.connections.flatMap((c) => c.byRemote).filter((e) => sameHost(host, e.remote));
    return signClaim(scene, {
      cause: 'connection-pool-exhausted', signs, ...(waiting.length > 0 ? { rows: waitedIn(scene) } : {}), effects: ['answered', 'stopped', 'silent', 'slow', 'gateway'], by: 0.85, says: full ? 'the server says that it has no connection left to give' : 'the log says that no connection came free in time', crashBy: ['pool-empty', 'server-full'],
      what: full ? 'The server has no connection left' : `All connections${host === undefined ? '' : ` to ${host}`} are in use and do not come back`,
      more: [...waiting.slice(0, 1).map((w) => ({ by: 0.7, says: waitText(w) })), ...waiting.slice(0, 1).filter((w) => w.waiting >= 2 && waitedLong(w)).map(() => ({ by: 0.3, says: 'they waited for it long' })), ...threads.slice(0, 1).map((t) => ({ by: 0.7, says: `${t.threads} threads wait for a connection of the pool` }))],
      facts: [...held.map((e) => ({ text: `${e.open + e.left} connections to ${e.remote} are held, ${e.left} of them closed by the other end long ago`, where: 'connections.json' })), ...waiting.map((w) => ({ text: `${w.host}: ${waitText(w)}`, where: 'the app from inside (preload)' })), ...threads.map((t) => ({ text: `${t.threads} threads wait at ${t.place}`, where: t.where }))],
      title: (t) => `The pool of connections${host === undefined ? '' : ` to ${serviceAt(scene, host)}`} is empty: requests wait for a free one${full ? ' and the server has none left' : ''}; ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
      advice: ['Look for connections that are taken and never given back: each must be released in a finally, on the error path too.', 'Make the calls shorter; then set the pool as large as the server can serve, divided by the number of instances.', 'Give waiting for a connection a short time limit, so that requests fail fast.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => (scene.has.has('app-log') && scene.signs('pool-empty', 'server-full').length === 0 && !scene.inside.waitingForPool.some((w) => w.waiting > 0 || waitedLong(w)) ? 'nothing says that a call waited for a free connection' : undefined),
};

type Wait = Scene['inside']['waitingForPool'][number];
const LONG_MS = 500;
const LEAST_WAITS = 5;

/** Longer than the calls themselves take: with more connections they would have been served. A pool that opens its first connections waits for those shortly. */
const waitedLong = ({ queued, queuedMs = 0, callMs = 0 }: Wait): boolean => queued >= LEAST_WAITS && queuedMs >= Math.max(LONG_MS, callMs * 1.5);
const waitText = (w: Wait): string => (w.waiting >= 2 ? `${w.waiting} calls wait in the app for a free connection while ${w.inFlight} are in use` : `${w.queued} calls waited in the app for a free connection, 95 % up to ${duration(w.queuedMs ?? 0)}${w.callMs === undefined ? '' : `, and took ${duration(w.callMs)} themselves`}`);

/** The app tells of its last minute at most; who waited a second and more in it, waited in the queue that it saw. */
const SEEN_MS = 60_000;

function waitedIn(scene: Scene): Row[] {
  const covers = scene.inside.apps.reduce((ms, app) => Math.max(ms, app.coversMs), SEEN_MS);
  return [...scene.rows.failed.filter((r) => r.effect === 'silent'), ...scene.rows.slow].filter((r) => r.until >= scene.window.to - covers);
}
