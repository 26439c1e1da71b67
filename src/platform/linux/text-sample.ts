// Owns how many different texts there are among many, told from a sample of them.

/** More than these are not kept. */
const MAX_TEXTS = 200_000;

/** Chao's estimate: what was seen once, against what was seen twice, tells how much was not seen at all. */
export class TextSample {
  readonly #seen = new Map<number, number>();
  #taken = 0;

  take(hash: number): void {
    if (this.#taken >= MAX_TEXTS) return;
    this.#taken += 1;
    this.#seen.set(hash, (this.#seen.get(hash) ?? 0) + 1);
  }

  /** How many there are among all; one that repeats nothing tells about half of its square. */
  different(): number {
    let once = 0, twice = 0;
    for (const times of this.#seen.values()) { if (times === 1) once += 1; else if (times === 2) twice += 1; }
    return Math.round(this.#seen.size + once * (once - 1) / (2 * (twice + 1)));
  }
}
