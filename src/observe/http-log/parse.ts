// Owns the reading of W3C log bytes: chunks in, one reused row out per line, every line accounted for.
import { APP_SERVICE_FIELDS, parseFields } from './fields.ts';
import type { Fields, RoleName } from './fields.ts';
import { LineCutter } from './lines.ts';
import type { RawLine } from './lines.ts';

export { MAX_LINE_BYTES } from './lines.ts';
/** Malformed lines whose places are kept; the rest is counted. */
export const MAX_MALFORMED_PLACES = 20;

const CR = 13, HASH = 35, DASH = 45, COLON = 58, ZERO = 48, NUL = 0;

/** A number the row does not have ("-" or no such column). */
export const ABSENT = -1;
const BAD = -2;

/** The row the parser is at. One object for all rows: read what you need inside the callback, keep nothing of it. */
export interface RawRow {
  /** Bytes from the start of the file, where the row begins. */
  readonly offset: number;
  /** Epoch ms, whole seconds: the request's end. */
  readonly at: number;
  readonly status: number;
  /** These are ABSENT where the row does not say. */
  readonly sub: number;
  readonly win32: number;
  readonly takenMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Text of a column; undefined when it is "-", empty or not in this log. */
  text(role: RoleName): string | undefined;
  /** Do these bytes (ASCII) begin the column? No string is made. */
  begins(role: RoleName, ascii: string): boolean;
}

export interface ParseCounts {
  bytes: number;
  /** rows + comments + malformed; an unterminated last line counts once end() was called. */
  lines: number;
  rows: number;
  /** `#` lines and empty lines (also those of NUL bytes, which an unclean stop of HTTP.sys leaves). */
  comments: number;
  malformed: number;
}

export interface Parser {
  readonly counts: Readonly<ParseCounts>;
  /** Where the first malformed lines begin. */
  readonly malformedAt: readonly number[];
  /** The columns as of now. */
  readonly fields: Fields;
  /** Bytes of an unfinished line that wait for their rest. */
  readonly pendingBytes: number;
  write(chunk: Uint8Array): void;
  /** The end of the input: judges an unterminated last line, or with `dropPartial` leaves it out as not yet whole. */
  end(): void;
}

export interface ParserOptions {
  onRow(row: RawRow): void;
  /** Offset in the file of the first byte written. */
  baseOffset?: number;
  /** The columns until a `#Fields:` line says otherwise. */
  fields?: Fields;
  dropPartial?: boolean;
}

const DEFAULT_FIELDS = parseFields(APP_SERVICE_FIELDS);

/** Made for rows that come in any cut: the result does not depend on where chunks end. Input never makes it throw. */
export function createParser(options: ParserOptions): Parser {
  return new W3cParser(options);
}

class W3cParser implements Parser, RawRow {
  readonly counts: ParseCounts = { bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0 };
  readonly malformedAt: number[] = [];
  fields: Fields;
  offset = 0;
  at = 0;
  status = ABSENT;
  sub = ABSENT;
  win32 = ABSENT;
  takenMs = ABSENT;
  sentBytes = ABSENT;
  receivedBytes = ABSENT;

  readonly #cutter: LineCutter;
  readonly #onRow: (row: RawRow) => void;
  readonly #dropPartial: boolean;
  #bytes: Uint8Array = new Uint8Array(0);
  #ends: Int32Array = new Int32Array(0);
  /** Where the first column begins: the line's start without BOM and NUL bytes. */
  #start = 0;
  #dayKey = -1;
  #dayMs = 0;
  /** From `#Date:`, for logs whose rows have no date column. */
  #headDayMs = -1;

