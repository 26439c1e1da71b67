// Owns what a collection holds: its items by class, through the tables and hidden parts that V8 puts between.
import type { NodeBits } from './bits.ts';
import type { ClassRow } from './classes.ts';
import { targetOf, typeOf } from './graph.ts';
import type { ClassedHeap } from './heap.ts';
import { Words } from './words.ts';

export interface Items { readonly total: number; readonly top: number | undefined; readonly topCount: number }

const MOST_WALKED = 50_000_000;

/** Counts by class row what hangs on a node directly or behind arrays and hidden parts. `seen`: empty, left empty. */
export function itemsOf(heap: ClassedHeap, node: number, seen: NodeBits): Items {
  const { graph, classes } = heap;
  const { firstEdge, edges, types, meta: { nodeType, edgeType, nodeTypes } } = graph;
  const shape = nodeTypes.indexOf('object shape');
  const counts = new Map<number, number>();
  const stack = new Words();
  const touched = new Words();
  stack.push(node);
  seen.add(node); touched.push(node);
  let total = 0;
  for (let walked = 0; stack.length > 0 && walked < MOST_WALKED;) {
    const at = stack.pop();
    for (let edge = (firstEdge[at] as number); edge < (firstEdge[at + 1] as number); edge++, walked++) {
      const to = targetOf(edges[edge] as number);
      const type = (types[to] as number);
      if (seen.has(to) || typeOf(edges[edge] as number) === edgeType.weak || type === nodeType.code || type === nodeType.synthetic || type === shape || heap.distances.before[to] !== at) continue;
      seen.add(to); touched.push(to);
      if (type === nodeType.array || type === nodeType.hidden) { stack.push(to); continue; }
      total++;
      const row = (classes.of[to] as number);
      counts.set(row, (counts.get(row) ?? 0) + 1);
    }
  }
  while (touched.length > 0) seen.delete(touched.pop());
  let top: number | undefined;
  const { rows } = classes;
  // Of equally many the one with a name of its own: keys are strings, values are what one looks for.
  const telling = (row: number): number => ((rows[row] as ClassRow).name.startsWith('(') ? 0 : 1);
  for (const [row, count] of counts) if (top === undefined || count > (counts.get(top) ?? 0) * 1.5 || (count * 1.5 >= (counts.get(top) ?? 0) && telling(row) > telling(top))) top = row;
  return { total, top, topCount: top === undefined ? 0 : (counts.get(top) ?? 0) };
}
