// Owns the rows that a diagnosis must explain: failed and slow ones out of the pass over the HTTP log, sampled per signature with exact counts, and what is normal per route.
import { ABSENT } from '../../observe/http-log/columns.ts';
import type { Columns } from '../../observe/http-log/columns.ts';
import { routeOf } from '../../observe/http-log/route.ts';
import { textOf } from '../../observe/http-log/rows.ts';
import { priorityOf } from '../../observe/http-log/figures/samples.ts';
import { effectOf, type Effect } from './effect.ts';
import { RouteNorms, type Norms } from './norms.ts';

export interface Row {
  readonly at: number;                                         // its end; rows of IIS know whole seconds, so it lies in [at, until]
  readonly until: number;
  readonly from: number;                                       // when it began, as far as time-taken says
  readonly method: string;
  readonly route: string;
  readonly status: number; readonly sub: number | undefined; readonly win32: number | undefined;
  readonly takenMs: number | undefined;
  readonly instance: string;                                   // the worker machine, or the process that the front sent it to
  readonly client: string | undefined;
  readonly source: string; readonly offset: number;            // where it stands
  effect: Effect;                                              // as its codes say; a reader of the front's error log may know it better
  slow: boolean;                                               // not failed, and far above what is normal for its route
  weight: number;                                              // rows that it stands for
  sentBytes: number | undefined;
}

export interface RowFacts {
  readonly total: number;
  readonly failed: readonly Row[];                             // by time
  readonly slow: readonly Row[];                               // longer than SLOW_LEAST_MS and far above the route's norm, by time
  readonly long: readonly Row[];                               // longer than SLOW_LEAST_MS and as its route is; explained only by a mechanism that was seen
  readonly failures: number;                                   // exact
  readonly aborts: number;
  readonly sampled: boolean;
  readonly slotMs: number;
  readonly slots: readonly Slot[];                             // all of the window, empty ones too
  readonly norms: Norms;
  readonly instances: ReadonlyMap<string, { total: number; failed: number }>;
  readonly clients: ReadonlyMap<string, number>;               // at most MAX_CLIENTS told apart
  readonly abortRows: readonly Row[];
}
/** [total, failed]: of one step of time. */
export interface Slot { readonly at: number; total: number; failed: number }

/** Rows of one signature that are looked at one by one; of more, a sample with weights. */
const PER_SIGNATURE = 2_000;
const MAX_SIGNATURES = 64;
/** Under a second nobody waits. */
export const SLOW_LEAST_MS = 1_000;
/** Beyond the noise of a route: so many times its usual slow end. */
const SLOW_FACTOR = 3;
/** Two hours by the second: pauses of a loop can be told only so. */
const MAX_SLOTS = 7_200;
const MAX_CLIENTS = 2_000;
const MAX_INSTANCES = 64;
const MAX_MEMO = 65_536;

/** Kept rows of one signature: those whose priority has `level` leading zeros at least; each stands for count / kept. */
interface Stratum { level: number; count: number; rows: { priority: number; row: Row }[] }

export class RowGathering {
  readonly #window: { readonly from: number; readonly to: number };
  readonly #slotMs: number;
  readonly #slots = new Map<number, Slot>();
  readonly #strata = new Map<string, Stratum>();
  readonly #norms: RouteNorms;
  readonly #memo = new Map<number, { method: string; route: string; id: number }>();
  readonly #instances = new Map<string, { total: number; failed: number }>();
  readonly #clients = new Map<string, number>();
  readonly #clientOf = new Map<number, string>();
  #total = 0;
  #failures = 0;
  #aborts = 0;

  constructor(window: { readonly from: number; readonly to: number }) {
    this.#window = window;
    this.#slotMs = Math.max(1_000, Math.ceil((window.to - window.from) / MAX_SLOTS / 1_000) * 1_000);
    this.#norms = new RouteNorms(window);
  }

