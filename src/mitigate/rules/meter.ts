// Owns how a condition becomes a number at an instant: of metrics the newest, of events how many within the window.
import type { CauseId } from '../../shared/cause.ts';
import type { MetricId } from '../../shared/metrics.ts';
import type { Condition } from '../../shared/rules.ts';
import { passes } from '../triggers/exception.ts';
import { isScheduled } from './day.ts';
import type { RequestGlance } from '../../observe/observe.ts';
import type { Measured } from './step.ts';

/** Something that happened, as much of it as a rule may ask about. */
export type Signal =
  | { readonly kind: 'request' } & RequestGlance
  | { readonly kind: 'line'; readonly at: number; readonly source: string; readonly text: string }
  | { readonly kind: 'exit'; readonly at: number; readonly asked: boolean; readonly exitCode?: number; readonly signal?: string }
  | { readonly kind: 'exception'; readonly at: number; readonly text: string; readonly count: number }
  | { readonly kind: 'event'; readonly at: number; readonly source: string; readonly eventId?: number }
  | { readonly kind: 'cause'; readonly at: number; readonly cause: CauseId }
  | { readonly kind: 'probe'; readonly at: number; readonly good: boolean };

/** What is known at an instant, asked by each meter for what it needs. */
export interface Present {
  readonly at: number;
  /** Newest value of each subject that has this metric ('' is the site); a stale one is left out. */
  metric(id: MetricId): Iterable<{ readonly subject: string; readonly value: number; readonly ageMs?: number }>;
  /** Up to which instant events of this kind are known; undefined: not at all. The HTTP log is written about once a minute. */
  knownUntil(kind: Signal['kind']): number | undefined;
}

export interface Meter {
  /** What it counts; none for what it measures by itself. */
  readonly counts?: Signal['kind'];
  /** Nothing of the signal may be kept: the next one may come in the same object. */
  take(signal: Signal): void;
  measure(present: Present): readonly Measured[];
}

/** Matchers of patterns from users are made by the caller: linear time is its duty. */
export interface Matchers { line(condition: Extract<Condition, { type: 'log' }>): (source: string, text: string) => boolean }

export function meterOf(condition: Condition, matchers: Matchers): Meter {
  switch (condition.type) {
    case 'metric': return metricMeter(condition);
    case 'schedule': return { take: () => undefined, measure: ({ at }) => [{ subject: '', verdict: isScheduled(condition, at) ? 'yes' : 'no' }] };
    case 'probe': return probeMeter(condition);
    default: return countMeter(condition, selectorOf(condition, matchers));
  }
}

export function judgeValue({ above, below }: { above?: number | undefined; below?: number | undefined }, value: number | undefined): Measured['verdict'] {
  if (value === undefined || Number.isNaN(value)) return 'unknown';
  return (above === undefined ? value < (below ?? -Infinity) : value >= above) ? 'yes' : 'no';
}

function metricMeter(condition: Extract<Condition, { type: 'metric' }>): Meter {
  return {
    take: () => undefined,
    measure: (present) => {
      const whole = condition.of === undefined ? undefined : new Map([...present.metric(condition.of)].map((one) => [one.subject, one.value]));
      const measured: Measured[] = [];
      for (const { subject, value: own, ageMs } of present.metric(condition.metric)) {
        // In percent of nothing is unknown, as no request at all is no share of failures. A metric of the site stands above those of its processes.
        const of = whole?.get(subject) ?? whole?.get('');
        const value = whole === undefined ? own : of === undefined || of === 0 ? undefined : (own / of) * 100;
        measured.push({ subject, verdict: judgeValue(condition, value), ...(value === undefined ? {} : { value }), ...(ageMs === undefined ? {} : { ageMs }) });
      }
      return measured;
    },
  };
}

function probeMeter({ failures }: Extract<Condition, { type: 'probe' }>): Meter {
  let inRow: number | undefined;
  return {
    take: (signal) => { if (signal.kind === 'probe') inRow = signal.good ? 0 : (inRow ?? 0) + 1; },
    measure: () => (inRow === undefined ? [] : [{ subject: '', verdict: inRow >= failures ? 'yes' : 'no', value: inRow }]),
  };
}

/** Which signals count, and of what they are a share. */
export interface Selector { readonly kind: Signal['kind']; counts(signal: Signal): number; among?(signal: Signal): boolean }

type Counted = Exclude<Condition, { type: 'metric' | 'schedule' | 'probe' }>;

