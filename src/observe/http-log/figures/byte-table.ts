// Owns tables of distinct texts kept as bytes: a text becomes a small number, without a string.
import { isAscii } from 'node:buffer';
import { giveBack } from './give-back.ts';

/** Texts that hash alike, made on purpose, must not make each look-up slow: beyond so many steps a text gets no number. */
const MAX_STEPS = 128;
const FIRST = 64;

export interface ByteTableState { bytes: Uint8Array; ends: Uint32Array; hashes: Int32Array }

/**
 * Equal bytes, eight at a time as doubles: the quickest that JavaScript has. Doubles that are not numbers are never equal, so a difference is looked at byte by byte;
 * a zero and a negative zero are, so texts that hash alike and differ only in a byte 0x80 after seven NULs would be one: no log has them.
 */
export function sameBytes(a: DataView, aFrom: number, b: DataView, bFrom: number, size: number): boolean {
  if (size < 8) return sameEach(a, aFrom, b, bFrom, size);
  const last = size - 8;
  let i = 0;
  for (; i + 8 <= last; i += 16) {
    if (a.getFloat64(aFrom + i, true) !== b.getFloat64(bFrom + i, true) || a.getFloat64(aFrom + i + 8, true) !== b.getFloat64(bFrom + i + 8, true)) return sameEach(a, aFrom, b, bFrom, size);
  }
  if (i < last && a.getFloat64(aFrom + i, true) !== b.getFloat64(bFrom + i, true)) return sameEach(a, aFrom, b, bFrom, size);
  return a.getFloat64(aFrom + last, true) === b.getFloat64(bFrom + last, true) || sameEach(a, aFrom, b, bFrom, size);
}

function sameEach(a: DataView, aFrom: number, b: DataView, bFrom: number, size: number): boolean {
  for (let i = 0; i < size; i += 1) if (a.getUint8(aFrom + i) !== b.getUint8(bFrom + i)) return false;
  return true;
}

export class ByteTable {
  size = 0;
  readonly #most: number;
  /** Hash and number + 1 of each slot. */
  #slots = new Int32Array(FIRST * 4);
  /** Place and size in the arena, and hash, of each number. */
  #texts = new Int32Array(FIRST * 3);
  #arena = new Uint8Array(FIRST * 16);
  #view = new DataView(this.#arena.buffer);
  #used = 0;

  /** `most`: texts kept; further ones get no number. */
  constructor(most = Infinity) {
    this.#most = most;
  }

