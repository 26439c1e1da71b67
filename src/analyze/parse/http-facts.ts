// Owns one pass over the HTTP logs of a session: the report, and per status code when, where and how long, in bounded memory.
import type { HttpReport, HttpSource } from '../../shared/http-report.ts';
import type { RequestRow } from '../../shared/model.ts';
import { ABSENT } from '../../observe/http-log/columns.ts';
import type { Columns, LogFormat } from '../../observe/http-log/columns.ts';
import { Figures } from '../../observe/http-log/figures/figures.ts';
import { limitAt, TIME_LIMITS } from '../../observe/http-log/figures/limits.ts';
import { statusKey } from '../../observe/http-log/meaning.ts';
import { Histogram } from '../../observe/http-log/figures/histogram.ts';
import { detect } from '../../observe/http-log/detect.ts';
import { routeOf } from '../../observe/http-log/route.ts';
import { textOf } from '../../observe/http-log/rows.ts';
import { iisW3c } from '../../observe/http-log/w3c.ts';
import type { ArtifactReader } from '../contracts.ts';
import { RowGathering, type RowFacts } from '../events/rows.ts';

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
  readonly report: HttpReport;
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
  readonly rows: RowFacts;                                     // what a diagnosis must explain
}

/** What the report itself says of the HTTP log: small, and can be handed from thread to thread. */
export interface HttpBrief {
  readonly total: number;
  readonly failures: number;
  readonly aborts: number;                                     // given up by the client
  readonly waited: number;                                     // of these, after far longer than their route takes
  readonly failing: readonly { readonly key: string; readonly firstAt: number }[];   // codes of 500 and above
  readonly bucketMs: number;
  readonly buckets: readonly Bucket[];
  readonly p95: readonly (readonly [at: number, ms: number | null])[];
}

/** Failed rows kept for matching them with exits; more are counted. 20,000 rows are about 10 MB. */
export const FAILED_KEPT = 20_000;
const MAX_CODES = 200;
const MAX_ROUTES_OF_CODE = 500;
const MAX_METHOD = 32;
/** Bars of the timeline: one per 3 px on a wide page. */
const MOST_BUCKETS = 300;
/** Longer than this a person has stopped waiting (ten seconds is the limit of attention), halved because a page is more than one request. */
export const SLOW_MS = 5_000;
const NICE_BUCKETS_MS = [1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 21_600_000, 86_400_000];

/** The step of a timeline over this window. */
export function bucketOf(window: Window): number {
  const span = Math.max(1, window.to - window.from);
  return NICE_BUCKETS_MS.find((step) => span / step <= MOST_BUCKETS) ?? Math.ceil(span / MOST_BUCKETS / 86_400_000) * 86_400_000;
}

/** Did the client end it? 400.604 and 499 say so; win32 64, 995, 1229 and 1236 mean a connection that went, unless a limit of time was reached. */
export function isClientAbort(row: Pick<RequestRow, 'status' | 'sub' | 'win32' | 'takenMs'>): boolean {
  return aborted(row.status, row.sub ?? ABSENT, row.win32 ?? ABSENT, row.takenMs ?? ABSENT);
}
const CLIENT_GONE = new Set([64, 995, 1229, 1236]);

function aborted(status: number, sub: number, win32: number, takenMs: number): boolean {
  if (status === 499 || (status === 400 && sub === 604)) return true;
  if (!CLIENT_GONE.has(win32)) return false;
  if (status < 400) return true;
  return status === 502 && sub === 3 && limitAt(takenMs) < 0;
}

const kept = new WeakMap<readonly ArtifactReader[], Map<string, Promise<HttpFacts>>>();

/** The facts of these logs in this window. Asked again with the same list of readers it answers from memory: several analyzers share one pass. */
export function httpFacts(readers: readonly ArtifactReader[], window: Window, cancel: AbortSignal): Promise<HttpFacts> {
  const known = kept.get(readers) ?? new Map<string, Promise<HttpFacts>>();
  kept.set(readers, known);
  const key = keyOf(window);
  const found = known.get(key);
  if (found) return found;
  const made = gather(readers, window, cancel);
  known.set(key, made);
  made.catch(() => known.delete(key));                         // a cancelled pass must not be the answer to the next question
  return made;
}

