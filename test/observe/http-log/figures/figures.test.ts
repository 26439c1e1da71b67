// Tests the figures of a log against an independent naive count, an exact sort and awk.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { TEXT_ROLES } from '../../../../src/observe/http-log/columns.ts';
import { FAILED_KEPT, Figures, SLOWEST_KEPT } from '../../../../src/observe/http-log/figures/figures.ts';
import type { FiguresOptions } from '../../../../src/observe/http-log/figures/figures.ts';
import { MAX_SLOTS } from '../../../../src/observe/http-log/figures/time-slots.ts';
import { iisW3c } from '../../../../src/observe/http-log/w3c.ts';
import { HttpReport } from '../../../../src/shared/http-report.ts';
import { HEAD, makeLog, readNaively, row } from '../support.ts';
import type { NaiveRow } from '../support.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);
const ROWS = 6_000;
const LOG = makeLog({ seed: 42, rows: ROWS, from: FROM });
const NAIVE = readNaively(LOG);
const OURS = NAIVE.rows.filter((one) => !one.site.startsWith('~1'));
const TO = FROM + 3_600_000;

function fold(log: string | readonly string[], options: FiguresOptions = { from: FROM, to: TO }, source = 's'): HttpReport {
  const figures = new Figures(options);
  const reader = iisW3c.reader({ sink: (columns) => figures.add(columns, 0) });
  for (const piece of typeof log === 'string' ? [log] : log) reader.write(Buffer.from(piece));
  reader.end();
  return HttpReport.parse(figures.report([{ source, format: iisW3c.id, confidence: 1, ...reader.counts, malformedAt: [...reader.malformedAt] }]));
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
  const report = fold(LOG);
  assert.equal(report.lines, report.rows + report.comments + report.malformed + report.leftOut + report.outside + report.filteredOut);
  assert.deepEqual([report.lines, report.rows, report.malformed, report.leftOut], [NAIVE.lines, OURS.length, NAIVE.malformed, NAIVE.rows.length - OURS.length]);
  const byStatus = countBy(OURS, (one) => one.key);
  assert.deepEqual(new Map(Object.entries(report.byStatus)), new Map([...byStatus].map(([key, rows]) => [key, rows.length])));
  for (const { key, firstAt, lastAt } of report.statuses) assert.deepEqual([firstAt, lastAt], [Math.min(...(byStatus.get(key) ?? []).map((one) => one.at)), Math.max(...(byStatus.get(key) ?? []).map((one) => one.at))]);
  const byRoute = countBy(OURS, (one) => `${one.method} ${folded(one.path)}`);
  assert.deepEqual(new Map(report.routes.map((one) => [`${one.method} ${one.route}`, [one.count, one.failures, one.clientErrors, one.max]])),
    new Map([...byRoute].map(([key, rows]) => [key, [rows.length, rows.filter((one) => one.status >= 500).length, rows.filter((one) => one.status >= 400 && one.status < 500).length, Math.max(...takenOf(rows))]])));
  assert.deepEqual(new Map(report.clients.top.map((one) => [one.name, one.count])), new Map([...countBy(OURS, (one) => one.client)].map(([key, rows]) => [key, rows.length])));
  const byMinute = countBy(OURS, (one) => String(Math.floor(one.at / 60_000) * 60_000));
  assert.deepEqual(report.minutes.filter((one) => one.count > 0).map((one) => [one.at, one.count]), [...byMinute].map(([at, rows]) => [Number(at), rows.length]));
  assert.deepEqual(report.minutes.length, 61, 'minutes without a row are there, with 0');
});

test('quantiles are within 0.5 % of an exact sort', () => {
  const report = fold(LOG);
  for (const route of report.routes) {
    const values = takenOf(OURS.filter((one) => one.method === route.method && folded(one.path) === route.route));
    near(route.p50, values, 0.5);
    near(route.p95, values, 0.95);
    near(route.p99, values, 0.99);
  }
  for (const minute of report.minutes.filter((one) => one.count > 0)) near(minute.p95, takenOf(OURS.filter((one) => Math.floor(one.at / 60_000) * 60_000 === minute.at)), 0.95);
  near(report.total.p99, takenOf(OURS), 0.99);
});

