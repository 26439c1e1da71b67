// Tests when failures are a burst and what they share, and when rows stand at a limit of time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Figures } from '../../../../src/observe/http-log/figures/figures.ts';
import { HttpReport } from '../../../../src/shared/http-report.ts';
import { seeded } from '../support.ts';
import { hashed } from './random-rows.ts';
import type { Row } from './random-rows.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);
const MINUTE = 60_000;

function report(rows: readonly Row[]): HttpReport {
  const figures = new Figures();
  for (let at = 0; at < rows.length; at += 2_000) figures.add(hashed(rows.slice(at, at + 2_000)), at % 4_000 === 0 ? 0 : 1);
  return HttpReport.parse(figures.report(['3f2a9c-202611210100.log', '77aa01-202611210100.log'].map((source) => ({ source, format: 'iis-w3c', confidence: 1, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0, malformedAt: [] }))));
}

interface Traffic { readonly minutes: number; readonly perMinute: number; readonly usual: number; failing?(minute: number, row: number): Partial<Row> | undefined }

/** Even traffic over ten routes, of which a share fails by chance, and what else fails. */
function traffic({ minutes, perMinute, usual, failing }: Traffic, seed = 1): Row[] {
  const next = seeded(seed);
  return Array.from({ length: minutes * perMinute }, (_, i): Row => {
    const minute = Math.floor(i / perMinute), row = i % perMinute;
    const path = `/${'abcdefghij'[row % 10]}`;
    return { at: FROM + minute * MINUTE + Math.floor(row * 60 / perMinute) * 1_000, offset: i * 200, status: next() < usual ? 500 : 200, sub: 0, win32: 0, taken: 20 + row % 50, sent: 100, method: 'GET', path, client: `10.0.0.${row % 30}`, host: 'shop.example', ...failing?.(minute, row) };
  });
}

test('steady failures of one in a hundred are no burst, whatever chance does', () => {
  for (let seed = 1; seed <= 5; seed += 1) assert.deepEqual(report(traffic({ minutes: 600, perMinute: 40, usual: 0.01 }, seed)).bursts, []);
});

test('a burst is told from its first to its last failure, with what the failed rows share', () => {
  const rows = traffic({ minutes: 120, perMinute: 200, usual: 0.005, failing: (minute, row) => (minute >= 40 && minute < 45 && row % 10 === 3 ? { status: 502, sub: 3, win32: 12_030 } : undefined) });
  const found = report(rows);
  assert.equal(found.bursts.length, 1);
  const [burst] = found.bursts;
  assert.ok(burst !== undefined && burst.from >= FROM + 40 * MINUTE && burst.from < FROM + 40 * MINUTE + 5_000 && burst.to >= FROM + 45 * MINUTE - 5_000 && burst.to < FROM + 45 * MINUTE, JSON.stringify(burst));
  assert.equal(burst.failures, rows.filter((row) => row.status >= 500 && row.at >= FROM + 40 * MINUTE && row.at < FROM + 45 * MINUTE).length);
  assert.deepEqual([burst.rows, burst.key], [1_000, '502.3.12030']);
  const share = (dimension: string): { value: string; share: number; ofAll: number } | undefined => burst.shares.find((one) => one.dimension === dimension);
  assert.equal(share('route')?.value, 'GET /d');
  assert.ok((share('route')?.share ?? 0) > 0.9 && Math.abs((share('route')?.ofAll ?? 1) - 0.1) < 0.08, JSON.stringify(burst.shares));
  assert.equal(share('status')?.value, '502.3.12030');
  assert.equal(share('host'), undefined, 'all rows have that host');
  assert.equal(burst.shares[0]?.dimension === 'route' || burst.shares[0]?.dimension === 'status', true);
});

test('a quiet site\'s outage is one burst, shares told exactly; failing all the time is one too', () => {
  const quiet = report(traffic({ minutes: 300, perMinute: 2, usual: 0, failing: (minute) => (minute >= 100 && minute < 130 ? { status: 503, sub: 0, win32: 0 } : undefined) }));
  assert.equal(quiet.bursts.length, 1);
  assert.deepEqual([quiet.bursts[0]?.failures, quiet.bursts[0]?.rows, quiet.bursts[0]?.sampled, quiet.bursts[0]?.from], [60, 60, undefined, FROM + 100 * MINUTE]);
  const always = report(traffic({ minutes: 60, perMinute: 20, usual: 0, failing: () => ({ status: 500 }) }));
  assert.deepEqual(always.bursts.map((one) => [one.from, one.failures]), [[FROM, 1_200]]);
});

test('two bursts far apart are two, the larger first', () => {
  const found = report(traffic({ minutes: 200, perMinute: 50, usual: 0, failing: (minute, row) => (minute === 20 && row < 20 ? { status: 500 } : minute >= 150 && minute < 160 ? { status: 503 } : undefined) })).bursts;
  assert.deepEqual(found.map((one) => [one.from, one.failures]), [[FROM + 150 * MINUTE, 500], [FROM + 20 * MINUTE, 20]]);
});

test('rows at a limit of time stand out from those around it; times that only pass it do not', () => {
  const next = seeded(8);
  const slow = (share: (row: number) => number): Row[] => traffic({ minutes: 100, perMinute: 40, usual: 0, failing: (_, row) => { const taken = share(row); return taken > 0 ? { taken, status: taken > 200_000 ? 500 : 200 } : undefined; } });
  const at230 = report(slow((row) => (row === 7 ? 230_000 + Math.floor(next() * 900) : row === 8 ? 30_000 + Math.floor(next() * 300_000) : 0)));
  assert.deepEqual(at230.limits.map((one) => one.limitMs), [230_000]);
  const [limit] = at230.limits;
  assert.ok(limit !== undefined && limit.count >= 100 && limit.count <= 106 && limit.failures >= 100 && limit.from >= FROM && limit.routes[0]?.route === '/h' && /front end/.test(limit.says), JSON.stringify(limit));
  assert.deepEqual(report(slow((row) => (row < 8 ? 30_000 + Math.floor(next() * 300_000) : 0))).limits, [], 'even over all times');
  assert.deepEqual(report(traffic({ minutes: 10, perMinute: 40, usual: 0, failing: (_, row) => (row === 1 ? { taken: 60_010, status: 101 } : undefined) })).limits, [], 'web sockets end when they end');
});
