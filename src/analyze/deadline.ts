// Owns time limits that follow the clock they are given: a signal that aborts when the time is up or the outer signal aborts.
import { DiagError } from '../shared/errors.ts';
import { duration } from '../shared/units.ts';
import type { Clock } from '../platform/clock.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** The time was up; false when the outer signal aborted first. */
  readonly expired: boolean;
  /** Stops the timer. Call it in a finally. */
  end(): void;
}

/** The signal's reason is DiagError TIMED_OUT, or the outer signal's reason. */
export function deadline(clock: Clock, what: string, limitMs: number, outer: AbortSignal): Deadline {
  const inner = new AbortController();
  const ended = new AbortController();
  let expired = false;
  if (outer.aborted) inner.abort(outer.reason);
  else outer.addEventListener('abort', () => { inner.abort(outer.reason); }, { once: true, signal: ended.signal });
  const timer = async (): Promise<void> => {
    try {
      await clock.wait(limitMs, ended.signal);
    } catch (error) {
      if (ended.signal.aborted) return;
      throw error;
    }
    if (inner.signal.aborted) return;
    expired = true;
    inner.abort(new DiagError('TIMED_OUT', { what, limit: duration(limitMs) }));
  };
  void timer();
  return { signal: inner.signal, get expired() { return expired; }, end() { ended.abort(); } };
}

/** The work's result; or, when it has not settled `graceMs` after the signal aborted, the signal's reason. What the work does then is its own affair. */
export async function orAbandoned<T>(clock: Clock, work: Promise<T>, signal: AbortSignal, graceMs: number): Promise<T> {
  const settled = new AbortController();
  const abandoned = (async (): Promise<never> => {
    await aborted(signal, settled.signal);
    await clock.wait(graceMs, settled.signal);
    throw signal.reason;
  })();
  try {
    return await Promise.race([work, abandoned]);
  } finally {
    settled.abort();
    void Promise.allSettled([work, abandoned]);                // the loser's rejection comes too late to matter to anyone
  }
}

/** Resolves when `signal` aborts, rejects when `given up` does. */
function aborted(signal: AbortSignal, givenUp: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) { resolve(); return; }
    signal.addEventListener('abort', () => { resolve(); }, { once: true, signal: givenUp });
    givenUp.addEventListener('abort', () => { reject(new DiagError('CANCELLED', { what: 'The wait' })); }, { once: true });
  });
}