export function selectorOf(condition: Counted, matchers: Matchers): Selector {
  switch (condition.type) {
    case 'status': {
      const wanted = statusTest(condition.status);
      const inPath = pathTest(condition.path);
      return { kind: 'request', counts: (one) => Number(one.kind === 'request' && wanted(one) && inPath(one.path)), among: (one) => one.kind === 'request' && inPath(one.path) };
    }
    case 'slow': {
      const inPath = pathTest(condition.path);
      return { kind: 'request', counts: (one) => Number(one.kind === 'request' && (one.takenMs ?? -1) >= condition.overMs && inPath(one.path)), among: (one) => one.kind === 'request' && inPath(one.path) };
    }
    case 'log': {
      const isWanted = matchers.line(condition);
      return { kind: 'line', counts: (one) => Number(one.kind === 'line' && isWanted(one.source, one.text)) };
    }
    case 'exit': return { kind: 'exit', counts: (one) => Number(one.kind === 'exit' && !one.asked && isExit(condition.codes, one)) };
    case 'exception': return { kind: 'exception', counts: (one) => (one.kind === 'exception' && (condition.filters.length === 0 || condition.filters.some((filter) => passes(filter, one.text))) ? one.count : 0) };
    case 'event': return { kind: 'event', counts: (one) => Number(one.kind === 'event' && (condition.source ?? one.source).toLowerCase() === one.source.toLowerCase() && (condition.eventId ?? one.eventId) === one.eventId) };
    case 'cause': return { kind: 'cause', counts: (one) => Number(one.kind === 'cause' && one.cause === condition.cause) };
  }
}

function statusTest(pattern: string): (one: Pick<RequestGlance, 'status' | 'sub' | 'win32'>) => boolean {
  if (pattern.endsWith('xx')) return ({ status }) => Math.floor(status / 100) === Number(pattern[0]);
  const [status, sub, win32] = pattern.split('.').map(Number);
  return (one) => one.status === status && (sub === undefined || one.sub === sub) && (win32 === undefined || one.win32 === win32);
}

/** `*` is anything: whole paths, letters of any case. */
export function pathTest(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  const pieces = pattern.toLowerCase().split('*');
  if (pieces.length === 1) return (path) => path.toLowerCase() === pieces[0];
  const first = pieces[0] ?? '', last = pieces.at(-1) ?? '', middle = pieces.slice(1, -1);
  return (path) => {
    const whole = path.toLowerCase();
    if (!whole.startsWith(first) || !whole.endsWith(last) || whole.length < first.length + last.length) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = whole.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= whole.length - last.length;
  };
}

function isExit(codes: readonly (number | string)[] | undefined, { exitCode, signal }: { readonly exitCode?: number; readonly signal?: string }): boolean {
  if (codes === undefined || codes.length === 0) return exitCode !== 0;
  return codes.some((code) => code === exitCode || code === signal);
}

/** Counts by second over the window, at the signals' own time; what is older than the window when it comes is too late. */
function countMeter(condition: Counted, selector: Selector): Meter {
  const counted = new Seconds(condition.withinMs);
  const among = selector.among === undefined ? undefined : new Seconds(condition.withinMs);
  const share = 'sharePercent' in condition ? condition.sharePercent : undefined;
  return {
    counts: selector.kind,
    take: (signal) => {
      if (signal.kind !== selector.kind) return;
      const count = selector.counts(signal);
      if (count > 0) counted.add(signal.at, count);
      if (among !== undefined && selector.among?.(signal)) among.add(signal.at, 1);
    },
    measure: (present) => {
      const until = present.knownUntil(selector.kind);
      if (until === undefined) return [];
      const value = counted.sum(until);
      const enough = value >= condition.count && (share === undefined || (among?.sum(until) ?? 0) * share <= value * 100);
      return [{ subject: '', verdict: enough ? 'yes' : 'no', value }];
    },
  };
}

const SECOND_MS = 1_000;

/** How many in each of the last seconds: a ring, the place of a second is its number. */
export class Seconds {
  readonly #counts: Float64Array;
  readonly #of: Float64Array;
  readonly #seconds: number;

  constructor(withinMs: number) {
    this.#seconds = Math.ceil(withinMs / SECOND_MS);
    // Twice the window: what belongs to a window that ends a little earlier is still there.
    this.#counts = new Float64Array(2 * this.#seconds);
    this.#of = new Float64Array(2 * this.#seconds).fill(-1);
  }

  add(at: number, count: number): void {
    const second = Math.floor(at / SECOND_MS);
    const place = second % this.#of.length;
    if ((this.#of[place] as number) > second) return;
    if (this.#of[place] !== second) { this.#of[place] = second; this.#counts[place] = 0; }
    this.#counts[place] = (this.#counts[place] as number) + count;
  }

  /** In the window that ends with the second of `until`. */
  sum(until: number): number {
    const last = Math.floor(until / SECOND_MS);
    let sum = 0;
    for (let i = 0; i < this.#of.length; i += 1) {
      const second = this.#of[i] as number;
      if (second > last - this.#seconds && second <= last) sum += this.#counts[i] as number;
    }
    return sum;
  }
}
