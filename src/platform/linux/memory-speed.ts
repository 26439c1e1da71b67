// Owns how fast the memory of this machine is right now: what V8 waits for while it makes a snapshot is mostly memory, and that differs between machines and with what others do.
import { systemClock } from '../clock.ts';

export interface MemorySpeed {
  /** Until a word that lies anywhere in 16 MiB is read. */
  readonly waitNs: number;
  /** Until the kernel has made a page of 4 KiB ready that was never touched. */
  readonly pageUs: number;
}

const LOOKED_AT_BYTES = 16 * 1024 * 1024, MEMORY_PAGE_BYTES = 4_096;
/** Each measure is the middle one of many short pieces, so that those count for nothing in which others had the processor. */
const PARTS = 32, READS = 1_000, PIECES = 8, MAX_PIECES = 512;
/** The first ones of a look find in the caches what was done before. */
const WARMING = 8;
const WORD_BYTES = 4, PAGES = LOOKED_AT_BYTES / MEMORY_PAGE_BYTES, WORDS = LOOKED_AT_BYTES / WORD_BYTES;

/** Looks now and then, over a time in which other work is done: what others do to the memory changes from moment to moment. */
export class MemoryLook {
  readonly #memory = new ArrayBuffer(0, { maxByteLength: LOOKED_AT_BYTES });
  readonly #words: Int32Array;
  readonly #touched: number[];
  readonly #read: number[] = [];
  #from = 1;

  constructor() {
    this.#memory.resize(LOOKED_AT_BYTES);
    this.#words = new Int32Array(this.#memory);
    this.#touched = Array.from({ length: PARTS }, (_, part) => timed(() => { touch(this.#words, part * WORDS / PARTS, (part + 1) * WORDS / PARTS); }));
  }

  /** Two to four milliseconds. */
  look(): void {
    for (let piece = -WARMING; piece < PIECES && this.#read.length < MAX_PIECES; piece += 1) {
      const tookMs = timed(() => { this.#from = wander(this.#words, this.#from); });
      if (piece >= 0) this.#read.push(tookMs);
    }
  }

  /** undefined when it has not looked. */
  speed(): MemorySpeed | undefined {
    return this.#read.length === 0 ? undefined : { waitNs: middle(this.#read) / READS * 1e6, pageUs: middle(this.#touched) * PARTS / PAGES * 1e3 };
  }

  /** The memory is given back at once. */
  end(): void { this.#memory.resize(0); }
}

function timed(piece: () => void): number {
  const began = systemClock.monotonic();
  piece();
  return systemClock.monotonic() - began;
}

const middle = (all: readonly number[]): number => [...all].sort((one, other) => one - other)[all.length >> 1] as number;

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
