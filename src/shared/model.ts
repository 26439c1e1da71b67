// Owns the words of the product: every type that crosses a wire or a disk, as a schema.
import { z } from 'zod';
import { Accounting, Cause, CauseId } from './cause.ts';
import { MetricId } from './metrics.ts';

/** Milliseconds since 1970, everywhere; at most the last instant that a Date can show (ECMA-262, 21.4.1.1). */
export const At = z.number().int().nonnegative().max(8.64e15);

/** `yyMMdd_HHmmssffff` in UTC: DaaS's form, so that folders sort as users know them. */
export const SessionId = z.string().regex(/^\d{6}_\d{10}$/);
export type SessionId = z.infer<typeof SessionId>;
export const OperationId = z.string().regex(/^[a-z0-9-]{1,64}$/);

export const Role = z.enum(['worker', 'node', 'php', 'java', 'dotnet', 'python', 'scm', 'agent', 'other']);
export type Role = z.infer<typeof Role>;

/** A process is its pid *and* its start: a pid alone is reused. */
export const ProcessKey = z.object({ pid: z.number().int().positive(), startedAt: At });
export type ProcessKey = z.infer<typeof ProcessKey>;

export const ProcessInfo = z.object({
  pid: z.number().int().positive(),
  startedAt: At,
  parent: z.number().int().nonnegative().optional(),
  name: z.string(),
  role: Role,
  path: z.string().optional(),
  commandLine: z.string().optional(),                          // secrets masked
  user: z.string().optional(), bits: z.literal([32, 64]).optional(),   // bits: told on Windows, where both run side by side
  ours: z.boolean().optional(),                                // the agent itself, its parents and children: never a target
});
export type ProcessInfo = z.infer<typeof ProcessInfo>;

/** What was measured at one instant. With `process` it is that process's; without, the instance's. A later sample of the
 *  same instant adds to the earlier one (HTTP rows arrive late). Absent = not measured; never zero, never NaN. */
export const Sample = z.object({
  at: At,
  process: ProcessKey.optional(),
  values: z.partialRecord(MetricId, z.number()),
});
export type Sample = z.infer<typeof Sample>;

export const Series = z.object({
  stepMs: z.number().int().positive(),
  from: At,
  to: At,
  at: z.array(At),                                             // one common time axis
  series: z.array(z.object({ metric: MetricId, process: ProcessKey.optional(), values: z.array(z.number().nullable()) })),
});
export type Series = z.infer<typeof Series>;

export const Level = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'unknown']);
export type Level = z.infer<typeof Level>;

/** One log entry, maybe of many physical lines. */
export const LogLine = z.object({
  at: At.optional(),                                           // as the line says; absent when it says nothing
  source: z.string(),
  offset: z.number().int().nonnegative(),                      // bytes from the start of the file, where the entry begins
  cursor: z.string(),                                          // opaque: resume *after* this entry, also across rotation
  level: Level,
  text: z.string(),
  cutBytes: z.number().int().positive().optional(),            // bytes left out of a very long line
});
export type LogLine = z.infer<typeof LogLine>;

export const SourceKind = z.enum(['http', 'event', 'application', 'php', 'docker', 'platform', 'other']);
export type SourceKind = z.infer<typeof SourceKind>;
export const LogSourceInfo = z.object({
  id: z.string(),                                              // of the catalog; a page never sends a path
  title: z.string(),                                           // the path below LogFiles, for reading only
  kind: SourceKind,
  sizeBytes: z.number().int().nonnegative(),
  changedAt: At,
});
export type LogSourceInfo = z.infer<typeof LogSourceInfo>;

export const LogFilter = z.object({
  text: z.string().max(500).optional(),
  regex: z.string().max(500).optional(),                       // linear-time syntax (RE2): no look-around, no back references
  not: z.boolean().optional(),
  ignoreCase: z.boolean().optional(),
  levels: z.array(Level).optional(),
  from: At.optional(),
  to: At.optional(),
});
export type LogFilter = z.infer<typeof LogFilter>;

export const LogPage = z.object({
  lines: z.array(LogLine),
  before: z.string().optional(),                               // cursor to read what lies before; absent at the file's start
  after: z.string(),                                           // cursor to read or follow what comes next
  scannedBytes: z.number().int().nonnegative(),
  complete: z.boolean(),                                       // false: the scan limit was reached before the page was full
  cut: z.string().optional(),                                  // why the end of a compressed file could not be read
});
export type LogPage = z.infer<typeof LogPage>;

