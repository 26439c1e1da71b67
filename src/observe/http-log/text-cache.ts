// Owns what is remembered about distinct texts (a path's route, an agent's family): judged once each, looked up by bytes, in bounded memory.
import type { Columns, TextColumn } from './columns.ts';
import { decode } from './rows.ts';

/** Distinct texts kept; a site has some thousand paths, a scanner's junk has millions and empties the cache each time it is full. */
const SLOTS = 32_768;
const KEPT = SLOTS / 2;
const ARENA_BYTES = 2 * 2 ** 20;
/** Longer texts are judged each time. */
const MAX_TEXT_BYTES = 1_024;
/** Texts with the same hash, made on purpose or by a column without hashes, are judged each time beyond this many. */
const MAX_STEPS = 16;

export class TextCache {
  readonly #judge: (text: string) => number;
  readonly #hash = new Int32Array(SLOTS);
  readonly #from = new Int32Array(SLOTS);
  readonly #size = new Int32Array(SLOTS);
  readonly #value = new Float64Array(SLOTS);
  readonly #arena = new Uint8Array(ARENA_BYTES);
  #used = 0;
  #count = 0;

  /** `judge` must depend on the text alone. */
  constructor(judge: (text: string) => number) {
    this.#judge = judge;
  }

  /** What judge() says of the row's text; undefined where the row has none. */
  of({ bytes }: Columns, column: TextColumn, row: number): number | undefined {
    const from = column.from[row] as number;
    const size = (column.to[row] as number) - from;
    if (size <= 0) return undefined;
    const hash = column.hash[row] as number;
    let slot = (hash ^ hash >>> 15) & SLOTS - 1;
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const kept = this.#size[slot] as number;
      if (kept === 0) return this.#keep(slot, hash, bytes, from, size);
      if (kept === size && this.#hash[slot] === hash && this.#same(slot, bytes, from)) return this.#value[slot];
      slot = slot + 1 & SLOTS - 1;
    }
    return this.#judge(decode(bytes, from, from + size));
  }

  #same(slot: number, bytes: Uint8Array, from: number): boolean {
    const start = this.#from[slot] as number;
    const size = this.#size[slot] as number;
    for (let i = 0; i < size; i += 1) if (this.#arena[start + i] !== bytes[from + i]) return false;
    return true;
  }

  #keep(slot: number, hash: number, bytes: Uint8Array, from: number, size: number): number {
    const value = this.#judge(decode(bytes, from, from + size));
    if (size > MAX_TEXT_BYTES) return value;
    if (this.#count >= KEPT || this.#used + size > ARENA_BYTES) {
      this.#size.fill(0);
      this.#used = 0;
      this.#count = 0;
      return value;
    }
    this.#arena.set(bytes.subarray(from, from + size), this.#used);
    this.#hash[slot] = hash;
    this.#from[slot] = this.#used;
    this.#size[slot] = size;
    this.#value[slot] = value;
    this.#used += size;
    this.#count += 1;
    return value;
  }
}
