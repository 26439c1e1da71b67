// Owns the stalls of the loop: how long, and, once one was seen, by which function: V8's sampler then looks at the stack fifty times a second.
import type { Session } from 'node:inspector';
import type { AppStall } from '../shared/app-link.ts';
import { hottestStack, type Profile } from './stack.ts';
import { epoch, now } from './time.ts';

const STALL_MS = 200;
const MAX_STALLS = 10;
const SAMPLE_US = 20_000;
/** Nobody stalls any more: the sampler is switched off. */
const WATCH_FOR_MS = 600_000;
/** A profile is begun anew before it grows: at 50 samples a second some 15,000. */
const PROFILE_MS = 300_000;
/** To read a profile takes a few milliseconds: an app that stalls all the time shall not pay that each time. */
const READ_EVERY_MS = 5_000;

export class Stalls {
  #pending: AppStall[] = [];
  #session: Session | undefined;
  #begunAt = 0;
  #readAt = -Infinity;
  #lastAt = 0;
  #broken = false;

  /** A turn of the loop, late by so much. */
  turn(lateMs: number): void {
    const at = now();
    if (lateMs >= STALL_MS) {
      this.#lastAt = at;
      this.#pending.push({ at: epoch(), forMs: lateMs, frames: this.#read(lateMs, at) });
      if (this.#pending.length > MAX_STALLS) this.#pending.shift();
      this.#watch(at);
    } else if (this.#session !== undefined) {
      if (at - this.#lastAt > WATCH_FOR_MS) this.stop();
      else if (at - this.#begunAt > PROFILE_MS) { this.stop(); this.#watch(at); }
    }
  }

  drain(): AppStall[] {
    const stalls = this.#pending;
    this.#pending = [];
    return stalls;
  }

  stop(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.disconnect();                                     // the profile ends with it
  }

  /** A session of the process with itself: answers come at once, and Node waits for nobody at the end. */
  #watch(at: number): void {
    if (this.#session !== undefined || this.#broken) return;
    try {
      const { Session: Inspector } = require('inspector') as typeof import('node:inspector');
      const session = new Inspector();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US });
      session.post('Profiler.start');
      this.#session = session;
      this.#begunAt = at;
    } catch {
      this.#broken = true;                                     // a Node without inspector: delays are told without stacks
    }
  }

  #read(lateMs: number, at: number): string[] {
    const session = this.#session;
    if (session === undefined || at - this.#readAt < READ_EVERY_MS) return [];
    this.#readAt = at;
    let frames: string[] = [];
    session.post('Profiler.stop', (error, answer) => { if (error === null) frames = hottestStack(answer.profile as Profile, lateMs); });
    this.stop();
    return frames;
  }
}
