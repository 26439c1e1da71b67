// Owns the tests of the guard of heap snapshots: what is predicted, what is refused, and that near a memory limit the app always lives.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { predictSnapshot, refusal, sayPrediction } from '../../src/analyze/heap-guard.ts';
import { guardedSnapshot } from '../../src/analyze/heap-snapshot.ts';
import { snapshotShape } from '../../src/platform/node-heap.ts';
import { DiagError } from '../../src/shared/errors.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import { waitFor } from '../support/wait.ts';

const MB = 1_000_000;
const MIB = 2 ** 20;
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
  assert.ok(streamed.peakBytes > small.peakBytes && streamed.stopMs > small.stopMs);
  assert.match(sayPrediction(small), /^a snapshot of a heap of 95\.4 MiB stops the app for about 7\.\d+ s and needs about 1\.\d+ GiB more memory$/);
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
  await victim.do('objects', { count: 300_000 });
  const target = await waitFor('the victim in the list', async () => (await real.platform.processes(never)).find(({ pid }) => pid === victim.pid));
  const abort = new AbortController();
  const { temp } = real.platform.host.folders;
  const taking = guardedSnapshot({ platform: real.platform, target, file: join(temp, 'cut.heapsnapshot'), signal: abort.signal, demand: async () => undefined, progress: (note) => { if (note.includes('written')) abort.abort(); } });
  await assert.rejects(taking, { code: 'CANCELLED' });
  assert.deepEqual(await readdir(temp), []);
  assert.equal((await victim.do('print')).did, 'print');
});

const GROUPS = '/sys/fs/cgroup/memory';
const ATTEMPTS = 50;

/** A memory group of version 1 for one test. */
function makeGroup(): string | undefined {
  const path = join(GROUPS, `diag-heap-guard-${process.pid}`);
  try {
    if (!existsSync(join(GROUPS, 'memory.limit_in_bytes'))) return undefined;
    mkdirSync(path);
    return path;
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].includes(String(error.code))) return undefined;
    throw error;
  }
}

test(`near a memory limit ${ATTEMPTS} attempts are refused or succeed, and the process lives through all of them`, async (t) => {
  const group = makeGroup();
  if (group === undefined) { t.skip('SKIPPED: no memory group of version 1 can be made here'); return; }
  const victim = await real.victim();
  try {
    writeFileSync(join(group, 'cgroup.procs'), String(victim.pid));
    writeFileSync(join(group, 'memory.limit_in_bytes'), String(400 * MIB));
    const target = await waitFor('the victim in the list', async () => (await real.platform.processes(never)).find(({ pid }) => pid === victim.pid));
    const outcomes = { taken: 0, refused: 0 };
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await victim.do('objects', { count: 6_000 });
      try {
        await guardedSnapshot({ platform: real.platform, target, file: join(real.platform.host.folders.temp, `${attempt}.heapsnapshot`), signal: never, demand: async () => undefined, progress: () => undefined });
        outcomes.taken += 1;
      } catch (error) {
        assert.equal(error instanceof DiagError ? error.code : error, 'HEAP_SNAPSHOT_REFUSED');
        outcomes.refused += 1;
      }
      assert.equal((await victim.do('print')).did, 'print', `the process after attempt ${attempt}`);
    }
    t.diagnostic(`${outcomes.taken} taken, ${outcomes.refused} refused`);
    assert.ok(outcomes.taken > 0 && outcomes.refused > 0, JSON.stringify(outcomes));
    assert.match(readFileSync(join(group, 'memory.oom_control'), 'utf8'), /oom_kill 0/);
  } finally {
    await victim.stop();
    await waitFor('the group to be empty', () => readFileSync(join(group, 'cgroup.procs'), 'utf8') === '');
    rmdirSync(group);
  }
});
