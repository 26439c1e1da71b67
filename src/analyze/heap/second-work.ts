// Owns what the second thread does: it reads the edges, gives sizes, marks its half, turns edges round, and finds ways, classes and all that is said without dominators.
import { closeSync, openSync, readSync } from 'node:fs';
import { Arena } from './arena.ts';
import { NodeBits } from './bits.ts';
import { retainedByClass } from './classes.ts';
import { incoming } from './dominators.ts';
import { EdgeRows } from './edges.ts';
import { markEssential } from './essential.ts';
import { Sizes, type HeapGraph } from './graph.ts';
import { classed, sized, type ClassedHeap } from './heap.ts';
import { Holders } from './holder.ts';
import { NumberReader } from './numbers.ts';
import { programWays } from './program-ways.ts';
import { CHUNK_BYTES } from './read.ts';
import type { Answered, Asked, EdgesRead, Question, Questions } from './second.ts';
import { heldSectionsOf, sectionsOf } from './sections.ts';
import { fileBytes, StringTable } from './strings.ts';

type Deeds = { readonly [Q in Question]: (ask: Questions[Q]['ask']) => Questions[Q]['answer'] };

/** Answers each question as it comes. Columns that it makes are memory of both threads. */
export function secondWork(): (asked: Asked) => Answered {
  const arena = new Arena(true);
  let graph: HeapGraph | undefined;
  let states: Uint8Array | undefined;
  let heap: ClassedHeap | undefined;
  let holders: Holders | undefined;
  const there = <T>(value: T | undefined): T => { if (value === undefined) throw new Error('a question came before what it needs'); return value; };
  const deeds: Deeds = {
    edges: readEdges,
    sizes({ path, places, small, ...columns }) {
      const strings = new StringTable(true, places);
      strings.open(fileBytes(path));
      graph = { ...columns, strings, sizes: new Sizes(small), allocations: undefined };
      states = sized(graph, arena);
      return { states };
    },
    marks({ program, from, to }) {
      const { once, often, holding } = markEssential(there(graph), new NodeBits(0, program), from, to);
      return { once: once.words, often: often.words, holding: holding.words };
    },
    incoming: ({ often }) => incoming(there(graph), { often: new NodeBits(0, often) }, arena),
    classes() {
      heap = classed(there(graph), states, arena);
      const ways = programWays(heap);
      holders = new Holders(heap, ways);
      return { rows: heap.classes.rows, of: heap.classes.of, before: heap.distances.before, ways };
    },
    sections: () => sectionsOf(there(heap), there(holders)),
    held({ dominators, child, sibling }) {
      try {
        const { classes } = there(heap);
        return { retained: retainedByClass(there(graph), classes, dominators, child, sibling), sections: heldSectionsOf({ ...there(heap), dominators }, there(holders)) };
      } finally {
        graph?.strings.close();
      }
    },
  };
  return ({ question, ask }) => ({ answer: (deeds[question] as (ask: object) => unknown)(ask) });
}

const NAME = Buffer.from('"edges":[');

/** The edges of a file in V8's own layout; `from` is -1 where there are none. */
function readEdges({ path, meta, columns, at }: Questions['edges']['ask']): EdgesRead {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const rows = new EdgeRows(meta, columns);
    const reader = new NumberReader(meta.edge.fields, (numbers, count) => { rows.add(numbers, count, meta.nodeCount); });
    const from = beginOf(file, chunk, at);
    const none = { from: -1, to: -1, rows: 0, whole: false };
    if (from < 0) return none;
    for (let place = from; ;) {
      const count = readSync(file, chunk, 0, CHUNK_BYTES, place);
      if (count === 0) return none;
      const end = reader.read(chunk, 0, count);
      if (end >= 0) return { from, to: place + end, rows: rows.count, whole: reader.strange === 0 && rows.damaged === 0 };
      place += count;
    }
  } finally {
    closeSync(file);
  }
}

/** Behind the bracket that opens the edges. No text of a snapshot has such a name in it: its quotes would be escaped. */
function beginOf(file: number, chunk: Buffer, at: number): number {
  for (let place = at; ;) {
    const count = readSync(file, chunk, 0, CHUNK_BYTES, place);
    const found = chunk.subarray(0, count).indexOf(NAME);
    if (found >= 0) return place + found + NAME.length;
    if (count < NAME.length) return -1;
    place += count - NAME.length + 1;
  }
}
