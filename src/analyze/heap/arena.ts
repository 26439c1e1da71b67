// Owns the large arrays of one calculation: what a step is done with, the next one takes. Waiting for the collector to free them would double the peak.

interface Piece { readonly buffer: ArrayBufferLike; readonly from: number; readonly bytes: number }

/** Sizes are rounded up to pages: a number per node and one more than that take the same piece. */
const GRAIN = 1 << 12;
const pages = (bytes: number): number => Math.ceil(bytes / GRAIN) * GRAIN;

export class Arena {
  readonly #free: Piece[] = [];
  readonly #shared: boolean;

  /** `shared`: another thread may look at what it gives. */
  constructor(shared = false) { this.#shared = shared; }

  /** Contents are what was there before. */
  words(count: number): Uint32Array { const { buffer, from } = this.#take(count * 4); return new Uint32Array(buffer, from, count); }
  /** Given back it is two pieces of `words(count)`. */
  pairs(count: number): Uint32Array { return this.words((pages(count * 4) / 4) * 2); }
  doubles(count: number): Float64Array { const { buffer, from } = this.#take(count * 8); return new Float64Array(buffer, from, count); }
  /** Whole numbers up to `most`: 4 bytes each where they fit. */
  numbers(count: number, most: number): Uint32Array | Float64Array { return most < 2 ** 32 ? this.words(count) : this.doubles(count); }

  give(...arrays: readonly { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly byteLength: number }[]): void {
    for (const { buffer, byteOffset, byteLength } of arrays) this.#join({ buffer, from: byteOffset, bytes: pages(byteLength) });
  }

  /** The smallest piece that is large enough, cut to size. */
  #take(wanted: number): Piece {
    const bytes = pages(wanted);
    let best: Piece | undefined;
    for (const one of this.#free) if (one.bytes >= bytes && (best === undefined || one.bytes < best.bytes)) best = one;
    if (best === undefined) return { buffer: this.#shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), from: 0, bytes };
    this.#free.splice(this.#free.indexOf(best), 1);
    const rest = best.bytes - bytes;
    if (rest > 0) this.#free.push({ buffer: best.buffer, from: best.from + bytes, bytes: rest });
    return best;
  }

  /** Neighbours become one piece again. */
  #join(piece: Piece): void {
    let { from, bytes } = piece;
    for (let at = this.#free.length - 1; at >= 0; at--) {
      const one = this.#free[at] as Piece;
      if (one.buffer !== piece.buffer || (one.from + one.bytes !== from && from + bytes !== one.from)) continue;
      from = Math.min(from, one.from);
      bytes += one.bytes;
      this.#free.splice(at, 1);
    }
    this.#free.push({ buffer: piece.buffer, from, bytes });
  }
}
