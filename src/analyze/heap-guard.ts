// Owns the guard of heap snapshots: what one would cost a Node process, from its live heap, and whether that can be allowed.
import type { HeapDensity } from '../platform/platform.ts';
import { mappedBytes, partsBytes, partsMs, snapshotParts, type SnapshotParts } from './heap-cost.ts';
import { bytes, duration } from '../shared/units.ts';

/** What V8 says of its heap. */
export interface HeapFacts {
  readonly usedBytes: number;
  /** Of it in objects too large for a page (more than about 128 KB each): few nodes, whatever their size. */
  readonly largeBytes: number;
  readonly limitBytes: number;
  /** Memory that V8 holds for its heap and uses for nothing: it gives it back before a snapshot. */
  readonly unusedBytes?: number | undefined;
  /** "11.3.244.8-node.38" */
  readonly version?: string | undefined;
  /** What it is made of, where that could be seen. */
  readonly density?: HeapDensity | undefined;
}

export interface SnapshotPrediction {
  readonly heapBytes: number;
  readonly nodes: number;
  /** The app stands still for this long, at most likely, where the heap is mostly small objects; and the ends of what all kinds of heaps were seen to take. */
  readonly stopMs: number;
  readonly stopAtLeastMs: number;
  readonly stopAtMostMs: number;
  /** Memory beside what the process has now: at most likely, at least, and at most. */
  readonly peakBytes: number;
  readonly peakAtLeastBytes: number;
  readonly peakAtMostBytes: number;
  readonly fileBytes: number;
}

/** Measured on Node 20 with heaps of 30 to 60 MB of one kind each, for a byte of the heap: objects 12.6 bytes of peak and 90 ms of stop a MB, strings 16 and 62, closures 14 and 61,
 *  maps 8.5 and 37, arrays of numbers 5 and 19. The middle is within 30 % for the first three, of which leaks are mostly made; the others cost less than is said here. */
const STOP_MS_PER_MB = 75;
/** What is not objects costs next to nothing (a byte in a string of 4 KB or an array of numbers: 1 byte and 3 ms a MB), and V8 does not tell the two apart: so both ends are told, and the upper one decides.
 *  The upper one is that of parsed JSON and of many tiny objects, on a processor that has other work too. */
const STOP_AT_MOST_MS_PER_MB = 120;
const STOP_AT_LEAST_MS_PER_MB = 2.5;
const PEAK_AT_LEAST_PER_BYTE = 0.5;
const START_AT_LEAST_MS = 80;
const START_AT_LEAST_BYTES = 4 * 1024 * 1024;
const PEAK_PER_BYTE = 12.5;
const PEAK_AT_MOST_PER_BYTE = 20;
const BYTES_PER_NODE = 40;
/** A large array of references has an edge for each of its 8 bytes and a name of 1 KB for each place that no longer array has, one of numbers has none. */
const LARGE_PEAK_PER_BYTE = 1;
const LARGE_PEAK_AT_MOST_PER_BYTE = 135;
const LARGE_STOP_MS_PER_MB = 8;
/** Measured: 35 % more memory, 30 to 40 % more time. */
const STREAMED = 1.35;
/** Even an empty heap has some 45,000 nodes. */
const START_MS = 150;
const START_BYTES = 16 * 1024 * 1024;
const FILE_PER_BYTE = 2.5;
/** An object is a line of seven numbers, an edge one of three, a name its digits. */
const FILE_PER_NODE = 28, FILE_PER_EDGE = 16, FILE_PER_NAME = 12, FILE_PER_CHARACTER = 1.2;
/** Memory of other garbage, which malloc gives back or uses again. */
const GIVEN_BACK_BYTES = 40 * 1024 * 1024;
/** The app goes on needing memory of its own afterwards, and so does the machine. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** What is counted in samples of a heap was, over 24 kinds of heaps, within 8 % of what the snapshot told then; and this is what the ends allow for. */
const FEWER = 0.85, MORE = 1.15;
/** Beside the counts: what is given back, or had been freed already and is used again. */
const LEAST_OF_PEAK = 0.85, MOST_OF_PEAK = 1.05, LEAST_GROWTH_BYTES = 1024 * 1024;
/** Of the memory that the process holds free already. */
const LEAST_REUSED = 0.85, REUSED = 0.95, MOST_REUSED = 1.3;
/** Processors differ, and how many others want them changes from second to second. */
const LEAST_OF_STOP = 0.4, MOST_OF_STOP = 2.5;

/** `direct`: V8 writes the file itself; through the inspector it keeps the text of what is not read yet too, at two bytes a character. */
export function predictSnapshot(facts: HeapFacts, direct: boolean): SnapshotPrediction {
  const kept = direct ? 1 : STREAMED;
  return facts.density === undefined ? bySize(facts, kept) : byContent(facts, facts.density, kept);
}

