// Owns the delay of the event loop: a timer of our own, late by as much as the loop is; what is pending counts, so that no stall is lost.
import { performance } from 'node:perf_hooks';
import type { AppTick } from '../shared/app-link.ts';
import { guarded } from './guarded.ts';
import { Durations } from './latency.ts';
import { every, now } from './time.ts';

export const STEP_MS = 20;
/** Of a loop that rests: to wake it costs more than all that we do then. */
const REST_STEP_MS = 100;
const STEPS_OF_REST = REST_STEP_MS / STEP_MS;
/** It rests when it has done next to nothing for so many drains, and no longer when it has worked for so long within a step: nothing shorter can have hidden in one. */
const REST_AFTER_DRAINS = 5;
const REST_UTILIZATION = 0.03;
const WORK_MS = 10;

export interface LoopOptions {
  /** Each turn of the timer, with how late it was and how many steps it stands for. */
  onTurn(lateMs: number, steps: number): void;
  /** Somebody else counts on short steps. */
  isWatched(): boolean;
}

export class Loop {
  readonly #options: LoopOptions;
  readonly #delays = new Durations();
  #lastAt = 0;
  #utilization = performance.eventLoopUtilization();
  #worked = 0;
  #stepMs = STEP_MS;
  #restfulDrains = 0;
  #end: (() => void) | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  get isResting(): boolean { return this.#stepMs !== STEP_MS; }

  start(): void {
    if (this.#end !== undefined) return;
    this.#lastAt = now();
    this.#utilization = performance.eventLoopUtilization();
    this.#restfulDrains = 0;
    this.#step(STEP_MS);
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
  }

  #step(ms: number): void {
    this.#end?.();
    this.#stepMs = ms;
    this.#worked = workedMs();
    this.#end = every(ms, guarded(() => { this.#turn(); }));
  }

  #turn(): void {
    const at = now();
    const lateMs = Math.max(0, at - this.#lastAt - this.#stepMs);
    this.#lastAt = at;
    if (this.isResting) { this.#turnOfRest(lateMs); return; }
    this.#delays.add(lateMs);
    this.#options.onTurn(lateMs, 1);
  }

  /** What stood still out of rest is known to its begin: by how long the loop has worked. */
  #turnOfRest(lateMs: number): void {
    const worked = workedMs();
    const workMs = worked - this.#worked;
    this.#worked = worked;
    const stoodMs = lateMs < WORK_MS ? lateMs : Math.max(lateMs, Math.min(workMs, lateMs + REST_STEP_MS));
    const isOver = workMs >= WORK_MS || this.#options.isWatched();
    // As many samples as of five short steps: the shares stay those of time.
    for (let i = isOver ? 1 : STEPS_OF_REST; i > 0; i -= 1) this.#delays.add(stoodMs);
    if (isOver) { this.#restfulDrains = 0; this.#step(STEP_MS); }
    this.#options.onTurn(stoodMs, STEPS_OF_REST);
  }

  /** Since the last call. The timer may be due as well as we are: then its turn is now. */
  drain(): Pick<AppTick, 'loop'> {
    if (now() - this.#lastAt > this.#stepMs + STEP_MS) this.#turn();
    const at = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(at, this.#utilization);
    this.#utilization = at;
    if (this.#delays.count === 0) return {};
    const [p50Ms, p99Ms] = this.#delays.quantiles([0.5, 0.99]) as [number, number];
    const { maxMs } = this.#delays.drain();
    this.#lookForRest(utilization);
    return { loop: { p50Ms, p99Ms: Math.min(p99Ms, maxMs), maxMs, utilization: Math.min(1, Math.max(0, utilization)) } };
  }

  #lookForRest(utilization: number): void {
    if (this.isResting) return;
    this.#restfulDrains = utilization <= REST_UTILIZATION && !this.#options.isWatched() ? this.#restfulDrains + 1 : 0;
    if (this.#restfulDrains < REST_AFTER_DRAINS) return;
    this.#lastAt = now();
    this.#step(REST_STEP_MS);
  }
}

/** Since the loop began: all but its waiting. */
function workedMs(): number {
  return performance.eventLoopUtilization().active;
}
