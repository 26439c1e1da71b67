// Owns the HTTP report the stage answers with: a shop whose worker crashes, the same shop on a quiet night, one with far too much, and one without a log.
import { HttpReport } from '../../src/shared/http-report.ts';
import type { RequestRow } from '../../src/shared/model.ts';
import { CRASHES, dice, requests, T } from './stage-data.ts';

type HeatRow = HttpReport['heat']['rows'][number];
type Groups = HttpReport['clients'];
interface Night { readonly from: number; readonly to: number; readonly bad: boolean; readonly many: boolean }

const MAX_STEPS = 120;
const STEPS_MS = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000];
const REASONS: Readonly<Record<string, string>> = {
  '502.3.12030': 'connection ended (worker exited or recycled, or keep-alive race)', '502.3.12029': 'nothing listening (app not started yet, or on another port)', '502.3.12002': 'app did not answer in time: the handler\'s default limit of 120 s',
  '500.0.0': 'the app answered 500 itself, or a module reported an error', '500.121.0': 'request exceeded a time limit of the platform: the front end\'s limit of 230 s', '503.0.0': 'application stopped or stopped by rapid-fail protection',
};
const ROUTES: readonly (readonly [string, string, number])[] = [['POST', '/cart/apply', 1], ['GET', '/products/{id}', 2.4], ['GET', '/cart', 1], ['GET', '/', 2], ['GET', '/search', 1.1], ['GET', '/products/{id}/reviews', 1.2], ['GET', '/images/a-very-long-name-of-a-picture-that-goes-on-and-on-until-it-no-longer-fits.png', 0.8], ['POST', '/login', 0.6], ['GET', '/export/{id}', 0.1], ['GET', '/"><script>alert(1)</script>', 0.05]];

/** One report of the window; every number is made from the same dice, so pictures of two runs are alike. */
export function httpReport(night: Night): HttpReport {
  const span = night.to - night.from;
  const stepMs = STEPS_MS.find((s) => span / s <= MAX_STEPS) ?? 3_600_000;
  const steps = Math.max(1, Math.ceil(span / stepMs));
  const heat = night.bad ? heatOf(night, stepMs, steps) : [];
  const failures = heat.reduce((n, r) => n + r.count, 0);
  const rows = (night.many ? 1_284_301 : Math.round(span / 330)) + failures;
  const routes = routesOf(rows, heat, night.many);
  return {
    version: 1, from: night.from, to: night.to, bytes: rows * 412 + 9_120, lines: rows + 226 + (night.bad ? 3 : 0), rows, comments: 16, malformed: night.bad ? 3 : 0, leftOut: 210, outside: 0, filteredOut: 0, failures,
    sources: sourcesOf(night, rows), byStatus: {}, statuses: statusesOf(rows, heat, night), routes, otherRoutes: night.many ? { count: 88_213, failures: 12, distinct: 41_200, estimated: 0.8 } : { count: 0, failures: 0, distinct: ROUTES.length },
    stepMs, minutes: minutesOf(night, stepMs, steps), heat: { stepMs, from: night.from, steps, rows: heat, more: night.many ? 1_312 : 0, otherFailures: night.many ? 4_402 : 0 },
    methods: groups([['GET', 0.86], ['POST', 0.13], ['HEAD', 0.01]], rows, failures), hosts: groups([['contoso-shop.azurewebsites.net', 0.7], ['www.contoso.com', 0.3]], rows, failures), instances: groups([['4a1f9c', 0.51], ['9be041', 0.49]], rows, failures),
    clients: groups(Array.from({ length: 20 }, (_, i) => [`203.0.113.${i + 1}`, 0.12 / (i + 1)] as const), rows, failures, night.many ? { distinct: 12_400, estimated: 0.8 } : { distinct: 41 }),
    agents: groups([['Chrome', 0.52], ['Safari', 0.21], ['Edge', 0.11], ['Googlebot', 0.06], ['curl', 0.03], ['<img src=x onerror=alert(1)>', 0.01]], rows, failures, { distinct: 14 }), referrers: groups([['www.contoso.com', 0.4], ['www.google.com', 0.2], ['-', 0.3]], rows, failures, { distinct: 9 }),
    total: { p50: 94, p95: 388, p99: 812, max: night.bad ? 230_112 : 2_210 }, bursts: night.bad ? burstsOf(night) : [], limits: night.bad ? limitsOf(night) : [],
    slowest: slowest(night), failed: night.bad ? requests(true, 900).filter((r) => r.status >= 500).slice(0, 100) : [],
  };
}

