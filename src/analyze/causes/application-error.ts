// Owns the cause application-error: the app itself answers with a status of 500 or above, or closes the connection of one route, and goes on living.
import { exceptionName } from '../crash-chain.ts';
import type { ExceptionGroup } from '../parse/exceptions.ts';
import type { Row } from '../events/rows.ts';
import type { Scene } from '../events/scene.ts';
import { crashesOf, rowsOf } from './crashes.ts';
import { effectText, mainRoute, oneLine, rowsFact, type CauseRule, type Claim, type Weight } from './cause.ts';
import { has, signClaim, timesText } from './sign-claim.ts';

const NEAR_MS = 2_000;
const CLOSES_SHARE = 0.3;
const LEAST_CLOSED = 3;

export const applicationError: CauseRule = {
  id: 'application-error', about: 'an error that the app answers itself', explains: ['answered'], needs: ['http'], collect: ['application-logs'],
  judge(scene): Claim[] {
    if (scene.rowsFrom === 'none') return ofWords(scene);
    const crashed = new Set(rowsOf(crashesOf(scene).crashes));
    const stopped = scene.lives.restarts.some((r) => r.by === 'stopped');
    const rows = scene.rows.failed.filter((r) => !crashed.has(r) && (r.effect === 'answered' || (r.effect === 'stopped' && !stopped)));
    const open = new Set(rows);
    const claims = scene.logs.exceptions.filter((e) => e.seen.some((s) => s.at !== undefined)).flatMap((e) => ofException(e, rows, open));
    const untimed = claims.length === 0 ? scene.logs.exceptions.filter((e) => e.fatal === 0 && e.seen.every((s) => s.at === undefined)) : [];
    const left = rows.filter((r) => open.has(r));
    return [...claims, ...(left.length > 0 ? [bare(left, untimed[0])] : []), ...closed(scene, crashed)];
  },
  excludes: (scene) => (scene.rowsFrom === 'http-log' && !scene.rows.failed.some((r) => r.effect === 'answered' || r.effect === 'stopped') ? 'the app answered no request with a status of 500 or above' : undefined),
};

const ADVICE = ['Fix the line that the exception names.', 'Stop it now: roll the last deployment back if the error came with it.'];

function ofException(exception: ExceptionGroup, rows: readonly Row[], open: Set<Row>): Claim[] {
  const times = exception.seen.flatMap((s) => (s.at === undefined ? [] : [s.at])).sort((a, b) => a - b);
  const mine = rows.filter((r) => open.has(r) && has(times, r.from - NEAR_MS, r.until + NEAR_MS));
  for (const row of mine) open.delete(row);
  const [first] = mine;
  if (!first) return [];
  const name = exceptionName(exception, true);
  return [{
    cause: 'application-error', key: exception.key, rows: mine, incidents: exception.count, since: first.at, against: [],
    weights: [{ by: 0.5, says: 'the app itself answered with that status: the front forwarded it' }, { by: 0.6, says: 'the log holds an exception at the same times' }],
    for: [{ text: name, ...(times[0] === undefined ? {} : { at: times[0] }), where: oneLine(exception.sample.source, 120), proof: exception.sample.text.slice(0, 1_200) }, ...rowsFact(mine, 'were answered with an error by the app')],
    chain: [{ ...(times[0] === undefined ? {} : { at: times[0] }), what: 'An exception is thrown and caught', detail: [name, ...exception.frames.slice(0, 4).map((f) => `    ${f.text}`)].join('\n'), part: 'root' }, { at: first.at, what: `The app answers ${first.status}`, part: 'effect' }],
    title: (t) => `The app answers ${first.status}${t.route === undefined ? '' : ` on ${t.route}`} because of \`${name}\`: ${effectText(t, '')}.`, advice: ADVICE,
  }];
}

/** No request is known; the server or the framework says that one ended so. */
function ofWords(scene: Scene): Claim[] {
  const signs = scene.signs('request-error');
  const thrown = scene.logs.exceptions.find((e) => e.fatal === 0);
  return signs.length === 0 ? [] : signClaim(scene, {
    cause: 'application-error', key: 'words', signs, effects: [], by: 0.65, says: 'the log says that a request ended in an exception that the app did not catch', what: 'A request ends in an exception', ...(thrown ? { more: [{ by: 0.3, says: 'it holds the exception' }] } : {}), bad: true,
    title: () => `Requests end in an exception that the app does not catch${thrown ? ` (\`${exceptionName(thrown, true)}\`)` : ''}: the log says so ${timesText(signs)}.`, advice: ADVICE,
  });
}

function bare(rows: readonly Row[], thrown: ExceptionGroup | undefined): Claim {
  const first = rows[0] as Row;
  const route = mainRoute(rows);
  const weights: Weight[] = [{ by: 0.5, says: 'the app itself answered with that status: the front forwarded it' }];
  if (thrown) weights.push({ by: 0.2, says: 'the log holds an exception, without its time' });
  return {
    cause: 'application-error', key: '', rows, weights, incidents: rows.length, since: first.at, against: thrown ? [] : [{ text: 'What the app logged about it was not found.' }],
    for: [...(thrown ? [{ text: exceptionName(thrown, true), where: oneLine(thrown.sample.source, 120), proof: thrown.sample.text.slice(0, 1_200) }] : []), ...rowsFact(rows, 'were answered with an error by the app')],
    chain: [{ at: first.at, what: `The app answers ${first.status}${route === undefined ? '' : ` on ${route}`}`, part: 'root' }],
    title: (t) => `The app itself answers ${first.status}${route === undefined ? '' : ` on ${route}`}${thrown ? `, perhaps because of \`${exceptionName(thrown, true)}\`` : ''}: ${effectText(t, '')}.`,
    advice: thrown ? ADVICE : ['Let the app log the error that it answers with, with its stack and time; then diagnose again.', ...ADVICE.slice(1)],
  };
}

/** A route on which many requests break off while the process lives: the app closes them itself. */
function closed(scene: Scene, crashed: ReadonlySet<Row>): Claim[] {
  // Where nobody watched for ends of processes, a crash looks just the same.
  const broken = scene.has.has('exits') ? scene.rows.failed.filter((r) => r.effect === 'broke' && !crashed.has(r)) : [];
  const routes = [...new Set(broken.map((r) => `${r.method} ${r.route}`))];
  return routes.flatMap((name): Claim[] => {
    const rows = broken.filter((r) => `${r.method} ${r.route}` === name);
    const [first] = rows;
    if (!first || rows.length < LEAST_CLOSED || new Set(rows.map((r) => r.at)).size < 2) return [];
    const { count, failed } = scene.rows.norms.within(first.method, first.route, scene.window.from, scene.window.to);
    if (count === 0 || failed < count * CLOSES_SHARE) return [];
    return [{
      cause: 'application-error', key: `closes ${name}`, rows, incidents: rows.length, since: first.at, weights: [{ by: 0.4, says: 'the connection ended without an answer while no process did' }, { by: 0.35, says: `${failed} of ${count} requests of that route end so` }], for: rowsFact(rows, 'broke off while no process ended'), against: [],
      chain: [{ at: first.at, what: `The app closes the connection of ${oneLine(name, 100)} without an answer`, part: 'root' }],
      title: (t) => `The app closes the connection of ${oneLine(name, 100)} without answering: ${effectText(t, '')}, while no process ended.`, advice: ['Look for destroy(), a handler that ends the socket, or an error within a streamed answer on that route.', ...ADVICE.slice(1)],
    }];
  });
}