  constructor(options: ParserOptions) {
    this.#onRow = (row) => options.onRow(row);
    this.#dropPartial = options.dropPartial ?? false;
    this.fields = options.fields ?? DEFAULT_FIELDS;
    this.#cutter = new LineCutter({
      baseOffset: options.baseOffset ?? 0,
      onLine: (line) => this.#line(line),
      onOverlong: (offset) => { this.counts.lines += 1; this.#malformed(offset); },
    });
  }

  get pendingBytes(): number { return this.#cutter.pendingBytes; }

  write(chunk: Uint8Array): void {
    this.counts.bytes += chunk.length;
    this.#cutter.write(chunk);
  }

  end(): void {
    this.#cutter.end(this.#dropPartial);
  }

  text(role: RoleName): string | undefined {
    const column = this.fields.at[role];
    if (column < 0) return undefined;
    const from = this.#from(column);
    const to = this.#ends[column] ?? 0;
    if (to <= from || (to === from + 1 && this.#bytes[from] === DASH)) return undefined;
    return decode(this.#bytes, from, to);
  }

  begins(role: RoleName, ascii: string): boolean {
    const column = this.fields.at[role];
    if (column < 0) return false;
    const from = this.#from(column);
    if ((this.#ends[column] ?? 0) - from < ascii.length) return false;
    for (let i = 0; i < ascii.length; i += 1) if (this.#bytes[from + i] !== ascii.charCodeAt(i)) return false;
    return true;
  }

  #from(column: number): number {
    return column === 0 ? this.#start : (this.#ends[column - 1] ?? 0) + 1;
  }

  #line(line: RawLine): void {
    this.counts.lines += 1;
    const bytes = line.bytes;
    let start = line.start;
    let end = line.end;
    if (end > start && bytes[end - 1] === CR) end -= 1;
    if (line.offset === 0 && end - start >= 3 && bytes[start] === 0xEF && bytes[start + 1] === 0xBB && bytes[start + 2] === 0xBF) start += 3;
    while (start < end && bytes[start] === NUL) start += 1;
    if (start === end) { this.counts.comments += 1; return; }
    if (bytes[start] === HASH) { this.counts.comments += 1; this.#directive(bytes, start, end); return; }
    this.#bytes = bytes;
    this.#ends = line.ends;
    this.#ends[line.spaces] = end;
    this.#start = start;
    this.offset = line.offset;
    if (line.lastNul >= start || line.spaces + 1 !== this.fields.columns || !this.fields.usable || !this.#row()) { this.#malformed(line.offset); return; }
    this.counts.rows += 1;
    this.#onRow(this);
  }

  #malformed(offset: number): void {
    this.counts.malformed += 1;
    if (this.malformedAt.length < MAX_MALFORMED_PLACES) this.malformedAt.push(offset);
  }

  #directive(bytes: Uint8Array, start: number, end: number): void {
    const text = decode(bytes, start, Math.min(end, start + 16_384));
    if (/^#fields:/i.test(text)) this.fields = parseFields(text);
    const date = /^#date:\s*(\d{4})-(\d\d)-(\d\d)/i.exec(text);
    if (date) this.#headDayMs = Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3]));
  }

  /** Reads the numbers and the time; false when one of them is not what it must be. */
  #row(): boolean {
    const at = this.fields.at;
    const day = at.date < 0 ? this.#headDayMs : this.#day(this.#from(at.date), this.#ends[at.date] ?? 0);
    const time = this.#time(this.#from(at.time), this.#ends[at.time] ?? 0);
    if (day < 0 || time < 0) return false;
    this.at = day + time;
    // A status of 0 is what IIS writes for a connection that ended before an answer.
    this.status = this.#number(at.status);
    if (this.status < 0 || this.status > 999) return false;
    this.sub = this.#number(at.sub);
    this.win32 = this.#number(at.win32);
    this.takenMs = this.#number(at.taken);
    this.sentBytes = this.#number(at.sent);
    this.receivedBytes = this.#number(at.received);
    return this.sub !== BAD && this.win32 !== BAD && this.takenMs !== BAD && this.sentBytes !== BAD && this.receivedBytes !== BAD;
  }

  /** Digits to a number; ABSENT for "-" or a column the log does not have; BAD for anything else. */
  #number(column: number): number {
    if (column < 0) return ABSENT;
    const bytes = this.#bytes;
    const from = this.#from(column);
    const to = this.#ends[column] ?? 0;
    if (to - from === 1 && bytes[from] === DASH) return ABSENT;
    if (to <= from || to - from > 15) return BAD;
    let value = 0;
    for (let i = from; i < to; i += 1) {
      const digit = (bytes[i] as number) - ZERO;
      if (digit < 0 || digit > 9) return BAD;
      value = value * 10 + digit;
    }
    return value;
  }

  #digits(from: number, size: number): number {
    let value = 0;
    for (let i = from; i < from + size; i += 1) {
      const digit = (this.#bytes[i] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) return NaN;
      value = value * 10 + digit;
    }
    return value;
  }

  /** Epoch ms of `yyyy-mm-dd`, BAD if it is none. The last day is remembered: a log has few of them. */
  #day(from: number, to: number): number {
    if (to - from !== 10 || this.#bytes[from + 4] !== DASH || this.#bytes[from + 7] !== DASH) return BAD;
    const year = this.#digits(from, 4), month = this.#digits(from + 5, 2), day = this.#digits(from + 8, 2);
    const key = year * 10_000 + month * 100 + day;
    if (key === this.#dayKey) return this.#dayMs;
    if (!(year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate())) return BAD;
    this.#dayKey = key;
    this.#dayMs = Date.UTC(year, month - 1, day);
    return this.#dayMs;
  }

  /** Ms since midnight of `hh:mm:ss`, BAD if it is none. */
  #time(from: number, to: number): number {
    if (to - from !== 8 || this.#bytes[from + 2] !== COLON || this.#bytes[from + 5] !== COLON) return BAD;
    const hours = this.#digits(from, 2), minutes = this.#digits(from + 3, 2), seconds = this.#digits(from + 6, 2);
    // 60: a leap second.
    if (!(hours < 24 && minutes < 60 && seconds <= 60)) return BAD;
    return (hours * 3_600 + minutes * 60 + seconds) * 1_000;
  }
}

/** IIS writes UTF-8 unless told to write ANSI: bytes that are not UTF-8 are read one by one. */
function decode(bytes: Uint8Array, from: number, to: number): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
  const text = view.toString('utf8');
  return text.includes('\uFFFD') ? view.toString('latin1') : text;
}
