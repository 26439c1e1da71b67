// Owns a clock that only moves when a test says so.
import type { Clock } from '../../src/platform/clock.ts';

/** 2026-11-21 02:00:00 UTC: a whole hour, so that ticks of every step fall on it. */
export const START_AT = Date.UTC(2026, 10, 21, 2, 0, 0);

interface Timer { readonly at: number; readonly order: number; fire(): void }

/** Turns of the event loop that a consumer gets between two timers; real I/O may need more: use `waitFor` for that. */
const TURNS = 4;

export class FakeClock implements Clock {
  #now: number;
  #started: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(startAt = START_AT) {
    this.#now = startAt;
    this.#started = startAt;
  }

  now(): number { return this.#now; }
  monotonic(): number { return this.#now - this.#started; }
  /** Timers that wait now: 0 shows that everything was ended. */
  get waiting(): number { return this.#timers.size; }

  /** Moves on by ms; every timer due on the way fires in order at its own instant, and its consumer gets a few turns to work. */
  async advance(ms: number): Promise<void> {
    const to = this.#now + ms;
    await turns();
    for (let due = this.#next(to); due !== undefined; due = this.#next(to)) {
      this.#timers.delete(due);
      this.#now = due.at;
      due.fire();
      await turns();
    }
    this.#now = to;
    await turns();
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#until(this.#now + ms, signal);
  }

  async *every(ms: number, signal: AbortSignal): AsyncGenerator<number> {
    while (!signal.aborted) {
      const next = Math.floor(this.#now / ms) * ms + ms;
      try {
        await this.#until(next, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      yield Math.max(next, Math.floor(this.#now / ms) * ms);
    }
  }

  #next(to: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= to && (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))) first = timer;
    }
    return first;
  }

  async #until(at: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw abortError(signal);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => { this.#timers.delete(timer); reject(abortError(signal)); };
      const timer: Timer = { at, order: this.#order++, fire: () => { signal.removeEventListener('abort', onAbort); resolve(); } };
      this.#timers.add(timer);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** As the real timers do: always an AbortError, with the signal's reason as its cause. */
function abortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return error;
}

async function turns(): Promise<void> {
  for (let i = 0; i < TURNS; i += 1) await new Promise<void>((resolve) => { setImmediate(resolve); });
}
