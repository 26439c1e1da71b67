// Owns the shape of the HTTP report: what one or many HTTP logs add up to, for page, CLI, offline file and analyzers alike.
import { z } from 'zod';
import { At, RequestRow } from './model.ts';

const Count = z.number().int().nonnegative();
/** Of time-taken, in ms; absent where no row has one. At most 0.5 % off; max is exact. */
const Quantiles = { p50: z.number().optional(), p95: z.number().optional(), p99: z.number().optional(), max: z.number().optional() };

/** Rows that may belong to it and are counted with the others, at most: there were more distinct values than are told apart. Absent: its count is exact. */
const MaybeMore = { maybeMore: Count.optional() };

/** One value of a dimension (a client, a host …), most failures first, then most rows. */
export const HttpGroup = z.object({ name: z.string(), count: Count, failures: Count, ...MaybeMore, ...Quantiles });
/** The values told (those with the most failures and those with the most rows), and what the rest adds up to. distinct (of all) is exact, or an estimate when `estimated` says so with its relative error in percent. */
export const HttpGroups = z.object({
  top: z.array(HttpGroup),
  others: z.object({ count: Count, failures: Count }),
  distinct: Count,
  estimated: z.number().optional(),
});
export type HttpGroups = z.infer<typeof HttpGroups>;

export type HttpGroup = z.infer<typeof HttpGroup>;

export const HttpStatus = z.object({
  key: z.string(),                                             // "502.3.12030", "200.0.0"; parts that the log does not have are left out
  status: z.number().int(), sub: z.number().int().optional(), win32: z.number().optional(),
  count: Count, reason: z.string().optional(), firstAt: At, lastAt: At, ...Quantiles,
});
export const HttpRoute = z.object({
  method: z.string(), route: z.string(),                       // numbers, GUIDs, hashes folded into {id}
  count: Count, failures: Count,                               // failures: status 500 and above
  clientErrors: Count,                                         // 400 to 499
  sentBytes: z.number().optional(), ...MaybeMore, ...Quantiles,
});
/** Failures of one route with one status over time: a row of the heat map. */
export const HttpHeatRow = z.object({ key: z.string(), method: z.string(), route: z.string(), count: Count, firstAt: At, lastAt: At, counts: z.array(Count) });
/**
 * Failures that came close together: from the first to the last of them; `rows` are all rows of those steps of time, `key` their most frequent status.
 * `shares` says what they have in common: a dimension's value, its share among the failures and among all rows of that time (0 to 1), from `sampled` rows when these are not all.
 */
export const HttpBurst = z.object({
  from: At, to: At, failures: Count, rows: Count, key: z.string(), sampled: z.object({ failures: Count, rows: Count }).optional(),
  shares: z.array(z.object({ dimension: z.enum(['status', 'route', 'method', 'host', 'client', 'instance', 'agent']), value: z.string(), share: z.number(), ofAll: z.number() })),
});
/** Rows whose time-taken stands at a known time limit, many more than around it; `says` what gives up then. Most rows first. */
export const HttpLimit = z.object({ limitMs: z.number(), says: z.string(), count: Count, failures: Count, from: At, to: At, routes: z.array(z.object({ method: z.string(), route: z.string(), count: Count })) });
/**
 * Of logs that tell what stands behind their server (nginx, Traefik): requests by the status they got and the one the upstream gave (its last one; absent: the server asked none),
 * whose failures they were, time in the upstream, and time taken of the same requests.
 */
export const HttpUpstream = z.object({
  statuses: z.array(z.object({ status: z.number().int(), upstream: z.number().int().optional(), count: Count })),   // most rows first
  others: Count.optional(),                                    // rows of pairs that are not told apart
  /** ofUpstream: it gave 500 or above, or the server found it dead and noted so; ofServer: the upstream gave less; withoutUpstream: none was asked. */
  failures: z.object({ ofUpstream: Count, ofServer: Count, withoutUpstream: Count }),
  took: z.object(Quantiles), total: z.object(Quantiles),
});
export const HttpMinute = z.object({ at: At, count: Count, failures: Count, ...Quantiles });
export const HttpSource = z.object({
  source: z.string(),                                          // the catalog's id, or the file's name offline
  format: z.string(), confidence: z.number(),                  // 0 to 1; 1 when the user named the format
  bytes: Count, lines: Count, rows: Count, comments: Count, malformed: Count,
  malformedAt: z.array(Count),                                 // offsets of the first malformed lines
  from: At.optional(), to: At.optional(),
  instance: z.string().optional(),                             // the worker machine whose log it is, where its name says so
  note: z.string().optional(),                                 // why it was left out, cut, or unreadable
});

export const HttpReport = z.object({
  version: z.literal(1),
  /** The window asked for, else the first and last row. */
  from: At, to: At,
  /** lines = rows + comments + malformed + leftOut + outside + filteredOut. */
  bytes: Count, lines: Count, rows: Count, comments: Count, malformed: Count,
  leftOut: Count,                                              // the SCM site's own rows and our own requests
  outside: Count,                                              // read, but not in the window
  filteredOut: Count,
  failures: Count,
  sources: z.array(HttpSource),
  byStatus: z.record(z.string(), Count),
  statuses: z.array(HttpStatus),                               // most rows first
  routes: z.array(HttpRoute),                                  // most failures first, then most requests
  otherRoutes: z.object({ count: Count, failures: Count, distinct: Count, estimated: z.number().optional() }),   // distinct: how many they are
  stepMs: z.number(),
  minutes: z.array(HttpMinute),                                // one entry a step of time; steps are minutes unless the window is long
  heat: z.object({ stepMs: z.number(), from: At, steps: Count, rows: z.array(HttpHeatRow), more: Count.optional(), otherFailures: Count.optional() }),   // more: further rows, absent when there were too many to tell apart; otherFailures: what stands in them, absent when nothing
  methods: HttpGroups, hosts: HttpGroups, instances: HttpGroups, clients: HttpGroups, agents: HttpGroups, referrers: HttpGroups,
  total: z.object(Quantiles),
  upstream: HttpUpstream.optional(),                           // absent where no row says anything of one
  bursts: z.array(HttpBurst),
  limits: z.array(HttpLimit),
  slowest: z.array(RequestRow),
  failed: z.array(RequestRow),                                 // newest first, bounded
});
export type HttpReport = z.infer<typeof HttpReport>;
export type HttpSource = z.infer<typeof HttpSource>;
export type HttpBurst = z.infer<typeof HttpBurst>;
