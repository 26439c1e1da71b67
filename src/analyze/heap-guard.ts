// Owns the guard of heap snapshots: what one would cost a Node process, from its live heap, and whether that can be allowed.
import type { HeapDensity } from '../platform/platform.ts';
import { bytes, duration } from '../shared/units.ts';

/** What V8 says of its heap. */
export interface HeapFacts {
  readonly usedBytes: number;
  /** Of it in objects too large for a page (more than about 128 KB each): few nodes, whatever their size. */
  readonly largeBytes: number;
  readonly limitBytes: number;
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
/** An object is a line of seven numbers, a reference one of three. */
const FILE_PER_OBJECT = 28, FILE_PER_REFERENCE = 16, FILE_PER_CHARACTER = 1.2;
/** The app goes on needing memory of its own afterwards, and so does the machine. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** Where it is known what the heap is made of. V8 makes an entry for each object and each reference, keeps the text of each string, and a text of 1 KB as the name of each place of an array
 *  (for all arrays together as many as the longest has) and of each internalized string. Bytes and microseconds, fitted on Node 20 (18 to 24 take the same bytes within 10 %). */
const PER_OBJECT = { bytes: 104, us: 1.4 }, PER_REFERENCE = { bytes: 50, us: 0.35 }, PER_STRING = { bytes: 250, us: 1.2 }, PER_NAME = { bytes: 1_050, us: 2.4 };
/** Beside its name. */
const PER_INTERNALIZED_US = 15;
const PER_CHARACTER = { bytes: 1, us: 0.015 };
/** Beside those that are seen: to maps, to the place an object came from. */
const REFERENCES_BESIDE = 1.5;
/** What every process has beside its old space. */
const OBJECTS_BESIDE = 20_000;
const BESIDE_BYTES = 8 * 1024 * 1024;
const MADE_OF_START_MS = 90;
/** Memory of garbage that V8 gives back first: of it the process grows less. */
const GIVEN_BACK_BYTES = 40 * 1024 * 1024;
/** Tables are doubled when they are full, and names may be shared. */
const LEAST_OF_PEAK = 0.65, MOST_OF_PEAK = 1.4;
/** Processors differ, and others want them too. */
const LEAST_OF_STOP = 0.4, MOST_OF_STOP = 2.5;

/** `direct`: V8 writes the file itself; through the inspector it keeps the text of what is not read yet too, at two bytes a character. */
export function predictSnapshot(facts: HeapFacts, direct: boolean): SnapshotPrediction {
  const kept = direct ? 1 : STREAMED;
  return facts.density === undefined ? bySize(facts, kept) : byContent(facts, facts.density, kept);
}

function byContent({ usedBytes, largeBytes }: HeapFacts, density: HeapDensity, kept: number): SnapshotPrediction {
  const small = Math.max(0, usedBytes - largeBytes);
  const objects = small * density.objects + OBJECTS_BESIDE;
  const references = small * density.references + density.largeReferences + objects * REFERENCES_BESIDE;
  const strings = small * density.strings;
  const characters = small * density.characters, internalized = small * density.internalized;
  const names = density.longestArray + internalized;
  const sum = (per: 'bytes' | 'us'): number => objects * PER_OBJECT[per] + references * PER_REFERENCE[per] + strings * PER_STRING[per] + names * PER_NAME[per] + characters * PER_CHARACTER[per];
  const peakBytes = kept * (BESIDE_BYTES + sum('bytes'));
  const stopMs = kept * (MADE_OF_START_MS + (sum('us') + internalized * PER_INTERNALIZED_US) / 1_000);
  return {
    heapBytes: usedBytes,
    nodes: Math.round(objects),
    stopMs: Math.round(stopMs), stopAtLeastMs: Math.round(stopMs * LEAST_OF_STOP), stopAtMostMs: Math.round(stopMs * MOST_OF_STOP),
    peakBytes: Math.round(peakBytes), peakAtLeastBytes: Math.max(0, Math.round(peakBytes * LEAST_OF_PEAK - GIVEN_BACK_BYTES)), peakAtMostBytes: Math.round(START_BYTES + peakBytes * MOST_OF_PEAK),
    fileBytes: Math.round(START_BYTES + objects * FILE_PER_OBJECT + references * FILE_PER_REFERENCE + characters * FILE_PER_CHARACTER),
  };
}

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
