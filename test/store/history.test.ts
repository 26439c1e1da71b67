// Owns the proof that history is bounded, survives restarts and damage, and gives back what was measured and nothing else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TIERS, type MetricId } from '../../src/shared/metrics.ts';
import type { Series } from '../../src/shared/model.ts';
import { encodeHeader, layoutOf, positionOf, wantedHeader } from '../../src/store/history-layout.ts';
import { foldingOf, planOf } from '../../src/store/history-read.ts';
import { openHistoryOf } from '../../src/store/history.ts';
import { createLosses } from '../../src/store/losses.ts';
import type { History } from '../../src/store/store.ts';
import { FakeClock, START_AT } from '../support/fake-clock.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const SECOND = 1_000, MINUTE = 60_000, HOUR = 3_600_000, DAY = 86_400_000;

async function place(t: TestContext, keptTracks = 24) {
  const folder = await mkdtemp(join(tmpdir(), 'history-'));
  const clock = new FakeClock();
  const losses = createLosses();
  const opened: History[] = [];
  t.after(async () => { await Promise.all(opened.map((h) => h.close().catch(() => undefined))); await rm(folder, { recursive: true, force: true }); });
  return {
    folder, clock, losses,
    async open(instance = 'a1b2c3') { const h = await openHistoryOf({ folder, instance, clock, losses, keptTracks }); opened.push(h); return h; },
    lost: (): Record<string, number> => Object.fromEntries(losses.list().map((l) => [l.what, l.count])),
  };
}

/** '1 _ 3x2' → 1, missing, 3, 3. */
function notation(text: string): (number | undefined)[] {
  return text.split(' ').flatMap((word) => {
    const [value = '', times = '1'] = word.split('x');
    return Array.from({ length: Number(times) }, () => (value === '_' ? undefined : Number(value)));
  });
}

function feed(history: History, metric: MetricId, stepMs: number, from: number, text: string): void {
  notation(text).forEach((value, i) => { if (value !== undefined) history.write(stepMs, { at: from + i * stepMs, values: { [metric]: value } }); });
}

async function values(history: History, metric: MetricId, from: number, to: number, points: number, now: number): Promise<(number | null)[]> {
  return (await history.read({ metrics: [metric], from, to, points, now })).series[0]?.values ?? [];
}

test('a window gives what was written, gaps as null, on disk or waiting', async (t) => {
  const { open, clock } = await place(t);
  const history = await open();
  feed(history, 'site.cpu', SECOND, START_AT, '1 2 _ 4');
  await clock.advance(4 * SECOND);
  const read = (): Promise<Series> => history.read({ metrics: ['site.cpu', 'host.cpu'], from: START_AT, to: START_AT + 4 * SECOND, points: 100, now: clock.now() });
  const expected: Series = {
    stepMs: SECOND, from: START_AT, to: START_AT + 4 * SECOND, at: [0, 1, 2, 3, 4].map((s) => START_AT + s * SECOND),
    series: [{ metric: 'site.cpu', values: [1, 2, null, 4, null] }, { metric: 'host.cpu', values: [null, null, null, null, null] }],
  };
  assert.deepEqual(await read(), expected);
  await history.flush();
  assert.deepEqual(await read(), expected);
});

test('a later sample of an instant adds to the earlier one, waiting, on disk and after a restart', async (t) => {
  const { open, clock } = await place(t);
  let history = await open();
  history.write(SECOND, { at: START_AT + 400, values: { 'site.cpu': 5, 'host.cpu': 1 } });
  history.write(SECOND, { at: START_AT + 900, values: { 'http.requests': 7, 'host.cpu': 2 } });
  await history.flush();
  history.write(SECOND, { at: START_AT, values: { 'http.5xx': 3 } });
  await history.flush();
  await history.close();
  history = await open();
  history.write(SECOND, { at: START_AT, values: { 'http.4xx': 0 } });
  const expected = [[5], [2], [7], [3], [0], [null]];
  const metrics: MetricId[] = ['site.cpu', 'host.cpu', 'http.requests', 'http.5xx', 'http.4xx', 'http.2xx'];
  const read = async () => (await history.read({ metrics, from: START_AT, to: START_AT, points: 10, now: clock.now() })).series.map((s) => s.values);
  assert.deepEqual(await read(), expected);
  await history.flush();
  assert.deepEqual(await read(), expected);
});

