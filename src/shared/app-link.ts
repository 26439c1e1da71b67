// Owns the contract between the preload inside an app and the agent: the files by which they meet, and the frames on the link, with their version.
import { z } from 'zod';

// The app listens (Unix socket or named pipe), the agent connects. Files of the folder data/DaaS/diag/apps/<instance>:
//   <pid>-<startedAt>.json    the announcement: the process serves, and where it listens
//   <pid>-<startedAt>.crash   written at death: what ended the process
//   <pid>-<startedAt>.want    kept fresh by an agent that cannot connect (another container): frames are wanted as files
//   <pid>-<startedAt>.<0..11>.frame   those files; the agent removes what it has read, the app writes over what nobody reads
//   <pid>-<startedAt>.state   written over every few seconds (AppState, padded with spaces): what is left of a process that could write no note
//   <pid>-<startedAt>.heapsnapshot, .heapprofile, .report.json    what a watch for the heap's limit took before the end
// A frame is u32 little-endian length of the JSON, then the JSON in UTF-8. The first of a link is hello, then a tick each second.
// All counts of a tick are those since the tick before it: `seq` shows what was lost.
// A question goes the other way, on a connection of its own: connect, send one AppAsk frame (with the key of the announcement), pass over hello and
// ticks that were under way, then comes one AppAnswer ('begun' or 'refused'), raw frames (RAW_FRAME set in the length: bytes of the artifact),
// and one AppAnswer 'done' or 'failed'; the app closes. Who closes earlier cancels. One question at a time; a second one is refused as 'busy'.

export const AppLinkVersion = z.literal(1);
export type AppLinkVersion = z.infer<typeof AppLinkVersion>;
/** A longer frame ends the link. */
export const MAX_FRAME_BYTES = 2 ** 20;
/** Set in the length of a frame that holds bytes of an artifact. */
export const RAW_FRAME = 0x8000_0000;

const count = z.number().int().nonnegative();
const ms = z.number().nonnegative();
const text = (max: number) => z.string().max(max);
const At = z.number().int().nonnegative();

export const Announcement = z.object({
  version: AppLinkVersion, pid: z.number().int().positive(), startedAt: At, node: text(40), preload: text(40), address: text(300),
  key: text(64).optional(),                                    // questions carry it; absent: this preload answers none
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
  bytesIn: count.optional(),                                   // of requests that tell their length
  protocol: z.literal('http2').optional(),
  latency: Latency,
});
export type AppRoute = z.infer<typeof AppRoute>;

/** What a request waits for, as far as it can be seen: the newest pending piece of work that it began. */
export const AppWait = z.object({
  for: z.enum(['call', 'connection', 'dns', 'socket', 'file', 'timer', 'child', 'crypto', 'other', 'nothing']),   // nothing: no work of its own is pending
  on: text(300).optional(),                                    // host of the call, name that is looked up
  forMs: ms.optional(),
  frames: z.array(text(300)).max(12).optional(),               // where it was begun, awaiting functions too; only on request
});
export type AppWait = z.infer<typeof AppWait>;

export const AppFlight = z.object({
  method: text(20), path: text(300), ageMs: ms,
  waits: z.array(AppWait).max(5).optional(),                   // newest first; absent: the request began before anybody followed (`following`)
  protocol: z.literal('http2').optional(),
});
export type AppFlight = z.infer<typeof AppFlight>;

export const AppDependency = z.object({
  host: text(300), by: z.enum(['http', 'undici', 'socket', 'driver']), inFlight: count, oldestMs: ms.optional(),
  // by driver: a database's driver told of each call. By socket: connections of which nobody tells: their calls are not seen, only what stands below the latency
  statuses: z.array(z.tuple([count, count])).max(64),
  errors: z.array(z.tuple([text(60), count])).max(32),
  latency: Latency,                                            // up to the head of the answer
  waiting: count.optional(),                                   // calls that wait for a free connection
  queued: Latency.optional(),                                  // how long those waited that have got one, or were refused one
  open: count.optional(), idle: count.optional(),              // connections now
  connect: Latency.optional(),                                 // TCP connections that came about
  service: text(40).optional(),                                // 'PostgreSQL', by its port
  silentMs: ms.optional(), silent: count.optional(),           // the longest that a connection waits for an answer to what was written, and how many do
  bytesIn: count.optional(), bytesOut: count.optional(),
});
export type AppDependency = z.infer<typeof AppDependency>;

/** Names that were looked up. */
export const AppLookup = z.object({ name: text(300), latency: Latency });
export type AppLookup = z.infer<typeof AppLookup>;

