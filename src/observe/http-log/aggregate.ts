// Owns the figures of HTTP logs: rows in, one HttpSummary out, in bounded memory.
import type { HttpSummary, RequestRow } from '../../shared/model.ts';
import { createParser } from './parse.ts';
import type { ParseCounts, RawRow } from './parse.ts';
import { leftOut, requestRow } from './rows.ts';
import { Best, ClientTable, MinuteTable, RouteTable, StatusTable, failed } from './tables.ts';

export const SLOWEST_KEPT = 20;
export const FAILED_KEPT = 500;

export interface TallyOptions {
  /** Rows outside [from, to] (epoch ms, both included) are counted as outside and take no part. */
  from?: number;
  to?: number;
  /** Newest failed rows (status >= 500) to keep; FAILED_KEPT without it. */
  keep?: number;
  /** Each row that takes part, in the order of the input. */
  onRow?(row: RequestRow): void;
}

/** What several parsers (files, pieces) add up to. */
export class Tally {
  leftOut = 0;
  outside = 0;
  rows = 0;
  readonly #options: TallyOptions;
  readonly #from: number;
  readonly #to: number;
  readonly #routes = new RouteTable();
  readonly #clients = new ClientTable();
  readonly #status = new StatusTable();
  readonly #minutes = new MinuteTable();
  readonly #slowest = new Best(SLOWEST_KEPT, (raw) => raw.takenMs, (row) => row.takenMs ?? -1);
  readonly #failed: Best;
  #firstAt = Infinity;
  #lastAt = -Infinity;

  constructor(options: TallyOptions = {}) {
    this.#options = options;
    this.#from = options.from ?? -Infinity;
    this.#to = options.to ?? Infinity;
    this.#failed = new Best(options.keep ?? FAILED_KEPT, (raw) => raw.at, (row) => row.at);
  }

  /** Instants of the first and last row that took part; undefined without any. */
  get span(): { readonly from: number; readonly to: number } | undefined {
    return this.rows === 0 ? undefined : { from: this.#firstAt, to: this.#lastAt };
  }

  add(raw: RawRow, source: string): void {
    if (raw.at < this.#from || raw.at > this.#to) { this.outside += 1; return; }
    if (leftOut(raw)) { this.leftOut += 1; return; }
    this.rows += 1;
    if (raw.at < this.#firstAt) this.#firstAt = raw.at;
    if (raw.at > this.#lastAt) this.#lastAt = raw.at;
    let made: RequestRow | undefined;
    const make = (): RequestRow => made ??= requestRow(raw, source);
    this.#routes.add(raw);
    this.#clients.add(raw);
    this.#status.add(raw);
    this.#minutes.add(raw);
    if (raw.takenMs >= 0) this.#slowest.offer(raw, make);
    if (failed(raw.status)) this.#failed.offer(raw, make);
    this.#options.onRow?.(make());
  }

  summary(from: number, to: number, counts: Readonly<ParseCounts>): HttpSummary {
    return {
      from, to, bytes: counts.bytes, lines: counts.lines, rows: this.rows, malformed: counts.malformed, leftOut: this.leftOut,
      byStatus: this.#status.told(), ...this.#routes.told(), clients: this.#clients.told(),
      slowest: this.#slowest.rows(), failed: this.#failed.rows(), minutes: this.#minutes.told(from, to),
    };
  }
}

export interface HttpLogFold {
  /** lines = rows + comments + malformed + leftOut + outside (the last line, when unterminated, after end()). */
  readonly counts: Readonly<ParseCounts & { leftOut: number; outside: number }>;
  /** Places of the first malformed lines. */
  readonly malformedAt: readonly number[];
  readonly span: { readonly from: number; readonly to: number } | undefined;
  write(chunk: Uint8Array): void;
  end(): void;
  /** from and to name the window; rows were chosen when they came (see options). Quantiles are within 0.5 %. */
  summary(from: number, to: number): HttpSummary;
}

/** The figures of one log that comes as bytes. Memory is bounded whatever comes; see tables.ts for the bounds. */
export function httpLogFold(options: TallyOptions & { source: string; baseOffset?: number; dropPartial?: boolean }): HttpLogFold {
  const tally = new Tally(options);
  const parser = createParser({
    onRow: (raw) => tally.add(raw, options.source),
    ...(options.baseOffset === undefined ? {} : { baseOffset: options.baseOffset }),
    ...(options.dropPartial === undefined ? {} : { dropPartial: options.dropPartial }),
  });
  return {
    get counts() { return { ...parser.counts, rows: tally.rows, leftOut: tally.leftOut, outside: tally.outside }; },
    malformedAt: parser.malformedAt,
    get span() { return tally.span; },
    write: (chunk) => parser.write(chunk),
    end: () => parser.end(),
    summary: (from, to) => tally.summary(from, to, parser.counts),
  };
}
