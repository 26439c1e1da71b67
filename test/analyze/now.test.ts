// Owns the proof that the Now screen answers "what is wrong?" in one true sentence, stays quiet when nothing is, and never guesses.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nowOf } from '../../src/analyze/now.ts';
import { createFeed } from '../../src/observe/feed.ts';
import { createRequestFeed } from '../../src/observe/request-feed.ts';
import { meaning } from '../../src/observe/http-log/meaning.ts';
import type { Feed, Observed } from '../../src/observe/observe.ts';
import { Now } from '../../src/shared/model.ts';
import type { Change, LogLine, LogSourceInfo, ProcessInfo, RequestRow, Series } from '../../src/shared/model.ts';
import type { MetricId } from '../../src/shared/metrics.ts';
import type { History } from '../../src/store/store.ts';
import { nowCause } from '../../src/analyze/now-cause.ts';
import { HOSTILE, at, uncaught } from './artifacts.ts';

const TO = at('02:18:42');
const WORKER: ProcessInfo = { pid: 6120, startedAt: at('02:18:13'), name: 'node', role: 'node' };
const AGENT: ProcessInfo = { pid: 2, startedAt: 0, name: 'node', role: 'agent', ours: true };
const SOURCES: readonly LogSourceInfo[] = [
  { id: 'http1', title: 'http/RawLogs/4a1f9c.log', kind: 'http', sizeBytes: 1, changedAt: TO },
  { id: 'err4712', title: 'Application/RD0003FF-4712-stderr-1795227247113.txt', kind: 'application', sizeBytes: 1, changedAt: TO },
  { id: 'err5044', title: 'Application/RD0003FF-5044-stderr-1795227381000.txt', kind: 'application', sizeBytes: 1, changedAt: TO },
];

interface Scene { rows?: RequestRow[]; changes?: Change[]; errors?: LogLine[]; processes?: ProcessInfo[]; sources?: readonly LogSourceInfo[]; values?: Partial<Record<MetricId, (number | null)[]>>; hourAgo?: Partial<Record<MetricId, (number | null)[]>> }

const KEPT = 50_000;

function filled<T, F extends Feed<T> = Feed<T>>(items: readonly T[], feed: F): F {
  for (const item of items) feed.publish(item);
  return feed;
}

/** What the observer would hold; the parts that nowOf must not touch throw. */
function observedOf(scene: Scene): Observed {
  const untouched = (): never => { throw new Error('nowOf must not read files'); };
  return {
    samples: createFeed(KEPT), requests: filled(scene.rows ?? [], createRequestFeed(KEPT)), changes: filled(scene.changes ?? [], createFeed<Change>(KEPT)), errors: filled(scene.errors ?? [], createFeed<LogLine>(KEPT)),
    logs: { catalog: () => Promise.resolve({ sources: scene.sources ?? SOURCES, more: 0 }), path: untouched, page: untouched, since: untouched, follow: untouched },
    processes: () => scene.processes ?? [WORKER, AGENT], latest: () => new Map(), exits: () => [], health: () => [{ id: 'host', state: 'failing', error: 'no /proc' }], lost: () => [{ what: 'lines', count: 3 }], http: untouched, rows: untouched,
  };
}

function historyOf(scene: Scene): History {
  const untouched = (): never => { throw new Error('nowOf only reads'); };
  return {
    write: untouched, tracks: untouched, flush: untouched, look: untouched, reopen: untouched, close: untouched,
    read: ({ metrics, from, to }): Promise<Series> => {
      const values = to < TO ? scene.hourAgo : scene.values;
      const length = Math.max(1, ...Object.values(values ?? {}).map((v) => v.length));
      const stepMs = Math.round((to - from) / length);
      return Promise.resolve({ stepMs, from, to, at: Array.from({ length }, (_, i) => from + i * stepMs), series: metrics.flatMap((metric) => (values?.[metric] ? [{ metric, values: values[metric] }] : [])) });
    },
  };
}

const now = async (scene: Scene, minutes = 5): Promise<Now> => Now.parse(await nowOf(observedOf(scene), historyOf(scene), minutes, TO));

