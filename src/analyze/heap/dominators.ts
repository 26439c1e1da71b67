// Owns dominators and retained sizes: semi-NCA over the edges that hold, near-linear in time; six numbers a node and one an edge in memory.
import type { Arena } from './arena.ts';
import type { EdgeBits } from './essential.ts';
import type { HeapGraph } from './graph.ts';
import { Words } from './words.ts';

type Column = Uint32Array<ArrayBuffer>;

export interface Dominators {
  /** Who alone holds it, per node; the root holds itself. */
  readonly of: Column;
  readonly retained: Float64Array<ArrayBuffer>;
  /** Nodes that nothing holds. They count as the root's. */
  readonly unreachable: number;
}

const NONE = 0xffff_ffff;

/** Who leads to each node by an edge that holds: from[first[n]] … from[first[n + 1] - 1], as numbers of the walk. */
interface Incoming { readonly first: Column; readonly from: Column }

/** The walk in depth: `order` has the nodes by number, `number` the numbers by node, `parent` the number of each number's parent. */
interface Walk { readonly order: Column; readonly number: Column; readonly parent: Column; count: number }

export function dominators(graph: HeapGraph, essential: EdgeBits, arena: Arena): Dominators {
  const { nodeCount, root } = graph;
  const first = counted(graph, essential, arena);
  const walk: Walk = { order: arena.words(nodeCount), number: arena.words(nodeCount).fill(NONE), parent: arena.words(nodeCount), count: 0 };
  walked(graph, essential, walk, first, arena);
  const { order, number, parent, count } = walk;
  const ins = incoming(graph, essential, number, first, arena);
  // The numbers are known from the order: their place is used until they are needed again.
  semiNca(walk, ins, number, arena);
  arena.give(ins.first, ins.from);
  const retained = arena.doubles(nodeCount);
  for (let node = 0; node < nodeCount; node++) retained[node] = graph.sizes.of(node);
  for (let i = count - 1; i > 0; i--) retained[(order[(parent[i] as number)] as number)] = (retained[(order[(parent[i] as number)] as number)] as number) + (retained[(order[i] as number)] as number);
  // Cliques that hold each other alone: each of their nodes counts as held by the root, as in Chrome.
  number.fill(NONE);
  for (let i = 0; i < count; i++) number[(order[i] as number)] = (order[(parent[i] as number)] as number);
  for (let node = 0; node < nodeCount; node++) if (number[node] === NONE) { number[node] = root; retained[root] = (retained[root] as number) + (retained[node] as number); }
  arena.give(order, parent);
  return { of: number, retained, unreachable: nodeCount - count };
}

/** How many edges that hold lead to each node. */
function counted({ nodeCount, edgeCount, edgeTo }: HeapGraph, essential: EdgeBits, arena: Arena): Column {
  const counts = arena.words(nodeCount + 1).fill(0);
  for (let edge = 0; edge < edgeCount; edge++) if (essential.has(edge)) { const to = (edgeTo[edge] as number); counts[to] = (counts[to] as number) + 1; }
  return counts;
}

function walked(graph: HeapGraph, essential: EdgeBits, walk: Walk, counts: Column, arena: Arena): void {
  const next = arena.words(graph.nodeCount);
  deeper(graph, essential, walk, next, graph.root);
  // What only weak edges lead to counts as held by the root.
  for (let node = 0; node < graph.nodeCount; node++) if (counts[node] === 0 && walk.number[node] === NONE) deeper(graph, essential, walk, next, node);
  arena.give(next);
}

function deeper({ firstEdge, edgeTo }: HeapGraph, essential: EdgeBits, walk: Walk, next: Column, from: number): void {
  const { order, number, parent } = walk;
  let count = walk.count;
  const begin = (node: number, above: number): void => { number[node] = count; order[count] = node; parent[count] = above; next[node] = (firstEdge[node] as number); count++; };
  begin(from, 0);
  let node = from;
  for (;;) {
    const end = (firstEdge[node + 1] as number);
    let edge = (next[node] as number);
    while (edge < end && (number[(edgeTo[edge] as number)] !== NONE || !essential.has(edge))) edge++;
    next[node] = edge + 1;
    if (edge < end) { const child = (edgeTo[edge] as number); begin(child, (number[node] as number)); node = child; continue; }
    if (node === from) { walk.count = count; return; }
    node = (order[(parent[(number[node] as number)] as number)] as number);
  }
}

/** Walks over nodes as they lie in memory: the order of the walk in depth would miss the cache twice an edge. */
function incoming({ nodeCount, firstEdge, edgeTo }: HeapGraph, essential: EdgeBits, number: Column, first: Column, arena: Arena): Incoming {
  let sum = 0;
  for (let node = 0; node <= nodeCount; node++) { sum += (first[node] as number); first[node] = sum; }
  const from = arena.words(sum);
  for (let node = nodeCount - 1; node >= 0; node--) {
    const own = (number[node] as number);
    for (let edge = (firstEdge[node] as number), end = (firstEdge[node + 1] as number); edge < end; edge++) if (essential.has(edge)) { const to = (edgeTo[edge] as number); const at = (first[to] as number) - 1; first[to] = at; from[at] = own; }
  }
  return { first, from };
}

/** Afterwards `parent` has the dominators, in numbers of the walk. `least`: a number per node, contents lost. */
function semiNca({ order, parent, count }: Walk, { first, from }: Incoming, least: Column, arena: Arena): void {
  const ancestor = arena.words(count);
  ancestor.set(parent.subarray(0, count));
  const semi = arena.words(count);
  const stack = new Words(1 << 12);
  for (let i = count - 1; i > 0; i--) {
    const node = (order[i] as number);
    let lowest = (parent[i] as number);
    for (let at = (first[node] as number), end = (first[node + 1] as number); at < end; at++) {
      const v = (from[at] as number);
      if (v === NONE) continue;
      const found = v <= i ? v : lowestAbove(v, i, ancestor, least, stack);
      if (found < lowest) lowest = found;
    }
    semi[i] = lowest; least[i] = lowest;
  }
  for (let i = 1; i < count; i++) {
    let above = (parent[i] as number);
    while (above > (semi[i] as number)) above = (parent[above] as number);
    parent[i] = above;
  }
  arena.give(ancestor, semi);
}

/** The lowest semi-dominator on the way up from v through numbers above `last`; the way is made short. */
function lowestAbove(v: number, last: number, ancestor: Column, least: Column, stack: Words): number {
  if ((ancestor[v] as number) <= last) return (least[v] as number);
  stack.length = 0;
  let at = v;
  while ((ancestor[at] as number) > last) { stack.push(at); at = (ancestor[at] as number); }
  while (stack.length > 0) {
    const own = stack.pop();
    if ((least[at] as number) < (least[own] as number)) least[own] = (least[at] as number);
    ancestor[own] = (ancestor[at] as number);
    at = own;
  }
  return (least[v] as number);
}
