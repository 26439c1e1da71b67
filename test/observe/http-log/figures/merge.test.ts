// Tests the figures on random rows: merging any parts in any order is the same as counting all in one, and both equal a plain count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABSENT, hashOf, newColumns } from '../../../../src/observe/http-log/columns.ts';
import { agentFamily } from '../../../../src/observe/http-log/figures/agent-family.ts';
import { Figures } from '../../../../src/observe/http-log/figures/figures.ts';
import { transferables } from '../../../../src/observe/http-log/figures/transferables.ts';
import type { FiguresOptions } from '../../../../src/observe/http-log/figures/figures.ts';
import { printable } from '../../../../src/observe/http-log/figures/routes.ts';
import { routeOf } from '../../../../src/observe/http-log/route.ts';
import { HttpReport } from '../../../../src/shared/http-report.ts';
import type { HttpSource } from '../../../../src/shared/http-report.ts';
import { seeded } from '../support.ts';
import { hashed, randomRows } from './random-rows.ts';
import type { Row } from './random-rows.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);
const SOURCES: HttpSource[] = ['3f2a9c-202611210100.log', '77aa01-202611210100.log', '3f2a9c-202611210200.log'].map((source) => ({ source, format: 'iis-w3c', confidence: 1, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0, malformedAt: [] }));

interface Part { readonly rows: readonly Row[]; readonly source: number }

/** Rows cut into batches of random sizes, each of a source. */
function cut(rows: readonly Row[], next: () => number): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < rows.length;) {
    const size = 1 + Math.floor(next() * 700);
    parts.push({ rows: rows.slice(at, at + size), source: Math.floor(next() * SOURCES.length) });
    at += size;
  }
  return parts;
}

function counted(parts: readonly Part[], options: FiguresOptions): Figures {
  const figures = new Figures(options);
  for (const { rows, source } of parts) figures.add(hashed(rows), source);
  return figures;
}

const shapes = { 'an hour': { rows: 6_000, spanMs: 3_600_000 }, 'three days, so longer steps': { rows: 5_000, spanMs: 3 * 86_400_000 }, 'many paths and clients': { rows: 5_000, paths: 600, clients: 3_000 } };
for (const [name, shape] of Object.entries(shapes)) {
  test(`merging is the same as counting all in one, in any order: ${name}`, () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const next = seeded(seed * 77);
      const parts = cut(randomRows({ seed, from: FROM, ...shape }), next);
      const options: FiguresOptions = { keepFailed: 60, ...(seed % 2 ? {} : { from: FROM + 600_000, to: FROM + 3_000_000 }) };
      const whole = HttpReport.parse(counted(parts, options).report(SOURCES));
      assert.ok(whole.failures > 0 && whole.routes.length > 0);
      for (const readers of [2, 3, 7]) {
        const shares: Part[][] = Array.from({ length: readers }, () => []);
        for (const part of parts) shares[Math.floor(next() * readers)]?.push(part);
        const states = shares.map((share) => counted(share, options).state()).sort(() => next() - 0.5);
        const merged = new Figures(options);
        for (const state of states) merged.merge(structuredClone(state, { transfer: transferables(state) }));
        assert.deepEqual(merged.report(SOURCES), whole, `${readers} readers, seed ${seed}`);
        const twice = new Figures(options);
        twice.merge(merged.state());
        assert.deepEqual(twice.report(SOURCES), whole, 'a merged state is a state');
      }
    }
  });
}

