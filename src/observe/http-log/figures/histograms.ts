// Owns many histograms in one piece of memory: a page of counters for each power of two that occurs, so that a row touches two cache lines.
import { BUCKETS, FIRST_ORDERED_PAGE, PAGE, PAGES, bucketsInOrder, middleOf } from './buckets.ts';

/** A counter has 8 bits; what goes beyond is kept apart, in whole turns of it. */
const TURN = 256;
const FIRST_PAGES = 32;

/** Scratch of addEach(): each batch uses it anew. */
let places = new Int32Array(0);

/** What can be handed to another thread or process: page number p of histogram `ids[i]` lies in counts[i * PAGE ...]. */
export interface HistogramsState { ids: Int32Array; pages: Uint8Array; counts: Float64Array }

/** Told of a histogram; empty when it counted nothing. */
export interface Quantiles { p50?: number; p95?: number; p99?: number; max?: number }

export class Histograms {
  #directory = new Int32Array(8 * PAGES);
  /** Page 0 is never used: 0 in the directory says that there is none. */
  #cells = new Uint8Array(FIRST_PAGES * PAGE);
  #used = 1;
  readonly #free: number[] = [];
  readonly #turns = new Map<number, number>();
  readonly #sums = new Float64Array(BUCKETS);

  get sizeBytes(): number { return this.#directory.byteLength + this.#cells.byteLength + this.#turns.size * 40; }

  /** Makes room for ids below `count`. */
  reserve(count: number): void {
    if (count * PAGES <= this.#directory.length) return;
    const grown = new Int32Array(Math.max(count, Math.ceil(this.#directory.length / PAGES * 1.5)) * PAGES);
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
    if (now === TURN && cell !== 0) this.#turns.set(cell, (this.#turns.get(cell) ?? 0) + 1);
  }

  addMany(id: number, bucket: number, times: number): void {
    const place = id * PAGES + (bucket >>> 7);
    let page = this.#directory[place] as number;
    if (page === 0) page = this.#newPage(place);
    const cell = page * PAGE + (bucket & 127);
    const count = this.#count(cell) + times;
    const turns = Math.floor(count / TURN);
    this.#cells[cell] = count - turns * TURN;
    if (turns > 0) this.#turns.set(cell, turns);
  }

  /** Adds to `into` what another's histogram `id` counted. */
  mergeFrom(other: Histograms, id: number, into: number): void {
    other.#each(id, (bucket, count) => this.addMany(into, bucket, count));
  }

  /** Forgets a histogram. */
  drop(id: number): void {
    for (let place = id * PAGES; place < (id + 1) * PAGES; place += 1) {
      const page = this.#directory[place] as number;
      if (page === 0) continue;
      this.#directory[place] = 0;
      this.#cells.fill(0, page * PAGE, (page + 1) * PAGE);
      if (this.#turns.size > 0) for (let cell = page * PAGE; cell < (page + 1) * PAGE; cell += 1) this.#turns.delete(cell);
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
    const sums = this.#sums.fill(0);
    let total = 0;
    let fractions = false;
    for (const id of ids) {
      this.#each(id, (bucket, count) => {
        sums[bucket] = (sums[bucket] as number) + count;
        total += count;
        if (bucket >= PAGE && bucket < FIRST_ORDERED_PAGE * PAGE) fractions = true;
      });
    }
    if (total === 0) return {};
    const [p50, p95, p99] = atShares(sums, total, { max, whole, order: fractions ? bucketsInOrder() : undefined });
    return { p50, p95, p99, max };
  }

  state(count: number): HistogramsState {
    const ids: number[] = [], pages: number[] = [];
    for (let place = 0; place < count * PAGES; place += 1) if (this.#directory[place]) { ids.push(Math.floor(place / PAGES)); pages.push(place % PAGES); }
    const counts = new Float64Array(ids.length * PAGE);
    ids.forEach((id, i) => {
      const from = (this.#directory[id * PAGES + (pages[i] as number)] as number) * PAGE;
      for (let k = 0; k < PAGE; k += 1) counts[i * PAGE + k] = this.#count(from + k);
    });
    return { ids: Int32Array.from(ids), pages: Uint8Array.from(pages), counts };
  }

  /** `into`: id here of each id there; a negative one is left out. */
  merge(state: HistogramsState, into: (id: number) => number): void {
    state.ids.forEach((id, i) => {
      const to = into(id);
      if (to < 0) return;
      this.reserve(to + 1);
      for (let k = 0; k < PAGE; k += 1) {
        const count = state.counts[i * PAGE + k] as number;
        if (count > 0) this.addMany(to, (state.pages[i] as number) * PAGE + k, count);
      }
    });
  }

  #count(cell: number): number {
    return (this.#cells[cell] as number) + (this.#turns.size === 0 ? 0 : (this.#turns.get(cell) ?? 0) * TURN);
  }

  #each(id: number, use: (bucket: number, count: number) => void): void {
    if ((id + 1) * PAGES > this.#directory.length) return;
    for (let index = 0; index < PAGES; index += 1) {
      const page = this.#directory[id * PAGES + index] as number;
      if (page === 0) continue;
      for (let k = 0; k < PAGE; k += 1) {
        const count = this.#count(page * PAGE + k);
        if (count > 0) use(index * PAGE + k, count);
      }
    }
  }

  #newPage(place: number): number {
    let page = this.#free.pop();
    if (page === undefined) {
      page = this.#used;
      this.#used += 1;
      if (this.#used * PAGE > this.#cells.length) {
        const grown = new Uint8Array(Math.ceil(this.#cells.length / PAGE * 1.5) * PAGE);
        grown.set(this.#cells);
        this.#cells = grown;
      }
    }
    this.#directory[place] = page;
    return page;
  }
}

const SHARES = [0.5, 0.95, 0.99];

/** By nearest rank; the last rank is the exact maximum. */
function atShares(counts: Float64Array, total: number, { max, whole, order }: { max: number; whole: boolean; order: Int32Array | undefined }): [number, number, number] {
  const found = [max, max, max];
  let at = 0, seen = 0;
  for (let i = 0; i < BUCKETS && at < SHARES.length; i += 1) {
    const bucket = order === undefined ? i : order[i] as number;
    seen += counts[bucket] as number;
    for (; at < SHARES.length && seen >= rank(at, total); at += 1) if (rank(at, total) < total) found[at] = rounded(Math.min(max, middleOf(bucket, whole)));
  }
  return found as [number, number, number];
}

const rank = (share: number, total: number): number => Math.max(1, Math.ceil((SHARES[share] as number) * total));
const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
