// Owns the reading of logs line by line in JavaScript: bytes in any cut become whole lines, rows of a batch, and counts that add up.
import { BATCH_ROWS, MAX_MALFORMED_PLACES, newColumns } from '../columns.ts';
import type { FullColumns, LogReader, ParseCounts, ReaderOptions } from '../columns.ts';
import { MAX_LINE_BYTES } from '../kernel/layout.ts';

/** What a line turned out to be. COMMENT: nothing is wrong with it, but it tells of no request. */
export const MALFORMED = 0, ROW = 1, COMMENT = 2;
export type Verdict = typeof MALFORMED | typeof ROW | typeof COMMENT;

/** Reads bytes[from, to) into row `columns.rows`, all its columns; may write over these bytes, for texts without their escapes. */
export type LineParser = (bytes: Uint8Array, from: number, to: number, offset: number) => Verdict;

/** Finds where entries end. State lives until the next entry: bytes come in any cut. */
export interface Cutter {
  /** Place behind the entry's last byte, in bytes[from, to); -1 when it has not come yet. It is not asked again about bytes it has seen. */
  find(bytes: Uint8Array, from: number, to: number): number;
  /** Bytes that part an entry from the next one. */
  readonly gap: number;
  /** Where the entry itself begins. */
  begin(bytes: Uint8Array, from: number, to: number): number;
  /** An entry of nothing but separators at the end of the input counts as none. */
  readonly blankEnds: boolean;
}

const LF = 10, CR = 13, NUL = 0, HASH = 35;
/** A piece of the input that is read at once, with the unfinished line before it; it grows when a line is longer. */
const BUFFER_BYTES = 256 * 1024;
/** Less room than this is not worth a read of the file. */
const LEAST_FILL = 64 * 1024;

const NO_BYTES = new Uint8Array(0);
const NO_COLUMNS = newColumns(NO_BYTES, 0);
interface Room { readonly columns: FullColumns; readonly bytes: Uint8Array<ArrayBuffer> }
/** Half a megabyte that a reader gives back at its end: many small logs, and detection, need it again and again. */
const spare: Room[] = [];
const MAX_SPARE = 2;

export function lineCutter(): Cutter {
  return { gap: 1, blankEnds: false, begin: (_bytes, from) => from, find: (bytes, from) => bytes.indexOf(LF, from) };
}

export interface TextReaderOptions extends ReaderOptions {
  /** Makes the parser that fills these columns. */
  parser(columns: FullColumns): LineParser;
  cutter?: Cutter;
  /** Lines that begin with # are rows (the user's own format begins with it). */
  hashIsText?: boolean;
}

export class TextReader implements LogReader {
  readonly counts: ParseCounts = { bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0 };
  readonly malformedAt: number[] = [];
  readonly #options: TextReaderOptions;
  readonly #cutter: Cutter;
  #room: Room | undefined;
  #columns = NO_COLUMNS;
  #parse: LineParser = () => MALFORMED;
  #bytes: Uint8Array<ArrayBuffer> = NO_BYTES;
  /** [start, used) is the unfinished line; up to `searched` its end was looked for. */
  #start = 0;
  #searched = 0;
  #used = 0;
  /** File offset of #bytes[0]. */
  #offset: number;
  /** The first NUL byte at or behind some line's begin; -1: it must be looked for. */
  #nul = -1;
  /** The line is too long: its bytes are thrown away up to its end. */
  #overlongAt = -1;

  constructor(options: TextReaderOptions) {
    this.#options = options;
    this.#cutter = options.cutter ?? lineCutter();
    this.#offset = options.baseOffset ?? 0;
  }

