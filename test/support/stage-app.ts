// Owns the canned apps with the preload that the App part is looked at with: one process in trouble, several, one that has just ended, very many routes.
import type { AppBrief, AppInside, AppsNow } from '../../src/shared/app-view.ts';
import { NO_PRELOAD } from '../../src/shared/app-view.ts';
import { dice, T, WORKER } from './stage-data.ts';

const MIB = 2 ** 20;

export function appsNow({ at, bad, many, empty, pid }: { at: number; bad: boolean; many: boolean; empty: boolean; pid: number | undefined }): AppsNow {
  if (empty) return { at, apps: [], missing: NO_PRELOAD };
  const apps = many ? Array.from({ length: 40 }, (_, i) => brief(WORKER.pid + i, at, bad, i)) : bad ? [brief(WORKER.pid, at, true, 0), brief(6_121, at, true, 1), gone(at)] : [brief(WORKER.pid, at, false, 0)];
  const one = apps.find((app) => app.pid === pid);
  if (pid !== undefined && one === undefined) return { at, apps };
  return { at, apps, shown: inside(at, bad, many, apps.length === 1 || one !== undefined) };
}

function brief(pid: number, at: number, bad: boolean, i: number): AppBrief {
  const used = (bad && i === 0 ? 236 : 61 + i) * MIB;
  return {
    pid, startedAt: WORKER.startedAt + i * 10, node: 'v20.20.2', preload: '0.1.0', state: i % 9 === 5 ? 'files' : 'connected', at: at - 300, coversMs: 60_000,
    requests: bad ? 711 - i * 7 : 902, failed: bad && i === 0 ? 51 : 0, inFlight: bad ? 17 - Math.min(16, i) : 1, p95Ms: bad ? 2_410.4 - i : 48.21,
    loop: { p50Ms: 1.06, p99Ms: bad ? 41.7 : 3.2, maxMs: bad ? 812.4 : 9.8, utilization: bad ? 0.914 : 0.06 },
    heap: { used, total: used + 9 * MIB, limit: 256 * MIB, external: 3 * MIB, arrayBuffers: MIB, rss: used + 58 * MIB }, gcShare: bad ? 0.181 : 0.004, answersAsks: true,
    ...(bad && i === 0 ? { watch: { artifact: 'heap-profile', atShare: 0.85, taken: false } } : {}),
  };
}

function gone(at: number): AppBrief {
  return { ...brief(5_988, at - 31_000, true, 2), startedAt: WORKER.startedAt - 55_000, state: 'ended', endedAt: T - 31_000, ending: 'TypeError: Cannot read properties of undefined (reading \'percent\'), at applyVoucher (/home/site/wwwroot/lib/cart.ts:41:27), while POST /cart/apply was in flight', inFlight: undefined, answersAsks: false };
}

