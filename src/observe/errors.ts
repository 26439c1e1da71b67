// Owns the feed of errors: what the newest application logs and the event log say at level error or fatal.
import { stat } from 'node:fs/promises';
import type { EventLogRow } from '../platform/platform.ts';
import { DiagError } from '../shared/errors.ts';
import { maskText } from '../shared/mask.ts';
import type { LogLine, LogPage, LogSourceInfo } from '../shared/model.ts';
import { exceptionOf } from './logs/exception.ts';
import type { LoggedException } from './logs/exception.ts';
import type { Logs } from './observe.ts';
import type { Sampler } from './samplers/index.ts';

/** Logs looked at: stdout and stderr of the worker, its predecessor, the trace and the PHP log fit. */
export const FOLLOWED_LOGS = 8;
const REMEMBERED_LOGS = 64;
/** The catalog walks all of LogFiles: it is asked so seldom that this takes a 500th of the time (most of it waiting for files), but at least once a minute. */
const SHARE = 500;
const ASK_MIN_MS = 15_000;
const ASK_MAX_MS = 60_000;
/** After processes came or went their logs appear and tell why: for EAGER_MS the catalog is asked this often, which is as fresh as it is. */
const ASK_EAGER_MS = 3_000;
const EAGER_MS = 10_000;
/** A log that has rested for so long is looked at only every RESTING_LOOK_MS. */
const RESTS_AFTER_MS = 300_000;
const RESTING_LOOK_MS = 10_000;
const CHANGED_WITHIN_MS = 86_400_000;
/** Newest entries read of a log that is met for the first time, and errors told of one that was there before us. */
const PAGE_ENTRIES = 500;
const TOLD_AT_START = 20;
/** Read of one log in one look, and for how long; what is beyond comes with the next look. Twenty thousand lines of 200 bytes a second are kept up with. */
const LOOK_BYTES = 8 * 1_024 * 1_024;
const LOOK_MS = 250;
const TOLD_LEVELS = ['error', 'fatal'] as const;
const MAX_DETAIL = 120;

export interface ErrorsOptions {
  readonly logs: Pick<Logs, 'catalog' | 'path' | 'page' | 'since'>;
  now(): number;
  monotonic(): number;
  onError(line: LogLine): void;
  /** An error of a process whose pid is in the name of its log. */
  onProcessError(pid: number, at: number, error: Explanation): void;
}

interface Followed {
  readonly source: LogSourceInfo;
  readonly path: string;
  readonly pid: number | undefined;
  /** Inode, size and time at the last look. */
  seen: string;
  /** Of the monotonic clock. */
  lookedAt: number;
  changedAt: number;
  /** After the last entry that was told; undefined before the first. */
  cursor: string | undefined;
  /** The newest entry waits for the next look: it may have been half written. */
  held: boolean;
  /** It was there before us. */
  readonly old: boolean;
}

/** Looks at the size of the newest logs and reads what they have more. A tail of each would tell sooner, and cost ten times as much at rest. */
export class ErrorFollower implements Sampler {
  readonly id = 'errors';
  readonly everyMs = 2_000;
  readonly #options: ErrorsOptions;
  /** The cursors of logs that are not among the newest now are kept, so that nothing is told twice when they are again. */
  readonly #known = new Map<string, Followed>();
  #newest: ReadonlySet<string> = new Set();
  #first = true;
  #askAt = -Infinity;
  #askedAt = -Infinity;
  #eagerUntil = -Infinity;

  constructor(options: ErrorsOptions) {
    this.#options = options;
  }

