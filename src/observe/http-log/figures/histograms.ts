// Owns many histograms in one piece of memory: a page of counters for each power of two that occurs, so that a row touches two cache lines.
import { BUCKETS, FIRST_ORDERED_PAGE, PAGE, PAGES, bucketOf } from './buckets.ts';
import { giveBack } from './give-back.ts';
import { atShares, atSharesOf, pagesOf, powersOf } from './quantiles.ts';
import type { Quantiles } from './quantiles.ts';
import { Room } from './room.ts';

export { withQuantiles } from './quantiles.ts';
export type { Quantiles } from './quantiles.ts';

/** A counter has 8 bits; what goes beyond is kept apart, in whole turns of it. */
const TURN = 256;
const FIRST_PAGES = 32;
/** Of the directory: each move to larger memory touches all of it anew. */
const GROWTH = 4;

/** Scratch of addEach(): each batch uses it anew. */
let places = new Int32Array(0);

/** Cells, and the same four at a time: most of most pages are 0 and passed over. */
export interface Cells { readonly bytes: Uint8Array; readonly words: Int32Array }
/** `bytes` begins at a multiple of 4. */
export const cellsOf = (bytes: Uint8Array): Cells => ({ bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2) });
const PAGE_WORDS = PAGE / 4;
const TOP_BITS = 0x80808080;

/** What can be handed to another thread or process: the memory as it lies, not copied, and the turns as pairs of cell and number. */
export interface HistogramsState { directory: Int32Array; cells: Uint8Array; turns: Float64Array }

/** Histograms that lie elsewhere, for whom only quantiles are asked for. */
export interface Lent {
  /** Of whole numbers. */
  quantiles(ids: readonly number[], max: number): Quantiles;
  /** Brings them here. */
  settle(): void;
}

export class Histograms {
  #directory = new Int32Array(8 * PAGES);
  /** Page 0 is never used: 0 in the directory says that there is none. */
  readonly #room = new Room(FIRST_PAGES * PAGE);
  #all = cellsOf(this.#room.bytes);
  #cells = this.#all.bytes;
  #used = 1;
  readonly #free: number[] = [];
  readonly #turns = new Map<number, number>();
  /** Pages of which a cell has turns. */
  readonly #turned = new Set<number>();
  #lent: Lent | undefined;

