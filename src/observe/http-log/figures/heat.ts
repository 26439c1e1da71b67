// Owns the heat map of failures (status and route over time), and the axis of time that it and the minutes are told on.
import type { HttpReport } from '../../../shared/http-report.ts';
import { PAIR_COUNT, PAIR_WIDTH } from './failing.ts';
import type { Failing } from './failing.ts';
import type { Figures } from './figures.ts';
import type { Names } from './names.ts';
import { keyOf } from './status-table.ts';
import { MAX_SLOTS } from './time-slots.ts';

const HEAT_ROWS_TOLD = 100;
/** Cells across: a page has room for about 4 px each. */
const MAX_HEAT_STEPS = 240;
const MINUTE_MS = 60_000;
const OTHERS = { method: '(others)', route: '(others)' };
const NICE_MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 43_200];

export interface Axis {
  /** First and last row. */
  readonly first: number;
  readonly last: number;
  /** What is drawn: the window that was asked for, or from the first to the last row where that is too long or open. */
  readonly from: number;
  readonly to: number;
  /** Beginnings of all steps; none without rows. */
  steps(stepMs: number): number[];
}

export function axisOf({ options, totals, slots }: Figures): Axis {
  const first = totals.rows === 0 ? 0 : totals.firstAt, last = totals.rows === 0 ? 0 : totals.lastAt;
  const asked = options.from !== undefined && options.to !== undefined && (options.to - options.from) / slots.stepMs < MAX_SLOTS;
  const from = asked ? Math.max(0, options.from ?? 0) : first, to = asked ? options.to ?? 0 : last;
  const steps = (stepMs: number): number[] => {
    if (totals.rows === 0) return [];
    const begin = Math.floor(from / stepMs) * stepMs;
    const count = Math.floor((to - begin) / stepMs) + 1;
    if (count <= MAX_SLOTS + 1) return Array.from({ length: count }, (_, i) => begin + i * stepMs);
    // Few rows over a very long time: only the steps with rows.
    return Array.from({ length: slots.size }, (_, id) => slots.at(id)).sort((a, b) => a - b);
  };
  return { first, last, from, to, steps };
}

export function heatOf(figures: Figures, names: Names, axis: Axis): HttpReport['heat'] {
  const { failing, slots } = figures;
  const stepMs = heatStep(axis, slots.stepMs);
  const from = Math.floor(axis.from / stepMs) * stepMs;
  const steps = figures.totals.rows === 0 ? 0 : Math.floor((axis.to - from) / stepMs) + 1;
  const pairs = mostFailing(figures, names);
  const told = pairs.map(({ key, method, route, count, firstAt, lastAt }) => ({ key, method, route, count, firstAt, lastAt, counts: Array.from({ length: steps }, () => 0) }));
  const rowOf = new Map(pairs.map(({ id }, row) => [id, told[row]?.counts]));
  failing.eachCell((pair, slot, failures) => {
    const counts = rowOf.get(pair);
    if (counts === undefined) return;
    const step = Math.floor((slots.at(slot) - from) / stepMs);
    if (step >= 0 && step < steps) counts[step] = (counts[step] ?? 0) + failures;
  });
  const otherFailures = told.reduce((left, { count }) => left - count, countsOf(failing).reduce((sum, count) => sum + count, failing.letGo));
  return { stepMs, from, steps, rows: told, ...(failing.letGo > 0 ? {} : { more: failing.size - told.length }), ...(otherFailures > 0 ? { otherFailures } : {}) };
}

interface HeatPair { readonly id: number; readonly key: string; readonly method: string; readonly route: string; readonly count: number; readonly firstAt: number; readonly lastAt: number }

/** Most failures first, then by name. Names are made only of those that stand at least with the last that is told. */
function mostFailing({ failing, status }: Figures, names: Names): readonly HeatPair[] {
  const counts = countsOf(failing), { values } = failing;
  const least = counts.slice().sort().at(-HEAT_ROWS_TOLD) ?? 0;
  const pairs: HeatPair[] = [];
  counts.forEach((count, id) => {
    if (count < least) return;
    const [key = 0, route = -1, , firstAt = 0, lastAt = 0] = values.subarray(id * PAIR_WIDTH);
    pairs.push({ id, key: keyOf(status.entries, key), ...(route < 0 ? OTHERS : names.route(route)), count, firstAt, lastAt });
  });
  return pairs.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : a.key > b.key ? 1 : a.route < b.route ? -1 : a.route > b.route ? 1 : a.method < b.method ? -1 : 1))
    .slice(0, HEAT_ROWS_TOLD);
}

/** Failures of each pair. */
function countsOf({ values, size }: Failing): Float64Array {
  return Float64Array.from({ length: size }, (_, id) => values[id * PAIR_WIDTH + PAIR_COUNT] as number);
}

/** A round step that the counted steps fit into, with at most MAX_HEAT_STEPS of them across. */
function heatStep({ from, to }: Axis, slotMs: number): number {
  const fits = (stepMs: number): boolean => stepMs % slotMs === 0 && (to - from) / stepMs < MAX_HEAT_STEPS - 1;
  const nice = NICE_MINUTES.map((minutes) => minutes * MINUTE_MS).find(fits);
  return nice ?? Math.ceil((to - from) / (MAX_HEAT_STEPS - 1) / slotMs + 1) * slotMs;
}
