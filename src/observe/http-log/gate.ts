// Owns the gate before costly questions: few at once, a bounded queue behind them, equal ones asked together answered once, and none worked on that nobody waits for.
import { DiagError } from '../../shared/errors.ts';

export interface GateBounds {
  readonly what: string;
  readonly atOnce: number;
  /** Questions that may wait; one more is refused. */
  readonly waiting: number;
  /** An answer serves equal questions for so long, … */
  readonly freshMs: number;
  /** … the newest so many of them. */
  readonly kept: number;
}

interface Asked<T> { readonly answer: Promise<T>; readonly cancel: AbortController; asking: number; doneAt: number | undefined }

export class Gate<T> {
  readonly #bounds: GateBounds;
  readonly #now: () => number;
  readonly #asked = new Map<string, Asked<T>>();
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(bounds: GateBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
  }

  /** @throws TOO_MANY, the signal's reason, and what the work throws */
  async ask(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    this.#forget();
    const asked = this.#asked.get(key) ?? this.#begin(key, work);
    asked.asking += 1;
    let leave: (() => void) | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        leave = () => { reject(signal.reason as Error); };
        signal.addEventListener('abort', leave, { once: true });
        asked.answer.then(resolve, reject);
      });
    } finally {
      if (leave !== undefined) signal.removeEventListener('abort', leave);
      asked.asking -= 1;
      if (asked.asking === 0 && asked.doneAt === undefined) {
        // Nobody waits for it any more.
        asked.cancel.abort();
        if (this.#asked.get(key) === asked) this.#asked.delete(key);
      }
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Asked<T> {
    if (this.#running >= this.#bounds.atOnce && this.#queue.length >= this.#bounds.waiting) throw new DiagError('TOO_MANY', { what: this.#bounds.what, limit: this.#bounds.waiting });
    const cancel = new AbortController();
    const asked: Asked<T> = { answer: this.#work(cancel.signal, work), cancel, asking: 0, doneAt: undefined };
    this.#asked.set(key, asked);
    // A failure is told to those who asked and is not an answer to keep.
    asked.answer.then(() => { asked.doneAt = this.#now(); }, () => {
      asked.doneAt = -Infinity;
      if (this.#asked.get(key) === asked) this.#asked.delete(key);
    });
    return asked;
  }

  async #work(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#running >= this.#bounds.atOnce) await this.#turn(signal);
    else this.#running += 1;
    try {
      signal.throwIfAborted();
      return await work(signal);
    } finally {
      // The place goes to the next one as it is.
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1; else next();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const gone = (): void => {
        const at = this.#queue.indexOf(go);
        if (at >= 0) this.#queue.splice(at, 1);
        reject(signal.reason as Error);
      };
      const go = (): void => { signal.removeEventListener('abort', gone); resolve(); };
      signal.addEventListener('abort', gone, { once: true });
      this.#queue.push(go);
    });
  }

  #forget(): void {
    const now = this.#now();
    const done = [...this.#asked].filter(([, { doneAt }]) => doneAt !== undefined);
    for (const [i, [key, { doneAt }]] of done.entries()) if (now - (doneAt ?? now) > this.#bounds.freshMs || i < done.length - this.#bounds.kept) this.#asked.delete(key);
  }
}
