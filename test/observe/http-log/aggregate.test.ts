// Tests the figures of a log against an independent naive count, an exact sort and awk.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { FAILED_KEPT, SLOWEST_KEPT, httpLogFold } from '../../../src/observe/http-log/aggregate.ts';
import { MAX_CLIENTS, MAX_ROUTES, MAX_SLOTS, OTHER_CLIENTS } from '../../../src/observe/http-log/tables.ts';
import type { HttpSummary, RequestRow } from '../../../src/shared/model.ts';
import { HEAD, makeLog, readNaively, row } from './support.ts';
import type { NaiveRow } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);
const ROWS = 6_000;
const LOG = makeLog({ seed: 42, rows: ROWS, from: FROM });
const NAIVE = readNaively(LOG);
const OURS = NAIVE.rows.filter((one) => !one.site.startsWith('~1'));
const TO = FROM + 3_600_000;

function fold(log: string | readonly string[], options: Parameters<typeof httpLogFold>[0] = { source: 's' }): { summary: HttpSummary; counts: ReturnType<typeof httpLogFold>['counts'] } {
  const one = httpLogFold(options);
  for (const piece of typeof log === 'string' ? [log] : log) one.write(Buffer.from(piece));
  one.end();
  return { summary: one.summary(options.from ?? FROM, options.to ?? TO), counts: one.counts };
}

function countBy(rows: readonly NaiveRow[], key: (one: NaiveRow) => string): Map<string, NaiveRow[]> {
  const groups = new Map<string, NaiveRow[]>();
  for (const one of rows) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}

/** Nearest rank of the sorted values. */
function exact(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? NaN;
}

function near(found: number | undefined, values: readonly number[], share: number): void {
  const want = exact(values, share);
  assert.ok(found !== undefined && Math.abs(found - want) <= want * 0.005 + 0.051, `p${share * 100}: ${found} is not within 0.5 % of ${want}`);
}

const takenOf = (rows: readonly NaiveRow[]): number[] => rows.flatMap((one) => one.taken === undefined ? [] : [one.taken]);
const folded = (path: string): string => path.replace(/\/\d+$/, '/{id}');

test('counts by line, status, route, client and minute equal a naive count', () => {
  const { summary, counts } = fold(LOG);
  assert.equal(counts.lines, counts.rows + counts.comments + counts.malformed + counts.leftOut + counts.outside);
  assert.deepEqual([summary.lines, summary.rows, summary.malformed, summary.leftOut], [NAIVE.lines, OURS.length, NAIVE.malformed, NAIVE.rows.length - OURS.length]);
  const byStatus = countBy(OURS, (one) => one.key);
  assert.deepEqual(new Map(summary.byStatus.map((one) => [one.key, one.count])), new Map([...byStatus].map(([key, rows]) => [key, rows.length])));
  const byRoute = countBy(OURS, (one) => `${one.method} ${folded(one.path)}`);
  assert.deepEqual(new Map(summary.routes.map((one) => [`${one.method} ${one.route}`, [one.count, one.failures, one.max]])),
    new Map([...byRoute].map(([key, rows]) => [key, [rows.length, rows.filter((one) => one.status >= 500).length, Math.max(...takenOf(rows))]])));
  assert.deepEqual(new Map(summary.clients.map((one) => [one.client, one.count])), new Map([...countBy(OURS, (one) => one.client)].map(([key, rows]) => [key, rows.length])));
  const byMinute = countBy(OURS, (one) => String(Math.floor(one.at / 60_000) * 60_000));
  assert.deepEqual(summary.minutes.filter((one) => one.count > 0).map((one) => [one.at, one.count]), [...byMinute].map(([at, rows]) => [Number(at), rows.length]));
  assert.deepEqual(summary.minutes.length, 61, 'minutes without a row are there, with 0');
});

test('quantiles are within 0.5 % of an exact sort', () => {
  const { summary } = fold(LOG);
  for (const route of summary.routes) {
    const values = takenOf(OURS.filter((one) => one.method === route.method && folded(one.path) === route.route));
    near(route.p50, values, 0.5);
    near(route.p95, values, 0.95);
    near(route.p99, values, 0.99);
  }
  for (const minute of summary.minutes.filter((one) => one.count > 0)) near(minute.p95, takenOf(OURS.filter((one) => Math.floor(one.at / 60_000) * 60_000 === minute.at)), 0.95);
});

