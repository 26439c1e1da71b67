// Owns the proof that our heap numbers are Chrome's: digests made by DevTools' own engine (scripts/heap-golden.ts) over made-up heaps of every odd kind.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { calculate } from '../../../src/analyze/heap/heap.ts';
import { digests } from './digest.ts';
import { graphOf, numbersOf } from './ours.ts';
import { HEAPS, randomHeap } from './random-heap.ts';

test('shallow, retained, distances, dominators and classes are those of Chrome DevTools, for every node of eight odd heaps', async () => {
  const golden = JSON.parse(await readFile(join(import.meta.dirname, '../../golden/heap-devtools.json'), 'utf8')) as Record<string, unknown>;
  const ours: Record<string, unknown> = {};
  for (const [seed, nodes, detached] of HEAPS) ours[`${seed}/${nodes}/${detached}`] = digests(numbersOf(calculate(await graphOf(randomHeap(seed, nodes, detached).text))));
  assert.deepEqual(ours, golden);
});

test('where chunks of the snapshot end does not matter', async () => {
  const { text } = randomHeap(2, 300);
  const whole = digests(numbersOf(calculate(await graphOf(text))));
  for (const chunkBytes of [1, 2, 3, 7, 61, 1_021]) assert.deepEqual(digests(numbersOf(calculate(await graphOf(text, chunkBytes)))), whole, `chunks of ${chunkBytes}`);
});