export const AppStall = z.object({
  at: At, forMs: ms,
  frames: z.array(text(300)).max(20),                          // innermost first; empty when nobody was watching
});
export type AppStall = z.infer<typeof AppStall>;

export const AppFailure = z.object({
  kind: z.enum(['exception', 'rejection', 'warning', 'caught']),     // caught: thrown and handled by the app; only while somebody asked for them
  type: text(120), message: text(500), frames: z.array(text(300)).max(12),
  sources: z.array(text(300)).max(12).optional(),              // the frames as their source maps say; absent: no frame has one
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
  lookups: z.array(AppLookup).max(100).optional(),
  connections: z.object({ open: count, upgraded: count }).optional(),        // of clients to this server; upgraded: WebSockets and the like
  following: z.object({ since: At, until: At }).optional(),    // requests that began since are followed: their `waits` are told
  catching: z.object({ since: At, until: At }).optional(),     // exceptions that the app handles are counted
  watch: z.object({ artifact: text(20), atShare: z.number(), taken: z.boolean() }).optional(),   // for the heap's limit
  watching: z.literal(true).optional(),                        // a thread looks on: stalls from now on come with frames
});
export type AppTick = z.infer<typeof AppTick>;

export const AppHello = z.object({ type: z.literal('hello'), version: AppLinkVersion, pid: z.number().int().positive(), startedAt: At, node: text(40), preload: text(40), at: At });
export type AppHello = z.infer<typeof AppHello>;

const Seconds = z.number().int().min(1).max(300);
/** What the agent may ask. */
export const AppWanted = z.discriminatedUnion('what', [
  z.object({ what: z.literal('heap-snapshot') }),              // pauses the app; .heapsnapshot
  z.object({ what: z.literal('cpu-profile'), forS: Seconds, intervalUs: z.number().int().min(100).max(100_000).optional() }),   // .cpuprofile
  z.object({ what: z.literal('heap-profile'), forS: Seconds, intervalBytes: z.number().int().min(1_024).max(2 ** 24).optional() }),   // .heapprofile
  z.object({ what: z.literal('report') }),                     // JSON of process.report, without the environment
  z.object({ what: z.literal('flights'), forS: Seconds }),     // follows requests with the places of their waits, then answers AppFlights
  z.object({ what: z.literal('follow'), forS: z.number().int().min(0).max(3_600) }),        // waits in the ticks, from now on; 0 ends it
  z.object({ what: z.literal('exceptions'), forS: z.number().int().min(0).max(3_600) }),    // exceptions that are handled, from now on, in the ticks; 0 ends it
  z.object({ what: z.literal('watch'), artifact: z.enum(['heap-snapshot', 'heap-profile', 'report', 'none']), atShare: z.number().min(0.5).max(0.98).default(0.9) }),   // near the heap's limit, once
]);
export type AppWanted = z.infer<typeof AppWanted>;
export const AppAsk = z.object({ type: z.literal('ask'), version: AppLinkVersion, key: text(64), wanted: AppWanted });
export type AppAsk = z.infer<typeof AppAsk>;

export const AppAnswer = z.object({
  type: z.literal('answer'),
  state: z.enum(['begun', 'done', 'refused', 'failed']),
  because: text(300).optional(),                               // refused, failed
  sizeBytes: count.optional(),                                 // done: all bytes of the artifact
});
export type AppAnswer = z.infer<typeof AppAnswer>;

export const AppFrame = z.discriminatedUnion('type', [AppHello, AppTick, AppAnswer]);
export type AppFrame = z.infer<typeof AppFrame>;

/** The artifact of 'flights'. */
export const AppFlights = z.object({ version: AppLinkVersion, at: At, inFlight: count, flights: z.array(AppFlight).max(500) });
export type AppFlights = z.infer<typeof AppFlights>;

/** How the process stood a few seconds before: what is left when it could not say why it ends (killed, aborted, out of heap). */
export const AppState = z.object({
  version: AppLinkVersion, pid: z.number().int().positive(), startedAt: At, at: At,
  inFlight: count, oldest: z.array(AppFlight).max(5),
  heap: z.object({ used: count, limit: count }), rss: count,
  gcShare: z.number().min(0).max(1).optional(),                // of the time since the state before
  failure: AppFailure.optional(),                              // the last exception, where there was one
  stall: z.object({ forMs: ms, frames: z.array(text(300)).max(20), heapGrowth: z.number().optional() }).optional(),   // the loop stood still at that time, for so long, in there; bytes a second meanwhile
});
export type AppState = z.infer<typeof AppState>;

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
