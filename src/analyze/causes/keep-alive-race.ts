// Owns the cause keep-alive-race: the app closes an idle connection in the moment in which the front sends the next request on it.
import { effectText, rowsFact, weightOf, plural, type CauseRule, type Claim, type Weight } from './cause.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';

/** The connection is closed at once: nothing was worked on. */
const AT_ONCE_MS = 120;
const EXIT_NEAR_MS = 60_000;
/** A race is rare: a route on which every second request breaks has another reason. */
const RARE_SHARE = 0.25;

export const keepAliveRace: CauseRule = {
  id: 'keep-alive-race', about: 'a race between the app\'s keep-alive and the front\'s', explains: ['broke'], needs: ['http', 'front-log'], collect: ['http-logs', 'event-log'],
  judge(scene): Claim[] {
    const rows = scene.rows.failed.filter((r) => r.effect === 'broke' && (r.takenMs === undefined || r.takenMs <= AT_ONCE_MS) && !endNear(r, scene) && isRare(r, scene));
    const [first] = rows;
    if (!first) return [];
    const watched = scene.has.has('exits') && rows.every((r) => r.at >= scene.lives.watchedFrom);
    const weights: Weight[] = [];
    // Where only failures are known, nothing tells a race from a crash.
    const others = scene.rowsFrom === 'http-log';
    if (others && rows.every((r) => r.takenMs !== undefined)) weights.push({ by: 0.45, says: `they broke off within ${AT_ONCE_MS} ms: nothing was worked on` });
    weights.push(watched ? { by: 0.45, says: 'no process ended within a minute of them, and ends were watched' } : { by: 0.1, says: 'no end of a process is known' });
    const { count, failed } = rows.reduce((sum, r) => { const n = scene.rows.norms.within(r.method, r.route, r.at - 60_000, r.until + 60_000); return { count: sum.count + n.count, failed: sum.failed + n.failed }; }, { count: 0, failed: 0 });
    if (others && count - failed >= failed * 3) weights.push({ by: 0.35, says: 'the same routes were answered well around them' });
    const idle = rows.filter((r) => isIdleBefore(r, scene)).length;
    if (idle * 2 >= rows.length && idle > 0) weights.push({ by: 0.35, says: `${plural(idle, 'of them came', 'of them came')} after some seconds without a request: the connection had been idle` });
    if (scene.signs('connection-reset').some((s) => s.count >= rows.length)) weights.push({ by: -0.2, says: 'the app\'s own log speaks of connections that broke' });
    if (scene.lives.exits.some((e) => !e.planned)) weights.push({ by: -0.15, says: 'processes did end at other times' });
    return [{
      cause: 'keep-alive-race', key: '', rows, weights, incidents: rows.length, since: first.at, for: rowsFact(rows, 'broke off at once while no process ended'), against: [],
      chain: [{ what: 'A connection between front and app is idle, and the app closes it (Node: after 5 s)', part: 'root' }, { at: first.at, what: 'In the same moment the front sends the next request on it', part: 'link' }, { at: first.at, what: `${plural(Math.round(weightOf(rows)), 'request')} break off without an answer`, part: 'effect' }],
      title: (t) => !others ? `The app closed the connection before it answered: ${effectText(t, '')}; whether it crashed or closed an idle connection just when the front used it again (keep-alive race) is not seen.` : `The app closes idle connections just when the front uses them again (keep-alive race): ${effectText(t, '')}, while no process ended.`,
      advice: ['Fix it, one line: keep idle connections longer than the front does (Node: server.keepAliveTimeout = 65_000; server.headersTimeout = 66_000).', 'Other servers: Kestrel KeepAliveTimeout, gunicorn --keep-alive, Tomcat keepAliveTimeout, all above the front\'s own (60 s for nginx, 120 s for ARR).', 'Until then: let the front retry requests that are safe to repeat.'],
    }];
  },
  excludes: (scene) => (scene.rowsFrom !== 'none' && !scene.rows.failed.some((r) => r.effect === 'broke') ? 'no request broke off' : undefined),
};

function endNear(row: Row, scene: Scene): boolean {
  const near = (at: number): boolean => Math.abs(at - row.at) <= EXIT_NEAR_MS;
  // A start that nobody watched the end before may be that of the next one.
  const isNext = (at: number): boolean => row.at < scene.lives.watchedFrom && at > row.at && near(at);
  return scene.lives.exits.some((e) => near(e.at)) || scene.lives.restarts.some((r) => near(r.at)) || scene.lives.starts.some((s) => isNext(s.at));
}

function isRare(row: Row, scene: Scene): boolean {
  const { count, failed } = scene.rows.norms.within(row.method, row.route, scene.window.from, scene.window.to);
  return count === 0 || failed <= Math.max(1, count * RARE_SHARE);
}

/** Hardly a request in the four seconds before. */
function isIdleBefore(row: Row, scene: Scene): boolean {
  const { slots, slotMs } = scene.rows;
  const first = slots[0]?.at;
  if (slotMs !== 1_000 || first === undefined) return false;
  let n = 0;
  for (let at = row.at - 4_000; at < row.at - 1_000; at += 1_000) n += slots[Math.round((at - first) / 1_000)]?.total ?? 0;
  return n <= 1;
}
