// Owns the counters in one kernel's memory: whose rows they count, and how they are taken away.
import { FIRST_ORDERED_PAGE, middleOf } from '../figures/buckets.ts';
import { cellsOf } from '../figures/histograms.ts';
import { SAMPLE_WIDTH } from '../figures/samples.ts';
import type { Cells } from '../figures/histograms.ts';
import { rank, rounded } from '../figures/quantiles.ts';
import type { Quantiles } from '../figures/quantiles.ts';
import type { Compiled } from './kernel.ts';
import * as layout from './layout.ts';
import { MAX_IDS } from './layout.ts';
import type { SummedKind } from './layout.ts';

/** What rows name; for the first five the number of their table in assembly/lookup.ts (routes have the sixth too). */
export const KINDS = ['routes', 'clients', 'agents', 'hosts', 'referrers', 'odd-paths', 'statuses', 'slots'] as const;
export type Kind = Exclude<(typeof KINDS)[number], 'odd-paths'>;
export type TimedKind = Exclude<SummedKind, 'clients' | 'referrers'>;

/** Whose rows are counted. */
export interface Counted {
  /** Says the number of what a row names; a negative one is not remembered. */
  judge(kind: Kind, row: number): number;
  /** Looks at a row itself (its place among those that take part). */
  pick(place: number): void;
  /** Grows when the numbers of a kind, or the levels of its slots, are no longer what they were. */
  version(kind: Kind): number;
  /** From which level on rows of a slot are sampled. */
  levelOf(slot: number): number;
  /** The counters are needed for someone else: take them away now. */
  settle(): void;
}

/** Counters of one kind, as words and as numbers over the same memory: an id has `width` words. */
export interface Sums { readonly words: Uint32Array; readonly numbers: Float64Array; readonly width: number; /** Which of an id's numbers is the longest time. */ readonly longest: number }
/** Told of what counted something: where its words and its numbers begin. `id` is -1 for rows that are not told apart. */
export type UseSums = (id: number, sums: Sums, word: number, number: number) => void;

/** What counted histograms are added to. */
export interface TimesTaker {
  /** Adds a page; its number there. */
  addPage(id: number, power: number, cells: Cells, page: number): number;
  /** A cell of the page has run over so many times. */
  addTurns(page: number, cell: number, times: number): void;
}

const PAGE = 128;
/** Powers of two below 128 have no page in the kernel: its times are whole. */
const LEFT_OUT_PAGES = FIRST_ORDERED_PAGE - 1;
/** New pages, or cells that run over, that one batch can make: one for each row and kind. */
const MOST_NEW = layout.KERNEL_ROWS * 6;
const MOST_ROWS = 2 ** 31;
const VERSIONED = ['routes', 'clients', 'agents', 'hosts', 'referrers', 'statuses', 'slots'] as const satisfies readonly Kind[];

export class Tally {
  readonly rows: Int32Array;
  readonly buckets: Int32Array;
  readonly ids: Readonly<Record<(typeof layout.ROW_IDS)[number], Int32Array>>;
  readonly sums: Readonly<Record<SummedKind, Sums>>;
  /** Size and hash of the route that is asked for, where the kernel folded it (else size 0); its text lies at ROUTE_TEXT_AT. */
  readonly folded: Int32Array;
  readonly #loop: Compiled;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #levels: Uint8Array;
  readonly #sampleSizes: Uint8Array;
  readonly #samples: Int32Array;
  readonly #pages: Uint16Array;
  readonly #placeOf: Uint32Array;
  readonly #turns: Uint32Array;
  readonly #cells: Cells;
  readonly #asked: Int32Array;
  readonly #found: Uint32Array;
  readonly #versions = new Map<Kind, number>();
  #counted: Counted | undefined;
  /** Numbers of sources, in the order of their histograms. */
  #sources: number[] = [];
  #sinceSettled = 0;

