// Owns the whole analysis of one, two or three snapshots: files in, a heap report out. Blocks its thread: call it in a worker.
import { basename } from 'node:path';
import type { HeapReport, HeapStep, HeapSuspect } from '../../shared/heap.ts';
import { bytes as sizeText, count as countText } from '../../shared/units.ts';
import { baseOf, type BaseSnapshot } from './base.ts';
import type { ClassRow } from './classes.ts';
import { growthSince, type Growth } from './growth.ts';
import type { HeapGraph } from './graph.ts';
import { calculate, counted, type Heap } from './heap.ts';
import { Holders } from './holder.ts';
import { nodeText, pathTo, type Step } from './path.ts';
import { PlaceBook, shortPlace } from './places.ts';
import { readHeapFile, type HeapReading } from './read.ts';
import { collectionsOf, sectionsOf, timersOf, type Sections } from './sections.ts';
import { Suspects, type Suspect } from './suspects.ts';
import { excerpt } from './texts.ts';

const MOST_CLASSES = 500;
const MOST_LARGEST = 50;
const MOST_GROWN = 50;
/** Long ways are told by their ends. */
const STEPS_TOLD = 24;

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
    return judged(order, before, heap, holders, sectionsOf(heap, holders));
  } finally {
    graph.strings.close();
  }
}

/** What is known of all snapshots becomes the report. */
export function judged({ path, bases = [] }: HeapOrder, before: readonly BaseSnapshot[], heap: Heap, holders: Holders, sections: Sections): HeapReport {
  const suspects = new Suspects(heap, holders);
  // Objects keep their ids for the life of a process: without common ones the base is of another.
  const base = before.every((one) => sameProcess(heap, one)) ? before[0] : undefined;
  const growth = base === undefined ? undefined : growthSince(heap, base, holders.places, holders.ways);
  const found = growth === undefined || base === undefined ? suspects.holdsMost() : steady(suspects.grown(growth, base), before, heap, holders);
  const notes = base === undefined && bases.length > 0 ? ['the earlier snapshot is of another process: nothing can be said of growth'] : [];
  return reportOf(heap, holders, sections, found, { file: basename(path), notes, since: growth === undefined || base === undefined ? undefined : { growth, base, name: basename(bases[0] ?? '') } });
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

interface Origin { readonly file: string; readonly notes: readonly string[]; readonly since: { growth: Growth; base: BaseSnapshot; name: string } | undefined }

function reportOf(heap: Heap, holders: Holders, sections: Sections, suspects: readonly Suspect[], { file, notes, since }: Origin): HeapReport {
  const { graph, classes, dominators: { retained } } = heap;
  const rows = classes.rows.filter((row) => row.count > 0).sort((a, b) => b.retained - a.retained);
  return {
    version: 1, file, notes: [...graph.notes, ...notes], nodes: graph.nodeCount, edges: graph.edgeCount, bytes: (retained[graph.root] as number) + graph.meta.extraNativeBytes,
    parts: sections.parts,
    classes: rows.slice(0, MOST_CLASSES).map((row) => classOf(row, holders.places)), moreClasses: Math.max(0, rows.length - MOST_CLASSES),
    largest: largestOf(heap),
    suspects: suspects.map((one) => suspectOf(heap, one)),
    ...since === undefined ? {} : { growth: growthOf(heap, since) },
    strings: sections.strings, functions: sections.functions, collections: collectionsOf(heap, holders),
    emitters: sections.emitters, timers: timersOf(heap, holders), promises: sections.promises, contexts: sections.contexts, buffers: sections.buffers,
  };
}

function classOf({ name, location, count, shallow, retained, distance }: ClassRow, places: PlaceBook): HeapReport['classes'][number] {
  const place = location === undefined ? undefined : places.at(location);
  return { name: excerpt(name), ...place === undefined ? {} : { place }, count, shallow, retained, distance };
}

/** What holds one thing and next to nothing else is not shown: the thing is. */
const PASSED_ON = 0.98;

/** The biggest retained subtrees of the program. */
function largestOf(heap: Heap): HeapReport['largest'] {
  const { graph, dominators: { of: by, retained } } = heap;
  const { types, root, meta: { nodeType } } = graph;
  const candidates: number[] = [];
  let least = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    const type = types[node];
    if ((retained[node] as number) <= least || node === root || type === nodeType.synthetic || type === nodeType.hidden || type === nodeType.code || type === nodeType.array) continue;
    candidates.push(node);
    if (candidates.length < MOST_LARGEST * 40) continue;
    candidates.sort((a, b) => (retained[b] as number) - (retained[a] as number)).length = MOST_LARGEST * 4;
    least = (retained[candidates.at(-1) as number] as number);
  }
  candidates.sort((a, b) => (retained[b] as number) - (retained[a] as number));
  const passing = new Set(candidates.filter((node) => (retained[node] as number) > (retained[(by[node] as number)] as number) * PASSED_ON).map((node) => (by[node] as number)));
  const shown = candidates.filter((node) => !passing.has(node)).slice(0, MOST_LARGEST);
  return shown.map((node) => ({ id: (graph.ids[node] as number), name: excerpt(nodeText(heap, node)), shallow: graph.sizes.of(node), retained: (retained[node] as number), share: (retained[node] as number) / Math.max(1, (retained[root] as number)), path: stepsOf(heap, pathTo(heap, node)) }));
}

export function stepsOf(heap: Heap, steps: readonly Step[]): HeapStep[] {
  const told = steps.length <= STEPS_TOLD ? steps : [...steps.slice(0, STEPS_TOLD / 2), ...steps.slice(-STEPS_TOLD / 2)];
  return told.map(({ node, edge }) => ({ edge: excerpt(edge?.name ?? ''), type: edge?.type ?? 'root', node: excerpt(nodeText(heap, node)), id: (heap.graph.ids[node] as number) }));
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