test('counts by status equal awk', { skip: spawnSync('awk', ['--version']).error !== undefined && 'no awk on this machine' }, () => {
  const clean = makeLog({ seed: 5, rows: 3_000, from: FROM, damaged: false, eol: '\n' });
  const awk = spawnSync('awk', ['!/^#/ && $3 !~ /^~1/ { n[$14 "." $15 "." $16]++ } END { for (k in n) print k, n[k] }'], { input: clean, encoding: 'utf8' });
  assert.equal(awk.status, 0, awk.stderr);
  const want = Object.fromEntries(awk.stdout.trim().split('\n').map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
  assert.deepEqual(Object.fromEntries(fold(clean).summary.byStatus.map((one) => [one.key, one.count])), want);
});

test('the slowest and the newest failed rows are the right ones, in order', () => {
  const rows: RequestRow[] = [];
  const { summary } = fold(LOG, { source: 's', onRow: (one) => rows.push(one) });
  assert.deepEqual(summary.slowest.map((one) => one.takenMs), takenOf(OURS).sort((a, b) => b - a).slice(0, SLOWEST_KEPT));
  const newest = OURS.filter((one) => one.status >= 500).sort((a, b) => b.at - a.at || b.offset - a.offset).slice(0, FAILED_KEPT);
  assert.deepEqual(summary.failed.map((one) => one.offset), newest.map((one) => one.offset));
  assert.deepEqual(rows.map((one) => one.offset), OURS.map((one) => one.offset));
  assert.deepEqual(fold(LOG, { source: 's', keep: 3 }).summary.failed.map((one) => one.offset), newest.slice(0, 3).map((one) => one.offset));
});

test('the window takes both ends; what lies outside is counted', () => {
  const from = FROM + 60_000, to = FROM + 120_000;
  const { summary, counts } = fold(LOG, { source: 's', from, to });
  assert.equal(summary.rows, OURS.filter((one) => one.at >= from && one.at <= to).length);
  assert.equal(counts.outside, NAIVE.rows.filter((one) => one.at < from || one.at > to).length);
});

test('a row becomes a request: secrets masked, log id off, plus is a space, code in words', () => {
  const rows: RequestRow[] = [];
  const line = row({ at: FROM, method: 'POST', path: '/api/orders/17', query: 'token=hunter2&a=1&X-ARR-LOG-ID=0d3f5c0e-1111-2222-3333-444455556666', agent: 'Mozilla/5.0+(X11)', status: 502, sub: 3, win32: 12030, taken: 812 });
  fold(`${HEAD}\n${line}\n`, { source: 'http-1', onRow: (one) => rows.push(one) });
  const [one] = rows;
  assert.deepEqual({ ...one, query: '', reason: '' }, { at: FROM, method: 'POST', path: '/api/orders/17', query: '', route: '/api/orders/{id}', status: 502, sub: 3, win32: 12030, takenMs: 812,
    sentBytes: 1_000, receivedBytes: 500, client: '10.0.0.1', userAgent: 'Mozilla/5.0 (X11)', host: 'shop.example', reason: '', source: 'http-1', offset: Buffer.byteLength(HEAD) + 1 });
  assert.match(one?.reason ?? '', /connection ended/);
  assert.ok(one?.query !== undefined && !one.query.includes('hunter2') && one.query.includes('a=1') && !one.query.includes('ARR-LOG'), one?.query);
  const bare: RequestRow[] = [];
  fold('#Fields: date time sc-status cs-uri-query\n2026-11-21 01:00:00 200 X-ARR-LOG-ID=0d3f5c0e-1111-2222-3333-444455556666\n', { source: 's', onRow: (each) => bare.push(each) });
  assert.deepEqual(bare, [{ at: FROM, method: '-', path: '/', route: '/', status: 200, source: 's', offset: 42 }], 'what the log does not have is absent, not zero');
});

test('own requests are left out and counted', () => {
  const { summary } = fold([HEAD, row({ at: FROM, agent: 'app-service-diag/0.1' }), row({ at: FROM })].join('\n'));
  assert.deepEqual([summary.rows, summary.leftOut], [1, 1]);
});

test('tables are bounded; what is beyond the bound is counted', () => {
  const lines = [HEAD];
  for (let i = 0; i < MAX_ROUTES + 500; i += 1) lines.push(row({ at: FROM, path: `/p/${name(i)}`, client: `10.${i >> 16}.${i >> 8 & 255}.${i & 255}`, status: 500, sub: i % 700, win32: i }));
  const { summary } = fold(lines.join('\n'));
  const told = (counts: readonly { count: number }[]): number => counts.reduce((sum, one) => sum + one.count, 0);
  assert.equal(told(summary.routes) + summary.otherRoutes, MAX_ROUTES + 500);
  assert.equal(told(summary.byStatus), MAX_ROUTES + 500);
  assert.ok(summary.byStatus.length <= 501 && summary.routes.length <= 1_000 && summary.clients.length <= 200);
  assert.equal(summary.clients[0]?.client, OTHER_CLIENTS);
  assert.equal(summary.clients[0]?.count, MAX_ROUTES + 500 - MAX_CLIENTS);
});

test('beyond a day the grain of the time table grows and nothing is lost', () => {
  const lines = [HEAD];
  for (let i = 0; i < 5_000; i += 1) lines.push(row({ at: FROM + i * 60_000, taken: i % 100 }));
  const { summary } = fold(lines.join('\n'), { source: 's', from: FROM, to: FROM + 5_000 * 60_000 });
  assert.ok(summary.minutes.length <= MAX_SLOTS);
  assert.equal(summary.minutes.reduce((sum, one) => sum + one.count, 0), 5_000);
  assert.equal((summary.minutes[1]?.at ?? 0) - (summary.minutes[0]?.at ?? 0), 300_000);
});

/** Words that no rule folds. */
function name(i: number): string {
  return String(i).replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));
}