function byContent({ usedBytes, largeBytes, unusedBytes = 0, version }: HeapFacts, density: HeapDensity, kept: number): SnapshotPrediction {
  const parts = snapshotParts(Math.max(0, usedBytes - largeBytes), density);
  const { freeBytes = 0 } = density;
  const peak = (share: number, reused = 0): number => grown(times(parts, share), kept, freeBytes * reused);
  const workMs = kept * partsMs(parts, { version, memory: density.memory, grownBytes: peak(1, REUSED) / kept }), stopMs = workMs * (density.slowdown ?? 1);
  return {
    heapBytes: usedBytes,
    nodes: Math.round(parts.nodes),
    stopMs: Math.round(stopMs), stopAtLeastMs: Math.round(workMs * LEAST_OF_STOP), stopAtMostMs: Math.round(stopMs * MOST_OF_STOP),
    // A table doubles at once, and nobody knows the count so well: so what is likely is between a little less and a little more.
    peakBytes: Math.round(Math.max(LEAST_GROWTH_BYTES, (peak(0.95, REUSED) + peak(1.05, REUSED)) / 2 - unusedBytes)),
    peakAtLeastBytes: Math.round(Math.max(0, peak(FEWER, MOST_REUSED) * LEAST_OF_PEAK - unusedBytes - GIVEN_BACK_BYTES)),
    peakAtMostBytes: Math.round(START_BYTES + peak(MORE, LEAST_REUSED) * MOST_OF_PEAK),
    fileBytes: Math.round(START_BYTES + parts.nodes * FILE_PER_NODE + parts.edges * FILE_PER_EDGE + (parts.characters + parts.names * FILE_PER_NAME) * FILE_PER_CHARACTER),
  };
}

/** What the process has to get from the kernel. */
function grown(parts: SnapshotParts, kept: number, freeBytes: number): number {
  const mapped = kept * mappedBytes(parts);
  return mapped + Math.max(0, kept * partsBytes(parts) - mapped - freeBytes);
}

const times = (parts: SnapshotParts, share: number): SnapshotParts => ({ nodes: parts.nodes * share, edges: parts.edges * share, texts: parts.texts * share, characters: parts.characters * share, internalized: parts.internalized * share, names: parts.names * share });

/** Where only its size is known. */
function bySize({ usedBytes, largeBytes }: HeapFacts, kept: number): SnapshotPrediction {
  const small = Math.max(0, usedBytes - largeBytes);
  return {
    heapBytes: usedBytes,
    nodes: Math.round(small / BYTES_PER_NODE),
    stopMs: Math.round(START_MS + kept * ((small / 1e6) * STOP_MS_PER_MB + (largeBytes / 1e6) * LARGE_STOP_MS_PER_MB)),
    stopAtLeastMs: Math.round(START_AT_LEAST_MS + (small / 1e6) * STOP_AT_LEAST_MS_PER_MB),
    stopAtMostMs: Math.round(2 * START_MS + kept * ((small / 1e6) * STOP_AT_MOST_MS_PER_MB + (largeBytes / 1e6) * LARGE_STOP_MS_PER_MB * 2)),
    peakAtLeastBytes: Math.round(START_AT_LEAST_BYTES + small * PEAK_AT_LEAST_PER_BYTE),
    peakBytes: Math.round(START_BYTES + kept * (small * PEAK_PER_BYTE + largeBytes * LARGE_PEAK_PER_BYTE)),
    peakAtMostBytes: Math.round(START_BYTES + kept * (small * PEAK_AT_MOST_PER_BYTE + largeBytes * LARGE_PEAK_AT_MOST_PER_BYTE)),
    fileBytes: Math.round(START_BYTES + small * FILE_PER_BYTE + largeBytes),
  };
}

/** Why this snapshot must not be taken; undefined when it may. What nobody can tell is a reason. */
export function refusal(prediction: SnapshotPrediction, leftBytes: number | undefined): string | undefined {
  if (leftBytes === undefined) return `nobody tells how much memory is left here, and it needs about ${bytes(prediction.peakBytes)}`;
  const need = prediction.peakAtMostBytes + SPARE_BYTES;
  if (need <= leftBytes) return undefined;
  return `V8 would need about ${bytes(prediction.peakBytes)} more memory for a heap of ${bytes(prediction.heapBytes)}, up to ${bytes(prediction.peakAtMostBytes)}, and ${bytes(Math.max(0, leftBytes))} are left`;
}

/** "stops the app for about 3.4 s (0.2 to 5.4 s) and needs about 500 MiB more memory (50 to 800 MiB)" */
export function sayPrediction({ stopMs, stopAtLeastMs, stopAtMostMs, peakBytes, peakAtLeastBytes, peakAtMostBytes, heapBytes }: SnapshotPrediction): string {
  return `a snapshot of a heap of ${bytes(heapBytes)} stops the app for about ${duration(stopMs)} (${duration(stopAtLeastMs)} to ${duration(stopAtMostMs)}, as its objects are) and needs about ${bytes(peakBytes)} more memory (${bytes(peakAtLeastBytes)} to ${bytes(peakAtMostBytes)})`;
}
