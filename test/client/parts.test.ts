// Owns the tests of the page's small pure parts: strip, tables, keys, words, options, process tree, report nodes, CSV.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf } from '../../src/client/parts/options-form.tsx';
import { csv } from '../../src/client/parts/save.ts';
import { pieces } from '../../src/client/parts/spark.tsx';
import { barsOf, floorY, LEAST_FAILED, roundUp, ticksOf, under, xOf, type Frame } from '../../src/client/parts/strip-layout.ts';
import { SeriesWindow } from '../../src/client/live/series-window.ts';
import { CHARTS, linesOf, type ChartDef } from '../../src/client/pages/observe/chart-list.ts';
import { steadyTop, tickWord } from '../../src/client/pages/observe/scale.ts';
import { prepend } from '../../src/client/pages/observe/request-rows.ts';
import { matches, treeOf } from '../../src/client/pages/observe/process-tree.ts';
import { ago, delta, inline, statusWord } from '../../src/client/words.ts';
import type { ProcessInfo, RequestRow } from '../../src/shared/model.ts';
import { requests } from '../support/stage-data.ts';

const frame: Frame = { from: 0, to: 100_000, width: 438, height: 132 };

test('one failure among many is tall enough to be seen, bars never leave the strip', () => {
  const bars = barsOf(frame, [{ at: 0, ok: 999, refused: 0, failed: 1 }, { at: 50_000, ok: 0, refused: 5_000, failed: 0 }], 1_000, 1_000);
  const failed = bars.find((b) => b.kind === 'failed');
  assert.equal(failed?.h, LEAST_FAILED);
  assert.equal((failed?.y ?? 0) + (failed?.h ?? 0), floorY(frame), 'it stands on the axis');
  for (const bar of bars) assert.ok(bar.y >= 0 && bar.h > 0, JSON.stringify(bar));
});

test('the strip finds its bucket and the changes near it; the axis has round instants', () => {
  const buckets = [{ at: 40_000, ok: 1, refused: 0, failed: 0 }];
  const change = { id: 'x', at: 41_000, kind: 'exit' as const, level: 'critical' as const, title: 'exit' };
  const found = under(frame, xOf(frame, 40_500), buckets, 1_000, [change, { ...change, id: 'y', at: 90_000 }]);
  assert.equal(found.bucket, buckets[0]);
  assert.deepEqual(found.near.map((c) => c.id), ['x']);
  assert.deepEqual(ticksOf({ ...frame, width: 600 }), [0, 30_000, 60_000, 90_000]);
  assert.deepEqual([0, 2, 3, 5, 7, 9, 41, 900].map(roundUp), [2, 2, 4, 6, 8, 10, 60, 1_000]);
});

test('a sparkline breaks at gaps and a lonely value is still drawn', () => {
  assert.equal(pieces([1, 2, null, 3]).length, 2);
  assert.match(pieces([null, 3, null])[0] ?? '', /h1\.5$/);
  assert.deepEqual(pieces([null, null]), []);
});

test('charts: stacked lines add up, sums become rates, six series at most, the agent\'s own left out', () => {
  const w = new SeriesWindow(10_000, 600_000);
  w.load({ stepMs: 10_000, from: 0, to: 10_000, at: [0, 10_000], series: [{ metric: 'http.5xx', values: [10, null] }, { metric: 'http.2xx', values: [90, 50] }] });
  const [failed, good] = linesOf(CHARTS[0] as ChartDef, w, new Map());
  assert.deepEqual(failed?.values, [1, null]);
  assert.deepEqual(good?.values, [9, 5]);
  assert.deepEqual(good?.drawn, [10, 5]);
  const p = new SeriesWindow(1_000, 60_000);
  for (let pid = 1; pid < 20; pid += 1) p.add({ at: 1_000, process: { pid, startedAt: pid }, values: { 'process.cpu': pid } });
  p.add({ at: 1_000, values: { 'site.cpu': 4 } });
  const cpu = CHARTS.find((c) => c.id === 'cpu') as ChartDef;
  const lines = linesOf(cpu, p, new Map([['19:19', { label: 'node 19', ours: true }]]));
  assert.equal(lines.length, 6);
  assert.deepEqual(lines.map((l) => l.label), ['site', 'pid 14', 'pid 15', 'pid 16', 'pid 17', 'pid 18']);
});