let offset = 0;
/** "02:14:07 POST /cart/apply 502.3.12030 61 x2" per line. */
function rows(text: string): RequestRow[] {
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '').flatMap((line) => {
    const [clock = '', method = '', path = '', code = '', taken = '0', times] = line.split(/ +/);
    const [status = 0, sub, win32] = code.split('.').map(Number);
    const reason = meaning(status, sub, win32)?.says;
    return Array.from({ length: Number(times?.slice(1) ?? 1) }, () => ({ at: at(clock), method, path, route: path, status, ...(sub === undefined ? {} : { sub }), ...(win32 === undefined ? {} : { win32 }), takenMs: Number(taken), ...(reason === undefined ? {} : { reason }), source: 'http1', offset: (offset += 250) }));
  });
}
const exit = (clock: string, pid: number, code = 1): Change => ({ id: `exit-${pid}`, at: at(clock), kind: 'exit', level: 'critical', title: `Worker ${pid} exited with code ${code}`, pid, exitCode: code });
const start = (clock: string, pid: number): Change => ({ id: `start-${pid}`, at: at(clock), kind: 'start', level: 'good', title: `Worker ${pid} started`, pid });
const DEPLOYED: Change = { id: 'd', at: at('02:13:29'), kind: 'deployment', level: 'neutral', title: 'Deployment 7f3a2c1' };
const thrown = (source: string): LogLine => ({ source, offset: 0, cursor: 'c', level: 'fatal', text: uncaught() });

const BURST: Scene = {
  rows: rows(`02:13:45 GET / 200 30 x800
    02:14:07 POST /cart/apply 502.3.12030 61
    02:14:07 GET /products/{id} 502.3.12030 124 x10
    02:14:08 GET / 502.3.12029 2 x14
    02:16:21 POST /cart/apply 502.3.12030 58
    02:16:21 GET /search 502.3.12030 340 x9
    02:16:22 GET / 502.3.12029 2 x14
    02:17:00 GET /slow 400.604.64 9000 x2`),
  changes: [DEPLOYED, exit('02:14:07.115', 4712), start('02:14:09.1', 5044), exit('02:16:21.4', 5044), start('02:16:23', 6120)],
  errors: [thrown('err4712'), thrown('err5044')],
};

test('a burst of crashes: the sentence, its likely cause, since when, and how much it explains', async () => {
  const seen = await now(BURST);
  assert.equal(seen.verdict, '49 of 851 requests failed in the last 5 minutes: the worker crashed twice.');
  assert.deepEqual(seen.detail, [
    'Likely cause: uncaught `TypeError` in `lib/cart.js:41`, each time while POST /cart/apply was running.',
    'Began 02:14:07 UTC, 38.1 s after Deployment 7f3a2c1.',
    'This explains 49 of 49 failed requests.',
    '2 more were given up by the client.',
  ]);
  assert.deepEqual(seen.health, { word: 'failing', reason: 'the worker crashed twice and 49 of 851 requests failed (5.76 %)' });
  assert.deepEqual(seen.requests, { total: 851, failed: 49, lastAt: at('02:17:00') });
  assert.equal(seen.failed.length, 10);
  assert.deepEqual([seen.failed[0]?.at, seen.failed[0]?.reason], [at('02:16:22'), 'nothing listening (app not started yet, or on another port)']);
  assert.deepEqual(seen.changes.map((c) => c.id), ['start-6120', 'exit-5044', 'start-5044', 'exit-4712', 'd']);
  assert.equal(seen.strip.reduce((n, b) => n + b.failed, 0), 49);
});

test('healthy is quiet: one sentence, no detail, and what was checked', async () => {
  const seen = await now({ rows: rows('02:14:00 GET / 200 30 x900\n02:15:00 GET /nope 404 3 x4') });
  assert.equal(seen.verdict, 'All 904 requests of the last 5 minutes were answered.');
  assert.deepEqual(seen.detail, []);
  assert.deepEqual(seen.health, { word: 'healthy', reason: 'no failed request, no crash' });
  assert.deepEqual(seen.checked, ['HTTP log: 904 requests, the last at 02:15:00 UTC', 'Processes: node 6120', 'Exits and changes of 15 min: 0', 'Error entries: 0', 'host cannot be measured: no /proc', '3 lost: lines']);
});

