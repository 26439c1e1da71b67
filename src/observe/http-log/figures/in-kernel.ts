// Owns the figures' part in counting inside the kernel's memory: says the numbers of what is new there, looks at the rows that few are, and adds what was counted to the tables here.
import type { Columns } from '../columns.ts';
import type { Counted, Kind, Sums, Tally, TimedKind } from '../kernel/tally.ts';
import { Batch } from './batch.ts';
import type { Histograms } from './histograms.ts';
import type { Figures } from './figures.ts';
import { FIRST_AT, LAST_AT, LONGEST, ROWS, STATUS_WIDTH } from './status-table.ts';
import { CLIENT_ERRORS, COUNT, FAILURES, MAX, ROUTE_WIDTH, SENT, SENT_ROWS, WIDTH } from './text-counts.ts';
import type { TextCounts } from './text-counts.ts';
import { FIRST_FAILURE, LAST_FAILURE, SLOT_FAILURES, SLOT_LONGEST, SLOT_ROWS, SLOT_WIDTH } from './time-slots.ts';

const TIMED = ['statuses', 'slots', 'routes', 'hosts', 'agents', 'sources'] as const satisfies readonly TimedKind[];

/** Looks at one of the rows that take part. */
export type Look = (columns: Columns, batch: Batch, i: number, source: number) => void;

export class InKernel implements Counted {
  readonly #figures: Figures;
  readonly #look: Look;
  readonly #batch = new Batch();
  /** Where rows of ours were counted that are not here yet: one, or two when a reader reads inside another's sink. */
  readonly #open = new Set<Tally>();
  #tally: Tally | undefined;
  #columns: Columns | undefined;
  #source = 0;

  constructor(figures: Figures, look: Look) {
    this.#figures = figures;
    this.#look = look;
  }

  /** The batch that the next columns make, in the kernel's memory. */
  begin(columns: Columns, tally: Tally): Batch {
    const batch = this.#batch, { ids } = tally;
    this.#tally = tally;
    batch.rows = tally.rows;
    batch.buckets = tally.buckets;
    batch.statuses = ids.statuses;
    batch.slots = ids.slots;
    batch.routes = ids.routes;
    batch.hosts = ids.hosts;
    batch.clients = ids.clients;
    batch.agents = ids.agents;
    batch.begin(columns);
    return batch;
  }

