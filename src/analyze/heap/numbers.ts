// Owns the hot loop of reading: the decimal numbers of a flat JSON array, from bytes, over the borders of chunks.

const ZERO = 48;
const NINE = 57;
const CLOSING = 93;
const BATCH = 1 << 16;
/** What stands for a number of 2^32 and more; the number itself is in `large`. */
export const LARGE = 0xffff_ffff;

/** Where a batch of numbers goes: `count` of them from `numbers[0]` on, the first is the `first`-th of the array. `large` has the numbers that do not fit, by their place in the batch. */
export type NumbersSink = (numbers: Uint32Array, count: number, first: number, large: ReadonlyMap<number, number>) => void;

export class NumberReader {
  readonly #batch = new Uint32Array(BATCH);
  readonly #large = new Map<number, number>();
  readonly #sink: NumbersSink;
  #filled = 0;
  #handed = 0;
  #value = 0;
  #inside = false;
  /** Bytes that belong to no array of numbers. */
  strange = 0;

  constructor(sink: NumbersSink) { this.#sink = sink; }

  get count(): number { return this.#handed + this.#filled; }

  /** Reads until the array ends: the place behind its bracket, or -1 when the chunk is used up first. */
  read(chunk: Uint8Array, from: number, to: number): number {
    const batch = this.#batch;
    let filled = this.#filled;
    let value = this.#value;
    let inside = this.#inside;
    for (let i = from; i < to; i++) {
      const sign = (chunk[i] as number) - ZERO;
      if (sign >= 0 && sign <= NINE - ZERO) { value = value * 10 + sign; inside = true; continue; }
      if (inside) {
        if (value >= LARGE) this.#large.set(filled, value);
        batch[filled++] = value >= LARGE ? LARGE : value;
        value = 0; inside = false;
        if (filled === BATCH) { this.#filled = filled; this.flush(); filled = 0; }
      }
      if (sign === CLOSING - ZERO) { this.#keep(filled, 0, false); this.flush(); return i + 1; }
      // A comma, or the white space of V8's own layout; a minus stands before numbers that no field of ours has.
      if (sign !== 44 - ZERO && sign > 32 - ZERO) this.strange++;
    }
    this.#keep(filled, value, inside);
    return -1;
  }

  /** Hands over what is there; also at the end of a file that is cut off. */
  flush(): void {
    if (this.#filled === 0) return;
    this.#sink(this.#batch, this.#filled, this.#handed, this.#large);
    this.#handed += this.#filled;
    this.#filled = 0;
    this.#large.clear();
  }

  #keep(filled: number, value: number, inside: boolean): void { this.#filled = filled; this.#value = value; this.#inside = inside; }
}
