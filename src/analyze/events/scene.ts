// Owns everything that is known of a window, gathered once: rows to explain, events on one axis, and which sources there were.
import { ChangesFile, ConnectionsFile, DeploymentsFile, EventLogFile, InsideFile, MetricsFile, PhpStatusFile } from '../../shared/artifacts.ts';
import type { ArtifactKind } from '../../shared/model.ts';
import type { Accounting } from '../../shared/cause.ts';
import type { Given } from '../contracts.ts';
import { httpFacts } from '../parse/http-facts.ts';
import { readAll } from '../parse/json-artifacts.ts';
import type { ConnectionsEvent, SignEvent, StretchEvent } from './event.ts';
import { deathsOf } from './read-deaths.ts';
import { stretchesOf } from './read-stretches.ts';
import type { Sign } from './signs.ts';
import { effectOf } from './effect.ts';
import type { FrontLine } from './front-lines.ts';
import { matchFront } from './front-match.ts';
import { livesOf, type Lives } from './read-exits.ts';
import { connectionsOf } from './read-connections.ts';
import { heapClassesOf, type HeapClassesEvent } from './read-histograms.ts';
import { insideOf, type Inside } from './read-inside.ts';
import { LogReading, type LogEvents } from './read-logs.ts';
import { measuredOf, type Measured } from './read-metrics.ts';
import { phpPoolsOf, type PhpPoolEvent } from './read-php.ts';
import { MAX_TRACES, traceOf, type TraceEvent } from './read-traces.ts';
import { NO_ROWS, type Row, type RowFacts } from './rows.ts';

export type Source = 'http' | 'event-log' | 'app-log' | 'exits' | 'metrics' | 'inside' | 'deployments' | 'front-log' | 'threads' | 'traces' | 'connections' | 'php-status';

export interface Scene {
  readonly window: { readonly from: number; readonly to: number };
  readonly rows: RowFacts;
  readonly rowsFrom: Accounting['from'];
  readonly lives: Lives;
  readonly logs: LogEvents;
  readonly measured: Measured;
  readonly inside: Inside;
  readonly traces: readonly TraceEvent[];
  readonly connections: readonly ConnectionsEvent[];
  readonly heapClasses: readonly HeapClassesEvent[];
  readonly phpPools: readonly PhpPoolEvent[];
  readonly stretches: readonly StretchEvent[];
  readonly has: ReadonlySet<Source>;
  /** All signs of these kinds, most first. */
  signs(...kinds: readonly Sign[]): readonly SignEvent[];
}

/** Artifacts that are text, whatever they are called: what a line says decides what it is. */
export const TEXT_KINDS = ['application-log', 'php-log', 'thread-dump'] as const satisfies readonly ArtifactKind[];
export const SCENE_KINDS = ['core-dump', 'minidump', 'node-report', 'cpu-profile', 'http-log', 'event-log', ...TEXT_KINDS, 'changes', 'metrics', 'deployments', 'app-inside', 'connections', 'php-status', 'heap-histogram', 'failed-request-trace'] as const satisfies readonly ArtifactKind[];

/** @throws what the readers of the HTTP log and of text logs throw, and the signal's reason */
export async function sceneOf(given: Given, window: { readonly from: number; readonly to: number }, cancel: AbortSignal): Promise<Scene> {
  const events = (await readAll(given['event-log'], EventLogFile)).files.flatMap((f) => f.rows).filter((row) => row.at >= window.from - EARLIER_MS && row.at <= window.to);
  const changes = (await readAll(given.changes, ChangesFile)).files.flatMap((f) => f.changes);
  const deployments = (await readAll(given.deployments, DeploymentsFile)).files.flatMap((f) => f.deployments).filter((d) => between(d.endedAt ?? d.startedAt, window.from - DEPLOYED_MS, window.to));
  const series = (await readAll(given.metrics, MetricsFile)).files.map((f) => f.series);
  const insides = (await readAll(given['app-inside'], InsideFile)).files;
  const connections = (await readAll(given.connections, ConnectionsFile)).files.map(connectionsOf);
  const phpPools = (await readAll(given['php-status'], PhpStatusFile)).files.flatMap(phpPoolsOf);
  const heapClasses = await heapClassesOf(given['heap-histogram']);
  const deaths = await deathsOf([...given['core-dump'] ?? [], ...given.minidump ?? []], given['node-report'], cancel);
  const http = given['http-log'] === undefined ? undefined : (await httpFacts(given['http-log'], window, cancel)).rows;
  const { logs, traces } = await textsOf(given, events, cancel);
  const { rows, from } = rowsOf(http, logs.front, traces, window);
  const known = new Set<Source>();
  const note = (source: Source, is: boolean): void => { if (is) known.add(source); };
  note('http', http !== undefined && http.total > 0); note('event-log', given['event-log'] !== undefined); note('app-log', logs.ofApp); note('exits', given['event-log'] !== undefined || given.changes !== undefined);
  note('front-log', logs.ofFront); note('threads', logs.threads.length > 0); note('traces', traces.length > 0); note('deployments', given.deployments !== undefined || changes.some((c) => c.kind === 'deployment'));
  const measured = measuredOf(series);
  note('metrics', measured.measured); note('inside', insides.some((f) => f.apps.length > 0)); note('connections', connections.length > 0); note('php-status', phpPools.length > 0);
  const inside = insideOf(insides.flatMap((f) => f.apps), insides.at(-1)?.at ?? window.to);
  const bySign = new Map<Sign, SignEvent[]>();
  for (const sign of logs.signs) bySign.set(sign.sign, [...bySign.get(sign.sign) ?? [], sign]);
  const lives = livesOf({ deaths: deaths.map((d) => ({ ...d, at: d.at ?? window.to })), events, changes, deployments, logs, hasExits: known.has('exits') && (events.length > 0 || changes.some((c) => c.kind === 'exit' || c.kind === 'start')) });
  // Of what failed before anybody watched, no absence of an end tells anything.
  if (rows.failed.length > 0 && rows.failed.every((row) => row.until < lives.watchedFrom)) known.delete('exits');
  return {
    window, rows, rowsFrom: from, logs, measured, inside, traces, connections, phpPools, heapClasses, stretches: await stretchesOf(given['cpu-profile'] ?? [], cancel), has: known, lives,
    signs: (...kinds) => kinds.flatMap((kind) => bySign.get(kind) ?? []).sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)),
  };
}

