// Owns the figures of HTTP logs: batches of columns in, what they add up to out, in bounded memory; mergeable over files, threads, instances and time.
import type { HttpReport, HttpSource } from '../../../shared/http-report.ts';
import type { Columns } from '../columns.ts';
import { tallyOf } from '../kernel/kernel.ts';
import type { Tally } from '../kernel/tally.ts';
import { leftOut } from '../rows.ts';
import { Batch } from './batch.ts';
import { Dimensions } from './dimensions.ts';
import type { DimensionsState } from './dimensions.ts';
import { Failing } from './failing.ts';
import type { FailingState } from './failing.ts';
import { InKernel } from './in-kernel.ts';
import { KeptRows } from './kept-rows.ts';
import type { KeptRowsState } from './kept-rows.ts';
import { LEAST_LIMIT_MS, Limits } from './limits.ts';
import type { LimitsState } from './limits.ts';
import { makeReport } from './report.ts';
import { Routes, countRoutes } from './routes.ts';
import type { RoutesState } from './routes.ts';
import { SAMPLE_AGENT, SAMPLE_CLIENT, SAMPLE_HOST, SAMPLE_ROUTE, Samples, priorityOf } from './samples.ts';
import type { SamplesState } from './samples.ts';
import { StatusTable } from './status-table.ts';
import type { StatusState } from './status-table.ts';
import { TimeSlots } from './time-slots.ts';
import type { TimeSlotsState } from './time-slots.ts';
import { Upstreams } from './upstreams.ts';
import type { UpstreamsState } from './upstreams.ts';

export const SLOWEST_KEPT = 20;
export const FAILED_KEPT = 500;
/** Rows sampled per step of time: of all rows, and of failed ones. */
export const SAMPLED_ROWS = 64, SAMPLED_FAILURES = 128;
/** A failed request, everywhere. */
export const FAILED_FROM = 500;

export interface FiguresOptions {
  /** Rows outside [from, to] (epoch ms, both included) are counted as outside and take no part. */
  readonly from?: number;
  readonly to?: number;
  /** Rows for which it is false are counted as filtered out. Called for rows in the window that are not left out. */
  readonly select?: (columns: Columns, row: number) => boolean;
  /** Newest failed rows (status 500 and above) to keep; FAILED_KEPT without it. */
  readonly keepFailed?: number;
  /** Slowest rows to keep; SLOWEST_KEPT without it. */
  readonly keepSlowest?: number;
  /** Count the SCM site's rows and our own requests too. */
  readonly everything?: boolean;
  /** The rows of each batch that take part: for who needs more figures from the same pass. */
  readonly onRows?: (columns: Columns, rows: Int32Array, count: number, source: number) => void;
}

export interface Totals { rows: number; leftOut: number; outside: number; filteredOut: number; failures: number; firstAt: number; lastAt: number; whole: boolean }

/** Plain values and typed arrays: can be cloned and sent; see transferables.ts. Valid until the figures count again: large tables are not copied. */
export interface FiguresState {
  totals: Totals; status: StatusState; routes: RoutesState; slots: TimeSlotsState; dimensions: DimensionsState; failing: FailingState; limits: LimitsState; upstreams: UpstreamsState;
  all: SamplesState; failed: SamplesState; slowestRows: KeptRowsState; failedRows: KeptRowsState;
}

export class Figures {
  readonly options: FiguresOptions;
  readonly totals: Totals = { rows: 0, leftOut: 0, outside: 0, filteredOut: 0, failures: 0, firstAt: Infinity, lastAt: -Infinity, whole: true };
  readonly status = new StatusTable();
  readonly routes = new Routes();
  readonly slots = new TimeSlots();
  readonly dimensions = new Dimensions();
  readonly failing = new Failing();
  readonly limits = new Limits();
  readonly upstreams = new Upstreams();
  readonly all = new Samples(SAMPLED_ROWS);
  readonly failed = new Samples(SAMPLED_FAILURES);
  readonly slowestRows: KeptRows;
  readonly failedRows: KeptRows;
  /** Grows when slots are no longer what they were. */
  slotsVersion = 0;
  readonly #batch = new Batch();
  /** What is counted where the kernel's columns lie: it comes here before anyone reads the tables. */
  #inKernel: InKernel | undefined;

  constructor(options: FiguresOptions = {}) {
    this.options = options;
    this.slowestRows = new KeptRows(options.keepSlowest ?? SLOWEST_KEPT, 'taken');
    this.failedRows = new KeptRows(options.keepFailed ?? FAILED_KEPT, 'at');
  }

  /** Memory of all tables, about. */
  get sizeBytes(): number {
    return this.status.sizeBytes + this.routes.sizeBytes + this.slots.sizeBytes + this.dimensions.sizeBytes + this.failing.sizeBytes + this.limits.sizeBytes + this.upstreams.sizeBytes + this.all.sizeBytes + this.failed.sizeBytes
      + this.slowestRows.sizeBytes + this.failedRows.sizeBytes;
  }

