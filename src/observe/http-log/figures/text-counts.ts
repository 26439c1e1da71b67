// Owns counting by text in bounded memory: when there are too many, those with the fewest failures and rows are let go, counted, and their number estimated.
import type { Columns, TextColumn } from '../columns.ts';
import type { Batch } from './batch.ts';
import { ByteTable } from './byte-table.ts';
import type { ByteTableState } from './byte-table.ts';
import { giveBack } from './give-back.ts';
import { DISTINCT_ERROR_PERCENT, Distinct } from './distinct.ts';
import { Histograms } from './histograms.ts';
import type { HistogramsState } from './histograms.ts';

/** Places in a text's counters. LOST: rows of it that may have been let go before it came (again), at most. */
export const COUNT = 0, FAILURES = 1, LOST = 2, MAX = 3;
/** Only where TextCountsOptions.width is ROUTE_WIDTH. */
export const CLIENT_ERRORS = 4, SENT = 5, SENT_ROWS = 6, METHOD = 7;
export const WIDTH = 4, ROUTE_WIDTH = 8;
/** The row has no such text; -1: it has one that is not told apart. */
export const ABSENT_TEXT = -2;
/** Longer texts are cut; what is equal up to there is one. */
const MAX_TEXT_BYTES = 512;

export interface TextCountsState { texts: ByteTableState; values: Float64Array; others: Float64Array; lost: number; distinct: Uint8Array; pruned: boolean; taken?: HistogramsState }

export interface TextCountsOptions {
  /** Texts counted one by one at once; beyond it half of them are let go. */
  readonly most: number;
  readonly width: typeof WIDTH | typeof ROUTE_WIDTH;
  /** With histograms of time taken. */
  readonly taken: boolean;
  /** Called before a text is let go. */
  letGo?(id: number): void;
}

export class TextCounts {
  readonly #options: TextCountsOptions;
  readonly texts = new ByteTable();
  readonly taken = new Histograms();
  /** Counters of id i from i * width on; may be another array after each batch. */
  values: Float64Array;
  /** What was let go. */
  readonly others: Float64Array;
  readonly distinct = new Distinct();
  pruned = false;
  /** Grows when texts get other ids. */
  version = 0;
  /** What a text that comes now may have lost before. */
  #lost = 0;
  #known = 0;

  constructor(options: TextCountsOptions) {
    this.#options = options;
    this.values = new Float64Array(64 * options.width);
    this.others = new Float64Array(options.width);
  }

  get size(): number { return this.texts.size; }
  get sizeBytes(): number { return this.texts.sizeBytes + this.taken.sizeBytes + this.values.byteLength; }

  /** Id of a text; -1 when it cannot be kept: its row belongs to `others`. */
  idOf(hash: number, bytes: Uint8Array, view: DataView, from: number, size: number): number {
    const id = this.texts.numberOf(hash, bytes, view, from, size < MAX_TEXT_BYTES ? size : MAX_TEXT_BYTES);
    if (id >= this.#known) this.#welcome(id);
    return id;
  }

  /** Ids of the texts of these rows; ABSENT_TEXT where a row has none. */
  idsOf({ from, to, hash }: TextColumn, { bytes }: Columns, { rows, count, view }: Batch, into: Int32Array): void {
    const texts = this.texts;
    texts.guess(hash, rows, count, into);
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, begin = from[row] as number, size = (to[row] as number) - begin, guess = (into[i] as number) - 1;
      if (size > 0 && guess >= 0 && texts.is(guess, view, begin, size)) into[i] = guess;
      else into[i] = size <= 0 ? ABSENT_TEXT : this.idOf(hash[row] as number, bytes, view, begin, size);
    }
  }

