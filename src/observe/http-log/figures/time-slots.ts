// Owns counting by steps of time: minutes, or longer steps when the span is long, so that there are never more than MAX_SLOTS of them.
import { Histograms } from './histograms.ts';
import type { HistogramsState } from './histograms.ts';

/** A day and a third of minutes. */
export const MAX_SLOTS = 2_000;
/** Each a multiple of the one before: the same rows give the same steps in whatever order they come. */
const STEPS_MS = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];
/** Places in a slot. */
export const SLOT_ROWS = 0, SLOT_FAILURES = 1, FIRST_FAILURE = 2, LAST_FAILURE = 3, SLOT_LONGEST = 4, SLOT_WIDTH = 5;

export interface TimeSlotsState { stepMs: number; steps: Float64Array; values: Float64Array; taken: HistogramsState }

export class TimeSlots {
  stepMs = STEPS_MS[0] as number;
  values = new Float64Array(64 * SLOT_WIDTH);
  taken = new Histograms();
  /** Number of the step (time / stepMs) of each slot. */
  #steps: number[] = [];
  #ids = new Map<number, number>();
  #last = 0;
  #lastFrom = Infinity;
  #lastTo = -Infinity;

  get size(): number { return this.#steps.length; }
  /** There are too many. */
  get crowded(): boolean { return this.size > MAX_SLOTS; }
  get sizeBytes(): number { return this.values.byteLength + this.taken.sizeBytes + this.#steps.length * 60; }

  /** Slot of an instant. Rows of a log come minute by minute, so nearly always that of the last. */
  idOf(at: number): number {
    if (at >= this.#lastFrom && at < this.#lastTo) return this.#last;
    const step = Math.floor(at / this.stepMs);
    this.#last = this.#ids.get(step) ?? this.#make(step);
    this.#lastFrom = step * this.stepMs;
    this.#lastTo = this.#lastFrom + this.stepMs;
    return this.#last;
  }

  /** Counts a row but its time taken, which addEach() does for a batch; its slot. */
  count(at: number, failed: boolean, takenMs: number): number {
    const id = this.idOf(at), values = this.values, place = id * SLOT_WIDTH;
    values[place] = (values[place] as number) + 1;
    if (failed) {
      values[place + SLOT_FAILURES] = (values[place + SLOT_FAILURES] as number) + 1;
      if (at < (values[place + FIRST_FAILURE] as number)) values[place + FIRST_FAILURE] = at;
      if (at > (values[place + LAST_FAILURE] as number)) values[place + LAST_FAILURE] = at;
    }
    if (takenMs > (values[place + SLOT_LONGEST] as number)) values[place + SLOT_LONGEST] = takenMs;
    return id;
  }

  at(id: number): number { return (this.#steps[id] as number) * this.stepMs; }
  /** Slot that begins at `at`; undefined when no row is in it. */
  slotAt(at: number): number | undefined { return this.#ids.get(Math.floor(at / this.stepMs)); }

  /** Between batches: longer steps when there are too many. Ids of before become ids of the answer; undefined when all stay. */
  coarsen(least = this.stepMs): Int32Array | undefined {
    if (this.size <= MAX_SLOTS && least === this.stepMs) return undefined;
    const before = { steps: this.#steps, stepMs: this.stepMs };
    let stepMs = least;
    const distinct = (): number => new Set(before.steps.map((step) => Math.floor(step * before.stepMs / stepMs))).size;
    while (distinct() > MAX_SLOTS) stepMs = STEPS_MS.find((longer) => longer > stepMs) ?? stepMs * 2;
    const state = this.state();
    this.stepMs = stepMs;
    this.#steps = [];
    this.#ids = new Map();
    this.#lastTo = -Infinity;
    this.values = new Float64Array(64 * SLOT_WIDTH);
    this.taken = new Histograms();
    return this.#take(state);
  }

  state(): TimeSlotsState {
    return { stepMs: this.stepMs, steps: Float64Array.from(this.#steps), values: this.values.slice(0, this.size * SLOT_WIDTH), taken: this.taken.state(this.size) };
  }

  /** `here`: ids of before as they are now, when steps became longer; `there`: ids here of the ids there. */
  merge(state: TimeSlotsState): { here: Int32Array | undefined; there: Int32Array } {
    const longer = this.coarsen(Math.max(this.stepMs, state.stepMs));
    const there = this.#take(state);
    const again = this.coarsen();
    if (again === undefined) return { here: longer, there };
    const through = (ids: Int32Array): Int32Array => ids.map((id) => again[id] as number);
    return { here: longer === undefined ? again : through(longer), there: through(there) };
  }

  #take({ stepMs, steps, values, taken }: TimeSlotsState): Int32Array {
    const into = Int32Array.from(steps, (step) => this.idOf(step * stepMs));
    into.forEach((id, from) => {
      const here = this.values.subarray(id * SLOT_WIDTH, (id + 1) * SLOT_WIDTH), there = values.subarray(from * SLOT_WIDTH);
      here[SLOT_ROWS] = (here[SLOT_ROWS] as number) + (there[SLOT_ROWS] as number);
      here[SLOT_FAILURES] = (here[SLOT_FAILURES] as number) + (there[SLOT_FAILURES] as number);
      here[FIRST_FAILURE] = Math.min(here[FIRST_FAILURE] as number, there[FIRST_FAILURE] as number);
      here[LAST_FAILURE] = Math.max(here[LAST_FAILURE] as number, there[LAST_FAILURE] as number);
      here[SLOT_LONGEST] = Math.max(here[SLOT_LONGEST] as number, there[SLOT_LONGEST] as number);
    });
    this.taken.merge(taken, (id) => into[id] as number);
    return into;
  }

  #make(step: number): number {
    const id = this.#steps.length;
    this.#steps.push(step);
    this.#ids.set(step, id);
    if ((id + 1) * SLOT_WIDTH > this.values.length) {
      const grown = new Float64Array(this.values.length * 2);
      grown.set(this.values);
      this.values = grown;
    }
    this.taken.reserve(id + 1);
    this.values.set([0, 0, Infinity, -Infinity, 0], id * SLOT_WIDTH);
    return id;
  }
}
