// Owns rows at which nobody has looked yet: what of their columns is shown, copied tightly, and made into rows when somebody does.
import type { RequestRow } from '../../shared/model.ts';
import type { RequestGlance, RequestRows } from '../observe.ts';
import { ABSENT, TEXT_ROLES, hashOf } from './columns.ts';
import type { Columns, TextColumn, TextRole } from './columns.ts';
import { pathOf, requestRow } from './rows.ts';

/** Texts of a row that are shown, as the W3C format has them. */
const SHOWN = ['method', 'path', 'query', 'client', 'agent', 'host', 'referrer'] as const satisfies readonly TextRole[];
const NUMBERS = ['at', 'offset', 'win32', 'taken', 'sent', 'received'] as const;
const WORDS = ['status', 'sub'] as const;
const AT = 0, WIN32 = 2, TAKEN = 3, STATUS = 0, SUB = 1, PATH = 1;
/** Rows with longer texts on average are made at once: they cut their texts, so that memory stays bounded. */
const MAX_TEXT_BYTES = 1_024;

/** Columns one behind the other; of the texts, which lie in the same order, where each ends: there the next one begins. */
interface Kept { readonly numbers: Float64Array; readonly words: Int32Array; readonly ends: Int32Array; readonly bytes: Uint8Array }

export class RestingRows implements RequestRows {
  readonly size: number;
  readonly #source: string;
  #kept: Kept | undefined;
  #rows: readonly RequestRow[] | undefined;

  /** The rows at the first `size` places. Nothing of the columns is kept. */
  constructor(columns: Columns, places: Int32Array, size: number, source: string) {
    this.size = size;
    this.#source = source;
    const textBytes = sizeOfTexts(columns, places, size);
    if (columns.upstream !== undefined || textBytes > size * MAX_TEXT_BYTES) this.#rows = Array.from({ length: size }, (_, i) => requestRow(columns, places[i] as number, source));
    else this.#kept = keep(columns, places, size, textBytes);
  }

  get rows(): readonly RequestRow[] {
    if (this.#kept !== undefined) {
      const columns = columnsOf(this.#kept, this.size);
      this.#rows = Array.from({ length: this.size }, (_, row) => requestRow(columns, row, this.#source));
      this.#kept = undefined;
    }
    return this.#rows ?? [];
  }

  each(from: number, to: number, look: (request: RequestGlance) => void): void {
    if (this.#kept === undefined) { for (let i = from; i < to; i += 1) look(this.rows[i] as RequestRow); return; }
    const glance = new Glance(this.#kept, this.size);
    for (glance.row = from; glance.row < to; glance.row += 1) look(glance);
  }
}

/** One object for all rows of a block. */
class Glance implements RequestGlance {
  row = 0;
  readonly #kept: Kept;
  readonly #size: number;

  constructor(kept: Kept, size: number) {
    this.#kept = kept;
    this.#size = size;
  }

  get at(): number { return this.#number(AT); }
  get path(): string {
    const { ends, bytes } = this.#kept;
    const place = PATH * this.#size + this.row;
    return pathOf(bytes, ends[place - 1] as number, ends[place] as number);
  }
  get status(): number { return this.#kept.words[STATUS * this.#size + this.row] as number; }
  get sub(): number | undefined { return there(this.#kept.words[SUB * this.#size + this.row] as number); }
  get win32(): number | undefined { return there(this.#number(WIN32)); }
  get takenMs(): number | undefined { return there(this.#number(TAKEN)); }

  #number(column: number): number { return this.#kept.numbers[column * this.#size + this.row] as number; }
}

function there(value: number): number | undefined {
  return value === ABSENT ? undefined : value;
}

function sizeOfTexts({ text }: Columns, places: Int32Array, size: number): number {
  let sum = 0;
  for (const role of SHOWN) {
    const { from, to } = text[role];
    for (let i = 0; i < size; i += 1) {
      const place = places[i] as number;
      sum += Math.max(0, (to[place] as number) - (from[place] as number));
    }
  }
  return sum;
}

function keep(columns: Columns, places: Int32Array, size: number, textBytes: number): Kept {
  const numbers = new Float64Array(NUMBERS.length * size), words = new Int32Array(WORDS.length * size);
  NUMBERS.forEach((name, k) => { gather(columns[name], places, size, numbers, k * size); });
  WORDS.forEach((name, k) => { gather(columns[name], places, size, words, k * size); });
  const ends = new Int32Array(SHOWN.length * size), bytes = new Uint8Array(textBytes);
  let end = 0;
  SHOWN.forEach((role, k) => { end = copyTexts(columns.bytes, columns.text[role], places, size, { ends, at: k * size, bytes, end }); });
  return { numbers, words, ends, bytes };
}

function gather(column: Float64Array | Int32Array, places: Int32Array, size: number, into: Float64Array | Int32Array, at: number): void {
  for (let i = 0; i < size; i += 1) into[at + i] = column[places[i] as number] as number;
}

/** Where the last one ends. Copied four bytes at a time, which is a third of the time of one by one. */
function copyTexts(bytes: Uint8Array, { from, to }: TextColumn, places: Int32Array, size: number, into: Pick<Kept, 'ends' | 'bytes'> & { readonly at: number; readonly end: number }): number {
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), target = new DataView(into.bytes.buffer);
  const { ends, at } = into;
  let { end } = into;
  for (let i = 0; i < size; i += 1) {
    const place = places[i] as number, begin = from[place] as number, length = (to[place] as number) - begin;
    let k = 0;
    for (; k + 4 <= length; k += 4) target.setInt32(end + k, source.getInt32(begin + k));
    for (; k < length; k += 1) into.bytes[end + k] = bytes[begin + k] as number;
    end += k;
    ends[at + i] = end;
  }
  return end;
}

/** The columns as they were, as far as rows are made of them. */
function columnsOf({ numbers, words, ends, bytes }: Kept, size: number): Columns {
  const [at, offset, win32, taken, sent, received] = NUMBERS.map((_, k) => numbers.subarray(k * size, (k + 1) * size)) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const [status, sub] = WORDS.map((_, k) => words.subarray(k * size, (k + 1) * size)) as [Int32Array, Int32Array];
  const none: TextColumn = { from: new Int32Array(size), to: new Int32Array(size), hash: new Int32Array(size) };
  const text = Object.fromEntries(TEXT_ROLES.map((role) => [role, none])) as Record<TextRole, TextColumn>;
  SHOWN.forEach((role, k) => { text[role] = textColumn(k, ends, bytes, size); });
  return { rows: size, bytes, offset, at, status, sub, win32, taken, sent, received, text };
}

function textColumn(k: number, ends: Int32Array, bytes: Uint8Array, size: number): TextColumn {
  const from = new Int32Array(size), to = new Int32Array(size), hash = new Int32Array(size);
  for (let row = 0; row < size; row += 1) {
    const place = k * size + row;
    from[row] = place === 0 ? 0 : ends[place - 1] as number;
    to[row] = ends[place] as number;
    hash[row] = hashOf(bytes, from[row] as number, to[row] as number);
  }
  return { from, to, hash };
}