test('the value axis grows at once and shrinks only when half of it is empty', () => {
  const top = steadyTop();
  const first = top(100);
  assert.ok(first >= 100);
  assert.equal(top(99), first);
  assert.equal(top(80), first);
  assert.ok(top(200) >= 200);
  assert.ok(top(20) < 60);
  assert.equal(steadyTop()(0), 1);
  assert.match(tickWord(0, 1_000), /^\d\d:\d\d:\d\d$/);
  assert.match(tickWord(0, 60_000), /^\d\d:\d\d$/);
  assert.match(tickWord(0, 86_400_000), /^\d\d-\d\d$/);
});

const row = (more: Partial<RequestRow>): RequestRow => ({ ...(requests(false, 1)[0] as RequestRow), ...more });

test('live rows come on top, newest first, none twice, the bound is kept and counted', () => {
  const first = [row({ at: 2_000, offset: 2 }), row({ at: 1_000, offset: 1 })];
  const { rows, left } = prepend(first, [row({ at: 2_000, offset: 2 }), row({ at: 2_000, offset: 3 }), row({ at: 3_000, offset: 4 })], 3);
  assert.deepEqual(rows.map((r) => r.offset), [4, 3, 2]);
  assert.equal(left, 1);
});

test('what is typed finds a process by name, pid, role, user and command line, whatever its case', () => {
  const row = { info: { pid: 4711, startedAt: 1, name: 'node.exe', role: 'worker', user: 'Shop', commandLine: 'node server.js' }, sample: undefined, depth: 0 } as const;
  assert.deepEqual(['', ' ', 'NODE', '471', 'work', 'shop', 'Server.js', 'php'].map((find) => matches(row, find)), [true, true, true, true, true, true, true, false]);
});

test('processes form a tree; a reused parent pid and a circle do not break it', () => {
  const info = (pid: number, parent: number | undefined, startedAt: number): { info: ProcessInfo } => ({ info: { pid, startedAt, name: `p${pid}`, role: 'other', ...(parent === undefined ? {} : { parent }) } });
  const rows = treeOf([info(2, 1, 20), info(1, undefined, 10), info(3, 2, 30), info(5, 4, 10), info(4, undefined, 99), info(8, 9, 1), info(9, 8, 1)], new Map());
  assert.deepEqual(rows.map((r) => `${r.info.pid}:${r.depth}`).sort(), ['1:0', '2:1', '3:2', '4:0', '5:0', '8:0', '9:1']);
});

test('words: changes, ages, statuses, code in sentences', () => {
  assert.deepEqual(delta('http.response-average', 412, 144), { text: '+268 ms to an hour ago', worse: true });
  assert.deepEqual(delta('http.requests', 900, 1_023), { text: '−12 % to an hour ago', worse: false });
  assert.equal(delta('http.requests', 5, 0)?.text, 'none an hour ago');
  assert.equal(delta('http.requests', undefined, 5), undefined, 'what is not known is not compared');
  assert.equal(delta('site.working-set', 100, 100)?.text, 'as an hour ago');
  assert.equal(ago(10_000, 41_500), '31 s ago');
  assert.equal(ago(10_000, 9_000), 'just now');
  assert.equal(statusWord({ status: 502, sub: 3, win32: 12_030 }), '502.3 · 12030');
  assert.equal(statusWord({ status: 200, sub: 0, win32: 0 }), '200');
  assert.deepEqual(inline('in `a.js` and `b'), [{ code: false, text: 'in ' }, { code: true, text: 'a.js' }, { code: false, text: ' and ' }, { code: false, text: 'b' }]);
});

test('options are drawn from their schema; what is no field is left to programs', () => {
  const fields = fieldsOf({ type: 'object', properties: { kind: { enum: ['full', 'small'], default: 'full' }, maxSeconds: { type: 'integer', minimum: 5, maximum: Number.MAX_SAFE_INTEGER }, deep: { type: 'object' }, all: { type: 'boolean', description: 'all of it' } } });
  assert.deepEqual(fields, [{ name: 'kind', title: 'Kind', preset: 'full', kind: 'choice', choices: ['full', 'small'] }, { name: 'maxSeconds', title: 'Max seconds', kind: 'number', least: 5 }, { name: 'all', title: 'All', about: 'all of it', kind: 'switch' }]);
  for (const bad of [undefined, null, 7, [], { properties: 3 }]) assert.deepEqual(fieldsOf(bad), []);
});

test('CSV quotes what needs it and defuses formulas of hostile text', () => {
  assert.equal(csv([['a', 'b,c', 'd"e'], [1.5, null, '=cmd()'], ['-x', undefined, 'l\nm']]), 'a,"b,c","d""e"\r\n1.5,,\'=cmd()\r\n\'-x,,"l\nm"\r\n');
});
