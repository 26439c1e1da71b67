// Owns the whole analysis of one, two or three snapshots: files in, a heap report out. Blocks its thread: call it in a worker.
import { basename } from 'node:path';
import type { HeapReport, HeapSuspect } from '../../shared/heap.ts';
import { bytes as sizeText, count as countText } from '../../shared/units.ts';
import { baseOf, type BaseSnapshot } from './base.ts';
import type { ClassRow } from './classes.ts';
import { growthSince, type Growth } from './growth.ts';
import type { HeapGraph } from './graph.ts';
import { calculate, counted, type Heap } from './heap.ts';
import { Holders } from './holder.ts';
import { stepsOf } from './largest.ts';
import { pathTo } from './path.ts';
import { PlaceBook, shortPlace } from './places.ts';
import { readHeapFile, type HeapReading } from './read.ts';
import { allSectionsOf, type AllSections } from './sections.ts';
import { Suspects, type Suspect } from './suspects.ts';
import { excerpt } from './texts.ts';

const MOST_CLASSES = 500;
const MOST_GROWN = 50;

export interface HeapOrder {
  readonly path: string;
  /** Earlier snapshots of the same process, oldest first. */
  readonly bases?: readonly string[];
}

/** @throws HEAP_UNREADABLE */
export function heapReport(order: HeapOrder, reading: HeapReading = {}): HeapReport {
  const before = (order.bases ?? []).map((base) => remembered(readHeapFile(base, reading)));
  const graph = readHeapFile(order.path, reading);
  try {
    const heap = calculate(graph);
    const holders = new Holders(heap);
    return reportOf(heap, holders, judged(order, before, heap, holders), allSectionsOf(heap, holders));
  } finally {
    graph.strings.close();
  }
}

export interface Judged { readonly suspects: readonly Suspect[]; readonly file: string; readonly notes: readonly string[]; readonly since: { readonly growth: Growth; readonly base: BaseSnapshot; readonly name: string } | undefined }

/** The suspects, and what is said of growth. */
export function judged({ path, bases = [] }: HeapOrder, before: readonly BaseSnapshot[], heap: Heap, holders: Holders): Judged {
  const suspects = new Suspects(heap, holders);
  // Objects keep their ids for the life of a process: without common ones the base is of another.
  const base = before.every((one) => sameProcess(heap, one)) ? before[0] : undefined;
  const growth = base === undefined ? undefined : growthSince(heap, base, holders.places, holders.ways);
  const found = growth === undefined || base === undefined ? suspects.holdsMost() : steady(suspects.grown(growth, base), before, heap, holders);
  const notes = base === undefined && bases.length > 0 ? ['the earlier snapshot is of another process: nothing can be said of growth'] : [];
  return { suspects: found, file: basename(path), notes, since: growth === undefined || base === undefined ? undefined : { growth, base, name: basename(bases[0] ?? '') } };
}

/** Closes the graph's strings: it is not looked at again. */
export function remembered(graph: HeapGraph): BaseSnapshot {
  try {
    return baseOf(graph, counted(graph), new PlaceBook(graph));
  } finally {
    graph.strings.close();
  }
}

const LEAST_COMMON = 0.2;

function sameProcess({ graph: { ids } }: Heap, base: BaseSnapshot): boolean {
  let common = 0;
  for (const id of ids) if (base.has(id)) common++;
  return common >= Math.min(base.nodes, ids.length) * LEAST_COMMON;
}

/** With three snapshots a suspect must have grown in the second half too: what filled up once is no leak. */
function steady(found: readonly Suspect[], before: readonly BaseSnapshot[], heap: Heap, holders: Holders): readonly Suspect[] {
  const middle = before[1];
  if (middle === undefined) return found;
  const later = new Suspects(heap, holders).grown(growthSince(heap, middle, holders.places, holders.ways), middle);
  return found.filter((one) => later.some((own) => own.holder === one.holder && own.place?.script === one.place?.script && own.place?.line === one.place?.line));
}

export function reportOf(heap: Heap, { places }: Holders, { suspects, file, notes, since }: Judged, sections: AllSections): HeapReport {
  const { graph, classes, dominators: { retained } } = heap;
  const rows = classes.rows.filter((row) => row.count > 0).sort((a, b) => b.retained - a.retained);
  return {
    version: 1, file, notes: [...graph.notes, ...notes], nodes: graph.nodeCount, edges: graph.edgeCount, bytes: (retained[graph.root] as number) + graph.meta.extraNativeBytes,
    parts: sections.parts,
    classes: rows.slice(0, MOST_CLASSES).map((row) => classOf(row, places)), moreClasses: Math.max(0, rows.length - MOST_CLASSES),
    largest: sections.largest,
    suspects: suspects.map((one) => suspectOf(heap, one)),
    ...since === undefined ? {} : { growth: growthOf(heap, since) },
    strings: sections.strings, functions: sections.functions, collections: sections.collections,
    emitters: sections.emitters, timers: sections.timers, promises: sections.promises, contexts: sections.contexts, buffers: sections.buffers,
  };
}

function classOf({ name, location, count, shallow, retained, distance }: ClassRow, places: PlaceBook): HeapReport['classes'][number] {
  const place = location === undefined ? undefined : places.at(location);
  return { name: excerpt(name), ...place === undefined ? {} : { place }, count, shallow, retained, distance };
}

function suspectOf(heap: Heap, one: Suspect): HeapSuspect {
  const { node, place, what } = one;
  return {
    title: titleOf(one), sign: one.sign, holder: one.holder, ...place === undefined ? {} : { place }, exact: one.exact, ...what === undefined ? {} : { what: excerpt(what) },
    ...one.made === undefined ? {} : { made: { ...one.made, name: excerpt(one.made.name) } },
    count: one.count, bytes: Math.round(one.bytes), retained: one.retained, share: one.share, id: (heap.graph.ids[node] as number), path: stepsOf(heap, pathTo(heap, node)),
  };
}

/** "`cache` in `lib/store.js:12` holds 48,211 `Session`" */
function titleOf({ holder, place, what, count, bytes, sign }: Suspect): string {
  const held = what === undefined ? '' : count > 1 ? ` holds ${countText(count)} \`${excerpt(what)}\`` : ` holds \`${excerpt(what)}\``;
  return `\`${holder}\`${place === undefined ? '' : ` in \`${shortPlace(place)}\``}${held}${sign === 'grew' ? ` and grew by ${sizeText(bytes)}` : `, ${sizeText(bytes)} in all`}`;
}

function growthOf(heap: Heap, { growth, base, name }: { growth: Growth; base: BaseSnapshot; name: string }): NonNullable<HeapReport['growth']> {
  const { graph, dominators: { retained } } = heap;
  return { base: name, nodes: graph.nodeCount - base.nodes, bytes: (retained[graph.root] as number) - base.bytes, grownBytes: Math.round(growth.bytes), classes: growth.classes.filter((one) => one.shallow > 0).slice(0, MOST_GROWN).map(({ name: own, count, shallow }) => ({ name: excerpt(own), count, shallow })) };
}
