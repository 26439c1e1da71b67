// Owns the feed of errors: what the newest application logs and the event log say at level error or fatal.
import type { EventLogRow } from '../platform/platform.ts';
import { sayError } from '../shared/errors.ts';
import { maskText } from '../shared/mask.ts';
import type { LogLine, LogSourceInfo } from '../shared/model.ts';
import { exceptionOf } from './logs/exception.ts';
import type { Logs } from './observe.ts';
import type { Sampler } from './samplers/index.ts';

/** Logs followed at once: stdout and stderr of the worker, its predecessor, the trace and the PHP log fit. */
export const FOLLOWED_LOGS = 8;
/** The catalog walks all of LogFiles: it is asked so seldom that this takes a 500th of the time (most of it waiting for files), but at least once a minute. */
const SHARE = 500;
const ASK_MIN_MS = 3_000;
const ASK_MAX_MS = 60_000;
/** After processes came or went their logs appear and tell why: for so long the catalog is asked every ASK_MIN_MS. */
const EAGER_MS = 10_000;
const CHANGED_WITHIN_MS = 86_400_000;
/** Of a log that was there before us, and of one that appears while we look. */
const LAST_AT_START = 20;
const LAST_OF_NEW = 200;
const MAX_DETAIL = 120;

export interface ErrorsOptions {
  readonly logs: Logs;
  now(): number;
  monotonic(): number;
  onError(line: LogLine): void;
  /** An error of a process whose pid is in the name of its log. */
  onProcessError(pid: number, at: number, detail: string): void;
}

interface Following { readonly source: LogSourceInfo; readonly stop: AbortController; readonly ended: Promise<void> }

/** Keeps the newest logs followed; the reading itself is that of Logs, which wakes only for files that grow. */
export class ErrorFollower implements Sampler {
  readonly id = 'errors';
  readonly everyMs = 1_000;
  readonly #options: ErrorsOptions;
  readonly #following = new Map<string, Following>();
  #first = true;
  #askAt = -Infinity;
  #askedAt = -Infinity;
  #eagerUntil = -Infinity;
  #failed: string | undefined;
  #dropped = 0;

  constructor(options: ErrorsOptions) {
    this.#options = options;
  }

  get following(): number { return this.#following.size; }

  async tick(_at: number, signal: AbortSignal): Promise<string | undefined> {
    const now = this.#options.monotonic();
    if (now >= this.#askAt || (now < this.#eagerUntil && now >= this.#askedAt + ASK_MIN_MS)) {
      const first = this.#first;
      this.#askedAt = now;
      this.#choose((await this.#options.logs.catalog(signal)).sources, signal);
      // The first walk finds nothing in any cache: it does not tell what the next ones cost.
      const tookMs = first ? 0 : this.#options.monotonic() - now;
      this.#askAt = now + Math.min(ASK_MAX_MS, Math.max(ASK_MIN_MS, tookMs * SHARE));
    }
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) throw new Error(failed);
    return undefined;
  }

  /** Processes came or went: new logs are likely. */
  soon(): void {
    this.#eagerUntil = this.#options.monotonic() + EAGER_MS;
  }

  #choose(sources: readonly LogSourceInfo[], signal: AbortSignal): void {
    const since = this.#options.now() - CHANGED_WITHIN_MS;
    const newest = sources.filter((one) => (one.kind === 'application' || one.kind === 'php' || one.kind === 'docker') && one.changedAt >= since)
      .sort((a, b) => b.changedAt - a.changedAt || (a.id < b.id ? -1 : 1)).slice(0, FOLLOWED_LOGS);
    const ids = new Set(newest.map((one) => one.id));
    for (const [id, one] of this.#following) if (!ids.has(id)) { one.stop.abort(); this.#following.delete(id); }
    for (const source of newest) if (!this.#following.has(source.id)) this.#start(source, signal);
    this.#first = false;
  }

  lost(): readonly { what: string; count: number }[] {
    return this.#dropped === 0 ? [] : [{ what: 'error entries that came faster than they were read', count: this.#dropped }];
  }

  /** Resolves when nothing is followed any more; abort the signal of tick() first. */
  async ended(): Promise<void> {
    await Promise.all([...this.#following.values()].map((one) => one.ended));
  }

  #start(source: LogSourceInfo, signal: AbortSignal): void {
    const stop = new AbortController();
    const last = this.#first ? LAST_AT_START : LAST_OF_NEW;
    const ended = this.#follow(source, last, AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
      if (!stop.signal.aborted && !signal.aborted) this.#failed = sayError(error);
    }).finally(() => { if (this.#following.get(source.id)?.stop === stop) this.#following.delete(source.id); });
    this.#following.set(source.id, { source, stop, ended });
  }

  async #follow(source: LogSourceInfo, last: number, signal: AbortSignal): Promise<void> {
    const pid = pidOf(source.title);
    let past = true;
    for await (const batch of this.#options.logs.follow(source.id, { last, filter: { levels: ['error', 'fatal'] }, signal })) {
      this.#dropped += batch.dropped;
      for (const item of batch.items) {
        if (!('line' in item)) continue;
        this.#options.onError(item.line);
        // An entry without a time of its own was written when the file last changed, or, when it comes live, just now.
        if (pid !== undefined) this.#options.onProcessError(pid, item.line.at ?? (past ? source.changedAt : this.#options.now()), explain(item.line.text));
      }
      past = false;
    }
  }
}

/** iisnode's `<computer>-<pid>-stderr-<ms>.txt`. */
function pidOf(title: string): number | undefined {
  const digits = /(?:^|[/\\])[^/\\]*-(\d{1,9})-stderr-\d+\.txt$/.exec(title)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** "TypeError, lib/cart.js:41"; without an exception the entry's first line. Masked. */
export function explain(text: string): string {
  const exception = exceptionOf(text);
  if (exception === undefined) return cut(maskText(text.trim().split(/\r?\n/, 1)[0] ?? '').text);
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
