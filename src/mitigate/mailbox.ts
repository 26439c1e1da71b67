// Owns a mailbox with one reader: letters come out in their order, and a wait for the next ends with a signal.

/** Senders here send little: a reading a second, of which only the newest is kept, and events that hold their sender until they are read. */
export class Mailbox<T> {
  readonly #letters: T[] = [];
  #wake: (() => void) | undefined;

  put(letter: T): void {
    this.#letters.push(letter);
    this.#wake?.();
  }

  /** Puts it in the place of one that is not read yet. */
  replace(old: (letter: T) => boolean, letter: T): void {
    const at = this.#letters.findIndex(old);
    if (at >= 0) this.#letters[at] = letter;
    else this.put(letter);
  }

  /** @throws the signal's reason */
  async next(signal: AbortSignal): Promise<T> {
    const wake = (): void => { this.#wake?.(); };
    signal.addEventListener('abort', wake, { once: true });
    try {
      for (;;) {
        signal.throwIfAborted();
        const [letter] = this.#letters.splice(0, 1);
        if (letter !== undefined) return letter;
        await new Promise<void>((resolve) => { this.#wake = resolve; });
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  /** All that is not read yet. */
  drain(): T[] { return this.#letters.splice(0); }
}
