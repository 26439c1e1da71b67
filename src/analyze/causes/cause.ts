// Owns what a cause is to the engine: a rule that looks at a scene and claims rows, with proof, and what would exclude or settle it.
import type { CauseFact, CauseId, CauseStep } from '../../shared/cause.ts';
import { count, plural } from '../../shared/units.ts';
import type { Effect } from '../events/effect.ts';
import type { Row } from '../events/rows.ts';
import type { Scene, Source } from '../events/scene.ts';
import { clock, oneLine } from '../parse/words.ts';

/** One thing seen, and how much it weighs: alone, `by` is the probability that it gives; below 0 it takes that share away. */
export interface Weight { readonly by: number; readonly says: string }

/** "These rows, by this mechanism": its events begin before the rows end, on the same instance. */
export interface Claim {
  readonly cause: CauseId;
  /** Tells apart two claims of one cause: two exceptions, two dependencies. */
  readonly key: string;
  readonly rows: readonly Row[];
  readonly weights: readonly Weight[];
  readonly for: readonly CauseFact[];
  readonly against: readonly CauseFact[];
  readonly chain: readonly CauseStep[];
  /** When its own event began; the first row's end without it. */
  readonly since?: number | undefined;
  /** How often it happened, whether or not a row shows it. */
  readonly incidents: number;
  /** Stands as found also when no row is known that it explains: a crash is bad in itself. */
  readonly bad?: boolean;
  /** Tells what happened without anything being wrong: a deployment's own restart, clients that went. */
  readonly remark?: boolean;
  /** Causes that are no deeper than this very claim, whatever the edges say, and whose rows it takes. */
  readonly over?: readonly CauseId[];
  /** The one sentence, of what attribution left it. */
  title(told: Told): string;
  readonly advice: readonly string[];
  readonly mitigations?: readonly string[];
}

/** What a claim explains in the end. */
export interface Told {
  readonly failed: number; readonly slow: number;
  readonly total: number;                                      // all requests of the window; 0: not known
  readonly route: string | undefined;                          // the one that most of them have
  readonly since: number | undefined;
}

export interface CauseRule {
  readonly id: CauseId;
  /** As in "not …": "a crash in native code". */
  readonly about: string;
  /** What it could explain when its own proof is missing. */
  readonly explains: readonly (Effect | 'slow')[];
  /** Any one of these sources would have shown it; none there: it cannot be told. */
  readonly needs: readonly Source[];
  /** Diagnosers that settle it. */
  readonly collect: readonly string[];
  /** What else would tell, that no diagnoser of ours can collect: made by hand, and read by `diag analyze`. */
  readonly byHand?: string;
  judge(scene: Scene): readonly Claim[];
  /** The one fact that rules it out; undefined: nothing does. */
  excludes(scene: Scene): string | undefined;
}

/** Things seen combine as independent signs do; what speaks against takes its share of the result. */
export function scoreOf(weights: readonly Weight[]): number {
  const missing = weights.filter((w) => w.by > 0).reduce((left, w) => left * (1 - w.by), 1);
  return weights.filter((w) => w.by < 0).reduce((score, w) => score * (1 + w.by), 1 - missing);
}

/** "40 of 120 requests failed", "12 requests were slow", or how often it happened where no row shows it. */
export function effectText(told: Told, otherwise: string): string {
  const failed = told.failed === 0 ? '' : told.total > told.failed ? `${count(Math.round(told.failed))} of ${plural(told.total, 'request')} failed` : `${plural(Math.round(told.failed), 'request')} failed`;
  const slow = told.slow === 0 ? '' : told.failed === 0 && told.total > told.slow ? `${count(Math.round(told.slow))} of ${plural(told.total, 'request')} were slow` : `${plural(Math.round(told.slow), 'request was', 'requests were')} slow`;
  const both = [failed, slow].filter((part) => part !== '').join(' and ');
  return both === '' ? otherwise : both;
}

/** Of rows by weight: how many requests they stand for. */
export function weightOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + row.weight, 0);
}

/** "GET /cart", most first, with their counts. */
export function routesOf(rows: readonly Row[]): { method: string; route: string; count: number }[] {
  const routes = new Map<string, { method: string; route: string; count: number }>();
  for (const row of rows) {
    const key = `${row.method} ${row.route}`;
    const known = routes.get(key);
    if (known) known.count += row.weight;
    else routes.set(key, { method: row.method, route: row.route, count: row.weight });
  }
  return [...routes.values()].map((r) => ({ ...r, count: Math.round(r.count) })).sort((a, b) => b.count - a.count || (`${a.method} ${a.route}` < `${b.method} ${b.route}` ? -1 : 1));
}

/** The route that holds more than half of the rows. */
export function mainRoute(rows: readonly Row[]): string | undefined {
  const [top] = routesOf(rows);
  return top !== undefined && top.count * 2 > weightOf(rows) ? oneLine(`${top.method} ${top.route}`, 120) : undefined;
}

/** How a row is told as proof: "02:14:07 POST /cart 502.3.12030 after 66 ms". */
export function rowText(row: Row): string {
  const code = [row.status, row.sub, row.win32 === 0 ? undefined : row.win32].filter((part) => part !== undefined).join('.');
  return `${clock(row.at)} ${oneLine(`${row.method} ${row.route}`, 120)} ${code}${row.takenMs === undefined ? '' : ` after ${Math.round(row.takenMs)} ms`}`;
}

/** One fact that shows the first of these rows, and says how many are like it. */
export function rowsFact(rows: readonly Row[], says: string): CauseFact[] {
  const [first] = rows;
  if (!first) return [];
  return [{ text: `${plural(Math.round(weightOf(rows)), 'request')} ${says}`, at: first.at, until: (rows.at(-1) ?? first).at, where: `${oneLine(first.source, 120)}, byte ${first.offset}`, proof: rowText(first) }];
}

/** A log line as part of a sentence: without its time and level. */
export function saidBy(text: string): string {
  return text.replace(/^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]?\s+(?:\[?[A-Za-z]{3,8}\]?\s*[-:]?\s+(?=\S))?/, '');
}

/** Rows that lived at some time within [from, to]. */
export function livingIn(rows: readonly Row[], from: number, to: number): Row[] {
  return rows.filter((row) => row.until >= from && row.from <= to);
}

export { plural, count, clock, oneLine };
