// Owns the delay of the event loop: a timer of our own, late by as much as the loop is; what is pending counts, so that no stall is lost.
import { performance } from 'node:perf_hooks';
import type { AppTick } from '../shared/app-link.ts';
import { guarded } from './guarded.ts';
import { Durations } from './latency.ts';
import { every, now } from './time.ts';

export const STEP_MS = 20;

export interface LoopOptions {
  /** Each turn of the timer, with how late it was. */
  onTurn(lateMs: number): void;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #delays = new Durations();
  #lastAt = 0;
  #utilization = performance.eventLoopUtilization();
  #end: (() => void) | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#end !== undefined) return;
    this.#lastAt = now();
    this.#utilization = performance.eventLoopUtilization();
    this.#end = every(STEP_MS, guarded(() => { this.#turn(); }));
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }

  #turn(): void {
    const at = now();
    const lateMs = Math.max(0, at - this.#lastAt - STEP_MS);
    this.#lastAt = at;
    this.#delays.add(lateMs);
    this.#options.onTurn(lateMs);
  }

  /** Since the last call. The timer may be due as well as we are: then its turn is now. */
  drain(): Pick<AppTick, 'loop'> {
    if (now() - this.#lastAt > 2 * STEP_MS) this.#turn();
    const at = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(at, this.#utilization);
    this.#utilization = at;
    if (this.#delays.count === 0) return {};
    const [p50Ms, p99Ms] = this.#delays.quantiles([0.5, 0.99]) as [number, number];
    const { maxMs } = this.#delays.drain();
    return { loop: { p50Ms, p99Ms: Math.min(p99Ms, maxMs), maxMs, utilization: Math.min(1, Math.max(0, utilization)) } };
  }
}
