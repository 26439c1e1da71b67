// Owns the API contract: every route once, with its input and its answers; server, typed client, CLI and openapi.json read it.
import { z } from 'zod';
import {
  AppInfo, At, Capability, Change, DiagnoserChoice, Health, Level, LogPage, LogSourceInfo, Now, Offer, OperationId,
  ProcessInfo, ProcessKey, Report, RequestRow, Sample, Series, Session, SessionId, Severity, SourceKind,
} from './model.ts';
import { managementRoutes } from './management.ts';
import { serviceHealthRoutes } from './service-health.ts';
import { restartRoutes } from './restart.ts';
import { autoHealRoutes } from './auto-heal.ts';
import { bool, Ended, instant, list, MAX_SPAN_NOTE, number, route, type Route } from './route.ts';
import { AppAsking, AppInside, AppView } from './app-view.ts';
import { logBundleRoutes } from './log-bundle.ts';
import { environmentRoutes } from './environment.ts';
import { processRoutes, ProcessOffers } from './processes.ts';
import { DumpRead } from './dump-read.ts';
import { fileRoutes } from './files.ts';
import { HeapReport } from './heap.ts';
import { ProfileReport } from './profile.ts';
import { MAX_FILTER_CHARS } from './http-filter.ts';
import { HttpReport } from './http-report.ts';
import { MetricId } from './metrics.ts';
import { Channel, ChannelId, ChannelView } from './alerts.ts';
import { PresetView, Rule, RuleEntry, RuleId, RulesCheck, RulesView, TrialView } from './rules.ts';

import { shellRoutes } from './shells.ts';

export { Ended, type Route } from './route.ts';

