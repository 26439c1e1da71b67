// Owns taking turns: work on one file happens one piece after the other.

export interface Turns {
  /** Runs the work when all earlier work has ended, well or badly; gives its result or its error. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take(work) {
      const mine = last.then(work, work);
      last = mine.then(() => undefined, () => undefined);      // the caller gets the error; the next in line must not
      return mine;
    },
  };
}
