// Owns how many places there are that in at least one of many arrays hold a reference: the tables of a Map hold theirs elsewhere than a list does.

/** Places that are told together. The longest array of V8 has 131,072 of these. */
const TOGETHER = 1_024;

export class ArrayPlaces {
  /** The share of them in which no array holds a reference. */
  readonly #free: number[] = [];

  /** From this place up to that one such a share holds references. */
  hold(from: number, to: number, share: number): void {
    for (let at = Math.floor(from / TOGETHER); at * TOGETHER < to; at += 1) {
      const within = Math.min(to, (at + 1) * TOGETHER) - Math.max(from, at * TOGETHER);
      while (this.#free.length <= at) this.#free.push(1);
      this.#free[at] = (this.#free[at] as number) * (1 - share * within / TOGETHER);
    }
  }

  count(): number {
    return Math.round(this.#free.reduce((sum, free) => sum + (1 - free) * TOGETHER, 0));
  }
}
