// Owns time as the preload sees it: taken once at the start, so that an app that replaces clocks or timers changes nothing here.

const { hrtime } = process;
const { now: readDate } = Date;

/** Since the machine came up, in ms. The same clock as that of performance.now(), which costs a third more: it looks each time who asks. */
export const now = (): number => {
  const at = hrtime();
  return at[0] * 1_000 + at[1] / 1_000_000;
};
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
