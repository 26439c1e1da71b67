// Owns the hot loop of reading: the decimal numbers of a flat JSON array, from bytes, over the borders of chunks.

const ZERO = 48;
const NINE = 57;
const CLOSING = 93;
const COMMA = 44;
const SPACE = 32;
const COMMA_BITS = COMMA ^ ZERO;
const LINE_BITS = 10 ^ ZERO;
const BATCH_ROWS = 1 << 13;
/** What stands for a number of 2^32 and more; the number itself is in `large`. */
export const LARGE = 0xffff_ffff;
/** A number of at most so many digits fits 32 bits, signed too: the fast loop needs no other test. */
const SHORT_DIGITS = 9;
/** The fast loop looks so far ahead without asking where the chunk ends: a short number, and what ends it. */
const AHEAD = SHORT_DIGITS + 2;

/** Where a batch of numbers goes: `count` of them from `numbers[0]` on; whole rows but for the last batch. `large` has the numbers that do not fit, by their place in the batch. */
export type NumbersSink = (numbers: Uint32Array, count: number, large: ReadonlyMap<number, number>) => void;

export class NumberReader {
  readonly #batch: Uint32Array;
  readonly #large = new Map<number, number>();
  readonly #sink: NumbersSink;
  #filled = 0;
  #value = 0;
  #inside = false;
  /** Bytes that belong to no array of numbers. */
  strange = 0;

  /** `fields`: numbers of a row. */
  constructor(fields: number, sink: NumbersSink) { this.#batch = new Uint32Array(Math.max(1, fields) * BATCH_ROWS); this.#sink = sink; }

  /** Reads until the array ends: the place behind its bracket, or -1 when the chunk is used up first. */
  read(chunk: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      // What a border has cut, and what is no short number, goes byte by byte; then the rest is fast again.
      const slow = this.#slow(chunk, at, to);
      if (slow < 0) return -slow;
      at = this.#fast(chunk, slow, to);
    }
    return -1;
  }

  /** Hands over what is there; also at the end of a file that is cut off. */
  flush(): void {
    if (this.#filled === 0) return;
    this.#sink(this.#batch, this.#filled, this.#large);
    this.#filled = 0;
    this.#large.clear();
  }

  /** Short numbers with a comma or a line's end around them; stops before anything else, and where the chunk is near its end. */
  #fast(chunk: Uint8Array, from: number, to: number): number {
    const batch = this.#batch;
    const most = batch.length;
    const last = to - AHEAD;
    let filled = this.#filled;
    let at = from;
    while (at < last) {
      // Against zero's bits a digit is its value, and everything else is more than nine.
      let bits = (chunk[at] as number) ^ ZERO;
      if (bits > 9) {
        if (bits !== COMMA_BITS && (chunk[at] as number) > SPACE) break;
        at++;
        continue;
      }
      let value = bits;
      const far = at + SHORT_DIGITS;
      let end = at + 1;
      while ((bits = (chunk[end] as number) ^ ZERO) <= 9 && end < far) { value = (Math.imul(value, 10) + bits) | 0; end++; }
      if (bits <= 9) break;
      batch[filled++] = value;
      // V8 writes a comma between the numbers of a row, and a line's end and a comma between rows.
      at = bits === COMMA_BITS ? end + 1 : bits === LINE_BITS && chunk[end + 1] === COMMA ? end + 2 : end;
      if (filled === most) { this.#filled = filled; this.flush(); filled = 0; }
    }
    this.#filled = filled;
    return at;
  }

  /** One number, or what stands between, byte by byte: the place behind it; negative: behind the closing bracket. */
  #slow(chunk: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = chunk[i] as number;
      if (byte >= ZERO && byte <= NINE) { this.#value = this.#value * 10 + byte - ZERO; this.#inside = true; continue; }
      const ended = this.#inside;
      if (ended) this.#ended();
      if (byte === CLOSING) { this.flush(); return -(i + 1); }
      // A comma, or the white space of V8's own layout; a minus stands before numbers that no field of ours has.
      if (byte !== COMMA && byte > SPACE) this.strange++;
      else if (ended || i > from) return i + 1;
    }
    return to;
  }

  #ended(): void {
    if (this.#value >= LARGE) this.#large.set(this.#filled, this.#value);
    this.#batch[this.#filled++] = this.#value >= LARGE ? LARGE : this.#value;
    this.#value = 0; this.#inside = false;
    if (this.#filled === this.#batch.length) this.flush();
  }
}
