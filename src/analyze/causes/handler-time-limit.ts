// Owns the cause handler-time-limit: the handler or proxy in front of the app gave up waiting at its own limit.
import { duration } from '../../shared/units.ts';
import { effectText, oneLine, routesOf, rowsFact, type CauseRule, type Claim, type Weight } from './cause.ts';
import { spikeOf } from './limit-spike.ts';
import { atPlatformLimit } from './platform-time-limit.ts';

const LEAST_MS = 1_000;

export const handlerTimeLimit: CauseRule = {
  id: 'handler-time-limit', about: 'a limit of time of the handler', explains: ['silent'], needs: ['http', 'front-log', 'traces'], collect: ['http-logs'],
  judge(scene): Claim[] {
    const silent = scene.rows.failed.filter((r) => (r.effect === 'silent' || (r.effect === 'gateway' && r.status === 504)) && !atPlatformLimit(r) && (r.takenMs === undefined || r.takenMs >= LEAST_MS));
    const [first] = silent;
    if (!first) return [];
    const spike = spikeOf(silent);
    const narrow = spike !== undefined && spike.rows.length >= 2 && spike.share >= 0.6;
    const weights: Weight[] = [{ by: 0.55, says: 'the front says that no answer came in time' }];
    if (narrow) weights.push({ by: 0.55, says: `${spike.rows.length} of ${silent.length} took ${duration(spike.atMs)} almost exactly` });
    else if (silent.length === 1) weights.push({ by: 0.2, says: 'it is one request' });
    const [top] = routesOf(silent);
    return [{
      cause: 'handler-time-limit', key: '', rows: silent, weights, incidents: silent.length, since: first.at, for: rowsFact(silent, narrow ? `were given up after ${duration(spike.atMs)}` : 'were given up by the front'), against: [],
      chain: [{ at: Math.max(0, Math.round(first.from)), what: `${top === undefined ? 'A request' : oneLine(`${top.method} ${top.route}`, 120)} takes longer than the handler waits`, part: 'root' }, { at: first.at, what: `The handler gives up${narrow ? ` after ${duration(spike.atMs)}` : ''}`, part: 'effect' }],
      title: (t) => `${t.route ?? 'Requests'} ${t.route === undefined ? 'take' : 'takes'} longer than the handler in front of the app waits${narrow ? ` (${duration(spike.atMs)})` : ''}: ${effectText(t, 'the front\'s log says so')}.`,
      advice: ['Find what the route does in that time: a profile, the slow log, or the app from inside.', 'Make long work a job: answer 202 at once, and let the client ask for the result.', 'Only when the time is really needed: raise the limit (requestTimeout of the handler, proxy_read_timeout), up to the 230 s of the platform.'],
    }];
  },
  excludes: (scene) => (scene.rowsFrom !== 'none' && !scene.rows.failed.some((r) => r.effect === 'silent' || (r.effect === 'gateway' && r.status === 504)) ? 'no request ran out of time' : undefined),
};