  add(columns: Columns, rows: Int32Array, count: number, source: { readonly name: string; readonly instance: string }, aborted: (row: number) => boolean): void {
    for (let i = 0; i < count; i += 1) this.#row(columns, rows[i] as number, source, aborted);
  }

  #row(columns: Columns, row: number, source: { readonly name: string; readonly instance: string }, aborted: (row: number) => boolean): void {
    const status = columns.status[row] as number, taken = columns.taken[row] as number, at = columns.at[row] as number;
    const gone = aborted(row), failed = status >= 500 && !gone;
    this.#total += 1;
    const slot = this.#slot(at);
    slot.total += 1;
    if (failed) { slot.failed += 1; this.#failures += 1; }
    if (gone) this.#aborts += 1;
    const named = this.#routeOf(columns, row);
    const instance = this.#instanceOf(columns, row, source.instance);
    const known = this.#instances.get(instance) ?? (this.#instances.size < MAX_INSTANCES ? { total: 0, failed: 0 } : undefined);
    if (known) { this.#instances.set(instance, known); known.total += 1; if (failed) known.failed += 1; }
    this.#client(columns, row);
    if (!gone) this.#norms.add(named.id, at, status === 101 ? ABSENT : taken, failed);
    if (failed || gone || (taken >= SLOW_LEAST_MS && status !== 101)) this.#keep(columns, row, { ...named, instance, source: source.name, gone });
  }

  #slot(rowAt: number): Slot {
    const at = Math.floor(rowAt / this.#slotMs) * this.#slotMs;
    let slot = this.#slots.get(at);
    if (slot === undefined) this.#slots.set(at, slot = { at, total: 0, failed: 0 });
    return slot;
  }

  /** One look at a path while it is remembered; two paths of one hash would share a name, which a table of 65,536 makes rare and harmless. */
  #routeOf(columns: Columns, row: number): { method: string; route: string; id: number } {
    const { path, method } = columns.text;
    const key = Math.imul(path.hash[row] as number, 31) ^ (method.hash[row] as number);
    const known = this.#memo.get(key);
    if (known) return known;
    const made = { method: textOf(columns, 'method', row)?.slice(0, 32) ?? '-', route: routeOf(textOf(columns, 'path', row) ?? '/'), id: 0 };
    made.id = this.#norms.idOf(made.method, made.route);
    if (this.#memo.size >= MAX_MEMO) this.#memo.clear();
    this.#memo.set(key, made);
    return made;
  }

  #instanceOf(columns: Columns, row: number, ofSource: string): string {
    const { upstream } = columns.text;
    if ((upstream.to[row] as number) <= (upstream.from[row] as number)) return ofSource;
    const text = textOf(columns, 'upstream', row) ?? '';
    return /[:/]/.test(text) ? text.slice(0, 80).split(',').at(-1)?.trim() ?? ofSource : ofSource;
  }

  #client(columns: Columns, row: number): void {
    const hash = columns.text.client.hash[row] as number;
    if (hash === 0) return;
    let name = this.#clientOf.get(hash);
    if (name === undefined) {
      if (this.#clientOf.size >= MAX_CLIENTS) return;
      name = textOf(columns, 'client', row) ?? '-';
      this.#clientOf.set(hash, name);
    }
    this.#clients.set(name, (this.#clients.get(name) ?? 0) + 1);
  }

