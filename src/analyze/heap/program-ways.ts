// Owns the ways of the program alone: shortest ways that do not go through what Node holds beside it (its clean-up queue refers to every handle and would hide who keeps them).
import { NO_NODE } from './classes.ts';
import type { Heap } from './heap.ts';

/** The node before each on such a way; NO_NODE: the program does not reach it so. */
export function programWays({ graph }: Heap): Uint32Array {
  const { root, nodeCount, firstEdge, edgeTypes, edgeTo, types, meta: { nodeType, edgeType } } = graph;
  const before = new Uint32Array(nodeCount).fill(NO_NODE);
  const queue = new Uint32Array(nodeCount);
  before[root] = root;
  queue[0] = root;
  for (let at = 0, filled = 1; at < filled; at++) {
    const node = queue[at]!;
    if (types[node] === nodeType.native) continue;
    const inside = node === root;
    for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
      const to = edgeTo[edge]!;
      if (before[to] !== NO_NODE || edgeTypes[edge] === edgeType.weak || (inside && types[to] === nodeType.native)) continue;
      before[to] = node;
      queue[filled++] = to;
    }
  }
  return before;
}

/** What no variable of the program is: the roots, and Node's own native parts. */
export function isOutside({ graph: { types, root, meta: { nodeType } } }: Heap, node: number): boolean {
  return node === root || types[node] === nodeType.synthetic || types[node] === nodeType.native;
}
