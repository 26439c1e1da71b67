// Owns the samples of the charts on one time axis: history and live samples, later values of an instant added, bounded in time.
import type { ProcessKey, Sample, Series } from '../../shared/model.ts';
import type { MetricId } from '../../shared/metrics.ts';

export type Column = (number | null)[];
/** Processes with columns of their own; the longest silent one makes room (counted). */
const MAX_PROCESSES = 64;
/** Steps an axis may have, so that one wrong instant cannot fill the memory. */
const MAX_STEPS = 10_000;

export const columnName = (metric: MetricId, process?: ProcessKey): string => (process ? `${metric}@${process.pid}:${process.startedAt}` : metric);
const processName = (process: ProcessKey): string => `${process.pid}:${process.startedAt}`;

export class SeriesWindow {
  readonly stepMs: number;
  readonly keepMs: number;
  /** Instants of the axis, `stepMs` apart without holes. */
  readonly at: number[] = [];
  readonly #columns = new Map<string, Column>();
  readonly #processes = new Map<string, { key: ProcessKey; lastAt: number }>();
  /** Process columns given up because there were too many; who feeds the window adds what was lost on the way. */
  lost = 0;

  constructor(stepMs: number, keepMs: number) {
    this.stepMs = stepMs;
    this.keepMs = keepMs;
  }

  /** Takes a history answer as it is; its axis becomes ours. */
  load(series: Series): void {
    for (const at of series.at) this.#row(at);
    for (const one of series.series) {
      one.values.forEach((value, i) => {
        const at = series.at[i];
        if (value !== null && at !== undefined) this.#put(one.metric, one.process, at, value);
      });
    }
    this.#trim();
  }

  /** Adds a sample; a second one of the same instant fills in or corrects values, whatever came in between. */
  add(sample: Sample): void {
    for (const [id, value] of Object.entries(sample.values)) if (value !== undefined) this.#put(id as MetricId, sample.process, sample.at, value);
    this.#trim();
  }

  get end(): number | undefined { return this.at[this.at.length - 1]; }

  /** Values of a metric along the axis; undefined when it was never measured. */
  column(metric: MetricId, process?: ProcessKey): Column | undefined { return this.#columns.get(columnName(metric, process)); }

  /** The processes that have columns, most recently seen last. */
  processes(): readonly ProcessKey[] { return [...this.#processes.values()].sort((a, b) => a.lastAt - b.lastAt).map((p) => p.key); }

  /** The axis place of an instant, made if need be; undefined when it lies outside the window. */
  #row(at: number): number | undefined {
    const step = Math.floor(at / this.stepMs) * this.stepMs;
    const first = this.at[0];
    const last = this.end;
    if (first === undefined || last === undefined) { this.#grow(step, step); return 0; }
    if (step > last) {
      if (step - last > this.keepMs) { this.clear(); this.#grow(step, step); return 0; }
      this.#grow(last + this.stepMs, step);
    } else if (step < first) {
      if (step <= last - this.keepMs || (last - step) / this.stepMs > MAX_STEPS) return undefined;
      this.#growFront(step, first);
    }
    return Math.round((step - (this.at[0] ?? step)) / this.stepMs);
  }

  #grow(from: number, to: number): void {
    for (let at = from; at <= to; at += this.stepMs) {
      this.at.push(at);
      for (const column of this.#columns.values()) column.push(null);
    }
  }

  #growFront(from: number, first: number): void {
    const more: number[] = [];
    for (let at = from; at < first; at += this.stepMs) more.push(at);
    this.at.unshift(...more);
    for (const column of this.#columns.values()) column.unshift(...more.map(() => null));
  }

  #put(metric: MetricId, process: ProcessKey | undefined, at: number, value: number): void {
    const row = this.#row(at);
    if (row === undefined) return;
    if (process) this.#seen(process, at);
    const name = columnName(metric, process);
    let column = this.#columns.get(name);
    if (!column) { column = this.at.map(() => null); this.#columns.set(name, column); }
    column[row] = value;
  }

  #seen(process: ProcessKey, at: number): void {
    const name = processName(process);
    const known = this.#processes.get(name);
    if (known) { known.lastAt = Math.max(known.lastAt, at); return; }
    this.#processes.set(name, { key: process, lastAt: at });
    if (this.#processes.size <= MAX_PROCESSES) return;
    const oldest = this.processes()[0];
    if (oldest) this.#forget(oldest);
    this.lost += 1;
  }

  #forget(process: ProcessKey): void {
    const name = processName(process);
    this.#processes.delete(name);
    for (const key of this.#columns.keys()) if (key.endsWith(`@${name}`)) this.#columns.delete(key);
  }

  #trim(): void {
    const end = this.end;
    if (end === undefined) return;
    const over = this.at.findIndex((at) => at > end - this.keepMs);
    if (over <= 0) return;
    this.at.splice(0, over);
    for (const column of this.#columns.values()) column.splice(0, over);
    for (const p of this.#processes.values()) if (p.lastAt <= end - this.keepMs) this.#forget(p.key);
  }

  clear(): void {
    this.at.length = 0;
    this.#columns.clear();
    this.#processes.clear();
  }
}

/** A line may join two values that lie as far apart as this series is usually measured; wider holes stay gaps. */
const JOIN_SHARE = 1.6;

/** For the chart: null is a gap, undefined is "not measured in this step, but not missing either" (a disk read every ten seconds). */
export function joined(column: Column): (number | null | undefined)[] {
  const places: number[] = [];
  column.forEach((v, i) => { if (v !== null) places.push(i); });
  if (places.length < 3) return column;
  const steps = places.slice(1).map((p, i) => p - (places[i] ?? p)).sort((a, b) => a - b);
  const usual = steps[steps.length >> 1] ?? 1;
  if (usual <= 1) return column;
  const out: (number | null | undefined)[] = [...column];
  for (let i = 1; i < places.length; i += 1) {
    const [from, to] = [places[i - 1] ?? 0, places[i] ?? 0];
    if (to - from <= usual * JOIN_SHARE) out.fill(undefined, from + 1, to);
  }
  return out;
}
