// Owns the memory of large frames: used again once everybody who was sent one is through with it, so that a busy log makes no garbage.

/** Room for a block of ordinary lines with its tables. */
const SLAB_BYTES = 336 * 1_024;
/** Smaller frames get memory of their own: a slab that is mostly empty would make a waiting frame heavier than it is counted. */
const LEAST_BYTES = 224 * 1_024;
/** Kept for later; what is given back beyond it goes to the collector. */
const MAX_SPARE = 24;

/** Counts who still needs a frame's memory. Whoever never says that he is through only keeps it from being used again. */
export class Lease {
  #users = 1;
  readonly #over: () => void;

  constructor(over: () => void) { this.#over = over; }

  hold(): void { this.#users += 1; }

  free(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#over();
  }
}

export class FramePool {
  readonly #spare: Buffer[] = [];

  /** Memory for one frame, with its lease where it may come back. */
  take(size: number): { readonly bytes: Buffer; readonly lease: Lease | undefined } {
    if (size < LEAST_BYTES || size > SLAB_BYTES) return { bytes: allocate(size), lease: undefined };
    const slab = this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
    return { bytes: slab.subarray(0, size), lease: new Lease(() => { if (this.#spare.length < MAX_SPARE) this.#spare.push(slab); }) };
  }
}

const POOLED_BYTES = 4_096;

/** A small one from Node's pool, which costs the collector nothing; a large one by itself, so that nothing is kept alive with it. */
export const allocate = (size: number): Buffer => (size < POOLED_BYTES ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size));
