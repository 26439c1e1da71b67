// Owns the judgement of slow requests: the slowest, and the routes by their 95th percentile.
import type { Evidence, Finding } from '../../shared/model.ts';
import { count, duration, plural } from '../../shared/units.ts';
import type { Analyzer } from '../contracts.ts';
import { SLOW_MS, httpFacts } from '../parse/http-facts.ts';
import type { HttpFacts } from '../parse/http-facts.ts';
import { byText, codeName, oneLine, shareText } from '../parse/words.ts';

/** One in a hundred requests beyond SLOW_MS is what a p99 of that size means: users meet it daily. */
const SLOW_SHARE = 0.01;
const SLOW_LEAST = 5;
const ROUTES_TOLD = 12;
/** A percentile of fewer requests is the slowest one. */
const ROUTE_LEAST = 5;
const SLOWEST_TOLD = 12;

export const httpSlow: Analyzer = {
  id: 'http-slow',
  title: 'Slow requests',
  needs: ['http-log'],
  async analyze(given, { window }, cancel) {
    const facts = await httpFacts(given['http-log'] ?? [], window, cancel);
    if (facts.total === 0) return [];                          // http-failures says that there are no rows
    if (facts.ordinary.count === 0) return [noTimes(facts)];
    const slow = facts.slowRows >= SLOW_LEAST && facts.slowRows / facts.ordinary.count >= SLOW_SHARE;
    return [slow ? slowRequests(facts) : quick(facts)];
  },
};

function spread(facts: HttpFacts): string {
  const [p50 = 0, p95 = 0] = facts.ordinary.quantiles([0.5, 0.95]);
  return `half of the requests took at most ${duration(p50)}, 95 % at most ${duration(p95)}`;
}

function slowRequests(facts: HttpFacts): Finding {
  const worst = routesByP95(facts)[0];
  return {
    id: 'http-slow-requests', area: 'http', severity: 'warning',
    title: `${plural(facts.slowRows, 'request')} took longer than ${duration(SLOW_MS)}, ${shareText(facts.slowRows, facts.ordinary.count)} of ${count(facts.ordinary.count)}`,
    why: `People leave before a slow answer comes, and requests that wait hold connections, memory and threads. In this window ${spread(facts)}.${worst === undefined ? '' : ` The slowest route is ${oneLine(`${worst.method} ${worst.route}`)}: p95 ${duration(worst.p95 ?? 0)}.`} A route that is slow by design (an export, a long poll) is no fault.`,
    advice: 'Start with the route whose p95 is highest and that is asked for most.\nSlow on all routes at once: look at CPU and at a blocked event loop; slow on one: at what it waits for.',
    evidence: [routes(facts), slowest(facts), minutes(facts)], mitigations: [],
  };
}

function quick(facts: HttpFacts): Finding {
  return {
    id: 'http-times', area: 'http', severity: 'good', title: `The slowest of ${plural(facts.ordinary.count, 'request')} took ${duration(facts.ordinary.max)}; 95 % took at most ${duration(facts.ordinary.quantiles([0.95])[0] ?? 0)}`,
    why: `Fewer than ${plural(SLOW_LEAST, 'request')} or ${SLOW_SHARE * 100} % took longer than ${duration(SLOW_MS)}; ${spread(facts)}.`, advice: '', evidence: [routes(facts), slowest(facts)], mitigations: [],
  };
}

function noTimes(facts: HttpFacts): Finding {
  return {
    id: 'http-no-times', area: 'http', severity: 'cannot-tell', title: `The HTTP log does not say how long its ${plural(facts.total, 'request')} took`,
    why: 'The column time-taken is missing in the #Fields line.', advice: 'Use the HTTP log as App Service writes it, with time-taken.', evidence: [], mitigations: [],
  };
}

function routesByP95(facts: HttpFacts): HttpFacts['report']['routes'] {
  return facts.report.routes.filter((r) => r.p95 !== undefined && r.count >= ROUTE_LEAST).sort((a, b) => (b.p95 ?? 0) - (a.p95 ?? 0) || b.count - a.count || byText(a.route, b.route));
}

function routes(facts: HttpFacts): Evidence {
  const all = routesByP95(facts);
  return {
    kind: 'table', title: `Routes with at least ${ROUTE_LEAST} requests, by p95`,
    columns: [{ title: 'Route', unit: 'code' }, { title: 'Requests', unit: 'count' }, { title: 'Failed', unit: 'count' }, { title: 'p50', unit: 'ms' }, { title: 'p95', unit: 'ms' }, { title: 'p99', unit: 'ms' }, { title: 'Longest', unit: 'ms' }],
    rows: all.slice(0, ROUTES_TOLD).map((r) => [oneLine(`${r.method} ${r.route}`), r.count, r.failures, r.p50 ?? null, r.p95 ?? null, r.p99 ?? null, r.max ?? null]), more: Math.max(0, all.length - ROUTES_TOLD),
  };
}

function slowest(facts: HttpFacts): Evidence {
  return {
    kind: 'table', title: 'The slowest requests', columns: [{ title: 'Ended (UTC)', unit: 'at' }, { title: 'Request', unit: 'code' }, { title: 'Status', unit: 'code' }, { title: 'Taken', unit: 'ms' }, { title: 'Client', unit: 'code' }],
    rows: facts.report.slowest.slice(0, SLOWEST_TOLD).map((r) => [r.at, oneLine(`${r.method} ${r.path}`), codeName({ status: r.status, sub: r.sub, win32: r.win32 }), r.takenMs ?? null, r.client === undefined ? null : oneLine(r.client, 64)]),
  };
}

function minutes(facts: HttpFacts): Evidence {
  return { kind: 'series', metric: 'http.response-p95', points: facts.report.minutes.map((m) => [m.at, m.p95 ?? null]) };
}
