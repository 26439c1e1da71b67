// Owns one pass over the HTTP logs of a session: the summary, and per status code when, where and how long, in bounded memory.
import type { HttpSummary, RequestRow } from '../../shared/model.ts';
import { httpLogFold } from '../../observe/http-log/aggregate.ts';
import { statusKey } from '../../observe/http-log/meaning.ts';
import { Histogram } from '../../observe/http-log/quantile.ts';
import type { ArtifactReader } from '../contracts.ts';

export interface Window { readonly from: number; readonly to: number }
export interface CodeFacts {
  readonly key: string;                                        // "502.3.12030"
  readonly status: number;
  readonly sub: number | undefined;
  readonly win32: number | undefined;
  count: number;
  firstAt: number;
  lastAt: number;
  readonly taken: Histogram;
  readonly routes: Map<string, number>;                        // "GET /cart": at most MAX_ROUTES_OF_CODE
  readonly limits: Map<number, number>;                        // rows whose time-taken lies at a known limit of time
  readonly buckets: number[];                                  // rows per bucket of HttpFacts.bucketMs
}
export interface Bucket { at: number; ok: number; refused: number; failed: number }
export interface HttpFacts {
  readonly summary: HttpSummary;
  readonly codes: readonly CodeFacts[];                        // status >= 400 or ended by the client, most first
  readonly failed: readonly RequestRow[];                      // oldest first; the newest FAILED_KEPT
  readonly failedLost: number;
  readonly total: number;
  readonly failures: number;                                   // status >= 500 that the client did not cause
  readonly aborts: number;
  readonly bucketMs: number;
  readonly buckets: readonly Bucket[];                         // every bucket of the window, empty ones too; none without rows
  readonly slowRows: number;                                   // of ordinary requests, longer than SLOW_MS
  readonly ordinary: Histogram;                                // time-taken without upgrades (101), which last by design
}

/** Failed rows kept for matching them with exits; more are counted. 20,000 rows are about 10 MB. */
export const FAILED_KEPT = 20_000;
const MAX_CODES = 200;
const MAX_ROUTES_OF_CODE = 500;
/** Bars of the timeline: one per 3 px on a wide page. */
const MOST_BUCKETS = 300;
/** Longer than this a person has stopped waiting (ten seconds is the limit of attention), halved because a page is more than one request. */
export const SLOW_MS = 5_000;
/** Known limits of time in front of and inside the app: iisnode's connect retries 50 s, idle time-out of Linux's proxy 60 s, HttpPlatformHandler 120 s, front end 230 s (Linux 240 s). */
export const LIMITS_MS = [50_000, 60_000, 120_000, 230_000, 240_000] as const;
/** A limit fires within its timer's grain and the queue behind it: observed rows lie up to 2 s above, hardly below. */
const LIMIT_BELOW_MS = 500;
const LIMIT_ABOVE_MS = 2_500;

const NICE_BUCKETS_MS = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000];

/** The step of a timeline over this window. */
export function bucketOf(window: Window): number {
  const span = Math.max(1, window.to - window.from);
  return NICE_BUCKETS_MS.find((step) => span / step <= MOST_BUCKETS) ?? Math.ceil(span / MOST_BUCKETS / 86_400_000) * 86_400_000;
}

/** Did the client end it? 400.604 and 499 say so; win32 64, 995, 1229 and 1236 mean a connection that went, unless a limit of time was reached. */
export function isClientAbort(row: Pick<RequestRow, 'status' | 'sub' | 'win32' | 'takenMs'>): boolean {
  if (row.status === 499 || (row.status === 400 && row.sub === 604)) return true;
  if (row.win32 === undefined || !CLIENT_GONE.has(row.win32)) return false;
  if (row.status < 400) return true;
  return row.status === 502 && row.sub === 3 && limitOf(row.takenMs) === undefined;
}
const CLIENT_GONE = new Set([64, 995, 1229, 1236]);

export function limitOf(takenMs: number | undefined): number | undefined {
  if (takenMs === undefined) return undefined;
  return LIMITS_MS.find((limit) => takenMs >= limit - LIMIT_BELOW_MS && takenMs <= limit + LIMIT_ABOVE_MS);
}

const kept = new WeakMap<readonly ArtifactReader[], Map<string, Promise<HttpFacts>>>();

/** The facts of these logs in this window. Asked again with the same list of readers it answers from memory: several analyzers share one pass. */
export function httpFacts(readers: readonly ArtifactReader[], window: Window, cancel: AbortSignal): Promise<HttpFacts> {
  const known = kept.get(readers) ?? new Map<string, Promise<HttpFacts>>();
  kept.set(readers, known);
  const key = `${window.from}-${window.to}`;
  const found = known.get(key);
  if (found) return found;
  const made = gather(readers, window, cancel);
  known.set(key, made);
  made.catch(() => known.delete(key));                         // a cancelled pass must not be the answer to the next question
  return made;
}