test('what is not a number is missing, not zero', async (t) => {
  const { open, clock } = await place(t);
  const history = await open();
  history.write(SECOND, { at: START_AT, values: { 'site.cpu': NaN, 'host.cpu': Infinity, 'process.cpu': 4 } });
  await history.flush();
  const { series } = await history.read({ metrics: ['site.cpu', 'host.cpu', 'process.cpu'], from: START_AT, to: START_AT, points: 10, now: clock.now() });
  assert.deepEqual(series.map((s) => s.values), [[null], [null], [null]]);
});

test('the step of a window: the finest with so many points, a tier\'s own where it is near', () => {
  const now = START_AT;
  const table: readonly (readonly [string, number, number, number, number, number])[] = [
    // what, from before now, to before now, points → tier, step
    ['ten minutes', 10 * MINUTE, 0, 600, SECOND, SECOND],
    ['a quarter', 15 * MINUTE, 0, 600, SECOND, 2 * SECOND],
    ['an hour', HOUR, 0, 600, 10 * SECOND, 10 * SECOND],
    ['an hour in full', HOUR, 0, 3_600, SECOND, SECOND],
    ['a day', DAY, 0, 600, MINUTE, 3 * MINUTE],
    ['five days', 5 * DAY, 0, 600, MINUTE, 12 * MINUTE],
    ['older than all', 9 * DAY, 0, 1_000, MINUTE, 15 * MINUTE],
    ['a minute of yesterday', DAY + MINUTE, DAY, 600, MINUTE, MINUTE],
    ['a minute of three hours ago', 3 * HOUR + MINUTE, 3 * HOUR, 600, 10 * SECOND, 10 * SECOND],
    ['a year', 365 * DAY, 0, 100, MINUTE, 4 * DAY],
  ];
  for (const [what, before, until, points, tierMs, stepMs] of table) {
    const plan = planOf({ from: now - before, to: now - until, points, now });
    assert.deepEqual({ what, tier: plan.tier.stepMs, step: plan.stepMs }, { what, tier: tierMs, step: stepMs });
    assert.ok(plan.at.length <= points && plan.at.length > 0, what);
    assert.ok(plan.at.every((at) => at % stepMs === 0), what);
  }
});

test('a ragged window has its newest point and not one too many', () => {
  const plan = planOf({ from: START_AT - 600_000 + 123, to: START_AT + 123, points: 600, now: START_AT + 123 });
  assert.deepEqual([plan.stepMs, plan.at.length, plan.at.at(-1)], [SECOND, 600, START_AT]);
});

test('rows fold as the metric says', async (t) => {
  assert.deepEqual((['http.response-average', 'http.response-p50', 'http.response-p95', 'http.response-p99', 'http.response-max', 'http.requests', 'site.cpu'] as const).map(foldingOf), ['mean', 'mean', 'max', 'max', 'max', 'sum', 'mean']);
  const { open, clock } = await place(t);
  const history = await open();
  const table: readonly (readonly [MetricId, string, (number | null)[]])[] = [
    ['site.cpu', '10 20 _ 40 _x4', [15, 40, null, null]],            // mean of what is there
    ['http.requests', '1 2 _ 4 _x4', [3, 4, null, null]],            // sum
    ['host.memory-total', '8 9 _ 7 _x4', [9, 7, null, null]],        // max
    ['http.response-p95', '100 300 _ 50 _x4', [300, 50, null, null]],
    ['http.response-average', '100 300 _ 50 _x4', [200, 50, null, null]],
    ['host.disk-free', '0 0 _x2 0 _ _x2', [0, null, 0, null]],       // a zero is a value
  ];
  for (const [metric, text] of table) feed(history, metric, SECOND, START_AT, text);
  await clock.advance(8 * SECOND);
  for (const flushed of [false, true]) {
    if (flushed) await history.flush();
    for (const [metric, , expected] of table) assert.deepEqual(await values(history, metric, START_AT, START_AT + 7 * SECOND, 4, clock.now()), expected, metric);
  }
});

