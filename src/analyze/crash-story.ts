// Owns the story of crashes: which exit, of which exception, ended which requests. Pure; the report and the Now screen tell the same story.
import { NO_LAST_WORD } from '../shared/app-view.ts';
import type { RequestRow } from '../shared/model.ts';
import type { ExceptionGroup, Seen } from './parse/exceptions.ts';
import type { Exit } from './parse/exits.ts';
import { byText } from './parse/words.ts';

export type FailedRow = Pick<RequestRow, 'at' | 'method' | 'route' | 'status' | 'sub' | 'win32' | 'takenMs'>;
export interface Crash {
  readonly exit: Exit;
  readonly exception: ExceptionGroup | undefined;
  readonly ended: readonly FailedRow[];                        // in mid-request
  readonly refused: readonly FailedRow[];                      // found nothing listening until the next worker
}
export interface Culprit { readonly exception: ExceptionGroup | undefined; readonly crashes: readonly Crash[] }
export interface CrashStory {
  readonly crashes: readonly Crash[];                          // unplanned exits, oldest first
  readonly planned: readonly Exit[];
  readonly culprits: readonly Culprit[];                       // most crashes first
  readonly explained: number;                                  // failed rows that a crash ended or left without a worker
  readonly trigger: string | undefined;                        // the only route that was in flight in every group
  /** Exceptions were matched by count alone: the log tells neither time nor process. */
  readonly inferred: boolean;
}

/** A row's second is cut off, and an exit seen by sampling is seen up to two seconds late. */
const BEFORE_MS = 2_000;
const AFTER_MS = 1_000;
/** Without a start on record: back-off and start of a worker are over by then in nearly every app. */
const GAP_MS = 30_000;
/** An exception is written before the exit that it causes; buffers and a slow share make it seem later. */
const WRITTEN_BEFORE_MS = 5_000;
const WRITTEN_AFTER_MS = 2_000;

/** A connection that broke in mid-request: ARR and HttpPlatformHandler 12030, iisnode 1002 and 1013 with a broken pipe, CGI ended early. */
function brokeOff(row: FailedRow): boolean {
  if (row.status === 502) return (row.sub === 3 && row.win32 === 12030) || row.sub === 2;
  return row.status === 500 && (row.sub === 1002 || (row.sub === 1013 && row.win32 === 109));
}

function foundNothing(row: FailedRow): boolean {
  if (row.status === 502) return row.sub === 3 && row.win32 === 12029;
  if (row.status === 503) return row.sub === 0 || row.sub === 1002;
  return row.status === 500 && row.sub === 1001 && row.win32 === 2;
}

export function crashStory(given: { readonly exits: readonly Exit[]; readonly starts: readonly number[]; readonly exceptions: readonly ExceptionGroup[]; readonly failed: readonly FailedRow[] }): CrashStory {
  const unplanned = given.exits.filter((e) => !e.planned);
  const matched = matchExceptions(unplanned, given.exceptions);
  const claimed = new Set<FailedRow>();
  const rowsOf = (of: (row: FailedRow) => boolean, from: number, to: number): FailedRow[] => given.failed.filter((row) => {
    if (claimed.has(row) || row.at < from || row.at > to || !of(row)) return false;
    claimed.add(row);
    return true;
  });
  const crashes = unplanned.map((exit, i): Crash => {
    const next = Math.min(given.starts.find((at) => at > exit.at) ?? exit.at + GAP_MS, unplanned[i + 1]?.at ?? Infinity);
    return { exit, exception: matched.of.get(exit), ended: rowsOf(brokeOff, exit.at - BEFORE_MS, exit.at + AFTER_MS), refused: rowsOf(foundNothing, exit.at - BEFORE_MS, next + AFTER_MS) };
  }).filter((crash) => knownBad(crash));
  return {
    crashes, planned: given.exits.filter((e) => e.planned), culprits: culprits(crashes), inferred: matched.inferred,
    explained: crashes.reduce((n, c) => n + c.ended.length + c.refused.length, 0), trigger: trigger(crashes),
  };
}

/** An exit whose code nobody saw counts as a crash only when an exception or a broken request stands beside it, or the process itself left a reason. */
function knownBad(crash: Crash): boolean {
  const { code, signal, reason } = crash.exit;
  return (reason !== undefined && !reason.startsWith(NO_LAST_WORD)) || code !== undefined || signal !== undefined || crash.exception !== undefined || crash.ended.length > 0;
}

type Ended = Pick<Exit, 'at' | 'pid'>;

/** Which exception ended which process; inferred: by count alone, where the log tells neither time nor process. */
export function matchExceptions<E extends Ended>(exits: readonly E[], groups: readonly ExceptionGroup[]): { of: Map<E, ExceptionGroup>; inferred: boolean } {
  const of = new Map<E, ExceptionGroup>();
  for (const exit of exits) {
    const best = nearest(exit, groups);
    if (best) of.set(exit, best);
  }
  const open = exits.filter((e) => !of.has(e));
  const unplaced = groups.filter((g) => g.fatal > 0 && g.seen.every((s) => s.at === undefined && s.pid === undefined));
  const only = unplaced.length === 1 ? unplaced[0] : undefined;
  const inferred = only !== undefined && open.length > 0 && of.size === 0 && only.fatal === open.length;
  if (inferred) for (const exit of open) of.set(exit, only);
  return { of, inferred };
}

/** The last exception that this process wrote before its end: fatal ones first, then the latest. */
function nearest(exit: Ended, groups: readonly ExceptionGroup[]): ExceptionGroup | undefined {
  let best: { group: ExceptionGroup; seen: Seen } | undefined;
  for (const group of groups) {
    for (const seen of group.seen) {
      if (!belongs(seen, exit)) continue;
      if (!best || Number(seen.fatal) > Number(best.seen.fatal) || (seen.fatal === best.seen.fatal && seen.order > best.seen.order)) best = { group, seen };
    }
  }
  return best?.group;
}

function belongs(seen: Seen, exit: Ended): boolean {
  const inTime = seen.at === undefined || (seen.at >= exit.at - WRITTEN_BEFORE_MS && seen.at <= exit.at + WRITTEN_AFTER_MS);
  if (seen.pid !== undefined && exit.pid !== undefined) return seen.pid === exit.pid && (inTime || seen.fatal);
  return seen.at !== undefined && inTime;
}

function culprits(crashes: readonly Crash[]): Culprit[] {
  const byKey = new Map<string, { exception: ExceptionGroup | undefined; crashes: Crash[] }>();
  for (const crash of crashes) {
    const key = crash.exception?.key ?? '';
    const known = byKey.get(key);
    if (known) known.crashes.push(crash);
    else byKey.set(key, { exception: crash.exception, crashes: [crash] });
  }
  return [...byKey.values()].sort((a, b) => b.crashes.length - a.crashes.length || Number(b.exception !== undefined) - Number(a.exception !== undefined) || byText(a.exception?.key ?? '', b.exception?.key ?? ''));
}

/** Named only when it is the one route that was in flight in all groups, and there are two groups at least: one group proves nothing, unless it holds one request. */
function trigger(crashes: readonly Crash[]): string | undefined {
  const groups = crashes.filter((c) => c.ended.length > 0).map((c) => new Set(c.ended.map((row) => `${row.method} ${row.route}`)));
  const [first, ...rest] = groups;
  if (!first) return undefined;
  const common = [...first].filter((route) => rest.every((group) => group.has(route)));
  const [only] = common;
  if (common.length !== 1 || only === undefined) return undefined;
  return groups.length > 1 || crashes[0]?.ended.length === 1 ? only : undefined;
}
