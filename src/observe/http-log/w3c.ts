// Owns the reading of IIS W3C logs: bytes in any cut to batches of columns, `#Fields:` obeyed wherever it appears, every line accounted for.
import { MAX_MALFORMED_PLACES } from './columns.ts';
import type { LogFormat, LogReader, ParseCounts, ReaderOptions, Sink } from './columns.ts';
import { APP_SERVICE_FIELDS, parseFields } from './fields.ts';
import type { Fields } from './fields.ts';
import { COMMENTS, DIRECTIVE_AT, DIRECTIVE_END, DONE, FULL, LINES, MALFORMED, ROWS, withKernel } from './kernel/kernel.ts';
import type { Kernel } from './kernel/kernel.ts';
import { CHUNK_AT, CHUNK_BYTES, MAX_LINE_BYTES } from './kernel/layout.ts';

export { MAX_LINE_BYTES } from './kernel/layout.ts';

const LF = 10;
/** A directive is read this far: `#Fields:` of MAX_COLUMNS long names is shorter. */
const DIRECTIVE_BYTES = 16_384;

/** Rows are written when a request ends, in that order but for the flushing of buffers, which HTTP.sys does each minute: twice that. */
export const DISORDER_MS = 2 * 60_000;

export const iisW3c: LogFormat = {
  id: 'iis-w3c',
  title: 'IIS W3C extended',
  disorderMs: DISORDER_MS,
  reader: (options) => new W3cReader(options),
};

const DEFAULT_FIELDS = parseFields(APP_SERVICE_FIELDS);

/** Rows never wait for a fuller batch: their texts lie in the memory that the next chunk takes. */
class W3cReader implements LogReader {
  readonly counts: ParseCounts = { bytes: 0, lines: 0, rows: 0, comments: 0, malformed: 0 };
  readonly malformedAt: number[] = [];
  readonly #sink: Sink;
  readonly #dropPartial: boolean;
  readonly #carry = new Carry();
  #fields: Fields = DEFAULT_FIELDS;
  #fieldsLine: string | undefined;
  #dateLine: string | undefined;
  #headDayMs = -1;
  /** File offset behind the last byte that came. */
  #next: number;
  #overlongAt: number | undefined;

  constructor(options: ReaderOptions) {
    this.#sink = options.sink;
    this.#dropPartial = options.dropPartial ?? false;
    this.#next = options.baseOffset ?? 0;
    for (const line of options.head?.split('\n') ?? []) this.#directive(line);
  }