test('late values reach their slot for as long as its tier keeps it, and never one that was given to a newer instant', async (t) => {
  const { open, clock, lost } = await place(t);
  let history = await open();
  await clock.advance(3 * HOUR);
  const now = clock.now();
  history.write(SECOND, { at: now, values: { 'site.cpu': 1 } });
  history.write(SECOND, { at: now - HOUR + SECOND, values: { 'site.cpu': 2 } });       // the oldest that is kept
  history.write(SECOND, { at: now - HOUR, values: { 'site.cpu': 3 } });                // its place is now's
  await history.flush();
  await history.close();
  history = await open();
  history.write(SECOND, { at: now - HOUR, values: { 'site.cpu': 4 } });
  history.write(SECOND, { at: now - 2 * HOUR + SECOND, values: { 'site.cpu': 5 } });   // the place of the oldest
  await history.flush();
  const read = await values(history, 'site.cpu', now - HOUR, now, 3_600, now);
  assert.deepEqual([read.length, read[0], read.at(-1), read.filter((v) => v !== null).length], [3_600, 2, 1, 2]);
  assert.deepEqual(lost(), { 'rows too old for their tier of history': 3 });
});

test('a slot shows nothing of the lap before, whether nothing or another metric was written since', async (t) => {
  const { open: openIt, clock } = await place(t);
  const history = await openIt();
  feed(history, 'site.cpu', SECOND, START_AT, '1 2');
  await history.flush();
  await clock.advance(HOUR + SECOND);
  history.write(SECOND, { at: START_AT + HOUR + SECOND, values: { 'host.cpu': 3 } });
  const read = async (): Promise<(number | null)[][]> => (await history.read({ metrics: ['site.cpu', 'host.cpu'], from: START_AT + HOUR, to: clock.now(), points: 10, now: clock.now() })).series.map((x) => x.values);
  assert.deepEqual(await read(), [[null, null], [null, 3]]);
  await history.flush();
  assert.deepEqual(await read(), [[null, null], [null, 3]]);
});

test('a newer row on disk stays also when the file cannot say how new it is', async (t) => {
  const { folder, open: openIt, clock, lost } = await place(t);
  await clock.advance(3 * HOUR);
  const before = await openIt();
  before.write(SECOND, { at: clock.now(), values: { 'site.cpu': 1 } });
  await before.close();
  await overwrite(join(folder, SITE), 4_080, Buffer.alloc(16, 7));
  const history = await openIt();
  history.write(SECOND, { at: clock.now() - HOUR, values: { 'site.cpu': 2 } });
  await history.flush();
  assert.deepEqual(await values(history, 'site.cpu', clock.now(), clock.now(), 10, clock.now()), [1]);
  assert.deepEqual(lost(), { 'rows too old for their tier of history': 1 });
});

test('rows written while the clock was wrong do not block the place for ever', async (t) => {
  const { open, clock } = await place(t);
  const history = await open();
  history.write(SECOND, { at: clock.now() + 10 * DAY, values: { 'site.cpu': 99 } });
  await history.flush();
  await clock.advance(SECOND);
  history.write(SECOND, { at: START_AT, values: { 'site.cpu': 1 } });
  await history.flush();
  assert.deepEqual(await values(history, 'site.cpu', START_AT, START_AT, 10, clock.now()), [1]);
});

test('five days of seconds: files keep their size, memory stays flat, every tier holds its own and nothing older', async (t) => {
  const { folder, clock, open, lost } = await place(t);
  const days = 5;
  const history = await open();
  const worker = { pid: 4120, startedAt: START_AT };
  const value = (at: number): number => (at / SECOND) % 1_000_003;
  const sizes = new Set<string>();
  const heap: number[] = [];
  // Directly set: FakeClock.advance() yields to the loop at each step, which this test does itself.
  for (let at = START_AT; at < START_AT + days * DAY; at += SECOND) {
    for (const { stepMs } of TIERS) {
      if (at % stepMs !== 0) continue;
      history.write(stepMs, { at, values: { 'site.cpu': value(at), 'host.disk-free': 250_000_000_000 + value(at) } });
      history.write(stepMs, { at, process: worker, values: { 'process.working-set': value(at) + 0.5 } });
    }
    if (at % (5 * MINUTE) !== 0) continue;
    await history.flush();
    if (at % (6 * HOUR) !== 0) continue;
    sizes.add((await Promise.all((await readdir(folder)).sort().map(async (n) => `${n} ${(await stat(join(folder, n))).size}`))).join());
    collect();
    heap.push(process.memoryUsage().heapUsed + process.memoryUsage().external);
  }
  await history.flush();
  await clock.advance(days * DAY);
  const now = START_AT + days * DAY - SECOND;
  assert.equal(sizes.size, 1, [...sizes].join('\n'));
  for (const { stepMs, keptMs } of TIERS) {
    const from = Math.ceil((now - keptMs + stepMs) / stepMs) * stepMs;
    const read = await history.read({ metrics: ['site.cpu', 'host.disk-free'], from, to: now, points: keptMs / stepMs, now });
    assert.equal(read.stepMs, stepMs);
    read.at.forEach((at, i) => { assert.deepEqual([read.series[0]?.values[i], read.series[1]?.values[i]], [value(at), 250_000_000_000 + value(at)]); });
    const ofWorker = await history.read({ metrics: ['process.working-set'], process: worker, from, to: now, points: keptMs / stepMs, now });
    ofWorker.at.forEach((at, i) => { assert.equal(ofWorker.series[0]?.values[i], value(at) + 0.5); });
  }
  assert.ok((await values(history, 'site.cpu', START_AT - 5 * DAY, START_AT - HOUR, 600, now)).every((v) => v === null));
  // A day in memory would be 86,400 rows of 230 bytes, 20 MB. The first day is left out: V8 compiles what has become hot, 1 MB of it in Node 20 and 6 MB in Node 24, and lets most of it go again.
  const [second, last] = [Math.max(...heap.slice(4, 8)), Math.max(...heap.slice(-4))];
  assert.ok(last < second + 2_000_000, `memory went from ${second} to ${last}: ${heap.join(' ')}`);
  assert.deepEqual(lost(), {});
});