function heatOf({ from, to, many }: Night, stepMs: number, steps: number): HeatRow[] {
  const roll = dice(31);
  const wanted: (readonly [string, number, number, 'crash' | 'late' | 'even'])[] = [
    ['502.3.12030', 0, 9, 'crash'], ['502.3.12030', 1, 4, 'crash'], ['502.3.12029', 3, 3, 'crash'], ['502.3.12030', 2, 2, 'crash'], ['500.121.0', 8, 1, 'even'], ['500.0.0', 4, 1, 'late'], ['502.3.12029', 9, 1, 'late'],
  ];
  if (many) for (let i = 0; i < 53; i += 1) wanted.push([['500.0.0', '503.0.0', '502.3.12002'][i % 3] ?? '500.0.0', i % ROUTES.length, 400 - i * 7, i % 4 === 0 ? 'late' : 'even']);
  return wanted.map(([key, n, size, kind]) => {
    const [method, route] = ROUTES[n] ?? ['GET', '/'];
    const counts = Array.from({ length: steps }, (_, i) => {
      const at = from + i * stepMs;
      const near = CRASHES.some((c) => at + stepMs > c && at < c + 4_000);
      if (kind === 'crash') return near ? Math.max(1, Math.round(size * (0.5 + roll()))) : 0;
      if (kind === 'late') return i > steps - 4 ? Math.ceil(size * roll()) : 0;
      return roll() > 0.82 ? Math.ceil(size * (0.3 + roll() * (many ? 8 : 1))) : 0;
    });
    const hits = counts.flatMap((c, i) => (c > 0 ? [i] : []));
    return { key, method, route: many && n > 6 ? `${route}/${size}` : route, count: counts.reduce((a, b) => a + b, 0), firstAt: from + (hits[0] ?? 0) * stepMs + 400, lastAt: Math.min(to, from + ((hits.at(-1) ?? 0) + 1) * stepMs - 1), counts };
  }).filter((r) => r.count > 0).sort((a, b) => b.count - a.count);
}

function statusesOf(rows: number, heat: readonly HeatRow[], { from, to }: Night): HttpReport['statuses'] {
  const by = new Map<string, number>();
  for (const r of heat) by.set(r.key, (by.get(r.key) ?? 0) + r.count);
  const failed = [...by.values()].reduce((a, b) => a + b, 0);
  by.set('404.0.2', Math.round(rows * 0.03));
  by.set('304.0.0', Math.round(rows * 0.11));
  by.set('200.0.0', rows - failed - Math.round(rows * 0.03) - Math.round(rows * 0.11));
  return [...by].sort((a, b) => b[1] - a[1]).map(([key, count]) => {
    const [status = 0, sub = 0, win32 = 0] = key.split('.').map(Number);
    return { key, status, sub, win32, count, ...(REASONS[key] === undefined ? {} : { reason: REASONS[key] }), firstAt: from + 1_000, lastAt: to - 1_000, p50: 90 + (status % 7) * 13, p95: 380, p99: 810, max: key === '500.121.0' ? 230_112 : 1_840 };
  });
}

function routesOf(rows: number, heat: readonly HeatRow[], many: boolean): HttpReport['routes'] {
  const weights = ROUTES.reduce((n, [, , w]) => n + w, 0);
  const list = ROUTES.map(([method, route, w], i) => {
    const failures = heat.filter((h) => h.method === method && h.route === route).reduce((n, h) => n + h.count, 0);
    return { method, route, count: Math.round((rows * w) / weights) + failures, failures, clientErrors: i * 3, sentBytes: 8_300 * (i + 1), p50: 40 + i * 17, p95: 220 + i * 60, p99: 480 + i * 140, max: route.startsWith('/export') ? 230_112 : 900 + i * 300 };
  });
  if (many) for (let i = 0; i < 490; i += 1) list.push({ method: 'GET', route: `/catalogue/section-${i}/{id}`, count: 900 - i, failures: 0, clientErrors: 0, sentBytes: 10_240, p50: 31, p95: 90 + i, p99: 140 + i * 2, max: 400 + i * 5 });
  return list.sort((a, b) => b.failures - a.failures || b.count - a.count);
}

function minutesOf({ from, bad, many }: Night, stepMs: number, steps: number): HttpReport['minutes'] {
  const roll = dice(17);
  return Array.from({ length: steps }, (_, i) => {
    const at = from + i * stepMs;
    const down = bad && CRASHES.some((c) => at + stepMs > c && at < c + 4_000);
    const count = Math.round((stepMs / 330) * (0.7 + roll() * 0.6) * (many ? 30 : 1));
    // A hole where the log says nothing: no quantile, not a zero.
    if (i % 31 === 17) return { at, count: 0, failures: 0 };
    return { at, count, failures: down ? Math.ceil(count / 3) : 0, p50: 80 + roll() * 30, p95: (down ? 900 : 260) + roll() * 120, p99: (down ? 1_600 : 420) + roll() * 300, max: 2_000 };
  });
}

