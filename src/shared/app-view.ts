// Owns what is shown of apps from inside: of each its last minute summed up and what it is doing now, and of all of them together.
import { z } from 'zod';
import { AppDependency, AppFailure, AppFlight, AppRoute, AppStall, AppTick } from './app-link.ts';

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();
const At = z.number().int().nonnegative();
const share = z.number().min(0).max(1);
const Times = { count, meanMs: ms.optional(), p50Ms: ms.optional(), p95Ms: ms.optional(), p99Ms: ms.optional(), maxMs: ms.optional() };   // absent: nothing was timed
/** Of which process it is told; absent where only one is shown. */
const Of = { pid: count.optional() };

export const AppRouteView = AppRoute.omit({ latency: true }).extend({ ...Times, failed: count });      // failed: status 500 and above
export type AppRouteView = z.infer<typeof AppRouteView>;
export const AppDependencyView = AppDependency.omit({ latency: true, connect: true, queued: true }).extend({ ...Times, connect: z.object(Times).optional(), queued: z.object(Times).optional() });
export type AppDependencyView = z.infer<typeof AppDependencyView>;
export const AppLookupView = z.object({ name: z.string(), ...Times });
export type AppLookupView = z.infer<typeof AppLookupView>;
export const AppFlightView = AppFlight.extend(Of);
export type AppFlightView = z.infer<typeof AppFlightView>;
export const AppStallView = AppStall.extend(Of);
export type AppStallView = z.infer<typeof AppStallView>;
export const AppGcView = z.object({ kind: z.string(), count, ms, share: share.optional() });             // share: of the time that the sums cover
export type AppGcView = z.infer<typeof AppGcView>;

const tick = AppTick.shape;

/** One process in a line. What its preload does not tell is absent. */
export const AppBrief = z.object({
  pid: count, startedAt: At, node: z.string(), preload: z.string(),
  state: z.enum(['connected', 'files', 'connecting', 'ended']),
  endedAt: At.optional(), ending: z.string().optional(),       // when it was missed, and what ended it
  at: At.optional(), coversMs: ms,                             // of the newest tick; how much time the sums cover
  requests: count.optional(), failed: count.optional(),
  inFlight: count.optional(), p95Ms: ms.optional(),
  loop: z.object({ p50Ms: ms, p99Ms: ms, maxMs: ms, utilization: share }).optional(),      // p50: of the middle second; p99: of the worst
  heap: tick.heap,
  gcShare: share.optional(),
  answersAsks: z.boolean(),                                    // profiles and snapshots come by the link
  watch: tick.watch,
});
export type AppBrief = z.infer<typeof AppBrief>;

/** What is told of one process or of all together: of these the limits of the heap and its spaces are not told, each has its own. */
export const AppInside = z.object({
  coversMs: ms,
  inFlight: count.optional(), oldest: z.array(AppFlightView),
  routes: z.array(AppRouteView), dependencies: z.array(AppDependencyView), lookups: z.array(AppLookupView),
  loop: AppBrief.shape.loop, stalls: z.array(AppStallView),
  gc: z.array(AppGcView), spaces: z.array(z.tuple([z.string(), count, count])), resources: z.array(z.tuple([z.string(), count])),
  failures: z.array(AppFailure),
  connections: tick.connections, following: tick.following, catching: tick.catching,
  lost: z.array(z.tuple([z.string(), count])),
});
export type AppInside = z.infer<typeof AppInside>;

export const AppView = AppBrief.extend(AppInside.shape);
export type AppView = z.infer<typeof AppView>;

/** For the page: all processes in a line each, and one of them, or all together, in full. */
export const AppsNow = z.object({ at: At, apps: z.array(AppBrief), shown: AppInside.optional(), missing: z.string().optional() });
export type AppsNow = z.infer<typeof AppsNow>;

/** What may be asked of a preload that changes nothing but what it tells: at most five minutes, 0 ends it. The watch is for the limit of the heap, once. */
export const AppAsking = z.discriminatedUnion('what', [
  z.object({ what: z.literal('follow'), forSeconds: z.number().int().min(0).max(300) }),
  z.object({ what: z.literal('exceptions'), forSeconds: z.number().int().min(0).max(300) }),
  z.object({ what: z.literal('watch'), artifact: z.enum(['heap-snapshot', 'heap-profile', 'report', 'none']), atShare: z.number().min(0.5).max(0.98).default(0.9) }),
]);
export type AppAsking = z.infer<typeof AppAsking>;

/** How the reason of an end begins of which the process could tell nothing: it may as well have been asked to end. */
export const NO_LAST_WORD = 'it ended from one moment to the next';

/** Where no preload runs. */
export const NO_PRELOAD = 'No Node process of the site carries the preload. It comes with a package made by npm run pack -- --preload; or set the app setting NODE_OPTIONS to --require=<extension>/dist/preload.js and restart the site.';
