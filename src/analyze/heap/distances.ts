// Owns distances: steps from the program's roots by Chrome's rules, and for each node the one that leads to it on a shortest way.
import type { Arena } from './arena.ts';
import { targetOf, typeOf, type HeapGraph } from './graph.ts';
import { Levels } from './levels.ts';
import { EphemeronNames, NameTest } from './names.ts';

/** What only V8 and Node themselves reach stands at this distance and beyond. */
export const SYSTEM_DISTANCE = 100_000_000;
export const NO_DISTANCE = -5;

export interface Distances {
  /** The node before it on a shortest way; its own number: none. */
  readonly before: Uint32Array;
  /** Every node that is reached, nearest first, with its distance. Valid until `done`. */
  each(visit: (node: number, distance: number) => void): void;
  done(): void;
}

const UNSEEN = 0xffff_ffff;

export function distances(graph: HeapGraph, arena: Arena): Distances {
  const { root, nodeCount, firstEdge, edges, types, names, strings, meta: { nodeType } } = graph;
  const before = arena.words(nodeCount).fill(UNSEEN);
  const queue = arena.words(nodeCount + 1);
  const levels = new Levels(nodeCount, queue);
  for (let edge = (firstEdge[root] as number); edge < (firstEdge[root + 1] as number); edge++) {
    const node = targetOf(edges[edge] as number);
    if (before[node] !== UNSEEN || (types[node] === nodeType.synthetic && strings.text((names[node] as number)) !== '(Document DOM trees)')) continue;
    before[node] = root;
    levels.add(node);
  }
  const near = levels.filled > 0;
  const passes = passable(graph);
  const expand = (from: number, to: number): number => spread(graph, queue, from, to, before, passes);
  levels.walk(expand);
  const nearLevels = levels.ends.length;
  // Where a damaged snapshot leads back to the root, it is met once more, at its own distance.
  before[root] = root;
  levels.add(root);
  levels.walk(expand);
  for (let node = 0; node < nodeCount; node++) if (before[node] === UNSEEN) before[node] = node;
  return {
    before,
    each(visit) {
      const { ends } = levels;
      for (let level = 0, at = 0; level < ends.length; level++) {
        const distance = level < nearLevels ? level + 1 : (near ? SYSTEM_DISTANCE : 0) + level - nearLevels;
        for (const end = ends.values[level] as number; at < end; at++) { const node = queue[at] as number; if (node !== root || level >= nearLevels) visit(node, distance); }
      }
    },
    done() { arena.give(queue); },
  };
}

function spread({ firstEdge, types, edges, meta: { edgeType, nodeType } }: HeapGraph, queue: Uint32Array, from: number, to: number, before: Uint32Array, passes: (node: number, edge: number) => boolean): number {
  const { weak, internal } = edgeType;
  const { hidden, array } = nodeType;
  let filled = to;
  for (let at = from; at < to; at++) {
    const node = (queue[at] as number);
    const end = (firstEdge[node + 1] as number);
    const type = types[node];
    const doubtful = type === hidden || type === array;
    for (let edge = (firstEdge[node] as number); edge < end; edge++) {
      const word = edges[edge] as number;
      const target = targetOf(word);
      const kind = typeOf(word);
      if (before[target] !== UNSEEN || kind === weak || ((doubtful || kind === internal) && !passes(node, edge))) continue;
      before[target] = node;
      queue[filled++] = target;
    }
  }
  return filled;
}

/** Chrome passes over ways that mislead: a context's spare map, descriptors shared between maps, and the first of the two edges to a WeakMap's value. */
function passable(graph: HeapGraph): (node: number, edge: number) => boolean {
  const { types, names, edges, edgeNames, strings, meta: { nodeType, edgeType } } = graph;
  const nativeContext = new NameTest(graph, 'system / NativeContext');
  const spareMap = new NameTest(graph, 'sloppy_function_map');
  const descriptors = new NameTest(graph, '(map descriptors)');
  const ephemerons = new EphemeronNames(graph);
  const pending = new Set<string>();
  const numbered = (edge: number): boolean => typeOf(edges[edge] as number) === edgeType.element || typeOf(edges[edge] as number) === edgeType.hidden;
  return (node, edge) => {
    const type = types[node];
    if (type === nodeType.hidden && !numbered(edge) && spareMap.has((edgeNames[edge] as number)) && nativeContext.has((names[node] as number))) return false;
    if (type === nodeType.array && descriptors.has((names[node] as number))) {
      const index = numbered(edge) ? (edgeNames[edge] as number) : Number.parseInt(strings.text((edgeNames[edge] as number)), 10);
      return index < 2 || index % 3 !== 1;
    }
    if (typeOf(edges[edge] as number) !== edgeType.internal) return true;
    const pair = ephemerons.of((edgeNames[edge] as number))?.pair;
    if (pair === undefined || pending.delete(pair)) return true;
    pending.add(pair);
    return false;
  };
}
