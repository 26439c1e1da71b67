// Owns a set of nodes as a bit each: small enough for the processor's cache, where a number a node is not.

export class NodeBits {
  readonly #bits: Uint32Array;

  /** `words`: bits that are there, perhaps another thread's too. */
  constructor(count: number, words: Uint32Array = new Uint32Array((count >>> 5) + 1)) { this.#bits = words; }

  get words(): Uint32Array { return this.#bits; }

  has(node: number): boolean { return ((this.#bits[node >>> 5] as number) & (1 << (node & 31))) !== 0; }

  add(node: number): void { const at = node >>> 5; this.#bits[at] = (this.#bits[at] as number) | (1 << (node & 31)); }

  delete(node: number): void { const at = node >>> 5; this.#bits[at] = (this.#bits[at] as number) & ~(1 << (node & 31)); }

  /** Writes what is in it into `to`, in the order of nodes, from a place on, and empties it; the place behind the last. */
  drain(to: Uint32Array, from: number): number {
    const bits = this.#bits;
    let filled = from;
    for (let at = 0; at < bits.length; at++) {
      let word = bits[at] as number;
      if (word === 0) continue;
      bits[at] = 0;
      for (; word !== 0; word &= word - 1) to[filled++] = (at << 5) + 31 - Math.clz32(word & -word);
    }
    return filled;
  }
}
