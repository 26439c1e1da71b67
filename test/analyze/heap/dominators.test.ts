// Owns the proof of the dominators where thousands hold one: against the plain iteration over all ways, node for node.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSnapshot } from '../../../scripts/bench/heap-make.ts';
import { HOLDS, targetOf, type HeapGraph } from '../../../src/analyze/heap/graph.ts';
import { calculate } from '../../../src/analyze/heap/heap.ts';
import { readHeapFile } from '../../../src/analyze/heap/read.ts';

/** Cooper, Harvey and Kennedy: until nothing changes, each node takes the nearest that all its holders share. */
function iterated({ nodeCount, root, firstEdge, edges }: HeapGraph): number[] {
  const below = (node: number): number[] => Array.from(edges.subarray(firstEdge[node], firstEdge[node + 1])).filter((word) => (word & HOLDS) !== 0).map(targetOf);
  const rank = Array.from({ length: nodeCount }, () => -1), after: number[] = [], seen = new Set([root]);
  const stack = [{ node: root, next: below(root) }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.next.pop();
    if (next === undefined) { rank[top.node] = after.length; after.push(top.node); stack.pop(); } else if (!seen.has(next)) { seen.add(next); stack.push({ node: next, next: below(next) }); }
  }
  const holders = Array.from({ length: nodeCount }, (): number[] => []);
  for (const node of after) for (const to of below(node)) holders[to]?.push(node);
  const by = Array.from({ length: nodeCount }, () => -1);
  by[root] = root;
  const shared = (a: number, b: number): number => { let [x, y] = [a, b]; while (x !== y) if ((rank[x] as number) < (rank[y] as number)) x = by[x] as number; else y = by[y] as number; return x; };
  for (let changed = true; changed;) {
    changed = false;
    for (const node of [...after].reverse().slice(1)) {
      const known = (holders[node] as number[]).filter((one) => by[one] !== -1);
      const found = known.reduce(shared);
      if (by[node] !== found) { by[node] = found; changed = true; }
    }
  }
  return by;
}

test('dominators are those of the plain iteration, with maps and contexts that thousands hold', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heap-dominators-'));
  try {
    for (const seed of [1, 2]) {
      const path = join(folder, `${seed}.heapsnapshot`);
      makeSnapshot(path, 1_000_000, seed);
      const graph = readHeapFile(path);
      const { dominators } = calculate(graph);
      graph.strings.close();
      assert.equal(dominators.unreachable, 0);
      assert.deepEqual(Array.from(dominators.of), iterated(graph));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
