// Owns the typed columns into which every log format is read: a batch of rows, no string and no object per row.

/** A number the row does not have ("-" or no such column in this log). */
export const ABSENT = -1;
/** Rows of a batch, at most: about 400 KB of columns, so that a batch stays in the processor's cache. */
export const BATCH_ROWS = 2_048;

/** Texts of a row, as byte ranges. */
export const TEXT_ROLES = ['method', 'path', 'query', 'client', 'agent', 'host', 'site', 'referrer', 'upstream'] as const;
export type TextRole = (typeof TEXT_ROLES)[number];

/** One text column: row i is bytes[from[i], to[i]); absent when to[i] <= from[i]. hash[i] is hashOf() of those bytes. */
export interface TextColumn {
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** Filled for method, path, client, agent, host, site and referrer; 0 where absent. */
  readonly hash: Int32Array;
}

/**
 * A batch of rows in the order of the file. One object is reused for all batches: read what you need inside the sink, keep nothing of it.
 * Texts are as the log's own bytes (UTF-8, or Latin-1 where they are not valid UTF-8); a format that escapes texts writes the unescaped bytes into `bytes`.
 * IIS writes `+` for a space in its texts: that is left as it is.
 */
export interface Columns {
  rows: number;
  /** Where the texts lie. */
  bytes: Uint8Array;
  /** File offset of the row's first byte (in a member of an archive: of the unpacked text). */
  readonly offset: Float64Array;
  /** Epoch ms. IIS writes whole seconds: the request's end. */
  readonly at: Float64Array;
  readonly status: Int32Array;
  readonly sub: Int32Array;
  /** Up to 2^32 - 1. */
  readonly win32: Float64Array;
  /** Time taken in ms, may be a fraction. */
  readonly taken: Float64Array;
  readonly sent: Float64Array;
  readonly received: Float64Array;
  readonly text: Readonly<Record<TextRole, TextColumn>>;
}

export type Sink = (columns: Columns) => void;

/** What was read, whatever format. lines = rows + comments + malformed (an unterminated last line counts once end() was called). */
export interface ParseCounts {
  bytes: number;
  lines: number;
  rows: number;
  /** `#` lines and empty lines (also those of NUL bytes, which an unclean stop of HTTP.sys leaves). */
  comments: number;
  malformed: number;
}

/** Malformed lines whose places are kept; the rest is counted. */
export const MAX_MALFORMED_PLACES = 20;

export interface ReaderOptions {
  sink: Sink;
  /** Offset in the file of the first byte written. */
  baseOffset?: number;
  /** An unterminated last line is not yet whole: leave it out at end(). */
  dropPartial?: boolean;
  /** What the format knows from the file's head when the reading begins in the middle (W3C: the `#Fields:` line). */
  head?: string;
}

/** Bytes in, batches out; the result does not depend on where chunks are cut. Input never makes it throw. */
export interface LogReader {
  readonly counts: Readonly<ParseCounts>;
  /** Offsets where the first malformed lines begin. */
  readonly malformedAt: readonly number[];
  /** Bytes of an unfinished line that wait for their rest. */
  readonly pendingBytes: number;
  write(chunk: Uint8Array): void;
  /** Hands out the rows that wait for their batch to fill: a live tail calls it after each read. */
  flush(): void;
  /** The end of the input: judges an unterminated last line, or with `dropPartial` leaves it out; then flushes. */
  end(): void;
}

/** A log format: stateless, shared by all readers of it. */
export interface LogFormat {
  /** 'iis-w3c', 'ncsa-common', 'ncsa-combined', 'nginx', 'apache', 'json-app-service', 'json-caddy', 'json-traefik', 'json' */
  readonly id: string;
  readonly title: string;
  /** The user's own format string, where the format is made of one (nginx log_format, Apache LogFormat). With the id it makes the format again in a worker thread. */
  readonly pattern?: string;
  /** Rows are ordered by time up to this many ms (an entry is written when its request ends, or is flushed late): what bisection may trust. */
  readonly disorderMs: number;
  reader(options: ReaderOptions): LogReader;
}
