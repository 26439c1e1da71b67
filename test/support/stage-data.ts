// Owns the canned site that the pages are looked at with: one shop on a bad night, one on a good one, the same every time.
import type { z } from 'zod';
import { AgentInfo, DiagnoserInfo, type Doctor, type ProcessDetail, type ProcessNow } from '../../src/shared/api.ts';
import { metrics, type MetricId } from '../../src/shared/metrics.ts';
import type { AppInfo, Change, Health, LogLine, LogSourceInfo, Now, RequestRow, Sample, Series } from '../../src/shared/model.ts';

/** The agent's clock when the stage opens. */
export const T = Date.UTC(2026, 10, 21, 2, 18, 42);
export const CRASHES = [T - 275_000, T - 141_000, T - 86_000, T - 31_000] as const;
const DEPLOYED = T - 313_000;

/** The same numbers in every run. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

export const app: AppInfo = { site: 'contoso-shop', hostName: 'contoso-shop.azurewebsites.net', instance: '4a1f9c', machine: 'RD0003FF', os: 'Windows', plan: 'S1', runtime: 'Node 20.20.2' };
export const healthOf = (bad: boolean): Health => (bad ? { word: 'failing', reason: '51 of 900 requests failed in the last 5 minutes' } : { word: 'healthy', reason: '902 requests in the last 5 minutes, none failed' });

/** One check of each severity. */
export const doctor = (bad: boolean): z.infer<typeof Doctor> => ({
  at: T,
  checks: [
    ...(bad ? [{ id: 'http-log', title: 'HTTP log', severity: 'critical' as const, says: 'HTTP logging is off: requests, their failures and their times are not known.', remedy: 'Enable it: App Service logs, Web server logging, File system.' }] : []),
    { id: 'always-on', title: 'Always On', severity: 'warning', says: 'Always On is off: the SCM site and its WebJobs end after 20 minutes without requests, and nothing is recorded then.', remedy: 'Switch it on (Configuration, General settings; Basic plan or higher).' },
    { id: 'home-room', title: 'Room in the home', severity: 'cannot-tell', says: 'The share does not say how much room it has.' },
    { id: 'wwwroot', title: 'Site folder', severity: 'info', says: 'site/wwwroot is read-only, as the site runs from a package (WEBSITE_RUN_FROM_PACKAGE): its web.config cannot be edited from here.', remedy: 'Change it in the package that is deployed.' },
    { id: 'node', title: 'Node', severity: 'good', says: 'Node v20.20.2, x64.' },
    { id: 'observer', title: 'Who observes', severity: 'good', says: 'This agent observes the instance, for 3 h 20 min.' },
  ],
});

export const agentInfo = (bad: boolean): z.infer<typeof AgentInfo> => ({
  version: '0.1.0', app, startedAt: T - 86_400_000, at: T,
  capabilities: AgentInfo.shape.capabilities.element.shape.id.options.map((id) => ({ id, offer: id === 'memory-dump' ? { yes: false, because: 'gcore is not installed; apt-get install gdb' } : { yes: true } })),
  samplers: [{ id: 'process', state: 'good', lastAt: T - 400, costMs: 0.8 }, { id: 'host', state: 'good', lastAt: T - 420, costMs: 0.3 }, { id: 'http-log', state: 'good', lastAt: T - 900, costMs: 0.5 }],
  store: { usedBytes: 48_300_000, limitBytes: 200_000_000, freeBytes: 7_400_000_000 }, lost: [], health: healthOf(bad),
});

const worker = (pid: number, startedAt: number) => ({ pid, startedAt, parent: 4_100, name: 'node.exe', role: 'worker' as const, path: 'D:\\Program Files\\nodejs\\node.exe', commandLine: '"D:\\Program Files\\nodejs\\node.exe" server.js --token=***', user: 'contoso-shop' });
export const WORKER = worker(6_120, T - 29_000);

