// Owns what a heap report says beside classes and suspects: parts, functions, collections, listeners, timers, promises, contexts, buffers.
import { NodeBits } from './bits.ts';
import type { ClassRow } from './classes.ts';
import type { HeapReport } from '../../shared/heap.ts';
import { DETACHED } from './detached.ts';
import { targetOf, typeOf } from './graph.ts';
import type { ClassedHeap, DominatedHeap } from './heap.ts';
import type { Holders } from './holder.ts';
import { itemsOf } from './items.ts';
import { largestOf } from './largest.ts';
import { NameTest } from './names.ts';
import { nodeText } from './path.ts';
import type { Place } from './places.ts';
import { textsOf } from './texts.ts';

const MOST_ROWS = 30;
/** Arrays hold in each object: smaller ones are no collection worth a row. */
const LEAST_LISTENERS = 5;

function partsOf({ graph }: ClassedHeap): HeapReport['parts'] {
  const { nodeCount, types, sizes, meta: { nodeType, extraNativeBytes } } = graph;
  const parts = { native: extraNativeBytes, external: extraNativeBytes, code: 0, strings: 0, arrays: 0, objects: 0, functions: 0, system: 0 };
  const of = new Map<number, keyof typeof parts>([
    [nodeType.native, 'native'], [nodeType.code, 'code'], [nodeType.string, 'strings'], [nodeType['concatenated string'], 'strings'], [nodeType['sliced string'], 'strings'],
    [nodeType.array, 'arrays'], [nodeType.object, 'objects'], [nodeType.closure, 'functions'],
  ]);
  const sums = new Float64Array(256);
  for (let node = 0; node < nodeCount; node++) { const type = types[node] as number; sums[type] = (sums[type] as number) + sizes.of(node); }
  sums.forEach((bytes, type) => { parts[of.get(type) ?? 'system'] += bytes; });
  return parts;
}

