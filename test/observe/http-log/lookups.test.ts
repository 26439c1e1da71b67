// Tests the tables and counters in the kernel's memory: figures of batches that the kernel wrote are those of the same batches without it, whatever the texts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEXT_ROLES, newColumns } from '../../../src/observe/http-log/columns.ts';
import type { Columns } from '../../../src/observe/http-log/columns.ts';
import { Figures } from '../../../src/observe/http-log/figures/figures.ts';
import { tallyOf } from '../../../src/observe/http-log/kernel/kernel.ts';
import { routeOf } from '../../../src/observe/http-log/route.ts';
import { iisW3c } from '../../../src/observe/http-log/w3c.ts';
import { WRITERS, makeLog as generate } from '../../support/generate-http-log.ts';
import { HEAD, row, seeded } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 1, 0, 0);
const SOURCES = [{ source: 'x', format: 'iis-w3c', confidence: 1, bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0, malformedAt: [] }];

/** The same rows in memory of JavaScript's own. */
function copyOf(columns: Columns): Columns {
  const copy = newColumns(columns.bytes.slice(), columns.rows);
  copy.rows = columns.rows;
  for (const name of ['offset', 'at', 'status', 'sub', 'win32', 'taken', 'sent', 'received'] as const) copy[name].set(columns[name].subarray(0, columns.rows));
  for (const role of TEXT_ROLES) for (const part of ['from', 'to', 'hash'] as const) copy.text[role][part].set(columns.text[role][part].subarray(0, columns.rows));
  return copy;
}

function bothWays(log: Uint8Array, chunk = log.length): [Figures, Figures] {
  const quick = new Figures(), plain = new Figures();
  const reader = iisW3c.reader({ sink: (columns) => {
    assert.ok(tallyOf(columns) !== undefined);
    const copy = copyOf(columns);
    assert.equal(tallyOf(copy), undefined);
    quick.add(columns, 0);
    plain.add(copy, 0);
  } });
  for (let at = 0; at < log.length; at += chunk) reader.write(log.subarray(at, at + chunk));
  reader.end();
  return [quick, plain];
}

function same(log: Uint8Array, chunk?: number): Figures {
  const [quick, plain] = bothWays(log, chunk);
  assert.deepEqual(quick.report(SOURCES), plain.report(SOURCES));
  assert.deepEqual(quick.state(), plain.state());
  return quick;
}

test('figures of a generated log are the same with the tables and without', () => {
  for (const writer of WRITERS.filter(({ id }) => id === 'iis-w3c')) same(generate(writer, { seed: 4, rows: 20_000, damagedEvery: 100, routes: 3_000, clients: 5_000 }).bytes, 50_000);
});

const SEGMENTS = ['', 'api', 'orders', '1234', '-12', '+7.5', '3,14', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', '3F2504E0-4F89-11D3-9A0C-0305E82C3301', 'abcdefab-cdef-abcd-efab-cdefabcdefab', '3f2504e04f8911d39a0c0305e82c3301', '{3f2504e0-4f89-11d3-9a0c-0305e82c3301}',
  '5f3a9c0012ab', '5f3a9c0012a', 'deadbeefcafe', '0x5f3a9c0012ab', '0XABCDEF012345', 'order-1234', 'build_5f3a9c0012ab', 'a-b-7', 'v1.2.3', '2026-11-21', '2026-11-21T10:00:00Z', 'app.7f3cdfa1.js', 'main.3f2504e04f8911d39a0c.chunk.js',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'aB3dE5fG7hI9jK1lM3nO', 'VeryLongCamelCaseNameOfSomething1', 'caf%C3%A9', 'größe', 'a+b', 'x;y', '(odd)', "it's", '*', '~me', '@user', 'a:b', '$metadata', '!', '_', '-', '--', '…', 'x'.repeat(199), '9'.repeat(40), 'favicon.ico'];

test('every path gets the route that routeOf() gives it', () => {
  const next = seeded(8);
  const paths = new Set<string>(['/', 'no-slash', '*', ...SEGMENTS.map((segment) => `/${segment}`)]);
  while (paths.size < 3_000) paths.add(Array.from({ length: 1 + Math.floor(next() * (next() < 0.02 ? 30 : 5)) }, () => `/${SEGMENTS[Math.floor(next() * SEGMENTS.length)] ?? ''}`).join(''));
  const all = [...paths];
  const wanted = new Map<string, number>();
  const lines = [...all, ...all].map((path, i) => { const key = `${i % 3 === 0 ? 'POST' : 'GET'} ${routeOf(path)}`; wanted.set(key, (wanted.get(key) ?? 0) + 1); return row({ at: FROM, path, method: i % 3 === 0 ? 'POST' : 'GET' }); });
  const figures = same(Buffer.from([HEAD, ...lines, ''].join('\n')));
  const told = new Map(Array.from({ length: figures.routes.counts.size }, (_, id) => {
    const { method, route } = figures.routes.name(id);
    return [`${method} ${route}`, figures.routes.counts.values[id * 8] as number] as const;
  }));
  assert.deepEqual(told, wanted);
});

