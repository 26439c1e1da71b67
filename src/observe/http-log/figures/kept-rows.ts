// Owns the few rows that are kept whole (the slowest, the newest failed ones): copied as bytes, made into RequestRows only when told.
import { ABSENT, TEXT_ROLES, newColumns } from '../columns.ts';
import type { Columns, TextRole } from '../columns.ts';

/** Texts of a kept row: longer ones are cut. Told rows are cut to at most a quarter of it (by characters). */
const MAX_TEXT_BYTES = 4_096;
/** Texts of all kept rows together: the last rows give way. */
export const MAX_KEPT_BYTES = 24 * 2 ** 20;
/** So many times the kept rows are gathered before they are sorted: newest failures come one after the other, and each would stay for a while. */
const TRIM_AT = 2;
const NUMBERS = ['offset', 'at', 'status', 'sub', 'win32', 'taken', 'sent', 'received'] as const;
const OF_UPSTREAM = ['status', 'taken'] as const;

export interface KeptRowsState { rows: number; bytes: Uint8Array; numbers: Float64Array; texts: Int32Array; sources: Int32Array }

/** Keeps the `keep` rows that come first by `rank` (larger first), then by time (newer first), source and offset. */
export class KeptRows {
  readonly #keep: number;
  readonly #rank: 'taken' | 'at';
  #columns = newColumns(new Uint8Array(0), 16);
  #sources = new Int32Array(16);
  #used = 0;
  #floor = -Infinity;

  constructor(keep: number, rank: 'taken' | 'at') {
    this.#keep = keep;
    this.#rank = rank;
  }

