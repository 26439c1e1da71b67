// Owns the analysis by two threads: which does what, and where one waits for the other. Whatever is odd about a file or a thread is left to one thread alone.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { HeapReport } from '../../shared/heap.ts';
import { Arena } from './arena.ts';
import type { BaseSnapshot } from './base.ts';
import { NodeBits } from './bits.ts';
import { dominatedLists, setRetained } from './classes.ts';
import { dominated, numbered, walked } from './dominators.ts';
import { markEssential, programNodes, type Held } from './essential.ts';
import { LARGE } from './numbers.ts';
import type { HeapGraph } from './graph.ts';
import { calculate } from './heap.ts';
import { Holders } from './holder.ts';
import { SnapshotParser } from './parse.ts';
import { chunksOf, type HeapReading } from './read.ts';
import { judged, remembered, reportOf, type HeapOrder } from './report.ts';
import type { EdgesRead, SecondThread } from './second.ts';
import { allSectionsOf } from './sections.ts';
import { fileBytes } from './strings.ts';

/** Above it both do not calculate at once: that takes five numbers a node more, which is nothing to a small heap and too much for a large one. */
const MOST_NODES = 10_000_000;
/** Between the last edge and the next name V8 writes a bracket, a comma and a line's end. */
const MOST_BETWEEN = 64;
const UNBRACE = 125;

/** The very report that one thread would make; undefined: this one must. */
export async function heapReportByTwo(order: HeapOrder, reading: HeapReading, second: SecondThread): Promise<HeapReport | undefined> {
  const before: BaseSnapshot[] = [];
  for (const base of order.bases ?? []) {
    const graph = await graphByTwo(base, reading, second);
    if (graph === undefined) return undefined;
    before.push(remembered(graph));
  }
  const graph = await graphByTwo(order.path, reading, second);
  if (graph === undefined) return undefined;
  try {
    if (graph.nodeCount <= MOST_NODES && shallowSum(graph) < LARGE) return await calculatedByTwo(order, before, graph, second);
    await second.end();
    const heap = calculate(graph);
    const holders = new Holders(heap);
    return reportOf(heap, holders, judged(order, before, heap, holders), allSectionsOf(heap, holders));
  } finally {
    graph.strings.close();
  }
}

/** A size of 4 GB and more is kept in a list that one thread alone has. */
function shallowSum({ nodeCount, sizes: { small } }: HeapGraph): number {
  let sum = 0;
  for (let node = 0; node < nodeCount; node++) sum += small[node] as number;
  return sum;
}

async function graphByTwo(path: string, reading: HeapReading, second: SecondThread): Promise<HeapGraph | undefined> {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    let read: Promise<EdgesRead> | undefined;
    const parser = new SnapshotParser(size, (meta, { columns }, at) => { read = second.ask('edges', { path, meta, columns, at }); });
    for (const chunk of chunksOf(file, size, reading)) parser.push(chunk);
    const edges = await read;
    if (edges === undefined || !edges.whole || edges.from !== parser.edgesFrom || !onlySpace(file, edges.to, parser.edgesTo)) return undefined;
    parser.edgesAre(edges.rows);
    return parser.whole ? parser.done(fileBytes(path)) : undefined;
  } finally {
    closeSync(file);
  }
}

function onlySpace(file: number, from: number, to = -1): boolean {
  if (to < from || to - from > MOST_BETWEEN) return false;
  const between = Buffer.alloc(to - from);
  return readSync(file, between, 0, between.length, from) === between.length && !between.includes(UNBRACE);
}

async function calculatedByTwo(order: HeapOrder, before: readonly BaseSnapshot[], graph: HeapGraph, second: SecondThread): Promise<HeapReport> {
  const { sizes, allocations: _, strings, ...columns } = graph;
  const given = second.ask('sizes', { ...columns, path: order.path, places: strings.places, small: sizes.small });
  const held = await marked(graph, second);
  const { states } = await given;
  const ins = second.ask('incoming', { often: held.often.words });
  const known = second.ask('classes', {});
  const sections = second.ask('sections', {});
  const arena = new Arena(true);
  const walk = walked(graph, held, arena);
  const dominators = dominated(graph, held, walk, numbered(await ins, walk), arena);
  const { rows, of, before: way, ways } = await known;
  const lists = dominatedLists(graph, dominators, arena);
  const rest = second.ask('held', { dominators, ...lists });
  const heap = { graph, states, distances: { before: way }, classes: { rows, of }, arena, dominators, ...lists };
  const holders = new Holders(heap, ways);
  const found = judged(order, before, heap, holders);
  const { retained, sections: heldSections } = await rest;
  setRetained(rows, retained);
  return reportOf(heap, holders, found, { ...await sections, ...heldSections });
}

/** Each marks half of the edges. */
async function marked(graph: HeapGraph, second: SecondThread): Promise<Held> {
  const { nodeCount, edgeCount, firstEdge } = graph;
  const program = programNodes(graph);
  let half = 0;
  while (half < nodeCount && (firstEdge[half] as number) < edgeCount / 2) half++;
  const theirs = second.ask('marks', { program: program.words, from: half, to: nodeCount });
  const own = markEssential(graph, program, 0, half);
  const { once, often, holding } = await theirs;
  for (let at = 0; at < once.length; at++) {
    const both = (once[at] as number) & (own.once.words[at] as number);
    once[at] = (once[at] as number) | (own.once.words[at] as number);
    often[at] = (often[at] as number) | (own.often.words[at] as number) | both;
    holding[at] = (holding[at] as number) | (own.holding.words[at] as number);
  }
  return { once: new NodeBits(nodeCount, once), often: new NodeBits(nodeCount, often), holding: new NodeBits(nodeCount, holding) };
}