export function processes(many = false): z.infer<typeof ProcessNow>[] {
  const sample = (pid: number, startedAt: number, cpu: number, mib: number): Sample => ({ at: T, process: { pid, startedAt }, values: { 'process.cpu': cpu, 'process.cpu-time': cpu * 10, 'process.working-set': mib * 1_048_576, 'process.private-bytes': mib * 0.8 * 1_048_576, 'process.threads': 11, 'process.handles': 214 } });
  const start = T - 6 * 86_400_000;
  const list: z.infer<typeof ProcessNow>[] = [
    { info: { pid: 4_100, startedAt: start, name: 'w3wp.exe', role: 'other', user: 'contoso-shop' }, sample: sample(4_100, start, 0.4, 38) },
    { info: WORKER, sample: sample(WORKER.pid, WORKER.startedAt, 18.4, 142) },
    { info: { pid: 6_188, startedAt: T - 27_000, parent: WORKER.pid, name: 'php-cgi.exe', role: 'php', user: 'contoso-shop' }, sample: sample(6_188, T - 27_000, 1.2, 22) },
    { info: { pid: 2_210, startedAt: start, name: 'w3wp.exe', role: 'scm', user: 'contoso-shop' }, sample: sample(2_210, start, 0.2, 61) },
    { info: { pid: 2_904, startedAt: T - 86_400_000, parent: 2_210, name: 'node.exe', role: 'agent', ours: true }, sample: sample(2_904, T - 86_400_000, 0.3, 52) },
  ];
  if (many) for (let i = 0; i < 300; i += 1) list.push({ info: { pid: 10_000 + i, startedAt: T - i * 9_000, parent: WORKER.pid, name: `php-cgi-with-a-long-name-${i}.exe`, role: 'php' }, sample: sample(10_000 + i, T - i * 9_000, i % 37, 8 + (i % 90)) });
  return list;
}

export const processDetail: z.infer<typeof ProcessDetail> = {
  info: WORKER, sample: processes()[1]?.sample,
  offers: { end: { yes: true }, endSays: 'Restarts the app: requests in flight get up to 10 s to finish, then fail as 502; new ones wait for the next worker.', dump: { yes: true }, profile: { yes: true }, stack: { yes: true } },
  openFiles: ['D:\\home\\site\\wwwroot\\server.js', 'D:\\home\\LogFiles\\Application\\stderr-6120.txt', '\\Device\\NamedPipe\\iisnode-21453', 'TCP 127.0.0.1:21453 LISTEN', 'TCP 10.0.0.12:50122 → 10.2.0.4:1433'],
  environment: [{ name: 'APPSETTING_CartUrl', value: 'https://cart.contoso.com', masked: false }, { name: 'NODE_ENV', value: 'production', masked: false }, { name: 'SQLCONNSTR_Shop', value: '', masked: true }, { name: 'WEBSITE_SITE_NAME', value: 'contoso-shop', masked: false }],
};

/** A value of a metric at an instant; undefined where nothing is measured. */
export function measure(id: MetricId, at: number, bad: boolean, roll: number): number | undefined {
  const since = bad ? Math.min(...CRASHES.map((c) => (at >= c ? (at - c) / 1_000 : 9_999))) : 9_999;
  const down = since < 3;
  const MIB = 1_048_576;
  const rate = 2 + Math.floor(roll * 3);
  switch (id) {
    case 'http.requests': return down ? 6 : rate;
    case 'http.2xx': return down ? 0 : rate;
    case 'http.3xx': return down ? 0 : roll > 0.8 ? 1 : 0;
    case 'http.4xx': return roll > 0.96 ? 1 : 0;
    case 'http.5xx': return down ? 4 + Math.floor(roll * 3) : 0;
    case 'http.response-average': return 120 + roll * 60 + (since < 10 ? 700 - since * 60 : 0);
    case 'http.response-p50': return 90 + roll * 30;
    case 'http.response-p95': return 260 + roll * 120 + (since < 10 ? 900 - since * 70 : 0);
    case 'http.response-p99': return 420 + roll * 300 + (since < 10 ? 1_400 - since * 100 : 0);
    case 'http.response-max': return 900;
    case 'http.bytes-sent': return 24_000 + roll * 9_000;
    case 'http.bytes-received': return 1_800 + roll * 600;
    case 'site.cpu': case 'process.cpu': return 14 + roll * 6 + (since < 6 ? 55 - since * 8 : 0);
    case 'site.cpu-time': case 'process.cpu-time': return 150 + roll * 60 + (since < 6 ? 550 - since * 80 : 0);
    case 'site.working-set': case 'process.working-set': return (since < 9_000 ? 96 + Math.min(90, since * 1.5) : 190 + roll * 4) * MIB;
    case 'site.average-working-set': return (168 + roll * 2) * MIB;
    case 'site.private-bytes': case 'process.private-bytes': return (120 + roll * 6) * MIB;
    case 'site.processes': return down ? 2 : 3;
    case 'site.threads': case 'process.threads': return 31 + Math.round(roll * 2);
    case 'site.handles': case 'process.handles': return 610 + Math.round(roll * 30);
    case 'app.requests': return down ? 0 : rate;
    case 'app.in-flight': return bad ? Math.round(roll * 17) : Math.round(roll);
    case 'app.response-p99': return 60 + roll * 40 + (since < 10 ? 4_900 - since * 400 : 0);
    case 'app.loop-delay': return 3 + roll * 6 + (since < 4 ? 800 : 0);
    case 'app.loop-busy': return (bad ? 80 : 5) + roll * 9;
    case 'app.heap-used': return ((bad ? Math.min(230, 60 + since) : 61) + roll * 4) * MIB;
    case 'host.cpu': return 31 + roll * 14;
    case 'host.memory-used': return (1_320 + roll * 20) * MIB;
    case 'host.memory-total': return 1_792 * MIB;
    case 'host.disk-free': return at % 10_000 === 0 ? 41_000 * MIB : undefined;
    case 'host.disk-total': return at % 10_000 === 0 ? 51_200 * MIB : undefined;
    case 'agent.cpu': return 0.2 + roll * 0.2;
    case 'agent.working-set': return 52 * MIB;
    case 'agent.sampling': return 1.4 + roll;
    default: return undefined;
  }
}

