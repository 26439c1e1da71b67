// Owns the trial of a rule: what is kept of the past made into one column, and the replay over it.
import { metric as row, type MetricId } from '../../shared/metrics.ts';
import type { Change, ProcessKey, Series } from '../../shared/model.ts';
import type { Condition, Rule, TrialView } from '../../shared/rules.ts';
import type { CauseId } from '../../shared/cause.ts';
import { sayCondition, sayRule, sayValue } from './describe.ts';
import { selectorOf, type Signal } from './meter.ts';
import { lineMatchers } from './log-signals.ts';
import { isScheduled } from './day.ts';
import { replay, windowed, type Column, type Judged } from './replay.ts';

type Counted = Extract<Condition, { type: 'status' | 'slow' | 'exit' | 'event' | 'cause' }>;

const SECOND_MS = 1_000, MINUTE_MS = 60_000;
/** Five days of minutes, a day of ten seconds, an hour of seconds: what the history keeps at each step. */
const MAX_POINTS = 8_700;
/** Firings that are listed; the count is whole. */
const LISTED = 1_000;

/** What is kept, asked for as needed. */
export interface Past {
  /** Only HTTP logs are there: what else a rule may ask is not told by them. */
  readonly logsOnly?: true;
  series(query: { metrics: readonly MetricId[]; from: number; to: number; points: number; process?: ProcessKey }): Promise<Series>;
  tracks(from: number, to: number): Promise<readonly ProcessKey[]>;
  /** Oldest or newest first, whole or not: `more` says that older ones were left out, from `since` on all are there. Undefined: there is no HTTP log. */
  requests(from: number, to: number): Promise<{ readonly signals: readonly Signal[]; readonly since?: number } | undefined>;
  changes(from: number): Promise<readonly Change[]>;
  events(from: number): Promise<readonly Signal[] | undefined>;
  causes(from: number): Promise<readonly { readonly at: number; readonly cause: CauseId }[]>;
}

interface Made { readonly column: Column; readonly judged: Judged; says(at: number, value: number): string; readonly note?: string }

export async function tryRule(rule: Rule, past: Past, from: number, to: number): Promise<TrialView> {
  const made = await madeOf(rule, past, from, to);
  const about = { rule: rule.id, says: sayRule(rule), from, to };
  if (typeof made === 'string') return { ...about, stepMs: SECOND_MS, steps: 0, measured: 0, firedCount: 0, overCount: 0, fired: [], cannot: made };
  // A rule that is off is tried as if it were on: that is why it is tried.
  const trial = replay({ ...rule, enabled: true }, made.column, made.judged, LISTED);
  return {
    ...about, stepMs: made.column.stepMs, steps: trial.steps, measured: trial.measured, firedCount: trial.firedCount, overCount: trial.overCount,
    fired: trial.fired.map(({ at, value }) => ({ at, says: made.says(at, value) })), ...(made.note === undefined ? {} : { note: made.note }),
  };
}

const OF_LOGS: ReadonlySet<Condition['type']> = new Set(['status', 'slow', 'schedule']);

async function madeOf({ when }: Rule, past: Past, from: number, to: number): Promise<Made | string> {
  if (past.logsOnly === true && !OF_LOGS.has(when.type)) return `HTTP logs do not tell what a rule on ${when.type} asks for`;
  switch (when.type) {
    case 'metric': return metricColumn(when, past, from, to);
    case 'schedule': return scheduleColumn(when, from, to);
    case 'status': case 'slow': {
      const found = await past.requests(from, to);
      if (found === undefined) return 'there is no HTTP log of that time';
      const since = Math.max(from, found.since ?? from);
      return { ...counted(when, found.signals, since, to), ...(since > from ? { note: 'The log is too long to be tried whole: only its newest part was.' } : {}) };
    }
    case 'exit': return counted(when, exitsOf(await past.changes(from)), from, to);
    case 'cause': return counted(when, (await past.causes(from)).map((one) => ({ kind: 'cause' as const, ...one })), from, to);
    case 'event': {
      const events = await past.events(from);
      return events === undefined ? 'there is no event log here' : counted(when, events, from, to);
    }
    case 'log': return 'lines of logs are not kept as signals: this rule sees only what comes';
    case 'exception': return 'exceptions are not kept as signals: this rule sees only what comes';
    case 'probe': return 'nobody probed the site then: this rule sees only what comes';
  }
}

const exitsOf = (changes: readonly Change[]): Signal[] => changes.flatMap((one) => (one.kind === 'exit' ? [{ kind: 'exit' as const, at: one.at, asked: one.level === 'neutral', ...(one.exitCode === undefined ? {} : { exitCode: one.exitCode }), ...(one.signal === undefined ? {} : { signal: one.signal }) }] : []));

