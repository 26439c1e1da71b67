// Owns the failing pairs: which status on which route, when first and last, and how often in each step of time. The heat map is made of it.
import { IntCounts } from './int-counts.ts';

/**
 * Pairs and counts told apart; when there are more, those with the fewest rows are let go and counted. Which those are depends on who read what, so that
 * the bounds lie beyond what sites fail in (10 GiB with 3,000 routes and 430,000 failures: 14,183 pairs in 247,656 counts): below them the report is the same however the log was shared out.
 */
const MAX_PAIRS = 32_768;
const MAX_CELLS = 524_288;
/** Routes and slots have fewer ids than this. */
const ROUTE_IDS = 2 ** 15, SLOT_IDS = 2 ** 13;

export interface FailingState { pairs: Float64Array; cells: ReturnType<IntCounts['state']>; letGo: number }
export interface FailingPair { readonly status: number; /** -1: a route that is not told apart. */ readonly route: number; count: number; firstAt: number; lastAt: number }

export class Failing {
  #ids = new Map<number, number>();
  #pairs: FailingPair[] = [];
  readonly #cells = new IntCounts();
  /** Failures of pairs that were let go. */
  letGo = 0;

  get pairs(): readonly FailingPair[] { return this.#pairs; }
  get sizeBytes(): number { return this.#pairs.length * 150 + this.#cells.size * 24; }

  add(status: number, route: number, slot: number, at: number): void {
    const id = this.#idOf(status, route);
    const pair = this.#pairs[id] as FailingPair;
    pair.count += 1;
    if (at < pair.firstAt) pair.firstAt = at;
    if (at > pair.lastAt) pair.lastAt = at;
    this.#cells.add(id * SLOT_IDS + slot);
  }

  /** Failures of each pair in each slot. */
  eachCell(use: (pair: number, slot: number, count: number) => void): void {
    this.#cells.each((key, count) => { use(Math.floor(key / SLOT_IDS), key % SLOT_IDS, count); });
  }

  /** Routes got other ids; what was let go there is one route here. */
  moveRoutes(into: Int32Array): void {
    this.#remake(this.#pairs, (route) => (route < 0 ? -1 : into[route] as number));
  }

  moveSlots(into: Int32Array): void {
    this.#cells.rekey((key) => Math.floor(key / SLOT_IDS) * SLOT_IDS + (into[key % SLOT_IDS] as number));
  }

  /** Between batches: lets pairs go when there are too many. */
  prune(): void {
    if (this.#pairs.length <= MAX_PAIRS && this.#cells.size <= MAX_CELLS) return;
    const cellsOf = new Float64Array(this.#pairs.length);
    this.#cells.each((key) => { const id = Math.floor(key / SLOT_IDS); cellsOf[id] = (cellsOf[id] as number) + 1; });
    const order = this.#pairs.map((_, id) => id).sort((a, b) => byCount(this.#pairs[a] as FailingPair, this.#pairs[b] as FailingPair));
    const into = new Int32Array(this.#pairs.length).fill(-1);
    const kept: FailingPair[] = [];
    let cells = 0;
    for (const id of order) {
      cells += cellsOf[id] as number;
      const pair = this.#pairs[id] as FailingPair;
      if (kept.length >= MAX_PAIRS / 2 || cells > MAX_CELLS / 2) { this.letGo += pair.count; continue; }
      into[id] = kept.length;
      kept.push(pair);
    }
    this.#pairs = kept;
    this.#ids = new Map(kept.map((pair, id) => [keyOf(pair.status, pair.route), id]));
    this.#cells.rekey((key) => { const id = into[Math.floor(key / SLOT_IDS)] as number; return id < 0 ? -1 : id * SLOT_IDS + key % SLOT_IDS; });
  }

  state(): FailingState {
    return { pairs: Float64Array.from(this.#pairs.flatMap((one) => [one.status, one.route, one.count, one.firstAt, one.lastAt])), cells: this.#cells.state(), letGo: this.letGo };
  }

  merge(state: FailingState, maps: { status: Int32Array; route: Int32Array; slot: Int32Array }): void {
    const into: number[] = [];
    for (let i = 0; i < state.pairs.length; i += 5) {
      const [status = 0, route = -1, count = 0, firstAt = 0, lastAt = 0] = state.pairs.subarray(i, i + 5);
      into.push(this.#join({ status: maps.status[status] as number, route: route < 0 ? -1 : maps.route[route] as number, count, firstAt, lastAt }));
    }
    state.cells.keys.forEach((key, i) => this.#cells.add((into[Math.floor(key / SLOT_IDS)] as number) * SLOT_IDS + (maps.slot[key % SLOT_IDS] as number), state.cells.counts[i] as number));
    this.letGo += state.letGo;
  }

  #remake(pairs: readonly FailingPair[], routeOf: (route: number) => number): void {
    this.#pairs = [];
    this.#ids = new Map();
    const into = pairs.map((pair) => this.#join({ ...pair, route: routeOf(pair.route) }));
    this.#cells.rekey((key) => (into[Math.floor(key / SLOT_IDS)] as number) * SLOT_IDS + key % SLOT_IDS);
  }

  #join(pair: FailingPair): number {
    const id = this.#idOf(pair.status, pair.route);
    const here = this.#pairs[id] as FailingPair;
    here.count += pair.count;
    here.firstAt = Math.min(here.firstAt, pair.firstAt);
    here.lastAt = Math.max(here.lastAt, pair.lastAt);
    return id;
  }

  #idOf(status: number, route: number): number {
    const key = keyOf(status, route);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.#pairs.length);
    return this.#pairs.push({ status, route, count: 0, firstAt: Infinity, lastAt: -Infinity }) - 1;
  }
}

const keyOf = (status: number, route: number): number => status * ROUTE_IDS + route + 1;
const byCount = (a: FailingPair, b: FailingPair): number => b.count - a.count || a.firstAt - b.firstAt || a.status - b.status || a.route - b.route;
