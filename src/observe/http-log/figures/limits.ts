// Owns the limits of time that rows stand at: how many took just as long as a known limit, against how many took about as long.
import { IntCounts } from './int-counts.ts';

export interface TimeLimit { readonly limitMs: number; readonly says: string }
/** From the facts of App Service, IIS, iisnode and nginx; the shortest on a request's way wins, and its time says which. */
export const TIME_LIMITS: readonly TimeLimit[] = [
  { limitMs: 50_000, says: 'iisnode gives up connecting to node after 200 attempts of 250 ms' },
  { limitMs: 60_000, says: 'nginx and the proxy of App Service on Linux close a connection on which nothing came for 60 s; many clients and databases give up then too' },
  { limitMs: 120_000, says: 'HttpPlatformHandler, the ASP.NET Core module and node\'s own server give up after 120 s by default, ARR too' },
  { limitMs: 230_000, says: 'the front end of App Service gives up after 230 s; the app goes on with a request that nobody waits for' },
  { limitMs: 240_000, says: 'the front end of App Service on Linux gives up after 240 s; the app goes on with a request that nobody waits for' },
];

/** A limit fires within its timer's grain and the queue behind it: rows lie up to 2.5 s above, hardly below. */
export const LIMIT_BELOW_MS = 500, LIMIT_ABOVE_MS = 2_500;
/** Its neighbourhood: this share of it below and above. */
const AROUND = 0.2;
export const LEAST_LIMIT_MS = (TIME_LIMITS[0] as TimeLimit).limitMs * (1 - AROUND);
/** Fewer rows say nothing; rows at a limit must be this many times those that would lie there by the density around it. */
const LEAST_ROWS = 3;
const TIMES_AROUND = 4;
const ROUTE_IDS = 2 ** 15;
/** Connections that were upgraded (web sockets) last as long as they are used. */
const UPGRADED = 101;
/** Places of a limit. */
const AT = 0, FAILED = 1, AROUND_IT = 2, FIRST = 3, LAST = 4, WIDTH = 5;

export interface LimitsState { values: Float64Array; routes: ReturnType<IntCounts['state']> }
export interface AtLimit extends TimeLimit { readonly count: number; readonly failures: number; readonly from: number; readonly to: number; readonly routes: readonly (readonly [route: number, count: number])[] }

/** The limit at which a time stands. */
export function limitAt(takenMs: number): number {
  return TIME_LIMITS.findIndex(({ limitMs }) => takenMs >= limitMs - LIMIT_BELOW_MS && takenMs <= limitMs + LIMIT_ABOVE_MS);
}

export class Limits {
  readonly #values = Float64Array.from(TIME_LIMITS.flatMap(() => [0, 0, 0, Infinity, -Infinity]));
  readonly #routes = new IntCounts();

  get sizeBytes(): number { return this.#routes.size * 24; }

  /** A row that took at least LEAST_LIMIT_MS. */
  add(takenMs: number, row: { status: number; failed: boolean; route: number; at: number }): void {
    if (row.status === UPGRADED) return;
    const limit = limitAt(takenMs);
    if (limit < 0) { this.#beside(takenMs); return; }
    const place = limit * WIDTH, values = this.#values;
    values[place + AT] = (values[place + AT] as number) + 1;
    if (row.failed) values[place + FAILED] = (values[place + FAILED] as number) + 1;
    if (row.at < (values[place + FIRST] as number)) values[place + FIRST] = row.at;
    if (row.at > (values[place + LAST] as number)) values[place + LAST] = row.at;
    this.#routes.add(limit * ROUTE_IDS + row.route + 1);
  }

  moveRoutes(into: Int32Array): void {
    this.#routes.rekey((key) => { const route = key % ROUTE_IDS - 1; return key - route + (route < 0 ? -1 : into[route] as number); });
  }

  state(): LimitsState { return { values: this.#values.slice(), routes: this.#routes.state() }; }

  merge(state: LimitsState, routeOf: Int32Array): void {
    state.values.forEach((value, i) => {
      const place = i % WIDTH, here = this.#values[i] as number;
      this.#values[i] = place === FIRST ? Math.min(here, value) : place === LAST ? Math.max(here, value) : here + value;
    });
    state.routes.keys.forEach((key, i) => {
      const route = key % ROUTE_IDS - 1;
      this.#routes.add(key - route + (route < 0 ? -1 : routeOf[route] as number), state.routes.counts[i] as number);
    });
  }

  /** The limits at which rows stand out from those around. */
  told(): AtLimit[] {
    const found = TIME_LIMITS.map((limit, i): (AtLimit & { readonly routes: [number, number][] }) | undefined => {
      const [count = 0, failures = 0, around = 0, from = 0, to = 0] = this.#values.subarray(i * WIDTH, (i + 1) * WIDTH);
      const expected = around * (LIMIT_BELOW_MS + LIMIT_ABOVE_MS) / widthAround(i);
      return count < LEAST_ROWS || count < expected * TIMES_AROUND + 3 * Math.sqrt(expected) ? undefined : { ...limit, count, failures, from, to, routes: [] };
    });
    this.#routes.each((key, n) => { found[Math.floor(key / ROUTE_IDS)]?.routes.push([key % ROUTE_IDS - 1, n]); });
    return found.filter((limit) => limit !== undefined);
  }

  #beside(takenMs: number): void {
    TIME_LIMITS.forEach(({ limitMs }, i) => {
      if (Math.abs(takenMs - limitMs) <= limitMs * AROUND) this.#values[i * WIDTH + AROUND_IT] = (this.#values[i * WIDTH + AROUND_IT] as number) + 1;
    });
  }
}

/** Ms of a limit's neighbourhood: without its own place and that of other limits. */
function widthAround(limit: number): number {
  const { limitMs } = TIME_LIMITS[limit] as TimeLimit;
  const low = limitMs * (1 - AROUND), high = limitMs * (1 + AROUND);
  const taken = TIME_LIMITS.reduce((sum, other) => sum + Math.max(0, Math.min(high, other.limitMs + LIMIT_ABOVE_MS) - Math.max(low, other.limitMs - LIMIT_BELOW_MS)), 0);
  return high - low - taken;
}
