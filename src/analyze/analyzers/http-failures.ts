// Owns the judgement of failed requests: one finding per status.sub-status.win32, with when, where, how long and what it means.
import type { Evidence, Finding } from '../../shared/model.ts';
import { count, duration, plural } from '../../shared/units.ts';
import { meaning } from '../../observe/http-log/meaning.ts';
import type { Analyzer } from '../contracts.ts';
import { httpFacts, isClientAbort } from '../parse/http-facts.ts';
import type { CodeFacts, HttpFacts, Window } from '../parse/http-facts.ts';
import { byText, clock, codeName, oneLine, shareText } from '../parse/words.ts';
import { adviceFor } from '../http-advice.ts';

/** From one request in a hundred on, users notice and retry; below it, one failure is a failure but not an outage. */
const CRITICAL_SHARE = 0.01;
/** A handful of requests says nothing about a share. */
const CRITICAL_LEAST = 5;
/** Codes told one by one; a real outage has two or three, the rest is summed up. */
const CODES_TOLD = 10;
const ROUTES_TOLD = 8;
/** So many rows at one limit of time are a signature and no accident: three, and half of the code's rows. */
const CLUSTER_LEAST = 3;
const CLUSTER_SHARE = 0.5;

export const httpFailures: Analyzer = {
  id: 'http-failures',
  title: 'Failed requests',
  needs: ['http-log'],
  async analyze(given, { window }, cancel) {
    const facts = await httpFacts(given['http-log'] ?? [], window, cancel);
    if (facts.total === 0) return [noRows(facts)];
    const failing = facts.codes.filter((code) => code.status >= 500 && !byClient(code));
    const findings = failing.slice(0, CODES_TOLD).map((code) => ofCode(code, facts, window));
    const rest = failing.slice(CODES_TOLD);
    if (rest.length > 0) findings.push(ofRest(rest, facts));
    if (facts.failures === 0) findings.push(nothingFailed(facts));
    const aborts = facts.codes.filter(byClient);
    if (aborts.length > 0) findings.push(clientAborts(aborts, facts));
    if (facts.report.malformed > 0) findings.push(damaged(facts));
    return findings;
  },
};

/** A code whose rows were ended by the client; where some of them reached a limit of time the code stays a failure. */
function byClient(code: CodeFacts): boolean {
  return isClientAbort({ status: code.status, sub: code.sub, win32: code.win32 }) && (code.status < 500 || code.limits.size === 0);
}

function idOf(code: CodeFacts): string {
  return `http-${[code.status, code.sub, code.win32 === 0 ? undefined : code.win32].filter((part) => part !== undefined).join('-')}`;
}

function ofCode(code: CodeFacts, facts: HttpFacts, window: Window): Finding {
  const says = meaning(code.status, code.sub, code.win32)?.says.replace(/ \([^()]*\)$/, '');   // what it may come from stands in `why`
  const { why, advice, mitigations } = adviceFor(code.status, code.sub, code.win32);
  const share = code.count / facts.total;
  const cluster = clusterOf(code);
  const when = code.firstAt === code.lastAt ? `at ${clock(code.firstAt)}` : `between ${clock(code.firstAt)} and ${clock(code.lastAt)}`;
  return {
    id: idOf(code), area: 'http', severity: share >= CRITICAL_SHARE && code.count >= CRITICAL_LEAST ? 'critical' : 'warning',
    title: `${plural(code.count, 'request')} ended as ${codeName(code)}${says === undefined ? '' : ` (${says})`}, ${shareText(code.count, facts.total)} of ${count(facts.total)}`,
    why: `${why} They came ${when}${timing(code)}.${cluster === undefined ? '' : ` ${cluster}`}`,
    advice, evidence: [routesOf(code), ...timesOf(code), seriesOf(code, facts, window)], mitigations: [...(mitigations ?? [])],
  };
}

function timing(code: CodeFacts): string {
  const [p50] = code.taken.quantiles([0.5]);
  if (p50 === undefined) return '';
  return code.taken.min === code.taken.max ? ` and took ${duration(code.taken.min)}` : ` and took ${duration(code.taken.min)} to ${duration(code.taken.max)}, half of them at most ${duration(p50)}`;
}

/** A narrow spike of time-taken at a limit says that the limit ended them. */
function clusterOf(code: CodeFacts): string | undefined {
  const best = [...code.limits].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
  if (!best || best[1] < CLUSTER_LEAST || best[1] < code.count * CLUSTER_SHARE) return undefined;
  return `${count(best[1])} of them took ${duration(best[0])} almost exactly: ${LIMIT_WORDS[best[0]] ?? 'a limit of time'} ended them.`;
}

const LIMIT_WORDS: Readonly<Record<number, string>> = {
  50_000: 'iisnode\'s 200 attempts to connect to node', 60_000: 'a limit of 60 s', 120_000: 'the handler\'s limit of 120 s', 230_000: 'the front end\'s limit of 230 s', 240_000: 'the front end\'s limit of 240 s',
};