/** The hour before: what a cart usually takes, and enough requests of now. */
const HOUR_OF_CART = '01:40:00 POST /cart 200 60 x50\n02:00:00 POST /cart 200 70 x50\n02:14:00 GET / 200 30 x500\n';
const sentences: readonly [string, Scene, string, string][] = [
  ['one failure among many is told and is not an outage', { rows: rows('02:14:00 GET / 200 30 x900\n02:15:00 GET / 500.0.0 5') }, 'healthy', '1 of 901 requests failed in the last 5 minutes.'],
  ['failures without an exit name their code, not a crash', { rows: rows('02:14:00 GET / 200 30 x90\n02:15:00 GET /x 502.3.12002 120004 x10') }, 'failing', '10 of 100 requests failed in the last 5 minutes: all as 502.3 · 12002 (app did not answer in time).'],
  ['a crash that hit nobody', { rows: rows('02:14:00 GET / 200 30 x90'), changes: [exit('02:16:00', 9)] }, 'failing', 'The worker crashed once in the last 5 minutes; no failed request was seen.'],
  ['an exit before the window is history', { rows: rows('02:14:00 GET / 200 30 x90'), changes: [exit('02:10:00', 9)] }, 'healthy', 'All 90 requests of the last 5 minutes were answered.'],
  ['an exit with code 0 is no crash', { rows: rows('02:14:00 GET / 200 30 x90'), changes: [exit('02:16:00', 9, 0)] }, 'healthy', 'All 90 requests of the last 5 minutes were answered.'],
  ['nobody asked', {}, 'healthy', 'No request in the last 5 minutes.'],
  ['no HTTP log', { sources: [] }, 'unknown', 'Whether requests fail cannot be told: there is no HTTP log.'],
  ['no HTTP log, but a crash', { sources: [], changes: [exit('02:16:00', 9)] }, 'failing', 'The worker crashed once in the last 5 minutes; no failed request was seen.'],
  ['no process of the site', { processes: [AGENT] }, 'stopped', 'The app is not running: no process of the site is there.'],
  ['stopped by rapid-fail', { rows: rows('02:14:00 GET / 200 30 x90\n02:18:00 GET / 503.0.0 1 x9'), changes: [exit('02:17:50', 9)] }, 'stopped', 'The app is stopped: the worker crashed once in the last 5 minutes.'],
  ['slow beside an hour ago', { rows: rows('02:14:00 GET / 200 4000 x90'), hourAgo: { 'http.response-p95': [300, 310, null] } }, 'slow', 'Requests are slow: 95 % took up to 4 s in the last 5 minutes, 305 ms an hour ago.'],
  ['always slow is not slow', { rows: rows('02:14:00 GET / 200 4000 x90'), hourAgo: { 'http.response-p95': [3900] } }, 'healthy', 'All 90 requests of the last 5 minutes were answered.'],
  ['who gives up soon is told, and the app is well', { rows: rows(`${HOUR_OF_CART}02:15:00 POST /cart 400.604.64 900 x30`) }, 'healthy', 'No request failed in the last 5 minutes; clients gave up 30 of 530.'],
  ['who gives up after far longer than the route takes was kept waiting', { rows: rows(`${HOUR_OF_CART}02:15:00 POST /cart 400.604.64 9000 x20`) }, 'slow', 'Requests are slow: clients gave up 20 of 520 in the last 5 minutes after waiting more than 3 times as long as their route usually takes.'],
  ['what is normal of a route is not known from a few', { rows: rows('02:14:00 GET / 200 30 x500\n02:15:00 POST /cart 400.604.64 9000 x20') }, 'healthy', 'No request failed in the last 5 minutes; clients gave up 20 of 520.'],
  ['slow by design: who leaves the long poll is no sign', { rows: rows('01:40:00 GET /poll 200 8000 x50\n02:00:00 GET /poll 200 8000 x50\n02:14:00 GET / 200 30 x500\n02:15:00 GET /poll 400.604.64 9000 x20') }, 'healthy', 'No request failed in the last 5 minutes; clients gave up 20 of 520.'],
  ['a few slow ones are luck', { rows: rows('02:14:00 GET / 200 9000 x9') }, 'healthy', 'All 9 requests of the last 5 minutes were answered.'],
];
for (const [name, scene, word, verdict] of sentences) {
  test(`verdict: ${name}`, async () => {
    const seen = await now(scene);
    assert.deepEqual([seen.health.word, seen.verdict], [word, verdict]);
  });
}

test('kept waiting beside failures: told apart from those who left soon, and their wait is in the percentile', async () => {
  const seen = await now({ rows: rows(`${HOUR_OF_CART}02:15:00 POST /cart 400.604.64 9000 x20\n02:15:30 GET / 400.604.64 5 x3\n02:16:00 GET / 500.0.0 5 x20`) });
  assert.deepEqual(seen.detail.slice(-2), ['20 clients gave up after waiting more than 3 times as long as their route usually takes.', '3 more were given up by the client.']);
  const slow = await now({ rows: rows(`${HOUR_OF_CART}02:15:00 POST /cart 400.604.64 9000 x50`) });
  assert.match(slow.verdict, /^Requests are slow: 95 % took up to 8.99 s/);
  assert.deepEqual(slow.detail, ['50 clients gave up after waiting more than 3 times as long as their route usually takes.']);
});