  get following(): number { return this.#newest.size; }

  async tick(_at: number, signal: AbortSignal): Promise<string | undefined> {
    const now = this.#options.monotonic();
    if (now >= this.#askAt || (now < this.#eagerUntil && now >= this.#askedAt + ASK_EAGER_MS)) {
      const first = this.#first;
      this.#askedAt = now;
      await this.#choose((await this.#options.logs.catalog(signal)).sources);
      // The first walk finds nothing in any cache: it does not tell what the next ones cost.
      const tookMs = first ? 0 : this.#options.monotonic() - now;
      this.#askAt = now + Math.min(ASK_MAX_MS, Math.max(ASK_MIN_MS, tookMs * SHARE));
    }
    for (const one of this.#known.values()) {
      if (!this.#newest.has(one.source.id)) continue;
      if (now - one.changedAt > RESTS_AFTER_MS && now - one.lookedAt < RESTING_LOOK_MS) continue;
      one.lookedAt = now;
      await this.#look(one, signal);
    }
    return undefined;
  }

  /** Processes came or went: new logs are likely. */
  soon(): void {
    this.#eagerUntil = this.#options.monotonic() + EAGER_MS;
  }

  async #choose(sources: readonly LogSourceInfo[]): Promise<void> {
    const since = this.#options.now() - CHANGED_WITHIN_MS;
    const newest = sources.filter((one) => (one.kind === 'application' || one.kind === 'php' || one.kind === 'docker') && one.changedAt >= since)
      .sort((a, b) => b.changedAt - a.changedAt || (a.id < b.id ? -1 : 1)).slice(0, FOLLOWED_LOGS);
    this.#newest = new Set(newest.map((one) => one.id));
    for (const source of newest) {
      const known = this.#known.get(source.id) ?? await this.#meet(source);
      if (known === undefined) continue;
      this.#known.delete(source.id);
      this.#known.set(source.id, known);
    }
    for (const oldest of this.#known.keys()) { if (this.#known.size <= REMEMBERED_LOGS) break; this.#known.delete(oldest); }
    this.#first = false;
  }

  async #meet(source: LogSourceInfo): Promise<Followed | undefined> {
    const path = await unlessGone(() => this.#options.logs.path(source.id));
    if (path === undefined) return undefined;
    const restedMs = this.#options.now() - source.changedAt;
    return { source, path, pid: pidOf(source.title), seen: '', lookedAt: -Infinity, changedAt: this.#options.monotonic() - restedMs, cursor: undefined, held: false, old: this.#first };
  }

  async #look(one: Followed, signal: AbortSignal): Promise<void> {
    const state = await unlessGone(() => stat(one.path));
    const now = state === undefined ? 'gone' : `${state.ino} ${state.size} ${state.mtimeMs}`;
    const changed = now !== one.seen;
    if (state === undefined || (!changed && !one.held)) return;
    if (one.seen !== '' && changed) one.changedAt = one.lookedAt;
    const complete = one.cursor === undefined ? await this.#lookFirst(one, changed, signal) : await this.#lookOn(one, one.cursor, changed, signal);
    if (complete === undefined) return;
    // What is left is read at the next look, as if the log had changed again.
    one.seen = complete ? now : '';
  }

  async #lookFirst(one: Followed, changed: boolean, signal: AbortSignal): Promise<true | undefined> {
    const page = await unlessGone(() => this.#options.logs.page(one.source.id, { limit: PAGE_ENTRIES }, signal));
    if (page === undefined) return undefined;
    const errors = this.#whole(one, page, changed).filter(({ level }) => TOLD_LEVELS.some((told) => told === level));
    for (const line of one.old ? errors.slice(-TOLD_AT_START) : errors) this.#tell(one, line, true);
    return true;
  }

  /** True when the log was read to its end; undefined when it is gone. */
  async #lookOn(one: Followed, after: string, changed: boolean, signal: AbortSignal): Promise<boolean | undefined> {
    const since = await unlessGone(() => this.#options.logs.since(one.source.id, { after, levels: TOLD_LEVELS, maxBytes: LOOK_BYTES, forMs: LOOK_MS }, signal));
    if (since === undefined) return undefined;
    const { newest } = since;
    one.held = changed && newest !== undefined;
    one.cursor = one.held && newest !== undefined ? newest.before : since.after;
    const told = one.held && newest?.isWanted === true ? since.lines.slice(0, -1) : since.lines;
    for (const line of told) this.#tell(one, line, false);
    return since.complete;
  }

  /** Moves the cursor on and gives the entries that can be told: of a log that has just changed all but the newest. */
  #whole(one: Followed, page: LogPage, changed: boolean): readonly LogLine[] {
    const { lines } = page;
    one.held = changed && lines.length > 0 && lines.at(-1)?.cursor === page.after;
    if (!one.held) { one.cursor = page.after; return lines; }
    one.cursor = lines.at(-2)?.cursor ?? one.cursor;
    return lines.slice(0, -1);
  }

  #tell(one: Followed, line: LogLine, first: boolean): void {
    this.#options.onError(line);
    // An entry without a time of its own was written when the log last changed, or, when we saw it come, just now.
    if (one.pid !== undefined) this.#options.onProcessError(one.pid, line.at ?? (first ? one.source.changedAt : this.#options.now()), explain(line.text));
  }
}

/** Undefined when the log went away meanwhile: logs rotate. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if ((error instanceof DiagError && error.code === 'SOURCE_UNKNOWN') || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** iisnode's `<computer>-<pid>-stderr-<ms>.txt`, and -stdout-. */
function pidOf(title: string): number | undefined {
  const digits = /(?:^|[/\\])[^/\\]*-(\d{1,9})-std(?:err|out)-\d+\.txt$/.exec(title)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** `sure`: an exception, not just a line at level error. */
export interface Explanation { readonly detail: string; readonly sure: boolean }

/** "TypeError, lib/cart.js:41"; without an exception the entry's first line. Masked. */
export function explain(text: string): Explanation {
  const exception = exceptionOf(text);
  return exception === undefined ? { detail: cut(maskText(text.trim().split(/\r?\n/, 1)[0] ?? '').text), sure: false } : { detail: sayException(exception), sure: true };
}

function sayException(exception: LoggedException): string {
  const frame = exception.frames.find((one) => one.ours && one.file !== undefined) ?? exception.frames.find((one) => one.file !== undefined);
  if (frame?.file === undefined) return cut(maskText(exception.message === '' ? exception.type : `${exception.type}: ${exception.message}`).text);
  return cut(`${exception.type}, ${belowSite(frame.file)}${frame.line === undefined ? '' : `:${frame.line}`}`);
}

/** The path inside the app: below wwwroot, else its last two parts. */
function belowSite(file: string): string {
  const parts = file.replace(/^file:\/\//, '').split(/[/\\]/);
  const root = parts.lastIndexOf('wwwroot');
  return (root >= 0 ? parts.slice(root + 1) : parts.slice(-2)).join('/');
}

const cut = (text: string): string => text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL - 1)}…` : text;

/** A row of the event log as a line of its source. */
export function eventLine(row: EventLogRow, source: string): LogLine {
  return { at: row.at, source, offset: 0, cursor: '', level: row.level, text: `${row.provider} ${row.id}: ${maskText(row.text.slice(0, 4_000)).text}` };
}
