// Owns what a generated HTTP log truly holds: counted while it is written, by nothing that reads logs.
import type { Traffic } from './http-traffic.ts';

export interface RouteTruth { count: number; failures: number; clientErrors: number; max: number; sent: number; taken: number[] }

/** Times above this are counted as this: the generator makes none. */
const LONGEST_MS = 2_000_000;

export class Truth {
  bytes = 0;
  /** rows + comments + malformed. */
  lines = 0;
  /** All whole rows, also those left out of the figures. */
  rows = 0;
  comments = 0;
  malformed = 0;
  leftOut = 0;
  /** From here on all figures are without the rows left out. */
  failures = 0;
  from = Infinity;
  to = -Infinity;
  readonly byStatus = new Map<string, number>();
  /** By "METHOD route". */
  readonly routes = new Map<string, RouteTruth>();
  /** By the minute's first ms. */
  readonly minutes = new Map<number, { count: number; failures: number }>();
  readonly clients = new Map<string, { count: number; failures: number }>();
  readonly #taken = new Map<number, number>();
  readonly #quick = new Uint32Array(65_536);
  takenCount = 0;
  readonly #keepTaken: boolean;

  /** `keepTaken`: each route keeps all its times, eight bytes a row. */
  constructor(keepTaken: boolean) { this.#keepTaken = keepTaken; }

  /** `at`, `taken` and `leftOut` as the log tells them (taken undefined: it does not say). */
  add(row: Traffic, key: string, at: number, taken: number | undefined, leftOut: boolean): void {
    this.rows += 1;
    this.lines += 1;
    if (leftOut) { this.leftOut += 1; return; }
    const failed = row.status >= 500 ? 1 : 0;
    this.failures += failed;
    if (at < this.from) this.from = at;
    if (at > this.to) this.to = at;
    this.byStatus.set(key, (this.byStatus.get(key) ?? 0) + 1);
    tick(this.minutes, at - at % 60_000, failed);
    tick(this.clients, row.client, failed);
    this.#route(row, failed, taken);
    if (taken === undefined) return;
    this.takenCount += 1;
    const capped = Math.min(taken, LONGEST_MS);
    if (capped < this.#quick.length && Number.isInteger(capped)) this.#quick[capped] = (this.#quick[capped] as number) + 1;
    else this.#taken.set(capped, (this.#taken.get(capped) ?? 0) + 1);
  }

  comment(): void { this.lines += 1; this.comments += 1; }
  damaged(): void { this.lines += 1; this.malformed += 1; }

  /** Exact, by nearest rank over all rows that have a time. */
  quantile(share: number): number | undefined {
    if (this.takenCount === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.takenCount));
    let seen = 0;
    const rest = [...this.#taken].sort((a, b) => a[0] - b[0]);
    let at = 0;
    for (let value = 0; value < this.#quick.length; value += 1) {
      while (at < rest.length && (rest[at] as [number, number])[0] < value) { const [slow, times] = rest[at] as [number, number]; at += 1; seen += times; if (seen >= rank) return slow; }
      seen += this.#quick[value] as number;
      if (seen >= rank) return value;
    }
    for (; at < rest.length; at += 1) { const [slow, times] = rest[at] as [number, number]; seen += times; if (seen >= rank) return slow; }
    return undefined;
  }

  #route(row: Traffic, failed: number, taken: number | undefined): void {
    const name = `${row.method} ${row.route}`;
    let route = this.routes.get(name);
    if (route === undefined) this.routes.set(name, route = { count: 0, failures: 0, clientErrors: 0, max: -1, sent: 0, taken: [] });
    route.count += 1;
    route.failures += failed;
    if (row.status >= 400 && row.status < 500) route.clientErrors += 1;
    route.sent += row.sent;
    if (taken === undefined) return;
    if (taken > route.max) route.max = taken;
    if (this.#keepTaken) route.taken.push(taken);
  }
}

/** Nearest rank of all values: the plain way. */
export function exactQuantile(values: readonly number[], share: number): number | undefined {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
}

function tick<K>(map: Map<K, { count: number; failures: number }>, key: K, failed: number): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, { count: 1, failures: failed });
  else { found.count += 1; found.failures += failed; }
}