  #keep(columns: Columns, index: number, of: { method: string; route: string; instance: string; source: string; gone: boolean }): void {
    const there = (column: { readonly [row: number]: number }): number | undefined => (column[index] === ABSENT ? undefined : column[index]);
    const at = columns.at[index] as number, status = columns.status[index] as number, takenMs = there(columns.taken), sub = there(columns.sub), win32 = there(columns.win32);
    const effect = of.gone ? 'aborted' : effectOf({ status, sub, win32 });
    const key = `${effect === 'fine' ? `fine ${of.method} ${of.route}` : `${status}.${sub ?? ''}.${win32 ?? ''}`}|${Math.floor(Math.log2((takenMs ?? 0) + 1))}`;
    const stratum = this.#stratum(key, effect);
    stratum.count += 1;
    const priority = priorityOf(columns.offset[index] as number, of.source.length);
    if (Math.clz32(priority) < stratum.level) return;
    const until = at % 1_000 === 0 ? at + 999 : at;
    const row: Row = {
      at, until, from: at - (takenMs ?? 0), method: of.method, route: of.route, status, sub, win32, takenMs, instance: of.instance, client: textOf(columns, 'client', index), source: of.source,
      offset: columns.offset[index] as number, effect, slow: false, weight: 1, sentBytes: there(columns.sent),
    };
    stratum.rows.push({ priority, row });
    while (stratum.rows.length > PER_SIGNATURE) { stratum.level += 1; stratum.rows = stratum.rows.filter((one) => Math.clz32(one.priority) >= stratum.level); }
  }

  #stratum(key: string, effect: Effect): Stratum {
    const known = this.#strata.get(key) ?? (this.#strata.size >= MAX_SIGNATURES * 8 ? this.#strata.get(`${effect}|others`) : undefined);
    if (known) return known;
    const made: Stratum = { level: 0, count: 0, rows: [] };
    this.#strata.set(this.#strata.size >= MAX_SIGNATURES * 8 ? `${effect}|others` : key, made);
    return made;
  }

  told(): RowFacts {
    const norms = this.#norms.told();
    const all: Row[] = [];
    let sampled = false;
    for (const { count, rows } of this.#strata.values()) {
      if (rows.length < count) sampled = true;
      for (const { row } of rows) { row.weight = count / rows.length; all.push(row); }
    }
    all.sort((a, b) => a.at - b.at || (a.source < b.source ? -1 : a.source > b.source ? 1 : a.offset - b.offset));
    for (const row of all) row.slow = row.effect === 'fine' && isSlow(row, norms);
    // Who gives up after waiting far longer than the route takes was kept waiting: a slow answer that nobody stayed for, no whim of a client.
    const keptWaiting = all.filter((r) => r.effect === 'aborted' && isSlow(r, norms));
    const slow = [...all.filter((r) => r.slow), ...keptWaiting.map((r): Row => ({ ...r, effect: 'fine', slow: true }))].sort((a, b) => a.at - b.at);
    return {
      total: this.#total, failures: this.#failures, aborts: this.#aborts - Math.round(keptWaiting.reduce((sum, r) => sum + r.weight, 0)), sampled, norms,
      failed: all.filter((r) => r.effect !== 'fine' && r.effect !== 'aborted'), slow, long: all.filter((r) => r.effect === 'fine' && !r.slow), abortRows: all.filter((r) => r.effect === 'aborted' && !isSlow(r, norms)),
      slotMs: this.#slotMs, slots: this.#allSlots(), instances: this.#instances, clients: this.#clients,
    };
  }

  #allSlots(): Slot[] {
    if (this.#slots.size === 0) return [];
    const out: Slot[] = [];
    for (let at = Math.floor(this.#window.from / this.#slotMs) * this.#slotMs; at <= this.#window.to; at += this.#slotMs) out.push(this.#slots.get(at) ?? { at, total: 0, failed: 0 });
    return out;
  }
}

/** Far above what is normal for its route, and long enough that somebody waits. */
export function isSlow(row: Pick<Row, 'method' | 'route' | 'takenMs'>, norms: Norms): boolean {
  const normal = norms.of(row.method, row.route);
  return row.takenMs !== undefined && normal !== undefined && normal.quietSlots >= 2 && row.takenMs > Math.max(SLOW_LEAST_MS, normal.p95Ms * SLOW_FACTOR);
}

/** No HTTP log: nothing is known of requests. */
export const NO_ROWS: RowFacts = {
  total: 0, failed: [], slow: [], long: [], failures: 0, aborts: 0, sampled: false, slotMs: 1_000, slots: [], instances: new Map(), clients: new Map(), abortRows: [],
  norms: new RouteNorms({ from: 0, to: 0 }).told(),
};