function routesOf(code: CodeFacts): Evidence {
  const routes = [...code.routes].sort((a, b) => b[1] - a[1] || byText(a[0], b[0]));
  return {
    kind: 'table', title: 'By route', columns: [{ title: 'Route', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Share', unit: 'percent' }],
    rows: routes.slice(0, ROUTES_TOLD).map(([route, n]) => [oneLine(route), n, Math.round((n / code.count) * 1_000) / 10]), more: Math.max(0, routes.length - ROUTES_TOLD),
  };
}

function timesOf(code: CodeFacts): Evidence[] {
  const [p50, p95] = code.taken.quantiles([0.5, 0.95]);
  if (p50 === undefined || p95 === undefined) return [];
  return [{
    kind: 'table', title: 'Time taken', columns: [{ title: 'Shortest', unit: 'ms' }, { title: 'p50', unit: 'ms' }, { title: 'p95', unit: 'ms' }, { title: 'Longest', unit: 'ms' }],
    rows: [[code.taken.min, p50, p95, code.taken.max]],
  }];
}

function seriesOf(code: CodeFacts, facts: HttpFacts, window: Window): Evidence {
  const first = Math.floor(window.from / facts.bucketMs) * facts.bucketMs;
  return { kind: 'series', title: `${codeName(code)} per ${duration(facts.bucketMs)}`, metric: 'http.5xx', points: facts.buckets.map((b) => [b.at, code.buckets[Math.round((b.at - first) / facts.bucketMs)] ?? 0]) };
}

function ofRest(codes: readonly CodeFacts[], facts: HttpFacts): Finding {
  const sum = codes.reduce((n, code) => n + code.count, 0);
  return {
    id: 'http-5xx', area: 'http', severity: 'warning', title: `${plural(sum, 'more request')} failed with ${plural(codes.length, 'other code')}, ${shareText(sum, facts.total)} of ${count(facts.total)}`,
    why: 'Each of these codes is rarer than those above.', advice: 'Look at the most frequent codes first.',
    evidence: [{ kind: 'table', columns: [{ title: 'Code', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Meaning', unit: 'text' }], rows: codes.slice(0, 30).map((c) => [codeName(c), c.count, meaning(c.status, c.sub, c.win32)?.says ?? null]), more: Math.max(0, codes.length - 30) }],
    mitigations: [],
  };
}

function clientAborts(codes: readonly CodeFacts[], facts: HttpFacts): Finding {
  const sum = codes.reduce((n, code) => n + code.count, 0);
  return {
    id: 'http-client-aborts', area: 'http', severity: 'info', title: `${plural(sum, 'request was', 'requests were')} given up by the client, ${shareText(sum, facts.total)} of ${count(facts.total)}`,
    why: 'The client closed the connection before the answer was complete: a closed tab, a page left, a client\'s own time limit. The app did not fail these; many of them after a long wait are a sign of slowness.',
    advice: 'Nothing, unless the time they waited is long: then look at the slowest routes.',
    evidence: [{
      kind: 'table', columns: [{ title: 'Code', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Median wait', unit: 'ms' }, { title: 'Longest wait', unit: 'ms' }, { title: 'Most frequent route', unit: 'code' }],
      rows: codes.slice(0, 10).map((c) => [codeName(c), c.count, c.taken.quantiles([0.5])[0] ?? null, c.taken.count > 0 ? c.taken.max : null, oneLine([...c.routes].sort((a, b) => b[1] - a[1] || byText(a[0], b[0]))[0]?.[0] ?? '')]),
    }], mitigations: [],
  };
}

function nothingFailed(facts: HttpFacts): Finding {
  return {
    id: 'http-no-failures', area: 'http', severity: 'good', title: `Nothing failed in ${plural(facts.total, 'request')}`,
    why: 'No request in the HTTP log ended with a status of 500 or above. Requests that the front end answers itself (a stopped site) never reach this log.', advice: '', evidence: [], mitigations: [],
  };
}

function noRows(facts: HttpFacts): Finding {
  const own = facts.report.leftOut > 0 ? ` ${plural(facts.report.leftOut, 'row')} of the SCM site and of this agent were left out.` : '';
  const bad = facts.report.malformed > 0 ? ` ${plural(facts.report.malformed, 'line')} could not be read.` : '';
  return {
    id: 'http-no-rows', area: 'http', severity: 'cannot-tell', title: 'The HTTP log has no request in the window',
    why: `Either nobody asked for anything, or the requests did not reach the app: a stopped site, a full queue and a front end that refuses are answered before this log. It is also written about a minute late.${own}${bad}`,
    advice: 'Send a request to the site and diagnose again a minute later.\nIf users see errors all the same: check in the portal that the site is started and within its quotas.', evidence: [], mitigations: [],
  };
}

function damaged(facts: HttpFacts): Finding {
  return {
    id: 'http-damaged-rows', area: 'http', severity: 'info', title: `${plural(facts.report.malformed, 'line')} of the HTTP log could not be read`,
    why: `They take no part in the figures. ${plural(facts.report.rows, 'row was', 'rows were')} read.`, advice: 'Nothing, unless they are many: then the log was cut, or its columns are not those of its #Fields line.', evidence: [], mitigations: [],
  };
}