test('which readers read which of thousands of failing routes makes no difference: the heat map has each with all its failures', () => {
  const next = seeded(31);
  const failing = 3_000, statuses = [500, 502, 503];
  const rows = Array.from({ length: 16_000 }, (_, i): Row => {
    const place = next() < 0.2 ? Math.floor(next() * 80) : Math.floor(next() * failing);
    return { at: FROM + i * 1_000, offset: i * 300, status: statuses[Math.floor(next() * 3)] ?? 500, sub: 0, win32: 0, taken: 10, sent: 10, method: 'GET', path: `/${'abcdefghij'[place % 10]}/page${'abcdefghij'.split('').map((letter, k) => (place >> k & 1 ? letter : '')).join('')}/${'xyz'[Math.floor(place / 1_024)]}`, client: '10.0.0.1', host: 'shop.example', site: 'SHOP' };
  });
  const parts = cut(rows, next);
  const whole = HttpReport.parse(counted(parts, {}).report(SOURCES));
  const wanted = [...plain(rows, (row) => `${row.status}.0.0 ${text(row.path)}`)].map(([name, [count]]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  assert.ok(wanted.length > 5_000, `${wanted.length} pairs fail`);
  assert.deepEqual(whole.heat.rows.map(({ key, route, count }) => ({ name: `${key} ${route}`, count })), wanted.slice(0, whole.heat.rows.length));
  assert.equal(whole.heat.more, wanted.length - whole.heat.rows.length);
  for (const one of whole.heat.rows) assert.equal(one.counts.reduce((a, b) => a + b, 0), one.count);
  for (const readers of [2, 3]) {
    const shares: Part[][] = Array.from({ length: readers }, () => []);
    for (const part of parts) shares[Math.floor(next() * readers)]?.push(part);
    const merged = new Figures({});
    for (const share of shares) merged.merge(counted(share, {}).state());
    assert.deepEqual(merged.report(SOURCES), whole, `${readers} readers`);
  }
});

test('sources of another numbering are merged by their new numbers', () => {
  const rows = randomRows({ seed: 3, rows: 500, from: FROM });
  const here = counted([{ rows, source: 0 }], {}), there = counted([{ rows, source: 0 }], {});
  here.merge(there.state(), () => 1);
  const report = here.report(SOURCES);
  assert.deepEqual(report.instances.top.map((one) => [one.name, one.count]).sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)), [['3f2a9c', 500], ['77aa01', 500]]);
  assert.equal(report.rows, 1_000);
  assert.deepEqual(new Set(report.failed.map((one) => one.source)), new Set(SOURCES.slice(0, 2).map((one) => one.source)));
});

