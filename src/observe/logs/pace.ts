// Owns how far the reader of a log may run ahead of those who follow it: it waits for who keeps up, and not for who does not.
import type { Clock } from '../../platform/clock.ts';
import { pauseOrRing } from './wake.ts';
import { QUEUE_BYTES, type FollowerQueue } from './queue.ts';

/** Somebody with more than this waiting is waited for, so that nothing is lost to who keeps up. */
const FULL_BYTES = QUEUE_BYTES / 2;
/** How long others may have to wait for one follower, ever… */
const PATIENCE_MS = 2_000;
/** …and how much of each second is given back: a slow follower costs the others at most this share. */
const REFILL = 0.1;
/** Who took nothing for so long is not waited for at all. */
const STALLED_MS = 1_000;
const LOOK_MS = 10;

export class Pace {
  readonly #clock: Clock;
  #ring: (() => void) | undefined;
  #refilledAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#refilledAt = clock.monotonic();
  }

  enter(follower: FollowerQueue): void {
    follower.patienceMs = PATIENCE_MS;
    follower.tookAt = this.#clock.monotonic();
  }

  /** Somebody has room again. */
  room(): void { this.#ring?.(); }

  /** Has everybody room for the next block, so that nobody need be asked? */
  free(followers: Iterable<Iterable<FollowerQueue>>): boolean {
    for (const some of followers) for (const one of some) if (one.bytes > FULL_BYTES) return false;
    return true;
  }

  /** Resolves when the next block may be read. */
  async ready(followers: () => readonly FollowerQueue[], signal: AbortSignal): Promise<void> {
    for (;;) {
      const all = followers();
      this.#refill(all);
      const full = all.filter((one) => this.#isWaitedFor(one));
      if (full.length === 0 || signal.aborted) return;
      const began = this.#clock.monotonic();
      await this.#nextRoom(signal);
      // Where everybody is busy, waiting costs nobody anything.
      if (all.some((one) => one.idle)) for (const one of full) one.patienceMs -= this.#clock.monotonic() - began;
    }
  }

  #isWaitedFor(one: FollowerQueue): boolean {
    return one.bytes > FULL_BYTES && one.patienceMs > 0 && this.#clock.monotonic() - one.tookAt < STALLED_MS;
  }

  #refill(all: readonly FollowerQueue[]): void {
    const now = this.#clock.monotonic();
    const more = (now - this.#refilledAt) * REFILL;
    this.#refilledAt = now;
    for (const one of all) {
      one.patienceMs = Math.min(PATIENCE_MS, one.patienceMs + more);
      // Less waits than before, or little: it takes what it gets.
      if (one.bytes <= FULL_BYTES || one.bytes < one.seenBytes) one.tookAt = now;
      one.seenBytes = one.bytes;
    }
  }

  async #nextRoom(signal: AbortSignal): Promise<void> {
    await pauseOrRing(this.#clock, LOOK_MS, signal, (end) => { this.#ring = end; });
    this.#ring = undefined;
  }
}