  get sizeBytes(): number { return this.#columns.bytes.length + this.#sources.length * (6 * 8 + 3 * 4 + TEXT_ROLES.length * 12); }

  wants(rank: number): boolean { return this.#keep > 0 && rank >= this.#floor; }

  /** The least rank that is wanted. */
  get wantedFrom(): number { return this.#keep > 0 ? this.#floor : Infinity; }

  add(columns: Columns, row: number, source: number): void {
    if (this.#columns.rows === this.#sources.length) this.#grow();
    const to = this.#columns.rows;
    for (const name of NUMBERS) this.#columns[name][to] = columns[name][row] as number;
    for (const name of OF_UPSTREAM) this.#columns.upstream[name][to] = columns.upstream?.[name][row] ?? ABSENT;
    this.#texts(columns, row, to);
    this.#sources[to] = source;
    this.#columns.rows = to + 1;
    if (this.#columns.rows >= this.#keep * TRIM_AT + 64 || this.#used > MAX_KEPT_BYTES) this.#trim();
  }

  /** The rows in order. */
  told<T>(make: (columns: Columns, row: number, source: number) => T): T[] {
    this.#trim();
    return Array.from({ length: this.#columns.rows }, (_, row) => make(this.#columns, row, this.#sources[row] as number));
  }

  state(): KeptRowsState {
    this.#trim();
    const { rows, bytes, text } = this.#columns;
    const numbers = new Float64Array(rows * (NUMBERS.length + OF_UPSTREAM.length)), texts = new Int32Array(rows * TEXT_ROLES.length * 2);
    NUMBERS.forEach((name, i) => numbers.set(this.#columns[name].subarray(0, rows), i * rows));
    OF_UPSTREAM.forEach((name, i) => numbers.set(this.#columns.upstream[name].subarray(0, rows), (NUMBERS.length + i) * rows));
    TEXT_ROLES.forEach((role, i) => { texts.set(text[role].from.subarray(0, rows), i * 2 * rows); texts.set(text[role].to.subarray(0, rows), (i * 2 + 1) * rows); });
    return { rows, bytes: bytes.slice(0, this.#used), numbers, texts, sources: this.#sources.slice(0, rows) };
  }

  merge({ rows, bytes, numbers, texts, sources }: KeptRowsState, sourceOf: (source: number) => number): void {
    const columns = newColumns(bytes, rows);
    columns.rows = rows;
    NUMBERS.forEach((name, i) => columns[name].set(numbers.subarray(i * rows, (i + 1) * rows)));
    OF_UPSTREAM.forEach((name, i) => columns.upstream[name].set(numbers.subarray((NUMBERS.length + i) * rows, (NUMBERS.length + i + 1) * rows)));
    TEXT_ROLES.forEach((role, i) => { columns.text[role].from.set(texts.subarray(i * 2 * rows, (i * 2 + 1) * rows)); columns.text[role].to.set(texts.subarray((i * 2 + 1) * rows, (i * 2 + 2) * rows)); });
    for (let row = 0; row < rows; row += 1) this.add(columns, row, sourceOf(sources[row] as number));
  }

  /** A row's texts mostly lie in one line: they are copied with what lies between them, in one go. */
  #texts(columns: Columns, row: number, to: number): void {
    spanOf(columns, row, span);
    if (span.to - span.from > MAX_TEXT_BYTES) { for (const role of TEXT_ROLES) this.#text(columns, role, row, to); return; }
    const size = span.to - span.from, shift = this.#used - span.from;
    if (this.#used + size > this.#columns.bytes.length) this.#widen(size);
    if (size > 0) this.#columns.bytes.set(columns.bytes.subarray(span.from, span.to), this.#used);
    for (const role of TEXT_ROLES) {
      const from = columns.text[role].from[row] as number, end = columns.text[role].to[row] as number, into = this.#columns.text[role];
      into.from[to] = end > from ? from + shift : this.#used;
      into.to[to] = end > from ? end + shift : this.#used;
    }
    this.#used += size;
  }

  #text(columns: Columns, role: TextRole, row: number, to: number): void {
    const column = columns.text[role], into = this.#columns.text[role];
    const from = column.from[row] as number;
    const size = wholeText(columns.bytes, from, (column.to[row] as number) - from);
    if (this.#used + size > this.#columns.bytes.length) this.#widen(size);
    if (size > 0) this.#columns.bytes.set(columns.bytes.subarray(from, from + size), this.#used);
    into.from[to] = this.#used;
    this.#used += Math.max(0, size);
    into.to[to] = this.#used;
  }

  /** Sorts, and lets go what is beyond `keep` rows or MAX_KEPT_BYTES. */
  #trim(): void {
    const columns = this.#columns, sources = this.#sources;
    const number = (name: 'at' | 'taken' | 'offset', row: number): number => columns[name][row] as number;
    const order = Array.from({ length: columns.rows }, (_, row) => row).sort((a, b) => number(this.#rank, b) - number(this.#rank, a) || number('at', b) - number('at', a) || (sources[a] as number) - (sources[b] as number) || number('offset', b) - number('offset', a));
    let bytes = 0;
    const fits = order.findIndex((row, i) => { bytes += textBytes(columns, row); return i >= this.#keep || bytes > MAX_KEPT_BYTES / 2; });
    const stay = fits < 0 ? order : order.slice(0, fits);
    if (stay.length === columns.rows && stay.every((row, i) => row === i)) return;
    this.#columns = newColumns(new Uint8Array(Math.min(bytes, columns.bytes.length)), Math.max(16, sources.length));
    this.#sources = new Int32Array(Math.max(16, sources.length));
    this.#used = 0;
    for (const row of stay) this.add(columns, row, sources[row] as number);
    const last = stay.at(-1);
    if (last !== undefined && fits >= 0) this.#floor = number(this.#rank, last);
  }

  #grow(): void {
    const before = this.#columns, rows = before.rows;
    const columns = newColumns(before.bytes, rows * 2);
    columns.rows = rows;
    for (const name of NUMBERS) columns[name].set(before[name]);
    for (const name of OF_UPSTREAM) columns.upstream[name].set(before.upstream[name]);
    for (const role of TEXT_ROLES) { columns.text[role].from.set(before.text[role].from); columns.text[role].to.set(before.text[role].to); }
    this.#columns = columns;
    const sources = new Int32Array(rows * 2);
    sources.set(this.#sources);
    this.#sources = sources;
  }

  #widen(size: number): void {
    const bytes = new Uint8Array(Math.max(this.#used + size, Math.ceil(this.#columns.bytes.length * 1.5), 4_096));
    bytes.set(this.#columns.bytes.subarray(0, this.#used));
    this.#columns.bytes = bytes;
  }
}

/** Scratch: where a row's texts begin and end. */
const span = { from: 0, to: 0 };

function spanOf({ text }: Columns, row: number, into: typeof span): void {
  let from = Infinity, to = 0;
  for (const role of TEXT_ROLES) {
    const begin = text[role].from[row] as number, end = text[role].to[row] as number;
    if (end <= begin) continue;
    if (begin < from) from = begin;
    if (end > to) to = end;
  }
  into.from = to === 0 ? 0 : from;
  into.to = to;
}

/** What add() takes for a row. */
function textBytes(columns: Columns, row: number): number {
  spanOf(columns, row, span);
  if (span.to - span.from <= MAX_TEXT_BYTES) return span.to - span.from;
  const { text } = columns;
  return TEXT_ROLES.reduce((sum, role) => sum + Math.max(0, (text[role].to[row] as number) - (text[role].from[row] as number)), 0);
}

/** A size at which no character is cut in two: half a character would make the whole text look like Latin-1. */
function wholeText(bytes: Uint8Array, from: number, size: number): number {
  if (size <= MAX_TEXT_BYTES) return size;
  let cut = MAX_TEXT_BYTES;
  while (cut > MAX_TEXT_BYTES - 4 && ((bytes[from + cut] as number) & 0xC0) === 0x80) cut -= 1;
  return cut;
}
