// Owns which edges hold what they lead to: the rules of Chrome's heap view, as a bit per edge.
import type { HeapGraph } from './graph.ts';
import { EphemeronNames } from './names.ts';
import type { Words } from './words.ts';

export class EdgeBits {
  readonly #bits: Uint8Array;

  constructor(count: number) { this.#bits = new Uint8Array((count >> 3) + 1); }

  has(edge: number): boolean { return ((this.#bits[edge >>> 3] as number) & (1 << (edge & 7))) !== 0; }

  set(edge: number): void { const at = edge >>> 3; this.#bits[at] = (this.#bits[at] as number) | (1 << (edge & 7)); }
}

/** What the program reaches from its globals: 1 per node. The rest belongs to V8, Node or a debugger, and does not hold the program's objects. */
export function programNodes(graph: HeapGraph, stack: Words): Uint8Array {
  const { root, nodeCount, firstEdge, edgeTypes, edgeTo, types, names, strings, meta: { edgeType, nodeType } } = graph;
  const reached = new Uint8Array(nodeCount);
  stack.length = 0;
  const reach = (node: number): void => { if (reached[node] === 0) { reached[node] = 1; stack.push(node); } };
  for (let edge = (firstEdge[root] as number); edge < (firstEdge[root + 1] as number); edge++) {
    const to = (edgeTo[edge] as number);
    const documents = edgeTypes[edge] === edgeType.element && types[to] === nodeType.synthetic && strings.text((names[to] as number)) === '(Document DOM trees)';
    if (documents || edgeTypes[edge] === edgeType.shortcut) reach(to);
  }
  const weak = edgeType.weak;
  while (stack.length > 0) {
    const node = stack.pop();
    const end = (firstEdge[node + 1] as number);
    for (let edge = (firstEdge[node] as number); edge < end; edge++) if (reached[(edgeTo[edge] as number)] === 0 && edgeTypes[edge] !== weak) reach((edgeTo[edge] as number));
  }
  return reached;
}

export function essentialEdges(graph: HeapGraph, program: Uint8Array): EdgeBits {
  const { root, nodeCount, edgeCount, firstEdge, edgeTypes, edgeNames, edgeTo, ids, meta: { edgeType } } = graph;
  const bits = new EdgeBits(edgeCount);
  const ephemerons = new EphemeronNames(graph);
  const { weak, shortcut, internal } = edgeType;
  const anyEphemeron = graph.strings.ephemerons.size > 0;
  for (let node = 0; node < nodeCount; node++) {
    const end = (firstEdge[node + 1] as number);
    const own = program[node] === 1;
    for (let edge = (firstEdge[node] as number); edge < end; edge++) {
      const type = (edgeTypes[edge] as number);
      const to = (edgeTo[edge] as number);
      if (type === weak || to === node) continue;
      // Without its key or without its map, a WeakMap's value goes: the key is taken as the holder, the map is not.
      if (type === internal && anyEphemeron && ephemerons.of((edgeNames[edge] as number))?.table === ids[node]) continue;
      // At the root alone, shortcuts name the program's globals; and what is not the program's does not hold what is.
      if (node !== root && (type === shortcut || (!own && program[to] === 1))) continue;
      bits.set(edge);
    }
  }
  return bits;
}
