// Owns the proof that CPU, memory and disk are judged by physical limits, and that a gap is no measurement.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { longestAbove, processHealth } from '../../../src/analyze/analyzers/process-health.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { Finding } from '../../../src/shared/model.ts';
import { WINDOW, given, metrics, never, reader } from '../artifacts.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;
const run = async (...readers: ArtifactReader[]): Promise<readonly Finding[]> =>
  (await processHealth.analyze(given(...readers), { window: WINDOW }, never)).map((f) => Finding.parse(f));
const site = (metric: string, ...values: (number | null)[]): { metric: string; values: (number | null)[] } => ({ metric, values });
const one = { pid: 4712, startedAt: 1_795_000_000_000 };

test('room everywhere is one good finding with the peaks in it', async () => {
  const found = await run(metrics(1_000, WINDOW.from, [site('site.cpu', 3, 18, null), site('host.memory-used', GIB, GIB), site('host.memory-total', 4 * GIB, 4 * GIB), site('host.disk-free', 900 * MIB, 900 * MIB), site('host.disk-total', GIB, GIB)]));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title]), [['process-health-good', 'good', 'CPU, memory and disk had room: CPU 10.5 % on average, Host memory used 1 GiB at most, 900 MiB of disk free']]);
});

test('memory near the machine\'s limit is critical and a restart is offered, because it helps for a while', async () => {
  const found = await run(metrics(1_000, WINDOW.from, [site('host.memory-used', 2 * GIB, 3.9 * GIB), site('host.memory-total', 4 * GIB, 4 * GIB)]));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title, f.mitigations]), [['memory-near-limit', 'critical', 'The instance used 97.5 % of its memory: 3.9 GiB of 4 GiB', ['restart']]]);
});

test('one busy core is told with its process; the same with a gap in the middle is not', async () => {
  const busy = Array.from({ length: 13 }, () => 99);
  const found = await run(metrics(1_000, WINDOW.from, [{ metric: 'process.cpu', process: one, values: busy }], 'metrics-4712.json'));
  assert.deepEqual(found.map((f) => [f.id, f.title]), [['process-core-busy', 'Process 4712 kept a whole core busy for 12 s']]);
  const gap = await run(metrics(1_000, WINDOW.from, [{ metric: 'process.cpu', process: one, values: [...busy.slice(0, 6), null, ...busy.slice(0, 6)] }], 'metrics-4712.json'));
  assert.deepEqual(gap.map((f) => f.id), ['process-health-good'], 'what was not measured is not counted as busy');
});

test('a whole busy instance, a nearly full disk and growing memory', async () => {
  const cpu = await run(metrics(1_000, WINDOW.from, [site('host.cpu', ...Array.from({ length: 12 }, () => 97))]));
  assert.deepEqual(cpu.map((f) => [f.id, f.title]), [['host-cpu-high', 'The instance\'s CPU was above 90 % for 11 s']]);
  const disk = await run(metrics(1_000, WINDOW.from, [site('host.disk-free', 500 * MIB, 15 * MIB), site('host.disk-total', GIB, GIB)]));
  assert.deepEqual(disk.map((f) => [f.id, f.severity, f.title]), [['disk-nearly-full', 'critical', 'The home disk has 15 MiB left of 1 GiB']]);
  const grew = await run(metrics(1_000, WINDOW.from, [{ metric: 'process.private-bytes', process: one, values: Array.from({ length: 30 }, (_, i) => (100 + i * 20) * MIB) }]));
  assert.deepEqual(grew.map((f) => [f.id, f.severity, f.title]), [['memory-grew', 'info', 'Process 4712 grew from 160 MiB to 640 MiB in the window']]);
});

test('nothing measured, an unreadable file: cannot tell, never good', async () => {
  assert.deepEqual((await run(metrics(1_000, WINDOW.from, [site('site.cpu', null, null)]))).map((f) => [f.id, f.severity]), [['metrics-empty', 'cannot-tell']]);
  assert.deepEqual((await run(reader('metrics', 'm.json', '</script>'))).map((f) => [f.id, f.severity]), [['process-health-unreadable', 'cannot-tell']]);
  assert.deepEqual((await run(reader('metrics', 'm.json', '{"version":1,"series":{"stepMs":1000,"from":0,"to":1,"at":[0],"series":[{"metric":"rm -rf","values":[1]}]}}'))).map((f) => f.severity), ['cannot-tell']);
});

test('the longest time above a level begins where it begins', () => {
  assert.deepEqual(longestAbove([[0, 5], [1, 9], [2, 9], [3, 1], [4, 9], [5, 9], [6, 9]], 9), { at: 4, forMs: 2 });
  assert.equal(longestAbove([[0, null], [1, 2]], 9), undefined);
});

test('a series of a day is thinned without losing its peak', async () => {
  const values = Array.from({ length: 20_000 }, (_, i) => (i === 7_777 ? 99 : i < 12 ? 98 : 1));
  const [found] = await run(metrics(1_000, WINDOW.from, [site('host.cpu', ...values)]));
  const series = found?.evidence[0];
  assert.ok(series?.kind === 'series' && series.points.length <= 300 && Math.max(...series.points.map(([, v]) => v ?? 0)) === 99);
});
