// Owns reading history as series: which step answers a window, and how rows fold into it.
import { TIERS, metric, type MetricId, type Tier } from '../shared/metrics.ts';
import type { Series } from '../shared/model.ts';
import type { Track } from './history-track.ts';

export interface Query { readonly metrics: readonly MetricId[]; readonly from: number; readonly to: number; readonly points: number; readonly now: number }

/** Steps that fold a tier end on whole minutes and hours, so that two reads of moving windows cut time at the same places. */
const STEPS_S = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400];
/** A tier's own step is preferred to folding a finer tier into one up to so much shorter: quantiles are exact there, and fewer rows are read. */
const OWN_STEP_WORTH = 2;

export interface Plan { readonly tier: Tier; readonly stepMs: number; readonly at: readonly number[] }

/**
 * The tier and step for a window: the finest step with at most `points` points, from a tier that reaches back to `from`
 * (the longest tier when none does). The axis has multiples of the step, from the one that holds `from` to the one that holds `to`;
 * when that is one too many, the oldest goes.
 */
export function planOf(query: Omit<Query, 'metrics'>): Plan {
  const span = Math.max(0, query.to - query.from);
  const reaching = TIERS.filter((tier) => query.from >= query.now - tier.keptMs);
  const tiers: readonly Tier[] = reaching.length > 0 ? reaching : TIERS.slice(-1);
  const offers = tiers.map((tier) => ({ tier, stepMs: stepFor(tier, span, query.points) }));
  const finest = offers.reduce((a, b) => (b.stepMs <= a.stepMs ? b : a));
  const own = offers.find((o) => o.stepMs === o.tier.stepMs && o.stepMs <= finest.stepMs * OWN_STEP_WORTH);
  const chosen = finest.stepMs === finest.tier.stepMs ? finest : own ?? finest;
  return { ...chosen, at: axis(query, chosen.stepMs) };
}

function stepFor(tier: Tier, span: number, points: number): number {
  const fits = (stepMs: number): boolean => span / stepMs <= points;
  const listed = STEPS_S.map((s) => s * 1_000).find((stepMs) => stepMs % tier.stepMs === 0 && fits(stepMs));
  return listed ?? Math.ceil(span / points / 86_400_000) * 86_400_000;
}

function axis({ from, to, points }: Omit<Query, 'metrics'>, stepMs: number): number[] {
  const at: number[] = [];
  const last = Math.floor(to / stepMs) * stepMs;
  const first = Math.max(Math.floor(from / stepMs) * stepMs, last - (points - 1) * stepMs);
  for (let t = first; t <= last; t += stepMs) at.push(t);
  return at;
}

type Folding = 'mean' | 'sum' | 'max';

/**
 * How rows of a tier become one of a longer step. Quantiles cannot be averaged and the weights are not kept: of p95, p99 and the
 * like the highest stands (never better than it was), of averages and the median the plain mean.
 */
export function foldingOf(id: MetricId): Folding {
  const { fold } = metric(id);
  if (fold !== 'own') return fold;
  return /-(?:p9\d|max)$/.test(id) ? 'max' : 'mean';
}

/** Reads and folds. A track that is not there gives gaps. */
export async function readSeries(track: Track | undefined, query: Query, process: Series['series'][number]['process']): Promise<Series> {
  const plan = planOf(query);
  const cells = query.metrics.map(() => ({ sums: new Float64Array(plan.at.length), counts: new Uint32Array(plan.at.length) }));
  const foldings = query.metrics.map(foldingOf);
  const first = plan.at[0] ?? 0;
  const visit = (slot: number, values: Float64Array): void => {
    const bucket = Math.floor((slot - first) / plan.stepMs);
    cells.forEach((cell, m) => { add(cell, bucket, values[m] ?? NaN, foldings[m] ?? 'mean'); });
  };
  const window = rowsToRead(plan, track, query.now);
  if (track && window) await track.rows(plan.tier.stepMs, window.from, window.to, query.metrics, visit);
  return {
    stepMs: plan.stepMs, from: query.from, to: query.to, at: [...plan.at],
    series: query.metrics.map((id, m) => ({ metric: id, ...(process ? { process } : {}), values: valuesOf(cells[m], foldings[m] ?? 'mean') })),
  };
}

/** Slots of the window that the ring can hold: nothing lies beyond the newest row, nor more than a lap before it. */
function rowsToRead(plan: Plan, track: Track | undefined, now: number): { from: number; to: number } | undefined {
  const { stepMs, keptMs } = plan.tier;
  const first = plan.at[0];
  const last = plan.at.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const newest = Math.floor(Math.max(now, track?.lastAt ?? 0) / stepMs) * stepMs;
  const to = Math.min(last + plan.stepMs - stepMs, newest);
  const from = Math.max(first, to - keptMs + stepMs);
  return from <= to ? { from, to } : undefined;
}

interface Cell { readonly sums: Float64Array; readonly counts: Uint32Array }

function add(cell: Cell, bucket: number, value: number, folding: Folding): void {
  if (Number.isNaN(value)) return;
  const count = cell.counts[bucket];
  const sum = cell.sums[bucket];
  if (count === undefined || sum === undefined) return;
  cell.sums[bucket] = count === 0 ? value : folding === 'max' ? Math.max(sum, value) : sum + value;
  cell.counts[bucket] = count + 1;
}

function valuesOf(cell: Cell | undefined, folding: Folding): (number | null)[] {
  if (!cell) return [];
  return Array.from(cell.sums, (sum, i) => {
    const count = cell.counts[i] ?? 0;
    if (count === 0) return null;
    return folding === 'mean' ? sum / count : sum;
  });
}