  /** Counts a batch. `source`: index into the sources that report() is given. Nothing of the columns is kept. */
  add(columns: Columns, source: number): void {
    const tally = tallyOf(columns);
    if (tally === undefined) this.#addHere(columns, source); else this.#addThere(columns, source, tally);
  }

  #addHere(columns: Columns, source: number): void {
    const batch = this.#batch;
    batch.begin(columns);
    this.#choose(columns, batch);
    if (batch.count === 0) return;
    this.options.onRows?.(columns, batch.rows, batch.count, source);
    batch.bucketsOf(columns);
    this.#statuses(columns, batch);
    this.#times(columns, batch);
    this.routes.find(columns, batch.view, batch.rows, batch.count, batch.routes);
    countRoutes(this.routes.counts, columns, batch);
    this.dimensions.add(columns, batch, source);
    this.upstreams.add(columns, batch);
    for (let i = 0; i < batch.count; i += 1) { this.#sample(columns, batch, i, source); this.#look(columns, batch, i, source); }
    this.#bound();
  }

  /** In the kernel's memory: the columns are not read here, but for what is new and what is looked at. */
  #addThere(columns: Columns, source: number, tally: Tally): void {
    const there = this.#inKernel ??= new InKernel(this, (of, batch, i, from) => { this.#look(of, batch, i, from); });
    const batch = there.begin(columns, tally);
    if (this.options.select === undefined) this.#chooseThere(columns, batch, tally); else this.#choose(columns, batch);
    if (batch.count === 0) return;
    this.options.onRows?.(columns, batch.rows, batch.count, source);
    const { failures, longest } = there.count(columns, source);
    this.totals.failures += failures;
    this.dimensions.countSource(source, { rows: batch.count, failures, longest });
    this.#bound();
  }

  /** Brings what is counted in the kernel's memory here; whoever reads the tables does it too. */
  settle(): void {
    this.#inKernel?.settle();
    this.#inKernel = undefined;
  }

  state(): FiguresState {
    this.settle();
    return {
      totals: { ...this.totals }, status: this.status.state(), routes: this.routes.state(), slots: this.slots.state(), dimensions: this.dimensions.state(), failing: this.failing.state(),
      limits: this.limits.state(), upstreams: this.upstreams.state(), all: this.all.state(), failed: this.failed.state(), slowestRows: this.slowestRows.state(), failedRows: this.failedRows.state(),
    };
  }

  /** Adds what another has counted with the same options. `sourceOf`: index here of each source there, when they are not the same. Below the bounds of the tables the order of merging changes nothing. */
  merge(state: FiguresState, sourceOf: (source: number) => number = (source) => source): void {
    this.settle();
    mergeTotals(this.totals, state.totals);
    const status = this.status.merge(state.status);
    const route = this.routes.merge(state.routes);
    const { here, there: slot } = this.slots.merge(state.slots);
    if (here) this.#moveSlots(here);
    const { hosts, clients, agents } = this.dimensions.merge(state.dimensions, sourceOf);
    this.failing.merge(state.failing, { status, route, slot });
    this.limits.merge(state.limits, route);
    this.upstreams.merge(state.upstreams);
    const sources = Int32Array.from({ length: Math.max(-1, ...state.dimensions.sources.map(([source]) => source)) + 1 }, (_, source) => sourceOf(source));
    const places = [status, route, hosts, clients, sources, agents];
    this.all.merge(state.all, slot, places);
    this.failed.merge(state.failed, slot, places);
    this.slowestRows.merge(state.slowestRows, sourceOf);
    this.failedRows.merge(state.failedRows, sourceOf);
    this.slotsVersion += 1;
    this.#bound();
  }

  /** What it all adds up to. `sources`: what was read, in the order of the indexes given to add(). */
  report(sources: readonly HttpSource[]): HttpReport {
    this.#inKernel?.settleForReport();
    return makeReport(this, sources);
  }

  /** Which rows take part. */
  #choose(columns: Columns, batch: Batch): void {
    const { from = -Infinity, to = Infinity, select, everything = false } = this.options;
    const { at, bytes, text: { site, agent } } = columns;
    const totals = this.totals, rows = batch.rows;
    let count = 0, first = totals.firstAt, last = totals.lastAt;
    for (let row = 0; row < columns.rows; row += 1) {
      const time = at[row] as number;
      if (!(time >= from && time <= to)) { totals.outside += 1; continue; }
      // Nearly all rows are told by one byte: "~1…" or "app-…".
      if (!everything && (bytes[site.from[row] as number] === 126 || bytes[agent.from[row] as number] === 97) && leftOut(columns, row)) { totals.leftOut += 1; continue; }
      if (select !== undefined && !select(columns, row)) { totals.filteredOut += 1; continue; }
      rows[count] = row;
      count += 1;
      if (time < first) first = time;
      if (time > last) last = time;
    }
    batch.count = count;
    totals.rows += count;
    totals.firstAt = first;
    totals.lastAt = last;
  }

  #statuses({ status, sub, win32, at, taken }: Columns, { rows, count, buckets, statuses }: Batch): void {
    const table = this.status;
    let failures = 0, whole = this.totals.whole;
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number, code = status[row] as number, ms = taken[row] as number;
      statuses[i] = table.count(code, sub[row] as number, win32[row] as number, at[row] as number, ms);
      if (code >= FAILED_FROM) failures += 1;
      if (whole && !Number.isInteger(ms)) whole = false;
    }
    table.taken.addEach(statuses, buckets, count);
    this.totals.failures += failures;
    this.totals.whole = whole;
  }

  #times({ status, at, taken }: Columns, { rows, count, buckets, slots }: Batch): void {
    const table = this.slots;
    for (let i = 0; i < count; i += 1) {
      const row = rows[i] as number;
      slots[i] = table.count(at[row] as number, (status[row] as number) >= FAILED_FROM, taken[row] as number);
    }
    table.taken.addEach(slots, buckets, count);
  }

  #chooseThere(columns: Columns, batch: Batch, tally: Tally): void {
    const { from = -Infinity, to = Infinity, everything = false } = this.options;
    const totals = this.totals;
    const { count, outside, leftOut, firstAt, lastAt } = tally.choose(columns.rows, { from, to, everything });
    batch.count = count;
    totals.rows += count;
    totals.outside += outside;
    totals.leftOut += leftOut;
    totals.firstAt = Math.min(totals.firstAt, firstAt);
    totals.lastAt = Math.max(totals.lastAt, lastAt);
  }

  #sample({ offset }: Columns, batch: Batch, i: number, source: number): void {
    const slot = batch.slots[i] as number, priority = priorityOf(offset[batch.rows[i] as number] as number, source);
    if (this.all.wants(slot, priority)) this.all.add(slot, priority, this.#ids(batch, i, source));
  }

  /** What few rows are asked: the failed, the slow. */
  #look(columns: Columns, batch: Batch, i: number, source: number): void {
    const { status, taken, at } = columns;
    const row = batch.rows[i] as number, ms = taken[row] as number;
    const failed = (status[row] as number) >= FAILED_FROM;
    if (failed) this.#failure(columns, batch, i, source);
    if (ms >= LEAST_LIMIT_MS) this.limits.add(ms, { status: status[row] as number, failed, route: batch.routes[i] as number, at: at[row] as number });
    if (ms >= 0 && this.slowestRows.wants(ms)) this.slowestRows.add(columns, row, source);
  }

  #failure(columns: Columns, batch: Batch, i: number, source: number): void {
    const row = batch.rows[i] as number, slot = batch.slots[i] as number, time = columns.at[row] as number, priority = priorityOf(columns.offset[row] as number, source);
    this.failing.add(batch.statuses[i] as number, batch.routes[i] as number, slot, time);
    if (this.failed.wants(slot, priority)) this.failed.add(slot, priority, this.#ids(batch, i, source));
    if (this.failedRows.wants(time)) this.failedRows.add(columns, row, source);
  }

  #ids({ statuses, routes, hosts, clients, agents }: Batch, i: number, source: number): readonly [number, number, number, number, number, number] {
    return [statuses[i] as number, routes[i] as number, hosts[i] as number, clients[i] as number, source, agents[i] as number];
  }

  /** Keeps every table within its bound. */
  #bound(): void {
    if (this.slots.crowded || this.routes.counts.crowded || this.dimensions.crowded) this.#makeRoom();
    this.failing.prune();
  }

  #makeRoom(): void {
    this.settle();
    const slots = this.slots.coarsen();
    if (slots) this.#moveSlots(slots);
    const routes = this.routes.prune();
    if (routes) {
      this.failing.moveRoutes(routes);
      this.limits.moveRoutes(routes);
      this.#renumber(SAMPLE_ROUTE, routes);
    }
    const { hosts, clients, agents } = this.dimensions.prune();
    if (hosts) this.#renumber(SAMPLE_HOST, hosts);
    if (clients) this.#renumber(SAMPLE_CLIENT, clients);
    if (agents) this.#renumber(SAMPLE_AGENT, agents);
  }

  #renumber(place: number, into: Int32Array): void {
    this.all.renumber(place, into);
    this.failed.renumber(place, into);
  }

  #moveSlots(into: Int32Array): void {
    this.slotsVersion += 1;
    this.all.moveSlots(into);
    this.failed.moveSlots(into);
    this.failing.moveSlots(into);
  }
}

function mergeTotals(here: Totals, there: Totals): void {
  here.rows += there.rows;
  here.leftOut += there.leftOut;
  here.outside += there.outside;
  here.filteredOut += there.filteredOut;
  here.failures += there.failures;
  here.firstAt = Math.min(here.firstAt, there.firstAt);
  here.lastAt = Math.max(here.lastAt, there.lastAt);
  here.whole &&= there.whole;
}
