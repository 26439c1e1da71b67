// Owns the bursts of failures: when there were far more than usual, and what the failed rows had in common.
import type { HttpReport } from '../../../shared/http-report.ts';
import { PAIR_STATUS, PAIR_WIDTH } from './failing.ts';
import type { Figures } from './figures.ts';
import type { Names } from './names.ts';
import { SAMPLE_AGENT, SAMPLE_CLIENT, SAMPLE_HOST, SAMPLE_ROUTE, SAMPLE_SOURCE, SAMPLE_STATUS } from './samples.ts';
import type { Samples } from './samples.ts';
import { keyOf } from './status-table.ts';
import { FIRST_FAILURE, LAST_FAILURE, SLOT_FAILURES, SLOT_ROWS, SLOT_WIDTH } from './time-slots.ts';
import { METHOD, ROUTE_WIDTH } from './text-counts.ts';

type Burst = HttpReport['bursts'][number];
type Dimension = Burst['shares'][number]['dimension'];

const BURSTS_TOLD = 50;
/** A burst has at least so many failures in one step of time or a few. */
const LEAST_FAILURES = 5;
/** Standard deviations above what is usual: over two days of minutes, chance gives one burst in ten windows. */
const DEVIATIONS = 5;
/** Where more than this share fails all the time, that is no usual rate but one long burst. */
const MOST_USUAL_SHARE = 0.05;
/** Steps of time looked at together, so that a quiet site's failures are seen too. */
const SCALES = [1, 5, 15];
/** Quiet steps with rows, and steps of time, that do not end a burst. */
const QUIET_STEPS = 2, QUIET_TIME_STEPS = 15;
/** What most failures share, and all rows do not. */
const LEAST_SHARE = 0.5, LEAST_LIFT = 0.15;

interface Step { readonly id: number; readonly at: number; readonly rows: number; readonly failures: number; readonly first: number; readonly last: number }

/** Most failures first. */
export function burstsOf(figures: Figures, names: Names): Burst[] {
  const steps = stepsOf(figures);
  const hot = hotSteps(steps, figures.slots.stepMs);
  const bursts = joined(steps, hot, figures.slots.stepMs).map(([first, last]) => steps.slice(first, last + 1));
  const statuses = statusesBySlot(figures, new Set(bursts.flatMap((some) => some.map(({ id }) => id))));
  return bursts.map((some) => told(figures, names, some, statuses))
    .sort((a, b) => b.failures - a.failures || a.from - b.from).slice(0, BURSTS_TOLD);
}

function stepsOf({ slots }: Figures): Step[] {
  const value = (id: number, what: number): number => slots.values[id * SLOT_WIDTH + what] as number;
  return Array.from({ length: slots.size }, (_, id): Step => ({ id, at: slots.at(id), rows: value(id, SLOT_ROWS), failures: value(id, SLOT_FAILURES), first: value(id, FIRST_FAILURE), last: value(id, LAST_FAILURE) })).sort((a, b) => a.at - b.at);
}

/** The usual share is that of the steps that are not hot: found by leaving out hot ones until nothing changes. */
function hotSteps(steps: readonly Step[], stepMs: number): ReadonlySet<Step> {
  let hot = new Set<Step>();
  for (let round = 0; round < 10; round += 1) {
    let rows = 0, failures = 0;
    for (const step of steps) if (!hot.has(step)) { rows += step.rows; failures += step.failures; }
    const found = hotAt(steps, stepMs, Math.min(MOST_USUAL_SHARE, rows === 0 ? 0 : failures / rows));
    if (found.size === hot.size) return found;
    hot = found;
  }
  return hot;
}

function hotAt(steps: readonly Step[], stepMs: number, usual: number): Set<Step> {
  const hot = new Set<Step>();
  for (const scale of SCALES) {
    for (let begin = 0; begin < steps.length;) {
      const until = Math.floor((steps[begin] as Step).at / (stepMs * scale) + 1) * stepMs * scale;
      let end = begin, rows = 0, failures = 0;
      for (; end < steps.length && (steps[end] as Step).at < until; end += 1) {
        rows += (steps[end] as Step).rows;
        failures += (steps[end] as Step).failures;
      }
      if (isHot(failures, rows * usual)) for (const step of steps.slice(begin, end)) if (step.failures > 2 * usual * step.rows) hot.add(step);
      begin = end;
    }
  }
  return hot;
}

function isHot(failures: number, expected: number): boolean {
  return failures >= LEAST_FAILURES && failures >= 2 * expected && failures >= expected + DEVIATIONS * Math.sqrt(expected) + 1;
}

/** Hot steps with little quiet between them are one burst: first and last index of each. */
function joined(steps: readonly Step[], hot: ReadonlySet<Step>, stepMs: number): [number, number][] {
  const found: [number, number][] = [];
  steps.forEach((step, i) => {
    if (!hot.has(step)) return;
    const last = found.at(-1);
    if (last && i - last[1] - 1 <= QUIET_STEPS && step.at - (steps[last[1]] as Step).at <= stepMs * QUIET_TIME_STEPS) last[1] = i;
    else found.push([i, i]);
  });
  return found;
}