  get sizeBytes(): number { return this.#directory.byteLength + this.#cells.byteLength + this.#turns.size * 40; }

  /** Nothing was counted here. */
  get none(): boolean { return this.#used === 1; }

  /** From now on quantiles are asked for elsewhere, until something else is wanted; there is none here. */
  lend(lent: Lent | undefined): void { this.#lent = lent; }

  #settle(): void { this.#lent?.settle(); }

  /** Makes room for ids below `count`. */
  reserve(count: number): void {
    if (count * PAGES <= this.#directory.length) return;
    const grown = new Int32Array(Math.max(count, this.#directory.length / PAGES * GROWTH) * PAGES);
    grown.set(this.#directory);
    giveBack(this.#directory);
    this.#directory = grown;
  }

  /** Counts a value per row: `buckets` are bucketOf() of each, ids below what was reserved; rows of a negative id or bucket take no part. */
  addEach(ids: Int32Array, buckets: Int32Array, count: number): void {
    this.#settle();
    const cells = places.length < count ? places = new Int32Array(ids.length) : places;
    for (let i = 0; i < count; i += 1) cells[i] = this.#cellOf(ids[i] as number, buckets[i] as number);
    // Apart from the loop above, so that neither waits for the other's memory.
    for (let i = 0; i < count; i += 1) this.#increase(cells[i] as number);
  }

  #cellOf(id: number, bucket: number): number {
    if ((id | bucket) < 0) return 0;
    const place = id * PAGES + (bucket >>> 7);
    let page = this.#directory[place] as number;
    if (page === 0) page = this.#newPage(place);
    return page * PAGE + (bucket & 127);
  }

  /** Page 0 is of no use: rows without a value go there. */
  #increase(cell: number): void {
    const now = (this.#cells[cell] as number) + 1;
    this.#cells[cell] = now;
    if (now === TURN && cell !== 0) this.#turn(cell, 1);
  }

  #turn(cell: number, times: number): void {
    this.#turns.set(cell, (this.#turns.get(cell) ?? 0) + times);
    this.#turned.add(cell >>> 7);
  }

  /** Adds to `into` what another's histogram `id` counted. */
  mergeFrom(other: Histograms, id: number, into: number): void {
    other.#settle();
    if ((id + 1) * PAGES > other.#directory.length) return;
    for (let index = 0; index < PAGES; index += 1) {
      const there = other.#directory[id * PAGES + index] as number;
      if (there === 0) continue;
      const here = this.#addPage(into * PAGES + index, other.#all, there);
      if (other.#turned.has(there)) for (let k = 0; k < PAGE; k += 1) { const turns = other.#turns.get(there * PAGE + k); if (turns !== undefined) this.#turn(here * PAGE + k, turns); }
    }
  }

  /** Adds the cells of a page of another's; the page here. */
  #addPage(place: number, { bytes: from, words }: Cells, there: number): number {
    let page = this.#directory[place] as number;
    if (page === 0) {
      page = this.#newPage(place);
      this.#cells.set(from.subarray(there * PAGE, (there + 1) * PAGE), page * PAGE);
      return page;
    }
    const cells = this.#cells, shift = (page - there) * PAGE, own = this.#all.words, wordShift = (page - there) * PAGE_WORDS;
    for (let word = there * PAGE_WORDS; word < (there + 1) * PAGE_WORDS; word += 1) {
      const more = words[word] as number;
      if (more === 0) continue;
      const before = own[word + wordShift] as number;
      // Four sums at once where none can run over.
      if (((more | before) & TOP_BITS) === 0) { own[word + wordShift] = before + more; continue; }
      for (let cell = word * 4; cell < word * 4 + 4; cell += 1) {
        const sum = (cells[cell + shift] as number) + (from[cell] as number);
        cells[cell + shift] = sum;
        if (sum >= TURN) this.#turn(cell + shift, 1);
      }
    }
    return page;
  }

  /** Adds a page of cells to a histogram; its number here, for addTurns(). */
  addPage(id: number, power: number, cells: Cells, page: number): number {
    return this.#addPage(id * PAGES + power, cells, page);
  }

  /** A cell of a page here has run over so many times more. */
  addTurns(page: number, cell: number, times: number): void {
    this.#turn(page * PAGE + cell, times);
  }

  /** Forgets a histogram. */
  drop(id: number): void {
    this.#settle();
    for (let place = id * PAGES; place < (id + 1) * PAGES; place += 1) {
      const page = this.#directory[place] as number;
      if (page === 0) continue;
      this.#directory[place] = 0;
      this.#cells.fill(0, page * PAGE, (page + 1) * PAGE);
      if (this.#turned.delete(page)) for (let cell = page * PAGE; cell < (page + 1) * PAGE; cell += 1) this.#turns.delete(cell);
      this.#free.push(page);
    }
  }

  /** Gives histograms other ids: the one of id i becomes that of into[i]; those of a negative one must have been dropped. */
  renumber(into: Int32Array): void {
    this.#settle();
    const before = this.#directory;
    this.#directory = new Int32Array(before.length);
    into.forEach((to, from) => { if (to >= 0) this.#directory.set(before.subarray(from * PAGES, (from + 1) * PAGES), to * PAGES); });
  }

  /** Of several histograms together. `max` is exact; `whole`: all values were whole numbers. */
  quantiles(ids: readonly number[], max: number, whole: boolean): Quantiles {
    if (this.#lent !== undefined) return this.#lent.quantiles(ids, max);
    const alone = whole && ids.length === 1 ? this.#quantilesOf(ids[0] as number, max) : undefined;
    if (alone !== undefined) return alone;
    // Nothing is longer than the longest; fractions lie in pages of their own behind that of the small whole numbers.
    const last = Math.max(Math.max(0, bucketOf(max)) >>> 7, whole ? 0 : FIRST_ORDERED_PAGE - 1), gap = whole ? FIRST_ORDERED_PAGE - 1 : 0;
    let total = 0;
    for (const id of ids) total += this.#sum(id, last, gap);
    const found = total === 0 ? {} : atShares(sums, total, { max, whole, used: summed });
    for (let index = 0; index <= last; index += 1) {
      if (summed[index] === 0) continue;
      sums.fill(0, index * PAGE, (index + 1) * PAGE);
      summed[index] = 0;
    }
    return found;
  }

  /** Of one histogram of whole numbers, where it lies: nearly all are such, and nothing is written down but where its pages are. Undefined where a cell has turns. */
  #quantilesOf(id: number, max: number): Quantiles | undefined {
    const { words } = this.#all, last = Math.max(0, bucketOf(max)) >>> 7;
    let pages = 0, total = 0;
    for (let index = 0; index <= last; index += index === 0 ? FIRST_ORDERED_PAGE : 1) {
      const page = this.#directory[id * PAGES + index];
      if (page === undefined || page === 0) continue;
      if (this.#turned.has(page)) return undefined;
      for (let word = page * PAGE_WORDS, end = word + PAGE_WORDS; word < end; word += 1) {
        const four = words[word] as number;
        if (four !== 0) total += (four & 255) + (four >>> 8 & 255) + (four >>> 16 & 255) + (four >>> 24);
      }
      pagesOf[pages] = page;
      powersOf[pages] = index;
      pages += 1;
    }
    return total === 0 ? {} : atSharesOf(this.#all, pages, total, max);
  }

  /** Of the first `count` ids; valid until the next value is counted. */
  state(count: number): HistogramsState {
    this.#settle();
    this.#cells.fill(0, 0, PAGE);
    return { directory: this.#directory.subarray(0, count * PAGES), cells: this.#cells.subarray(0, this.#used * PAGE), turns: this.#turnsInOrder() };
  }

  #turnsInOrder(): Float64Array {
    const cells = Float64Array.from(this.#turns.keys()).sort(), turns = new Float64Array(cells.length * 2);
    cells.forEach((cell, i) => { turns[i * 2] = cell; turns[i * 2 + 1] = this.#turns.get(cell) ?? 0; });
    return turns;
  }

  /** `into`: id here of each id there; a negative one is left out. */
  merge({ directory, cells, turns }: HistogramsState, into: (id: number) => number): void {
    this.#settle();
    const pageHere = new Int32Array(cells.length / PAGE), from = cellsOf(cells);
    for (let id = 0; id * PAGES < directory.length; id += 1) {
      const to = into(id);
      if (to < 0) continue;
      this.reserve(to + 1);
      for (let index = 0; index < PAGES; index += 1) {
        const there = directory[id * PAGES + index] as number;
        if (there !== 0) pageHere[there] = this.#addPage(to * PAGES + index, from, there);
      }
    }
    for (let i = 0; i < turns.length; i += 2) {
      const cell = turns[i] as number, page = pageHere[cell >>> 7] as number;
      if (page !== 0) this.#turn(page * PAGE + (cell & 127), turns[i + 1] as number);
    }
  }

  /** Adds a histogram's pages up to `last` to `sums`, those after the first but for `gap` of them; how much that was. */
  #sum(id: number, last: number, gap: number): number {
    if ((id + 1) * PAGES > this.#directory.length) return 0;
    let total = 0;
    for (let index = 0; index <= last; index += index === 0 ? 1 + gap : 1) {
      const page = this.#directory[id * PAGES + index] as number;
      if (page === 0) continue;
      summed[index] = 1;
      total += this.#turned.has(page) ? this.#sumTurned(page, index) : this.#sumPage(page, index);
    }
    return total;
  }

  #sumPage(page: number, index: number): number {
    const { bytes, words } = this.#all, shift = (index - page) * PAGE;
    let total = 0;
    for (let word = page * PAGE_WORDS; word < (page + 1) * PAGE_WORDS; word += 1) {
      if (words[word] === 0) continue;
      for (let cell = word * 4; cell < word * 4 + 4; cell += 1) {
        const count = bytes[cell] as number;
        sums[cell + shift] = (sums[cell + shift] as number) + count;
        total += count;
      }
    }
    return total;
  }

  #sumTurned(page: number, index: number): number {
    let total = 0;
    for (let k = 0; k < PAGE; k += 1) {
      const cell = page * PAGE + k, count = (this.#cells[cell] as number) + (this.#turns.get(cell) ?? 0) * TURN;
      sums[index * PAGE + k] = (sums[index * PAGE + k] as number) + count;
      total += count;
    }
    return total;
  }

  #newPage(place: number): number {
    let page = this.#free.pop();
    if (page === undefined) {
      page = this.#used;
      this.#used += 1;
      if (this.#used * PAGE > this.#cells.length) {
        this.#cells = this.#room.widen(this.#used * PAGE);
        this.#all = cellsOf(this.#cells);
      }
    }
    this.#directory[place] = page;
    return page;
  }
}

/** Scratch of quantiles(), which is asked thousands of times for a report: what is summed, and the pages of it that are used; zeros before and after. */
const sums = new Float64Array(BUCKETS), summed = new Uint8Array(PAGES);
