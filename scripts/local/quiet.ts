// Owns one limit on silence: a timer that is cheap to touch at every chunk.

export interface Quiet {
  /** Something moved: the limit counts from now. */
  touch(): void;
  stop(): void;
}

/** Calls `onQuiet` each time nothing was touched for `limitMs`, until stopped. Touching costs one clock read, no timer. */
export function quiet(limitMs: number, onQuiet: () => void): Quiet {
  let lastAt = performance.now();
  let timer = setTimeout(look, limitMs);
  function look(): void {
    const restMs = lastAt + limitMs - performance.now();
    if (restMs > 0.5) {
      timer = setTimeout(look, Math.ceil(restMs));
      return;
    }
    lastAt = performance.now();
    timer = setTimeout(look, limitMs);
    onQuiet();
  }
  return {
    touch() {
      lastAt = performance.now();
    },
    stop() {
      clearTimeout(timer);
    },
  };
}