/** One row of the HTTP log. */
export const RequestRow = z.object({
  at: At,                                                      // the request's end, to the second
  method: z.string(),
  path: z.string(),
  query: z.string().optional(),                                // secrets masked
  route: z.string(),                                           // path with numbers, GUIDs and hashes folded into {id}
  status: z.number().int(),
  sub: z.number().int().optional(),
  win32: z.number().int().optional(),
  takenMs: z.number().nonnegative().optional(),
  sentBytes: z.number().nonnegative().optional(), receivedBytes: z.number().nonnegative().optional(),
  client: z.string().optional(),
  userAgent: z.string().optional(),
  host: z.string().optional(),
  referrer: z.string().optional(), upstream: z.string().optional(), instance: z.string().optional(),
  upstreamStatus: z.number().int().optional(), upstreamMs: z.number().nonnegative().optional(),   // what the last upstream that was tried answered, and how long all of them took
  reason: z.string().optional(),                               // what status.sub.win32 says, in words
  source: z.string(),
  offset: z.number().int().nonnegative(),
});
export type RequestRow = z.infer<typeof RequestRow>;

export const Change = z.object({
  id: z.string(),                                              // stable: a later message with the same id adds to it
  at: At,
  kind: z.enum(['start', 'exit', 'restart', 'deployment', 'configuration', 'stopped', 'rule', 'session', 'agent', 'gap']),
  level: z.enum(['good', 'neutral', 'warning', 'critical']),
  title: z.string(),                                           // "Worker 5988 exited with code 1"
  detail: z.string().optional(),                               // "TypeError, lib/cart.js:41"
  pid: z.number().int().optional(),
  exitCode: z.number().int().optional(),
  signal: z.string().optional(),
});
export type Change = z.infer<typeof Change>;

export const Health = z.object({
  word: z.enum(['healthy', 'slow', 'failing', 'stopped', 'unknown']),
  reason: z.string(),
});
export type Health = z.infer<typeof Health>;

/** The landing page in one object: the verdict of the window and what it stands on. */
export const Now = z.object({
  at: At, from: At, to: At,
  health: Health,
  verdict: z.string(),                                         // one sentence with the number in it
  detail: z.array(z.string()),                                 // likely cause, since when; empty when there is nothing to say
  cause: CauseId.optional(),                                   // of the crashes, by the word that a report has for it; the rest is told by Diagnose now
  checked: z.array(z.string()),                                // what was looked at, said also when healthy
  tiles: z.array(z.object({
    metric: MetricId,
    value: z.number().optional(),
    hourAgo: z.number().optional(),
    note: z.string().optional(),
    points: z.array(z.number().nullable()),                    // `stepMs` apart, ending at `to`
  })),
  stepMs: z.number().int().positive(),
  strip: z.array(z.object({ at: At, ok: z.number().int(), refused: z.number().int(), failed: z.number().int() })),  // 2xx-3xx, 4xx, 5xx
  requests: z.object({ total: z.number().int(), failed: z.number().int(), lastAt: At.optional() }),
  changes: z.array(Change),
  failed: z.array(RequestRow),
  errors: z.array(LogLine),
});
export type Now = z.infer<typeof Now>;

export const ArtifactKind = z.enum([
  'http-log', 'event-log', 'application-log', 'php-log', 'process-list', 'open-files', 'environment', 'core-dump', 'minidump',
  'node-report', 'deployments', 'metrics', 'changes', 'failed-request-trace', 'heap-snapshot', 'cpu-profile', 'heap-profile', 'exceptions',
  'app-inside', 'connections', 'thread-dump', 'php-status', 'in-flight', 'heap-histogram',
]);
export type ArtifactKind = z.infer<typeof ArtifactKind>;
export const ArtifactRef = z.object({
  session: SessionId,
  instance: z.string(),
  kind: ArtifactKind,
  name: z.string(),                                            // unique within its session and instance
  bytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  masked: z.number().int().nonnegative().optional(),           // how many values were masked in it
  note: z.string().optional(),                                 // cut, sampled, engine and pause of a dump …
});
export type ArtifactRef = z.infer<typeof ArtifactRef>;

export const Cell = z.union([z.string(), z.number(), z.null()]);
export const Column = z.object({ title: z.string(), unit: z.enum(['text', 'code', 'count', 'ms', 'bytes', 'percent', 'at']).default('text') });
export const Frame = z.object({ text: z.string(), ours: z.boolean().optional() });   // ours: the app's own code, not a library's
/** Closed: the renderer knows these five and no others. */
export const Evidence = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('table'), title: z.string().optional(), columns: z.array(Column), rows: z.array(z.array(Cell)), more: z.number().int().optional(), drawn: z.enum(['table', 'chain', 'flame']).optional() }),   // chain: rows of [when, what, detail, mark] in order of time; flame: rows of [depth, function, category, from, total, share], callers first; a reader that does not know it draws a table
  z.object({ kind: z.literal('series'), title: z.string().optional(), metric: MetricId, points: z.array(z.tuple([At, z.number().nullable()])) }),
  z.object({ kind: z.literal('stack'), title: z.string().optional(), frames: z.array(Frame), share: z.number().optional() }),
  z.object({ kind: z.literal('lines'), title: z.string().optional(), lines: z.array(LogLine), more: z.number().int().optional() }),
  z.object({ kind: z.literal('artifact'), ref: ArtifactRef }),
]);
export type Evidence = z.infer<typeof Evidence>;

