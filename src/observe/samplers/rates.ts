// Owns rates from counters: what a counter grew by since its last reading, and when that cannot be said.

/** After a longer pause (a suspended machine, a blocked agent) an average over it would be shown as if it were one second's: a gap is truer. */
export const MAX_INTERVAL_MS = 10_000;

/** Growth of one counter between two readings. */
export interface Growth { readonly by: number; readonly overMs: number }

interface Reading { startedAt: number; value: number; atMs: number; seen: number; readonly growth: { by: number; overMs: number } }

/**
 * Growth of counters that belong to processes. No growth is told (undefined, a gap; never 0) for the first reading, for a pid that is
 * another process now, for a counter that went backwards, and after a pause longer than MAX_INTERVAL_MS.
 */
export class Counters {
  readonly #last = new Map<number, Reading>();
  #round = 0;

  /** Processes remembered: those of the last round. */
  get size(): number { return this.#last.size; }

  /** The result is reused at the pid's next reading: read it at once. */
  grow(pid: number, startedAt: number, value: number, atMs: number): Growth | undefined {
    const last = this.#last.get(pid);
    if (last === undefined) {
      this.#last.set(pid, { startedAt, value, atMs, seen: this.#round, growth: { by: 0, overMs: 0 } });
      return undefined;
    }
    const same = last.startedAt === startedAt;
    const { growth } = last;
    growth.by = value - last.value;
    growth.overMs = atMs - last.atMs;
    last.startedAt = startedAt;
    last.value = value;
    last.atMs = atMs;
    last.seen = this.#round;
    return same && growth.by >= 0 && growth.overMs > 0 && growth.overMs <= MAX_INTERVAL_MS ? growth : undefined;
  }

  /** Ends a round of readings: processes that were not in it are forgotten. */
  sweep(): void {
    for (const [pid, reading] of this.#last) if (reading.seen !== this.#round) this.#last.delete(pid);
    this.#round += 1;
  }
}