/** Values by key, as [rows, failures]. */
function plain(rows: readonly Row[], key: (row: Row) => string | undefined): Map<string, [number, number]> {
  const found = new Map<string, [number, number]>();
  for (const row of rows) {
    const name = key(row);
    if (name === undefined) continue;
    const [count, failures] = found.get(name) ?? [0, 0];
    found.set(name, [count + 1, failures + (row.status >= 500 ? 1 : 0)]);
  }
  return found;
}
const told = (groups: HttpReport['hosts']): Map<string, [number, number]> => new Map(groups.top.map((one) => [one.name, [one.count, one.failures]]));
const text = (value: string | Uint8Array | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

test('every group equals a plain count; quantiles are within 0.5 % of an exact sort, fractions of a ms too', () => {
  const next = seeded(99);
  const rows = randomRows({ seed: 21, rows: 8_000, from: FROM }).map((row, i) => (row.taken === ABSENT ? row : { ...row, taken: i % 3 === 0 ? row.taken + Math.round(next() * 1_000) / 1_000 : i % 50 === 0 ? next() : row.taken }));
  const report = counted(cut(rows, next).map((part) => ({ ...part, source: 0 })), {}).report(SOURCES);
  assert.deepEqual(told(report.hosts), plain(rows, (row) => text(row.host)?.toLowerCase()));
  assert.deepEqual(told(report.clients), plain(rows, (row) => text(row.client)));
  assert.deepEqual(told(report.methods), plain(rows, (row) => text(row.method) ?? '-'));
  assert.deepEqual(told(report.agents), plain(rows, (row) => (row.agent === undefined ? undefined : agentFamily(text(row.agent) ?? ''))));
  assert.deepEqual(told(report.referrers), plain(rows, (row) => text(row.referrer)?.replace(/^https:\/\/([^/]+)\/.*$/, '$1')));
  assert.deepEqual(new Map(report.routes.map((one) => [`${one.method} ${one.route}`, [one.count, one.failures]])), plain(rows, (row) => `${text(row.method) ?? '-'} ${routeOf(text(row.path) ?? '/')}`));
  for (const route of report.routes) {
    const own = rows.filter((row) => (text(row.method) ?? '-') === route.method && routeOf(text(row.path) ?? '/') === route.route);
    near(route, own);
    assert.equal(route.sentBytes, own.some((row) => row.sent !== ABSENT) ? own.reduce((sum, row) => sum + Math.max(0, row.sent), 0) : undefined);
  }
  for (const host of report.hosts.top) near(host, rows.filter((row) => text(row.host)?.toLowerCase() === host.name));
  for (const method of report.methods.top) near(method, rows.filter((row) => (text(row.method) ?? '-') === method.name));
  for (const status of report.statuses) near(status, rows.filter((row) => row.status === status.status && row.sub === (status.sub ?? ABSENT) && row.win32 === (status.win32 ?? ABSENT)));
  near(report.total, rows);
  assert.equal(report.heat.rows.reduce((sum, one) => sum + one.count, report.heat.otherFailures ?? 0), report.failures);
  for (const one of report.heat.rows) assert.equal(one.counts.reduce((a, b) => a + b, 0), one.count);
});

function near(found: { p50?: number | undefined; p95?: number | undefined; p99?: number | undefined; max?: number | undefined }, rows: readonly Row[]): void {
  const sorted = rows.map((row) => row.taken).filter((ms) => ms !== ABSENT).sort((a, b) => a - b);
  for (const [name, share] of [['p50', 0.5], ['p95', 0.95], ['p99', 0.99], ['max', 1]] as const) {
    const want = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
    if (want === undefined) assert.equal(found[name], undefined);
    else assert.ok(found[name] !== undefined && Math.abs(found[name] - want) <= want * 0.005 + 0.000_51, `${name}: ${found[name]}, exactly ${want}`);
  }
}

test('a million distinct URLs, clients, agents, hosts and referrers stay in bounded memory, with the error stated', () => {
  const figures = new Figures(), size = 2_000, width = 40;
  const bytes = new Uint8Array(size * width * 2 + 64), columns = newColumns(bytes, size);
  const hot = Buffer.from('/checkout'), hotHash = hashOf(hot, 0, hot.length);
  const hotAt = bytes.length - hot.length;
  bytes.set(hot, hotAt);
  let hotRows = 0;
  for (let batch = 0; batch < 500; batch += 1) {
    columns.rows = size;
    for (let row = 0; row < size; row += 1) {
      const n = batch * size + row;
      columns.at[row] = FROM + n;
      columns.offset[row] = n * 100;
      columns.status[row] = n % 1_000 === 0 ? 500 : 200;
      columns.taken[row] = n % 400;
      put(columns, 'path', row, row * width * 2, `/shop/${word(n)}`);
      for (const role of ['client', 'host', 'referrer', 'agent'] as const) put(columns, role, row, row * width * 2 + width, word(n));
      if (n % 10 !== 0) continue;
      columns.text.path.from[row] = hotAt;
      columns.text.path.to[row] = hotAt + hot.length;
      columns.text.path.hash[row] = hotHash;
      hotRows += 1;
    }
    figures.add(columns, 0);
  }
  assert.ok(figures.sizeBytes < 40 * 2 ** 20, `${figures.sizeBytes} bytes`);
  const report = HttpReport.parse(figures.report(SOURCES));
  const sum = (ones: readonly { count: number }[]): number => ones.reduce((all, one) => all + one.count, 0);
  assert.equal(sum(report.routes) + report.otherRoutes.count, 1_000_000);
  const known = report.routes.find((one) => one.route === '/checkout');
  assert.ok(known !== undefined && known.count <= hotRows && known.count + (known.maybeMore ?? 0) >= hotRows, JSON.stringify(known));
  const distinct = report.otherRoutes.distinct + report.routes.length, error = report.otherRoutes.estimated ?? 0;
  assert.ok(error > 0 && Math.abs(distinct - 900_001) <= 900_001 * error / 100, `${distinct}`);
  for (const groups of [report.clients, report.hosts, report.referrers]) {
    assert.equal(sum(groups.top) + groups.others.count, 1_000_000);
    assert.ok(Math.abs(groups.distinct - 1_000_000) <= 1_000_000 * (groups.estimated ?? 0) / 100, `${groups.distinct}`);
  }
  assert.equal(sum(report.agents.top) + report.agents.others.count, 1_000_000);
  assert.ok(JSON.stringify(report).length < 2_000_000);
  assert.equal(report.heat.rows.reduce((all, one) => all + one.count, report.heat.otherFailures ?? 0), report.failures);
});

function put(columns: ReturnType<typeof newColumns>, role: 'path' | 'client' | 'host' | 'referrer' | 'agent', row: number, at: number, value: string): void {
  for (let i = 0; i < value.length; i += 1) columns.bytes[at + i] = value.charCodeAt(i);
  const column = columns.text[role];
  column.from[row] = at;
  column.to[row] = at + value.length;
  column.hash[row] = hashOf(columns.bytes, at, at + value.length);
}

/** Letters that no rule folds. */
function word(n: number): string {
  let text = 'w';
  for (let rest = n + 1; rest > 0; rest = Math.floor(rest / 26)) text += String.fromCharCode(97 + rest % 26);
  return text;
}

test('texts of every kind of bytes keep their rows apart; texts made to hash alike lose no row', () => {
  const next = seeded(5);
  const odd: Uint8Array[] = [Uint8Array.of(0xff, 0xfe), Uint8Array.of(0xc3), Buffer.from('/ä'), Uint8Array.of(47, 0xe4), Uint8Array.of(0), Buffer.from('/x'.repeat(50_000)), Buffer.from('a'), Buffer.from('/%e4%zz'), Uint8Array.of(47, 0, 0, 0, 0, 0, 0, 0, 0x80), Uint8Array.of(47, 0, 0, 0, 0, 0, 0, 0, 0)];
  const rows = Array.from({ length: 900 }, (_, i): Row => {
    const some = (): Uint8Array => odd[Math.floor(next() * odd.length)] as Uint8Array;
    return { at: FROM, offset: i, status: 500, sub: 0, win32: 4_294_967_295, taken: 1, sent: 1, method: some(), path: some(), client: some(), agent: some(), host: some(), referrer: some() };
  });
  const figures = counted([{ rows, source: 0 }], {}), report = HttpReport.parse(figures.report(SOURCES));
  assert.equal(report.routes.reduce((sum, one) => sum + one.count, report.otherRoutes.count), 900);
  assert.equal(report.clients.top.length, new Set(rows.map((row) => printable((row.client as Uint8Array).subarray(0, 512)))).size, 'the same letters in UTF-8 and in Latin-1 are one name');
  assert.ok(JSON.stringify(report).length < 3_000_000);
  const alike = hashed(Array.from({ length: 2_000 }, (_, i) => ({ at: FROM, offset: i, status: 200, sub: 0, win32: 0, taken: 1, sent: 1, path: `/p${word(i)}`, client: word(i), host: 'h' })));
  alike.text.path.hash.fill(7);
  alike.text.client.hash.fill(7);
  const crowded = new Figures();
  crowded.add(alike, 0);
  const many = crowded.report(SOURCES);
  assert.equal(many.routes.reduce((sum, one) => sum + one.count, many.otherRoutes.count), 2_000);
  assert.equal(many.clients.top.reduce((sum, one) => sum + one.count, many.clients.others.count), 2_000);
});
