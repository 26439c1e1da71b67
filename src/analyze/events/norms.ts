// Owns what is normal here: how long the requests of each route take in the quiet part of the window, and how often they fail, in bounded memory.

/** Parts of the window: the quietest quarter of those in which a route was asked is its norm. */
const SLOTS = 60;
/** Half-octave buckets from 1 ms: at most 19 % off, enough to tell three times as long. */
const BUCKETS = 48;
/** Routes that are told apart; scanners' junk is without end, a site has hundreds. */
const MAX_ROUTES = 400;
/** Rows of a slot below which its quantiles are luck. */
const LEAST_ROWS = 4;

export interface Norm { readonly p50Ms: number; readonly p95Ms: number; readonly quietSlots: number; readonly count: number; readonly failed: number }
export interface Norms {
  /** Undefined: the route was not told apart, or nothing of it was timed. */
  of(method: string, route: string): Norm | undefined;
  readonly routes: readonly { readonly method: string; readonly route: string; readonly count: number; readonly failed: number }[];
  /** Answered and failed requests of a route in [from, to], by whole slots. */
  within(method: string, route: string | undefined, from: number, to: number): { readonly count: number; readonly failed: number };
  readonly slotMs: number;
}

interface RouteCounts { readonly method: string; readonly route: string; count: number; failed: number; readonly buckets: Uint32Array; readonly totals: Uint32Array; readonly failures: Uint32Array }

export class RouteNorms {
  readonly #from: number;
  readonly #slotMs: number;
  readonly #routes: RouteCounts[] = [];
  readonly #ids = new Map<string, number>();

  constructor(window: { readonly from: number; readonly to: number }) {
    this.#from = window.from;
    this.#slotMs = Math.max(1_000, Math.ceil((window.to - window.from + 1_000) / SLOTS));
  }

  /** -1: beyond the bound, not told apart. */
  idOf(method: string, route: string): number {
    const key = `${method} ${route}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#routes.length >= MAX_ROUTES) return -1;
    this.#ids.set(key, this.#routes.length);
    this.#routes.push({ method, route, count: 0, failed: 0, buckets: new Uint32Array(SLOTS * BUCKETS), totals: new Uint32Array(SLOTS), failures: new Uint32Array(SLOTS) });
    return this.#routes.length - 1;
  }

  add(id: number, at: number, takenMs: number, failed: boolean): void {
    const route = this.#routes[id];
    if (!route) return;
    const slot = Math.min(SLOTS - 1, Math.max(0, Math.floor((at - this.#from) / this.#slotMs)));
    route.count += 1;
    route.totals[slot] = (route.totals[slot] as number) + 1;
    if (failed) { route.failed += 1; route.failures[slot] = (route.failures[slot] as number) + 1; return; }
    if (takenMs < 0) return;
    const place = slot * BUCKETS + Math.min(BUCKETS - 1, Math.floor(Math.log2(takenMs + 1) * 2));
    route.buckets[place] = (route.buckets[place] as number) + 1;
  }

  told(): Norms {
    const slotOf = (at: number): number => Math.min(SLOTS - 1, Math.max(0, Math.floor((at - this.#from) / this.#slotMs)));
    const norms = new Map<string, Norm | undefined>();
    return {
      slotMs: this.#slotMs,
      routes: this.#routes.map(({ method, route, count, failed }) => ({ method, route, count, failed })).sort((a, b) => b.count - a.count || (`${a.method} ${a.route}` < `${b.method} ${b.route}` ? -1 : 1)),
      of: (method, route) => {
        const key = `${method} ${route}`;
        if (!norms.has(key)) norms.set(key, normOf(this.#routes[this.#ids.get(key) ?? -1]));
        return norms.get(key);
      },
      within: (method, route, from, to) => {
        let count = 0, failed = 0;
        for (const one of route === undefined ? this.#routes : this.#routes.filter((r) => r.method === method && r.route === route)) {
          for (let slot = slotOf(from); slot <= slotOf(to); slot += 1) { count += one.totals[slot] as number; failed += one.failures[slot] as number; }
        }
        return { count, failed };
      },
    };
  }
}

/** The quietest quarter (two slots at least) by median, without slots in which the route failed often. */
function normOf(route: RouteCounts | undefined): Norm | undefined {
  if (!route) return undefined;
  const slots: { median: number; slot: number }[] = [];
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const timed = sumOf(route.buckets, slot);
    if (timed >= LEAST_ROWS && (route.failures[slot] as number) * 4 <= (route.totals[slot] as number)) slots.push({ slot, median: quantile(route.buckets, [slot], timed, 0.5) });
  }
  slots.sort((a, b) => a.median - b.median || a.slot - b.slot);
  const quiet = slots.slice(0, Math.max(2, Math.ceil(slots.length / 4))).map((s) => s.slot);
  const timed = quiet.reduce((sum, slot) => sum + sumOf(route.buckets, slot), 0);
  if (timed === 0) return undefined;
  return { p50Ms: quantile(route.buckets, quiet, timed, 0.5), p95Ms: quantile(route.buckets, quiet, timed, 0.95), quietSlots: quiet.length, count: route.count, failed: route.failed };
}

function sumOf(buckets: Uint32Array, slot: number): number {
  let sum = 0;
  for (let i = slot * BUCKETS; i < (slot + 1) * BUCKETS; i += 1) sum += buckets[i] as number;
  return sum;
}

/** The upper edge of the bucket that holds it. */
function quantile(buckets: Uint32Array, slots: readonly number[], count: number, share: number): number {
  let left = Math.max(1, Math.ceil(count * share));
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    for (const slot of slots) left -= buckets[slot * BUCKETS + bucket] as number;
    if (left <= 0) return 2 ** ((bucket + 1) / 2) - 1;
  }
  return 2 ** (BUCKETS / 2);
}
