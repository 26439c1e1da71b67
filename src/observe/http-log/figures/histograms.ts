// Owns many histograms in one piece of memory: a page of counters for each power of two that occurs, so that a row touches two cache lines.
import { BUCKETS, FIRST_ORDERED_PAGE, PAGE, PAGES, bucketsInOrder, middleOf } from './buckets.ts';

/** A counter has 8 bits; what goes beyond is kept apart, in whole turns of it. */
const TURN = 256;
const FIRST_PAGES = 32;
/** What is not touched of new memory costs nothing; each move to larger memory touches all of it anew. */
const GROWTH = 4;

/** Scratch of addEach(): each batch uses it anew. */
let places = new Int32Array(0);

/** What can be handed to another thread or process: the memory as it is, and the turns as pairs of cell and number. */
export interface HistogramsState { directory: Int32Array; cells: Uint8Array; turns: Float64Array }

/** Told of a histogram; empty when it counted nothing. */
export interface Quantiles { p50?: number; p95?: number; p99?: number; max?: number }

export class Histograms {
  #directory = new Int32Array(8 * PAGES);
  /** Page 0 is never used: 0 in the directory says that there is none. */
  #cells = new Uint8Array(FIRST_PAGES * PAGE);
  #used = 1;
  readonly #free: number[] = [];
  readonly #turns = new Map<number, number>();
  /** Pages of which a cell has turns. */
  readonly #turned = new Set<number>();

