// Owns the table of metrics: one row per metric id, with its unit, title, scope and how seconds fold into longer steps.
import { z } from 'zod';

export const Unit = z.enum(['bytes', 'percent', 'ms', 'count', 'per-second']);
export type Unit = z.infer<typeof Unit>;

/** How the values of one second become one value of a longer step; `own` = the producer computes each step itself (quantiles cannot be averaged). */
export type Fold = 'mean' | 'sum' | 'max' | 'own';
/** `site` = one value per instant for the whole instance, `process` = one per process. */
export type Scope = 'site' | 'process';

export interface Metric {
  readonly id: string;
  readonly unit: Unit;
  readonly title: string;
  readonly scope: Scope;
  readonly fold: Fold;
}

/** Order = order of columns in the history files: append only, never reorder (a breaking change of the files on disk). */
const rows = [
  // Per process. CPU percent is of one core: 200 % = two cores busy.
  { id: 'process.cpu', unit: 'percent', title: 'CPU', scope: 'process', fold: 'mean' },
  { id: 'process.cpu-time', unit: 'ms', title: 'CPU time', scope: 'process', fold: 'sum' },
  { id: 'process.working-set', unit: 'bytes', title: 'Memory working set', scope: 'process', fold: 'mean' },
  { id: 'process.private-bytes', unit: 'bytes', title: 'Private bytes', scope: 'process', fold: 'mean' },
  { id: 'process.threads', unit: 'count', title: 'Threads', scope: 'process', fold: 'mean' },
  { id: 'process.handles', unit: 'count', title: 'Handles', scope: 'process', fold: 'mean' },
  // The site: all its processes together, the agent's own left out. The article's five carry its names.
  { id: 'site.cpu', unit: 'percent', title: 'CPU', scope: 'site', fold: 'mean' },
  { id: 'site.cpu-time', unit: 'ms', title: 'CPU time', scope: 'site', fold: 'sum' },
  { id: 'site.working-set', unit: 'bytes', title: 'Memory working set', scope: 'site', fold: 'mean' },
  { id: 'site.average-working-set', unit: 'bytes', title: 'Average memory working set', scope: 'site', fold: 'mean' },
  { id: 'site.private-bytes', unit: 'bytes', title: 'Private bytes', scope: 'site', fold: 'mean' },
  { id: 'site.processes', unit: 'count', title: 'Processes', scope: 'site', fold: 'mean' },
  { id: 'site.threads', unit: 'count', title: 'Threads', scope: 'site', fold: 'mean' },
  { id: 'site.handles', unit: 'count', title: 'Handles', scope: 'site', fold: 'mean' },
  { id: 'host.cpu', unit: 'percent', title: 'Host CPU', scope: 'site', fold: 'mean' },
  { id: 'host.memory-used', unit: 'bytes', title: 'Host memory used', scope: 'site', fold: 'mean' },
  { id: 'host.memory-total', unit: 'bytes', title: 'Host memory', scope: 'site', fold: 'max' },
  { id: 'host.disk-free', unit: 'bytes', title: 'Home disk free', scope: 'site', fold: 'mean' },
  { id: 'host.disk-total', unit: 'bytes', title: 'Home disk', scope: 'site', fold: 'max' },
  // From the HTTP log, at the row's own time (the request's end), also when the row arrives a minute late.
  { id: 'http.requests', unit: 'count', title: 'Requests', scope: 'site', fold: 'sum' },
  { id: 'http.2xx', unit: 'count', title: 'Http 2xx', scope: 'site', fold: 'sum' },
  { id: 'http.3xx', unit: 'count', title: 'Http 3xx', scope: 'site', fold: 'sum' },
  { id: 'http.4xx', unit: 'count', title: 'Http 4xx', scope: 'site', fold: 'sum' },
  { id: 'http.5xx', unit: 'count', title: 'Http 5xx', scope: 'site', fold: 'sum' },
  { id: 'http.response-average', unit: 'ms', title: 'Average response time', scope: 'site', fold: 'own' },
  { id: 'http.response-p50', unit: 'ms', title: 'Response time p50', scope: 'site', fold: 'own' },
  { id: 'http.response-p95', unit: 'ms', title: 'Response time p95', scope: 'site', fold: 'own' },
  { id: 'http.response-p99', unit: 'ms', title: 'Response time p99', scope: 'site', fold: 'own' },
  { id: 'http.response-max', unit: 'ms', title: 'Slowest response', scope: 'site', fold: 'max' },
  { id: 'http.bytes-sent', unit: 'bytes', title: 'Data out', scope: 'site', fold: 'sum' },
  { id: 'http.bytes-received', unit: 'bytes', title: 'Data in', scope: 'site', fold: 'sum' },
  // What we cost ourselves.
  { id: 'agent.cpu', unit: 'percent', title: 'Agent CPU', scope: 'site', fold: 'mean' },
  { id: 'agent.working-set', unit: 'bytes', title: 'Agent memory', scope: 'site', fold: 'mean' },
  { id: 'agent.sampling', unit: 'ms', title: 'Cost of sampling', scope: 'site', fold: 'sum' },
  // What App Service on Windows counts for the sandbox, with its limits; absent elsewhere, a limit also where there is none.
  { id: 'sandbox.processes', unit: 'count', title: 'Sandbox processes', scope: 'site', fold: 'mean' },
  { id: 'sandbox.process-limit', unit: 'count', title: 'Sandbox process limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.threads', unit: 'count', title: 'Sandbox threads', scope: 'site', fold: 'mean' },
  { id: 'sandbox.thread-limit', unit: 'count', title: 'Sandbox thread limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.connections', unit: 'count', title: 'Sandbox connections', scope: 'site', fold: 'mean' },
  { id: 'sandbox.connection-limit', unit: 'count', title: 'Sandbox connection limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.active-connections', unit: 'count', title: 'Sandbox active connections', scope: 'site', fold: 'mean' },
  { id: 'sandbox.active-connection-limit', unit: 'count', title: 'Sandbox active connection limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.sections', unit: 'count', title: 'Sandbox sections', scope: 'site', fold: 'mean' },
  { id: 'sandbox.section-limit', unit: 'count', title: 'Sandbox section limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.named-pipes', unit: 'count', title: 'Sandbox named pipes', scope: 'site', fold: 'mean' },
  { id: 'sandbox.named-pipe-limit', unit: 'count', title: 'Sandbox named pipe limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.dir-monitors', unit: 'count', title: 'Sandbox directory monitors', scope: 'site', fold: 'mean' },
  { id: 'sandbox.dir-monitor-limit', unit: 'count', title: 'Sandbox directory monitor limit', scope: 'site', fold: 'max' },
  { id: 'sandbox.private-bytes', unit: 'bytes', title: 'Sandbox private bytes', scope: 'site', fold: 'mean' },
  { id: 'sandbox.handles', unit: 'count', title: 'Sandbox handles', scope: 'site', fold: 'mean' },
  { id: 'sandbox.memory-available', unit: 'bytes', title: 'Sandbox memory available', scope: 'site', fold: 'mean' },
  // From inside the apps that carry the preload, all of the instance together; absent where none does.
  { id: 'app.requests', unit: 'count', title: 'Requests answered in the app', scope: 'site', fold: 'sum' },
  { id: 'app.in-flight', unit: 'count', title: 'Requests in flight in the app', scope: 'site', fold: 'max' },
  { id: 'app.response-p99', unit: 'ms', title: 'Response time in the app p99', scope: 'site', fold: 'own' },
  { id: 'app.loop-delay', unit: 'ms', title: 'Longest event-loop delay', scope: 'site', fold: 'max' },
  { id: 'app.loop-busy', unit: 'percent', title: 'Event loop busy', scope: 'site', fold: 'mean' },
  { id: 'app.heap-used', unit: 'bytes', title: 'JavaScript heap', scope: 'site', fold: 'mean' },
] as const satisfies readonly Metric[];

export const metrics: readonly Metric[] = rows;
export type MetricId = (typeof rows)[number]['id'];
export const MetricId = z.enum(rows.map((r) => r.id) as [MetricId, ...MetricId[]]);

const byId = new Map<string, Metric>(rows.map((r) => [r.id, r]));
/** The row of a known metric. @throws Error for an id that no row has: a programming error, ids from outside are parsed first. */
export function metric(id: MetricId): Metric {
  const row = byId.get(id);
  if (!row) throw new Error(`no metric ${id}`);
  return row;
}

/** The article's five, in the article's order. */
export const ARTICLE_FIVE = ['http.requests', 'http.response-average', 'site.cpu-time', 'site.working-set', 'site.average-working-set'] as const satisfies readonly MetricId[];

export interface Tier { readonly stepMs: number; readonly keptMs: number }
/** How long each step is kept: 1 s for an hour, 10 s for a day, 60 s for five days. */
export const TIERS = [
  { stepMs: 1_000, keptMs: 3_600_000 },
  { stepMs: 10_000, keptMs: 86_400_000 },
  { stepMs: 60_000, keptMs: 432_000_000 },
] as const satisfies readonly Tier[];
