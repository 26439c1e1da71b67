// Owns the tests of the charts' samples: late values amend, gaps stay gaps, the window is bounded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, SeriesWindow } from '../../src/client/live/series-window.ts';
import type { Sample } from '../../src/shared/model.ts';

const site = (at: number, values: Sample['values']): Sample => ({ at, values });

test('a later sample of the same instant adds to the earlier one, also when others came in between', () => {
  const w = new SeriesWindow(1_000, 60_000);
  w.add(site(10_000, { 'site.cpu': 5 }));
  w.add(site(11_000, { 'site.cpu': 6 }));
  w.add(site(12_000, { 'site.cpu': 7 }));
  w.add(site(10_000, { 'http.5xx': 3 }));
  w.add(site(10_400, { 'http.5xx': 4 }));
  assert.deepEqual(w.at, [10_000, 11_000, 12_000]);
  assert.deepEqual(w.column('site.cpu'), [5, 6, 7]);
  assert.deepEqual(w.column('http.5xx'), [4, null, null]);
});

test('steps without a sample are gaps, never zero and never bridged', () => {
  const w = new SeriesWindow(1_000, 60_000);
  w.add(site(1_000, { 'site.cpu': 1 }));
  w.add(site(4_000, { 'site.cpu': 4 }));
  assert.deepEqual(w.column('site.cpu'), [1, null, null, 4]);
  assert.equal(w.column('host.cpu'), undefined);
});

test('the window keeps its time, drops what is older, and refuses what lies before it', () => {
  const w = new SeriesWindow(1_000, 5_000);
  for (let s = 1; s <= 20; s += 1) w.add(site(s * 1_000, { 'site.cpu': s }));
  assert.deepEqual(w.at, [16_000, 17_000, 18_000, 19_000, 20_000]);
  w.add(site(2_000, { 'site.cpu': 99 }));
  assert.equal(w.column('site.cpu')?.includes(99), false);
  w.add(site(900_000_000, { 'site.cpu': 1 }));
  assert.deepEqual(w.at, [900_000_000], 'a leap in time does not fill the memory with gaps');
});

test('history and live samples share one axis, history may come last', () => {
  const w = new SeriesWindow(1_000, 60_000);
  w.add(site(5_000, { 'site.cpu': 5 }));
  w.load({ stepMs: 1_000, from: 2_000, to: 4_000, at: [2_000, 3_000, 4_000], series: [{ metric: 'site.cpu', values: [2, null, 4] }] });
  assert.deepEqual(w.at, [2_000, 3_000, 4_000, 5_000]);
  assert.deepEqual(w.column('site.cpu'), [2, null, 4, 5]);
});

test('processes have columns of their own, a reused pid is another process, and their number is bounded', () => {
  const w = new SeriesWindow(1_000, 60_000);
  const key = (pid: number, startedAt: number) => ({ pid, startedAt });
  w.add({ at: 1_000, process: key(7, 1), values: { 'process.cpu': 1 } });
  w.add({ at: 2_000, process: key(7, 2), values: { 'process.cpu': 2 } });
  assert.deepEqual(w.column('process.cpu', key(7, 1)), [1, null]);
  assert.deepEqual(w.column('process.cpu', key(7, 2)), [null, 2]);
  for (let pid = 100; pid < 200; pid += 1) w.add({ at: 3_000, process: key(pid, 1), values: { 'process.cpu': 1 } });
  assert.equal(w.processes().length, 64);
  assert.equal(w.lost, 38, 'what made room is counted');
});

test('a line joins values that come at their usual distance, and breaks where one is missing', () => {
  const every3 = [1, null, null, 2, null, null, 3, null, null, null, null, null, 4, null, null, 5];
  assert.deepEqual(joined(every3), [1, undefined, undefined, 2, undefined, undefined, 3, null, null, null, null, null, 4, undefined, undefined, 5]);
  assert.deepEqual(joined([1, null, 2, 3, 4]), [1, null, 2, 3, 4], 'each second: one missing second is a gap');
});
