// Owns the few rows that are kept whole (the slowest, the newest failed ones): copied as bytes, made into RequestRows only when told.
import { ABSENT, TEXT_ROLES, newColumns } from '../columns.ts';
import type { Columns, FullColumns, TextColumn } from '../columns.ts';

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
    copyNumbers(columns, row, this.#columns, to);
    this.#texts(columns, row, to);
    this.#sources[to] = source;
    this.#columns.rows = to + 1;
    if (this.#columns.rows >= this.#keep * TRIM_AT + 64 || this.#used > MAX_KEPT_BYTES) this.#trim();
  }

  /** The rows in order. */
  told<T>(make: (columns: Columns, row: number, source: number) => T): T[] {
    return this.#inOrder().stay.map((row) => make(this.#columns, row, this.#sources[row] as number));
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
    const texts = textsOf(columns), own = textsOf(this.#columns);
    spanOf(texts, row, span);
    const size = span.to - span.from, shift = this.#used - span.from;
    if (size > MAX_TEXT_BYTES) { texts.forEach((column, i) => { this.#text(columns.bytes, column, row, { column: own[i] as TextColumn, row: to }); }); return; }
    if (this.#used + size > this.#columns.bytes.length) this.#widen(size);
    if (size > 0) this.#columns.bytes.set(columns.bytes.subarray(span.from, span.to), this.#used);
    for (let i = 0; i < texts.length; i += 1) {
      const { from, to: ends } = texts[i] as TextColumn, into = own[i] as TextColumn;
      const begin = from[row] as number, end = ends[row] as number;
      into.from[to] = end > begin ? begin + shift : this.#used;
      into.to[to] = end > begin ? end + shift : this.#used;
    }
    this.#used += size;
  }

  #text(bytes: Uint8Array, column: TextColumn, row: number, into: { column: TextColumn; row: number }): void {
    const from = column.from[row] as number;
    const size = wholeText(bytes, from, (column.to[row] as number) - from);
    if (this.#used + size > this.#columns.bytes.length) this.#widen(size);
    if (size > 0) this.#columns.bytes.set(bytes.subarray(from, from + size), this.#used);
    into.column.from[into.row] = this.#used;
    this.#used += Math.max(0, size);
    into.column.to[into.row] = this.#used;
  }

  /** The rows that stay, in order: `keep` of them or as many as MAX_KEPT_BYTES hold; `all`: no other is there. */
  #inOrder(): { stay: number[]; all: boolean; bytes: number } {
    const columns = this.#columns, sources = this.#sources, rank = columns[this.#rank], { at, offset } = columns;
    const less = (column: Float64Array, a: number, b: number): number => (column[b] as number) - (column[a] as number);
    const order = Array.from({ length: columns.rows }, (_, row) => row).sort((a, b) => less(rank, a, b) || less(at, a, b) || (sources[a] as number) - (sources[b] as number) || less(offset, a, b));
    let bytes = 0;
    const fits = order.findIndex((row, i) => { bytes += textBytes(columns, row); return i >= this.#keep || bytes > MAX_KEPT_BYTES / 2; });
    return { stay: fits < 0 ? order : order.slice(0, fits), all: fits < 0, bytes };
  }

  /** Sorts, and lets go what is beyond. */
  #trim(): void {
    const columns = this.#columns, sources = this.#sources, { stay, all, bytes } = this.#inOrder();
    if (stay.length === columns.rows && stay.every((row, i) => row === i)) return;
    this.#columns = newColumns(new Uint8Array(Math.min(bytes, columns.bytes.length)), Math.max(16, sources.length));
    this.#sources = new Int32Array(Math.max(16, sources.length));
    this.#used = 0;
    for (const row of stay) this.add(columns, row, sources[row] as number);
    const last = stay.at(-1);
    if (last !== undefined && !all) this.#floor = columns[this.#rank][last] as number;
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

function spanOf(texts: readonly TextColumn[], row: number, into: typeof span): void {
  let least = Infinity, most = 0;
  for (let i = 0; i < texts.length; i += 1) {
    const { from, to } = texts[i] as TextColumn, begin = from[row] as number, end = to[row] as number;
    if (end <= begin) continue;
    if (begin < least) least = begin;
    if (end > most) most = end;
  }
  into.from = most === 0 ? 0 : least;
  into.to = most;
}

/** Of few columns: those of the reader, and those of the rows kept. */
const lists = new WeakMap<Columns['text'], readonly TextColumn[]>();
/** In the order of TEXT_ROLES: a look-up by name for each text of each row is what takes longest while the code is cold. */
function textsOf({ text }: Columns): readonly TextColumn[] {
  let list = lists.get(text);
  if (list === undefined) { list = TEXT_ROLES.map((role) => text[role]); lists.set(text, list); }
  return list;
}

/** Each by its name, for the same reason. */
function copyNumbers(columns: Columns, row: number, into: FullColumns, to: number): void {
  const { upstream } = columns;
  into.offset[to] = columns.offset[row] as number;
  into.at[to] = columns.at[row] as number;
  into.status[to] = columns.status[row] as number;
  into.sub[to] = columns.sub[row] as number;
  into.win32[to] = columns.win32[row] as number;
  into.taken[to] = columns.taken[row] as number;
  into.sent[to] = columns.sent[row] as number;
  into.received[to] = columns.received[row] as number;
  into.upstream.status[to] = upstream === undefined ? ABSENT : upstream.status[row] as number;
  into.upstream.taken[to] = upstream === undefined ? ABSENT : upstream.taken[row] as number;
}

/** What add() takes for a row. */
function textBytes(columns: Columns, row: number): number {
  const texts = textsOf(columns);
  spanOf(texts, row, span);
  if (span.to - span.from <= MAX_TEXT_BYTES) return span.to - span.from;
  return texts.reduce((sum, { from, to }) => sum + Math.max(0, (to[row] as number) - (from[row] as number)), 0);
}

/** A size at which no character is cut in two: half a character would make the whole text look like Latin-1. */
function wholeText(bytes: Uint8Array, from: number, size: number): number {
  if (size <= MAX_TEXT_BYTES) return size;
  let cut = MAX_TEXT_BYTES;
  while (cut > MAX_TEXT_BYTES - 4 && ((bytes[from + cut] as number) & 0xC0) === 0x80) cut -= 1;
  return cut;
}
