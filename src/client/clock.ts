// Owns the page's time: the only place of the client that reads the clock or starts a timer.

export interface Clock {
  /** Epoch milliseconds of this machine. */
  now(): number;
  /** Calls `run` once, `forMs` later; the answer takes the call back. */
  after(forMs: number, run: () => void): () => void;
  /** Calls `run` again and again; the answer ends it. */
  every(forMs: number, run: () => void): () => void;
}

export const browserClock: Clock = {
  now: () => Date.now(),
  after(forMs, run) {
    const timer = setTimeout(run, forMs);
    return () => clearTimeout(timer);
  },
  every(forMs, run) {
    const timer = setInterval(run, forMs);
    return () => clearInterval(timer);
  },
};

/** Runs `run` in the next animation frame, at most once however often it is asked; the answer asks. */
export function oncePerFrame(run: () => void): { ask(): void; end(): void } {
  let waiting = 0;
  return {
    ask() {
      if (waiting !== 0) return;
      waiting = requestAnimationFrame(() => { waiting = 0; run(); });
    },
    end() { cancelAnimationFrame(waiting); waiting = 0; },
  };
}
