// Owns how fast the memory of this machine is right now: what V8 waits for while it makes a snapshot is mostly memory, and that differs between machines and with what others do.
import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '../clock.ts';

export interface MemorySpeed {
  /** Until a word that lies anywhere in 16 MiB is read. */
  readonly waitNs: number;
  /** Until the kernel has made a page of 4 KiB ready that was never touched. */
  readonly pageUs: number;
}

const LOOKED_AT_BYTES = 16 * 1024 * 1024, MEMORY_PAGE_BYTES = 4_096;
/** Each measure is the middle one of many short pieces, so that those count for nothing in which others had the processor. */
const PIECES = 32, READS = 2_000;
const WORD_BYTES = 4, PAGES = LOOKED_AT_BYTES / MEMORY_PAGE_BYTES, WORDS = LOOKED_AT_BYTES / WORD_BYTES;

/** 20 ms of work of ours; the memory is given back at once. */
export async function memorySpeed(): Promise<MemorySpeed> {
  const memory = new ArrayBuffer(0, { maxByteLength: LOOKED_AT_BYTES });
  memory.resize(LOOKED_AT_BYTES);
  const words = new Int32Array(memory);
  try {
    const pageMs = middle((piece) => { touch(words, piece * WORDS / PIECES, (piece + 1) * WORDS / PIECES); }) / (PAGES / PIECES);
    await turn();
    let from = 1;
    const readMs = middle(() => { from = wander(words, from); }) / READS;
    return { waitNs: readMs * 1e6, pageUs: pageMs * 1e3 };
  } finally {
    memory.resize(0);
  }
}

function middle(piece: (index: number) => void): number {
  const all: number[] = [];
  for (let index = 0; index < PIECES; index += 1) {
    const began = systemClock.monotonic();
    piece(index);
    all.push(systemClock.monotonic() - began);
  }
  return all.sort((one, other) => one - other)[PIECES / 2] as number;
}

function touch(words: Int32Array, from: number, to: number): void {
  for (let at = from; at < to; at += MEMORY_PAGE_BYTES / WORD_BYTES) words[at] = 0;
}

/** Where it reads next depends on what it has read: none can be asked for in advance. */
function wander(words: Int32Array, from: number): number {
  let state = from, at = 0;
  for (let read = 0; read < READS; read += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223 + (words[at] as number)) | 0;
    at = (state >>> 6) % WORDS;
  }
  return state | 1;
}
