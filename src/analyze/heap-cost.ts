// Owns what V8 makes for a snapshot of a heap, counted from what the heap is made of, and what each of it costs.
import type { HeapDensity } from '../platform/platform.ts';

/** What a snapshot tells and what it is made with. */
export interface SnapshotParts {
  /** Objects of the heap; numbers in arrays and small integers are none. */
  readonly nodes: number;
  readonly edges: number;
  /** Different texts: of strings, and names of properties. */
  readonly texts: number;
  readonly characters: number;
  /** Of the texts those that V8 keeps once for all their uses. */
  readonly internalized: number;
  /** Numbers that name a place in an array or in the table of internalized strings, each once for all of them. */
  readonly names: number;
}

/** Of a process that has nothing of its own, beside the objects that are seen: roots, and what all heaps share. Measured on Node 18 to 24, empty. */
const BESIDE: SnapshotParts = { nodes: 3_000, edges: 50_000, texts: 8_000, characters: 300_000, internalized: 0, names: 0 };

export function snapshotParts(smallBytes: number, density: HeapDensity): SnapshotParts {
  const of = (each: number): number => smallBytes * each;
  const nodes = of(density.objects) + BESIDE.nodes;
  // An edge from each object to its map, from each of a program to its prototype, and from the table of internalized strings to each of them.
  const edges = nodes + of(density.receivers + density.references + density.elements + density.internalized) + density.largeReferences + density.largeElements + BESIDE.edges;
  const internalized = of(density.internalized);
  const texts = internalized + Math.min(of(density.strings - density.internalized), density.differentTexts) + BESIDE.texts;
  return { nodes, edges, texts, characters: of(density.characters) + BESIDE.characters, internalized, names: Math.max(internalized, density.arrayPlaces) };
}

/** Sizes on 64 bits, from V8's source (src/profiler/heap-snapshot-generator.h, 10.2 to 13.6). A node is an entry of 40 bytes, a record of 24 under which its object is known again,
 *  and a node of 32 with 12 of buckets in the table from object to entry; an edge is 24 bytes and a pointer to it. */
const NODE_BYTES = 40 + 24 + 32 + 12, EDGE_BYTES = 24 + 8;
/** A number as a name is printed into 1,024 bytes that are kept as they are (src/profiler/strings-storage.cc); malloc puts 16 before each. */
const NAME_BYTES = 1_024 + 16, TEXT_BYTES = 16;
/** Tables of 24 bytes a place are doubled when they are filled to four fifths. One knows the objects, one the texts, and one the texts that were written already. */
const PLACE_BYTES = 24;
/** What is beside: buffers of the writer, the stack of the generator, and what malloc loses between the pieces. Measured over 24 kinds of heaps: 2 to 8 %. */
const LOST_SHARE = 1.06, BESIDE_BYTES = 10 * 1024 * 1024;

export function partsBytes({ nodes, edges, texts, characters, names }: SnapshotParts): number {
  const tables = PLACE_BYTES * (places(nodes) + 2 * places(texts + names));
  return BESIDE_BYTES + LOST_SHARE * (nodes * NODE_BYTES + edges * EDGE_BYTES + texts * TEXT_BYTES + characters + names * NAME_BYTES + tables);
}

const places = (entries: number): number => 2 ** Math.ceil(Math.log2(Math.max(8, entries * 1.25)));

/** Microseconds of processor: the proportions are fitted to 24 kinds of heaps of 60 MB on Node 20 and 22, the whole lies between an idle machine (a fifth less) and one whose caches others used too,
 *  or heaps of 200 MB (a fifth more). Each byte is memory that the kernel makes ready for the first time, which is a fifth to a half of all. */
const NODE_US = 1.4, EDGE_US = 0.22, TEXT_US = 0.7, INTERNALIZED_US = 5.4, CHARACTER_US = 0.005, BYTE_US = 0.0014, START_MS = 10;
/** The same on Node 24. */
const FROM_V8_13 = { share: 0.68, internalizedUs: 1.3 };
/** V8 before 11 (Node 16, 18) puts names that are numbers side by side into the table of texts: a text whose place is among them walks half of them, a place in this time. */
const WALKED_US = 0.00125, WALKS_BEFORE_V8 = 11;

/** @param version as V8 says it, "11.3.244.8-node.38"; one that is not known counts as that of Node 20. */
export function partsMs(parts: SnapshotParts, version: string | undefined): number {
  const { nodes, edges, texts, characters, internalized, names } = parts;
  const major = Number.parseInt(version ?? '11', 10);
  const [share, internalizedUs] = major >= 13 ? [FROM_V8_13.share, FROM_V8_13.internalizedUs] : [1, INTERNALIZED_US];
  const walkedUs = major < WALKS_BEFORE_V8 ? texts * (names / places(texts + names)) * (names / 2) * WALKED_US : 0;
  return START_MS + (share * (nodes * NODE_US + edges * EDGE_US + texts * TEXT_US + characters * CHARACTER_US + partsBytes(parts) * BYTE_US) + internalized * internalizedUs + walkedUs) / 1_000;
}
