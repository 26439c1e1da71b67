// Owns the other way to name a holder: where only Node's own lists hold things (timers, sockets), the program's function inside them says who they are.
import { NO_NODE } from './classes.ts';
import { targetOf, typeOf } from './graph.ts';
import type { Heap } from './heap.ts';
import { originOf, type Place, type PlaceBook } from './places.ts';

export interface Inside { readonly name: string; readonly place: Place; readonly count: number }

const MOST_LOOKED_AT = 400_000;

/** The program's function that most often lies among what the tops hold. */
export function functionInside(heap: Heap, places: PlaceBook, tops: readonly number[]): Inside | undefined {
  const { graph, child, sibling } = heap;
  const { types, firstEdge, edges, meta: { nodeType, edgeType } } = graph;
  const found = new Map<string, { name: string; place: Place; count: number }>();
  const look = (node: number): void => {
    if (types[node] !== nodeType.closure) return;
    const place = places.of(node);
    if (place === undefined || originOf(place.script) === 'node') return;
    const key = `${place.script}:${place.line}:${place.column}`;
    const own = found.get(key);
    if (own === undefined) found.set(key, { name: graph.strings.text((graph.names[node] as number)), place, count: 1 }); else own.count++;
  };
  let looked = 0;
  for (const top of tops) {
    const stack = [top];
    while (stack.length > 0 && looked++ < MOST_LOOKED_AT) {
      const node = stack.pop() as number;
      look(node);
      // A function that several share is held by none of them alone: it is one edge away.
      for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.property && types[targetOf(edges[edge] as number)] === nodeType.closure && heap.dominators.of[targetOf(edges[edge] as number)] !== node) look(targetOf(edges[edge] as number));
      for (let below = (child[node] as number); below !== NO_NODE; below = (sibling[below] as number)) stack.push(below);
    }
  }
  const ranked = [...found.values()].sort((a, b) => (originOf(a.place.script) === 'app' ? 0 : 1) - (originOf(b.place.script) === 'app' ? 0 : 1) || b.count - a.count || a.place.line - b.place.line);
  return ranked[0];
}
