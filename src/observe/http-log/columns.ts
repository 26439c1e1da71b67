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
  /** What stands behind the server that wrote the log; absent where the format knows of none (W3C). */
  readonly upstream?: UpstreamColumns;
}

export interface UpstreamColumns {
  /** Of the last one that was tried; NO_UPSTREAM when the row says that none was, ABSENT when it does not say. */
  readonly status: Int32Array;
  /** Ms, of all that were tried together; ABSENT when it is not said. */
  readonly taken: Float64Array;
}

/** The server answered by itself. */
export const NO_UPSTREAM = 0;

/** With room for all that a format can know. */
export interface FullColumns extends Columns { readonly upstream: UpstreamColumns }

export type Sink = (columns: Columns) => void;

/** What was read, whatever format. lines = rows + comments + malformed (an unterminated last line counts once end() was called). */
export interface ParseCounts {
  bytes: number;
  lines: number;
  rows: number;
  /** `#` lines and empty lines (also those of NUL bytes, which an unclean stop of HTTP.sys leaves); whole JSON entries that tell of no request. */
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
  /** What the format knows from the file's head when the reading begins in the middle (W3C: its `#Fields:` line, and `#Date:` line; one a line). */
  head?: string;
}

/** Bytes in, batches out; the result does not depend on where chunks are cut. Input never makes it throw. */
export interface LogReader {
  readonly counts: Readonly<ParseCounts>;
  /** Offsets where the first malformed lines begin. */
  readonly malformedAt: readonly number[];
  /** Bytes of an unfinished line that wait for their rest. */
  readonly pendingBytes: number;
  /** What `head` a reader needs that begins where this one is now; undefined where the format needs none. */
  readonly head?: string | undefined;
  write(chunk: Uint8Array): void;
  /** Like write(), without a copy: `read` puts bytes into the piece of memory it is handed and returns how many; so does fill(). A format without it is written to. */
  fill?(read: (into: Uint8Array) => number): number;
  /** Hands out the rows that wait for their batch to fill: a live tail calls it after each read. */
  flush(): void;
  /** The end of the input: judges an unterminated last line, or with `dropPartial` leaves it out; then flushes. */
  end(): void;
}

/** Multiplier of a step, and of each lane at the end: odd, with bits well spread. */
const STEP = 0x9E3779B1, ENDS = [0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1] as const;

/**
 * Hash of bytes[from, to), 32 bits with sign: equal texts hash equal in every format. Four lanes of four bytes each, because kernel/assembly/row.ts
 * makes the same of 16 bytes in one SIMD step: change both or none. It is no secret: whoever writes the log can make texts that collide, so compare the bytes too and bound the probes.
 */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let a = ENDS[0] | 0, b = ENDS[1] | 0, c = ENDS[2] | 0, d = ENDS[3] | 0;
  let i = from;
  for (; i + 16 <= to; i += 16) {
    a = step(a, word(bytes, i));
    b = step(b, word(bytes, i + 4));
    c = step(c, word(bytes, i + 8));
    d = step(d, word(bytes, i + 12));
  }
  if (i < to) {
    a = step(a, lastWord(bytes, i, to));
    b = step(b, lastWord(bytes, i + 4, to));
    c = step(c, lastWord(bytes, i + 8, to));
    d = step(d, lastWord(bytes, i + 12, to));
  }
  let hash = Math.imul(a, ENDS[0]) + Math.imul(b, ENDS[1]) + Math.imul(c, ENDS[2]) + Math.imul(d, ENDS[3]) ^ to - from;
  hash = Math.imul(hash ^ hash >>> 16, ENDS[0]);
  hash = Math.imul(hash ^ hash >>> 13, ENDS[1]);
  return hash ^ hash >>> 16;
}

function step(lane: number, word: number): number {
  const mixed = Math.imul(lane ^ word, STEP);
  return mixed ^ mixed >>> 15;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | (bytes[at + 1] as number) << 8 | (bytes[at + 2] as number) << 16 | (bytes[at + 3] as number) << 24;
}

/** A word of which what lies at `to` and beyond counts as 0. */
function lastWord(bytes: Uint8Array, at: number, to: number): number {
  if (at + 4 <= to) return word(bytes, at);
  let found = 0;
  for (let i = to - 1; i >= at; i -= 1) found = found << 8 | (bytes[i] as number);
  return found;
}

/** Empty columns with room for `capacity` rows, for formats that fill them in JavaScript. Text columns and those of the upstream begin as absent. */
export function newColumns(bytes: Uint8Array = new Uint8Array(0), capacity = BATCH_ROWS): FullColumns {
  const numbers = (): Float64Array => new Float64Array(capacity);
  const words = (): Int32Array => new Int32Array(capacity);
  const texts = Object.fromEntries(TEXT_ROLES.map((role) => [role, { from: words(), to: words(), hash: words() }])) as Record<TextRole, TextColumn>;
  return {
    rows: 0, bytes, offset: numbers(), at: numbers(), status: words(), sub: words(), win32: numbers(), taken: numbers(), sent: numbers(), received: numbers(), text: texts, upstream: { status: words().fill(ABSENT), taken: numbers().fill(ABSENT) },
  };
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
  /** An entry may span lines (a JSON array): reading begins at the file's start, and a file is not cut among workers. */
  readonly fromStart?: boolean;
  reader(options: ReaderOptions): LogReader;
}
