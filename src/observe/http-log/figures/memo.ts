// Owns what is remembered of texts seen lately (a path's route, an agent's family): fixed memory, the newer text takes the place of the older.
import { sameBytes } from './byte-table.ts';

/** Longer texts are judged each time. */
const MAX_BYTES = 4_096;
/** Room for texts per slot, on average: paths are shorter, agents longer. */
const BYTES_PER_SLOT = 64;

export class Memo {
  readonly #slots: number;
  /** Hash, second key, place, size, value of each slot. */
  readonly #entries: Int32Array;
  #arena: Uint8Array;
  #view: DataView;
  #used = 0;

  /** `slots`: a power of two. */
  constructor(slots: number) {
    this.#slots = slots;
    this.#entries = new Int32Array(slots * 5);
    this.#arena = new Uint8Array(1_024);
    this.#view = new DataView(this.#arena.buffer);
  }

  get sizeBytes(): number { return this.#entries.byteLength + this.#arena.byteLength; }

  /** Where the texts of these rows most likely are: what get() asks for. A loop this small has many reads of memory under way at once. `second`: the second key of each, where there is one. */
  guess(hashes: Int32Array, rows: Int32Array, count: number, into: Int32Array, second?: Int32Array): void {
    const entries = this.#entries;
    for (let i = 0; i < count; i += 1) {
      const hash = hashes[rows[i] as number] as number;
      const at = this.#at(hash, second === undefined ? 0 : second[i] as number);
      // The other of the pair: slot ^ 1.
      const other = at % 10 === 0 ? at + 5 : at - 5;
      into[i] = entries[at] === hash ? at : entries[other] === hash ? other : -1;
    }
  }

  /** What was remembered of this text with this second key, if it is where guess() says; -1 when nothing is. */
  get(guess: number, second: number, view: DataView, from: number, size: number): number {
    const entries = this.#entries;
    if (guess < 0 || entries[guess + 3] !== size || entries[guess + 1] !== second) return -1;
    return sameBytes(this.#view, entries[guess + 2] as number, view, from, size) ? entries[guess + 4] as number : -1;
  }

  /** `value` is not negative. What stood in its place moves to the other place of the pair. */
  set(hash: number, second: number, bytes: Uint8Array, from: number, size: number, value: number): void {
    if (size === 0 || size > MAX_BYTES) return;
    if (this.#used + size > this.#arena.length) this.#widen(size);
    const at = this.#at(hash, second), entries = this.#entries;
    entries.copyWithin(at % 10 === 0 ? at + 5 : at - 5, at, at + 5);
    this.#arena.set(bytes.subarray(from, from + size), this.#used);
    entries[at] = hash;
    entries[at + 1] = second;
    entries[at + 2] = this.#used;
    entries[at + 3] = size;
    entries[at + 4] = value;
    this.#used += size;
  }

  clear(): void {
    this.#entries.fill(0);
    this.#used = 0;
  }

  #at(hash: number, second: number): number {
    const mixed = hash + Math.imul(second, 0x9E3779B1);
    return ((mixed ^ mixed >>> 15) & this.#slots - 1) * 5;
  }

  /** Grows up to its room; then it begins anew. */
  #widen(size: number): void {
    const room = this.#slots * BYTES_PER_SLOT;
    if (this.#used + size > room) { this.clear(); return; }
    const arena = new Uint8Array(Math.min(room, Math.max(this.#used + size, this.#arena.length * 2)));
    arena.set(this.#arena.subarray(0, this.#used));
    this.#arena = arena;
    this.#view = new DataView(arena.buffer);
  }
}
