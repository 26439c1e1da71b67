// Owns dominators and retained sizes: semi-NCA over the edges that hold, near-linear in time, eight numbers a node in memory.
import type { EdgeBits } from './essential.ts';
import type { HeapGraph } from './graph.ts';
import { Words } from './words.ts';

export interface Dominators {
  /** Who alone holds it, per node; the root holds itself. */
  readonly of: Uint32Array;
  readonly retained: Float64Array;
  /** Nodes in an order in which each stands after its dominator. */
  readonly order: Uint32Array;
  /** Nodes that nothing holds. They count as the root's. */
  readonly unreachable: number;
}

const NONE = 0xffff_ffff;

/** The walk in depth: `order` has the nodes by number, `number` the numbers by node, `parent` the number of each number's parent. */
interface Walk { readonly order: Uint32Array; readonly number: Uint32Array; readonly parent: Uint32Array; readonly count: number }

/** `scratch`: a number per node, contents lost. */
export function dominators(graph: HeapGraph, essential: EdgeBits, scratch: Uint32Array): Dominators {
  const walk = walked(graph, essential, scratch);
  const ins = incoming(graph, essential, walk);
  const idom = semiNca(walk, ins);
  const { nodeCount, root, sizes } = graph;
  const of = walk.number;
  const retained = new Float64Array(nodeCount);
  for (let node = 0; node < nodeCount; node++) retained[node] = sizes.of(node);
  const { order, count } = walk;
  for (let i = count - 1; i > 0; i--) retained[order[idom[i]!]!]! += retained[order[i]!]!;
  // Cliques that hold each other alone: each of their nodes counts as held by the root, as in Chrome.
  let rest = count;
  for (let node = 0; node < nodeCount; node++) {
    if (of[node] === NONE) { retained[root]! += retained[node]!; order[rest++] = node; }
  }
  for (let node = 0; node < nodeCount; node++) if (of[node] === NONE) of[node] = root;
  for (let i = 0; i < count; i++) of[order[i]!] = order[idom[i]!]!;
  return { of, retained, order, unreachable: nodeCount - count };
}

function walked(graph: HeapGraph, essential: EdgeBits, next: Uint32Array): Walk {
  const { root, nodeCount } = graph;
  const order = new Uint32Array(nodeCount);
  const number = new Uint32Array(nodeCount).fill(NONE);
  const parent = new Uint32Array(nodeCount);
  const held = heldAtAll(graph, essential);
  let count = deeper(graph, essential, { order, number, parent, count: 0 }, next, root, 0);
  // What only weak edges lead to counts as held by the root.
  for (let node = 0; node < nodeCount; node++) if (number[node] === NONE && (held[node >>> 3]! & (1 << (node & 7))) === 0) count = deeper(graph, essential, { order, number, parent, count }, next, node, 0);
  return { order, number, parent, count };
}

function heldAtAll({ nodeCount, edgeCount, edgeTo }: HeapGraph, essential: EdgeBits): Uint8Array {
  const held = new Uint8Array((nodeCount >> 3) + 1);
  for (let edge = 0; edge < edgeCount; edge++) {
    if (!essential.has(edge)) continue;
    const to = edgeTo[edge]!;
    held[to >>> 3]! |= 1 << (to & 7);
  }
  return held;
}

function deeper({ firstEdge, edgeTo }: HeapGraph, essential: EdgeBits, walk: Walk, next: Uint32Array, from: number, under: number): number {
  const { order, number, parent } = walk;
  let count = walk.count;
  const begin = (node: number, above: number): void => { number[node] = count; order[count] = node; parent[count] = above; next[node] = firstEdge[node]!; count++; };
  begin(from, under);
  let node = from;
  for (;;) {
    const end = firstEdge[node + 1]!;
    let edge = next[node]!;
    while (edge < end && (number[edgeTo[edge]!] !== NONE || !essential.has(edge))) edge++;
    next[node] = edge + 1;
    if (edge < end) { const child = edgeTo[edge]!; begin(child, number[node]!); node = child; continue; }
    if (node === from) return count;
    node = order[parent[number[node]!]!]!;
  }
}

/** Who leads to each, in numbers of the walk. */
interface Incoming { readonly first: Uint32Array; readonly from: Uint32Array }

function incoming({ firstEdge, edgeTo }: HeapGraph, essential: EdgeBits, { order, number, count }: Walk): Incoming {
  const first = new Uint32Array(count + 1);
  for (let i = 0; i < count; i++) {
    const node = order[i]!;
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) if (essential.has(edge)) { const to = number[edgeTo[edge]!]!; first[to] = first[to]! + 1; }
  }
  let sum = 0;
  for (let i = 0; i <= count; i++) { sum += first[i]!; first[i] = sum; }
  const from = new Uint32Array(sum);
  for (let i = count - 1; i >= 0; i--) {
    const node = order[i]!;
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) if (essential.has(edge)) { const to = number[edgeTo[edge]!]!; const at = first[to]! - 1; first[to] = at; from[at] = i; }
  }
  return { first, from };
}

function semiNca({ parent, count }: Walk, { first, from }: Incoming): Uint32Array {
  const ancestor = parent.slice(0, count);
  // `least`: the lowest semi-dominator on the shortened way up; `semi`: that of the node itself.
  const least = new Uint32Array(count);
  const semi = new Uint32Array(count);
  const stack = new Words(1 << 12);
  for (let i = count - 1; i > 0; i--) {
    let lowest = parent[i]!;
    for (let at = first[i]!, end = first[i + 1]!; at < end; at++) {
      const v = from[at]!;
      const found = v <= i ? v : lowestAbove(v, i, ancestor, least, stack);
      if (found < lowest) lowest = found;
    }
    semi[i] = lowest; least[i] = lowest;
  }
  const idom = parent;
  for (let i = 1; i < count; i++) {
    let above = idom[i]!;
    while (above > semi[i]!) above = idom[above]!;
    idom[i] = above;
  }
  return idom;
}

/** The lowest semi-dominator on the way up from v through numbers above `last`; the way is made short. */
function lowestAbove(v: number, last: number, ancestor: Uint32Array, least: Uint32Array, stack: Words): number {
  if (ancestor[v]! <= last) return least[v]!;
  stack.length = 0;
  let at = v;
  while (ancestor[at]! > last) { stack.push(at); at = ancestor[at]!; }
  while (stack.length > 0) {
    const own = stack.pop();
    if (least[at]! < least[own]!) least[own] = least[at]!;
    ancestor[own] = ancestor[at]!;
    at = own;
  }
  return least[v]!;
}