  constructor(loop: Compiled) {
    const { buffer } = loop.memory;
    this.#loop = loop;
    const ids = (at: number): Int32Array => new Int32Array(buffer, at, layout.KERNEL_ROWS);
    this.rows = ids(layout.ASKED_AT);
    this.buckets = ids(layout.BUCKETS_AT);
    this.ids = Object.fromEntries(layout.ROW_IDS.map((kind, i) => [kind, ids(layout.BUCKETS_AT + (i + 1) * 4 * layout.KERNEL_ROWS)])) as Tally['ids'];
    this.sums = sumsOf(buffer);
    this.folded = new Int32Array(buffer, layout.ROUTE_AT, 2);
    this.#words = new Int32Array(buffer, layout.SUMMARY_AT, 5);
    this.#numbers = new Float64Array(buffer, layout.SUMMARY_AT + 24, 5);
    this.#levels = new Uint8Array(buffer, layout.LEVELS_AT, MAX_IDS.slots);
    this.#sampleSizes = new Uint8Array(buffer, layout.SAMPLE_SIZES_AT, MAX_IDS.slots);
    this.#samples = new Int32Array(buffer, layout.SAMPLES_AT, layout.SLOT_SAMPLES * MAX_IDS.slots);
    this.#pages = new Uint16Array(buffer);
    this.#placeOf = new Uint32Array(buffer, layout.PLACES_OF_PAGES_AT, layout.MAX_PAGES + 1);
    this.#turns = new Uint32Array(buffer, layout.TURNS_AT, 2 * layout.TURN_SLOTS);
    this.#asked = new Int32Array(buffer, layout.QUANTILES_ASKED_AT, (layout.QUANTILES_FOUND_AT - layout.QUANTILES_ASKED_AT) / 4);
    this.#found = new Uint32Array(buffer, layout.QUANTILES_FOUND_AT, 4);
    this.#cells = cellsOf(new Uint8Array(buffer, layout.CELLS_AT, PAGE * (layout.MAX_PAGES + 1)));
  }

  /** Which of the rows take part; how many, and how many do not. */
  choose(rows: number, { from, to, everything }: { from: number; to: number; everything: boolean }): { count: number; outside: number; leftOut: number; firstAt: number; lastAt: number } {
    this.#numbers[0] = Infinity;
    this.#numbers[1] = -Infinity;
    const count = this.#loop.choose(rows, from, to, everything ? 1 : 0);
    const [outside = 0, leftOut = 0] = this.#words, [firstAt = 0, lastAt = 0] = this.#numbers;
    return { count, outside, leftOut, firstAt, lastAt };
  }