test('processes: the window says whose history there is; the one that ended first gives place, the living ones do not', async (t) => {
  const { folder, clock, open, lost } = await place(t, 3);
  let history = await open();
  const key = (pid: number) => ({ pid, startedAt: START_AT + pid });
  const write = (pid: number): void => { history.write(SECOND, { at: clock.now(), process: key(pid), values: { 'process.cpu': pid } }); };
  for (const pid of [1, 2, 3, 4]) write(pid);                                // 4 finds all places taken by the living
  await history.flush();
  assert.deepEqual((await history.tracks(START_AT, clock.now() + MINUTE)).map((p) => p.pid), [1, 2, 3]);
  await clock.advance(MINUTE);
  write(2);
  write(3);
  write(5);                                                                  // 1 has ended
  await history.flush();
  await history.close();
  history = await open();
  assert.deepEqual((await history.tracks(START_AT, clock.now())).map((p) => p.pid).sort((a, b) => a - b), [2, 3, 5]);
  assert.deepEqual((await history.tracks(clock.now() + MINUTE, clock.now() + HOUR)), []);
  assert.deepEqual((await readdir(folder)).filter((n) => n !== 'site.history').sort(), [2, 3, 5].map((pid) => `p${pid}-${START_AT + pid}.history`));
  assert.deepEqual(await history.read({ metrics: ['process.cpu'], process: key(5), from: clock.now(), to: clock.now(), points: 10, now: clock.now() }), { stepMs: SECOND, from: clock.now(), to: clock.now(), at: [clock.now()], series: [{ metric: 'process.cpu', process: key(5), values: [5] }] });
  assert.deepEqual((await history.read({ metrics: ['process.cpu'], process: { pid: 5, startedAt: 1 }, from: clock.now(), to: clock.now(), points: 10, now: clock.now() })).series[0]?.values, [null]);
  assert.deepEqual(lost(), { 'samples of processes beyond the 3 with a history': 1, 'histories of ended processes that gave place to newer ones': 1 });
});

test('a restart knows the newest instants, also after a kill', async (t) => {
  const { clock, open } = await place(t);
  const first = await open();
  const worker = { pid: 7, startedAt: START_AT };
  for (let s = 0; s < 90; s += 1) {
    first.write(SECOND, { at: START_AT + s * SECOND, process: worker, values: { 'process.cpu': s } });
    if (s % 10 === 9) await first.flush();
  }
  await clock.advance(90 * SECOND);
  const second = await open();                                               // the first was never closed
  assert.deepEqual(await second.tracks(START_AT + 89 * SECOND, clock.now()), [worker]);
  assert.deepEqual(await second.tracks(START_AT + 90 * SECOND, clock.now()), []);
});

