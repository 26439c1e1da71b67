// Owns summing up the ticks of an app: routes and dependencies with their quantiles, failures, stalls and collections.
import { bucketMiddleMs, type AppFailure, type AppTick, type Latency } from '../../shared/app-link.ts';
import type { AppDependencyView, AppRouteView, AppView } from '../../shared/app-view.ts';
import type { LinkedApp } from '../../platform/app-link.ts';
import { routeOf } from '../http-log/route.ts';

const FAILED = 500;
const MAX_STALLS = 50;

/** Buckets of several ticks together: the middle of a bucket is at most 0.8 % from any value in it. */
export class LatencySum {
  count = 0;
  #sumMs = 0;
  #maxMs = 0;
  readonly #counts = new Map<number, number>();

  add({ count, sumMs, maxMs, buckets }: Latency): void {
    this.count += count;
    this.#sumMs += sumMs;
    this.#maxMs = Math.max(this.#maxMs, maxMs);
    for (const [bucket, times] of buckets) this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + times);
  }

  /** By nearest rank; `shares` ascending. Undefined when nothing was timed. */
  quantiles(shares: readonly number[]): (number | undefined)[] {
    const sorted = [...this.#counts].sort(([a], [b]) => a - b);
    let seen = 0;
    let at = -1;
    return shares.map((share) => {
      if (this.count === 0) return undefined;
      const rank = Math.max(1, Math.ceil(share * this.count));
      while (seen < rank && at < sorted.length - 1) { at += 1; seen += (sorted[at] as [number, number])[1]; }
      return Math.min(this.#maxMs, bucketMiddleMs((sorted[at] as [number, number])[0]));
    });
  }

  view(): { count: number; meanMs?: number; p50Ms?: number; p95Ms?: number; p99Ms?: number; maxMs?: number } {
    if (this.count === 0) return { count: 0 };
    const [p50Ms, p95Ms, p99Ms] = this.quantiles([0.5, 0.95, 0.99]) as [number, number, number];
    return { count: this.count, meanMs: this.#sumMs / this.count, p50Ms, p95Ms, p99Ms, maxMs: this.#maxMs };
  }
}

class Pairs<K> {
  readonly #counts = new Map<K, number>();
  add(pairs: readonly (readonly [K, number])[]): void { for (const [key, count] of pairs) this.#counts.set(key, (this.#counts.get(key) ?? 0) + count); }
  get list(): [K, number][] { return [...this.#counts].sort((a, b) => b[1] - a[1]); }
}

function grouped<T, S>(items: Iterable<T>, keyOf: (item: T) => string, make: (item: T) => S, add: (sum: S, item: T) => void): S[] {
  const sums = new Map<string, S>();
  for (const item of items) {
    const key = keyOf(item);
    let sum = sums.get(key);
    if (sum === undefined) sums.set(key, sum = make(item));
    add(sum, item);
  }
  return [...sums.values()];
}

function routesOf(ticks: readonly AppTick[]): AppRouteView[] {
  const named = ticks.flatMap(({ routes }) => routes.map((route) => (route.pattern ? route : { ...route, path: routeOf(route.path) })));
  const sums = grouped(named, (r) => `${r.method} ${r.path} ${r.pattern}`,
    ({ method, path, pattern }) => ({ method, path, pattern, latency: new LatencySum(), statuses: new Pairs<number>(), aborted: 0, bytesOut: 0 }),
    (sum, route) => { sum.latency.add(route.latency); sum.statuses.add(route.statuses); sum.aborted += route.aborted; sum.bytesOut += route.bytesOut; });
  return sums.map(({ latency, statuses, ...rest }) => ({ ...rest, ...latency.view(), statuses: statuses.list, failed: statuses.list.reduce((sum, [status, times]) => sum + (status >= FAILED ? times : 0), 0) }))
    .sort((a, b) => b.count - a.count || b.aborted - a.aborted);
}

function dependenciesOf(ticks: readonly AppTick[]): AppDependencyView[] {
  const newest = ticks.at(-1);
  const sums = grouped(ticks.flatMap(({ dependencies }) => dependencies), (d) => `${d.by} ${d.host}`,
    ({ host, by }) => ({ host, by, latency: new LatencySum(), statuses: new Pairs<number>(), errors: new Pairs<string>() }),
    (sum, one) => { sum.latency.add(one.latency); sum.statuses.add(one.statuses); sum.errors.add(one.errors); });
  return sums.map(({ host, by, latency, statuses, errors }) => {
    const now = newest?.dependencies.find((one) => one.host === host && one.by === by);
    return { host, by, ...latency.view(), statuses: statuses.list, errors: errors.list, inFlight: now?.inFlight ?? 0, ...(now?.oldestMs === undefined ? {} : { oldestMs: now.oldestMs }) };
  }).sort((a, b) => b.count - a.count);
}

/** A failure comes with its whole count each time: the last word counts. */
function failuresOf(ticks: readonly AppTick[]): AppFailure[] {
  const last = new Map<string, AppFailure>();
  for (const one of ticks.flatMap(({ failures }) => failures)) last.set(`${one.kind} ${one.type} ${one.message} ${one.frames[0] ?? ''}`, one);
  return [...last.values()].sort((a, b) => b.lastAt - a.lastAt);
}

function loopOf(ticks: readonly AppTick[]): AppView['loop'] {
  const loops = ticks.flatMap(({ loop }) => (loop === undefined ? [] : [loop]));
  if (loops.length === 0) return undefined;
  return { p99Ms: Math.max(...loops.map((one) => one.p99Ms)), maxMs: Math.max(...loops.map((one) => one.maxMs)), utilization: loops.reduce((sum, one) => sum + one.utilization, 0) / loops.length };
}

/** `mask`: for texts that come from the app's errors and addresses. */
export function appView(app: LinkedApp, mask: (text: string) => string): AppView {
  const { ticks } = app;
  const newest = ticks.at(-1);
  const loop = loopOf(ticks);
  const lately = <K extends 'heap' | 'spaces' | 'resources'>(key: K): AppTick[K] => [...ticks].reverse().find((tick) => tick[key] !== undefined)?.[key];
  const heap = lately('heap');
  const gc = grouped(ticks.flatMap((tick) => tick.gc), ([kind]) => kind, ([kind]) => ({ kind, count: 0, ms: 0 }), (sum, [, count, ms]) => { sum.count += count; sum.ms += ms; });
  return {
    ...app.process, node: app.node, preload: app.preload, state: app.state,
    ...(newest === undefined ? {} : { at: newest.at, inFlight: newest.inFlight }), coversMs: ticks.reduce((sum, { forMs }) => sum + forMs, 0),
    oldest: (newest?.oldest ?? []).map((one) => ({ ...one, path: mask(one.path) })),
    routes: routesOf(ticks).map((one) => ({ ...one, path: mask(one.path) })), dependencies: dependenciesOf(ticks).map((one) => ({ ...one, host: mask(one.host) })),
    ...(loop === undefined ? {} : { loop }), stalls: ticks.flatMap(({ stalls }) => stalls).slice(-MAX_STALLS), gc,
    ...(heap === undefined ? {} : { heap }), spaces: lately('spaces') ?? [], resources: lately('resources') ?? [],
    failures: failuresOf(ticks).map((one) => ({ ...one, message: mask(one.message) })),
    lost: [...newest?.lost ?? [], ...(app.missed === 0 ? [] : [['ticks that did not come', app.missed] as [string, number]])],
  };
}
