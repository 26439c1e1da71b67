// Owns the tests of the log's lines in the page: each once, merged by time, bounded, counted; and of where they lie.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayed, layoutOf, LINE_PX, rowAt, shownText, window, withoutHead } from '../../src/client/pages/logs/log-layout.ts';
import { filterOf, logQueryOf } from '../../src/client/pages/logs/log-query.ts';
import { fileOf, markParts } from '../../src/client/pages/logs/log-row.tsx';
import { TailStore, type Row } from '../../src/client/pages/logs/tail-store.ts';
import type { LogLine } from '../../src/shared/model.ts';

const line = (source: string, n: number, at?: number, text = `${source}${n}`): LogLine => ({ source, offset: n, cursor: `${source}-${n}`, level: 'info', text, ...(at === undefined ? {} : { at }) });
const items = (...lines: LogLine[]) => lines.map((l) => ({ line: l }));
const texts = (store: TailStore): string[] => store.rows.map((r) => r.line?.text ?? `!${r.notice?.kind}`);

test('lines that come again after a reconnect are shown once', () => {
  const store = new TailStore();
  store.add('a', items(line('a', 1), line('a', 2)));
  store.add('a', items(line('a', 2), line('a', 3)));
  assert.deepEqual(texts(store), ['a1', 'a2', 'a3']);
});

test('several files are merged by time, each in its own order; a line without time stays behind its file', () => {
  const store = new TailStore();
  store.add('a', items(line('a', 1, 100), line('a', 2), line('a', 3, 300)));
  store.add('b', items(line('b', 1, 90), line('b', 2, 150), line('b', 3, 400)));
  assert.deepEqual(texts(store), ['b1', 'a1', 'a2', 'b2', 'a3', 'b3']);
});

test('a file whose clock goes back keeps its order', () => {
  const store = new TailStore();
  store.add('a', items(line('a', 1, 500), line('a', 2, 100), line('a', 3, 510)));
  assert.deepEqual(texts(store), ['a1', 'a2', 'a3']);
});

test('the oldest leave and are counted; notices are rows', () => {
  const store = new TailStore(3);
  store.add('a', items(line('a', 1), line('a', 2), line('a', 3), line('a', 4), line('a', 5)));
  assert.deepEqual(texts(store), ['a3', 'a4', 'a5']);
  assert.equal(store.left, 2);
  store.add('a', [{ notice: { kind: 'rotated', text: 'rotated' } }]);
  assert.deepEqual(texts(store), ['a4', 'a5', '!rotated']);
});

test('older lines go in front of their file, none twice', () => {
  const store = new TailStore();
  store.add('a', items(line('a', 5, 500), line('a', 6, 600)));
  assert.equal(store.addOlder('a', [line('a', 3, 300), line('a', 4, 400), line('a', 5, 500)]), 2);
  assert.deepEqual(texts(store), ['a3', 'a4', 'a5', 'a6']);
});

const rowOf = (text: string, key = text): Row => ({ key, source: 'a', at: undefined, line: line('a', 1, undefined, text) });
const shape = { expanded: new Set<string>(), wrap: false, columns: 20 };

test('an entry of many lines is folded to its first, opened to all', () => {
  const row = rowOf('first\n  at x\n  at y');
  assert.deepEqual(displayed(row, false), { text: 'first', folded: 2 });
  assert.deepEqual(displayed(row, true), { text: 'first\n  at x\n  at y', folded: 0 });
  assert.equal(displayed(rowOf('x'.repeat(5_000)), false).text.length, 2_002);
});

test('rows lie below each other, wrapped ones take their lines, and a position finds its row', () => {
  const rows = [rowOf('a'), rowOf('b'.repeat(45)), rowOf('c\nd', 'c')];
  const flat = layoutOf(rows, shape, new Map(), new Map());
  assert.equal(flat.total, 3 * LINE_PX);
  const wrapped = layoutOf(rows, { ...shape, wrap: true, expanded: new Set(['c']) }, new Map(), new Map());
  assert.deepEqual([...wrapped.tops], [0, LINE_PX, 4 * LINE_PX, 6 * LINE_PX]);
  assert.equal(rowAt(wrapped, LINE_PX * 2), 1);
  assert.equal(rowAt(wrapped, LINE_PX * 4), 2);
  assert.equal(rowAt(wrapped, 99_999), 2);
  assert.deepEqual([...layoutOf(rows, shape, new Map([['a', 50]]), new Map()).tops], [0, 50, 50 + LINE_PX, 50 + 2 * LINE_PX], 'what was measured wins');
});

