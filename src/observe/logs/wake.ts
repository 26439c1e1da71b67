// Owns the change notices of a log, whether they can be relied on, and the waiting without them.
import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock } from '../../platform/clock.ts';

/** Changes in a row that were found by looking, without a notice: from then on this log is looked at often. */
const MISSED_NOTICES = 2;

/** Change notices of one file. Shares send none for other machines' writes, and some systems have no room for one more watch: whether
 *  they come is learnt from what happens, and forgotten when it changes. */
export class Notices {
  readonly #path: string;
  readonly #take: (renamed: boolean) => void;
  #watcher: FSWatcher | undefined;
  #heard = 0;
  #missed = 0;

  constructor(path: string, take: (renamed: boolean) => void) {
    this.#path = path;
    this.#take = take;
    this.watch();
  }

  /** Watches the folder, not the file: a watch on the file would follow a renamed one. */
  watch(): void {
    if (this.#watcher !== undefined) return;
    const name = basename(this.#path);
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, (event, changed) => {
        if (changed !== null && changed !== name) return;
        this.#heard += 1;
        this.#take(event === 'rename');
      });
      watcher.on('error', () => { this.close(); });
      this.#watcher = watcher;
    } catch (error) {
      if (!(error instanceof Error)) throw error; // ENOSPC, EMFILE, ENOENT: looking alone
    }
  }

  /** Are notices what tells of changes here? False until one did, and when changes were found without. */
  get work(): boolean { return this.#watcher !== undefined && this.#missed < MISSED_NOTICES && this.#heard > 0; }

  /** A look that was not asked for by a notice found a change, or did not. */
  looked(found: boolean, heardBefore: number): void {
    if (found && this.#heard === heardBefore) this.#missed += 1;
  }

  /** A notice came, and there was something to read. */
  proved(): void { this.#missed = 0; }

  get heard(): number { return this.#heard; }

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

/** Waits, but only until it is rung; `ring` gets what rings. */
export async function pauseOrRing(clock: Clock, forMs: number, signal: AbortSignal, ring: (end: () => void) => void): Promise<void> {
  if (signal.aborted) return;
  // Not AbortSignal.any: a long-lived signal would remember each of the many short ones.
  const over = new AbortController();
  const end = (): void => { over.abort(); };
  signal.addEventListener('abort', end, { once: true });
  ring(end);
  try {
    await pause(clock, forMs, over.signal);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
