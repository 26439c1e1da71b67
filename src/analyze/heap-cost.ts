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
const MAPPED_FROM_BYTES = 32 * 1024 * 1024;
/** What is beside: buffers of the writer, the stack of the generator, and what malloc loses between the pieces. Measured over 24 kinds of heaps: 2 to 8 %. */
const LOST_SHARE = 1.06, BESIDE_BYTES = 10 * 1024 * 1024;

export function partsBytes(parts: SnapshotParts): number {
  const { nodes, edges, texts, characters, names } = parts;
  return BESIDE_BYTES + LOST_SHARE * (nodes * NODE_BYTES + edges * EDGE_BYTES + texts * TEXT_BYTES + characters + names * NAME_BYTES + tablesOf(parts).reduce((sum, one) => sum + one, 0));
}

/** Of them what always comes from the kernel and goes back to it: malloc keeps no piece larger than 32 MiB. */
export function mappedBytes(parts: SnapshotParts): number {
  return tablesOf(parts).reduce((sum, one) => sum + (one > MAPPED_FROM_BYTES ? one : 0), 0);
}

const tablesOf = ({ nodes, texts, names }: SnapshotParts): readonly number[] => [places(nodes), places(texts + names), places(texts + names)].map((count) => count * PLACE_BYTES);

const places = (entries: number): number => 2 ** Math.ceil(Math.log2(Math.max(8, entries * 1.25)));

/** Microseconds of processor: the proportions are fitted to 24 kinds of heaps of 60 MB on Node 20 and 22, and were as near to 11 kinds and two more sizes. */
const NODE_US = 1.4, EDGE_US = 0.22, TEXT_US = 0.7, INTERNALIZED_US = 5.4, CHARACTER_US = 0.005, BYTE_US = 0.0008, START_MS = 10;
/** The same on Node 24. */
const FROM_V8_13 = { share: 0.68, internalizedUs: 1.3 };
/** V8 before 11 (Node 16, 18) puts names that are numbers side by side into the table of texts: a text whose place is among them walks half of them, a place in this time. */
const WALKED_US = 0.00125, WALKS_BEFORE_V8 = 11;

/** Six tenths of it are waiting for memory, of which so long was waited where that was fitted: tables are larger than caches, and each look into one is elsewhere. */
const WAITING_SHARE = 0.6, FITTED_WAIT_NS = 140, WAIT_NS_ENDS = [40, 600] as const;
/** A page that the kernel makes ready in a large piece, one after the other, takes less than one of malloc's, which moves its end little by little. */
const PAGE_BYTES = 4_096, FITTED_PAGE_US = 1.5, PAGE_US_ENDS = [0.05, 4] as const, MALLOC_PAGE = 1.6;

export interface SnapshotRun {
  /** As V8 says it, "11.3.244.8-node.38"; one that is not known counts as that of Node 20. */
  readonly version: string | undefined;
  readonly memory: HeapDensity['memory'];
  /** Memory that the kernel has to make ready. */
  readonly grownBytes: number;
}

export function partsMs(parts: SnapshotParts, { version, memory, grownBytes }: SnapshotRun): number {
  const { nodes, edges, texts, characters, internalized, names } = parts;
  const major = Number.parseInt(version ?? '11', 10);
  const [share, internalizedUs] = major >= 13 ? [FROM_V8_13.share, FROM_V8_13.internalizedUs] : [1, INTERNALIZED_US];
  const walkedUs = major < WALKS_BEFORE_V8 ? texts * (names / places(texts + names)) * (names / 2) * WALKED_US : 0;
  const workUs = share * (nodes * NODE_US + edges * EDGE_US + texts * TEXT_US + characters * CHARACTER_US + partsBytes(parts) * BYTE_US) + internalized * internalizedUs + walkedUs;
  const slower = 1 - WAITING_SHARE + WAITING_SHARE * within(memory?.waitNs ?? FITTED_WAIT_NS, WAIT_NS_ENDS) / FITTED_WAIT_NS;
  return (START_MS + workUs / 1_000) * slower + grownBytes / PAGE_BYTES * within(memory?.pageUs ?? FITTED_PAGE_US, PAGE_US_ENDS) * MALLOC_PAGE / 1_000;
}

const within = (value: number, [least, most]: readonly [number, number]): number => Math.min(most, Math.max(least, value));
