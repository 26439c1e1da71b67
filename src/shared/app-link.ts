// Owns the contract between the preload inside an app and the agent: the files by which they meet, and the frames on the link, with their version.
import { z } from 'zod';

// The app listens (Unix socket or named pipe), the agent connects. Files of the folder data/DaaS/diag/apps/<instance>:
//   <pid>-<startedAt>.json    the announcement: the process serves, and where it listens
//   <pid>-<startedAt>.crash   written at death: what ended the process
//   <pid>-<startedAt>.want    kept fresh by an agent that cannot connect (another container): frames are wanted as files
//   <pid>-<startedAt>.<0..11>.frame   those files; the agent removes what it has read, the app writes over what nobody reads
// A frame is u32 little-endian length of the JSON, then the JSON in UTF-8. The first of a link is hello, then a tick each second.
// All counts of a tick are those since the tick before it: `seq` shows what was lost.

export const AppLinkVersion = z.literal(1);
export type AppLinkVersion = z.infer<typeof AppLinkVersion>;
/** A longer frame ends the link. */
export const MAX_FRAME_BYTES = 2 ** 20;

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();
const text = (max: number) => z.string().max(max);
const At = z.number().int().nonnegative();

export const Announcement = z.object({
  version: AppLinkVersion, pid: z.number().int().positive(), startedAt: At, node: text(40), preload: text(40), address: text(300),
});
export type Announcement = z.infer<typeof Announcement>;

/** Latency in log-linear buckets of microseconds: [bucket, count] pairs; bucketMiddleMs() says what a bucket stands for. */
export const Latency = z.object({ count, sumMs: ms, maxMs: ms, buckets: z.array(z.tuple([count.max(1_663), count])).max(1_664) });
export type Latency = z.infer<typeof Latency>;

export const AppRoute = z.object({
  method: text(20), path: text(300),
  pattern: z.boolean(),                                        // as the framework calls it; else the path with its ids folded
  statuses: z.array(z.tuple([count, count])).max(64),
  aborted: count,                                              // the connection was gone before the answer was complete
  bytesOut: count,
  latency: Latency,
});
export type AppRoute = z.infer<typeof AppRoute>;

export const AppFlight = z.object({ method: text(20), path: text(300), ageMs: ms });
export type AppFlight = z.infer<typeof AppFlight>;

export const AppDependency = z.object({
  host: text(300), by: z.enum(['http', 'undici']), inFlight: count, oldestMs: ms.optional(),
  statuses: z.array(z.tuple([count, count])).max(64),
  errors: z.array(z.tuple([text(60), count])).max(32),
  latency: Latency,                                            // up to the head of the answer
});
export type AppDependency = z.infer<typeof AppDependency>;

export const AppStall = z.object({
  at: At, forMs: ms,
  frames: z.array(text(300)).max(20),                          // innermost first; empty when nobody was watching
});
export type AppStall = z.infer<typeof AppStall>;

export const AppFailure = z.object({
  kind: z.enum(['exception', 'rejection', 'warning']),
  type: text(120), message: text(500), frames: z.array(text(300)).max(12),
  count, firstAt: At, lastAt: At,
  route: text(330).optional(),                                 // of the only request in flight: with several it cannot be told
});
export type AppFailure = z.infer<typeof AppFailure>;

export const AppTick = z.object({
  type: z.literal('tick'), seq: count, at: At, forMs: ms,
  started: count, inFlight: count,
  oldest: z.array(AppFlight).max(20),                          // oldest first
  routes: z.array(AppRoute).max(400),
  dependencies: z.array(AppDependency).max(200),
  loop: z.object({ p50Ms: ms, p99Ms: ms, maxMs: ms, utilization: z.number().min(0).max(1) }).optional(),
  stalls: z.array(AppStall).max(10),
  gc: z.array(z.tuple([text(20), count, ms])).max(8),          // kind, how many, together how long
  heap: z.object({ used: count, total: count, limit: count, external: count, arrayBuffers: count, rss: count }).optional(),
  spaces: z.array(z.tuple([text(40), count, count])).max(20).optional(),     // name, used, size; every ten seconds
  resources: z.array(z.tuple([text(60), count])).max(60).optional(),         // what keeps the loop alive, by type; every ten seconds
  failures: z.array(AppFailure).max(100),                      // those that came or came again
  lost: z.array(z.tuple([text(80), count])).max(20),           // since the start of the process
});
export type AppTick = z.infer<typeof AppTick>;

export const AppHello = z.object({ type: z.literal('hello'), version: AppLinkVersion, pid: z.number().int().positive(), startedAt: At, node: text(40), preload: text(40), at: At });
export type AppHello = z.infer<typeof AppHello>;

export const AppFrame = z.discriminatedUnion('type', [AppHello, AppTick]);
export type AppFrame = z.infer<typeof AppFrame>;

/** What a process leaves when it ends with a code other than 0. */
export const AppCrash = z.object({
  version: AppLinkVersion, pid: z.number().int().positive(), startedAt: At, at: At,
  exitCode: z.number().int().optional(),                       // absent: written in the exception, before the code was known
  failure: AppFailure.optional(),                              // the exception that ended it, or the last one shortly before
  inFlight: count.optional(),                                  // absent: nobody listened, so nothing was counted
  oldest: z.array(AppFlight).max(20),
  heap: z.object({ used: count, limit: count }).optional(),
});
export type AppCrash = z.infer<typeof AppCrash>;

const EXACT = 128;
const PER_DOUBLING = 64;
/** The middle of a bucket: whole microseconds below 128, then 64 buckets per doubling, at most 0.8 % from any value in it. */
export function bucketMiddleMs(bucket: number): number {
  if (bucket < EXACT) return (bucket + 0.5) / 1_000;
  const doubling = Math.floor((bucket - EXACT) / PER_DOUBLING);
  const width = 2 ** (doubling + 1);
  return ((PER_DOUBLING + (bucket - EXACT) % PER_DOUBLING + 0.5) * width) / 1_000;
}