test('without an exception near the exits no cause is made up', async () => {
  const { detail } = await now({ ...BURST, errors: [{ ...thrown('err1'), text: uncaught() }] });
  assert.equal(detail[0], 'The log lines in memory hold no exception near the exits: Diagnose now reads all of them.');
});

test('no HTTP log says how to turn it on', async () => {
  assert.match((await now({ sources: [] })).detail[0] ?? '', /App Service logs, Web server logging/);
});

test('when the ring holds fewer rows than the history counted, the history counts', async () => {
  const seen = await now({ rows: rows('02:18:00 GET / 500.0.0 5 x10'), values: { 'http.requests': [500, 400], 'http.2xx': [480, 360], 'http.5xx': [20, 40] } });
  assert.equal(seen.verdict.startsWith('60 of 900 requests failed'), true, seen.verdict);
  assert.deepEqual(seen.strip.map((b) => [b.ok, b.failed]), [[480, 20], [360, 40]]);
});

test('five tiles with value, an hour ago and points; what was not measured is absent, not zero', async () => {
  const seen = await now({
    rows: rows('02:14:00 GET / 200 30 x9'),
    values: { 'http.requests': [4, 0, 5], 'http.response-average': [100, null, 10], 'site.cpu-time': [30_000, null, 30_000], 'site.working-set': [100, 200, null] },
    hourAgo: { 'http.requests': [3, 3, 3], 'site.cpu-time': [10, null, null] },
  });
  assert.deepEqual(seen.tiles.map((t) => [t.metric, t.value, t.hourAgo, t.note]), [
    ['http.requests', 9, 9, '0.03 per second'], ['http.response-average', 50, undefined, undefined], ['site.cpu-time', 60_000, undefined, '20 % of one core'],
    ['site.working-set', 200, undefined, 'at most 200 B in the window'], ['site.average-working-set', undefined, undefined, undefined],
  ]);
  assert.deepEqual(seen.tiles[1]?.points, [100, null, 10]);
});

test('hostile routes, titles and log lines reach the sentence as one safe line', async () => {
  for (const text of HOSTILE) {
    const seen = await now({ rows: rows('02:14:00 GET / 200 1 x5').concat(rows('02:14:07 GET /a 502.3.12030 5 x5').map((r) => ({ ...r, route: text, reason: text }))), changes: [{ ...exit('02:14:07', 4712), detail: text, title: text }, { ...DEPLOYED, title: text }] });
    for (const line of [seen.verdict, ...seen.detail, seen.health.reason]) {
      assert.doesNotMatch(line, /[\u0000-\u001f\u202e]/);
      assert.ok(line.length < 500, line.slice(0, 100));
    }
  }
});

test('what ended the worker is named by the id that the report has for it', () => {
  const exit = (more: object) => ({ at: at('02:14:07'), pid: 7, code: undefined, signal: undefined, planned: false, starting: false, from: 'changes' as const, ...more });
  const exception = (text: string) => ({ key: 'k', type: 'TypeError', message: 'x', place: 'lib/cart.js:41', frames: [], sample: { text, source: 'err', offset: 0, cursor: '', level: 'fatal' as const }, count: 1, fatal: 1, seen: [] });
  const story = (one: object, of?: ReturnType<typeof exception>): Parameters<typeof nowCause>[0] => { const crash = { exit: exit(one), exception: of, ended: [], refused: [] }; return { crashes: [crash], planned: [], culprits: [{ exception: of, crashes: [crash] }], explained: 0, trigger: undefined, inferred: false } as never; };
  const plain = exception(uncaught()), rejected = exception(`node:internal/process/promises:288\n            triggerUncaughtException(err, true /* fromPromise */);\n\n${uncaught()}`);
  const named = (one: object, of?: ReturnType<typeof exception>, lines: readonly { readonly text: string }[] = []) => nowCause(story(one, of), lines)?.id;
  assert.deepEqual([named({ code: 1 }, plain), named({ code: 1 }, rejected), named({ signal: 'SIGSEGV' }), named({ code: 134 }, plain), named({ signal: 'SIGKILL' }), named({ code: 1, starting: true }, plain), named({ code: 134 }, undefined, [{ text: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' }]), named({ code: 3 })],
    ['crash-uncaught-exception', 'crash-unhandled-rejection', 'crash-native', 'crash-uncaught-exception', 'out-of-memory-killed', 'startup-failure', 'heap-limit-reached', undefined]);
});