  get sizeBytes(): number { return this.#directory.byteLength + this.#cells.byteLength + this.#turns.size * 40; }

  /** Makes room for ids below `count`. */
  reserve(count: number): void {
    if (count * PAGES <= this.#directory.length) return;
    const grown = new Int32Array(Math.max(count, this.#directory.length / PAGES * GROWTH) * PAGES);
    grown.set(this.#directory);
    this.#directory = grown;
  }

  /** Counts a value per row: `buckets` are bucketOf() of each, ids below what was reserved; rows of a negative id or bucket take no part. */
  addEach(ids: Int32Array, buckets: Int32Array, count: number): void {
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
    if ((id + 1) * PAGES > other.#directory.length) return;
    for (let index = 0; index < PAGES; index += 1) {
      const there = other.#directory[id * PAGES + index] as number;
      if (there === 0) continue;
      const here = this.#addPage(into * PAGES + index, other.#cells, there);
      if (other.#turned.has(there)) for (let k = 0; k < PAGE; k += 1) { const turns = other.#turns.get(there * PAGE + k); if (turns !== undefined) this.#turn(here * PAGE + k, turns); }
    }
  }

  /** Adds the cells of a page of another's; the page here. */
  #addPage(place: number, from: Uint8Array, there: number): number {
    let page = this.#directory[place] as number;
    if (page === 0) {
      page = this.#newPage(place);
      this.#cells.set(from.subarray(there * PAGE, (there + 1) * PAGE), page * PAGE);
      return page;
    }
    const cells = this.#cells, shift = (page - there) * PAGE;
    for (let cell = there * PAGE; cell < (there + 1) * PAGE; cell += 1) {
      const more = from[cell] as number;
      if (more === 0) continue;
      const sum = (cells[cell + shift] as number) + more;
      cells[cell + shift] = sum;
      if (sum >= TURN) this.#turn(cell + shift, 1);
    }
    return page;
  }

  /** Adds a page of cells to a histogram; its number here, for addTurns(). */
  addPage(id: number, power: number, cells: Uint8Array, page: number): number {
    return this.#addPage(id * PAGES + power, cells, page);
  }

  /** A cell of a page here has run over so many times more. */
  addTurns(page: number, cell: number, times: number): void {
    this.#turn(page * PAGE + cell, times);
  }

  /** Forgets a histogram. */
  drop(id: number): void {
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
    const before = this.#directory;
    this.#directory = new Int32Array(before.length);
    into.forEach((to, from) => { if (to >= 0) this.#directory.set(before.subarray(from * PAGES, (from + 1) * PAGES), to * PAGES); });
  }

  /** Of several histograms together. `max` is exact; `whole`: all values were whole numbers. */
  quantiles(ids: Iterable<number>, max: number, whole: boolean): Quantiles {
    const used = new Uint8Array(PAGES);
    let total = 0;
    for (const id of ids) total += this.#sum(id, used);
    if (total === 0) return {};
    const [p50, p95, p99] = atShares(sums, total, { max, whole, order: bucketsOf(used) });
    used.forEach((is, index) => { if (is) sums.fill(0, index * PAGE, (index + 1) * PAGE); });
    return { p50, p95, p99, max };
  }

  state(count: number): HistogramsState {
    return { directory: this.#directory.slice(0, count * PAGES), cells: this.#cells.slice(0, this.#used * PAGE).fill(0, 0, PAGE), turns: this.#turnsInOrder() };
  }

  #turnsInOrder(): Float64Array {
    const cells = Float64Array.from(this.#turns.keys()).sort(), turns = new Float64Array(cells.length * 2);
    cells.forEach((cell, i) => { turns[i * 2] = cell; turns[i * 2 + 1] = this.#turns.get(cell) ?? 0; });
    return turns;
  }

  /** `into`: id here of each id there; a negative one is left out. */
  merge({ directory, cells, turns }: HistogramsState, into: (id: number) => number): void {
    const pageHere = new Int32Array(cells.length / PAGE);
    for (let id = 0; id * PAGES < directory.length; id += 1) {
      const to = into(id);
      if (to < 0) continue;
      this.reserve(to + 1);
      for (let index = 0; index < PAGES; index += 1) {
        const there = directory[id * PAGES + index] as number;
        if (there !== 0) pageHere[there] = this.#addPage(to * PAGES + index, cells, there);
      }
    }
    for (let i = 0; i < turns.length; i += 2) {
      const cell = turns[i] as number, page = pageHere[cell >>> 7] as number;
      if (page !== 0) this.#turn(page * PAGE + (cell & 127), turns[i + 1] as number);
    }
  }

  /** Adds a histogram to `sums`; how much that was. */
  #sum(id: number, used: Uint8Array): number {
    if ((id + 1) * PAGES > this.#directory.length) return 0;
    const cells = this.#cells;
    let total = 0;
    for (let index = 0; index < PAGES; index += 1) {
      const page = this.#directory[id * PAGES + index] as number;
      if (page === 0) continue;
      used[index] = 1;
      const turned = this.#turned.has(page);
      for (let k = 0; k < PAGE; k += 1) {
        const count = (cells[page * PAGE + k] as number) + (turned ? (this.#turns.get(page * PAGE + k) ?? 0) * TURN : 0);
        if (count === 0) continue;
        sums[index * PAGE + k] = (sums[index * PAGE + k] as number) + count;
        total += count;
      }
    }
    return total;
  }

  #newPage(place: number): number {
    let page = this.#free.pop();
    if (page === undefined) {
      page = this.#used;
      this.#used += 1;
      if (this.#used * PAGE > this.#cells.length) {
        const grown = new Uint8Array(this.#cells.length * GROWTH);
        grown.set(this.#cells);
        this.#cells = grown;
      }
    }
    this.#directory[place] = page;
    return page;
  }
}

/** Scratch of quantiles(): zeros before and after. */
const sums = new Float64Array(BUCKETS);

/** Buckets of these pages, ascending by what they stand for. */
function bucketsOf(used: Uint8Array): Iterable<number> {
  for (let index = 1; index < FIRST_ORDERED_PAGE; index += 1) if (used[index]) return bucketsInOrder();
  return bucketsOfPages(used);
}

function* bucketsOfPages(used: Uint8Array): Generator<number> {
  for (let index = 0; index < PAGES; index += 1) if (used[index]) for (let k = 0; k < PAGE; k += 1) yield index * PAGE + k;
}

const SHARES = [0.5, 0.95, 0.99];

/** By nearest rank; the last rank is the exact maximum. */
function atShares(counts: Float64Array, total: number, { max, whole, order }: { max: number; whole: boolean; order: Iterable<number> }): [number, number, number] {
  const found = [max, max, max];
  let at = 0, seen = 0;
  for (const bucket of order) {
    seen += counts[bucket] as number;
    for (; at < SHARES.length && seen >= rank(at, total); at += 1) if (rank(at, total) < total) found[at] = rounded(Math.min(max, middleOf(bucket, whole)));
    if (at === SHARES.length) break;
  }
  return found as [number, number, number];
}

const rank = (share: number, total: number): number => Math.max(1, Math.ceil((SHARES[share] as number) * total));
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
