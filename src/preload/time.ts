// Owns time as the preload sees it: taken once at the start, so that an app that replaces clocks or timers changes nothing here.
import { performance } from 'node:perf_hooks';

const { now: read } = performance;
const { now: readDate } = Date;

export const now = (): number => read.call(performance);
export const epoch = (): number => readDate();

const { setInterval: setEvery, setTimeout: setAfter, clearInterval: clearEvery } = globalThis;

/** Repeats without keeping the process alive; the answer ends it. */
export function every(ms: number, work: () => void): () => void {
  const timer = setEvery(work, ms);
  timer.unref();
  return () => { clearEvery(timer); };
}

/** Once, without keeping the process alive. */
export function after(ms: number, work: () => void): void {
  setAfter(work, ms).unref();
}
