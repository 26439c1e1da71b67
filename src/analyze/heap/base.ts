// Owns what is remembered of an earlier snapshot: which objects there were, how large each class and each large object was; its graph can go.
import type { Classes, ClassRow } from './classes.ts';
import type { HeapGraph } from './graph.ts';
import type { PlaceBook } from './places.ts';

export interface BaseSnapshot {
  readonly nodes: number;
  readonly bytes: number;
  readonly classes: ReadonlyMap<string, { readonly count: number; readonly shallow: number }>;
  has(id: number): boolean;
  /** Shallow size; undefined: it was small, or not there. */
  sizeOf(id: number): number | undefined;
}

/** Smaller objects do not grow by what would count as a leak. */
export const REMEMBERED_BYTES = 2048;
/** A set of bits is used while it takes less than this per object. */
const BITS_PER_NODE = 64;

export function classKey(classes: Classes, places: PlaceBook, row: number): string {
  const { name, location } = (classes.rows[row] as ClassRow);
  const place = location === undefined ? undefined : places.at(location);
  return place === undefined ? name : `${name} @${place.script}:${place.line}:${place.column}`;
}

export function baseOf(graph: HeapGraph, classes: Classes, places: PlaceBook): BaseSnapshot {
  const sizes = new Map<number, number>();
  let bytes = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    const size = graph.sizes.of(node);
    bytes += size;
    if (size >= REMEMBERED_BYTES) sizes.set((graph.ids[node] as number), size);
  }
  const rows = new Map<string, { count: number; shallow: number }>();
  classes.rows.forEach(({ count, shallow }, row) => {
    const key = classKey(classes, places, row);
    const known = rows.get(key);
    if (known === undefined) rows.set(key, { count, shallow }); else { known.count += count; known.shallow += shallow; }
  });
  return { nodes: graph.nodeCount, bytes, classes: rows, has: idTest(graph.ids), sizeOf: (id) => sizes.get(id) };
}

function idTest(ids: Uint32Array): (id: number) => boolean {
  let highest = 0;
  for (const id of ids) if (id > highest) highest = id;
  if (highest / BITS_PER_NODE > ids.length) {
    const sorted = Uint32Array.from(ids).sort();
    return (id) => { let low = 0; let high = sorted.length - 1; while (low < high) { const middle = (low + high) >> 1; if ((sorted[middle] as number) < id) low = middle + 1; else high = middle; } return sorted[low] === id; };
  }
  const bits = new Uint8Array((highest >>> 3) + 1);
  for (const id of ids) bits[id >>> 3] = (bits[id >>> 3] as number) | 1 << (id & 7);
  return (id) => id <= highest && ((bits[id >>> 3] as number) & (1 << (id & 7))) !== 0;
}