function told(figures: Figures, names: Names, steps: readonly Step[], statuses: BySlot): Burst {
  const ids = steps.map((step) => step.id);
  const failed = weights(figures, figures.failed, ids), all = weights(figures, figures.all, ids);
  const failures = steps.reduce((sum, step) => sum + step.failures, 0), rows = steps.reduce((sum, step) => sum + step.rows, 0);
  const whole = failed.records === failures && all.records === rows;
  return {
    from: steps.reduce((at, step) => Math.min(at, step.first), Infinity), to: steps.reduce((at, step) => Math.max(at, step.last), -Infinity),
    failures, rows, key: mostFrequent(figures, ids, statuses), ...(whole ? {} : { sampled: { failures: failed.records, rows: all.records } }), shares: shares(failed, all, names),
  };
}

/** Of each slot of a burst: how many rows failed with which status. */
type BySlot = readonly (ReadonlyMap<number, number> | undefined)[];

function statusesBySlot({ failing, slots }: Figures, asked: ReadonlySet<number>): BySlot {
  const found = Array.from({ length: slots.size }, (_, slot) => (asked.has(slot) ? new Map<number, number>() : undefined)), { values } = failing;
  failing.eachCell((pair, slot, count) => {
    const own = found[slot];
    if (own === undefined) return;
    const status = values[pair * PAIR_WIDTH + PAIR_STATUS] as number;
    own.set(status, (own.get(status) ?? 0) + count);
  });
  return found;
}

function mostFrequent({ status }: Figures, slots: readonly number[], statuses: BySlot): string {
  const counts = new Map<number, number>();
  for (const slot of slots) for (const [id, count] of statuses[slot] ?? []) counts.set(id, (counts.get(id) ?? 0) + count);
  const keyed = [...counts].map(([id, count]) => ({ count, key: keyOf(status.entries, id) }));
  return keyed.sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))[0]?.key ?? '';
}

interface Weights { readonly records: number; readonly total: number; readonly of: ReadonlyMap<Dimension, ReadonlyMap<number, number>> }
const PLACES: readonly (readonly [Dimension, number])[] = [['status', SAMPLE_STATUS], ['route', SAMPLE_ROUTE], ['host', SAMPLE_HOST], ['client', SAMPLE_CLIENT], ['instance', SAMPLE_SOURCE], ['agent', SAMPLE_AGENT]];

function weights({ routes }: Figures, samples: Samples, slots: readonly number[]): Weights {
  const of = new Map<Dimension, Map<number, number>>([...PLACES.map(([dimension]) => [dimension, new Map()] as const), ['method', new Map()]]);
  const count = (dimension: Dimension, id: number, weight: number): void => { const map = of.get(dimension); map?.set(id, (map.get(id) ?? 0) + weight); };
  let records = 0, total = 0;
  samples.each(slots, (values, at, weight) => {
    records += 1;
    total += weight;
    for (const [dimension, place] of PLACES) count(dimension, values[at + place] as number, weight);
    const route = values[at + SAMPLE_ROUTE] as number;
    count('method', route < 0 ? -1 : routes.counts.values[route * ROUTE_WIDTH + METHOD] as number, weight);
  });
  return { records, total, of };
}

/** What stands out most first. A status is told even when all rows have it. */
function shares(failed: Weights, all: Weights, names: Names): Burst['shares'] {
  const found: Burst['shares'] = [];
  for (const [dimension, map] of failed.of) {
    // Hundreds of clients of which none stands out need no names.
    if (names.apart(dimension) && mostOf(map) < LEAST_SHARE * failed.total) continue;
    const failures = byName(map, dimension, names);
    const [value, weight = 0] = [...failures].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0] ?? [];
    const share = failed.total === 0 ? 0 : weight / failed.total;
    if (value === undefined || share < LEAST_SHARE) continue;
    const ofAll = all.total === 0 ? 0 : (byName(all.of.get(dimension) ?? new Map<number, number>(), dimension, names).get(value) ?? 0) / all.total;
    if (dimension === 'status' || share - ofAll >= LEAST_LIFT) found.push({ dimension, value, share: rounded(share), ofAll: rounded(ofAll) });
  }
  return found.sort((a, b) => (b.share - b.ofAll) - (a.share - a.ofAll) || (a.dimension < b.dimension ? -1 : 1));
}

function mostOf(map: ReadonlyMap<number, number>): number {
  let most = 0;
  for (const [id, weight] of map) if (id >= 0 && weight > most) most = weight;
  return most;
}

/** Ids of one name (two files of one instance) add up; what has no name is no common thing. */
function byName(map: ReadonlyMap<number, number>, dimension: Dimension, names: Names): Map<string, number> {
  const found = new Map<string, number>();
  for (const [id, weight] of map) {
    const name = id < 0 ? undefined : names.of(dimension, id);
    if (name !== undefined) found.set(name, (found.get(name) ?? 0) + weight);
  }
  return found;
}

const rounded = (share: number): number => Math.round(share * 1_000) / 1_000;