export function series(ids: readonly MetricId[], from: number, to: number, points: number, bad: boolean, end: number): Series {
  const span = to - from;
  const stepMs = span <= 3_600_000 && span / 1_000 <= points ? 1_000 : Math.max(10_000, Math.ceil(span / points / 10_000) * 10_000);
  const at: number[] = [];
  for (let t = Math.ceil(from / stepMs) * stepMs; t <= Math.min(to, end); t += stepMs) at.push(t);
  const hole = (t: number): boolean => t > T - 205_000 && t < T - 190_000;
  const one = (metric: MetricId, process?: { pid: number; startedAt: number }): Series['series'][number] => {
    const roll = dice(metric.length * 97 + (process?.pid ?? 0));
    return { metric, ...(process ? { process } : {}), values: at.map((t) => { const r = roll(); return hole(t) || (process && t < process.startedAt) ? null : measure(metric, t, bad, r) ?? null; }) };
  };
  return { stepMs, from, to, at, series: ids.flatMap((id) => (metrics.find((m) => m.id === id)?.scope === 'process' ? processes().slice(0, 3).map((p) => one(id, { pid: p.info.pid, startedAt: p.info.startedAt })) : [one(id)])) };
}

export function sampleAt(at: number, bad: boolean, roll: number): Sample[] {
  const values = Object.fromEntries(metrics.filter((m) => m.scope === 'site').map((m) => [m.id, measure(m.id as MetricId, at, bad, roll)]).filter(([, v]) => v !== undefined)) as Sample['values'];
  return [{ at, values }, ...processes().map((p) => ({ ...(p.sample as Sample), at, values: { ...p.sample?.values, 'process.cpu': (p.sample?.values['process.cpu'] ?? 0) * (0.8 + roll * 0.4) } }))];
}

export function changes(bad: boolean, many = 0): Change[] {
  const list: Change[] = bad ? [
    ...[[6_120, 5_988], [5_988, 5_512], [5_512, 5_044], [5_044, 4_712]].flatMap(([next, gone], i): Change[] => {
      const at = CRASHES[3 - i] ?? T;
      return [{ id: `s${i}`, at: at + 2_000, kind: 'start', level: 'good', title: `Worker ${next} started`, detail: i === 0 ? 'after 2.0 s' : undefined, pid: next } as Change, { id: `x${i}`, at, kind: 'exit', level: 'critical', title: `Worker ${gone} exited with code 1`, detail: i === 3 ? 'up 6 d 4 h before' : 'TypeError, lib/cart.js:41', pid: gone ?? 0, exitCode: 1 }];
    }),
    { id: 'd', at: DEPLOYED, kind: 'deployment', level: 'neutral', title: 'Deployment 7f3a2c1 by zip', detail: '“apply vouchers”' },
  ] : [{ id: 'd', at: T - 200_000, kind: 'deployment', level: 'neutral', title: 'Deployment 5be0127 by zip', detail: '“fix footer”' }];
  for (let i = 0; i < many; i += 1) list.push({ id: `m${i}`, at: T - 400_000 - i * 31_000, kind: i % 3 === 0 ? 'exit' : 'start', level: i % 3 === 0 ? 'critical' : 'good', title: i % 3 === 0 ? `Worker ${7_000 + i} exited with code 3221225477` : `Worker ${7_000 + i} started`, pid: 7_000 + i });
  return list;
}

