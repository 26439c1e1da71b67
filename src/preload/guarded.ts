// Owns that nothing of ours can hurt the app: a callback that throws is counted, and after a few times it is switched off.

const MAX_FAULTS = 5;

/** Callbacks that threw, since the start. */
export const faults = { count: 0, off: 0, last: '' };

/** What is given at a throw: name it, count it. True when this place has thrown too often. */
export class Guard {
  #count = 0;
  #off = false;

  get isOff(): boolean { return this.#off; }

  caught(error: unknown): void {
    this.#count += 1;
    faults.count += 1;
    try {
      faults.last = error instanceof Error ? error.message.slice(0, 80) : typeof error;
    } catch {
      faults.last = 'an error that cannot be read';
    }
    if (this.#count < MAX_FAULTS || this.#off) return;
    this.#off = true;
    faults.off += 1;
  }
}

/** The callback with its own guard. */
export function guarded<A extends readonly unknown[]>(callback: (...given: A) => void): (...given: A) => void {
  const guard = new Guard();
  return (...given) => {
    if (guard.isOff) return;
    try {
      callback(...given);
    } catch (error) {
      guard.caught(error);
    }
  };
}

/** For channels, which give a message and a name: no rest arguments on the path of each request. */
export function guardedMessage(callback: (message: unknown) => void): (message: unknown) => void {
  const guard = new Guard();
  return (message) => {
    if (guard.isOff) return;
    try {
      callback(message);
    } catch (error) {
      guard.caught(error);
    }
  };
}

/** A part of something larger, which goes on without it. */
export function partOf<T>(work: () => T, without: T): () => T {
  const guard = new Guard();
  return () => {
    if (guard.isOff) return without;
    try {
      return work();
    } catch (error) {
      guard.caught(error);
      return without;
    }
  };
}
