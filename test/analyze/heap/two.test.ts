// Owns the proof that two threads make the very report that one makes, and leave to one what is odd.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { heapReportByTwo } from '../../../src/analyze/heap/by-two.ts';
import { heapReport } from '../../../src/analyze/heap/report.ts';
import { SecondThread } from '../../../src/analyze/heap/second.ts';
import { startHeapThread } from '../../../src/analyze/heap/thread-start.ts';
import { HEAPS, randomHeap, trackedHeap } from './random-heap.ts';

let folder: string;
let second: SecondThread;
before(async () => { folder = await mkdtemp(join(tmpdir(), 'heap-two-')); second = new SecondThread(startHeapThread('second')); });
after(async () => { await second.end(); await rm(folder, { recursive: true, force: true }); });

async function written(name: string, text: string): Promise<string> {
  const path = join(folder, `${name}.heapsnapshot`);
  await writeFile(path, text);
  return path;
}

test('two threads make the report of one: odd heaps, a tracked one, and one beside an earlier one', async () => {
  for (const [seed, nodes, detached] of HEAPS) {
    const path = await written(`${seed}`, randomHeap(seed, nodes, detached).text);
    assert.deepEqual(await heapReportByTwo({ path }, {}, second), heapReport({ path }));
  }
  const path = await written('tracked', trackedHeap(2, 300));
  assert.deepEqual(await heapReportByTwo({ path }, {}, second), heapReport({ path }));
  const order = { path: await written('later', randomHeap(5, 3_000).text), bases: [await written('earlier', randomHeap(4, 1_000).text)] };
  const both = heapReport(order);
  assert.ok(both.growth !== undefined);
  assert.deepEqual(await heapReportByTwo(order, {}, second), both);
});

test('what is odd is left to one thread: another layout, damage, an order that V8 does not write', async () => {
  const { text } = randomHeap(8, 120);
  const [, nodes = '', edges = '', rest = ''] = /("nodes":\[[^\]]*\]),\n("edges":\[[^\]]*\])([^]*)/.exec(text) ?? [];
  const head = text.slice(0, text.indexOf('"nodes"'));
  const odd = {
    spaced: text.replace('"edges":[', '"edges": ['),
    edgesFirst: `${head}${edges},\n${nodes}${rest}`,
    nowhere: text.replace(/"edges":\[(\d+),(\d+),\d+/, '"edges":[$1,$2,7'),
    shorter: text.replace(/"edges":\[\d+,\d+,\d+\n,/, '"edges":['),
    strange: text.replace(/"edges":\[/, '"edges":[x'),
    ended: text.replace(/\],\n"trace_function_infos"/, '] } ,\n"trace_function_infos"'),
    cut: text.slice(0, text.indexOf('"edges"') + 200),
    claims: text.replace('"node_count":120', '"node_count":121'),
  };
  for (const [name, own] of Object.entries(odd)) {
    assert.notEqual(own, text, name);
    assert.equal(await heapReportByTwo({ path: await written(name, own) }, {}, second), undefined, name);
  }
});

test('a second thread that is gone is an error, not a wait', async () => {
  const path = await written('gone', randomHeap(8, 120).text);
  const gone = new SecondThread(startHeapThread('second'));
  const reading = heapReportByTwo({ path }, {}, gone);
  await Promise.all([gone.end(), assert.rejects(reading, /ended with/)]);
  await assert.rejects(heapReportByTwo({ path }, {}, gone), /ended with/);
});
