// Owns distances: steps from the program's roots by Chrome's rules, and for each node the one that leads to it on a shortest way.
import type { Arena } from './arena.ts';
import type { HeapGraph } from './graph.ts';
import { EphemeronNames, NameTest } from './names.ts';

/** What only V8 and Node themselves reach stands at this distance and beyond. */
export const SYSTEM_DISTANCE = 100_000_000;
export const NO_DISTANCE = -5;

export interface Distances { readonly of: Int32Array<ArrayBuffer>; /** The node before it on a shortest way; its own number: none. */ readonly before: Uint32Array<ArrayBuffer> }

export function distances(graph: HeapGraph, arena: Arena): Distances {
  const { root, nodeCount, firstEdge, edgeTo, types, names, strings, meta: { nodeType } } = graph;
  const of = arena.signed(nodeCount).fill(NO_DISTANCE);
  const before = arena.words(nodeCount);
  const queue = arena.words(nodeCount);
  for (let node = 0; node < nodeCount; node++) before[node] = node;
  let count = 0;
  for (let edge = (firstEdge[root] as number); edge < (firstEdge[root + 1] as number); edge++) {
    const node = (edgeTo[edge] as number);
    if (of[node] !== NO_DISTANCE || (types[node] === nodeType.synthetic && strings.text((names[node] as number)) !== '(Document DOM trees)')) continue;
    of[node] = 1; before[node] = root;
    queue[count++] = node;
  }
  const passes = passable(graph);
  spread(graph, queue, count, of, before, passes);
  of[root] = count > 0 ? SYSTEM_DISTANCE : 0;
  // A damaged snapshot may lead back to the root: a way ends there.
  before[root] = root;
  queue[0] = root;
  spread(graph, queue, 1, of, before, passes);
  arena.give(queue);
  return { of, before };
}

function spread({ firstEdge, types, edgeTypes, edgeTo, meta: { edgeType, nodeType } }: HeapGraph, queue: Uint32Array, filled: number, of: Int32Array, before: Uint32Array, passes: (node: number, edge: number) => boolean): void {
  const { weak, internal } = edgeType;
  for (let at = 0; at < filled; at++) {
    const node = (queue[at] as number);
    const distance = (of[node] as number) + 1;
    const end = (firstEdge[node + 1] as number);
    const doubtful = types[node] === nodeType.hidden || types[node] === nodeType.array;
    for (let edge = (firstEdge[node] as number); edge < end; edge++) {
      const to = (edgeTo[edge] as number);
      if (of[to] !== NO_DISTANCE || edgeTypes[edge] === weak || ((doubtful || edgeTypes[edge] === internal) && !passes(node, edge))) continue;
      of[to] = distance; before[to] = node;
      queue[filled++] = to;
    }
  }
}

/** Chrome passes over ways that mislead: a context's spare map, descriptors shared between maps, and the first of the two edges to a WeakMap's value. */
function passable(graph: HeapGraph): (node: number, edge: number) => boolean {
  const { types, names, edgeTypes, edgeNames, strings, meta: { nodeType, edgeType } } = graph;
  const nativeContext = new NameTest(graph, 'system / NativeContext');
  const spareMap = new NameTest(graph, 'sloppy_function_map');
  const descriptors = new NameTest(graph, '(map descriptors)');
  const ephemerons = new EphemeronNames(graph);
  const pending = new Set<string>();
  const numbered = (edge: number): boolean => edgeTypes[edge] === edgeType.element || edgeTypes[edge] === edgeType.hidden;
  return (node, edge) => {
    const type = types[node];
    if (type === nodeType.hidden && !numbered(edge) && spareMap.has((edgeNames[edge] as number)) && nativeContext.has((names[node] as number))) return false;
    if (type === nodeType.array && descriptors.has((names[node] as number))) {
      const index = numbered(edge) ? (edgeNames[edge] as number) : Number.parseInt(strings.text((edgeNames[edge] as number)), 10);
      return index < 2 || index % 3 !== 1;
    }
    if (edgeTypes[edge] !== edgeType.internal) return true;
    const pair = ephemerons.of((edgeNames[edge] as number))?.pair;
    if (pair === undefined || pending.delete(pair)) return true;
    pending.add(pair);
    return false;
  };
}
