// Owns what is shown of the apps: each process in a line or in full, and all together, every text masked.
import type { AppFailure, AppTick } from '../../shared/app-link.ts';
import type { AppBrief, AppFlightView, AppInside, AppView, AppsNow } from '../../shared/app-view.ts';
import { NO_PRELOAD } from '../../shared/app-view.ts';
import { failureKey } from '../../platform/app-known.ts';
import type { LinkedApp } from '../../platform/app-link.ts';
import { endingOf } from './app-end.ts';
import { dependenciesOf, gcOf, grouped, known, LatencySum, lookupsOf, loopOf, plus, routesOf } from './app-sum.ts';

const MAX_STALLS = 50;
/** Of several processes together. */
const MAX_OLDEST = 100;
const MAX_FAILURES = 500;
const FAILED = 500;

type Mask = (text: string) => string;

const lately = <K extends 'heap' | 'spaces' | 'resources'>(ticks: readonly AppTick[], key: K): AppTick[K] => [...ticks].reverse().find((tick) => tick[key] !== undefined)?.[key];
const ended = (app: LinkedApp): boolean => app.state === 'ended';
const coversMs = (ticks: readonly AppTick[]): number => ticks.reduce((sum, { forMs }) => sum + forMs, 0);

/** One process in a line. */
export function appBrief(app: LinkedApp, mask: Mask): AppBrief {
  const { ticks, end } = app;
  const newest = ticks.at(-1);
  const ending = end === undefined ? undefined : endingOf(end);
  const sum = new LatencySum();
  let failed = 0;
  for (const { routes } of ticks) for (const { latency, statuses } of routes) { sum.add(latency); for (const [status, times] of statuses) if (status >= FAILED) failed += times; }
  const covers = coversMs(ticks);
  return known({
    ...app.process, node: app.node, preload: app.preload, state: app.state, endedAt: end?.at, ending: ending === undefined ? undefined : mask(ending.detail),
    at: newest?.at, coversMs: covers, ...(newest === undefined ? {} : { requests: sum.count, failed }), inFlight: ended(app) ? undefined : newest?.inFlight, p95Ms: sum.quantiles([0.95])[0],
    loop: loopOf(ticks), heap: lately(ticks, 'heap'), gcShare: covers === 0 ? undefined : Math.min(1, gcOf(ticks).reduce((all, { ms }) => all + ms, 0) / covers),
    answersAsks: app.answersAsks, watch: newest?.watch,
  }) as AppBrief;
}

/** One process or several together; of several each request in flight and each stall says whose it is. */
export function appInside(apps: readonly LinkedApp[], mask: Mask): AppInside {
  const one = apps.length === 1;
  const ticks = apps.flatMap((app) => app.ticks);
  const living = apps.filter((app) => !ended(app)).flatMap((app) => { const tick = app.ticks.at(-1); return tick === undefined ? [] : [{ pid: app.process.pid, tick }]; });
  const last = one ? apps[0]?.ticks.at(-1) : undefined;
  const whose = (pid: number): { pid?: number } => (one ? {} : { pid });
  return known({
    coversMs: Math.max(0, ...apps.map((app) => coversMs(app.ticks))),
    inFlight: living.reduce((sum: number | undefined, { tick }) => plus(sum, tick.inFlight), undefined),
    oldest: (one ? apps.flatMap(({ process, ticks: all }) => all.slice(-1).map((tick) => ({ pid: process.pid, tick }))) : living).flatMap(({ pid, tick }) => tick.oldest.map((flight) => maskedFlight({ ...flight, ...whose(pid) }, mask))).sort((a, b) => b.ageMs - a.ageMs).slice(0, MAX_OLDEST),
    routes: routesOf(ticks).map((route) => ({ ...route, path: mask(route.path) })),
    dependencies: dependenciesOf(ticks, living.map(({ tick }) => tick)).map((to) => ({ ...to, host: mask(to.host) })),
    lookups: lookupsOf(ticks).map((lookup) => ({ ...lookup, name: mask(lookup.name) })),
    loop: loopOf(ticks), stalls: apps.flatMap((app) => app.ticks.flatMap(({ stalls }) => stalls.map((stall) => ({ ...stall, ...whose(app.process.pid) })))).sort((a, b) => a.at - b.at).slice(-MAX_STALLS),
    gc: gcOf(ticks), spaces: one ? lately(ticks, 'spaces') ?? [] : [], resources: resourcesOf(apps),
    failures: failuresOf(apps, mask),
    connections: connectionsOf(living.map(({ tick }) => tick)), following: last?.following, catching: last?.catching,
    lost: lostOf(apps),
  }) as AppInside;
}

