// Owns which edges hold what they lead to: the rules of Chrome's heap view, as a mark in each edge.
import { NodeBits } from './bits.ts';
import { HOLDS, targetOf, typeOf, type HeapGraph } from './graph.ts';
import { EphemeronNames } from './names.ts';
import { Words } from './words.ts';

/** What the program reaches from its globals. The rest belongs to V8, Node or a debugger, and does not hold the program's objects. */
export function programNodes(graph: HeapGraph): NodeBits {
  const { root, nodeCount, firstEdge, edges, types, names, strings, meta: { edgeType, nodeType } } = graph;
  const reached = new NodeBits(nodeCount);
  const { weak } = edgeType;
  const behind = new Words(1 << 12);
  // One run through memory: what lies ahead is met on the way, only what lies behind is gone back for.
  let passed = nodeCount;
  const reach = (node: number): void => { if (!reached.has(node)) { reached.add(node); if (node < passed) behind.push(node); } };
  const back = (): void => {
    while (behind.length > 0) {
      const node = behind.pop();
      const end = (firstEdge[node + 1] as number);
      for (let edge = (firstEdge[node] as number); edge < end; edge++) { const word = edges[edge] as number; if (typeOf(word) !== weak) reach(targetOf(word)); }
    }
  };
  passed = 0;
  for (let edge = (firstEdge[root] as number); edge < (firstEdge[root + 1] as number); edge++) {
    const to = targetOf(edges[edge] as number);
    const documents = typeOf(edges[edge] as number) === edgeType.element && types[to] === nodeType.synthetic && strings.text((names[to] as number)) === '(Document DOM trees)';
    if (documents || typeOf(edges[edge] as number) === edgeType.shortcut) reach(to);
  }
  for (let node = 0; node < nodeCount; node++) {
    if (!reached.has(node)) continue;
    passed = node + 1;
    behind.push(node);
    back();
  }
  return reached;
}

/** The nodes that an edge that holds leads to, those that several do, and those that hold others. */
export interface Held { readonly once: NodeBits; readonly often: NodeBits; readonly holding: NodeBits }

/** Marks the edges that hold, of the nodes from `from` to `to`. */
export function markEssential(graph: HeapGraph, program: NodeBits, from = 0, to = graph.nodeCount): Held {
  const { root, nodeCount, firstEdge, edges, edgeNames, ids, meta: { edgeType } } = graph;
  const once = new NodeBits(nodeCount);
  const often = new NodeBits(nodeCount);
  const holding = new NodeBits(nodeCount);
  const ephemerons = new EphemeronNames(graph);
  const { weak, shortcut, internal } = edgeType;
  const anyEphemeron = graph.strings.ephemerons.size > 0;
  for (let node = from; node < to; node++) {
    const end = (firstEdge[node + 1] as number);
    const own = program.has(node);
    let holds = false;
    for (let edge = (firstEdge[node] as number); edge < end; edge++) {
      const word = edges[edge] as number;
      const type = typeOf(word);
      const next = targetOf(word);
      if (type === weak || next === node) continue;
      // Without its key or without its map, a WeakMap's value goes: the key is taken as the holder, the map is not.
      if (type === internal && anyEphemeron && ephemerons.of((edgeNames[edge] as number))?.table === ids[node]) continue;
      // At the root alone, shortcuts name the program's globals; and what is not the program's does not hold what is.
      if (node !== root && (type === shortcut || (!own && program.has(next)))) continue;
      edges[edge] = word | HOLDS;
      holds = true;
      if (once.has(next)) often.add(next); else once.add(next);
    }
    if (holds) holding.add(node);
  }
  return { once, often, holding };
}
