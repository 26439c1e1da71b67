// Owns taking turns by name: work on one file happens one piece after the other, work on others beside it.

export class KeyedTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs the work when all earlier work of this key has ended, well or badly. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.then(() => undefined, () => undefined);
    this.#last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
