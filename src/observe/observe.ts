// Owns the contracts of observing: the feed, samplers, log sources, and what the floors above may see of the recent past.
import type { AppLinks } from '../platform/app-link.ts';
import type { Change, Level, LogFilter, LogLine, LogPage, LogSourceInfo, Now, ProcessInfo, ProcessKey, RequestRow, Sample } from '../shared/model.ts';
import type { HttpReport } from '../shared/http-report.ts';
import type { LogItem } from '../shared/live.ts';
import type { FoundPage, HttpQuery, RowQuery } from './http-log/read.ts';

export interface Batch<T> { readonly items: readonly T[]; readonly dropped: number }

/** A ring that can be followed: the backlog, then what is live, each item once and in order. A slow follower loses the
 *  oldest and is told how many. Items are shared, not copied: treat them as frozen. */
export interface Feed<T> {
  publish(item: T): void;
  recent(): readonly T[];
  /** `limit`: items kept for this follower while it is busy. `backlog` false: only what is new. Ends when the signal aborts. */
  follow(options: { signal: AbortSignal; limit?: number; backlog?: boolean }): AsyncIterable<Batch<T>>;
}

/** As much of a request as is known without its row being made; only valid during the call that it is shown to. */
export type RequestGlance = Pick<RequestRow, 'at' | 'path' | 'status' | 'sub' | 'win32' | 'takenMs'>;

/** Rows that came together, in the order of the log. */
export interface RequestRows {
  readonly size: number;
  /** Made when they are first asked for, then kept. */
  readonly rows: readonly RequestRow[];
  /** Those of [from, to), at a fraction of what rows cost. */
  each(from: number, to: number, look: (request: RequestGlance) => void): void;
}

/** `items` are made when they are asked for. */
export interface RequestBatch extends Batch<RequestRow> { each(look: (request: RequestGlance) => void): void }

/** The feed of requests: nobody looks at most of them, so their rows are made late. */
export interface RequestFeed extends Feed<RequestRow> {
  add(rows: RequestRows): void;
  /** Makes what is kept into rows, a block a turn: who is about to ask for all of them holds nobody up for long. */
  make(): Promise<void>;
  follow(options: Parameters<Feed<RequestRow>['follow']>[0]): AsyncIterable<RequestBatch>;
}

export interface ProcessExit { readonly process: ProcessKey; readonly name: string; readonly at: number; readonly exitCode?: number; readonly signal?: string }

export interface SamplerHealth { readonly id: string; readonly state: 'good' | 'failing' | 'waiting'; readonly lastAt?: number; readonly error?: string; readonly costMs?: number }

/** `channel`: from here on frames of this number are this follower's, and count what was left out from `passedBefore` on. */
export interface LogBatch { readonly items: readonly LogItem[]; readonly dropped: number; readonly droppedLines?: number; readonly passed: number; readonly cursor: string; readonly channel?: number; readonly passedBefore?: number }

/** Where a followed log goes: a socket, or what else takes it at once. */
export interface LogSink {
  /** Lines in the form of shared/log-frame.ts, secrets masked. One buffer goes to many: never changed before `sent` was called, once,
   *  by each who was given it; who keeps it does not call. */
  frame(bytes: Buffer, sent?: () => void): void;
  /** The past, notices and losses. */
  batch(batch: LogBatch): void;
  /** Bytes taken that are not on their way yet; above a megabyte the log waits, keeps four megabytes in all, and counts what it drops. */
  readonly waitingBytes: number;
  /** Calls back whenever less waits than before. */
  onRoom(call: () => void): void;
  /** May frames of this channel be told apart from those of others of the same receiver? */
  claim(channel: number): boolean;
}

/** What a log has more since a cursor. `newest`: the last entry of all, which may still go on; `before` it the reading can begin again. */
export interface LogSince { readonly lines: readonly LogLine[]; readonly after: string; readonly complete: boolean; readonly newest?: { readonly before: string; readonly isWanted: boolean } }

/** The logs of the site: catalog, pages of lines, live tails. */
export interface Logs {
  /** A few seconds old at most; `fresh`: as of now, so that the log of a crash a moment ago is in it. */
  catalog(signal: AbortSignal, options?: { readonly fresh?: boolean }): Promise<{ readonly sources: readonly LogSourceInfo[]; readonly more: number }>;
  /** Absolute path of a source, for reading only. @throws SOURCE_UNKNOWN */
  path(source: string): Promise<string>;
  /** @throws SOURCE_UNKNOWN, CURSOR_BAD, FILTER_BAD */
  page(source: string, query: { before?: string; after?: string; at?: number; offset?: number; limit: number; filter?: LogFilter }, signal: AbortSignal): Promise<LogPage>;
  /** Of a log file, the entries of these levels since a cursor: many times cheaper than pages of all. @throws as page */
  since(source: string, query: { after: string; levels: readonly Level[]; maxBytes: number; forMs: number }, signal: AbortSignal): Promise<LogSince>;
  /** Live: first the last `last` entries or all since `cursor`, then what comes, as it comes; filtered and masked on this side. Ends when
   *  the signal aborts. @throws as page */
  follow(source: string, options: { cursor?: string; last?: number; filter?: LogFilter; signal: AbortSignal; sink: LogSink }): Promise<void>;
}

/** What analyze, mitigate and the pages may see of the recent past; made by the observer. */
export interface Observed {
  readonly samples: Feed<Sample>;
  readonly requests: RequestFeed;
  readonly changes: Feed<Change>;
  readonly errors: Feed<LogLine>;                              // error and fatal entries of application logs and event log
  readonly logs: Logs;
  /** The site's processes as last seen, ours marked. */
  processes(): readonly ProcessInfo[];
  /** Newest sample of each process and of the site (key 'site'). */
  latest(): ReadonlyMap<string, Sample>;
  exits(since: number): readonly ProcessExit[];
  /** The apps that carry the preload: their last minute from inside, and what can be asked of them. Absent: nobody looks for preloads here. */
  readonly inside?: Pick<AppLinks, 'apps' | 'ask'>;
  health(): readonly SamplerHealth[];
  lost(): readonly { readonly what: string; readonly count: number }[];
  /** The HTTP log of [from, to], read from the files (also rotated ones). */
  http(query: HttpQuery, signal: AbortSignal): Promise<HttpReport>;
  /** Rows of the HTTP log, newest first, filtered. */
  rows(query: RowQuery, signal: AbortSignal): Promise<FoundPage>;
}

export type NowOf = (observed: Observed, minutes: number, at: number) => Promise<Now>;
