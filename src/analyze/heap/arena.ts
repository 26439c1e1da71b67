// Owns the large arrays of one calculation: what a step is done with, the next one takes. Waiting for the collector to free them would double the peak.

export class Arena {
  readonly #free: ArrayBuffer[] = [];

  /** Contents are what was there before. */
  words(count: number): Uint32Array<ArrayBuffer> { return new Uint32Array(this.#take(count * 4), 0, count); }
  signed(count: number): Int32Array<ArrayBuffer> { return new Int32Array(this.#take(count * 4), 0, count); }
  doubles(count: number): Float64Array<ArrayBuffer> { return new Float64Array(this.#take(count * 8), 0, count); }

  give(...arrays: readonly { readonly buffer: ArrayBuffer }[]): void { for (const { buffer } of arrays) this.#free.push(buffer); }

  /** At the end: nothing is kept for later. */
  clear(): void { this.#free.length = 0; }

  #take(bytes: number): ArrayBuffer {
    let best: ArrayBuffer | undefined;
    for (const one of this.#free) if (one.byteLength >= bytes && (best === undefined || one.byteLength < best.byteLength)) best = one;
    if (best === undefined) return new ArrayBuffer(bytes);
    this.#free.splice(this.#free.indexOf(best), 1);
    return best;
  }
}