  get pendingBytes(): number { return this.#used - this.#start; }

  write(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length;) {
      this.#makeRoom(1);
      const piece = Math.min(chunk.length - from, this.#bytes.length - this.#used);
      this.#bytes.set(from === 0 && piece === chunk.length ? chunk : chunk.subarray(from, from + piece), this.#used);
      from += piece;
      this.#came(piece);
    }
  }

  fill(read: (into: Uint8Array) => number): number {
    this.#makeRoom(LEAST_FILL);
    const size = read(this.#bytes.subarray(this.#used));
    this.#came(size);
    return size;
  }

  flush(): void {
    const columns = this.#columns;
    if (columns.rows === 0) return;
    columns.bytes = this.#bytes;
    this.#options.sink(columns);
    columns.rows = 0;
  }

  end(): void {
    const drop = this.#options.dropPartial === true;
    this.#nul = -1;
    if (this.#overlongAt >= 0) { if (!drop) this.#reject(this.#overlongAt, true); }
    else if (!drop && this.#used > this.#start) {
      const begin = this.#cutter.begin(this.#bytes, this.#start, this.#used);
      if (!this.#cutter.blankEnds || begin < this.#used) this.#entry(this.#start, this.#used);
    }
    this.#overlongAt = -1;
    this.flush();
    this.#offset += this.#used;
    this.#start = this.#searched = this.#used = 0;
    if (this.#room !== undefined && spare.length < MAX_SPARE) spare.push(this.#room);
    this.#room = undefined;
    this.#bytes = NO_BYTES;
  }

  #open(): void {
    this.#room = spare.pop() ?? { columns: newColumns(), bytes: new Uint8Array(BUFFER_BYTES) };
    this.#columns = this.#room.columns;
    this.#bytes = this.#room.bytes;
    this.#parse = this.#options.parser(this.#columns);
  }

  #came(size: number): void {
    this.#nul = -1;
    this.counts.bytes += size;
    this.#used += size;
    this.#cut();
  }

  /** Room behind `used`: a full buffer gives out its rows and moves the unfinished line to its front, or grows for it. */
  #makeRoom(leastBytes: number): void {
    if (this.#room === undefined) this.#open();
    if (this.#bytes.length - this.#used >= leastBytes) return;
    this.flush();
    const pending = this.#used - this.#start;
    const into = pending * 2 > this.#bytes.length ? new Uint8Array(this.#bytes.length * 2) : this.#bytes;
    into.set(this.#bytes.subarray(this.#start, this.#used));
    this.#bytes = into;
    this.#offset += this.#start;
    this.#searched -= this.#start;
    this.#start = 0;
    this.#used = pending;
  }

  /** Hands out the whole entries among what has come. */
  #cut(): void {
    const bytes = this.#used === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#used);
    const cutter = this.#cutter;
    for (;;) {
      const end = this.#searched < this.#used ? cutter.find(bytes, this.#searched, this.#used) : -1;
      if (end < 0) break;
      if (this.#overlongAt >= 0) { this.#reject(this.#overlongAt, true); this.#overlongAt = -1; }
      else if (end - this.#start > MAX_LINE_BYTES) this.#reject(this.#offset + this.#start, true);
      else this.#entry(this.#start, end);
      this.#start = this.#searched = end + cutter.gap;
    }
    this.#searched = this.#used;
    if (this.#overlongAt < 0 && this.#used - this.#start > MAX_LINE_BYTES) this.#overlongAt = this.#offset + this.#start;
    if (this.#overlongAt >= 0) this.#start = this.#used;
  }

  #entry(from: number, to: number): void {
    const bytes = this.#bytes;
    this.counts.lines += 1;
    let end = to;
    if (end > from && bytes[end - 1] === CR) end -= 1;
    let start = from;
    const offset = this.#offset + from;
    if (offset === 0 && end - start >= 3 && bytes[start] === 0xEF && bytes[start + 1] === 0xBB && bytes[start + 2] === 0xBF) start += 3;
    while (start < end && bytes[start] === NUL) start += 1;
    const begin = this.#cutter.begin(bytes, start, end);
    if (begin === end || (bytes[begin] === HASH && this.#options.hashIsText !== true)) { this.counts.comments += 1; return; }
    const verdict = this.#nulFrom(begin) < end ? MALFORMED : this.#parse(bytes, begin, end, begin === start ? offset : this.#offset + begin);
    if (verdict === MALFORMED) { this.#reject(offset, false); return; }
    if (verdict === COMMENT) { this.counts.comments += 1; return; }
    this.counts.rows += 1;
    this.#columns.rows += 1;
    if (this.#columns.rows === BATCH_ROWS) this.flush();
  }

  /** The first NUL byte at or behind `from`, `used` when there is none: looked for once for many lines. */
  #nulFrom(from: number): number {
    if (this.#nul < from) {
      const found = this.#bytes.subarray(0, this.#used).indexOf(NUL, from);
      this.#nul = found < 0 ? this.#used : found;
    }
    return this.#nul;
  }

  #reject(offset: number, countLine: boolean): void {
    if (countLine) this.counts.lines += 1;
    this.counts.malformed += 1;
    if (this.malformedAt.length < MAX_MALFORMED_PLACES) this.malformedAt.push(offset);
  }
}
