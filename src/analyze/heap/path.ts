// Owns retaining paths: from the program's roots to any node on a shortest way by Chrome's distance, each step with the edge as the source names it.
import type { ClassRow } from './classes.ts';
import { targetOf, typeOf } from './graph.ts';
import type { ClassedHeap } from './heap.ts';

export interface Step {
  readonly node: number;
  /** How the step before refers to it; absent at the root. */
  readonly edge?: { readonly type: string; readonly name: string };
}

/** Longer ways (lists of a million links) are shown by their ends. */
const MOST_STEPS = 200_000;

export function edgeName({ graph }: ClassedHeap, edge: number): string {
  const { edges, edgeNames, strings, meta: { edgeType } } = graph;
  return typeOf(edges[edge] as number) === edgeType.element || typeOf(edges[edge] as number) === edgeType.hidden ? String(edgeNames[edge]) : strings.text((edgeNames[edge] as number));
}

/** The edge by which `from` holds `to`, the best named first: a variable or property before V8's own words. */
export function edgeBetween({ graph }: ClassedHeap, from: number, to: number): number | undefined {
  const { firstEdge, edges, meta: { edgeType } } = graph;
  const rank = (edge: number): number => { const type = typeOf(edges[edge] as number); return type === edgeType.context ? 0 : type === edgeType.property ? 1 : type === edgeType.element ? 2 : type === edgeType.shortcut ? 3 : type === edgeType.internal ? 4 : 5; };
  let best: number | undefined;
  for (let edge = (firstEdge[from] as number); edge < (firstEdge[from + 1] as number); edge++) {
    if (targetOf(edges[edge] as number) !== to || typeOf(edges[edge] as number) === edgeType.weak) continue;
    if (best === undefined || rank(edge) < rank(best)) best = edge;
  }
  return best;
}

/** Root first, the node last. */
export function pathTo(heap: ClassedHeap, node: number): Step[] {
  const { before } = heap.distances;
  const steps: Step[] = [];
  for (let at = node; steps.length < MOST_STEPS; at = (before[at] as number)) {
    const above = (before[at] as number);
    const edge = above === at ? undefined : edgeBetween(heap, above, at);
    steps.push(edge === undefined ? { node: at } : { node: at, edge: { type: heap.graph.meta.edgeTypes[typeOf(heap.graph.edges[edge] as number)] ?? '', name: edgeName(heap, edge) } });
    if (above === at) break;
  }
  return steps.reverse();
}

export function nodeText({ graph, classes }: ClassedHeap, node: number): string {
  const type = graph.types[node];
  const { nodeType } = graph.meta;
  if (type === nodeType.closure) { const name = graph.strings.text((graph.names[node] as number)); return name === '' ? 'a function' : `${name}()`; }
  if (type === nodeType.string || type === nodeType['concatenated string'] || type === nodeType['sliced string']) return '(string)';
  if (type === nodeType.synthetic) return graph.strings.text((graph.names[node] as number)) || '(root)';
  return (classes.rows[(classes.of[node] as number)] as ClassRow).name;
}