const SITE = 'site.history';
/** What was done to the file → what is lost, and whether the rest is still there. */
const DAMAGES: readonly { readonly what: string; readonly harm: (path: string) => Promise<void>; readonly lost: Record<string, number>; readonly left: (number | null)[] }[] = [
  { what: 'a header of zeros', harm: (path) => overwrite(path, 0, Buffer.alloc(64)), lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'one wrong letter in the header', harm: (path) => overwrite(path, 40, Buffer.from('#')), lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'a cut file', harm: (path) => truncate(path, 100_000), lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'an empty file', harm: (path) => truncate(path, 0), lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'a folder in its place', harm: async (path) => { await rm(path); await mkdir(path); }, lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'a pipe in its place', harm: async (path) => { await rm(path); execFileSync('mkfifo', [path]); }, lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'another file', harm: (path) => writeFile(path, '{"not":"ours"}'), lost: { 'files of history that were damaged': 1 }, left: [null, null, null] },
  { what: 'a torn row', harm: (path) => overwrite(path, rowAt(START_AT + SECOND) + 20, Buffer.alloc(40)), lost: { 'rows of history that were damaged': 1 }, left: [1, null, 3] },
  { what: 'a damaged word about the newest row', harm: (path) => overwrite(path, 4_080, Buffer.from([1, 2, 3])), lost: {}, left: [1, 2, 3] },
];

function rowAt(slot: number): number {
  const layout = layoutOf(wantedHeader('a1b2c3', undefined));
  const tier = layout.tiers[0];
  assert.ok(tier);
  return tier.offset + positionOf(tier, slot) * layout.rowBytes;
}

async function overwrite(path: string, at: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, at);
  await file.close();
}

for (const { what, harm, lost: expectedLoss, left } of DAMAGES) {
  test(`damage is counted and never a crash: ${what}`, async (t) => {
    const { folder, clock, open: openIt, lost } = await place(t);
    const before = await openIt();
    feed(before, 'site.cpu', SECOND, START_AT, '1 2 3');
    await before.close();
    await harm(join(folder, SITE));
    await clock.advance(10 * SECOND);
    const history = await openIt();
    for (let twice = 0; twice < 2; twice += 1) assert.deepEqual(await values(history, 'site.cpu', START_AT, START_AT + 2 * SECOND, 10, clock.now()), left);
    assert.deepEqual(lost(), expectedLoss);
    assert.equal((await readdir(folder)).includes(`${SITE}.damaged`), 'files of history that were damaged' in expectedLoss);
    history.write(SECOND, { at: START_AT + SECOND, values: { 'site.cpu': 9 } });
    await history.flush();
    assert.deepEqual((await values(history, 'site.cpu', START_AT + SECOND, START_AT + SECOND, 10, clock.now())), [9]);
  });
}

test('a file that the disk does not give is counted, and keeps nobody from the start', async (t) => {
  const { folder, clock, open: openIt, lost } = await place(t);
  const before = await openIt();
  feed(before, 'site.cpu', SECOND, START_AT, '1 2 3');
  await before.close();
  await symlink('p1-2.history', join(folder, 'p1-2.history'));
  await mkdir(join(folder, 'left.history.tmp'));
  const history = await openIt();
  assert.deepEqual(await values(history, 'site.cpu', START_AT, START_AT + 2 * SECOND, 10, clock.now()), [1, 2, 3]);
  assert.deepEqual(lost(), { 'files of history that cannot be read': 2 });
});

test('a file damaged while we run is set aside at the next write after a rest', async (t) => {
  const { folder, clock, open: openIt, lost } = await place(t);
  const history = await openIt();
  feed(history, 'site.cpu', SECOND, START_AT, '1');
  await history.flush();
  await clock.advance(5 * MINUTE);
  await history.flush();                                                     // rests: the file is closed
  await truncate(join(folder, SITE), 10);
  history.write(SECOND, { at: clock.now(), values: { 'site.cpu': 2 } });
  await history.flush();
  assert.deepEqual(await values(history, 'site.cpu', clock.now(), clock.now(), 10, clock.now()), [2]);
  assert.deepEqual(lost(), { 'files of history that were damaged': 1 });
});