/** App Service begins the name of a raw log with the instance's short id: a folder of several instances' logs is told apart by it. */
function instanceOf({ name, instance }: ArtifactReader['ref']): string {
  return instance === 'files' ? /(?:^|[/\\-])([0-9a-f]{6})-\d{8,}/i.exec(name)?.[1]?.toLowerCase() ?? instance : instance;
}

const briefs = new WeakMap<readonly ArtifactReader[], Map<string, HttpBrief>>();

/** The brief of these logs, when this thread has read them already. */
export function knownBrief(readers: readonly ArtifactReader[], window: Window): HttpBrief | undefined {
  return briefs.get(readers)?.get(keyOf(window));
}

export function briefOf({ total, failures, aborts, rows, codes, bucketMs, buckets, report }: HttpFacts): HttpBrief {
  const failing = codes.filter((code) => code.status >= 500).map(({ key, firstAt }) => ({ key, firstAt }));
  return { total, failures, aborts, waited: Math.max(0, aborts - rows.aborts), failing, bucketMs, buckets, p95: report.minutes.map(({ at, p95 }) => [at, p95 ?? null] as const) };
}

const keyOf = (window: Window): string => `${window.from}-${window.to}`;

async function gather(readers: readonly ArtifactReader[], window: Window, cancel: AbortSignal): Promise<HttpFacts> {
  const facts = new Gathering(window);
  // Rows carry whole seconds: one that ended inside the window's first second is written as before it.
  const from = Math.floor(window.from / 1_000) * 1_000;
  const figures = new Figures({ from, to: window.to, keepFailed: FAILED_KEPT, onRows: (columns, rows, count) => facts.add(columns, rows, count) });
  const sources: HttpSource[] = [];
  for (const [index, reader] of readers.entries()) {
    facts.from(reader);
    sources.push(await read(reader, cancel, (columns) => figures.add(columns, index)));
  }
  const told = facts.told({ ...figures.report(sources), from: window.from, to: window.to });
  briefs.set(readers, (briefs.get(readers) ?? new Map<string, HttpBrief>()).set(keyOf(window), briefOf(told)));
  return told;
}

async function read(reader: ArtifactReader, cancel: AbortSignal, sink: (columns: Columns) => void): Promise<HttpSource> {
  const { format, confidence } = await formatOf(reader);
  const log = format.reader({ sink });
  for await (const chunk of reader.stream()) {
    cancel.throwIfAborted();
    log.write(chunk as Uint8Array);
  }
  log.end();
  return { source: reader.ref.name, format: format.id, confidence, ...log.counts, malformedAt: [...log.malformedAt], ...(reader.ref.instance === '' ? {} : { instance: reader.ref.instance }) };
}

const SAMPLE_BYTES = 64 * 1024;
/** Ours are W3C and begin with their columns; what someone else hands in may be of any server. What nobody reads is read as W3C: its lines count as malformed. */
async function formatOf(reader: ArtifactReader): Promise<{ format: LogFormat; confidence: number }> {
  const first = Buffer.concat(await beginning(reader));
  if (first[0] === HASH) return { format: iisW3c, confidence: 1 };
  const { format, confidence } = detect({ first: first.subarray(0, SAMPLE_BYTES), whole: first.length < SAMPLE_BYTES, later: [] });
  return format === undefined ? { format: iisW3c, confidence: 0 } : { format, confidence };
}
const HASH = 35;

async function beginning(reader: ArtifactReader): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const chunk of reader.stream()) {
    pieces.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= SAMPLE_BYTES) break;
  }
  return pieces;
}

class Gathering {
  readonly #window: Window;
  readonly #codes = new Map<string, CodeFacts>();
  readonly #buckets = new Map<number, Bucket>();
  readonly #bucketMs: number;
  #last: Bucket = { at: NaN, ok: 0, refused: 0, failed: 0 };
  readonly #ordinary = new Histogram();
  #failures = 0;
  #aborts = 0;
  #slow = 0;
  readonly #rows: RowGathering;
  #source = { name: '', instance: '' };

