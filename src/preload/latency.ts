// Owns counting durations: log-linear buckets, one increment a value, and the pairs that go out.
import type { Latency } from '../shared/app-link.ts';

const EXACT = 128;
const MANTISSA_BITS = 6;
const LONGEST_US = 2 ** 31 - 1;
export const BUCKETS = 1_664;

/** 0 to 127 µs are exact; then 64 buckets per doubling: the middle is at most 0.8 % off. */
export function bucketOf(us: number): number {
  if (us < EXACT) return us;
  const shift = 31 - Math.clz32(us) - MANTISSA_BITS;
  return (shift << MANTISSA_BITS) + EXACT - (1 << MANTISSA_BITS) + ((us >>> shift) - (1 << MANTISSA_BITS));
}

function lowestUs(bucket: number): number {
  if (bucket < EXACT) return Math.max(0, bucket);
  const above = bucket - EXACT;
  return ((1 << MANTISSA_BITS) + (above & ((1 << MANTISSA_BITS) - 1))) * 2 ** ((above >> MANTISSA_BITS) + 1);
}

const NOTHING = new Uint32Array(0);

export class Durations {
  count = 0;
  #counts: Uint32Array | undefined;
  #sumMs = 0;
  #maxMs = 0;
  #low = BUCKETS;
  #high = -1;

  add(ms: number): void {
    const us = ms > 0 ? ms * 1_000 : 0;
    const bucket = bucketOf(us < LONGEST_US ? us | 0 : LONGEST_US);
    const counts = this.#counts ?? (this.#counts = new Uint32Array(BUCKETS));
    (counts[bucket] as number)++;
    this.count++;
    this.#sumMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
    if (bucket < this.#low) this.#low = bucket;
    if (bucket > this.#high) this.#high = bucket;
  }

  /** Lower ends of the buckets where the shares lie; `shares` ascending. */
  quantiles(shares: readonly number[]): number[] {
    const counts = this.#counts ?? NOTHING;
    const high = Math.min(this.#high, counts.length - 1);
    let seen = 0;
    let bucket = this.#low - 1;
    return shares.map((share) => {
      const rank = Math.max(1, Math.ceil(share * this.count));
      while (seen < rank && bucket < high) seen += counts[++bucket] as number;
      return lowestUs(bucket) / 1_000;
    });
  }

  /** What was counted since the last call; begins anew. */
  drain(): Latency {
    const buckets: [number, number][] = [];
    const counts = this.#counts;
    if (counts !== undefined) {
      const high = this.#high;
      for (let i = this.#low; i <= high; i += 1) if (counts[i] !== 0) buckets.push([i, counts[i] as number]);
      if (high >= this.#low) counts.fill(0, this.#low, high + 1);
    }
    const drained = { count: this.count, sumMs: this.#sumMs, maxMs: this.#maxMs, buckets };
    this.count = this.#sumMs = this.#maxMs = 0;
    this.#low = BUCKETS;
    this.#high = -1;
    return drained;
  }
}

/** A few numbers (statuses) or words (error codes) with their counts: mostly one, so a scan is the fastest look-up. */
export class Tally<K> {
  readonly #keys: K[] = [];
  readonly #counts: number[] = [];
  readonly #limit: number;
  readonly #rest: K;

  /** Beyond `limit` keys all further ones are counted as `rest`. */
  constructor(limit: number, rest: K) {
    this.#limit = limit;
    this.#rest = rest;
  }

  add(key: K): void {
    if (key === this.#keys[0]) { (this.#counts[0] as number)++; return; }
    let at = this.#keys.indexOf(key);
    if (at < 0) {
      if (this.#keys.length >= this.#limit - 1) key = this.#rest;
      at = this.#keys.indexOf(key);
      if (at < 0) at = this.#keys.push(key) - 1;
    }
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  drain(): [K, number][] {
    const pairs: [K, number][] = [];
    this.#keys.forEach((key, i) => { if ((this.#counts[i] as number) > 0) pairs.push([key, this.#counts[i] as number]); });
    this.#counts.fill(0);
    return pairs;
  }
}