test('a file of an older version, with fewer columns, is read as it is and grows when it is written', async (t) => {
  const { folder, clock, open: openIt, lost } = await place(t);
  const wanted = wantedHeader('a1b2c3', undefined);
  const old = layoutOf({ ...wanted, metrics: ['host.cpu', 'site.cpu'] });
  const bytes = Buffer.alloc(old.fileBytes);
  encodeHeader(old.header).copy(bytes);
  await writeFile(join(folder, SITE), bytes);
  const older = await openOld(folder, old.header.metrics);
  await older(START_AT, [11, 12]);
  let history = await openIt();
  const read = async (): Promise<(number | null)[][]> => (await history.read({ metrics: ['site.cpu', 'host.cpu', 'http.requests'], from: START_AT, to: START_AT, points: 10, now: clock.now() })).series.map((s) => s.values);
  assert.deepEqual(await read(), [[12], [11], [null]]);
  history.write(SECOND, { at: START_AT, values: { 'http.requests': 13 } });
  assert.deepEqual(await read(), [[12], [11], [13]]);
  await history.flush();
  assert.deepEqual(await read(), [[12], [11], [13]]);
  await history.close();
  history = await openIt();
  assert.deepEqual(await read(), [[12], [11], [13]]);
  assert.equal((await stat(join(folder, SITE))).size, layoutOf(wanted).fileBytes);
  assert.deepEqual(lost(), {});
});

test('a file of a newer version, with more columns, keeps what we do not know', async (t) => {
  const { folder, clock, open: openIt } = await place(t);
  const wanted = wantedHeader('a1b2c3', undefined);
  const newer = layoutOf({ ...wanted, metrics: [...wanted.metrics, 'site.of-tomorrow'] });
  const bytes = Buffer.alloc(newer.fileBytes);
  encodeHeader(newer.header).copy(bytes);
  await writeFile(join(folder, SITE), bytes);
  const write = await openOld(folder, newer.header.metrics);
  await write(START_AT, newer.header.metrics.map((_, i) => i));
  const history = await openIt();
  history.write(SECOND, { at: START_AT, values: { 'site.cpu': 77 } });
  await history.close();
  const { openHistory } = await import('../../src/store/history-file.ts');
  const { valueAt, slotAt } = await import('../../src/store/history-layout.ts');
  const file = await openHistory(join(folder, SITE), 'r');
  assert.ok(typeof file !== 'string' && file.layout.tiers[0]);
  const row = Buffer.alloc(newer.rowBytes);
  await file.read(file.layout.tiers[0], positionOf(file.layout.tiers[0], START_AT), row);
  await file.close();
  assert.equal(slotAt(row, 0, newer.rowBytes), START_AT);
  assert.deepEqual([valueAt(row, 0, wanted.metrics.indexOf('site.cpu')), valueAt(row, 0, wanted.metrics.length)], [77, wanted.metrics.length]);
  assert.equal(clock.now(), START_AT);
});

/** Writes rows of the first tier with a layout of another version. */
async function openOld(folder: string, columns: readonly string[]) {
  const { encodeRow } = await import('../../src/store/history-layout.ts');
  const layout = layoutOf({ ...wantedHeader('a1b2c3', undefined), metrics: [...columns] });
  const tier = layout.tiers[0];
  assert.ok(tier);
  return async (slot: number, row: number[]): Promise<void> => {
    const buffer = Buffer.alloc(layout.rowBytes);
    encodeRow(buffer, 0, slot, Float64Array.from(row));
    await overwrite(join(folder, SITE), tier.offset + positionOf(tier, slot) * layout.rowBytes, buffer);
  };
}

test('rows that the disk does not take wait, and are refused and counted beyond the bound', async (t) => {
  const { folder, clock, open: openIt, lost } = await place(t);
  const history = await openIt();
  await rm(folder, { recursive: true });
  feed(history, 'site.cpu', SECOND, START_AT, '1 2');
  await assert.rejects(history.flush(), { code: 'ENOENT' });
  history.write(SECOND, { at: START_AT, values: { 'host.cpu': 5 } });
  await assert.rejects(history.flush(), { code: 'ENOENT' });
  await clock.advance(DAY);
  for (let i = 0; i < 20_000; i += 1) history.write(10 * SECOND, { at: START_AT + i * 10 * SECOND, values: { 'site.cpu': 3 } });
  assert.deepEqual(lost(), { 'rows of history that the disk did not take in time': 2 });
  const { mkdir } = await import('node:fs/promises');
  await mkdir(folder);
  await history.flush();
  assert.deepEqual((await history.read({ metrics: ['site.cpu', 'host.cpu'], from: START_AT, to: START_AT + SECOND, points: 10, now: START_AT + SECOND })).series.map((s) => s.values), [[1, 2], [5, null]]);
});
