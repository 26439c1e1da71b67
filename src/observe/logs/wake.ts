// Owns the waiting of a tail: until the folder tells of a change, or until it is time to look anyway.
import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../platform/clock.ts';

/** Change notices are a hint that saves waiting, never the only way: shares send none for other machines' writes, some systems have no room for one more watch. */
export class Wake {
  readonly #clock: Clock;
  #watcher: FSWatcher | undefined;
  #hinted = false;
  #ring: (() => void) | undefined;

  constructor(path: string, clock: Clock) {
    this.#clock = clock;
    const name = basename(path);
    try {
      // The folder, not the file: a watch on the file would follow a renamed one.
      this.#watcher = watch(dirname(path), { persistent: false }, (_event, changed) => { if (changed === null || changed === name) this.hint(); });
      this.#watcher.on('error', () => { this.close(); }); // from here on polling alone
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#watcher = undefined; // ENOSPC, EMFILE, ENOENT: polling alone
    }
  }

  hint(): void {
    this.#hinted = true;
    this.#ring?.();
  }

  /** Resolves at a hint, after `forMs`, or when the signal aborts. A hint given meanwhile counts. */
  async wait(forMs: number, signal: AbortSignal): Promise<void> {
    if (this.#hinted || signal.aborted) { this.#hinted = false; return; }
    try {
      await pauseUntil(this.#clock, forMs, signal, () => new Promise<void>((resolve) => { this.#ring = resolve; }));
    } finally {
      this.#ring = undefined;
      this.#hinted = false;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** Waits; an abort ends the waiting instead of throwing. */
export async function pause(clock: Clock, forMs: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.wait(forMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Waits for `sooner`, but at most `forMs` and only until the signal aborts; `sooner` is told when nobody waits for it any more. */
export async function pauseUntil(clock: Clock, forMs: number, signal: AbortSignal, sooner: (over: AbortSignal) => Promise<void>): Promise<void> {
  // Not AbortSignal.any: a long-lived signal would remember each of the many short ones.
  const over = new AbortController();
  const end = (): void => { over.abort(); };
  signal.addEventListener('abort', end, { once: true });
  try {
    await Promise.race([sooner(over.signal), pause(clock, forMs, over.signal)]);
  } finally {
    signal.removeEventListener('abort', end);
    over.abort();
  }
}
