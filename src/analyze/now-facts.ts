// Owns what the Now screen knows of its window: requests, failures, crashes and response times, from the observer's rings and the history.
import type { Change, LogLine, Now, RequestRow, Series } from '../shared/model.ts';
import type { MetricId } from '../shared/metrics.ts';
import { Histogram } from '../observe/http-log/figures/histogram.ts';
import type { Observed } from '../observe/observe.ts';
import type { History } from '../store/store.ts';
import { crashStory } from './crash-story.ts';
import type { CrashStory } from './crash-story.ts';
import { exitsOf, startsOf } from './parse/exits.ts';
import { LogGathering } from './parse/exceptions.ts';
import { keptWaiting } from './kept-waiting.ts';
import { isClientAbort } from './parse/http-facts.ts';

export interface NowFacts {
  readonly from: number;
  readonly to: number;
  readonly minutes: number;
  readonly total: number;
  readonly failures: number;                                   // 5xx that the client did not cause
  readonly aborts: number;                                     // given up by the client, sooner than that
  readonly waited: number;                                     // given up after far longer than their route takes: slow, no whim of the client
  readonly failed: readonly RequestRow[];                      // of the window, newest first
  readonly lastAt: number | undefined;
  readonly p95: number | undefined;
  readonly p95HourAgo: number | undefined;
  readonly story: CrashStory;
  readonly changes: readonly Change[];                         // of CHANGES_MS, newest first
  readonly errors: readonly LogLine[];                         // newest first
  readonly strip: Now['strip'];
  readonly series: Series;
  readonly hourAgo: Series;
}

export const CHANGES_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;
/** Bars of the strip and points of a curve: one second each at five minutes. */
const POINTS = 300;
const HOUR_AGO_POINTS = 30;
export const NOW_METRICS = ['http.requests', 'http.response-average', 'site.cpu-time', 'site.working-set', 'site.average-working-set'] as const satisfies readonly MetricId[];
const STRIP_METRICS = ['http.2xx', 'http.3xx', 'http.4xx', 'http.5xx'] as const satisfies readonly MetricId[];
/** An exception that ended a process at the window's edge was written just before it. */
const ERRORS_BEFORE_MS = 10_000;

export async function nowFacts(observed: Observed, history: History, minutes: number, at: number): Promise<NowFacts> {
  const from = at - minutes * 60_000;
  const [series, hourAgo] = await Promise.all([
    history.read({ metrics: [...NOW_METRICS, ...STRIP_METRICS], from, to: at, points: POINTS, now: at }),
    history.read({ metrics: [...NOW_METRICS, 'http.response-p95'], from: from - HOUR_MS, to: at - HOUR_MS, points: HOUR_AGO_POINTS, now: at }),
  ]);
  // Rows carry whole seconds: one of the first second is written as if it lay before the window.
  await observed.requests.make();
  const ring = observed.requests.recent();
  const rows = ring.filter((row) => row.at >= Math.floor(from / 1_000) * 1_000 && row.at <= at);
  const counted = countRows(rows, keptWaiting(ring.filter((row) => row.at >= from - HOUR_MS && row.at <= at), from));
  const kept = sumOf(series);
  const changes = newest(observed.changes.recent(), at);
  const inWindow = changes.filter((c) => c.at >= from);
  const errors = observed.errors.recent().filter((line) => line.at === undefined || (line.at >= from - ERRORS_BEFORE_MS && line.at <= at));
  // The ring is bounded and begins with the agent: where it does not reach back to the window's begin, the history counts.
  const ringIsShort = kept.total > rows.length && (ring[0]?.at ?? Infinity) > from;
  return {
    from, to: at, minutes, ...counted, total: Math.max(rows.length, kept.total), failures: ringIsShort ? Math.max(counted.failures, kept.failures - counted.aborts - counted.waited) : counted.failures,
    lastAt: rows.reduce<number | undefined>((last, row) => (last === undefined || row.at > last ? row.at : last), undefined),
    p95HourAgo: mean(valuesOf(hourAgo, 'http.response-p95')),
    story: crashStory({ exits: exitsOf([], inWindow), starts: startsOf([], inWindow), exceptions: await exceptionsOf(observed, errors, inWindow), failed: counted.failed }),
    changes, errors: [...errors].reverse(), series, hourAgo,
    strip: ringIsShort ? stripOfSeries(series) : stripOfRows(rows, from, at, series.stepMs),
  };
}