test('counts by status equal awk', { skip: spawnSync('awk', ['--version']).error !== undefined && 'no awk on this machine' }, () => {
  const clean = makeLog({ seed: 5, rows: 3_000, from: FROM, damaged: false, eol: '\n' });
  const awk = spawnSync('awk', ['!/^#/ && $3 !~ /^~1/ { n[$14 "." $15 "." $16]++ } END { for (k in n) print k, n[k] }'], { input: clean, encoding: 'utf8' });
  assert.equal(awk.status, 0, awk.stderr);
  const want = Object.fromEntries(awk.stdout.trim().split('\n').map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
  assert.deepEqual(fold(clean, {}).byStatus, want);
});

test('the slowest and the newest failed rows are the right ones, in order', () => {
  const offsets: number[] = [];
  const report = fold(LOG, { onRows: (columns, rows, count) => { for (let i = 0; i < count; i += 1) offsets.push(columns.offset[rows[i] ?? 0] ?? -1); } });
  assert.deepEqual(report.slowest.map((one) => one.takenMs), takenOf(OURS).sort((a, b) => b - a).slice(0, SLOWEST_KEPT));
  const newest = OURS.filter((one) => one.status >= 500).sort((a, b) => b.at - a.at || b.offset - a.offset).slice(0, FAILED_KEPT);
  assert.deepEqual(report.failed.map((one) => one.offset), newest.map((one) => one.offset));
  assert.deepEqual(offsets, OURS.map((one) => one.offset));
  assert.deepEqual(fold(LOG, { keepFailed: 3 }).failed.map((one) => one.offset), newest.slice(0, 3).map((one) => one.offset));
  assert.deepEqual(fold(LOG, { keepFailed: 0 }).failed, []);
});

test('the window takes both ends; what lies outside and what a filter refuses is counted', () => {
  const from = FROM + 60_000, to = FROM + 120_000;
  const report = fold(LOG, { from, to, select: (columns, at) => (columns.status[at] ?? 0) >= 500 });
  const inside = OURS.filter((one) => one.at >= from && one.at <= to);
  assert.deepEqual([report.rows, report.filteredOut], [inside.filter((one) => one.status >= 500).length, inside.filter((one) => one.status < 500).length]);
  assert.equal(report.outside, NAIVE.rows.filter((one) => one.at < from || one.at > to).length);
  assert.equal(report.lines, report.rows + report.comments + report.malformed + report.leftOut + report.outside + report.filteredOut);
});

test('a kept row is a request: secrets masked, log id off, plus is a space, code in words, instance from the name of its file', () => {
  const line = row({ at: FROM, method: 'POST', path: '/api/orders/17', query: 'token=hunter2&a=1&X-ARR-LOG-ID=0d3f5c0e-1111-2222-3333-444455556666', agent: 'Mozilla/5.0+(X11)', status: 502, sub: 3, win32: 12030, taken: 812 });
  const [one] = fold(`${HEAD}\n${line}\n`, {}, '3f2a9c-202611210100.log').failed;
  assert.deepEqual({ ...one, query: '', reason: '' }, { at: FROM, method: 'POST', path: '/api/orders/17', query: '', route: '/api/orders/{id}', status: 502, sub: 3, win32: 12030, takenMs: 812, instance: '3f2a9c',
    sentBytes: 1_000, receivedBytes: 500, client: '10.0.0.1', userAgent: 'Mozilla/5.0 (X11)', host: 'shop.example', reason: '', source: '3f2a9c-202611210100.log', offset: Buffer.byteLength(HEAD) + 1 });
  assert.match(one?.reason ?? '', /connection ended/);
  assert.ok(one?.query !== undefined && !one.query.includes('hunter2') && one.query.includes('a=1') && !one.query.includes('ARR-LOG'), one?.query);
  const bare = fold('#Fields: date time sc-status cs-uri-query\n2026-11-21 01:00:00 500 X-ARR-LOG-ID=0d3f5c0e-1111-2222-3333-444455556666\n', {}).failed;
  assert.deepEqual(bare, [{ at: FROM, method: '-', path: '/', route: '/', status: 500, source: 's', offset: 42 }], 'what the log does not have is absent, not zero');
});

test('own requests and the SCM site are left out and counted, unless everything is asked for', () => {
  const log = [HEAD, row({ at: FROM, agent: 'app-service-diag/0.1' }), row({ at: FROM, site: '~1SHOP' }), row({ at: FROM }), ''].join('\n');
  const { rows, leftOut } = fold(log);
  assert.deepEqual([rows, leftOut], [1, 2]);
  assert.equal(fold(log, { everything: true }).rows, 3);
});

test('nothing read is a report too', () => {
  const report = fold('');
  assert.deepEqual([report.rows, report.minutes, report.total, report.bursts, report.heat.rows, report.from, report.to], [0, [], {}, [], [], FROM, TO]);
  assert.deepEqual([fold('', {}).from, fold('', {}).to], [0, 0]);
});

test('beyond a day the steps of time grow and nothing is lost', () => {
  const lines = [HEAD];
  for (let i = 0; i < 5_000; i += 1) lines.push(row({ at: FROM + i * 60_000, taken: i % 100, status: i % 7 === 0 ? 503 : 200 }));
  const report = fold(lines.join('\n'), { from: FROM, to: FROM + 5_000 * 60_000 });
  assert.ok(report.minutes.length <= MAX_SLOTS);
  assert.equal(report.minutes.reduce((sum, one) => sum + one.count, 0), 5_000);
  assert.equal((report.minutes[1]?.at ?? 0) - (report.minutes[0]?.at ?? 0), 300_000);
  assert.equal(report.stepMs, 300_000);
  assert.equal(report.heat.rows.reduce((sum, one) => sum + one.counts.reduce((a, b) => a + b, 0), 0), report.failures);
});

test('every text role may be empty, invalid or 100 KB long', () => {
  const long = 'x'.repeat(100_000);
  for (const value of [long, `/${long}`, '/\u00e4\u20ac', '%', '/%zz', '*', '//', `/${'a/'.repeat(5_000)}`]) {
    const report = fold(`${HEAD}\n${row({ at: FROM, path: value, agent: value.replaceAll(' ', '+'), client: value, status: 500 })}\n`, {});
    assert.equal(report.rows + report.malformed, 1, value.slice(0, 20));
    assert.ok(JSON.stringify(report).length < 60_000, `${JSON.stringify(report).length}`);
  }
  assert.equal(TEXT_ROLES.length, 9);
});
