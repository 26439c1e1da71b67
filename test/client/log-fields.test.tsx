// Owns the tests of what the Logs page works out of entries: counts by minute and level, fields of structured lines, lines that came later.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MinuteCounts, KEPT_MINUTES } from '../../src/client/pages/logs/minutes.ts';
import { fieldsOf, isStructured } from '../../src/client/pages/logs/structured.ts';
import { heightKey } from '../../src/client/pages/logs/log-layout.ts';
import { TailStore } from '../../src/client/pages/logs/tail-store.ts';
import type { LogLine } from '../../src/shared/model.ts';

const MINUTE = 60_000;
const line = (n: number, level: LogLine['level'] = 'info', at = n * MINUTE): LogLine => ({ source: 'a', offset: n, cursor: `a1.a.ino.born.0.${n}`, level, text: `line ${n}`, at });

test('entries are counted by minute and level; a minute without any stands between; old ones are let go', () => {
  const counts = new MinuteCounts();
  counts.add(0, 'info');
  counts.add(MINUTE - 1, 'fatal');
  counts.add(2 * MINUTE, 'warn');
  assert.deepEqual(counts.list().map((m) => [m.at, m.counts.error, m.counts.warn, m.counts.info]), [[0, 1, 0, 1], [MINUTE, 0, 0, 0], [2 * MINUTE, 0, 1, 0]]);
  counts.change(2 * MINUTE, 'warn', 'error');
  assert.deepEqual([counts.list()[2]?.counts.error, counts.list()[2]?.counts.warn], [1, 0]);
  counts.add((KEPT_MINUTES + 1) * MINUTE, 'info');
  counts.add(0, 'info');
  assert.deepEqual([counts.list()[0]?.at, counts.list().length], [2 * MINUTE, KEPT_MINUTES]);
});

test('lines that go on an entry are joined to it: level, count and height follow', () => {
  const store = new TailStore();
  store.add('a', [{ line: line(1, 'unknown') }]);
  const before = heightKey(store.rows[0] as (typeof store.rows)[0]);
  store.add('a', [{ more: { ...line(1, 'error'), text: '    at a (/a.js:1:2)' } }, { line: line(2) }]);
  assert.deepEqual(store.rows.map((row) => [row.line?.text, row.line?.level]), [['line 1\n    at a (/a.js:1:2)', 'error'], ['line 2', 'info']]);
  assert.notEqual(heightKey(store.rows[0] as (typeof store.rows)[0]), before);
  assert.equal(store.minutes.list()[0]?.counts.error, 1);
});

test('lines behind a gap go on nothing: they stand by themselves', () => {
  const store = new TailStore();
  store.add('a', [{ line: line(1) }]);
  store.gap('a');
  store.add('a', [{ more: { ...line(7), text: 'the end of another' } }]);
  assert.deepEqual(store.rows.map((row) => row.line?.text), ['line 1', 'the end of another']);
});

test('the same entry is known by its place, whether it came live or as a page', () => {
  const store = new TailStore();
  store.add('a', [{ line: { ...line(5), cursor: 'a1.a.ino.born.0.99.1' } }]);
  assert.equal(store.addOlder('a', [{ ...line(5), cursor: 'a1.a.ino.born.7.6.1' }, { ...line(4), cursor: 'a1.a.ino.born.7.5.1' }]), 1);
});

test('fields are read from JSON, also behind a time of Docker, and from pairs; prose has none', () => {
  assert.deepEqual(fieldsOf('{"level":30,"msg":"a","req":{"id":1}}').map((f) => [f.name, f.value]), [['level', '30'], ['msg', 'a'], ['req', '{"id":1}']]);
  assert.equal(fieldsOf('2026-11-21T02:14:07.123456789Z {"msg":"a"}')[0]?.value, 'a');
  assert.deepEqual(fieldsOf('time=1 level=warn msg="low \\"x\\""').map((f) => f.name), ['time', 'level', 'msg']);
  for (const [text, is] of [['{"a":1}', true], ['a=1 b=2 c=3', true], ['a = b', false], ['plain prose x=1', false]] as const) assert.equal(isStructured(text), is, text);
});
