// Owns what happens to damaged snapshots: a clear refusal, or a partial result that says so; never a crash.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiagError } from '../../../src/shared/errors.ts';
import { graphOf } from './ours.ts';
import { mutated, outcome } from './mutate.ts';
import { randomHeap, trackedHeap } from './random-heap.ts';

const { text } = randomHeap(8, 120);
const unreadable = (why: RegExp) => (error: unknown): boolean => error instanceof DiagError && error.code === 'HEAP_UNREADABLE' && why.test(String(error.facts['why']));

test('what is no heap snapshot is refused with the reason', async () => {
  await assert.rejects(graphOf(''), unreadable(/it is empty/));
  await assert.rejects(graphOf('hello'), unreadable(/does not begin as JSON/));
  await assert.rejects(graphOf('{"a":1}'), unreadable(/has no nodes/));
  await assert.rejects(graphOf('{"snapshot":{"meta":{}}}'), unreadable(/node_fields/));
  await assert.rejects(graphOf('{"nodes":[1,2]}'), unreadable(/before its header/));
  await assert.rejects(graphOf(text.replace('"node_count":120', '"node_count":-1')), unreadable(/node_count/));
});

test('a snapshot that was cut off says where; inside its strings it is read, and says that names are missing', async () => {
  await assert.rejects(graphOf(text.slice(0, text.indexOf('"nodes"') + 200)), unreadable(/ends after \d+ bytes inside its nodes/));
  await assert.rejects(graphOf(text.slice(0, text.indexOf('"edges"') + 200)), unreadable(/ends after \d+ bytes inside its edges/));
  const { nodeCount, notes } = await graphOf(text.slice(0, text.indexOf('"Session"')));
  assert.equal(nodeCount, 120);
  assert.match(notes.join(), /ends inside its strings/);
});

test('a header that claims more than the file can hold takes no memory for it', async () => {
  const { nodeCount, notes } = await graphOf(text.replace('"node_count":120', '"node_count":4000000000'));
  assert.equal(nodeCount, 120);
  assert.match(notes.join(), /promises 4000000000 nodes, 120 are there/);
});

test('edges that lead nowhere are counted, and hold nothing', async () => {
  const at = text.indexOf('"edges":[') + 9;
  const { notes } = await graphOf(`${text.slice(0, at)}1,1,99999999\n${text.slice(text.indexOf('\n', at))}`);
  assert.match(notes.join(), /1 edges lead nowhere/);
});

test('calls that made objects are read with their callers; a tree that does not end, or is too deep, ends in what was read', async () => {
  const tracked = trackedHeap(8, 120);
  const stacks = async (own: string): Promise<(readonly number[] | undefined)[]> => { const { allocations } = await graphOf(own, 61); return [1, 2, 3, 4, 9].map((id) => (allocations === undefined ? undefined : [...allocations.calls.stack(id)])); };
  assert.deepEqual(await stacks(tracked), [[0], [1, 0], [0, 1, 0], [1, 0], []]);
  assert.deepEqual((await stacks(tracked.replace('"trace_tree":[1', `"trace_tree":[${'[1,0,0,0,'.repeat(20_000)}${']'.repeat(20_000)},1`)))[4], []);
  assert.deepEqual(await stacks(text), [undefined, undefined, undefined, undefined, undefined]);
});

test('two hundred mutated snapshots each end in a report or a refusal', async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) ends.add(await outcome(mutated(seed % 4 === 0 ? trackedHeap(8, 120) : text, seed)));
  assert.deepEqual([...ends].sort(), ['partial', 'refused', 'whole']);
});