/** An event just before the window may have made its first rows; a deployment of the last day is still the first suspect. */
const EARLIER_MS = 120_000;
const DEPLOYED_MS = 86_400_000;
const between = (at: number | undefined, from: number, to: number): boolean => at !== undefined && at >= from && at <= to;

async function textsOf(given: Given, events: readonly EventLogFile['rows'][number][], cancel: AbortSignal): Promise<{ logs: LogEvents; traces: readonly TraceEvent[] }> {
  const reading = new LogReading();
  for (const row of events) if (row.level !== 'info') reading.row(row);
  for (const kind of TEXT_KINDS) for (const reader of given[kind] ?? []) await reading.read(reader, cancel);
  const traces: TraceEvent[] = [];
  for (const reader of (given['failed-request-trace'] ?? []).slice(0, MAX_TRACES)) {
    cancel.throwIfAborted();
    const trace = await traceOf(reader);
    if (trace) traces.push(trace);
  }
  return { logs: reading.told(), traces };
}

/** The HTTP log's rows, made surer by the front's own log; without an HTTP log the front's log or traces are the rows. */
function rowsOf(http: RowFacts | undefined, front: readonly FrontLine[], traces: readonly TraceEvent[], window: { readonly from: number; readonly to: number }): { rows: RowFacts; from: Accounting['from'] } {
  if (http !== undefined && http.total > 0) {
    matchFront(http.failed, front);
    return { rows: http, from: 'http-log' };
  }
  if (front.length > 0) return { rows: told(front.map(rowOfLine)), from: 'error-log' };
  const traced = traces.filter((t) => t.status >= 500).map((t) => rowOfTrace(t, window));
  return traced.length > 0 ? { rows: told(traced), from: 'traces' } : { rows: http ?? NO_ROWS, from: 'none' };
}

function told(failed: readonly Row[]): RowFacts {
  const instances = new Map<string, { total: number; failed: number }>();
  for (const row of failed) { const one = instances.get(row.instance) ?? { total: 0, failed: 0 }; instances.set(row.instance, { total: one.total + 1, failed: one.failed + 1 }); }
  return { ...NO_ROWS, failed: [...failed].sort((a, b) => a.at - b.at), failures: failed.length, instances };
}

function rowOfLine(line: FrontLine, i: number): Row {
  return { at: line.at, until: line.at + 999, from: line.at, method: line.method, route: line.route, status: line.effect === 'silent' ? 504 : 502, sub: undefined, win32: undefined, takenMs: undefined, instance: line.upstream ?? '', client: line.client, source: line.where, offset: i, effect: line.effect, slow: false, weight: 1, sentBytes: undefined };
}

function rowOfTrace(trace: TraceEvent, window: { readonly from: number; readonly to: number }): Row {
  const at = trace.at ?? window.to;
  const effect = effectOf({ status: trace.status, sub: trace.sub ?? 0, win32: trace.errorCode ?? 0 });
  return { at, until: at + 999, from: at - (trace.takenMs ?? 0), method: trace.method, route: trace.route, status: trace.status, sub: trace.sub, win32: trace.errorCode, takenMs: trace.takenMs, instance: '', client: undefined, source: trace.where, offset: 0, effect, slow: false, weight: 1, sentBytes: undefined };
}
