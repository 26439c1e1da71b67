// Owns the reading of what apps tell from inside: stalls, dependencies, collections and failures as events.
import type { AppView } from '../../shared/app-view.ts';
import { routeOf } from '../../observe/http-log/route.ts';
import type { CollectionEvent, DependencyEvent, FlightEvent, StallEvent } from './event.ts';
import { signOfCode, type Sign } from './signs.ts';
import { STALL_MS } from './read-metrics.ts';

export interface Inside {
  readonly apps: readonly AppView[];
  readonly stalls: readonly StallEvent[];
  readonly dependencies: readonly DependencyEvent[];
  readonly collections: readonly CollectionEvent[];
  readonly codes: readonly { readonly sign: Sign; readonly code: string; readonly host: string; readonly count: number }[];
  /** Requests under way of which it is known what they wait for. */
  readonly flights: readonly FlightEvent[];
  readonly waitingForPool: readonly { readonly host: string; readonly waiting: number; readonly inFlight: number; readonly queued: number; readonly queuedMs: number | undefined; readonly callMs: number | undefined }[];
}

const WHERE = { where: 'the app from inside (preload)' };
/** A tenth of the time is the most that a healthy heap needs. */
const GC_SHARE = 0.2;

export function insideOf(apps: readonly AppView[], at: number): Inside {
  return {
    apps,
    stalls: apps.flatMap((app) => app.stalls.filter((s) => s.forMs >= STALL_MS).map((s): StallEvent => ({ at: s.at, forMs: s.forMs, frames: s.frames, pid: app.pid, proof: WHERE }))),
    dependencies: apps.flatMap((app) => app.dependencies.map((d): DependencyEvent => ({
      host: d.host, service: d.service, calls: d.count, failed: d.errors.reduce((n, [, c]) => n + c, 0) + d.statuses.reduce((n, [status, c]) => n + (status >= 500 ? c : 0), 0), errors: d.errors,
      p50Ms: d.p50Ms, p95Ms: d.p95Ms, maxMs: d.maxMs, inFlight: d.inFlight, oldestMs: Math.max(d.oldestMs ?? 0, d.silentMs ?? 0) || undefined, open: d.open, silent: d.silent ?? 0, silentMs: d.silentMs, pid: app.pid, proof: WHERE,
    }))),
    collections: apps.flatMap((app): CollectionEvent[] => {
      const ms = app.gc.reduce((n, g) => n + g.ms, 0);
      const share = app.gcShare ?? (app.coversMs > 0 ? ms / app.coversMs : 0);
      return share < GC_SHARE ? [] : [{ at: at - app.coversMs, forMs: app.coversMs, share, heapShare: app.heap === undefined ? undefined : app.heap.used / app.heap.limit, proof: WHERE }];
    }),
    codes: apps.flatMap((app) => app.dependencies.flatMap((d) => d.errors.flatMap(([code, count]) => { const sign = signOfCode(code); return sign === undefined ? [] : [{ sign, code, host: d.host, count }]; }))),
    flights: apps.filter((app) => app.state !== 'ended').flatMap((app) => app.oldest.flatMap(({ method, path, ageMs, waits }): FlightEvent[] => { const [wait] = waits ?? []; return wait === undefined ? [] : [{ method, route: routeOf(path), ageMs, waitsFor: wait.for, on: wait.on, waitedMs: wait.forMs ?? ageMs, pid: app.pid }]; })),
    waitingForPool: apps.flatMap((app) => app.dependencies.flatMap((d) => ((d.waiting ?? 0) > 0 || d.queued !== undefined ? [{ host: d.host, waiting: d.waiting ?? 0, inFlight: d.inFlight, queued: d.queued?.count ?? 0, queuedMs: d.queued?.p95Ms, callMs: d.p95Ms }] : []))),
  };
}
