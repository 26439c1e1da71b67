// Owns the failing pairs: which status on which route, when first and last, and how often in each step of time. The heat map is made of it.
import { giveBack } from './give-back.ts';
import { IntCounts } from './int-counts.ts';

/**
 * Pairs and counts told apart; when there are more, those with the fewest rows are let go and counted. Which those are depends on who read what, so that
 * the bounds lie beyond what sites fail in (10 GiB with 3,000 routes and 430,000 failures: 14,183 pairs in 247,656 counts): below them the report is the same however the log was shared out.
 */
const MAX_PAIRS = 32_768;
const MAX_CELLS = 524_288;
/** Routes have fewer ids than this; slots have fewer than 2 ** SLOT_BITS. */
const ROUTE_IDS = 2 ** 15, SLOT_BITS = 13, SLOT_MASK = 2 ** SLOT_BITS - 1;

/** Places of a pair: ids of its status and of its route (-1: one that is not told apart), failures, the first and the last one. */
export const PAIR_STATUS = 0, PAIR_ROUTE = 1, PAIR_COUNT = 2, PAIR_FIRST = 3, PAIR_LAST = 4, PAIR_WIDTH = 5;
const FIRST_PAIRS = 64;

export interface FailingState { pairs: Float64Array; cells: ReturnType<IntCounts['state']>; letGo: number }

export class Failing {
  /** Pairs told apart: id i from i * PAIR_WIDTH on. */
  size = 0;
  values = new Float64Array(FIRST_PAIRS * PAIR_WIDTH);
  /** Id + 1 of each pair. */
  #ids = new IntCounts();
  readonly #cells = new IntCounts();
  /** Failures of pairs that were let go. */
  letGo = 0;

  get sizeBytes(): number { return this.values.byteLength + (this.#ids.size + this.#cells.size) * 12; }

  add(status: number, route: number, slot: number, at: number): void {
    const id = this.#idOf(status, route);
    this.#count(id, 1, at, at);
    this.#cells.add(id << SLOT_BITS | slot);
  }

  /** Failures of each pair in each slot. */
  eachCell(use: (pair: number, slot: number, count: number) => void): void {
    this.#cells.each((key, count) => { use(key >> SLOT_BITS, key & SLOT_MASK, count); });
  }

  /** Routes got other ids; what was let go there is one route here. */
  moveRoutes(into: Int32Array): void {
    const { values, size } = this;
    this.#empty();
    const ids = this.#joinAll(values.subarray(0, size * PAIR_WIDTH), (status) => status, (route) => (route < 0 ? -1 : into[route] as number));
    this.#cells.rekey((key) => (ids[key >> SLOT_BITS] as number) << SLOT_BITS | key & SLOT_MASK);
  }

  moveSlots(into: Int32Array): void {
    this.#cells.rekey((key) => key & ~SLOT_MASK | into[key & SLOT_MASK] as number);
  }

  /** Between batches: lets pairs go when there are too many. */
  prune(): void {
    const { values, size } = this;
    if (size <= MAX_PAIRS && this.#cells.size <= MAX_CELLS) return;
    const cellsOf = new Float64Array(size);
    this.#cells.each((key) => { const id = key >> SLOT_BITS; cellsOf[id] = (cellsOf[id] as number) + 1; });
    const into = new Int32Array(size).fill(-1);
    this.#empty();
    let cells = 0;
    for (const id of inOrder(values, size)) {
      cells += cellsOf[id] as number;
      const at = id * PAIR_WIDTH;
      if (this.size >= MAX_PAIRS / 2 || cells > MAX_CELLS / 2) this.letGo += values[at + PAIR_COUNT] as number;
      else into[id] = this.#joinPair(values, at, values[at + PAIR_STATUS] as number, values[at + PAIR_ROUTE] as number);
    }
    this.#cells.rekey((key) => { const id = into[key >> SLOT_BITS] as number; return id < 0 ? -1 : id << SLOT_BITS | key & SLOT_MASK; });
  }

  state(): FailingState {
    return { pairs: this.values.slice(0, this.size * PAIR_WIDTH), cells: this.#cells.state(), letGo: this.letGo };
  }

  merge({ pairs, cells: { keys, counts }, letGo }: FailingState, maps: { status: Int32Array; route: Int32Array; slot: Int32Array }): void {
    const ids = this.#joinAll(pairs, (status) => maps.status[status] as number, (route) => (route < 0 ? -1 : maps.route[route] as number));
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i] as number;
      this.#cells.add((ids[key >> SLOT_BITS] as number) << SLOT_BITS | maps.slot[key & SLOT_MASK] as number, counts[i] as number);
    }
    this.letGo += letGo;
  }

  #empty(): void {
    this.size = 0;
    this.values = new Float64Array(this.values.length);
    this.#ids = new IntCounts();
  }

  /** Ids here of pairs of elsewhere. */
  #joinAll(pairs: Float64Array, statusOf: (status: number) => number, routeOf: (route: number) => number): Int32Array {
    const ids = new Int32Array(pairs.length / PAIR_WIDTH);
    for (let id = 0, at = 0; id < ids.length; id += 1, at += PAIR_WIDTH) ids[id] = this.#joinPair(pairs, at, statusOf(pairs[at + PAIR_STATUS] as number), routeOf(pairs[at + PAIR_ROUTE] as number));
    return ids;
  }

  #joinPair(pairs: Float64Array, at: number, status: number, route: number): number {
    const id = this.#idOf(status, route);
    this.#count(id, pairs[at + PAIR_COUNT] as number, pairs[at + PAIR_FIRST] as number, pairs[at + PAIR_LAST] as number);
    return id;
  }

  #count(id: number, count: number, firstAt: number, lastAt: number): void {
    const at = id * PAIR_WIDTH, values = this.values;
    values[at + PAIR_COUNT] = (values[at + PAIR_COUNT] as number) + count;
    if (firstAt < (values[at + PAIR_FIRST] as number)) values[at + PAIR_FIRST] = firstAt;
    if (lastAt > (values[at + PAIR_LAST] as number)) values[at + PAIR_LAST] = lastAt;
  }

  #idOf(status: number, route: number): number {
    const key = status * ROUTE_IDS + route + 1, known = this.#ids.get(key);
    if (known > 0) return known - 1;
    const id = this.size, at = id * PAIR_WIDTH;
    if (at === this.values.length) {
      const grown = new Float64Array(at * 2);
      grown.set(this.values);
      giveBack(this.values);
      this.values = grown;
    }
    this.values[at + PAIR_STATUS] = status;
    this.values[at + PAIR_ROUTE] = route;
    this.values[at + PAIR_FIRST] = Infinity;
    this.values[at + PAIR_LAST] = -Infinity;
    this.#ids.add(key, id + 1);
    this.size += 1;
    return id;
  }
}

/** Most failures first. */
function inOrder(values: Float64Array, size: number): number[] {
  const less = (a: number, b: number, what: number): number => (values[a * PAIR_WIDTH + what] as number) - (values[b * PAIR_WIDTH + what] as number);
  return Array.from({ length: size }, (_, id) => id).sort((a, b) => less(b, a, PAIR_COUNT) || less(a, b, PAIR_FIRST) || less(a, b, PAIR_STATUS) || less(a, b, PAIR_ROUTE));
}