  /** Counts the rows that take part. `slowFrom`: what takes as long is looked at. */
  count(counted: Counted, rows: number, { source, stepMs, slowFrom }: { source: number; stepMs: number; slowFrom: number }): { failures: number; longest: number } {
    this.#lend(counted);
    let times = this.#sources.indexOf(source);
    if (times < 0) { times = this.#sources.length; this.#sources.push(source); }
    this.#numbers[3] = slowFrom;
    this.#numbers[4] = stepMs;
    this.#sinceSettled += rows;
    this.#loop.count(rows, source, times);
    return { failures: this.#words[2] as number, longest: this.#numbers[2] as number };
  }

  judge(kind: number, row: number): number { return (this.#counted as Counted).judge(KINDS[kind] as Kind, row); }
  pick(place: number): void { (this.#counted as Counted).pick(place); }

  /** What was counted goes to `counted`, and what is remembered is what it said. */
  #lend(counted: Counted): void {
    if (this.#counted !== counted) {
      this.#counted?.settle();
      this.#counted = counted;
      this.#versions.clear();
    }
    const full = (this.#words[3] as number) + MOST_NEW > layout.MAX_PAGES || (this.#words[4] as number) + MOST_NEW > layout.TURN_SLOTS * 0.75;
    if (full || this.#sources.length >= MAX_IDS.sources || this.#sinceSettled > MOST_ROWS) counted.settle();
    for (const kind of VERSIONED) {
      const version = counted.version(kind);
      if (this.#versions.get(kind) === version) continue;
      this.#versions.set(kind, version);
      this.#forget(kind);
    }
  }

  #forget(kind: Kind): void {
    if (kind === 'statuses') { this.#loop.forgetStatuses(); return; }
    if (kind === 'slots') {
      this.#loop.forgetSlots();
      for (let slot = 0; slot < MAX_IDS.slots; slot += 1) this.#levels[slot] = this.#counted?.levelOf(slot) ?? 0;
      return;
    }
    this.#loop.forget(KINDS.indexOf(kind));
    if (kind === 'routes') this.#loop.forget(KINDS.indexOf('odd-paths'));
  }

  /** Hands out the counters of ids below `size` that counted something, and sets them to 0. `pagesStay`: but for which pages are theirs, which quantiles() needs. */
  take(kind: SummedKind, size: number, { use, pagesStay }: { use: UseSums; pagesStay: boolean }): void {
    const sums = this.sums[kind], { words, width } = sums;
    const others = MAX_IDS[kind] * width;
    for (let id = 0, at = 0; id < size; id += 1, at += width) if (words[at] !== 0) use(id, sums, at, at / 2);
    if (others < words.length && words[others] !== 0) use(-1, sums, others, others / 2);
    if (pagesStay && width === layout.WIDE) for (let at = 0; at < size * width; at += width) words.fill(0, at, at + layout.PAGES_IN_SUMS / 4);
    else words.fill(0, 0, size * width);
    words.fill(0, others);
  }

  /** Hands out the sampled rows of slots below `size`, with the level from which on they are, and forgets them; the answer is the level from which on they are now. */
  takeSamples(size: number, use: (slot: number, level: number, records: Int32Array) => number): void {
    for (let slot = 0, at = 0; slot < size; slot += 1, at += layout.SLOT_SAMPLES) {
      this.#levels[slot] = use(slot, this.#levels[slot] as number, this.#samples.subarray(at, at + (this.#sampleSizes[slot] as number) * SAMPLE_WIDTH));
    }
    this.#sampleSizes.fill(0, 0, size);
  }

  /** Before quantiles() is asked, and anew once more rows were counted. */
  prepareQuantiles(): void { this.#loop.prepareQuantiles(); }

  /** Of the histograms of these ids together, where they lie: nothing of them is handed out. */
  quantiles(kind: TimedKind, ids: readonly number[], longest: number): Quantiles {
    let count = 0;
    for (const id of ids) {
      const place = kind === 'sources' ? this.#sources.indexOf(id) : id;
      if (place < 0) continue;
      this.#asked[count] = place;
      count += 1;
    }
    this.#loop.quantiles((OWNER_OF[kind] as Owner).at, count);
    const total = this.#found[3] as number;
    if (total === 0) return {};
    const at = (share: number): number => (rank(share, total) < total ? rounded(Math.min(longest, middleOf(bucketAt(this.#found[share] as number), true))) : longest);
    return { p50: at(0), p95: at(1), p99: at(2), max: longest };
  }

  /** Hands out all histograms, page by page in the order in which they came to be, and forgets them. */
  takeTimes(takerOf: (kind: TimedKind) => TimesTaker): void {
    const used = this.#words[3] as number;
    if (used === 0) return;
    const pages = new Uint32Array(used + 1), takers: TimesTaker[] = [];
    const owners = OWNERS.map((owner) => ({ ...owner, taker: takerOf(owner.kind) }));
    let owner = owners[0] as (typeof owners)[number];
    for (let page = 1; page <= used; page += 1) {
      const place = this.#placeOf[page] as number;
      if (place < owner.at || place >= owner.end) owner = owners.find(({ end }) => place < end) ?? noOwner(place);
      const within = place - owner.at, rest = within % owner.bytes, id = (within - rest) / owner.bytes, index = (rest - layout.PAGES_IN_SUMS) / 2, { taker } = owner;
      pages[page] = taker.addPage(owner.kind === 'sources' ? this.#sources[id] as number : id, index === 0 ? 0 : index + LEFT_OUT_PAGES, this.#cells, page);
      takers[page] = taker;
      this.#pages[place / 2] = 0;
    }
    this.#takeTurns((page, cell, times) => (takers[page] as TimesTaker).addTurns(pages[page] as number, cell, times));
    this.#cells.bytes.fill(0, PAGE, (used + 1) * PAGE);
    this.#words[3] = 0;
    this.#sources = [];
    this.#sinceSettled = 0;
  }

  #takeTurns(use: (page: number, cell: number, times: number) => void): void {
    if (this.#words[4] === 0) return;
    const turns = this.#turns;
    for (let at = 0; at < turns.length; at += 2) {
      const cell = turns[at] as number;
      if (cell !== 0) use(cell >>> 7, cell & PAGE - 1, turns[at + 1] as number);
    }
    turns.fill(0);
    this.#words[4] = 0;
  }
}

/** Where the pages of a kind are named, in order; each id's counters take `bytes`. */
interface Owner { readonly kind: TimedKind; readonly at: number; readonly end: number; readonly bytes: number }
const OWNERS: readonly Owner[] = layout.SUMS.filter(({ width }) => width === layout.WIDE).map(({ kind, at, ids, width }) => ({ kind: kind as TimedKind, at, end: at + ids * width * 4, bytes: width * 4 }));

const OWNER_OF = Object.fromEntries(OWNERS.map((owner) => [owner.kind, owner]));

/** Of a bucket in the kernel: pages that it leaves out lie between its first and its second. */
const bucketAt = (there: number): number => (there < PAGE ? there : there + LEFT_OUT_PAGES * PAGE);

function noOwner(place: number): never {
  throw new RangeError(`no page is named at ${place}`);
}

function sumsOf(buffer: ArrayBuffer): Tally['sums'] {
  return Object.fromEntries(layout.SUMS.map(({ kind, at, ids, width }) =>
    [kind, { words: new Uint32Array(buffer, at, ids * width), numbers: new Float64Array(buffer, at, ids * width / 2), width, longest: width === layout.WIDE ? 3 : 1 }])) as Record<SummedKind, Sums>;
}
