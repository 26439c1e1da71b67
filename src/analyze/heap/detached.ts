// Owns who is detached: what the embedder says of its own objects spreads over the objects that they hold (Chrome's rules).
import { targetOf, typeOf, type HeapGraph } from './graph.ts';
import { Words } from './words.ts';

const ATTACHED = 1;
export const DETACHED = 2;

/** States per node after they have spread; undefined when the snapshot names none. Class names of detached ones begin with "Detached ". */
export function spreadDetachment(graph: HeapGraph): Uint8Array | undefined {
  const { detached: given, nodeCount, types, meta } = graph;
  if (given === undefined) return undefined;
  const states = new Uint8Array(nodeCount);
  const visited = new Uint8Array(nodeCount);
  const attached = new Words();
  const detached = new Words();
  const visit = (node: number, state: number): void => {
    if (visited[node] === 1) return;
    visited[node] = 1;
    if (types[node] !== meta.nodeType.native) { states[node] = (given[node] as number); return; }
    states[node] = state;
    if (state === ATTACHED) attached.push(node);
    else if (state === DETACHED) detached.push(node);
  };
  for (let node = 0; node < nodeCount; node++) if (given[node] !== 0) visit(node, (given[node] as number));
  while (attached.length > 0) spread(graph, attached.pop(), (child) => { visit(child, ATTACHED); });
  while (detached.length > 0) {
    const node = detached.pop();
    if (states[node] !== ATTACHED) spread(graph, node, (child) => { visit(child, DETACHED); });
  }
  return states;
}

function spread({ firstEdge, edges, meta }: HeapGraph, node: number, child: (node: number) => void): void {
  for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) {
    const type = typeOf(edges[edge] as number);
    if (type !== meta.edgeType.hidden && type !== meta.edgeType.weak) child(targetOf(edges[edge] as number));
  }
}
