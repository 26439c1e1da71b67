// Owns dominators and retained sizes: semi-NCA over the edges that hold, near-linear in time; eight numbers a node and one an edge beside the walk in memory.
import type { Arena } from './arena.ts';
import { NodeBits } from './bits.ts';
import type { Held } from './essential.ts';
import { HOLDS, targetOf, type HeapGraph } from './graph.ts';
import { Words } from './words.ts';

export interface Dominators {
  /** Who alone holds it, per node; the root holds itself. */
  readonly of: Uint32Array;
  readonly retained: Uint32Array | Float64Array;
  /** Nodes that nothing holds. They count as the root's. */
  readonly unreachable: number;
}

const NONE = 0xffff_ffff;
/** What so many hold (a map of V8's, a prototype) is first asked about a few of them; if the answer is not there yet, and those left are more than this share of all numbers, their ways are made short at once. */
const FEW = 256;
const SWEEP_SHIFT = 4;

/** Who holds each node that several hold: from[first[n]] … from[first[n + 1] - 1]. */
export interface Incoming { readonly first: Uint32Array; readonly from: Uint32Array }

/** The walk in depth: `order` has the nodes by number, `number` the numbers by node, `parent` the number of each number's parent; `ways` is room for two numbers a node. */
export interface Walk { readonly order: Uint32Array; readonly number: Uint32Array; readonly parent: Uint32Array; readonly ways: Uint32Array; count: number }

export function dominators(graph: HeapGraph, held: Held, arena: Arena): Dominators {
  const walk = walked(graph, held, arena);
  return dominated(graph, held, walk, numbered(incoming(graph, held, arena), walk), arena);
}

/** What is left to do when the walk and its other ways are there. Gives both back. */
export function dominated(graph: HeapGraph, held: Held, walk: Walk, ins: Incoming, arena: Arena): Dominators {
  const { nodeCount, root, sizes } = graph;
  const { order, number: of, parent, ways, count } = walk;
  semiNca(walk, held, ins);
  arena.give(ins.first, ins.from, ways);
  let all = 0;
  for (let node = 0; node < nodeCount; node++) all += sizes.of(node);
  const sums = arena.numbers(count, all);
  for (let i = 0; i < count; i++) sums[i] = sizes.of(order[i] as number);
  for (let i = count - 1; i > 0; i--) { const by = parent[i] as number; sums[by] = (sums[by] as number) + (sums[i] as number); }
  // Cliques that hold each other alone: each of their nodes counts as held by the root, as in Chrome.
  if (count < nodeCount) of.fill(NONE);
  const retained = arena.numbers(nodeCount, all);
  for (let i = 0; i < count; i++) { const node = order[i] as number; of[node] = (order[(parent[i] as number)] as number); retained[node] = sums[i] as number; }
  if (count < nodeCount) for (let node = 0; node < nodeCount; node++) if (of[node] === NONE) { of[node] = root; retained[node] = sizes.of(node); retained[root] = (retained[root] as number) + (retained[node] as number); }
  arena.give(order, parent, sums);
  return { of, retained, unreachable: nodeCount - count };
}

export function walked(graph: HeapGraph, { once, holding }: Held, arena: Arena): Walk {
  const { nodeCount } = graph;
  const walk: Walk = { order: arena.words(nodeCount), number: arena.words(nodeCount).fill(NONE), parent: arena.words(nodeCount), ways: arena.pairs(nodeCount), count: 0 };
  const seen = new NodeBits(nodeCount);
  deeper(graph, holding, seen, walk, graph.root);
  // What only weak edges lead to counts as held by the root.
  for (let node = 0; node < nodeCount; node++) if (!once.has(node) && !seen.has(node)) deeper(graph, holding, seen, walk, node);
  return walk;
}

/** `ways`: for each node on the way down, where its edges go on and end. */
function deeper({ firstEdge, edges }: HeapGraph, holding: NodeBits, seen: NodeBits, walk: Walk, from: number): void {
  const { order, number, parent, ways: next } = walk;
  let count = walk.count;
  let own = count++;
  let edge = (firstEdge[from] as number);
  let end = (firstEdge[from + 1] as number);
  number[from] = own; order[own] = from; parent[own] = 0;
  seen.add(from);
  for (;;) {
    let child = -1;
    while (edge < end) {
      const word = edges[edge++] as number;
      if ((word & HOLDS) === 0 || seen.has(targetOf(word))) continue;
      const to = targetOf(word);
      seen.add(to);
      number[to] = count; order[count] = to; parent[count++] = own;
      // From what holds nothing the walk would come back at once.
      if (!holding.has(to)) continue;
      child = to;
      break;
    }
    if (child >= 0) {
      next[2 * own] = edge; next[2 * own + 1] = end;
      own = count - 1;
      edge = (firstEdge[child] as number);
      end = (firstEdge[child + 1] as number);
      continue;
    }
    if (order[own] === from) { walk.count = count; return; }
    own = parent[own] as number;
    edge = next[2 * own] as number;
    end = next[2 * own + 1] as number;
  }
}

