// Owns time: the one place that reads the clock and sets timers.
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';

export interface Clock {
  now(): number;
  /** Milliseconds that only go forward, for durations. */
  monotonic(): number;
  /** Never two ticks at once; ticks missed while the consumer worked are skipped. Ends when the signal aborts; does not keep the process alive. */
  every(ms: number, signal: AbortSignal): AsyncIterable<number>;
  /** Resolves after ms; rejects with AbortError when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  every: (ms, signal) => ticks(ms, signal),
  wait: async (ms, signal) => { await sleep(ms, undefined, { signal }); },
};

/** Ticks on whole multiples of ms, so that samples of all instances share their instants. */
async function* ticks(ms: number, signal: AbortSignal): AsyncGenerator<number> {
  let last: number | undefined;
  while (!signal.aborted) {
    const now = Date.now();
    const soon = Math.floor(now / ms) * ms + ms;
    // A timer may fire a millisecond early: the tick is still the instant it was set for, and does not come again.
    const next = soon === last ? soon + ms : soon;
    try {
      await sleep(next - now, undefined, { signal, ref: false });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    last = Math.max(next, Math.floor(Date.now() / ms) * ms);
    await ownTurn();
    if (signal.aborted) return;
    yield last;
  }
}

/** Ticks due at one instant (a dozen at each full second) come one a turn of the loop: lines that others follow live pass in between. */
let before: Promise<void> = Promise.resolve();
function ownTurn(): Promise<void> {
  before = before.then(() => turn());
  return before;
}

/** A signal that aborts when any of the given does, or after ms. */
export function within(ms: number, ...signals: readonly AbortSignal[]): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(ms), ...signals]);
}

/** Resolves when the signal aborts. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve(); }, { once: true }); });
}