test('of ten thousand rows only those in view exist', () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => rowOf('x', String(i)));
  const layout = layoutOf(rows, shape, new Map(), new Map());
  const { from, to } = window(layout, 5_000 * LINE_PX, 800, rows.length);
  assert.ok(from < 5_000 && to > 5_042, `${from} to ${to} covers the view`);
  assert.ok(to - from < 100, `${to - from} rows exist`);
});

test('colours of terminals go, direction overrides become visible, markup stays text', () => {
  assert.equal(shownText('\u001b[31mred\u001b[0m <b>\ttab'), 'red <b>    tab');
  assert.equal(shownText('a\u202eb\u0007'), 'a\\u202eb\u2407');
});

test('found words are marked with the text unchanged, and their number is bounded', () => {
  const parts = markParts('a cart, a Cart', /cart/giu);
  assert.deepEqual(parts.filter((p) => p.mark).map((p) => p.text), ['cart', 'Cart']);
  const long = markParts('x'.repeat(1_000), /x/gu);
  assert.equal(long.filter((p) => p.mark).length, 50);
  assert.equal(long.map((p) => p.text).join(''), 'x'.repeat(1_000));
});

test('the address gives the filter that the agent applies', () => {
  const q = logQueryOf({ source: 'a1,../etc,b2,a,b,c,d,e', text: 'boom', re: '1', not: '1', levels: 'fatal,error,warn', at: '12e' });
  assert.deepEqual(q.sources, ['a1', 'b2', 'a', 'b', 'c', 'd']);
  assert.equal(q.at, undefined);
  assert.deepEqual(filterOf(q), { regex: 'boom', not: true, ignoreCase: true, levels: ['fatal', 'error', 'warn'] });
  assert.equal(filterOf(logQueryOf({ source: 'a1' })), undefined);
});

test('the address names a row by its place in the file of one log', () => {
  assert.equal(logQueryOf({ source: 'a1', at: '1700000000000', row: '0' }).row, 0);
  assert.equal(logQueryOf({ source: 'a1', at: '1700000000000', row: '12345' }).row, 12_345);
  for (const query of [{ source: 'a1,b2', at: '1', row: '5' }, { source: 'a1', row: '5' }, { source: 'a1', at: '1', row: '-5' }, { source: 'a1', at: '1', row: '5e3' }]) assert.equal(logQueryOf(query).row, undefined, JSON.stringify(query));
});

test('a time and level that stand in columns are not shown twice; what differs stays', () => {
  const at = Date.parse('2026-11-21T04:19:14.444Z');
  assert.equal(withoutHead({ text: '2026-11-21T04:19:14.444Z INFO GET / 200', at, level: 'info' }), 'GET / 200');
  assert.equal(withoutHead({ text: '[2026-11-21 05:19:14,444+01:00] GET /', at, level: 'unknown' }), 'GET /');
  assert.equal(withoutHead({ text: '2026-11-21T04:19:14.444Z WARN x', at, level: 'info' }), 'WARN x');
  for (const text of ['2026-11-21T04:19:15.444Z INFO x', '2026-11-21 04:19:14 INFO x', 'INFO x', '']) assert.equal(withoutHead({ text, at, level: 'info' }), text);
});

test('file names in the merged view keep what tells them apart', () => {
  assert.equal(fileOf('Application/RDFF9E76D41E24-27327-stdout-1795234712345.txt'), '27327-stdout.txt');
  assert.equal(fileOf('eventlog.xml'), 'eventlog.xml');
  assert.equal(fileOf('http/RawLogs/93bd96-20261121041746405.log'), '93bd96.log');
});

test('older lines never push out newer ones: what does not fit stays out', () => {
  const store = new TailStore(4);
  store.add('a', items(line('a', 5, 500), line('a', 6, 600)));
  assert.equal(store.full, false);
  assert.equal(store.addOlder('a', [line('a', 1, 100), line('a', 2, 200), line('a', 3, 300), line('a', 4, 400)]), 2);
  assert.deepEqual(texts(store), ['a3', 'a4', 'a5', 'a6']);
  assert.equal(store.full, true);
  assert.equal(store.addOlder('a', [line('a', 2, 200)]), 0);
});

test('the page knows from which row on a file has nothing yet', () => {
  const store = new TailStore();
  store.add('a', items(line('a', 1, 100), line('a', 2, 300)));
  store.add('b', items(line('b', 1, 200)));
  assert.deepEqual([store.firstPlace('a'), store.firstPlace('b'), store.firstPlace('c')], [0, 1, 3]);
});
