// Owns the reading of measured series into events: spans beyond a level that physics or the platform gives, stalls of the loop, and memory that grows.
import type { MetricId } from '../../shared/metrics.ts';
import type { Series } from '../../shared/model.ts';
import type { GrowthEvent, LevelEvent, StallEvent } from './event.ts';

export type Points = readonly (readonly [number, number | null])[];
export interface Measured {
  readonly levels: readonly LevelEvent[];
  readonly growths: readonly GrowthEvent[];
  readonly stalls: readonly StallEvent[];
  site(id: MetricId): Points;
  readonly processes: readonly { readonly pid: number; readonly cpu: Points }[];
  readonly stepMs: number | undefined;
  readonly measured: boolean;
}

/** One JavaScript thread near a whole core has no time left for the next request. */
const CORE_PERCENT = 85;
const HOST_PERCENT = 90;
/** Above nine tenths the system pages or ends processes; the platform's auto-heal acts there. */
const MEMORY_SHARE = 0.9;
const LIMIT_SHARE = 0.95;
const DISK_BYTES = 50 * 1024 * 1024;
/** Longer than this a loop that stands still is felt by everyone who waits. */
export const STALL_MS = 500;
/** Growth that is no noise of a collector: half again as much, and more than this. */
const GROWTH_FACTOR = 1.4;
const GROWTH_BYTES = 24 * 1024 * 1024;
const GROWTH_POINTS = 8;
const WHERE = { where: 'metrics of the agent' };

export function measuredOf(all: readonly Series[]): Measured {
  const site = (id: MetricId): Points => all.flatMap((s) => s.series.filter((one) => one.metric === id && one.process === undefined).flatMap((one) => pointsOf(s, one.values)));
  const ofProcess = (id: MetricId): { pid: number; points: Points }[] => all.flatMap((s) => s.series.filter((one) => one.metric === id && one.process !== undefined).map((one) => ({ pid: one.process?.pid ?? 0, points: pointsOf(s, one.values) })));
  const stepMs = all.length === 0 ? undefined : Math.min(...all.map((s) => s.stepMs));
  const total = peak(site('host.memory-total'));
  const cpu = ofProcess('process.cpu');
  const levels = [
    ...spans(site('host.cpu'), HOST_PERCENT, 'host-cpu', { limit: 100 }),
    ...cpu.flatMap(({ pid, points }) => spans(points, CORE_PERCENT, 'core', { limit: 100, pid })),
    ...(total === undefined ? [] : spans(site('host.memory-used'), total * MEMORY_SHARE, 'memory', { limit: total })),
    ...spansBelow(site('host.disk-free'), DISK_BYTES),
    ...limited(site('sandbox.connections'), peak(site('sandbox.connection-limit')), 'connections'), ...limited(site('sandbox.active-connections'), peak(site('sandbox.active-connection-limit')), 'connections'),
  ];
  return {
    levels, stepMs, site, processes: cpu.map(({ pid, points }) => ({ pid, cpu: points })), measured: all.some((s) => s.series.some((one) => one.values.some((v) => v !== null))),
    growths: [...ofProcess('process.private-bytes').flatMap(({ pid, points }) => growth(points, 'private', pid)), ...growth(site('app.heap-used'), 'heap', undefined)],
    stalls: site('app.loop-delay').flatMap(([at, ms]) => (ms !== null && ms >= STALL_MS ? [{ at: at - Math.min(ms, 600_000), forMs: ms, frames: [], pid: undefined, proof: WHERE }] : [])),
  };
}

function pointsOf(series: Series, values: readonly (number | null)[]): [number, number | null][] {
  return values.map((value, i): [number, number | null] => [series.at[i] ?? series.from, value]);
}

export function peak(points: Points): number | undefined {
  let best: number | undefined;
  for (const [, value] of points) if (value !== null && (best === undefined || value > best)) best = value;
  return best;
}

export function meanOf(points: Points): number | undefined {
  const values = points.flatMap(([, v]) => (v === null ? [] : [v]));
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

/** Spans at or above a level; a single low point within does not end one (a sample between two is a matter of phase). */
function spans(points: Points, level: number, measure: LevelEvent['measure'], more: { limit?: number; pid?: number }): LevelEvent[] {
  const found: LevelEvent[] = [];
  let since: number | undefined, until = 0, top = 0, low = 0;
  const end = (): void => { if (since !== undefined) found.push({ measure, at: since, until, peak: top, limit: more.limit, pid: more.pid, proof: WHERE }); since = undefined; top = 0; };
  for (const [at, value] of points) {
    if (value === null || value < level) { low += 1; if (value === null || low > 1) end(); continue; }
    since ??= at;
    until = at; low = 0; top = Math.max(top, value);
  }
  end();
  return found;
}

function spansBelow(points: Points, level: number): LevelEvent[] {
  return spans(points.map(([at, v]): [number, number | null] => [at, v === null ? null : -v]), -level, 'disk', { limit: level }).map((one) => ({ ...one, peak: Math.max(0, -one.peak) }));
}

function limited(points: Points, limit: number | undefined, measure: LevelEvent['measure']): LevelEvent[] {
  return limit === undefined || limit <= 0 ? [] : spans(points, limit * LIMIT_SHARE, measure, { limit });
}

/** Growth from the lowest of the first fifth to the end, and whether it went up steadily or in one jump; a fall by half begins a new life. */
function growth(points: Points, of: GrowthEvent['of'], pid: number | undefined): GrowthEvent[] {
  const lives: [number, number][][] = [[]];
  for (const [at, value] of points) {
    if (value === null) continue;
    const life = lives.at(-1) as [number, number][];
    const before = life.at(-1)?.[1];
    if (before !== undefined && value < before / 2 && before > GROWTH_BYTES) lives.push([[at, value]]);
    else life.push([at, value]);
  }
  return lives.flatMap((life): GrowthEvent[] => {
    const last = life.at(-1), first = life[0];
    if (!last || !first || life.length < 3) return [];
    const from = median(life.slice(0, Math.max(1, Math.floor(life.length / 5))).map(([, v]) => v)), to = Math.max(...life.slice(-Math.max(1, Math.floor(life.length / 10))).map(([, v]) => v));
    if (to < from * GROWTH_FACTOR || to - from < GROWTH_BYTES) return [];
    return [{ of, at: first[0], until: last[0], from, to, steady: life.length >= GROWTH_POINTS && isSteady(life, from, to), pid, proof: WHERE }];
  });
}

/** Steady: the floor of each quarter lies above the one before, and no single step makes half of it. */
function isSteady(measured: readonly (readonly [number, number])[], from: number, to: number): boolean {
  // One reading just before a collection is a spike and no step.
  const life = measured.map(([at, v], i): readonly [number, number] => [at, median([measured[i - 1]?.[1] ?? v, v, measured[i + 1]?.[1] ?? v])]);
  const quarter = Math.floor(life.length / 4);
  const floors = [0, 1, 2, 3].map((i) => Math.min(...life.slice(i * quarter, i === 3 ? life.length : (i + 1) * quarter).map(([, v]) => v)));
  const rises = floors.every((floor, i) => i === 0 || floor > (floors[i - 1] as number));
  const jump = life.reduce((most, [, v], i) => Math.max(most, i === 0 ? 0 : v - (life[i - 1] as readonly [number, number])[1]), 0);
  return rises && jump < (to - from) / 2;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
