// Owns generated HTTP logs with the exact truth beside them: seeded, of every format, from a few lines to many gigabytes.
import { closeSync, openSync, writeSync } from 'node:fs';
import { W3C, W3C_SHORT, damagedLine } from './http-log-lines.ts';
import type { LineWriter } from './http-log-lines.ts';
import { Truth } from './http-log-truth.ts';
import { TrafficSource } from './http-traffic.ts';
import type { Traffic, TrafficOptions } from './http-traffic.ts';

export { WRITERS } from './http-log-lines.ts';
export type { LineWriter } from './http-log-lines.ts';
export { exactQuantile } from './http-log-truth.ts';
export type { RouteTruth, Truth } from './http-log-truth.ts';

export interface LogOptions extends TrafficOptions {
  readonly bytes?: number;
  readonly rows?: number;
  /** One line in so many is damaged; 0 for none. */
  readonly damagedEvery?: number;
  /** The header is written again every so many rows, as a server does that starts anew. */
  readonly headEvery?: number;
  /** At a repeated header the columns change (W3C). */
  readonly fieldChanges?: boolean;
  readonly keepTaken?: boolean;
}

export interface ExpectedRow { offset: number; at: number; status: number; sub: number; win32: number; taken: number; sent: number; received: number; [text: string]: string | number }

const BUFFER_BYTES = 4 * 1024 * 1024;
/** No line of the generator is longer. */
const LONGEST_LINE = 64 * 1024;

/** Writes lines until there are enough; whole buffers go out through `write`. Memory stays flat, save what the truth holds. */
function generate(writer: LineWriter, options: LogOptions, write: (piece: Uint8Array) => void, onRow?: (row: ExpectedRow) => void): Truth {
  const source = new TrafficSource(options);
  const truth = new Truth(options.keepTaken ?? (options.rows ?? 0) > 0);
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  const wantedBytes = options.bytes ?? Infinity, wantedRows = options.rows ?? Infinity;
  let now = writer, used = 0, written = 0, untilHead = 0;
  const put = (line: string): void => {
    used += buffer.write(line, used, 'utf8');
    buffer[used] = 10;
    used += 1;
    if (used > BUFFER_BYTES - LONGEST_LINE) { write(buffer.subarray(0, used)); written += used; used = 0; }
  };
  while (written + used < wantedBytes && truth.rows < wantedRows) {
    if (untilHead <= 0 && writer.head !== undefined) {
      if (options.fieldChanges === true && truth.rows > 0) now = now === W3C ? W3C_SHORT : W3C;
      for (const line of (now.head ?? '').split('\n')) { put(line); truth.comment(); }
      untilHead = Math.ceil((options.headEvery ?? 150_000) * (0.5 + source.int(1_000) / 1_000));
    }
    untilHead -= 1;
    const row = source.next();
    if (onRow) onRow(expected(now, row, written + used));
    put(now.line(row));
    truth.add(row, now.key(row), now.at(row), now.taken(row), row.leftOut && tellsLeftOut(now, row));
    if (options.damagedEvery !== undefined && options.damagedEvery > 0 && source.int(options.damagedEvery) === 0) { put(damagedLine(now, row, source)); truth.damaged(); }
  }
  write(buffer.subarray(0, used));
  truth.bytes = written + used;
  return truth;
}

/** A log without the site's name does not show which rows are the SCM site's; without the agent not which are our own. */
function tellsLeftOut(writer: LineWriter, row: Traffic): boolean {
  return row.site.startsWith('~1') ? writer.texts.includes('site') : writer.texts.includes('agent');
}

/** What a reader must make of the line: texts as written by the client, '' where the log has none. */
function expected(writer: LineWriter, row: Traffic, offset: number): ExpectedRow {
  const parts = writer.key(row).split('.');
  const found: ExpectedRow = {
    offset, at: writer.at(row), status: row.status, sub: Number(parts[1] ?? -1), win32: Number(parts[2] ?? -1), taken: writer.taken(row) ?? -1,
    sent: writer.numbers.includes('sent') ? row.sent : -1, received: writer.numbers.includes('received') ? row.received : -1,
  };
  for (const role of writer.texts) found[role] = writer.id === 'iis-w3c' ? row[role].replace(/[\t ]/g, '+') : row[role];
  return found;
}

/** A log into a file; the truth's times by route are kept only when asked (`keepTaken`) or when `rows` says how many. */
export function writeLog(path: string, writer: LineWriter, options: LogOptions): Truth {
  const file = openSync(path, 'w');
  try {
    return generate(writer, options, (piece) => { for (let from = 0; from < piece.length;) from += writeSync(file, piece, from); });
  } finally {
    closeSync(file);
  }
}

/** A W3C log as App Service writes it, of about `bytes` bytes (whole rows): thousands of routes, bursts, repeated headers. */
export function writeW3c(path: string, bytes: number, seed: number, options: Partial<LogOptions> = {}): Truth {
  return writeLog(path, W3C, { bytes, seed, ...options });
}

/** A log in memory, with every row as a reader must find it. */
export function makeLog(writer: LineWriter, options: LogOptions & { readonly rows: number }): { bytes: Buffer; truth: Truth; rows: ExpectedRow[] } {
  const pieces: Uint8Array[] = [];
  const rows: ExpectedRow[] = [];
  const truth = generate(writer, { stepMs: 250, routes: 400, clients: 300, burstEvery: 400, ...options }, (piece) => pieces.push(Uint8Array.prototype.slice.call(piece)), (row) => rows.push(row));
  return { bytes: Buffer.concat(pieces), truth, rows };
}
