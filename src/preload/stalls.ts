// Owns the stalls of the loop: how long, and by which function where the watchdog was there; it is called by the first delay that is worth it.
import type { AppStall } from '../shared/app-link.ts';
import { epoch, now } from './time.ts';
import type { Watchdog } from './watchdog.ts';

const STALL_MS = 200;
/** A loop that was late once will be again: from here on the watchdog looks. */
const WORTH_MS = 100;
const MAX_STALLS = 10;
/** Nothing was late any more: the watchdog goes. */
const WATCH_FOR_MS = 600_000;
/** What the watchdog saw may come a moment after the stall. */
const AWAITED_MS = 1_000;
/** After such a stall the state file tells of it, and must not for long. */
const LONG_MS = 500;

interface Pending { readonly stall: AppStall; readonly beat: number; readonly endedAt: number; readonly watched: boolean }

export class Stalls {
  readonly #watchdog: Watchdog;
  readonly #onLong: () => void;
  #pending: Pending[] = [];
  #lastAt = -Infinity;

  constructor(watchdog: Watchdog, onLong: () => void) {
    this.#watchdog = watchdog;
    this.#onLong = onLong;
  }

  /** A turn of the loop, late by so much. */
  turn(lateMs: number): void {
    const beat = this.#watchdog.beat();
    if (lateMs < WORTH_MS) return;
    const at = now();
    this.#lastAt = at;
    if (lateMs >= STALL_MS) {
      this.#pending.push({ stall: { at: epoch(), forMs: lateMs, frames: [] }, beat, endedAt: at, watched: this.#watchdog.isReady });
      if (this.#pending.length > MAX_STALLS) this.#pending.shift();
    }
    if (lateMs >= LONG_MS) this.#onLong();
    this.#watchdog.start();
  }

  /** Once a second; `asked`: somebody follows. */
  look(asked: boolean): void {
    if (asked) { this.#lastAt = now(); this.#watchdog.start(); }
    else if (this.#watchdog.isOn && now() - this.#lastAt > WATCH_FOR_MS) this.#watchdog.stop();
  }

  drain(): AppStall[] {
    const stalls: AppStall[] = [];
    const at = now();
    this.#pending = this.#pending.filter((one) => {
      const frames = one.watched ? this.#watchdog.framesOf(one.beat) : [];
      if (frames === undefined && at - one.endedAt < AWAITED_MS) return true;
      stalls.push({ ...one.stall, frames: frames ?? [] });
      return false;
    });
    return stalls;
  }

  stop(): void {
    this.#watchdog.stop();
  }
}