export function appView(app: LinkedApp, mask: Mask): AppView {
  return { ...appBrief(app, mask), ...appInside([app], mask) };
}

/** For the page; without a pid all that live, together. */
export function appsNow(apps: readonly LinkedApp[], at: number, pid: number | undefined, mask: Mask): AppsNow {
  if (apps.length === 0) return { at, apps: [], missing: NO_PRELOAD };
  const living = apps.filter((app) => !ended(app));
  const shown = pid === undefined ? (living.length > 0 ? living : apps.slice(-1)) : apps.filter((app) => app.process.pid === pid).slice(-1);
  return { at, apps: apps.map((app) => appBrief(app, mask)), ...(shown.length === 0 ? {} : { shown: appInside(shown, mask) }) };
}

function maskedFlight(flight: AppFlightView, mask: Mask): AppFlightView {
  return { ...flight, path: mask(flight.path), ...(flight.waits === undefined ? {} : { waits: flight.waits.map((wait) => (wait.on === undefined ? wait : { ...wait, on: mask(wait.on) })) }) };
}

/** The newest first; the same failure of several processes is one. */
export function failuresOf(apps: readonly LinkedApp[], mask: Mask): AppFailure[] {
  return grouped(apps.flatMap(({ failures }) => failures), failureKey, (failure) => ({ failure: { ...failure, count: 0 } }), (sum, next) => {
    const newer = next.lastAt >= sum.failure.lastAt ? next : sum.failure;
    sum.failure = { ...newer, count: sum.failure.count + next.count, firstAt: Math.min(sum.failure.firstAt, next.firstAt) };
  }).map(({ failure }) => ({ ...failure, message: mask(failure.message), ...(failure.route === undefined ? {} : { route: mask(failure.route) }) })).sort((a, b) => b.lastAt - a.lastAt).slice(0, MAX_FAILURES);
}

function resourcesOf(apps: readonly LinkedApp[]): [string, number][] {
  return grouped(apps.filter((app) => apps.length === 1 || !ended(app)).flatMap((app) => lately(app.ticks, 'resources') ?? []), ([type]) => type, ([type]): [string, number] => [type, 0], (sum, [, count]) => { sum[1] += count; }).sort((a, b) => b[1] - a[1]);
}

function connectionsOf(ticks: readonly AppTick[]): AppInside['connections'] {
  const told = ticks.flatMap(({ connections }) => (connections === undefined ? [] : [connections]));
  return told.length === 0 ? undefined : { open: told.reduce((sum, { open }) => sum + open, 0), upgraded: told.reduce((sum, { upgraded }) => sum + upgraded, 0) };
}

function lostOf(apps: readonly LinkedApp[]): [string, number][] {
  const all = apps.flatMap((app): (readonly [string, number])[] => [...app.ticks.at(-1)?.lost ?? [], ['ticks that did not come', app.missed], ['kinds of failures beyond the bound', app.forgotten]]);
  return grouped(all, ([what]) => what, ([what]): [string, number] => [what, 0], (sum, [, count]) => { sum[1] += count; }).filter(([, count]) => count > 0);
}