  constructor(window: Window) {
    this.#window = window;
    this.#bucketMs = bucketOf(window);
    this.#rows = new RowGathering(window);
  }

  /** The rows that follow are of this log. */
  from({ ref }: ArtifactReader): void { this.#source = { name: ref.name, instance: instanceOf(ref) }; }

  add(columns: Columns, rows: Int32Array, count: number): void {
    for (let i = 0; i < count; i += 1) this.#row(columns, rows[i] as number);
    this.#rows.add(columns, rows, count, this.#source, (row) => aborted(columns.status[row] as number, columns.sub[row] as number, columns.win32[row] as number, columns.taken[row] as number));
  }

  #row(columns: Columns, row: number): void {
    const status = columns.status[row] as number, sub = columns.sub[row] as number, win32 = columns.win32[row] as number, takenMs = columns.taken[row] as number;
    const gone = aborted(status, sub, win32, takenMs), failed = status >= 500 && !gone;
    if (gone) this.#aborts += 1;
    else if (failed) this.#failures += 1;
    const bucket = this.#bucket(columns.at[row] as number);
    if (failed) bucket.failed += 1;
    else if (status >= 400) bucket.refused += 1;
    else bucket.ok += 1;
    if (takenMs !== ABSENT && status !== 101) {
      this.#ordinary.add(takenMs);
      if (takenMs > SLOW_MS) this.#slow += 1;
    }
    if (status >= 400 || gone) this.#code(columns, row);
  }

  #bucket(rowAt: number): Bucket {
    const at = Math.floor(rowAt / this.#bucketMs) * this.#bucketMs;
    if (this.#last.at === at) return this.#last;
    this.#last = this.#buckets.get(at) ?? { at, ok: 0, refused: 0, failed: 0 };
    this.#buckets.set(at, this.#last);
    return this.#last;
  }

  #code(columns: Columns, row: number): void {
    const at = columns.at[row] as number, takenMs = columns.taken[row] as number;
    const code = this.#codeOf(columns, row);
    if (!code) return;
    code.count += 1;
    code.firstAt = Math.min(code.firstAt, at);
    code.lastAt = Math.max(code.lastAt, at);
    const route = `${textOf(columns, 'method', row)?.slice(0, MAX_METHOD) ?? '-'} ${routeOf(textOf(columns, 'path', row) ?? '/')}`;
    const seen = code.routes.get(route);
    if (seen !== undefined || code.routes.size < MAX_ROUTES_OF_CODE) code.routes.set(route, (seen ?? 0) + 1);
    if (takenMs !== ABSENT) {
      code.taken.add(takenMs);
      const limit = TIME_LIMITS[limitAt(takenMs)]?.limitMs;
      if (limit !== undefined) code.limits.set(limit, (code.limits.get(limit) ?? 0) + 1);
    }
    const slot = Math.floor((at - this.#first()) / this.#bucketMs);
    code.buckets[slot] = (code.buckets[slot] ?? 0) + 1;
  }

  /** Codes beyond the bound take part in the totals only; a real log has a few dozen. */
  #codeOf(columns: Columns, row: number): CodeFacts | undefined {
    const there = (column: { readonly [row: number]: number }): number | undefined => (column[row] === ABSENT ? undefined : column[row]);
    const status = columns.status[row] as number, sub = there(columns.sub), win32 = there(columns.win32);
    const key = statusKey(status, sub, win32);
    const known = this.#codes.get(key);
    if (known || this.#codes.size >= MAX_CODES) return known;
    const made: CodeFacts = { key, status, sub, win32, count: 0, firstAt: Infinity, lastAt: -Infinity, taken: new Histogram(), routes: new Map(), limits: new Map(), buckets: [] };
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

  told(report: HttpReport): HttpFacts {
    return {
      report, total: report.rows, failures: this.#failures, aborts: this.#aborts, bucketMs: this.#bucketMs, buckets: this.#all(), slowRows: this.#slow, ordinary: this.#ordinary,
      codes: [...this.#codes.values()].sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1)),
      rows: this.#rows.told(), failed: [...report.failed].reverse(), failedLost: Math.max(0, report.failures - report.failed.length),
    };
  }
}
