// Owns the ways of the program alone: shortest ways that do not go through what Node holds beside it (its clean-up queue refers to every handle and would hide who keeps them).
import { NO_NODE } from './classes.ts';
import type { Heap } from './heap.ts';
import { NameTest } from './names.ts';

/** The node before each on such a way; where the program does not reach it so, that on the shortest way of all. Compiled code and its feedback lead to anything, and name nothing: they are passed over too. */
export function programWays(heap: Heap): Uint32Array {
  const { graph: { root, nodeCount, edgeTo, edgeTypes, firstEdge, meta: { edgeType } }, distances } = heap;
  const before = heap.arena.words(nodeCount).fill(NO_NODE);
  const queue = heap.arena.words(nodeCount);
  const passing = passingRoots(heap);
  before[root] = root;
  for (const node of passing) before[node] = node;
  queue[0] = root;
  let filled = spread(heap, before, queue, 0, 1);
  // What runs just now holds things too, but only what nothing lasting holds is named by it.
  for (const node of passing) {
    before[node] = (distances.before[node] as number);
    for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) {
      const to = (edgeTo[edge] as number);
      if (before[to] !== NO_NODE || edgeTypes[edge] === edgeType.weak) continue;
      before[to] = node;
      queue[filled] = to;
      filled = spread(heap, before, queue, filled, filled + 1);
    }
  }
  heap.arena.give(queue);
  for (let node = 0; node < nodeCount; node++) if (before[node] === NO_NODE) before[node] = (distances.before[node] as number);
  return before;
}

/** The stacks of calls and of V8's handles. */
function passingRoots({ graph: { nodeCount, types, names, strings, meta: { nodeType } } }: Heap): number[] {
  const found: number[] = [];
  for (let node = 0; node < nodeCount && found.length < 2; node++) if (types[node] === nodeType.synthetic && ['(Stack roots)', '(Handle scope)'].includes(strings.text((names[node] as number)))) found.push(node);
  return found;
}

function spread({ graph }: Heap, before: Uint32Array, queue: Uint32Array, from: number, to: number): number {
  const { root, firstEdge, edgeTypes, edgeNames, edgeTo, types, meta: { nodeType, edgeType } } = graph;
  const feedback = new NameTest(graph, 'feedback_cell');
  let filled = to;
  for (let at = from; at < filled; at++) {
    const node = (queue[at] as number);
    if (types[node] === nodeType.native || types[node] === nodeType.code) continue;
    const isFunction = types[node] === nodeType.closure;
    for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) {
      const next = (edgeTo[edge] as number);
      if (before[next] !== NO_NODE || edgeTypes[edge] === edgeType.weak || (node === root && types[next] === nodeType.native)) continue;
      if (isFunction && edgeTypes[edge] === edgeType.internal && feedback.has((edgeNames[edge] as number))) continue;
      before[next] = node;
      queue[filled++] = next;
    }
  }
  return filled;
}

/** What no variable of the program is: the roots, and Node's own native parts. */
export function isOutside({ graph: { types, root, meta: { nodeType } } }: Heap, node: number): boolean {
  return node === root || types[node] === nodeType.synthetic || types[node] === nodeType.native;
}
