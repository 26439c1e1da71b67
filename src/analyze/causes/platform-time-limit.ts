// Owns the cause platform-time-limit: the front end of the platform gave up after its 230 s (240 s on Linux), while the app works on.
import { duration } from '../../shared/units.ts';
import type { Row } from '../events/rows.ts';
import { effectText, oneLine, routesOf, rowsFact, type CauseRule, type Claim } from './cause.ts';
import { spikeOf } from './limit-spike.ts';

const LIMITS_MS = [230_000, 240_000];
const WITHIN_MS = 3_000;
/** 500.121 at two minutes is the handler's own default. */
const HANDLER_MS = { from: 118_000, to: 122_500 };

export function atPlatformLimit(row: Row): boolean {
  const taken = row.takenMs;
  if (row.status === 500 && row.sub === 121) return taken === undefined || taken < HANDLER_MS.from || taken > HANDLER_MS.to;
  return taken !== undefined && LIMITS_MS.some((limit) => Math.abs(taken - limit) <= WITHIN_MS);
}

export const platformTimeLimit: CauseRule = {
  id: 'platform-time-limit', about: 'the platform\'s limit of time', explains: ['silent', 'gone'], needs: ['http', 'traces'], collect: ['http-logs'],
  judge(scene): Claim[] {
    const rows = scene.rows.failed.filter((r) => (r.effect === 'silent' || r.effect === 'gone' || r.effect === 'gateway' || r.effect === 'answered') && atPlatformLimit(r));
    const [first] = rows;
    if (!first) return [];
    const told = rows.some((r) => r.status === 500 && r.sub === 121);
    const spike = spikeOf(rows);
    const [top] = routesOf(rows);
    return [{
      cause: 'platform-time-limit', key: '', rows, incidents: rows.length, since: first.at,
      weights: [...(told ? [{ by: 0.75, says: '500.121 is the platform\'s own word for its limit' }] : []), ...(spike && (spike.rows.length >= 2 || LIMITS_MS.some((l) => Math.abs(spike.atMs - l) <= WITHIN_MS)) ? [{ by: 0.6, says: `they took ${duration(spike.atMs)} almost exactly` }] : [])],
      for: rowsFact(rows, 'were given up by the platform'), against: [],
      chain: [{ at: Math.max(0, Math.round(first.from)), what: `${top === undefined ? 'A request' : oneLine(`${top.method} ${top.route}`, 120)} runs longer than the platform waits`, part: 'root' }, { at: first.at, what: 'The front end answers in its place; the app goes on working for nobody', part: 'effect' }],
      title: (t) => `${t.route ?? 'Requests'} ${t.route === undefined ? 'run' : 'runs'} into the platform's limit${spike ? ` of ${duration(LIMITS_MS.find((l) => Math.abs(spike.atMs - l) <= WITHIN_MS) ?? spike.atMs)}` : ''}, which cannot be raised: ${effectText(t, '')}.`,
      advice: ['Answer 202 at once and do the work in a job (WebJob, queue, function); let the client ask for the result.', 'Find what takes the time: a profile or the app from inside while such a request runs.', 'Send something within each 230 s (a streamed answer) where the client can use it.'],
    }];
  },
  excludes: (scene) => (scene.rowsFrom === 'http-log' && !scene.rows.failed.some(atPlatformLimit) ? 'no request stood at 230 or 240 seconds, and none carries 500.121' : undefined),
};
