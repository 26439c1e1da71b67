// Owns what grew between two snapshots: which new bytes are a net growth of their class, and which older object each of them hangs on.
import type { BaseSnapshot } from './base.ts';
import { classKey, REMEMBERED_BYTES } from './base.ts';
import { NO_NODE, type ClassRow } from './classes.ts';
import type { Heap } from './heap.ts';
import type { PlaceBook } from './places.ts';

export interface ClassGrowth { readonly name: string; readonly row: number | undefined; readonly count: number; readonly shallow: number }

export interface Growth {
  readonly bytes: number;
  /** Classes by growth of shallow size, most first. */
  readonly classes: readonly ClassGrowth[];
  /** New bytes by the older object that they hang on, most first. */
  readonly anchors: readonly Anchor[];
}

export interface Anchor {
  readonly node: number;
  readonly bytes: number;
  /** The tops of what is new below it. */
  readonly tops: readonly number[];
}

const MOST_ANCHORS = 200;
const MOST_TOPS = 2_000;
const MOST_CLASSES = 200;

export function growthSince(heap: Heap, base: BaseSnapshot, places: PlaceBook, ways: Uint32Array): Growth {
  const { graph, classes } = heap;
  const isNew = new Uint8Array(graph.nodeCount);
  const fresh = new Float64Array(classes.rows.length);
  for (let node = 0; node < graph.nodeCount; node++) {
    if (base.has((graph.ids[node] as number))) continue;
    isNew[node] = 1;
    const row = (classes.of[node] as number);
    fresh[row] = (fresh[row] as number) + graph.sizes.of(node);
  }
  const net = netOf(heap, base, places);
  const weights = Float64Array.from(fresh, (bytes, row) => (bytes === 0 ? 0 : Math.max(0, Math.min(1, (net.byRow[row] as number) / bytes))));
  const grown = grownBelow(heap, base, isNew, weights);
  return { bytes: (grown[graph.root] as number), classes: net.classes, anchors: anchored(heap, ways, isNew, grown, base) };
}

interface Net { readonly classes: readonly ClassGrowth[]; readonly byRow: Float64Array }

function netOf(heap: Heap, base: BaseSnapshot, places: PlaceBook): Net {
  const { rows } = heap.classes;
  const byRow = new Float64Array(rows.length);
  const now = new Map<string, { row: number; count: number; shallow: number; rows: number[] }>();
  rows.forEach(({ count, shallow }, row) => {
    const key = classKey(heap.classes, places, row);
    const known = now.get(key);
    if (known === undefined) now.set(key, { row, count, shallow, rows: [row] }); else { known.count += count; known.shallow += shallow; known.rows.push(row); }
  });
  const classes: ClassGrowth[] = [];
  for (const [key, own] of now) {
    const was = base.classes.get(key);
    const shallow = own.shallow - (was?.shallow ?? 0);
    for (const row of own.rows) byRow[row] = shallow;
    classes.push({ name: (rows[own.row] as ClassRow).name, row: own.row, count: own.count - (was?.count ?? 0), shallow });
  }
  for (const [key, was] of base.classes) if (!now.has(key)) classes.push({ name: key.replace(/ @.*$/, ''), row: undefined, count: -was.count, shallow: -was.shallow });
  return { byRow, classes: classes.sort((a, b) => b.shallow - a.shallow).slice(0, MOST_CLASSES) };
}

/** V8 compiles and learns while a program runs: code, maps and feedback that grow are not the program's data. */
function ownWeights({ graph: { types, meta: { nodeType, nodeTypes } } }: Heap): (node: number) => boolean {
  const shape = nodeTypes.indexOf('object shape');
  return (node) => { const type = types[node]; return type !== nodeType.code && type !== nodeType.hidden && type !== nodeType.synthetic && type !== shape; };
}

/** Weighted new bytes of each node and all it holds. */
function grownBelow(heap: Heap, base: BaseSnapshot, isNew: Uint8Array, weights: Float64Array): Float64Array {
  const { graph, classes, child, sibling, dominators: { of: by } } = heap;
  const grown = heap.arena.doubles(graph.nodeCount).fill(0);
  const counts = ownWeights(heap);
  for (let node = 0; node < graph.nodeCount; node++) {
    if (!counts(node)) continue;
    const size = graph.sizes.of(node);
    if (isNew[node] === 1) grown[node] = size * (weights[(classes.of[node] as number)] as number);
    else if (size >= 2 * REMEMBERED_BYTES) grown[node] = Math.max(0, size - (base.sizeOf((graph.ids[node] as number)) ?? REMEMBERED_BYTES));
  }
  let node = graph.root;
  for (;;) {
    if (child[node] !== NO_NODE) { node = (child[node] as number); continue; }
    for (;;) {
      if (node === graph.root) return grown;
      const above = (by[node] as number);
      grown[above] = (grown[above] as number) + (grown[node] as number);
      if (sibling[node] !== NO_NODE) { node = (sibling[node] as number); break; }
      node = above;
    }
  }
}

function anchored(heap: Heap, ways: Uint32Array, isNew: Uint8Array, grown: Float64Array, base: BaseSnapshot): Anchor[] {
  const { graph, dominators: { of: by } } = heap;
  const found = new Map<number, { bytes: number; tops: number[] }>();
  const add = (node: number, bytes: number, top?: number): void => {
    let own = found.get(node);
    if (own === undefined) found.set(node, own = { bytes: 0, tops: [] });
    own.bytes += bytes;
    if (top !== undefined && own.tops.length < MOST_TOPS) own.tops.push(top);
  };
  const eachTop = (visit: (node: number) => void): void => { for (let node = 0; node < graph.nodeCount; node++) if (isNew[node] === 1 && grown[node] !== 0 && isNew[(by[node] as number)] === 0) visit(node); };
  const older = (node: number): number => { let at = node; while (isNew[at] === 1 && ways[at] !== at) at = (ways[at] as number); return at; };
  for (let node = 0; node < graph.nodeCount; node++) {
    const size = graph.sizes.of(node);
    if (isNew[node] === 0 && size >= 2 * REMEMBERED_BYTES && (grown[node] as number) > 0) { const more = size - (base.sizeOf((graph.ids[node] as number)) ?? REMEMBERED_BYTES); if (more > 0) add(node, more); }
  }
  eachTop((node) => { add(older(node), (grown[node] as number), node); });
  return [...found].map(([node, { bytes, tops }]) => ({ node, bytes, tops })).sort((a, b) => b.bytes - a.bytes).slice(0, MOST_ANCHORS);
}
