// Owns what a heap report has in it: the promised fields, from a thread, and the findings made of it.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { heapSnapshot } from '../../../src/analyze/analyzers/heap-snapshot.ts';
import { heapReportInThread } from '../../../src/analyze/heap/thread.ts';
import { readerOf } from '../../../src/analyze/readers.ts';
import { HeapReport } from '../../../src/shared/heap.ts';
import { randomHeap } from './random-heap.ts';

async function withFile(text: string, use: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heap-'));
  try {
    const path = join(folder, 'a.heapsnapshot');
    await writeFile(path, text);
    await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
const reader = (path: string) => readerOf({ path, ref: { session: '20261121-021407-abcd', instance: 'i', kind: 'heap-snapshot', name: 'a.heapsnapshot', bytes: 1, sha256: '0'.repeat(64) } });

test('a report made in a thread keeps its contract, and its sums are those of the heap', async () => {
  await withFile(randomHeap(4, 1_000).text, async (path) => {
    const report = HeapReport.parse(await heapReportInThread({ path }, new AbortController().signal));
    assert.equal(report.nodes, 1_000);
    assert.equal(report.classes.reduce((sum, one) => sum + one.shallow, 0), report.bytes);
    assert.ok(report.largest.every((one, i) => i === 0 || one.retained <= (report.largest[i - 1]?.retained ?? 0)));
    assert.ok(report.largest.every((one) => one.path.at(-1)?.id === one.id));
  });
});

test('the findings of a heap: a summary with its classes; of a damaged file that it cannot be read', async () => {
  await withFile(randomHeap(4, 1_000).text, async (path) => {
    const findings = await heapSnapshot.analyze({ 'heap-snapshot': [reader(path)] }, { window: { from: 0, to: 1 } }, new AbortController().signal);
    assert.equal(findings.find((one) => one.id === 'heap-summary')?.title.endsWith('in 1,000 objects'), true);
  });
  await withFile('{"snapshot":', async (path) => {
    const [finding] = await heapSnapshot.analyze({ 'heap-snapshot': [reader(path)] }, { window: { from: 0, to: 1 } }, new AbortController().signal);
    assert.deepEqual([finding?.id, finding?.severity], ['heap-not-read', 'cannot-tell']);
  });
});

test('an abort ends the thread at once', async () => {
  await withFile(randomHeap(4, 1_000).text, async (path) => {
    const stop = new AbortController();
    const reading = heapReportInThread({ path }, stop.signal);
    stop.abort(new Error('enough'));
    await assert.rejects(reading, /enough/);
  });
});
