// Owns the tests of the guard of heap snapshots: what is predicted, what is refused, and that near a memory limit the app always lives.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { predictSnapshot, refusal, sayPrediction, type HeapFacts } from '../../src/analyze/heap-guard.ts';
import { guardedSnapshot } from '../../src/analyze/heap-snapshot.ts';
import { snapshotShape } from '../../src/platform/node-heap.ts';
import { makeMemoryGroup, snapshotsNearLimit } from '../support/memory-group.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import { waitFor } from '../support/wait.ts';

const MB = 1_000_000;
const never = new AbortController().signal;
let real: RealPlatform;
before(async () => { real = await realPlatform(); });
after(() => real.close());

test('the prediction grows with the small objects, hardly with the large ones, and is said in words', () => {
  const small = predictSnapshot({ usedBytes: 100 * MB, largeBytes: 0, limitBytes: 0 }, true);
  const large = predictSnapshot({ usedBytes: 100 * MB, largeBytes: 90 * MB, limitBytes: 0 }, true);
  const streamed = predictSnapshot({ usedBytes: 100 * MB, largeBytes: 0, limitBytes: 0 }, false);
  assert.ok(small.stopMs > 5_000 && small.stopMs < 12_000 && small.peakBytes > 1e9 && small.peakAtMostBytes > small.peakBytes);
  assert.ok(large.stopMs < small.stopMs / 4 && large.peakBytes < small.peakBytes / 4);
  for (const one of [small, large, streamed]) assert.ok(one.stopAtLeastMs <= one.stopMs && one.stopMs <= one.stopAtMostMs && one.peakAtLeastBytes <= one.peakBytes && one.peakBytes <= one.peakAtMostBytes, JSON.stringify(one));
  assert.ok(streamed.peakBytes > small.peakBytes && streamed.stopMs > small.stopMs);
  assert.match(sayPrediction(small), /^a snapshot of a heap of 95\.4 MiB stops the app for about 7\.\d+ s \(\d+ ms to 12\.\d+ s, as its objects are\) and needs about 1\.\d+ GiB more memory \(51\.7 MiB to 1\.\d+ GiB\)$/);
});

/** As `scripts/bench/predictions.ts` measured them on Node 20: what was seen of the heap, then milliseconds of processor and bytes of peak. */
const RECORDED: readonly (readonly [shape: string, facts: HeapFacts, cpuMs: number, peakBytes: number])[] = [
  ['objects', { usedBytes: 93349544, largeBytes: 4899208, limitBytes: 0, density: { objects: 0.0286, references: 0.0307, strings: 0.00485, internalized: 0.000031, characters: 0.0362, largeReferences: 507175, longestArray: 507175, walkedBytes: 10220664, lostBytes: 31848 } }, 9995, 1390321664],
  ['parsed JSON', { usedBytes: 85453568, largeBytes: 2322928, limitBytes: 0, density: { objects: 0.0325, references: 0.0343, strings: 0.00519, internalized: 0.00514, characters: 0.0404, largeReferences: 193196, longestArray: 193196, walkedBytes: 10173976, lostBytes: 47928 } }, 17584, 1645645824],
  ['strings', { usedBytes: 81202416, largeBytes: 15912824, limitBytes: 0, density: { objects: 0.0208, references: 0.000369, strings: 0.0207, internalized: 0.0000359, characters: 0.656, largeReferences: 1342112, longestArray: 1342112, walkedBytes: 10226680, lostBytes: 24968 } }, 8099, 2083389440],
  ['closures', { usedBytes: 86505616, largeBytes: 7217864, limitBytes: 0, density: { objects: 0.0215, references: 0.0578, strings: 0.00576, internalized: 0.000548, characters: 0.0521, largeReferences: 592235, longestArray: 592235, walkedBytes: 10203736, lostBytes: 19736 } }, 6867, 1322844160],
  ['maps', { usedBytes: 93101280, largeBytes: 669016, limitBytes: 0, density: { objects: 0.0179, references: 0.0221, strings: 0.00859, internalized: 0, characters: 0.0666, largeReferences: 41320, longestArray: 41320, walkedBytes: 9840560, lostBytes: 0 } }, 5062, 701378560],
  ['sets', { usedBytes: 91607408, largeBytes: 872576, limitBytes: 0, density: { objects: 0.0187, references: 0.0179, strings: 0.0168, internalized: 0.000012, characters: 0.132, largeReferences: 71531, longestArray: 71531, walkedBytes: 10223984, lostBytes: 54552 } }, 5462, 643178496],
  ['maps of numbers', { usedBytes: 89244808, largeBytes: 669016, limitBytes: 0, density: { objects: 0.00196, references: 0.00281, strings: 0.0000663, internalized: 0.0000349, characters: 0.00106, largeReferences: 44498, longestArray: 44498, walkedBytes: 10082168, lostBytes: 81016 } }, 642, 77189120],
  ['one large map', { usedBytes: 73961736, largeBytes: 29622328, limitBytes: 0, density: { objects: 0.0349, references: 0.00105, strings: 0.0175, internalized: 0.0000347, characters: 0.134, largeReferences: 1377153, longestArray: 1377153, walkedBytes: 9927824, lostBytes: 35592 } }, 7626, 2245783552],
  ['small integers', { usedBytes: 99968376, largeBytes: 533312, limitBytes: 0, density: { objects: 0.000359, references: 0.0000481, strings: 0, internalized: 0, characters: 0, largeReferences: 29656, longestArray: 29656, walkedBytes: 10294192, lostBytes: 768 } }, 448, 44191744],
  ['doubles', { usedBytes: 92173224, largeBytes: 533312, limitBytes: 0, density: { objects: 0.000819, references: 0.000923, strings: 0.0000286, internalized: 0, characters: 0.000556, largeReferences: 27537, longestArray: 27537, walkedBytes: 10226976, lostBytes: 20544 } }, 410, 40583168],
  ['large arrays', { usedBytes: 82912880, largeBytes: 80265360, limitBytes: 0, density: { objects: 0.0152, references: 0.0346, strings: 0.00384, internalized: 0.00336, characters: 0.0609, largeReferences: 0, longestArray: 0, walkedBytes: 1702800, lostBytes: 239160 } }, 192, 2961408],
  ['long strings', { usedBytes: 99601400, largeBytes: 533312, limitBytes: 0, density: { objects: 0.000252, references: 0.00000751, strings: 0.000249, internalized: 2.93e-7, characters: 0.255, largeReferences: 23301, longestArray: 23301, walkedBytes: 10247360, lostBytes: 1248 } }, 737, 44838912],
  ['buffers', { usedBytes: 4948848, largeBytes: 262160, limitBytes: 0, density: { objects: 0.0124, references: 0.0211, strings: 0.00175, internalized: 0.00153, characters: 0.0278, largeReferences: 0, longestArray: 0, walkedBytes: 3672872, lostBytes: 234576 } }, 321, 44003328],
  ['mixed', { usedBytes: 89395624, largeBytes: 872576, limitBytes: 0, density: { objects: 0.00809, references: 0.00925, strings: 0.00272, internalized: 0.000517, characters: 0.0228, largeReferences: 71531, longestArray: 71531, walkedBytes: 10105728, lostBytes: 82024 } }, 3457, 312614912],
];
/** With few objects, whose cost is that of an empty process and of what the collection gives back. */
const SMALL = ['maps of numbers', 'small integers', 'doubles', 'large arrays', 'long strings'];