const PATHS = ['/cart/apply', '/products/8812', '/cart', '/', '/search', '/products/4177/reviews', '/images/a-very-long-name-of-a-picture-that-goes-on-and-on-until-it-no-longer-fits.png', '/login'];
export function requests(bad: boolean, count: number): RequestRow[] {
  const roll = dice(11);
  return Array.from({ length: count }, (_, i) => {
    const at = Math.floor((T - i * 331) / 1_000) * 1_000;
    const failed = bad && CRASHES.some((c) => at >= c - 1_000 && at < c + 4_000);
    const path = PATHS[Math.floor(roll() * PATHS.length)] ?? '/';
    const nothing = failed && i % 5 === 0;
    return {
      at, method: path.endsWith('apply') || path === '/login' ? 'POST' : 'GET', path, route: path.replace(/\/\d+/, '/{id}'), ...(path === '/search' ? { query: 'q=vouchers&key=***' } : {}),
      status: failed ? 502 : roll() > 0.96 ? 404 : 200, sub: failed ? 3 : 0, win32: failed ? (nothing ? 12_029 : 12_030) : 0,
      takenMs: Math.round(8 + roll() * 400), sentBytes: Math.round(roll() * 40_000), receivedBytes: 412, client: `203.0.113.${1 + Math.floor(roll() * 40)}`, userAgent: 'Mozilla/5.0 (Windows NT 10.0) <b>x</b>', host: 'contoso-shop.azurewebsites.net',
      ...(failed ? { reason: nothing ? 'nothing listening' : 'connection ended, worker exited' } : {}), source: 'http1', offset: 1_000_000 - i,
    };
  });
}

const STACK = '\n    at applyVoucher (D:\\home\\site\\wwwroot\\lib\\cart.js:41:27)\n    at POST /cart/apply (D:\\home\\site\\wwwroot\\server.js:88:5)\n    at Layer.handle (D:\\home\\site\\wwwroot\\node_modules\\express\\lib\\router\\layer.js:95:5)\n    at next (D:\\home\\site\\wwwroot\\node_modules\\express\\lib\\router\\route.js:149:13)';
const TEXTS: readonly (readonly [LogLine['level'], string])[] = [
  ['info', 'GET /products/8812 200 41 ms'], ['info', 'cart 7721: 3 items, 41.90 EUR'], ['debug', 'cache hit products:8812'], ['warn', 'slow query 812 ms: SELECT * FROM reviews WHERE product = @p0 ORDER BY at DESC OFFSET 0 ROWS FETCH NEXT 50 ROWS ONLY'],
  ['info', 'GET / 200 8 ms'], ['error', `TypeError: Cannot read properties of undefined (reading 'percent')${STACK}`], ['info', '<script>alert("not markup")</script> \u001b[32mgreen\u001b[0m and \u202ereversed'], ['unknown', 'Server listening on port 21453'],
];
export function logLines(source: string, count: number, end = T, first = 0): LogLine[] {
  return Array.from({ length: count }, (_, i) => {
    const n = first + i;
    const [level, text] = TEXTS[(n * 7 + (n >> 3)) % TEXTS.length] ?? ['info', ''];
    return { at: end - (count - 1 - i) * 411, source, offset: n * 120, cursor: `${source}-${n}`, level, text: n % 97 === 5 ? `${text} ${'0123456789'.repeat(60)}` : text, ...(n % 97 === 5 ? { cutBytes: 998_400 } : {}) };
  });
}

export function logSources(many = 0): LogSourceInfo[] {
  const list: LogSourceInfo[] = [
    { id: 'app1', title: 'Application/stderr-6120.txt', kind: 'application', sizeBytes: 184_320, changedAt: T - 400 }, { id: 'app2', title: 'Application/stdout-6120.txt', kind: 'application', sizeBytes: 4_812_000, changedAt: T - 900 },
    { id: 'ev1', title: 'eventlog.xml', kind: 'event', sizeBytes: 712_000, changedAt: T - 31_000 }, { id: 'http1', title: 'http/RawLogs/4a1f9c_202611210200.log', kind: 'http', sizeBytes: 13_900_000, changedAt: T - 1_000 },
    { id: 'kudu1', title: 'kudu/trace/4a1f9c-2904.xml', kind: 'platform', sizeBytes: 9_200, changedAt: T - 7_200_000 }, { id: 'big1', title: 'Application/a-very-long-folder-name/rolling-log-with-a-long-name-2026-11-20.log', kind: 'other', sizeBytes: 10_737_418_240, changedAt: T - 90_000_000 },
  ];
  for (let i = 0; i < many; i += 1) list.push({ id: `m${i}`, title: `Application/2026-11/${String(i).padStart(5, '0')}-worker.log`, kind: 'application', sizeBytes: 1_000 + i * 331, changedAt: T - 100_000 - i * 60_000 });
  return list;
}

