// Owns summing up the ticks of apps: routes, dependencies and lookups with their quantiles, the loop, and collections.
import { bucketMiddleMs, type AppDependency, type AppTick, type Latency } from '../../shared/app-link.ts';
import type { AppDependencyView, AppGcView, AppInside, AppLookupView, AppRouteView } from '../../shared/app-view.ts';
import { routeOf } from '../http-log/route.ts';

const FAILED = 500;

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

/** A sum of what was told; undefined as long as nothing was. */
export const plus = (sum: number | undefined, more: number | undefined): number | undefined => (more === undefined ? sum : (sum ?? 0) + more);
const most = (sum: number | undefined, more: number | undefined): number | undefined => (more === undefined ? sum : Math.max(sum ?? more, more));
/** Without the keys whose value is undefined: missing is absent. */
export function known<T extends object>(of: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(of).filter(([, value]) => value !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

export function grouped<T, S>(items: Iterable<T>, keyOf: (item: T) => string, make: (item: T) => S, add: (sum: S, item: T) => void): S[] {
  const sums = new Map<string, S>();
  for (const item of items) {
    const key = keyOf(item);
    let sum = sums.get(key);
    if (sum === undefined) sums.set(key, sum = make(item));
    add(sum, item);
  }
  return [...sums.values()];
}

const failedOf = (statuses: readonly (readonly [number, number])[]): number => statuses.reduce((sum, [status, times]) => sum + (status >= FAILED ? times : 0), 0);

export function routesOf(ticks: readonly AppTick[]): AppRouteView[] {
  const named = ticks.flatMap(({ routes }) => routes.map((route) => (route.pattern ? route : { ...route, path: routeOf(route.path) })));
  const sums = grouped(named, (r) => `${r.method} ${r.path} ${r.pattern} ${r.protocol ?? ''}`,
    ({ method, path, pattern, protocol }) => ({ name: { method, path, pattern, protocol }, latency: new LatencySum(), statuses: new Pairs<number>(), aborted: 0, bytesOut: 0, bytesIn: undefined as number | undefined }),
    (sum, route) => { sum.latency.add(route.latency); sum.statuses.add(route.statuses); sum.aborted += route.aborted; sum.bytesOut += route.bytesOut; sum.bytesIn = plus(sum.bytesIn, route.bytesIn); });
  return sums.map(({ name, latency, statuses, aborted, bytesOut, bytesIn }) => known({ ...name, ...latency.view(), statuses: statuses.list, failed: failedOf(statuses.list), aborted, bytesOut, bytesIn }) as AppRouteView)
    .sort((a, b) => b.count - a.count || b.aborted - a.aborted);
}

type Gauges = Pick<AppDependency, 'inFlight' | 'oldestMs' | 'waiting' | 'open' | 'idle' | 'silentMs' | 'silent'>;

/** `newest`: the last tick of each process that lives: what is open and waiting is of now, not of the minute. */
export function dependenciesOf(ticks: readonly AppTick[], newest: readonly AppTick[]): AppDependencyView[] {
  // Connections from before a driver's first call are the driver's too.
  const told = new Set([...ticks, ...newest].flatMap(({ dependencies }) => dependencies.filter(({ by }) => by === 'driver').map(({ host }) => host)));
  const byOf = (d: AppDependency): AppDependency['by'] => (d.by === 'socket' && told.has(d.host) ? 'driver' : d.by);
  const keyOf = (d: AppDependency): string => `${byOf(d)} ${d.host}`;
  const now = new Map(grouped(newest.flatMap(({ dependencies }) => dependencies), keyOf, (one) => ({ key: keyOf(one), gauges: { inFlight: 0 } as Gauges }), (sum, one) => { sum.gauges = added(sum.gauges, one); }).map(({ key, gauges }) => [key, gauges]));
  const sums = grouped(ticks.flatMap(({ dependencies }) => dependencies), keyOf,
    (one) => ({ key: keyOf(one), of: { host: one.host, by: byOf(one) }, service: one.service, latency: new LatencySum(), connect: new LatencySum(), queued: new LatencySum(), statuses: new Pairs<number>(), errors: new Pairs<string>(), bytesIn: undefined as number | undefined, bytesOut: undefined as number | undefined }),
    (sum, one) => {
      sum.latency.add(one.latency); sum.statuses.add(one.statuses); sum.errors.add(one.errors);
      sum.service ??= one.service;
      if (one.connect !== undefined) sum.connect.add(one.connect);
      if (one.queued !== undefined) sum.queued.add(one.queued);
      sum.bytesIn = plus(sum.bytesIn, one.bytesIn); sum.bytesOut = plus(sum.bytesOut, one.bytesOut);
    });
  return sums.map(({ key, of, service, latency, connect, queued, statuses, errors, bytesIn, bytesOut }) => known({
    ...of, service, ...latency.view(), connect: connect.count === 0 ? undefined : connect.view(), queued: queued.count === 0 ? undefined : queued.view(), statuses: statuses.list, errors: errors.list, bytesIn, bytesOut, ...(now.get(key) ?? { inFlight: 0 }),
  }) as AppDependencyView).sort((a, b) => b.count - a.count || (b.open ?? 0) - (a.open ?? 0));
}

function added(sum: Gauges, one: AppDependency): Gauges {
  return known({ inFlight: sum.inFlight + one.inFlight, oldestMs: most(sum.oldestMs, one.oldestMs), waiting: plus(sum.waiting, one.waiting), open: plus(sum.open, one.open), idle: plus(sum.idle, one.idle), silentMs: most(sum.silentMs, one.silentMs), silent: plus(sum.silent, one.silent) }) as Gauges;
}

export function lookupsOf(ticks: readonly AppTick[]): AppLookupView[] {
  return grouped(ticks.flatMap(({ lookups = [] }) => lookups), ({ name }) => name, ({ name }) => ({ name, latency: new LatencySum() }), (sum, one) => { sum.latency.add(one.latency); })
    .map(({ name, latency }) => ({ name, ...latency.view() })).sort((a, b) => b.count - a.count);
}

/** p50 of the middle second, p99 and the longest of the worst one. */
export function loopOf(ticks: readonly AppTick[]): AppInside['loop'] {
  const loops = ticks.flatMap(({ loop }) => (loop === undefined ? [] : [loop]));
  if (loops.length === 0) return undefined;
  const middles = loops.map((one) => one.p50Ms).sort((a, b) => a - b);
  return { p50Ms: middles[Math.floor((middles.length - 1) / 2)] as number, p99Ms: Math.max(...loops.map((one) => one.p99Ms)), maxMs: Math.max(...loops.map((one) => one.maxMs)), utilization: loops.reduce((sum, one) => sum + one.utilization, 0) / loops.length };
}

export function gcOf(ticks: readonly AppTick[]): AppGcView[] {
  const coversMs = ticks.reduce((sum, { forMs }) => sum + forMs, 0);
  return grouped(ticks.flatMap((tick) => tick.gc), ([kind]) => kind, ([kind]) => ({ kind, count: 0, ms: 0 }), (sum, [, count, ms]) => { sum.count += count; sum.ms += ms; })
    .map((one) => (coversMs === 0 ? one : { ...one, share: Math.min(1, one.ms / coversMs) })).sort((a, b) => b.ms - a.ms);
}
