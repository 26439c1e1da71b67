// Owns the ways of the program alone: shortest ways that do not go through what Node holds beside it (its clean-up queue refers to every handle and would hide who keeps them).
import { NO_NODE } from './classes.ts';
import { targetOf, typeOf } from './graph.ts';
import type { ClassedHeap } from './heap.ts';
import { Levels } from './levels.ts';
import { NameTest } from './names.ts';

/** The node before each on such a way; where the program does not reach it so, that on the shortest way of all. Compiled code and its feedback lead to anything, and name nothing: they are passed over too. */
export function programWays(heap: ClassedHeap): Uint32Array {
  const { graph: { root, nodeCount, edges, firstEdge, meta: { edgeType } }, distances } = heap;
  const before = heap.arena.words(nodeCount).fill(NO_NODE);
  const queue = heap.arena.words(nodeCount + 1);
  const levels = new Levels(nodeCount, queue);
  const expand = (from: number, to: number): number => spread(heap, before, queue, from, to);
  const passing = passingRoots(heap);
  before[root] = root;
  for (const node of passing) before[node] = node;
  levels.add(root);
  levels.walk(expand);
  // What runs just now holds things too, but only what nothing lasting holds is named by it.
  for (const node of passing) {
    before[node] = (distances.before[node] as number);
    for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) {
      const to = targetOf(edges[edge] as number);
      if (before[to] !== NO_NODE || typeOf(edges[edge] as number) === edgeType.weak) continue;
      before[to] = node;
      levels.add(to);
      levels.walk(expand);
    }
  }
  heap.arena.give(queue);
  for (let node = 0; node < nodeCount; node++) if (before[node] === NO_NODE) before[node] = (distances.before[node] as number);
  return before;
}

/** The stacks of calls and of V8's handles. */
function passingRoots({ graph: { nodeCount, types, names, strings, meta: { nodeType } } }: ClassedHeap): number[] {
  const found: number[] = [];
  for (let node = 0; node < nodeCount && found.length < 2; node++) if (types[node] === nodeType.synthetic && ['(Stack roots)', '(Handle scope)'].includes(strings.text((names[node] as number)))) found.push(node);
  return found;
}

function spread({ graph }: ClassedHeap, before: Uint32Array, queue: Uint32Array, from: number, to: number): number {
  const { root, firstEdge, edges, edgeNames, types, meta: { nodeType: { native, code, closure }, edgeType: { weak, internal } } } = graph;
  const feedback = new NameTest(graph, 'feedback_cell');
  let filled = to;
  for (let at = from; at < to; at++) {
    const node = (queue[at] as number);
    const type = types[node];
    if (type === native || type === code) continue;
    const isFunction = type === closure;
    const end = (firstEdge[node + 1] as number);
    for (let edge = (firstEdge[node] as number); edge < end; edge++) {
      const word = edges[edge] as number;
      const next = targetOf(word);
      const kind = typeOf(word);
      if (before[next] !== NO_NODE || kind === weak || (node === root && types[next] === native)) continue;
      if (isFunction && kind === internal && feedback.has((edgeNames[edge] as number))) continue;
      before[next] = node;
      queue[filled++] = next;
    }
  }
  return filled;
}

/** What no variable of the program is: the roots, and Node's own native parts. */
export function isOutside({ graph: { types, root, meta: { nodeType } } }: ClassedHeap, node: number): boolean {
  return node === root || types[node] === nodeType.synthetic || types[node] === nodeType.native;
}