export const Severity = z.enum(['critical', 'warning', 'info', 'good', 'cannot-tell']);
export type Severity = z.infer<typeof Severity>;
export const MitigationId = z.enum(['restart']);
export const Finding = z.object({
  id: z.string().regex(/^[a-z0-9-]+$/),                        // 'worker-crashes': stable, greppable, the anchor in the page
  area: z.enum(['http', 'events', 'application', 'process', 'memory', 'environment', 'deployment', 'collection']),
  severity: Severity,
  title: z.string(),                                           // what was seen, with the number in it
  why: z.string(),                                             // why it matters, one paragraph of plain text
  advice: z.string(),                                          // what to do next
  evidence: z.array(Evidence),
  mitigations: z.array(MitigationId).default([]),
});
export type Finding = z.infer<typeof Finding>;

export const Step = z.object({
  id: z.string(),
  stage: z.enum(['collect', 'analyze']),
  title: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'skipped', 'cancelled']),
  because: z.string().optional(),                              // why failed, skipped or cancelled
  code: z.string().optional(),                                 // of the error catalog
  note: z.string().optional(),                                 // what it is doing now, or what it did
  fraction: z.number().min(0).max(1).optional(),
  startedAt: At.optional(),
  tookMs: z.number().nonnegative().optional(),
});
export type Step = z.infer<typeof Step>;

export const SessionState = z.enum(['running', 'done', 'partial', 'failed', 'cancelled', 'interrupted']);
export type SessionState = z.infer<typeof SessionState>;
export const DiagnoserChoice = z.object({ id: z.string().max(64), options: z.record(z.string(), z.unknown()).optional() });
export type DiagnoserChoice = z.infer<typeof DiagnoserChoice>;
export const Session = z.object({
  version: z.literal(1),
  id: SessionId,
  madeAt: At,
  endedAt: At.optional(),
  state: SessionState,
  askedBy: z.string(),
  reason: z.string().optional(),
  instance: z.string(),
  target: ProcessKey.optional(),
  diagnosers: z.array(DiagnoserChoice),
  steps: z.array(Step),
  artifacts: z.array(ArtifactRef),
  pinned: z.boolean(),
  headline: z.string().optional(),                             // the report's verdict, once there
  provisional: z.object({ at: At, text: z.string() }).optional(),   // the first cause as far as it is known while the session goes on
  report: z.boolean(),                                         // report.json and report.html are there
});
export type Session = z.infer<typeof Session>;

export const AppInfo = z.object({
  site: z.string(),
  hostName: z.string().optional(),
  instance: z.string(),                                        // short id, six characters
  machine: z.string(),
  os: z.string(),
  plan: z.string().optional(),
  runtime: z.string().optional(),
});
export type AppInfo = z.infer<typeof AppInfo>;

export const Masked = z.object({ where: z.string(), what: z.string(), count: z.number().int() });

export const Report = z.object({
  version: z.literal(1),
  tool: z.object({ name: z.string(), version: z.string() }),
  session: SessionId,
  madeAt: At,
  askedBy: z.string(),
  reason: z.string().optional(),
  window: z.object({ from: At, to: At }),
  app: AppInfo,
  target: ProcessInfo.optional(),
  state: SessionState,
  headline: z.object({ severity: Severity, text: z.string(), detail: z.array(z.string()) }),
  steps: z.array(Step),
  causes: z.array(Cause).default([]),                          // found ones first, the best first; empty in reports of versions without the engine
  accounting: Accounting.optional(),                           // how the failed requests are explained
  findings: z.array(Finding),                                  // most severe first
  timeline: z.object({
    stepMs: z.number().int().positive(),
    requests: z.array(z.object({ at: At, ok: z.number().int(), refused: z.number().int(), failed: z.number().int() })),
    series: z.array(z.object({ metric: MetricId, points: z.array(z.tuple([At, z.number().nullable()])) })),
    changes: z.array(Change),
  }),
  artifacts: z.array(ArtifactRef),
  masked: z.array(Masked),
});
export type Report = z.infer<typeof Report>;

export const Capability = z.enum(['processes', 'usage', 'private-bytes', 'handles', 'open-files', 'environment', 'host', 'disk', 'memory-dump', 'node-report', 'restart', 'event-log', 'modules', 'threads', 'connections', 'overlapped-restart']);
export type Capability = z.infer<typeof Capability>;
export const Offer = z.object({ yes: z.boolean(), because: z.string().optional() });
export type Offer = z.infer<typeof Offer>;