  /** Counts the batch once its rows are chosen. */
  count(columns: Columns, source: number): { failures: number; longest: number } {
    const tally = this.#tally as Tally, { slots, slowestRows } = this.#figures;
    this.#columns = columns;
    this.#source = source;
    this.#open.add(tally);
    try {
      return tally.count(this, this.#batch.count, { source, stepMs: slots.stepMs, slowFrom: Math.max(0, slowestRows.wantedFrom) });
    } finally {
      this.#columns = undefined;
    }
  }

  judge(kind: Kind, row: number): number {
    const columns = this.#columns as Columns, { status, slots, routes, dimensions } = this.#figures;
    if (kind === 'statuses') return status.idOf(columns.status[row] as number, columns.sub[row] as number, columns.win32[row] as number);
    if (kind === 'slots') return slots.idOf(columns.at[row] as number);
    return kind === 'routes' ? routes.judge(columns, this.#batch.view, row, (this.#tally as Tally).folded) : dimensions.judge(kind, columns, this.#batch.view, row);
  }

  pick(place: number): void { this.#look(this.#columns as Columns, this.#batch, place, this.#source); }

  levelOf(slot: number): number { return this.#figures.all.levelOf(slot); }

  version(kind: Kind): number {
    const { routes, dimensions, slotsVersion } = this.#figures;
    if (kind === 'statuses') return 0;
    if (kind === 'slots') return slotsVersion;
    return kind === 'routes' ? routes.counts.version : dimensions[kind].version;
  }

  settle(): void {
    for (const kind of TIMED) this.#timesOf(kind).lend(undefined);
    for (const tally of this.#open) {
      this.#take(tally, false);
      tally.takeTimes((kind) => this.#timesOf(kind));
    }
    this.#open.clear();
  }

  /** Like settle(), but where all times lie in one kernel they are left there, and their quantiles are asked for: to take them away costs more than a report needs of them. */
  settleForReport(): void {
    const [tally] = this.#open;
    if (tally === undefined) return;
    if (this.#open.size > 1 || TIMED.some((kind) => !this.#timesOf(kind).none)) { this.settle(); return; }
    this.#take(tally, true);
    tally.prepareQuantiles();
    for (const kind of TIMED) this.#timesOf(kind).lend({ quantiles: (ids, longest) => tally.quantiles(kind, ids, longest), settle: () => { this.settle(); } });
  }

  #take(tally: Tally, pagesStay: boolean): void {
    const { status, slots, routes, dimensions, all } = this.#figures;
    tally.take('statuses', status.size, { pagesStay, use: (id, sums, word, number) => { addStatus(status.entries, id * STATUS_WIDTH, sums, word, number); } });
    tally.take('slots', slots.size, { pagesStay, use: (id, sums, word, number) => { addSlot(slots.values, id * SLOT_WIDTH, sums, word, number); } });
    tally.take('routes', routes.counts.size, { pagesStay, use: (id, sums, word, number) => { addRoute(id < 0 ? routes.counts.others : routes.counts.values, Math.max(0, id) * ROUTE_WIDTH, sums, word, number); } });
    for (const kind of ['hosts', 'clients', 'agents', 'referrers'] as const) {
      const counts = dimensions[kind];
      tally.take(kind, counts.size, { pagesStay, use: (id, sums, word, number) => { addText(counts, id, sums, word, number); } });
    }
    tally.takeSamples(slots.size, (slot, level, records) => all.take(slot, level, records));
  }

  #timesOf(kind: TimedKind): Histograms {
    const { status, slots, routes, dimensions } = this.#figures;
    switch (kind) {
      case 'statuses': return status.taken;
      case 'slots': return slots.taken;
      case 'routes': return routes.counts.taken;
      case 'sources': return dimensions.sourcesTaken;
      default: return dimensions[kind].taken;
    }
  }
}

function add(into: Float64Array, at: number, more: number): void { into[at] = (into[at] as number) + more; }
function least(into: Float64Array, at: number, value: number): void { if (value < (into[at] as number)) into[at] = value; }
function most(into: Float64Array, at: number, value: number): void { if (value > (into[at] as number)) into[at] = value; }

/** As assembly/memory.ts lays them. */
function addStatus(into: Float64Array, at: number, { words, numbers, longest }: Sums, word: number, number: number): void {
  add(into, at + ROWS, words[word] as number);
  least(into, at + FIRST_AT, numbers[number + 1] as number);
  most(into, at + LAST_AT, numbers[number + 2] as number);
  most(into, at + LONGEST, numbers[number + longest] as number);
}

function addSlot(into: Float64Array, at: number, { words, numbers, longest }: Sums, word: number, number: number): void {
  const failures = words[word + 1] as number;
  add(into, at + SLOT_ROWS, words[word] as number);
  most(into, at + SLOT_LONGEST, numbers[number + longest] as number);
  if (failures === 0) return;
  add(into, at + SLOT_FAILURES, failures);
  least(into, at + FIRST_FAILURE, numbers[number + 1] as number);
  most(into, at + LAST_FAILURE, numbers[number + 2] as number);
}

function addRoute(into: Float64Array, at: number, { words, numbers, longest }: Sums, word: number, number: number): void {
  add(into, at + COUNT, words[word] as number);
  add(into, at + FAILURES, words[word + 1] as number);
  add(into, at + CLIENT_ERRORS, words[word + 2] as number);
  add(into, at + SENT_ROWS, words[word + 3] as number);
  add(into, at + SENT, numbers[number + 2] as number);
  most(into, at + MAX, numbers[number + longest] as number);
}

/** Of those that are not told apart no time is kept. */
function addText({ values, others }: TextCounts, id: number, { words, numbers, longest }: Sums, word: number, number: number): void {
  const into = id < 0 ? others : values, at = Math.max(0, id) * WIDTH;
  add(into, at + COUNT, words[word] as number);
  add(into, at + FAILURES, words[word + 1] as number);
  if (id >= 0) most(into, at + MAX, numbers[number + longest] as number);
}