test('what the heap is made of tells stop and peak within 30 % where they matter, and within the told ends everywhere', () => {
  for (const [shape, facts, cpuMs, peakBytes] of RECORDED) {
    const told = predictSnapshot(facts, true);
    const said = `${shape}: stop ${(told.stopMs / cpuMs).toFixed(2)}, peak ${(told.peakBytes / peakBytes).toFixed(2)}`;
    assert.ok(told.stopAtLeastMs <= cpuMs && cpuMs <= told.stopAtMostMs && told.peakAtLeastBytes <= peakBytes && peakBytes <= told.peakAtMostBytes, said);
    if (!SMALL.includes(shape)) assert.ok(Math.abs(told.stopMs / cpuMs - 1) < 0.3 && Math.abs(told.peakBytes / peakBytes - 1) < (shape === 'sets' ? 0.36 : 0.3), said);
  }
});

test('what does not fit, or cannot be known to fit, is refused with its figures', () => {
  const prediction = predictSnapshot({ usedBytes: 100 * MB, largeBytes: 0, limitBytes: 0 }, true);
  assert.equal(refusal(prediction, 8 * 2 ** 30), undefined);
  assert.match(refusal(prediction, 2 ** 30) ?? '', /would need about 1\.\d+ GiB more memory for a heap of 95\.4 MiB, up to 1\.\d+ GiB, and 1 GiB are left/);
  assert.match(refusal(prediction, undefined) ?? '', /nobody tells/);
});

test('a file that is cut, or is something else, is no snapshot', () => {
  const head = '{"snapshot":{"meta":{"node_fields":[]},"node_count":3,"edge_count":7}';
  assert.deepEqual(snapshotShape(head, '"a","b"]}'), { nodes: 3, edges: 7 });
  assert.throws(() => snapshotShape(head, '"a","b"'), /its end is missing/);
  assert.throws(() => snapshotShape('<html>', '"b"]}'), /does not begin/);
});

test('a cancelled snapshot leaves no file, and the process lives', async () => {
  const victim = await real.victim();
  await victim.do('objects', { count: 80_000 });
  const target = await waitFor('the victim in the list', async () => (await real.platform.processes(never)).find(({ pid }) => pid === victim.pid));
  const abort = new AbortController();
  const { temp } = real.platform.host.folders;
  const taking = guardedSnapshot({ platform: real.platform, target, file: join(temp, 'cut.heapsnapshot'), signal: abort.signal, demand: async () => undefined, progress: (note) => { if (note.includes('written')) abort.abort(); } });
  await assert.rejects(taking, { code: 'CANCELLED' });
  assert.deepEqual(await readdir(temp), []);
  assert.equal((await victim.do('print')).did, 'print');
});

test('near a memory limit snapshots are refused or succeed, and the process lives through all of them', async (t) => {
  const group = makeMemoryGroup('heap-guard');
  if (group === undefined) { t.skip('SKIPPED: no memory group of version 1 can be made here'); return; }
  const victim = await real.victim();
  try {
    // The long form is scripts/soak-memory-limit.ts.
    const outcomes = await snapshotsNearLimit(real.platform, victim, group, 10);
    t.diagnostic(JSON.stringify(outcomes));
    assert.ok((outcomes['taken'] ?? 0) > 0 && (outcomes['refused'] ?? 0) > 0, JSON.stringify(outcomes));
    assert.equal(group.killed(), 0);
  } finally {
    await victim.stop();
    await group.remove();
  }
});