async function metricColumn(when: Extract<Condition, { type: 'metric' }>, past: Past, from: number, to: number): Promise<Made> {
  const ofProcess = row(when.metric).scope === 'process';
  const keys: readonly (ProcessKey | undefined)[] = ofProcess ? await past.tracks(from, to) : [undefined];
  const site = when.of === undefined ? undefined : await past.series({ metrics: [when.of], from, to, points: MAX_POINTS });
  let column: Column | undefined;
  for (const process of keys) {
    const series = await past.series({ metrics: [when.metric], from, to, points: MAX_POINTS, ...(process && { process }) });
    const mine = valuesOf(series, site);
    column = column === undefined ? { from: series.from, stepMs: series.stepMs, values: mine } : { ...column, values: worst(column.values, mine, when.above !== undefined) };
  }
  const restarts = keys.flatMap((key) => (key === undefined ? [] : [key.startedAt])).sort((a, b) => a - b);
  const notes = [...(column !== undefined && column.stepMs > SECOND_MS ? [`Values are of ${column.stepMs / SECOND_MS} s each: shorter peaks are not in the history.`] : []), ...(ofProcess && keys.length > 1 ? ['Of several processes the one nearest to the limit counts.'] : [])];
  return {
    column: { ...(column ?? { from, stepMs: SECOND_MS, values: new Float64Array(0) }), ...(restarts.length > 0 ? { restarts } : {}) },
    judged: when, says: (_at, value) => `${row(when.metric).title} was ${sayValue(when, value)}`, ...(notes.length > 0 ? { note: notes.join(' ') } : {}),
  };
}

function valuesOf({ at, series }: Series, of: Series | undefined): Float64Array {
  const whole = of === undefined ? undefined : new Map(of.at.map((instant, i) => [instant, of.series[0]?.values[i] ?? undefined]));
  return Float64Array.from(at, (instant, i) => {
    const value = series[0]?.values[i] ?? NaN;
    if (whole === undefined) return value;
    const all = whole.get(instant);
    return all === undefined || all === 0 ? NaN : (value / all) * 100;
  });
}

/** Of two processes the one that is nearer to the limit; one that is not there says nothing. */
function worst(a: Float64Array, b: Float64Array, above: boolean): Float64Array {
  return Float64Array.from(a, (one, i) => {
    const other = b[i] ?? NaN;
    if (Number.isNaN(one)) return other;
    if (Number.isNaN(other)) return one;
    return above ? Math.max(one, other) : Math.min(one, other);
  });
}

function scheduleColumn(when: Extract<Condition, { type: 'schedule' }>, from: number, to: number): Made {
  const first = Math.ceil(from / MINUTE_MS) * MINUTE_MS;
  const values = Float64Array.from({ length: Math.max(0, Math.floor((to - first) / MINUTE_MS) + 1) }, (_, i) => Number(isScheduled(when, first + i * MINUTE_MS)));
  return { column: { from: first, stepMs: MINUTE_MS, values }, judged: { above: 1 }, says: () => sayCondition(when) };
}

/** Signals by second become what the window asks. */
function counted(when: Counted, signals: readonly Signal[], from: number, to: number): Made {
  const first = Math.floor(from / SECOND_MS) * SECOND_MS;
  const length = Math.max(0, Math.floor((to - first) / SECOND_MS) + 1);
  const selector = selectorOf(when, lineMatchers);
  const counts = new Float64Array(length), among = selector.among === undefined ? undefined : new Float64Array(length);
  for (const signal of signals) {
    const i = Math.floor((signal.at - first) / SECOND_MS);
    if (i < 0 || i >= length || signal.kind !== selector.kind) continue;
    counts[i] = (counts[i] as number) + selector.counts(signal);
    if (among !== undefined && selector.among?.(signal)) among[i] = (among[i] as number) + 1;
  }
  const sharePercent = 'sharePercent' in when ? when.sharePercent : undefined;
  const values = windowed(counts, among, { count: when.count, withinMs: when.withinMs, sharePercent, stepMs: SECOND_MS });
  const seconds = Math.round(when.withinMs / SECOND_MS);
  const sum = (at: number): number => {
    const i = Math.round((at - first) / SECOND_MS);
    return counts.subarray(Math.max(0, i - seconds + 1), i + 1).reduce((all, one) => all + one, 0);
  };
  return { column: { from: first, stepMs: SECOND_MS, values }, judged: { above: 1 }, says: (at) => `${sum(at)} within ${seconds} s` };
}