  /** There are too many. */
  get crowded(): boolean { return this.size > this.#options.most; }

  /** Between batches: lets texts go when they are too many. Ids of before become ids of the answer (-1: let go); undefined when all stay. */
  prune(): Int32Array | undefined {
    const { most, width, taken } = this.#options;
    if (!this.crowded) return undefined;
    const order = this.inOrder();
    const keep = order.slice(0, most / 2);
    const into = new Int32Array(this.size).fill(-1);
    keep.forEach((id, i) => { into[id] = i; });
    let largest = 0;
    for (const id of order.slice(most / 2)) {
      this.#options.letGo?.(id);
      if (taken) this.taken.drop(id);
      largest = Math.max(largest, (this.values[id * width] as number) + (this.values[id * width + LOST] as number));
      this.#addTo(this.others, 0, this.values, id * width);
    }
    this.#lost = Math.max(this.#lost, largest);
    this.#renumber(keep, into);
    return into;
  }

  #renumber(keep: readonly number[], into: Int32Array): void {
    const { width, taken } = this.#options;
    const values = new Float64Array(this.values.length);
    keep.forEach((id, i) => values.set(this.values.subarray(id * width, (id + 1) * width), i * width));
    this.values = values;
    if (taken) this.taken.renumber(into);
    this.texts.keep(keep);
    this.#known = keep.length;
    this.pruned = true;
    this.version += 1;
  }

  /** Ids, of all or of some, most failures first, then most rows. */
  inOrder(ids: readonly number[] = Array.from({ length: this.size }, (_, id) => id)): number[] {
    const { width } = this.#options;
    const of = (id: number, what: number): number => this.values[id * width + what] as number;
    return [...ids]
      .sort((a, b) => of(b, FAILURES) - of(a, FAILURES) || of(b, COUNT) - of(a, COUNT) || Buffer.compare(this.texts.bytes(a), this.texts.bytes(b)));
  }

  /** How many different texts came, and the error of that in percent when it is an estimate. */
  howMany(): { distinct: number; estimated?: number } {
    return this.pruned ? { distinct: Math.max(this.size, this.distinct.estimate()), estimated: DISTINCT_ERROR_PERCENT } : { distinct: this.size };
  }

  state(): TextCountsState {
    const { width, taken } = this.#options;
    return {
      texts: this.texts.state(), values: this.values.slice(0, this.size * width), others: this.others.slice(), lost: this.#lost, distinct: this.distinct.state(), pruned: this.pruned,
      ...(taken ? { taken: this.taken.state(this.size) } : {}),
    };
  }

  /** Ids here of the ids there. Call prune() afterwards. */
  merge(state: TextCountsState): Int32Array {
    const { width } = this.#options;
    const sizeBefore = this.size;
    const into = this.texts.merge(state.texts);
    if (this.size > this.#known) this.#welcome(this.size - 1);
    const seen = new Uint8Array(this.size);
    into.forEach((id, from) => {
      if (id < 0) { this.#addTo(this.others, 0, state.values, from * width); return; }
      seen[id] = 1;
      this.#addTo(this.values, id * width, state.values, from * width);
    });
    // A text that the other side does not hold may be among those it let go.
    for (let id = 0; id < sizeBefore; id += 1) if (!seen[id]) this.values[id * width + LOST] = (this.values[id * width + LOST] as number) + state.lost;
    this.#addTo(this.others, 0, state.others, 0);
    this.#lost += state.lost;
    this.distinct.merge(state.distinct);
    this.pruned ||= state.pruned;
    if (state.taken) this.taken.merge(state.taken, (id) => into[id] as number);
    return into;
  }

  #welcome(last: number): void {
    const { width, taken } = this.#options;
    if ((last + 1) * width > this.values.length) {
      const grown = new Float64Array(Math.max(last + 1, this.values.length / width * 4) * width);
      grown.set(this.values);
      giveBack(this.values);
      this.values = grown;
    }
    if (taken) this.taken.reserve(last + 1);
    for (let id = this.#known; id <= last; id += 1) {
      this.distinct.add(this.texts.hash(id));
      this.values[id * width + LOST] = this.#lost;
    }
    this.#known = last + 1;
  }

  /** Sums, but the largest of MAX, and METHOD as it is. */
  #addTo(into: Float64Array, at: number, from: Float64Array, place: number): void {
    for (let i = 0; i < this.#options.width; i += 1) {
      const before = into[at + i] as number, more = from[place + i] as number;
      into[at + i] = i === MAX ? Math.max(before, more) : i === METHOD ? more : before + more;
    }
  }
}