export function now(bad: boolean, end = T, minutes = 5): Now {
  const stepMs = minutes > 5 ? 10_000 : 1_000;
  const forMs = minutes * 60_000;
  const from = end - forMs;
  const points = (id: MetricId): (number | null)[] => { const roll = dice(id.length * 31); return Array.from({ length: forMs / stepMs }, (_, i) => { const r = roll(); return i > 170 && i < 176 ? null : measure(id, from + i * stepMs, bad, r) ?? null; }); };
  const roll = dice(7);
  const strip = Array.from({ length: forMs / stepMs }, (_, i) => {
    const at = from + i * stepMs;
    const down = bad && CRASHES.some((c) => at >= c && at < c + 3_500);
    return { at, ok: down ? 0 : 2 + Math.floor(roll() * 3), refused: roll() > 0.985 ? 1 : 0, failed: down ? 3 + Math.floor(roll() * 3) : 0 };
  });
  const MIB = 1_048_576;
  return {
    at: end, from, to: end, stepMs, strip, health: healthOf(bad),
    verdict: bad ? '51 of 900 requests failed in the last 5 minutes: the worker crashed 4 times.' : 'All 902 requests of the last 5 minutes were answered.',
    detail: bad ? ['Likely cause: uncaught `TypeError` in `lib/cart.js:41`, each time while `POST /cart/apply` was running. Began 02:14:07, 38 s after deployment `7f3a2c1`. Explains 49 of 51 failures; 2 were client aborts.'] : [],
    checked: ['902 requests', '3 processes', 'event log', '2 application logs', 'no restart'],
    tiles: [
      { metric: 'http.requests', value: bad ? 900 : 902, hourAgo: 1_023, points: points('http.requests') }, { metric: 'http.response-average', value: bad ? 412 : 138, hourAgo: 144, points: points('http.response-average') },
      { metric: 'site.cpu-time', value: 55_200, hourAgo: 48_900, points: points('site.cpu-time') }, { metric: 'site.working-set', value: 142 * MIB, ...(bad ? { note: 'of 1.75 GiB' } : { hourAgo: 150 * MIB }), points: points('site.working-set') },
      { metric: 'site.average-working-set', value: 168 * MIB, hourAgo: 185 * MIB, points: points('site.average-working-set') },
    ],
    requests: { total: bad ? 900 : 902, failed: bad ? 51 : 0, lastAt: end - 400 }, changes: changes(bad), failed: bad ? requests(true, 1_000).filter((r) => r.status >= 500).slice(0, 10) : [],
    errors: bad ? logLines('app1', 60).filter((l) => l.level === 'error').slice(-4) : [],
  };
}

export const emptyNow: Now = { ...now(false), health: { word: 'unknown', reason: 'no request was seen yet' }, verdict: 'No request was seen in the last 5 minutes, so nothing can be said.', checked: ['HTTP log', 'processes'], requests: { total: 0, failed: 0 }, strip: [], changes: [], failed: [], errors: [], tiles: now(false).tiles.map(({ metric }) => ({ metric, points: [] })) };

export const diagnosers: z.infer<typeof DiagnoserInfo>[] = ([
  ['http-logs', 'HTTP logs', 'Rows of the HTTP log, secrets in queries masked', 'free', true], ['event-log', 'Event log', 'Crashes and start failures the platform wrote', 'free', true], ['application-logs', 'Application logs', 'stdout, stderr and what the app writes below LogFiles', 'free', true],
  ['process-list', 'Processes and open files', 'Every process of the site with its newest values', 'free', true], ['environment', 'Environment', 'Variables of the worker, secrets masked', 'free', true], ['memory-dump', 'Memory dump', 'A core of the worker', 'pauses-app', false], ['node-report', 'Node diagnostic report', 'Stacks, handles and heap figures of the worker', 'pauses-app', true], ['php-log', 'PHP error log', 'php_errors.log', 'free', false], ['deployments', 'Deployments', 'What was deployed, when, by whom', 'free', true],
] as const).map(([id, title, about, cost, preselected]) => ({
  id, title, about, cost, preselected, ...(id === 'node-report' ? { costNote: 'about 40 s, pauses the app about 20 ms' } : {}), offer: id === 'php-log' ? { yes: false, because: 'No PHP error log was found below LogFiles. Set log_errors=On in .user.ini.' } : { yes: true },
  options: id === 'memory-dump' ? { type: 'object', properties: { kind: { type: 'string', enum: ['full', 'small'], default: 'full' }, maxSeconds: { type: 'integer', minimum: 5, maximum: 600, default: 120 } } } : { type: 'object', properties: {} },
}));