function countRows(rows: readonly RequestRow[], waiting: ReadonlySet<RequestRow>): Pick<NowFacts, 'failures' | 'aborts' | 'waited' | 'failed' | 'p95'> {
  const taken = new Histogram();
  const failed: RequestRow[] = [];
  let aborts = 0;
  for (const row of rows) {
    const waited = waiting.has(row), aborted = !waited && isClientAbort(row);
    if (waited) { taken.add(row.takenMs ?? 0); continue; }
    if (aborted) aborts += 1;
    else if (row.status >= 500) failed.push(row);
    if (row.takenMs !== undefined && row.status !== 101 && !aborted) taken.add(row.takenMs);
  }
  failed.sort((a, b) => b.at - a.at || b.offset - a.offset);
  return { failures: failed.length, aborts, waited: waiting.size, failed, p95: taken.quantiles([0.95])[0] };
}

/** Each change once, in its newest form, newest first. */
function newest(recent: readonly Change[], at: number): Change[] {
  const byId = new Map<string, Change>();
  for (const change of recent) if (change.at >= at - CHANGES_MS && change.at <= at) byId.set(change.id, { ...byId.get(change.id), ...change });
  return [...byId.values()].sort((a, b) => b.at - a.at || (a.id < b.id ? -1 : 1));
}

/** Exceptions among the error entries; the catalog's titles tell which process wrote them, and are asked for only after an exit. */
async function exceptionsOf(observed: Observed, errors: readonly LogLine[], changes: readonly Change[]): Promise<ReturnType<LogGathering['told']>['exceptions']> {
  if (errors.length === 0 || !changes.some((c) => c.kind === 'exit')) return [];
  const { sources } = await observed.logs.catalog(new AbortController().signal);
  const titles = new Map(sources.map((s) => [s.id, s.title]));
  const gathering = new LogGathering();
  for (const line of errors) gathering.add(line, titles.get(line.source) ?? line.source);
  return gathering.told(0).exceptions;
}

export function valuesOf(series: Series, id: MetricId): readonly (number | null)[] {
  return series.series.find((s) => s.metric === id && s.process === undefined)?.values ?? [];
}

export function mean(values: readonly (number | null)[]): number | undefined {
  const there = values.filter((v) => v !== null);
  return there.length === 0 ? undefined : there.reduce((a, b) => a + b, 0) / there.length;
}

export function sum(values: readonly (number | null)[]): number | undefined {
  const there = values.filter((v) => v !== null);
  return there.length === 0 ? undefined : there.reduce((a, b) => a + b, 0);
}

function sumOf(series: Series): { total: number; failures: number } {
  return { total: sum(valuesOf(series, 'http.requests')) ?? 0, failures: sum(valuesOf(series, 'http.5xx')) ?? 0 };
}

function stripOfSeries(series: Series): Now['strip'] {
  const [ok2, ok3, refused, failed] = STRIP_METRICS.map((id) => valuesOf(series, id));
  return series.at.map((at, i) => ({ at, ok: (ok2?.[i] ?? 0) + (ok3?.[i] ?? 0), refused: refused?.[i] ?? 0, failed: failed?.[i] ?? 0 }));
}

function stripOfRows(rows: readonly RequestRow[], from: number, to: number, stepMs: number): Now['strip'] {
  const first = Math.floor(from / stepMs) * stepMs;
  const strip: Now['strip'] = [];
  for (let at = first; at <= to; at += stepMs) strip.push({ at, ok: 0, refused: 0, failed: 0 });
  for (const row of rows) {
    const bar = strip[Math.floor((row.at - first) / stepMs)];
    if (!bar) continue;
    if (row.status >= 500 && !isClientAbort(row)) bar.failed += 1;
    else if (row.status >= 400) bar.refused += 1;
    else bar.ok += 1;
  }
  return strip;
}
