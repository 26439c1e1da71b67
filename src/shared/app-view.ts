// Owns what is shown of an app from inside: its last minute summed up, and what it is doing now.
import { z } from 'zod';
import { AppFailure, AppFlight, AppStall } from './app-link.ts';

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();
const Times = { count, meanMs: ms.optional(), p50Ms: ms.optional(), p95Ms: ms.optional(), p99Ms: ms.optional(), maxMs: ms.optional() };   // absent: nothing was timed

export const AppRouteView = z.object({ method: z.string(), path: z.string(), pattern: z.boolean(), ...Times, statuses: z.array(z.tuple([count, count])), failed: count, aborted: count, bytesOut: count });
export type AppRouteView = z.infer<typeof AppRouteView>;
export const AppDependencyView = z.object({ host: z.string(), by: z.enum(['http', 'undici', 'socket']), ...Times, statuses: z.array(z.tuple([count, count])), errors: z.array(z.tuple([z.string(), count])), inFlight: count, oldestMs: ms.optional() });
export type AppDependencyView = z.infer<typeof AppDependencyView>;

export const AppView = z.object({
  pid: count, startedAt: count, node: z.string(), preload: z.string(),
  state: z.enum(['connected', 'files', 'connecting']),
  at: count.optional(), coversMs: ms,                          // of the newest tick; how much time the sums below cover
  inFlight: count.optional(), oldest: z.array(AppFlight),
  routes: z.array(AppRouteView), dependencies: z.array(AppDependencyView),
  loop: z.object({ p99Ms: ms, maxMs: ms, utilization: z.number() }).optional(),      // p99: of the worst second
  stalls: z.array(AppStall),
  gc: z.array(z.object({ kind: z.string(), count, ms })),
  heap: z.object({ used: count, total: count, limit: count, external: count, arrayBuffers: count, rss: count }).optional(),
  spaces: z.array(z.tuple([z.string(), count, count])), resources: z.array(z.tuple([z.string(), count])),
  failures: z.array(AppFailure),
  lost: z.array(z.tuple([z.string(), count])),
});
export type AppView = z.infer<typeof AppView>;
