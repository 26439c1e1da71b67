// Owns the bounded tables of a summary: routes, clients, status codes, minutes, slowest and failed rows.
import type { HttpSummary, RequestRow } from '../../shared/model.ts';
import { meaning, statusKey } from './meaning.ts';
import { ABSENT } from './parse.ts';
import type { RawRow } from './parse.ts';
import { Histogram } from './quantile.ts';
import { routeOf } from './route.ts';

/** Routes told apart; rows of further ones are counted as others. A site of 5,000 routes is rare, a scanner's junk is not. */
export const MAX_ROUTES = 5_000;
export const MAX_CLIENTS = 2_000;
/** One entry for the rows of all further clients. */
export const OTHER_CLIENTS = '(others)';
/** Told in a summary: what a page or report can use. The rows of the rest are in otherRoutes. */
export const ROUTES_TOLD = 1_000;
export const CLIENTS_TOLD = 200;
/** status.sub.win32 told apart; further ones fold into their status. */
export const MAX_STATUS_KEYS = 500;
/** Slots of the time table: a day of minutes and some; beyond it the grain grows. */
export const MAX_SLOTS = 2_000;
const MAX_PATHS_CACHED = 20_000;

const SHARES = [0.5, 0.95, 0.99];
type Quantiles = { p50?: number; p95?: number; p99?: number };

/** p50, p95, p99 to a tenth of a ms; nothing when there is no time-taken. */
export function quantilesOf(taken: Histogram): Quantiles {
  const [p50, p95, p99] = taken.quantiles(SHARES);
  if (p50 === undefined || p95 === undefined || p99 === undefined) return {};
  return { p50: tenth(p50), p95: tenth(p95), p99: tenth(p99) };
}
const tenth = (value: number): number => Math.round(value * 10) / 10;

export const failed = (status: number): boolean => status >= 500;

interface RouteEntry { readonly method: string; readonly route: string; count: number; failures: number; readonly taken: Histogram }

export class RouteTable {
  readonly #entries = new Map<string, RouteEntry>();
  /** From method and path, so that the folding is done once per path. Emptied when full. */
  readonly #byPath = new Map<string, RouteEntry | undefined>();
  #others = 0;

  add(raw: RawRow): void {
    const entry = this.#find(raw.text('method') ?? '-', raw.text('path') ?? '/');
    if (entry === undefined) { this.#others += 1; return; }
    entry.count += 1;
    if (failed(raw.status)) entry.failures += 1;
    if (raw.takenMs !== ABSENT) entry.taken.add(raw.takenMs);
  }

  told(): Pick<HttpSummary, 'routes' | 'otherRoutes'> {
    const sorted = [...this.#entries.values()].sort((a, b) => b.failures - a.failures || b.count - a.count || order(a.route, b.route) || order(a.method, b.method));
    const rest = sorted.slice(ROUTES_TOLD).reduce((sum, entry) => sum + entry.count, 0);
    return {
      routes: sorted.slice(0, ROUTES_TOLD).map(({ method, route, count, failures, taken }) =>
        ({ method, route, count, failures, ...quantilesOf(taken), ...(taken.count > 0 ? { max: taken.max } : {}) })),
      otherRoutes: this.#others + rest,
    };
  }

  #find(method: string, path: string): RouteEntry | undefined {
    const key = `${method} ${path}`;
    const known = this.#byPath.get(key);
    if (known !== undefined) return known;
    const short = method.slice(0, 32);
    const route = routeOf(path);
    const name = `${short} ${route}`;
    let entry = this.#entries.get(name);
    if (entry === undefined && this.#entries.size < MAX_ROUTES) {
      entry = { method: short, route, count: 0, failures: 0, taken: new Histogram() };
      this.#entries.set(name, entry);
    }
    if (this.#byPath.size >= MAX_PATHS_CACHED) this.#byPath.clear();
    if (entry !== undefined && key.length <= 500) this.#byPath.set(key, entry);
    return entry;
  }
}

export class ClientTable {
  readonly #entries = new Map<string, { count: number; failures: number }>();

  add(raw: RawRow): void {
    const client = raw.text('client')?.slice(0, 64);
    if (client === undefined) return;
    const name = this.#entries.has(client) || this.#entries.size < MAX_CLIENTS ? client : OTHER_CLIENTS;
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { count: 0, failures: 0 };
      this.#entries.set(name, entry);
    }
    entry.count += 1;
    if (failed(raw.status)) entry.failures += 1;
  }

  told(): HttpSummary['clients'] {
    return [...this.#entries].map(([client, { count, failures }]) => ({ client, count, failures }))
      .sort((a, b) => b.failures - a.failures || b.count - a.count || order(a.client, b.client)).slice(0, CLIENTS_TOLD);
  }
}

interface StatusEntry { readonly status: number; readonly sub?: number; readonly win32?: number; count: number; readonly taken: Histogram }

export class StatusTable {
  readonly #entries = new Map<number | string, StatusEntry>();

  add(raw: RawRow): void {
    const entry = this.#find(raw);
    entry.count += 1;
    if (raw.takenMs !== ABSENT) entry.taken.add(raw.takenMs);
  }

  told(): HttpSummary['byStatus'] {
    return [...this.#entries.values()].map(({ status, sub, win32, count, taken }) => {
      const { p50, p95 } = quantilesOf(taken);
      const reason = meaning(status, sub, win32)?.says;
      return { key: statusKey(status, sub, win32), status, ...(sub === undefined ? {} : { sub }), ...(win32 === undefined ? {} : { win32 }), count,
        ...(reason === undefined ? {} : { reason }), ...(p50 === undefined ? {} : { p50 }), ...(p95 === undefined ? {} : { p95 }) };
    }).sort((a, b) => b.count - a.count || order(a.key, b.key));
  }

  #find(raw: RawRow): StatusEntry {
    // One number as key where it fits (nearly always), so that a row makes no string.
    const small = raw.win32 < 100_000_000 && raw.sub < 60_000;
    const key = small ? ((raw.win32 + 1) * 65_536 + raw.sub + 1) * 1_000 + raw.status : `${raw.status}.${raw.sub}.${raw.win32}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_STATUS_KEYS) return this.#folded(raw.status);
    const entry: StatusEntry = {
      status: raw.status, ...(raw.sub === ABSENT ? {} : { sub: raw.sub }), ...(raw.win32 === ABSENT ? {} : { win32: raw.win32 }), count: 0, taken: new Histogram(),
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** At most one per status: 1,000 more. */
  #folded(status: number): StatusEntry {
    const key = `${status}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { status, count: 0, taken: new Histogram() };
      this.#entries.set(key, entry);
    }
    return entry;
  }
}