  /** All of them are ASCII: no two are the same characters. */
  get ascii(): boolean { return isAscii(this.#arena.subarray(0, this.#used)); }

  get sizeBytes(): number { return this.#slots.byteLength + this.#texts.byteLength + this.#arena.byteLength; }

  /** Number of the text bytes[from, from + size); a new one when it was not seen yet; -1 when the table is full or too many others hash alike. `view` lies over `bytes`. */
  numberOf(hash: number, bytes: Uint8Array, view: DataView, from: number, size: number): number {
    const mask = this.#slots.length - 2;
    let slot = (hash ^ hash >>> 15) << 1 & mask;
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const kept = this.#slots[slot + 1] as number;
      if (kept === 0) return this.#keep(slot, hash, bytes, from, size);
      if (this.#slots[slot] === hash && this.is(kept - 1, view, from, size)) return kept - 1;
      slot = slot + 2 & mask;
    }
    return -1;
  }

  /**
   * Where the texts of these rows most likely are, without a look at the texts: the number + 1 in the first slot when the hash is the same, else 0.
   * A loop this small has many reads of memory under way at once; numberOf() waits for each.
   */
  guess(hashes: Int32Array, rows: Int32Array, count: number, into: Int32Array): void {
    const slots = this.#slots, mask = slots.length - 2;
    for (let i = 0; i < count; i += 1) {
      const hash = hashes[rows[i] as number] as number;
      const slot = (hash ^ hash >>> 15) << 1 & mask;
      into[i] = slots[slot] === hash ? slots[slot + 1] as number : 0;
    }
  }

  /** Is this the text of the number? */
  is(id: number, view: DataView, from: number, size: number): boolean {
    const texts = this.#texts;
    return texts[id * 3 + 1] === size && sameBytes(this.#view, texts[id * 3] as number, view, from, size);
  }

  hash(id: number): number { return this.#texts[id * 3 + 2] as number; }

  /** The bytes of a number, not copied: valid until the next text comes. */
  bytes(id: number): Uint8Array {
    const from = this.#texts[id * 3] as number;
    return this.#arena.subarray(from, from + (this.#texts[id * 3 + 1] as number));
  }

  /** Keeps only these, in this order: ids[i] becomes i. */
  keep(ids: readonly number[]): void {
    const before = { texts: this.#texts, arena: this.#arena, view: this.#view };
    this.size = 0;
    this.#used = 0;
    this.#slots = new Int32Array(this.#slots.length);
    this.#texts = new Int32Array(before.texts.length);
    this.#arena = new Uint8Array(before.arena.length);
    this.#view = new DataView(this.#arena.buffer);
    for (const id of ids) this.#put(before.texts[id * 3 + 2] as number, before.arena, before.texts[id * 3] as number, before.texts[id * 3 + 1] as number);
  }

  state(): ByteTableState {
    const bytes = new Uint8Array(this.#used), ends = new Uint32Array(this.size), hashes = new Int32Array(this.size);
    let end = 0;
    for (let id = 0; id < this.size; id += 1) {
      const text = this.bytes(id);
      bytes.set(text, end);
      end += text.length;
      ends[id] = end;
      hashes[id] = this.hash(id);
    }
    return { bytes, ends, hashes };
  }

  /** Numbers here of the texts there. */
  merge(state: ByteTableState): Int32Array {
    const view = new DataView(state.bytes.buffer, state.bytes.byteOffset, state.bytes.byteLength);
    return Int32Array.from(state.hashes, (hash, i) => {
      const from = i === 0 ? 0 : state.ends[i - 1] as number;
      return this.numberOf(hash, state.bytes, view, from, (state.ends[i] as number) - from);
    });
  }

  #keep(slot: number, hash: number, bytes: Uint8Array, from: number, size: number): number {
    const id = this.size;
    if (id >= this.#most) return -1;
    if ((id + 1) * 4 > this.#slots.length) { this.#grow(); return this.#put(hash, bytes, from, size); }
    return this.#set(slot, hash, bytes, from, size);
  }

  /** A text that is known to be new: into the first free slot. */
  #put(hash: number, bytes: Uint8Array, from: number, size: number): number {
    return this.#set(this.#freeSlot(hash), hash, bytes, from, size);
  }

  #freeSlot(hash: number): number {
    const mask = this.#slots.length - 2;
    let slot = (hash ^ hash >>> 15) << 1 & mask;
    while (this.#slots[slot + 1] !== 0) slot = slot + 2 & mask;
    return slot;
  }

  #set(slot: number, hash: number, bytes: Uint8Array, from: number, size: number): number {
    const id = this.size;
    if ((id + 1) * 3 > this.#texts.length) {
      const texts = new Int32Array(this.#texts.length * 4);
      texts.set(this.#texts);
      giveBack(this.#texts);
      this.#texts = texts;
    }
    if (this.#used + size > this.#arena.length) this.#widen(this.#used + size);
    this.size += 1;
    this.#arena.set(bytes.subarray(from, from + size), this.#used);
    this.#texts[id * 3] = this.#used;
    this.#texts[id * 3 + 1] = size;
    this.#texts[id * 3 + 2] = hash;
    this.#used += size;
    this.#slots[slot] = hash;
    this.#slots[slot + 1] = id + 1;
    return id;
  }

  #widen(least: number): void {
    const arena = new Uint8Array(Math.max(least, this.#arena.length * 4));
    arena.set(this.#arena.subarray(0, this.#used));
    giveBack(this.#arena);
    this.#arena = arena;
    this.#view = new DataView(arena.buffer);
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    giveBack(before);
    for (let id = 0; id < this.size; id += 1) {
      const hash = this.hash(id);
      const slot = this.#freeSlot(hash);
      this.#slots[slot] = hash;
      this.#slots[slot + 1] = id + 1;
    }
  }
}
