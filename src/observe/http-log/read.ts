// Owns the HTTP log of a window: figures and rows from the files, also rotated ones, without reading what lies outside.
import { open } from 'node:fs/promises';
import type { HttpSummary, RequestRow } from '../../shared/model.ts';
import { Tally } from './aggregate.ts';
import { httpLogNames, isGone, lookAt, pieces } from './files.ts';
import { statusKey } from './meaning.ts';
import { ABSENT, createParser } from './parse.ts';
import type { ParseCounts, RawRow } from './parse.ts';
import { leftOut, requestRow } from './rows.ts';
import { routeOf } from './route.ts';
import { spanOf } from './seek.ts';
import { Best, failed } from './tables.ts';

export interface RowQuery {
  readonly from: number;
  readonly to: number;
  readonly failed?: boolean;
  /** "5xx", "502", "502.3" or "502.3.12030". */
  readonly status?: string;
  /** A route, alone or behind its method: "GET /api/orders/{id}". */
  readonly route?: string;
  readonly limit: number;
}

export interface HttpLog {
  /** The figures of [from, to]. bytes and lines count what was read, which is the window and up to five minutes on either side. */
  summary(from: number, to: number, signal: AbortSignal): Promise<HttpSummary>;
  /** Rows of [from, to] that match, newest first; `more`: there are others beyond the limit. */
  rows(query: RowQuery, signal: AbortSignal): Promise<{ readonly rows: readonly RequestRow[]; readonly more: boolean }>;
}

export interface HttpLogOptions {
  readonly folder: string;
  readonly instance: string;
  /** The catalog's id of a file of the folder. */
  sourceOf(name: string, signal: AbortSignal): Promise<string>;
}

/** The first slice that is searched for rows, counted back from the end; each further one is four times as long. */
const FIRST_SLICE_MS = 60_000;

export function httpLog(options: HttpLogOptions): HttpLog {
  return {
    async summary(from, to, signal) {
      const tally = new Tally({ from, to });
      const total: ParseCounts = { bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0 };
      await readWindow(options, { from, to }, signal, (raw, source) => tally.add(raw, source), (counts) => {
        for (const key of Object.keys(total) as (keyof ParseCounts)[]) total[key] += counts[key];
      });
      return tally.summary(from, to, total);
    },
    async rows(query, signal) {
      const matches = matcher(query);
      const best = new Best(query.limit + 1, (raw) => raw.at, (row) => row.at);
      let found = 0;
      let to = query.to;
      // Newest first: a slice of time is whole before an older one is read, so the search ends when enough was found.
      for (let sliceMs = FIRST_SLICE_MS; to >= query.from && found <= query.limit; sliceMs *= 4) {
        const from = Math.max(query.from, to - sliceMs + 1);
        const slice = { from, to };
        await readWindow(options, slice, signal, (raw, source) => {
          if (raw.at < slice.from || raw.at > slice.to || leftOut(raw) || !matches(raw)) return;
          found += 1;
          best.offer(raw, () => requestRow(raw, source));
        });
        to = from - 1;
      }
      return { rows: best.rows().slice(0, query.limit), more: found > query.limit };
    },
  };
}

/** Every row of the files that can lie in the window (and some around it), file after file. */
async function readWindow(options: HttpLogOptions, window: { from: number; to: number }, signal: AbortSignal, onRow: (raw: RawRow, source: string) => void, onFile?: (counts: Readonly<ParseCounts>) => void): Promise<void> {
  for (const name of await httpLogNames(options.folder, options.instance)) {
    signal.throwIfAborted();
    const seen = await lookAt(options.folder, name);
    if (seen === undefined || seen.sizeBytes === 0) continue;
    try {
      await readFile(options, { name, path: seen.path, sizeBytes: seen.sizeBytes }, window, signal, onRow, onFile);
    } catch (error) {
      // Rotated away between the listing and the reading.
      if (!isGone(error)) throw error;
    }
  }
}

async function readFile(options: HttpLogOptions, seen: { name: string; path: string; sizeBytes: number }, window: { from: number; to: number }, signal: AbortSignal,
  onRow: (raw: RawRow, source: string) => void, onFile?: (counts: Readonly<ParseCounts>) => void): Promise<void> {
  const file = await open(seen.path, 'r');
  try {
    const span = await spanOf(file, seen.sizeBytes, window.from, window.to, signal);
    if (span === undefined) return;
    const source = await options.sourceOf(seen.name, signal);
    // An unterminated last line is a row that IIS has not flushed to its end.
    const parser = createParser({ baseOffset: span.start, dropPartial: true, ...(span.fields === undefined ? {} : { fields: span.fields }), onRow: (raw) => onRow(raw, source) });
    for await (const piece of pieces(file, span.start, span.end, signal)) parser.write(piece);
    parser.end();
    onFile?.(parser.counts);
  } finally {
    await file.close();
  }
}

function matcher(query: RowQuery): (raw: RawRow) => boolean {
  const { status, route } = query;
  const family = status === undefined ? undefined : /^([1-9])xx$/i.exec(status)?.[1];
  return (raw) => {
    if (query.failed === true && !failed(raw.status)) return false;
    if (query.failed === false && failed(raw.status)) return false;
    if (family !== undefined) { if (Math.floor(raw.status / 100) !== Number(family)) return false; }
    else if (status !== undefined && !hasStatus(raw, status)) return false;
    if (route === undefined) return true;
    const own = routeOf(raw.text('path') ?? '/');
    return own === route || `${raw.text('method') ?? '-'} ${own}` === route;
  };
}

/** "502" also holds for 502.3.12030. */
function hasStatus(raw: RawRow, status: string): boolean {
  if (status === String(raw.status)) return true;
  const key = statusKey(raw.status, raw.sub === ABSENT ? undefined : raw.sub, raw.win32 === ABSENT ? undefined : raw.win32);
  return key === status || key.startsWith(`${status}.`);
}
