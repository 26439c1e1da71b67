// Owns the proof that slow requests are judged by their own times, and that traffic is told without a judgement.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpSlow } from '../../../src/analyze/analyzers/http-slow.ts';
import { httpTraffic } from '../../../src/analyze/analyzers/http-traffic.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { Finding } from '../../../src/shared/model.ts';
import { FIELDS, WINDOW, at, given, httpLog, never, reader } from '../artifacts.ts';

const run = async (analyzer: typeof httpSlow, ...readers: ArtifactReader[]): Promise<readonly Finding[]> =>
  (await analyzer.analyze(given(...readers), { window: WINDOW }, never)).map((f) => Finding.parse(f));

test('quick requests are good, with the slowest and the percentile in the title', async () => {
  const [found, ...rest] = await run(httpSlow, httpLog('02:11:00 GET / 200 34 x99\n02:12:00 GET /export 200 4100'));
  assert.deepEqual(rest, []);
  assert.deepEqual([found?.id, found?.severity, found?.title], ['http-times', 'good', 'The slowest of 100 requests took 4.1 s; 95 % took at most 34 ms']);
});

test('many slow requests are a warning that names the slowest route and lists routes by p95', async () => {
  const [found] = await run(httpSlow, httpLog('02:11:00 GET / 200 34 x90\n02:12:00 GET /export/17 200 9000 x6\n02:13:00 GET /export/18 200 12000 x4'));
  assert.equal(found?.id, 'http-slow-requests');
  assert.equal(found?.severity, 'warning');
  assert.equal(found?.title, '10 requests took longer than 5 s, 10 % of 100');
  assert.match(found?.why ?? '', /The slowest route is GET \/export\/\{id\}: p95 12 s/);
  const routes = found?.evidence[0];
  assert.deepEqual(routes?.kind === 'table' && routes.rows.map((r) => [r[0], r[1], r[6]]), [['GET /export/{id}', 10, 12_000], ['GET /', 90, 34]]);
  const slowest = found?.evidence[1];
  assert.deepEqual(slowest?.kind === 'table' && slowest.rows[0], [at('02:13:00'), 'GET /export/18', '200.0', 12_000, '203.0.113.7']);
});

test('a WebSocket that was open for an hour is not slow', async () => {
  const [found] = await run(httpSlow, httpLog('02:11:00 GET / 200 34 x20\n02:12:00 GET /ws 101 3600000 x10'));
  assert.equal(found?.title, 'The slowest of 20 requests took 34 ms; 95 % took at most 34 ms');
});

test('a log without time-taken cannot tell; a log without rows is left to the failures analyzer', async () => {
  const bare = `${FIELDS.replace(' time-taken', '')}\n2026-11-21 02:14:00 CONTOSO GET / - 443 - 1.2.3.4 - - - h 200 0 0 1 1\n`;
  assert.deepEqual((await run(httpSlow, reader('http-log', 'x.log', bare))).map((f) => [f.id, f.severity]), [['http-no-times', 'cannot-tell']]);
  assert.deepEqual(await run(httpSlow, reader('http-log', 'x.log', '')), []);
  assert.deepEqual(await run(httpTraffic, reader('http-log', 'x.log', '')), []);
});

test('traffic says how much, by status, by route and who, and judges nothing', async () => {
  const [found, ...rest] = await run(httpTraffic, httpLog('02:11:00 GET / 200 34 x80\n02:12:00 GET /a 404 3 x10\n02:13:00 GET / 502.3.12030 9 x10'));
  assert.deepEqual(rest, []);
  assert.deepEqual([found?.severity, found?.title], ['info', '100 requests in 15 min, 0.11 per second']);
  const [statuses, routes, who, series] = found?.evidence ?? [];
  assert.deepEqual(statuses?.kind === 'table' && statuses.rows.map((r) => [r[0], r[1], r[2]]), [['200.0', 80, 80], ['404.0', 10, 10], ['502.3 · 12030', 10, 10]]);
  assert.deepEqual(routes?.kind === 'table' && routes.rows.map((r) => r.slice(0, 3)), [['GET /', 90, 10], ['GET /a', 10, 0]]);
  assert.deepEqual(who?.kind === 'table' && who.rows, [['203.0.113.7', 100, 10]]);
  assert.equal(series?.kind === 'series' && series.points.reduce((n, [, v]) => n + (v ?? 0), 0), 100);
});