function groups(values: readonly (readonly [string, number])[], rows: number, failures: number, of: { distinct: number; estimated?: number } = { distinct: values.length }): Groups {
  const top = values.map(([name, share], i) => ({ name, count: Math.round(rows * share), failures: Math.round(failures * share * (i === 0 ? 1.2 : 0.8)), p50: 80 + i * 4, p95: 300 + i * 21, p99: 700 + i * 40, max: 2_000 + i * 90 }));
  const told = top.reduce((n, g) => ({ count: n.count + g.count, failures: n.failures + g.failures }), { count: 0, failures: 0 });
  return { top, others: of.distinct > values.length ? { count: Math.max(0, rows - told.count), failures: Math.max(0, failures - told.failures) } : { count: 0, failures: 0 }, ...of };
}

function burstsOf({ from, to }: Night): HttpReport['bursts'] {
  return [...CRASHES].filter((c) => c >= from && c <= to).map((c, i) => ({
    from: c, to: c + 3_000 + i * 400, failures: 14 - i, rows: i === 3 ? 11 : 16, key: '502.3.12030',
    shares: i === 3 ? [] : [{ dimension: 'status' as const, value: '502.3.12030', share: 0.86, ofAll: 0.7 }, { dimension: 'route' as const, value: 'POST /cart/apply', share: 0.64, ofAll: 0.12 }, { dimension: 'instance' as const, value: '4a1f9c', share: 1, ofAll: 0.51 }],
  }));
}

function limitsOf({ from, to }: Night): HttpReport['limits'] {
  return [
    { limitMs: 230_000, says: 'the front end\'s limit', count: 12, failures: 12, from: from + 4_000, to: to - 9_000, routes: [{ method: 'GET', route: '/export/{id}', count: 11 }, { method: 'GET', route: '/search', count: 1 }] },
    { limitMs: 120_000, says: 'HttpPlatformHandler\'s and node\'s default limit', count: 1, failures: 0, from: from + 60_000, to: from + 60_000, routes: [{ method: 'GET', route: '/search', count: 1 }] },
  ];
}

function slowest({ bad }: Night): RequestRow[] {
  return requests(bad, 900).slice(0, 20).map((r, i) => (bad && i < 3 ? { ...r, path: `/export/${8_812 + i}`, route: '/export/{id}', status: 500, sub: 121, win32: 0, reason: REASONS['500.121.0'], takenMs: 230_112 - i * 40 } : { ...r, takenMs: 2_210 - i * 77 }) as RequestRow);
}

function sourcesOf({ from, to, bad, many }: Night, rows: number): HttpReport['sources'] {
  const first = { source: 'http1', format: 'IIS W3C', confidence: 1, bytes: rows * 412, lines: rows + 220, rows, comments: 12, malformed: bad ? 3 : 0, malformedAt: bad ? [1_024, 9_120, 4_120_331] : [], from, to };
  if (!many) return [first];
  return [first, { source: 'http2', format: 'IIS W3C', confidence: 0.92, bytes: 9_120, lines: 9, rows: 0, comments: 4, malformed: 0, malformedAt: [], note: 'Only the first 2 GiB were read: the window holds more than one answer may take' }];
}

/** No HTTP log at all: web server logging is off. */
export const noHttpLog = (from: number, to: number): HttpReport => {
  const none: Groups = { top: [], others: { count: 0, failures: 0 }, distinct: 0 };
  return {
    version: 1, from, to, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0, leftOut: 0, outside: 0, filteredOut: 0, failures: 0, sources: [], byStatus: {}, statuses: [], routes: [], otherRoutes: { count: 0, failures: 0, distinct: 0 },
    stepMs: 60_000, minutes: [], heat: { stepMs: 60_000, from, steps: 0, rows: [], more: 0, otherFailures: 0 }, methods: none, hosts: none, instances: none, clients: none, agents: none, referrers: none, total: {}, bursts: [], limits: [], slowest: [], failed: [],
  };
};

/** The window's report; an hour before there were fewer kinds of failure, so that some are new. */
export function stagedHttp(from: number, to: number, scene: { bad: boolean; many: boolean; empty: boolean }): HttpReport {
  if (scene.empty) return noHttpLog(from, to);
  const before = to < T - 1_800_000;
  const report = httpReport({ from, to, bad: scene.bad, many: scene.many });
  if (!before || !scene.bad) return HttpReport.parse(report);
  return HttpReport.parse({ ...report, heat: { ...report.heat, more: 0, otherFailures: 0, rows: [{ key: '500.121.0', method: 'GET', route: '/export/{id}', count: 4, firstAt: from, lastAt: to, counts: report.minutes.map(() => 0) }] } });
}