function functionsOf({ graph }: ClassedHeap, { places }: Holders): HeapReport['functions'] {
  const { locations, types, names, strings, sizes, meta: { nodeType } } = graph;
  const rows = new Map<string, { at: number; node: number; count: number; bytes: number }>();
  let count = 0;
  let bytes = 0;
  for (let node = 0; node < graph.nodeCount; node++) if (types[node] === nodeType.closure) { count++; bytes += sizes.of(node); }
  for (let at = 0; at < locations.count; at++) {
    const node = (locations.nodes[at] as number);
    if (types[node] !== nodeType.closure) continue;
    const key = `${locations.scripts[at]}:${locations.lines[at]}:${locations.columns[at]}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { at, node, count: 1, bytes: sizes.of(node) }); else { row.count++; row.bytes += sizes.of(node); }
  }
  const byPlace = [...rows.values()].sort((a, b) => b.count - a.count).slice(0, MOST_ROWS).flatMap((row) => {
    const place = places.at(row.at);
    return place === undefined ? [] : [{ name: strings.text((names[row.node] as number)), place, count: row.count, bytes: row.bytes }];
  });
  return { count, bytes, byPlace };
}

const COLLECTIONS = ['Map', 'Set', 'WeakMap', 'WeakSet', 'Array', 'Object'];

/** Maps, sets, arrays and dictionaries that hold most. */
function collectionsOf(heap: DominatedHeap, holders: Holders): HeapReport['collections'] {
  const { graph, dominators: { retained }, classes } = heap;
  const is = new NameTest(graph, ...COLLECTIONS);
  const seen = new NodeBits(graph.nodeCount);
  const largest: number[] = [];
  let least = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.types[node] !== graph.meta.nodeType.object || (retained[node] as number) <= least || !is.has((graph.names[node] as number))) continue;
    largest.push(node);
    if (largest.length < MOST_ROWS * 8) continue;
    largest.sort((a, b) => (retained[b] as number) - (retained[a] as number)).length = MOST_ROWS;
    least = (retained[largest.at(-1) as number] as number);
  }
  largest.sort((a, b) => (retained[b] as number) - (retained[a] as number)).length = Math.min(largest.length, MOST_ROWS);
  return largest.map((node) => {
    const items = itemsOf(heap, node, seen);
    return { id: (graph.ids[node] as number), kind: graph.strings.text((graph.names[node] as number)), entries: items.topCount, ...items.top === undefined ? {} : { of: (classes.rows[items.top] as ClassRow).name }, retained: (retained[node] as number), ...named(holders, node) };
  });
}

function named(holders: Holders, node: number): { holder?: string; place?: Place } {
  const holder = holders.of(node);
  return holder === undefined ? {} : { holder: holder.name, ...holder.place === undefined ? {} : { place: holder.place } };
}

/** Emitters by listeners of one event: `_events` has a function, or an array of them, for each event. */
function emittersOf(heap: ClassedHeap, holders: Holders): HeapReport['emitters'] {
  const { graph } = heap;
  const { types, firstEdge, edges, edgeNames, strings, ids, meta: { nodeType, edgeType } } = graph;
  const events = new NameTest(graph, '_events');
  const rows: { node: number; event: string; listeners: number }[] = [];
  for (let node = 0; node < graph.nodeCount; node++) {
    if (types[node] !== nodeType.object) continue;
    const all = target(heap, node, events);
    if (all === undefined || types[all] !== nodeType.object) continue;
    for (let edge = (firstEdge[all] as number); edge < (firstEdge[all + 1] as number); edge++) {
      const to = targetOf(edges[edge] as number);
      if (typeOf(edges[edge] as number) !== edgeType.property || types[to] !== nodeType.object) continue;
      const listeners = elements(heap, to);
      if (listeners >= LEAST_LISTENERS) rows.push({ node, event: strings.text((edgeNames[edge] as number)), listeners });
    }
  }
  return rows.sort((a, b) => b.listeners - a.listeners).slice(0, MOST_ROWS).map(({ node, event, listeners }) => ({ id: (ids[node] as number), emitter: nodeText(heap, node), event, listeners, ...named(holders, node) }));
}

function target({ graph: { firstEdge, edges, edgeNames, meta: { edgeType } } }: ClassedHeap, node: number, name: NameTest): number | undefined {
  for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.property && name.has((edgeNames[edge] as number))) return targetOf(edges[edge] as number);
  return undefined;
}

function elements({ graph: { firstEdge, edges, types, meta: { edgeType, nodeType } } }: ClassedHeap, array: number): number {
  let count = 0;
  for (let edge = (firstEdge[array] as number); edge < (firstEdge[array + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.element && types[targetOf(edges[edge] as number)] === nodeType.closure) count++;
  return count;
}

function timersOf(heap: DominatedHeap, { places }: Holders): HeapReport['timers'] {
  const { graph, dominators: { retained } } = heap;
  const is = new NameTest(graph, 'Timeout', 'Immediate');
  const callback = new NameTest(graph, '_onTimeout', '_onImmediate');
  const rows = new Map<string, { name: string; place?: Place; count: number }>();
  let count = 0;
  let bytes = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    if (graph.types[node] !== graph.meta.nodeType.object || !is.has((graph.names[node] as number))) continue;
    const run = target(heap, node, callback);
    if (run === undefined || graph.types[run] !== graph.meta.nodeType.closure) continue;
    count++; bytes += (retained[node] as number);
    const place = places.of(run);
    const name = graph.strings.text((graph.names[run] as number));
    const key = place === undefined ? name : `${place.script}:${place.line}:${place.column}`;
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { name, ...place === undefined ? {} : { place }, count: 1 }); else row.count++;
  }
  return { count, retained: bytes, byFunction: [...rows.values()].sort((a, b) => b.count - a.count).slice(0, MOST_ROWS) };
}

/** A promise with reactions is pending for certain; without, the snapshot does not tell a settled one from one that nobody waits for. */
function promisesOf({ graph }: ClassedHeap): HeapReport['promises'] {
  const { firstEdge, edges, edgeNames, names, types, strings, meta: { nodeType, edgeType } } = graph;
  const is = new NameTest(graph, 'Promise');
  const reactions = new NameTest(graph, 'reactions_or_result');
  let count = 0;
  let awaited = 0;
  for (let node = 0; node < graph.nodeCount; node++) {
    if (types[node] !== nodeType.object || !is.has((names[node] as number))) continue;
    count++;
    for (let edge = (firstEdge[node] as number); edge < (firstEdge[node + 1] as number); edge++) if (typeOf(edges[edge] as number) === edgeType.internal && reactions.has((edgeNames[edge] as number)) && strings.text((names[targetOf(edges[edge] as number)] as number)) === 'system / PromiseReaction') { awaited++; break; }
  }
  return { count, awaited, settledOrAlone: count - awaited };
}

function contextsOf({ graph, states, classes }: ClassedHeap): HeapReport['contexts'] {
  const { types, names, meta: { nodeType } } = graph;
  const context = new NameTest(graph, 'system / Context');
  const native = new NameTest(graph, 'system / NativeContext');
  const byRow = new Map<number, { count: number; shallow: number }>();
  const out = { count: 0, native: 0, detached: 0, detachedBytes: 0 };
  for (let node = 0; node < graph.nodeCount; node++) {
    const type = types[node];
    if (type === nodeType.hidden || type === nodeType.object) { if (context.has((names[node] as number))) out.count++; else if (type === nodeType.hidden && native.has((names[node] as number))) out.native++; }
    if (states?.[node] !== DETACHED) continue;
    out.detached++;
    out.detachedBytes += graph.sizes.of(node);
    const row = byRow.get((classes.of[node] as number));
    if (row === undefined) byRow.set((classes.of[node] as number), { count: 1, shallow: graph.sizes.of(node) }); else { row.count++; row.shallow += graph.sizes.of(node); }
  }
  return { ...out, detachedNames: [...byRow].map(([row, own]) => ({ name: (classes.rows[row] as ClassRow).name, ...own })).sort((a, b) => b.shallow - a.shallow || b.count - a.count).slice(0, MOST_ROWS) };
}

function buffersOf({ graph }: ClassedHeap): HeapReport['buffers'] {
  const is = new NameTest(graph, 'system / JSArrayBufferData');
  let count = 0;
  let bytes = 0;
  for (let node = 0; node < graph.nodeCount; node++) if (graph.types[node] === graph.meta.nodeType.native && is.has((graph.names[node] as number))) { count++; bytes += graph.sizes.of(node); }
  return { count, bytes };
}

/** What is said without knowing who holds what alone: another thread can say it meanwhile. */
export type Sections = Pick<HeapReport, 'parts' | 'strings' | 'functions' | 'emitters' | 'promises' | 'contexts' | 'buffers'>;
/** What is said beside the suspects once that is known. */
export type HeldSections = Pick<HeapReport, 'largest' | 'collections' | 'timers'>;
export type AllSections = Sections & HeldSections;

export function sectionsOf(heap: ClassedHeap, holders: Holders): Sections {
  return { parts: partsOf(heap), strings: textsOf(heap), functions: functionsOf(heap, holders), emitters: emittersOf(heap, holders), promises: promisesOf(heap), contexts: contextsOf(heap), buffers: buffersOf(heap) };
}

export function heldSectionsOf(heap: DominatedHeap, holders: Holders): HeldSections {
  return { largest: largestOf(heap), collections: collectionsOf(heap, holders), timers: timersOf(heap, holders) };
}

export function allSectionsOf(heap: DominatedHeap, holders: Holders): AllSections { return { ...sectionsOf(heap, holders), ...heldSectionsOf(heap, holders) }; }
