// Tests rates from counters and the folding of seconds into steps, in series notation: one column per second.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fold } from '../../../src/observe/samplers/fold.ts';
import { Counters, MAX_INTERVAL_MS } from '../../../src/observe/samplers/rates.ts';
import type { Values } from '../../../src/observe/samplers/process.ts';
import type { Sample } from '../../../src/shared/model.ts';
import { series } from '../../support/series.ts';

const table: readonly { readonly name: string; readonly counter: string; readonly started?: string; readonly growth: string }[] = [
  { name: 'the first reading gives no rate, and not 0', counter: 'cpu 100 150 150 400', growth: 'by _ 50 0 250' },
  { name: 'a missing reading makes the process new', counter: 'cpu 100 150 _ 400 410', growth: 'by _ 50 _ _ 10' },
  { name: 'a reused pid starts anew', counter: 'cpu 100 150 160 170', started: 'at 1 1 2 2', growth: 'by _ 50 _ 10' },
  { name: 'a counter that goes backwards is a gap', counter: 'cpu 100 150 20 70', growth: 'by _ 50 _ 50' },
  { name: 'at rest the rate is 0', counter: 'cpu 100x4', growth: 'by _ 0x3' },
];

for (const { name, counter, started, growth } of table) {
  test(`rates: ${name}`, () => {
    const counters = new Counters();
    const since = started === undefined ? [] : series(started).values;
    const found = series(counter).values.map((value, second) => {
      const grown = value === undefined ? undefined : counters.grow(7, since[second] ?? 1, value, second * 1_000)?.by;
      counters.sweep();
      return grown;
    });
    assert.deepEqual(found, series(growth).values);
  });
}

test('rates: after a long pause there is no rate, after a short one it is over the real interval', () => {
  const counters = new Counters();
  counters.grow(7, 1, 0, 0);
  assert.deepEqual({ ...counters.grow(7, 1, 500, 2_500) }, { by: 500, overMs: 2_500 });
  assert.equal(counters.grow(7, 1, 600, 2_500 + MAX_INTERVAL_MS + 1), undefined);
  assert.equal(counters.grow(7, 1, 600, 2_500 + MAX_INTERVAL_MS + 1), undefined, 'no time has passed');
});

test('rates: processes that ended are forgotten', () => {
  const counters = new Counters();
  for (let pid = 1; pid <= 5_000; pid += 1) { counters.grow(pid, 1, 0, pid); counters.sweep(); }
  assert.equal(counters.size, 1);
});

interface Written { readonly stepMs: number; readonly at: number; readonly values: Values; readonly pid?: number }
function written(): { readonly rows: Written[]; write(stepMs: number, sample: Sample): void } {
  const rows: Written[] = [];
  return { rows, write: (stepMs, { at, values, process }) => { rows.push({ stepMs, at, values, ...(process === undefined ? {} : { pid: process.pid }) }); } };
}

test('fold: mean, sum and max as the metric says; what is missing counts for nothing', () => {
  const history = written();
  const fold = new Fold(10_000, history);
  const columns = { 'site.cpu': series('cpu 10 20 _ 30 _ _ _ _ _ _ 50'), 'site.cpu-time': series('ms 1x10 7'), 'host.disk-total': series('disk _ 5 9 7 _ _ _ _ _ _ 1') } as const;
  for (let second = 0; second < 11; second += 1) {
    const at = 1_000_000 + second * 1_000;
    const values: Values = {};
    for (const [id, one] of Object.entries(columns)) { const value = one.values[second]; if (value !== undefined) values[id as keyof typeof columns] = value; }
    fold.turn(at);
    fold.add({ at, values });
  }
  assert.deepEqual(history.rows, [{ stepMs: 10_000, at: 1_000_000, values: { 'site.cpu': 20, 'site.cpu-time': 10, 'host.disk-total': 9 } }]);
  fold.flush();
  assert.deepEqual(history.rows[1], { stepMs: 10_000, at: 1_010_000, values: { 'site.cpu': 50, 'site.cpu-time': 7, 'host.disk-total': 1 } });
});

test('fold: each process for itself, request metrics not at all, ended processes are written once and forgotten', () => {
  const history = written();
  const fold = new Fold(10_000, history);
  const one = { pid: 1, startedAt: 5 }, two = { pid: 2, startedAt: 5 };
  for (let second = 0; second < 30; second += 1) {
    const at = 1_000_000 + second * 1_000;
    fold.turn(at);
    fold.add({ at, values: { 'http.requests': 3 } });
    fold.add({ at, process: one, values: { 'process.threads': 4 } });
    if (second < 3) fold.add({ at, process: two, values: { 'process.threads': 6 } });
  }
  assert.equal(fold.size, 2, 'the site and one process');
  assert.deepEqual(history.rows.filter((row) => row.pid === 2), [{ stepMs: 10_000, at: 1_000_000, values: { 'process.threads': 6 }, pid: 2 }]);
  assert.deepEqual(history.rows.filter((row) => row.pid === 1).map((row) => row.values), [{ 'process.threads': 4 }, { 'process.threads': 4 }]);
  assert.ok(history.rows.every((row) => row.values['http.requests'] === undefined));
});