function inside(at: number, bad: boolean, many: boolean, one: boolean): AppInside {
  const roll = dice(11);
  const whose = one ? {} : { pid: WORKER.pid };
  const routes: AppInside['routes'] = [
    ['POST', '/cart/apply', 51, 41], ['GET', '/products/:id', 402, 0], ['GET', '/search', 98, 3], ['GET', '/', 88, 0], ['GET', '/export/{id}', 9, 7], ['GET', '/health', 63, 0],
  ].map(([method, path, count, failed], i) => ({ method: String(method), path: String(path), pattern: i !== 4, count: Number(count), failed: bad ? Number(failed) : 0, aborted: bad && i === 2 ? 4 : 0, bytesOut: Number(count) * 2_048, bytesIn: Number(count) * 180, statuses: [[200, Number(count)]], meanMs: 12 + i * 9, p50Ms: 8.4 + i * 7.1, p95Ms: bad && i < 3 ? 2_410.4 : 31.2 + i, p99Ms: bad && i < 3 ? 4_902.7 : 60.5 + i, maxMs: bad && i < 3 ? 9_731.3 : 118.4 }));
  if (many) for (let i = 0; i < 10_000; i += 1) routes.push({ method: 'GET', path: `/tenant-${i}/a-long-name-of-a-page-that-somebody-made/{id}/edit`, pattern: false, count: 1 + Math.floor(roll() * 900), failed: i % 97 === 0 ? 1 : 0, aborted: 0, bytesOut: 900, statuses: [[200, 1]], p50Ms: roll() * 40, p95Ms: 40 + roll() * 90, p99Ms: 140 + roll() * 90, maxMs: 300 + roll() * 90 });
  return {
    coversMs: 60_000, inFlight: bad ? 28 : 1,
    oldest: bad ? Array.from({ length: many ? 100 : 17 }, (_, i) => ({ ...whose, method: i % 4 === 0 ? 'POST' : 'GET', path: i % 4 === 0 ? '/cart/apply' : i % 4 === 1 ? '/search' : '/products/{id}', ageMs: 12_410 / (i + 1) + 7, ...(i < 9 ? { waits: i % 4 === 0 ? [{ for: 'call', on: 'https://vouchers.contoso.example', forMs: 12_302 / (i + 1) } as const] : i % 4 === 1 ? [{ for: 'connection', on: 'postgres://db-shop.internal:5432', forMs: 1_204.4 } as const] : [{ for: 'nothing' } as const] } : {}) })) : [{ method: 'GET', path: '/', ageMs: 3.4 }],
    routes, dependencies: [
      { host: 'https://vouchers.contoso.example', by: 'undici', count: 51, inFlight: bad ? 11 : 0, ...(bad ? { oldestMs: 12_302 } : {}), statuses: [[200, 10], [503, 22]], errors: bad ? [['ETIMEDOUT', 14], ['ECONNRESET', 3]] : [], p50Ms: 802.2, p95Ms: 9_804.4, p99Ms: 12_001, maxMs: 12_302, open: 12, idle: 0, waiting: bad ? 31 : 0, connect: { count: 12, p50Ms: 4.1, p95Ms: 9.2, p99Ms: 9.9, maxMs: 10.2 } },
      { host: 'db-shop.internal:5432', by: 'socket', service: 'PostgreSQL', count: 0, inFlight: 0, statuses: [], errors: [], open: 10, idle: 0, silentMs: 1_204.4, bytesIn: 1_902_113, bytesOut: 88_213 },
      { host: 'https://search.contoso.example:8443', by: 'http', count: 98, inFlight: 1, statuses: [[200, 98]], errors: [], p50Ms: 11.2, p95Ms: 20.4, p99Ms: 31.9, maxMs: 44.1, open: 4, idle: 3, waiting: 0 },
    ],
    lookups: [{ name: 'vouchers.contoso.example', count: 12, p50Ms: 1.2, p95Ms: 84.2, p99Ms: 90.4, maxMs: 91 }, { name: 'search.contoso.example', count: 2, p50Ms: 0.8, p95Ms: 0.9, p99Ms: 0.9, maxMs: 0.9 }],
    loop: { p50Ms: 1.06, p99Ms: bad ? 41.7 : 3.2, maxMs: bad ? 812.4 : 9.8, utilization: bad ? 0.914 : 0.06 },
    stalls: bad ? [{ ...whose, at: at - 41_000, forMs: 812.4, frames: ['renderInvoice (/home/site/wwwroot/lib/invoice.js:88:14)', 'handler (/home/site/wwwroot/routes/export.js:21:9)', 'Layer.handle (/home/site/wwwroot/node_modules/express/lib/router/layer.js:95:5)'] }, { ...whose, at: at - 12_000, forMs: 402.2, frames: [] }] : [],
    gc: bad ? [{ kind: 'mark-sweep', count: 21, ms: 8_903.2, share: 0.148 }, { kind: 'scavenge', count: 312, ms: 1_922.1, share: 0.032 }, { kind: 'incremental', count: 40, ms: 61.3, share: 0.001 }] : [{ kind: 'scavenge', count: 9, ms: 14.2, share: 0.0002 }],
    spaces: one ? [['read_only_space', 170_000, 180_000], ['new_space', 6 * MIB, 16 * MIB], ['old_space', 201 * MIB, 204 * MIB], ['code_space', 3 * MIB, 4 * MIB], ['large_object_space', 24 * MIB, 25 * MIB], ['shared_space', 0, 0]] : [],
    resources: [['TCPSocketWrap', 41], ['Timeout', 12], ['TCPServerWrap', 1], ['PipeWrap', 2], ['FSReqCallback', 3]],
    failures: bad ? failures(at, many) : [], connections: { open: 44, upgraded: 2 },
    ...(one && bad ? { following: { since: at - 20_000, until: at + 40_000 } } : {}), lost: bad ? [['requests beyond the bound in flight', 3]] : [],
  };
}

function failures(at: number, many: boolean): AppInside['failures'] {
  const list: AppInside['failures'] = [
    { kind: 'exception', type: 'TypeError', message: 'Cannot read properties of undefined (reading \'percent\')', frames: ['applyVoucher (/home/site/wwwroot/dist/cart.js:1:4127)', 'handler (/home/site/wwwroot/dist/server.js:1:881)'], sources: ['applyVoucher (/home/site/wwwroot/lib/cart.ts:41:27)', 'handler (/home/site/wwwroot/server.ts:88:5)'], count: 4, firstAt: at - 300_000, lastAt: at - 31_000, route: 'POST /cart/apply' },
    { kind: 'rejection', type: 'Error ETIMEDOUT', message: 'connect ETIMEDOUT 10.1.0.4:443', frames: ['TCPConnectWrap.afterConnect (node:net:1555:16)'], count: 122, firstAt: at - 3_600_000, lastAt: at - 2_000 },
    { kind: 'warning', type: 'MaxListenersExceededWarning', message: 'Possible EventEmitter memory leak detected. 11 close listeners added to [Socket].', frames: ['_addListener (node:events:587:17)'], count: 1, firstAt: at - 86_400_000, lastAt: at - 86_400_000 },
  ];
  if (many) for (let i = 0; i < 490; i += 1) list.push({ kind: 'caught', type: 'ValidationError', message: `field_${i} is required, and this is a message that goes on for long enough to be cut where the column ends`, frames: [`check (/home/site/wwwroot/lib/check.js:${i + 1}:7)`], count: i + 1, firstAt: at - 900_000, lastAt: at - i * 1_000, route: 'POST /cart' });
  return list;
}