export const Problem = z.object({
  type: z.string(), title: z.string(), status: z.number().int(), code: z.string(), detail: z.string(),
  next: z.string().optional(), operation: z.string().optional(),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof Problem>;


export const AgentInfo = z.object({
  version: z.string(),
  app: AppInfo,
  startedAt: At,
  at: At,                                                      // the agent's clock: the page shows its skew
  capabilities: z.array(z.object({ id: Capability, offer: Offer })),
  samplers: z.array(z.object({ id: z.string(), state: z.enum(['good', 'failing', 'waiting']), lastAt: At.optional(), error: z.string().optional(), costMs: z.number().optional() })),
  store: z.object({ usedBytes: z.number().int(), limitBytes: z.number().int(), freeBytes: z.number().int().optional() }),
  lost: z.array(z.object({ what: z.string(), count: z.number().int() })),   // counted losses of bounded buffers
  health: Health,
});
export type AgentInfo = z.infer<typeof AgentInfo>;

/** One thing that the agent needs, or that would help it: how it is here, why, and what to do. */
export const DoctorCheck = z.object({ id: z.string(), title: z.string(), severity: Severity, says: z.string(), remedy: z.string().optional() });
export type DoctorCheck = z.infer<typeof DoctorCheck>;
export const Doctor = z.object({ at: At, checks: z.array(DoctorCheck) });   // the worst first
export type Doctor = z.infer<typeof Doctor>;

export const ProcessNow = z.object({ info: ProcessInfo, sample: Sample.optional() });
export const ProcessDetail = z.object({
  info: ProcessInfo,
  sample: Sample.optional(),
  openFiles: z.array(z.string()).optional(),
  openFilesMissing: z.string().optional(),
  environment: z.array(z.object({ name: z.string(), value: z.string(), masked: z.boolean() })).optional(),
  environmentMissing: z.string().optional(),
  offers: ProcessOffers,
});
export const DiagnoserInfo = z.object({
  id: z.string(), title: z.string(), about: z.string(),
  cost: z.enum(['free', 'slows-app', 'pauses-app']), costNote: z.string().optional(),
  preselected: z.boolean(), offer: Offer,
  options: z.unknown(),                                        // JSON Schema: the page draws its form from it
});
export const StartSession = z.object({
  diagnosers: z.array(DiagnoserChoice).min(1).max(32).optional(),   // absent: the preselected ones
  target: ProcessKey.optional(),                               // absent: the site's worker
  minutes: z.number().int().min(1).max(7200).optional(),       // how far back to look; default 15
  reason: z.string().max(500).optional(),
});
export const SessionAccepted = z.object({ session: SessionId, operation: OperationId });
export const Operation = z.object({ id: OperationId, kind: z.enum(['session', 'restart', 'scale', 'files', 'read-dump', 'read-profile', 'read-heap', 'dump']), title: z.string(), state: z.enum(['running', 'done', 'failed', 'cancelled']), note: z.string().optional(), fraction: z.number().optional(), session: SessionId.optional(), startedAt: At });
export type Operation = z.infer<typeof Operation>;
export const RestartTarget = z.object({ info: ProcessInfo, offer: Offer, says: z.string() });   // says: what the action costs the app
export const RestartDone = z.object({ ended: ProcessKey, at: At, next: ProcessKey.optional(), overlapped: z.literal(true).optional() });   // next: the new worker, when seen in time; overlapped: it answered before the old one was ended
export const AuditEntry = z.object({ at: At, who: z.string(), did: z.string(), what: z.string(), result: z.string() });
export type AuditEntry = z.infer<typeof AuditEntry>;


const SessionParams = z.object({ session: SessionId });
const SourceParams = z.object({ source: z.string().regex(/^[a-z0-9]{1,40}$/) });
const PidParams = z.object({ pid: z.coerce.number().int().positive() });
const ArtifactParams = SessionParams.extend({ instance: z.string().max(64), name: z.string().max(200) });
const HeapBase = z.object({ base: z.string().max(200).optional().describe('name of an earlier snapshot of the same instance') });
const OperationParams = z.object({ operation: OperationId });
const HttpFilterText = z.string().max(MAX_FILTER_CHARS).optional().describe('such as status:502.3 route:"GET /api/orders/{id}" taken>1000 -path:/health');
const Span = { from: instant.optional().describe(MAX_SPAN_NOTE), to: instant.optional().describe(MAX_SPAN_NOTE) };

export const api = {
  login: route({ method: 'POST', path: '/api/login', summary: 'Exchange a token or one-time key for a cookie', body: z.object({ token: z.string().max(200) }), answers: { 200: Ended }, open: true }),
  logout: route({ method: 'POST', path: '/api/logout', summary: 'Forget the cookie', answers: { 200: Ended } }),
  alive: route({ method: 'GET', path: '/api/alive', summary: 'Is the agent there (no token needed, tells nothing else)', answers: { 200: z.object({ name: z.literal('diag'), version: z.string() }) }, open: true }),
  agent: route({ method: 'GET', path: '/api/agent', summary: 'Site, instance, capabilities with reasons, health of the samplers, counted losses', answers: { 200: AgentInfo } }),
  doctor: route({ method: 'GET', path: '/api/doctor', summary: 'What works here and what does not, with reason and remedy; looked at when asked', answers: { 200: Doctor } }),
  now: route({ method: 'GET', path: '/api/now', summary: 'What is wrong now: verdict, five metrics, request strip, changes, failed requests, errors', query: z.object({ minutes: number.int().min(1).max(60).default(5) }), answers: { 200: Now } }),
  metrics: route({ method: 'GET', path: '/api/metrics', summary: 'History of metrics on one time axis; a gap is null', query: z.object({ metric: list(MetricId), ...Span, pid: number.int().positive().optional(), startedAt: instant.optional(), points: number.int().min(10).max(5_000).default(600) }), answers: { 200: Series } }),
  processes: route({ method: 'GET', path: '/api/processes', summary: 'The site\'s processes with their newest sample', answers: { 200: z.object({ at: At, processes: z.array(ProcessNow), missing: z.string().optional() }) } }),
  process: route({ method: 'GET', path: '/api/processes/:pid', summary: 'One process: open files, environment (masked)', params: PidParams, answers: { 200: ProcessDetail } }),
  ...processRoutes,
  ...environmentRoutes,
  app: route({ method: 'GET', path: '/api/app', summary: 'The Node apps that carry the preload, from inside: in flight, routes, dependencies, loop, heap, failures of the last minute; those that ended in the last minute with their reason', query: z.object({ pid: number.int().positive().optional() }), answers: { 200: z.object({ at: At, apps: z.array(AppView), together: AppInside.optional().describe('all that live, when there are several'), missing: z.string().optional() }) } }),
  askApp: route({ method: 'POST', path: '/api/app/:pid/ask', summary: 'Ask the preload of an app: to follow what its requests wait for, to count exceptions that the app handles, to take an artifact once its heap is nearly full', params: PidParams, body: AppAsking, answers: { 200: Ended } }),
  requests: route({ method: 'GET', path: '/api/requests', summary: 'Rows of the HTTP log, newest first', query: z.object({ ...Span, filter: HttpFilterText, failed: bool.optional(), status: z.string().max(40).optional(), route: z.string().max(300).optional(), after: z.string().max(300).optional().describe('the answer\'s next'), limit: number.int().min(1).max(10_000).default(200) }), answers: { 200: z.object({ rows: z.array(RequestRow), more: z.boolean(), next: z.string().optional() }) } }),
  http: route({ method: 'GET', path: '/api/http', summary: 'The HTTP log summed up: by status.sub.win32, route, minute and other dimensions; bursts, time limits, slowest, failed', query: z.object({ ...Span, filter: HttpFilterText }), answers: { 200: HttpReport } }),
  changes: route({ method: 'GET', path: '/api/changes', summary: 'Starts, exits with codes, deployments, restarts', query: z.object({ ...Span, limit: number.int().min(1).max(2_000).default(200) }), answers: { 200: z.object({ changes: z.array(Change) }) } }),
  logs: route({ method: 'GET', path: '/api/logs', summary: 'Catalog of logs', answers: { 200: z.object({ sources: z.array(LogSourceInfo), more: z.number().int() }) } }),
  logLines: route({ method: 'GET', path: '/api/logs/:source', summary: 'Lines of a log: the last ones, those before or after a cursor, from a time, or from a byte of the file', params: SourceParams, query: z.object({ before: z.string().max(200).optional(), after: z.string().max(200).optional(), at: instant.optional(), offset: number.int().min(0).optional(), limit: number.int().min(1).max(5_000).default(200), text: z.string().max(500).optional(), regex: z.string().max(500).optional(), not: bool.optional(), ignoreCase: bool.optional(), levels: list(Level).optional() }), answers: { 200: LogPage } }),
  logFile: route({ method: 'GET', path: '/api/logs/:source/file', summary: 'The log file as it is, resumable', params: SourceParams, answers: { 200: 'text/plain', 206: 'text/plain' } }),
  ...logBundleRoutes,
  diagnosers: route({ method: 'GET', path: '/api/diagnosers', summary: 'What Diagnose Now can collect, with its cost and whether it is possible here, for this process or the worker', query: z.object({ pid: number.int().positive().optional() }), answers: { 200: z.object({ diagnosers: z.array(DiagnoserInfo) }) } }),
  startSession: route({ method: 'POST', path: '/api/sessions', summary: 'Diagnose now', body: StartSession, answers: { 202: SessionAccepted } }),
  sessions: route({ method: 'GET', path: '/api/sessions', summary: 'All kept sessions, newest first', answers: { 200: z.object({ sessions: z.array(Session), unreadable: z.number().int() }) } }),
  session: route({ method: 'GET', path: '/api/sessions/:session', summary: 'One session with its steps', params: SessionParams, answers: { 200: Session } }),
  deleteSession: route({ method: 'DELETE', path: '/api/sessions/:session', summary: 'Delete a session and its files', params: SessionParams, answers: { 200: Ended } }),
  pinSession: route({ method: 'POST', path: '/api/sessions/:session/pin', summary: 'Keep a session from ageing out, or let it', params: SessionParams, body: z.object({ pinned: z.boolean() }), answers: { 200: Session } }),
  sessionReport: route({ method: 'GET', path: '/api/sessions/:session/report', summary: 'The report as JSON', params: SessionParams, answers: { 200: Report } }),
  sessionPage: route({ method: 'GET', path: '/api/sessions/:session/report.html', summary: 'The report as one self-contained page', params: SessionParams, answers: { 200: 'text/html' } }),
  sessionBundle: route({ method: 'GET', path: '/api/sessions/:session/bundle', summary: 'Report and artifacts as a zip, resumable', params: SessionParams, answers: { 200: 'application/zip', 206: 'application/zip' } }),
  sessionArtifact: route({ method: 'GET', path: '/api/sessions/:session/artifacts/:instance/:name', summary: 'One artifact, resumable', params: ArtifactParams, answers: { 200: 'application/octet-stream', 206: 'application/octet-stream' } }),
  readDump: route({ method: 'POST', path: '/api/sessions/:session/artifacts/:instance/:name/dump', summary: 'Begin to read a memory dump: the operation tells how far it is, and can be cancelled', params: ArtifactParams, answers: { 202: Operation } }),
  dump: route({ method: 'GET', path: '/api/sessions/:session/artifacts/:instance/:name/dump', summary: 'What was read of a memory dump: why it died, threads with stacks, modules, memory, texts, environment (masked)', params: ArtifactParams, answers: { 200: DumpRead } }),
  readProfile: route({ method: 'POST', path: '/api/sessions/:session/artifacts/:instance/:name/profile', summary: 'Begin to read a CPU or allocation profile: the operation tells when it is done, and can be cancelled', params: ArtifactParams, answers: { 202: Operation } }),
  profile: route({ method: 'GET', path: '/api/sessions/:session/artifacts/:instance/:name/profile', summary: 'What was read of a profile: hot path, stretches that block, sums by function, module and package, the call tree in columns', params: ArtifactParams, answers: { 200: ProfileReport } }),
  readHeap: route({ method: 'POST', path: '/api/sessions/:session/artifacts/:instance/:name/heap', summary: 'Begin to read a heap snapshot, against an earlier one of the session where named: the operation tells how far it is, and can be cancelled', params: ArtifactParams, query: HeapBase, answers: { 202: Operation } }),
  heap: route({ method: 'GET', path: '/api/sessions/:session/artifacts/:instance/:name/heap', summary: 'What was read of a heap snapshot: leak suspects with the way that keeps them, classes, the largest objects, strings, collections, growth', params: ArtifactParams, query: HeapBase, answers: { 200: HeapReport } }),
  operations: route({ method: 'GET', path: '/api/operations', summary: 'Running and recent long jobs', answers: { 200: z.object({ operations: z.array(Operation) }) } }),
  operation: route({ method: 'GET', path: '/api/operations/:operation', summary: 'One long job', params: OperationParams, answers: { 200: Operation } }),
  cancelOperation: route({ method: 'DELETE', path: '/api/operations/:operation', summary: 'Cancel: stop and leave nothing', params: OperationParams, answers: { 202: Operation } }),
  enoughOperation: route({ method: 'POST', path: '/api/operations/:operation/enough', summary: 'Enough: stop collecting and keep what is there', params: OperationParams, answers: { 202: Operation } }),
  restartTargets: route({ method: 'GET', path: '/api/restart', summary: 'Processes that can be restarted, with what it costs', answers: { 200: z.object({ targets: z.array(RestartTarget) }) } }),
  restart: route({ method: 'POST', path: '/api/restart', summary: 'Restart a worker: ends the process with this pid and start time; the platform starts the next. With overlap the next one answers before this one is ended, where the platform can', body: ProcessKey.extend({ reason: z.string().max(500).optional(), overlapped: z.boolean().optional() }), answers: { 200: RestartDone } }),
  ...restartRoutes(Operation),
  ...managementRoutes(Operation),
  ...serviceHealthRoutes,
  ...autoHealRoutes,
  rules: route({ method: 'GET', path: '/api/rules', summary: 'The rules as text with comments, each with its live phase, its reading and what holds it back; refused ones with their line', answers: { 200: RulesView } }),
  putRules: route({ method: 'PUT', path: '/api/rules', summary: 'Replace the text of the rules; version is the one that was read, another one is a conflict', body: z.object({ text: z.string().max(2_097_152), version: z.string().max(64) }), answers: { 200: RulesView } }),
  checkRules: route({ method: 'POST', path: '/api/rules/check', summary: 'What a text of rules says, and what of it would be refused; nothing is kept', body: z.object({ text: z.string().max(60_000) }), answers: { 200: RulesCheck } }),
  putRule: route({ method: 'PUT', path: '/api/rules/:rule', summary: 'Add or replace one rule; comments and order of the text stay', params: z.object({ rule: RuleId }), body: z.object({ rule: Rule, version: z.string().max(64) }), answers: { 200: RulesView } }),
  deleteRule: route({ method: 'DELETE', path: '/api/rules/:rule', summary: 'Take one rule away; version is the one that was read', params: z.object({ rule: RuleId }), query: z.object({ version: z.string().max(64) }), answers: { 200: RulesView } }),
  tryRule: route({ method: 'POST', path: '/api/rules/:rule/try', summary: 'When this rule, or the one that is sent, would have fired over the recorded history', params: z.object({ rule: RuleId }), body: z.object({ rule: Rule.optional(), hours: z.number().min(0.1).max(120).default(1) }), answers: { 200: TrialView } }),
  rulePresets: route({ method: 'GET', path: '/api/rules/presets', summary: 'Rules to begin with, each off', answers: { 200: z.object({ presets: z.array(PresetView) }) } }),
  ruleHistory: route({ method: 'GET', path: '/api/rules/history', summary: 'What the rules of this instance did and why: phases, firings, actions with their results; newest first', query: z.object({ limit: number.int().min(1).max(20_000).default(500) }), answers: { 200: z.object({ entries: z.array(RuleEntry), unreadable: z.number().int() }) } }),
  ruleHistoryCsv: route({ method: 'GET', path: '/api/rules/history.csv', summary: 'The same as a table', query: z.object({ limit: number.int().min(1).max(20_000).default(20_000) }), answers: { 200: 'text/csv' } }),
  alerts: route({ method: 'GET', path: '/api/alerts', summary: 'Channels for alerts without their secrets, and what waits for them', answers: { 200: z.object({ channels: z.array(ChannelView), fault: z.string().optional() }) } }),
  putAlert: route({ method: 'PUT', path: '/api/alerts/:channel', summary: 'Add or replace a channel', params: z.object({ channel: ChannelId }), body: Channel, answers: { 200: Ended } }),
  deleteAlert: route({ method: 'DELETE', path: '/api/alerts/:channel', summary: 'Take a channel away', params: z.object({ channel: ChannelId }), answers: { 200: Ended } }),
  testAlert: route({ method: 'POST', path: '/api/alerts/:channel/test', summary: 'Send a test to a channel now', params: z.object({ channel: ChannelId }), answers: { 200: Ended } }),
  ...shellRoutes,
  ...fileRoutes,
  audit: route({ method: 'GET', path: '/api/audit', summary: 'Who changed what, newest first', query: z.object({ limit: number.int().min(1).max(1_000).default(100) }), answers: { 200: z.object({ entries: z.array(AuditEntry) }) } }),
} as const satisfies Record<string, Route>;

export type Api = typeof api;
export type RouteName = keyof Api;
type In<S> = S extends z.ZodType ? z.input<S> : never;
type Out<S> = S extends z.ZodType ? z.output<S> : never;
export type ParamsOf<R extends Route> = R extends { params: infer P } ? Out<P> : undefined;
export type QueryOf<R extends Route> = R extends { query: infer Q } ? Out<Q> : undefined;
export type BodyOf<R extends Route> = R extends { body: infer B } ? Out<B> : undefined;
/** What a handler of this route returns: its JSON, or nothing where it answers with a file itself. */
export type AnswerOf<R extends Route> = { [S in keyof R['answers']]: R['answers'][S] extends z.ZodType ? z.output<R['answers'][S]> : void }[keyof R['answers']];
/** What a caller of this route gives. */
export type CallOf<R extends Route> =
  & (R extends { params: infer P } ? { params: In<P> } : object)
  & (R extends { query: infer Q } ? { query?: Partial<In<Q>> } : object)
  & (R extends { body: infer B } ? { body: In<B> } : object);

/** Health words used by page and CLI alike. */
export const KINDS: readonly z.infer<typeof SourceKind>[] = SourceKind.options;