  get pendingBytes(): number { return this.#carry.size; }

  get head(): string | undefined {
    const lines = [this.#dateLine, this.#fieldsLine].filter((line) => line !== undefined);
    return lines.length === 0 ? undefined : lines.join('\n');
  }

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      const piece = chunk.subarray(at, at + CHUNK_BYTES);
      this.#came(piece.length);
      // A line that comes in small pieces is looked at once, when it is whole.
      if (piece.length < CHUNK_BYTES && piece.indexOf(LF) < 0) this.#wait(piece);
      else withKernel((kernel) => { kernel.bytes.set(piece, CHUNK_AT); this.#read(kernel, piece.length); });
    }
  }

  fill(read: (into: Uint8Array) => number): number {
    return withKernel((kernel) => {
      const size = read(kernel.bytes.subarray(CHUNK_AT, CHUNK_AT + CHUNK_BYTES));
      this.#came(size);
      if (size > 0) this.#read(kernel, size);
      return size;
    });
  }

  flush(): void { /* nothing waits */ }

  end(): void {
    if (this.#dropPartial) { this.#carry.take(); this.#overlongAt = undefined; return; }
    if (this.#overlongAt === undefined && this.#carry.size === 0) return;
    // The line ends as if by an LF, which is not the file's and is not counted.
    this.#next += 1;
    withKernel((kernel) => { kernel.bytes[CHUNK_AT] = LF; this.#read(kernel, 1); });
    this.#next -= 1;
  }

  #came(size: number): void {
    this.counts.bytes += size;
    this.#next += size;
  }

  /** Reads the last `size` bytes that came, at CHUNK_AT, behind the unfinished line. */
  #read(kernel: Kernel, size: number): void {
    const end = CHUNK_AT + size;
    let from = CHUNK_AT;
    if (this.#overlongAt !== undefined) {
      const lf = kernel.bytes.subarray(from, end).indexOf(LF);
      if (lf < 0) return;
      from += lf + 1;
      this.#overlong(this.#overlongAt);
    }
    const carried = this.#carry.take();
    from -= carried.length;
    kernel.bytes.set(carried, from);
    kernel.follow(this.#fields, this.#headDayMs);
    kernel.loop.begin(from, end, this.#next - (end - from));
    for (let why = kernel.loop.run(); why !== DONE; why = kernel.loop.run()) {
      if (why === FULL) this.#hand(kernel);
      else this.#met(kernel);
    }
    this.#hand(kernel);
    this.#count(kernel);
    this.#wait(kernel.bytes.subarray(kernel.loop.rest(), end));
  }

  /** Keeps the last bytes that came, the beginning of a line, or only its place when it is too long. */
  #wait(piece: Uint8Array): void {
    if (this.#overlongAt !== undefined || piece.length === 0) return;
    const begins = this.#next - piece.length - this.#carry.size;
    if (!this.#carry.add(piece)) this.#overlongAt = begins;
  }

  #overlong(at: number): void {
    this.counts.lines += 1;
    this.#place(at);
    this.counts.malformed += 1;
    this.#overlongAt = undefined;
  }

  #place(at: number): void {
    if (this.malformedAt.length < MAX_MALFORMED_PLACES) this.malformedAt.push(at);
  }

  #hand(kernel: Kernel): void {
    const rows = kernel.counts[ROWS] as number;
    if (rows === 0) return;
    this.counts.rows += rows;
    kernel.counts[ROWS] = 0;
    kernel.columns.rows = rows;
    this.#sink(kernel.columns);
  }

  #met(kernel: Kernel): void {
    const from = kernel.counts[DIRECTIVE_AT] as number;
    const to = Math.min(kernel.counts[DIRECTIVE_END] as number, from + DIRECTIVE_BYTES);
    this.#directive(Buffer.from(kernel.bytes.buffer, from, to - from).toString('latin1'));
    kernel.follow(this.#fields, this.#headDayMs);
  }

  #directive(text: string): void {
    if (/^#fields:/i.test(text)) {
      if (text !== this.#fieldsLine) this.#fields = parseFields(text);
      this.#fieldsLine = text;
      return;
    }
    const date = /^#date:\s*(\d{4})-(\d\d)-(\d\d)/i.exec(text);
    if (date === null) return;
    this.#headDayMs = Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3]));
    this.#dateLine = date[0];
  }

  #count(kernel: Kernel): void {
    const { counts } = kernel;
    const malformed = counts[MALFORMED] as number;
    for (let i = 0; i < Math.min(malformed, kernel.places.length); i += 1) this.#place(kernel.places[i] as number);
    this.counts.lines += counts[LINES] as number;
    this.counts.comments += counts[COMMENTS] as number;
    this.counts.malformed += malformed;
  }
}

const NONE = new Uint8Array(0);

/** The beginning of a line whose end has not come yet. */
class Carry {
  size = 0;
  #kept: Uint8Array = NONE;

  /** False when the line gets too long: nothing of it is kept then. */
  add(piece: Uint8Array): boolean {
    const size = this.size + piece.length;
    if (size > MAX_LINE_BYTES) { this.take(); this.#kept = NONE; return false; }
    if (this.#kept.length < size) {
      const larger = new Uint8Array(Math.min(MAX_LINE_BYTES, Math.max(1_024, size * 2)));
      larger.set(this.#kept.subarray(0, this.size));
      this.#kept = larger;
    }
    this.#kept.set(piece, this.size);
    this.size = size;
    return true;
  }

  /** What was kept; valid until the next add(). */
  take(): Uint8Array {
    const taken = this.#kept.subarray(0, this.size);
    this.size = 0;
    return taken;
  }
}