test('texts that are absent, alike up to their end, long, or in their thousands are told apart as without', () => {
  const next = seeded(3);
  const text = (size: number): string => 'a'.repeat(size);
  const lines = Array.from({ length: 12_000 }, (_, i) => row({
    at: FROM + i * 10, path: `/p/${text(i % 33)}${i % 2 === 0 ? '' : 'b'}`, client: i % 7 === 0 ? '-' : `10.${Math.floor(next() * 200)}.${i % 250}.${i % 11}`, agent: i % 5 === 0 ? '-' : `agent-${text(i % 40)}${i % 3}/1.0`,
    method: i % 50 === 0 ? 'M'.repeat(1 + i % 60) : i % 51 === 0 ? '-' : 'GET', status: i % 13 === 0 ? 503 : 200,
  }));
  const long = [600, 600, 5_000].map((size) => row({ at: FROM, path: `/${text(size)}`, agent: text(size), client: text(size) }));
  same(Buffer.from([HEAD, ...lines, ...long, ...long, ''].join('\n')), 100_000);
});

test('methods and paths of every length around those of short keys keep their rows apart', () => {
  const next = seeded(19);
  const letters = (size: number, of: string): string => Array.from({ length: size }, () => of[Math.floor(next() * of.length)]).join('');
  const segment = (): string => letters(1 + Math.floor(next() * 20), ['0123456789', '0123456789abcdef', 'abcdefXYZ', 'a1-', 'ab.', 'größe%'][Math.floor(next() * 6)] as string);
  const lines: string[] = [];
  for (let i = 0; i < 4_000; i += 1) {
    const size = i % 8 === 0 ? 1 + Math.floor(next() * 20) : 54 + Math.floor(next() * 20);
    let path = '';
    while (path.length < size) path += `/${segment()}`;
    path = path.slice(0, size);
    const method = i % 5 === 0 ? letters(1 + Math.floor(next() * 32), 'AB/') : 'GET';
    for (const one of [path, `${path.slice(0, -1)}/`]) lines.push(row({ at: FROM, path: one, method }));
  }
  const { routes } = same(Buffer.from(`${HEAD}\n${lines.join('\n')}\n`), 30_000);
  assert.ok(routes.counts.size > 2_000);
});

test('quantiles of times that still lie in the kernel are those of times that were taken away, cells that ran over too; rows that come later count', () => {
  const next = seeded(23), quick = new Figures(), plain = new Figures(), apart = new Figures();
  for (let piece = 0; piece < 3; piece += 1) {
    const lines = Array.from({ length: 3_000 }, (_, i) => row({ at: FROM + i * 100, path: `/r${i % 40}x`, method: i % 3 === 0 ? 'POST' : 'GET', taken: i % 2 === 0 ? 5 : Math.floor(2 ** (next() * 30)), status: i % 9 === 0 ? 502 : 200 }));
    const reader = iisW3c.reader({ sink: (columns) => { plain.add(copyOf(columns), piece % 2); quick.add(columns, piece % 2); } });
    reader.write(Buffer.from([HEAD, ...lines, ''].join('\n')));
    reader.end();
    const told = quick.report([...SOURCES, ...SOURCES]);
    assert.deepEqual(told, plain.report([...SOURCES, ...SOURCES]));
    // Asked again, nothing has changed.
    assert.deepEqual(quick.report([...SOURCES, ...SOURCES]), told);
  }
  apart.merge(quick.state());
  assert.deepEqual(apart.report([...SOURCES, ...SOURCES]), plain.report([...SOURCES, ...SOURCES]));
  assert.deepEqual(quick.state(), plain.state());
});

test('more routes and clients than are kept: those let go are void in the tables too', () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => row({ at: FROM + i, path: `/r${i % 30_000}x/z`, client: `c${i % 40_000}.example` }));
  const figures = same(Buffer.from([HEAD, ...lines, ''].join('\n')), 200_000);
  assert.ok(figures.routes.counts.pruned && figures.dimensions.clients.pruned);
});

test('counters that are full are taken away in time: many sources, many times, cells that run over, days', () => {
  const quick = new Figures(), plain = new Figures(), next = seeded(5);
  for (let piece = 0; piece < 130; piece += 1) {
    const lines = Array.from({ length: 700 }, (_, i) => row({ at: FROM + piece * 3_600_000 * 5 + i * 60_000, path: `/r${Math.floor(next() ** 2 * 4_000)}x`, taken: i % 2 === 0 ? 5 : Math.floor(2 ** (next() * 45)), status: i % 9 === 0 ? 502 : 200 }));
    const log = Buffer.from([HEAD, ...lines, ''].join('\n'));
    iisW3c.reader({ sink: (columns) => { plain.add(copyOf(columns), piece >> 1); quick.add(columns, piece >> 1); } }).write(log);
  }
  assert.ok(plain.slots.stepMs > 60_000);
  assert.deepEqual(quick.report(SOURCES), plain.report(SOURCES));
  assert.deepEqual(quick.state(), plain.state());
});

test('figures that take turns with one kernel do not take each other\'s numbers', () => {
  const logs = [1, 2].map((seed) => generate(WRITERS[0]!, { seed, rows: 3_000 }).bytes);
  const turns = logs.map(() => new Figures());
  const readers = turns.map((figures) => iisW3c.reader({ sink: (columns) => figures.add(columns, 0) }));
  for (let at = 0; at < Math.max(...logs.map((log) => log.length)); at += 20_000) logs.forEach((log, i) => readers[i]!.write(log.subarray(at, at + 20_000)));
  logs.forEach((log, i) => assert.deepEqual(turns[i]!.report(SOURCES), bothWays(log)[1].report(SOURCES)));
});