interface Slot { count: number; failures: number; taken: Histogram }
const GRAINS = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000];

export class MinuteTable {
  #stepMs = GRAINS[0] as number;
  #slots = new Map<number, Slot>();
  #lastAt = -1;
  #last: Slot | undefined;

  get stepMs(): number { return this.#stepMs; }

  add(raw: RawRow): void {
    const at = Math.floor(raw.at / this.#stepMs) * this.#stepMs;
    const slot = at === this.#lastAt && this.#last !== undefined ? this.#last : this.#find(at);
    this.#lastAt = at;
    this.#last = slot;
    slot.count += 1;
    if (failed(raw.status)) slot.failures += 1;
    if (raw.takenMs !== ABSENT) slot.taken.add(raw.takenMs);
    if (this.#slots.size > MAX_SLOTS) this.#coarsen();
  }

  /** All slots of [from, to], those without rows too (0 requests), while they are not more than MAX_SLOTS; else only those with rows. */
  told(from: number, to: number): HttpSummary['minutes'] {
    const first = Math.floor(from / this.#stepMs) * this.#stepMs;
    const slots = to >= first && (to - first) / this.#stepMs < MAX_SLOTS && this.#slots.size > 0 ? this.#range(first, to) : [...this.#slots.keys()].sort((a, b) => a - b);
    return slots.map((at) => {
      const slot = this.#slots.get(at);
      return slot === undefined ? { at, count: 0, failures: 0 } : { at, count: slot.count, failures: slot.failures, ...quantilesOf(slot.taken) };
    });
  }

  #range(first: number, to: number): number[] {
    const all = new Set(this.#slots.keys());
    for (let at = first; at <= to; at += this.#stepMs) all.add(at);
    return [...all].sort((a, b) => a - b);
  }

  #find(at: number): Slot {
    let slot = this.#slots.get(at);
    if (slot === undefined) {
      slot = { count: 0, failures: 0, taken: new Histogram() };
      this.#slots.set(at, slot);
    }
    return slot;
  }

  #coarsen(): void {
    const finer = this.#slots;
    this.#stepMs = GRAINS.find((grain) => grain > this.#stepMs) ?? this.#stepMs * 2;
    this.#slots = new Map();
    this.#last = undefined;
    for (const [at, slot] of finer) {
      const into = this.#find(Math.floor(at / this.#stepMs) * this.#stepMs);
      into.count += slot.count;
      into.failures += slot.failures;
      into.taken.merge(slot.taken);
    }
    if (this.#slots.size > MAX_SLOTS) this.#coarsen();
  }
}

/** The `keep` rows that come first by `before`; makes a row only when it may stay. */
export class Best {
  #rows: RequestRow[] = [];
  readonly #keep: number;
  readonly #before: (a: RequestRow, b: RequestRow) => number;
  readonly #rank: (raw: RawRow) => number;
  readonly #rankOf: (row: RequestRow) => number;
  #floor = -Infinity;

  /** `rank`: larger is better. */
  constructor(keep: number, rank: (raw: RawRow) => number, rankOf: (row: RequestRow) => number) {
    this.#keep = keep;
    this.#rank = rank;
    this.#rankOf = rankOf;
    this.#before = (a, b) => rankOf(b) - rankOf(a) || b.at - a.at || order(a.source, b.source) || b.offset - a.offset;
  }

  offer(raw: RawRow, make: () => RequestRow): void {
    if (this.#keep === 0 || this.#rank(raw) < this.#floor) return;
    this.#rows.push(make());
    if (this.#rows.length >= this.#keep * 2 + 16) this.#trim();
  }

  rows(): RequestRow[] {
    this.#trim();
    return [...this.#rows];
  }

  #trim(): void {
    this.#rows.sort(this.#before);
    if (this.#rows.length <= this.#keep) return;
    this.#rows.length = this.#keep;
    const last = this.#rows[this.#keep - 1];
    if (last !== undefined) this.#floor = this.#rankOf(last);
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