/** By nodes, not by numbers of the walk: it can be made beside the walk. Over nodes as they lie in memory: another order would miss the cache twice an edge. */
export function incoming({ nodeCount, edgeCount, firstEdge, edges }: HeapGraph, { often }: Pick<Held, 'often'>, arena: Arena): Incoming {
  const first = arena.words(nodeCount + 1).fill(0);
  for (let edge = 0; edge < edgeCount; edge++) { const word = edges[edge] as number; if ((word & HOLDS) !== 0) { const to = targetOf(word); if (often.has(to)) first[to] = (first[to] as number) + 1; } }
  let sum = 0;
  for (let node = 0; node <= nodeCount; node++) { sum += (first[node] as number); first[node] = sum; }
  const from = arena.words(sum);
  for (let node = nodeCount - 1; node >= 0; node--) {
    for (let edge = (firstEdge[node] as number), end = (firstEdge[node + 1] as number); edge < end; edge++) {
      const word = edges[edge] as number;
      if ((word & HOLDS) === 0) continue;
      const to = targetOf(word);
      if (!often.has(to)) continue;
      const at = (first[to] as number) - 1;
      first[to] = at; from[at] = node;
    }
  }
  return { first, from };
}

/** The same by numbers of the walk. */
export function numbered(ins: Incoming, { number }: Walk): Incoming {
  const { from } = ins;
  for (let at = 0; at < from.length; at++) from[at] = number[from[at] as number] as number;
  return ins;
}

/** Afterwards `parent` has the dominators, in numbers of the walk; the contents of `number` and `ways` are lost. */
function semiNca({ order, parent, number: semi, ways, count }: Walk, { often }: Held, { first, from }: Incoming): void {
  // For each number its ancestor so far, and beside it the lowest semi-dominator up to there: one place in memory for both.
  for (let i = 0; i < count; i++) ways[2 * i] = parent[i] as number;
  const stack = new Words(1 << 12);
  for (let i = count - 1; i > 0; i--) {
    const node = (order[i] as number);
    let lowest = (parent[i] as number);
    if (often.has(node)) for (let at = (first[node] as number), end = (first[node + 1] as number), many = at + FEW; at < end && lowest !== 0; at++) {
      if (at === many && end - at > (count - i) >>> SWEEP_SHIFT) shortened(i, count, ways);
      const v = (from[at] as number);
      if (v === NONE) continue;
      const found = v <= i ? v : (ways[2 * v] as number) <= i ? (ways[2 * v + 1] as number) : lowestAbove(v, i, ways, stack);
      if (found < lowest) lowest = found;
    }
    semi[i] = lowest; ways[2 * i + 1] = lowest;
  }
  for (let i = 1; i < count; i++) {
    let above = (parent[i] as number);
    const least = semi[i] as number;
    while (above > least) above = (parent[above] as number);
    parent[i] = above;
  }
}

/** Makes all ways from numbers above `last` short, in one run through memory. */
function shortened(last: number, count: number, ways: Uint32Array): void {
  for (let v = last + 1; v < count; v++) {
    const above = ways[2 * v] as number;
    if (above <= last) continue;
    if ((ways[2 * above + 1] as number) < (ways[2 * v + 1] as number)) ways[2 * v + 1] = ways[2 * above + 1] as number;
    ways[2 * v] = ways[2 * above] as number;
  }
}

/** The lowest semi-dominator on the way up from v through numbers above `last`; the way is made short. */
function lowestAbove(v: number, last: number, ways: Uint32Array, stack: Words): number {
  stack.length = 0;
  let at = v;
  for (let above = ways[2 * at] as number; above > last; above = ways[2 * at] as number) { stack.push(at); at = above; }
  while (stack.length > 0) {
    const own = stack.pop();
    if ((ways[2 * at + 1] as number) < (ways[2 * own + 1] as number)) ways[2 * own + 1] = (ways[2 * at + 1] as number);
    ways[2 * own] = (ways[2 * at] as number);
    at = own;
  }
  return (ways[2 * v + 1] as number);
}