async function gather(readers: readonly ArtifactReader[], window: Window, cancel: AbortSignal): Promise<HttpFacts> {
  const facts = new Gathering(window);
  // Rows carry whole seconds: one that ended inside the window's first second is written as before it.
  const from = Math.floor(window.from / 1_000) * 1_000;
  const fold = httpLogFold({ source: readers[0]?.ref.name ?? 'http-log', from, to: window.to, keep: FAILED_KEPT, onRow: (row) => facts.add(row) });
  for (const reader of readers) {
    for await (const chunk of reader.stream()) {
      cancel.throwIfAborted();
      fold.write(chunk as Uint8Array);
    }
    fold.write(NEWLINE);                                       // a file that ends in mid-row must not swallow the next one's first line
  }
  fold.end();
  return facts.told(fold.summary(window.from, window.to));
}

const NEWLINE = new Uint8Array([10]);

class Gathering {
  readonly #window: Window;
  readonly #codes = new Map<string, CodeFacts>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #bucketMs: number;
  readonly #ordinary = new Histogram();
  #failures = 0;
  #aborts = 0;
  #slow = 0;

  constructor(window: Window) {
    this.#window = window;
    this.#bucketMs = bucketOf(window);
  }

  add(row: RequestRow): void {
    const aborted = isClientAbort(row);
    const failed = row.status >= 500 && !aborted;
    if (aborted) this.#aborts += 1;
    else if (failed) this.#failures += 1;
    const bucket = this.#bucket(row.at);
    if (failed) bucket.failed += 1;
    else if (row.status >= 400) bucket.refused += 1;
    else bucket.ok += 1;
    if (row.takenMs !== undefined && row.status !== 101) {
      this.#ordinary.add(row.takenMs);
      if (row.takenMs > SLOW_MS) this.#slow += 1;
    }
    if (row.status >= 400 || aborted) this.#code(row);
  }

  #bucket(rowAt: number): Bucket {
    const at = Math.floor(rowAt / this.#bucketMs) * this.#bucketMs;
    const known = this.#buckets.get(at);
    if (known) return known;
    const made = { at, ok: 0, refused: 0, failed: 0 };
    this.#buckets.set(at, made);
    return made;
  }

  #code(row: RequestRow): void {
    const key = statusKey(row.status, row.sub, row.win32);
    const code = this.#codes.get(key) ?? this.#newCode(key, row);
    if (!code) return;
    code.count += 1;
    code.firstAt = Math.min(code.firstAt, row.at);
    code.lastAt = Math.max(code.lastAt, row.at);
    const route = `${row.method} ${row.route}`;
    const seen = code.routes.get(route);
    if (seen !== undefined || code.routes.size < MAX_ROUTES_OF_CODE) code.routes.set(route, (seen ?? 0) + 1);
    if (row.takenMs !== undefined) {
      code.taken.add(row.takenMs);
      const limit = limitOf(row.takenMs);
      if (limit !== undefined) code.limits.set(limit, (code.limits.get(limit) ?? 0) + 1);
    }
    const slot = Math.floor((row.at - this.#first()) / this.#bucketMs);
    code.buckets[slot] = (code.buckets[slot] ?? 0) + 1;
  }

  /** Codes beyond the bound take part in the totals only; a real log has a few dozen. */
  #newCode(key: string, row: RequestRow): CodeFacts | undefined {
    if (this.#codes.size >= MAX_CODES) return undefined;
    const made: CodeFacts = { key, status: row.status, sub: row.sub, win32: row.win32, count: 0, firstAt: row.at, lastAt: row.at, taken: new Histogram(), routes: new Map(), limits: new Map(), buckets: [] };
    this.#codes.set(key, made);
    return made;
  }

  #first(): number {
    return Math.floor(this.#window.from / this.#bucketMs) * this.#bucketMs;
  }

  #all(): Bucket[] {
    if (this.#buckets.size === 0) return [];
    const out: Bucket[] = [];
    for (let at = this.#first(); at <= this.#window.to; at += this.#bucketMs) out.push(this.#buckets.get(at) ?? { at, ok: 0, refused: 0, failed: 0 });
    return out;
  }

  told(summary: HttpSummary): HttpFacts {
    return {
      summary, total: summary.rows, failures: this.#failures, aborts: this.#aborts, bucketMs: this.#bucketMs, buckets: this.#all(), slowRows: this.#slow, ordinary: this.#ordinary,
      codes: [...this.#codes.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)),
      failed: [...summary.failed].reverse(), failedLost: Math.max(0, summary.byStatus.filter((s) => s.status >= 500).reduce((n, s) => n + s.count, 0) - summary.failed.length),
    };
  }
}
