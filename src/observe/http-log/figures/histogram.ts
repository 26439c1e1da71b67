// Owns the histogram behind every response-time quantile: bounded relative error, mergeable, sparse.

/** Leading mantissa bits kept of a value: a bucket spans 1/128 of its power of two, so its middle is at most 1/256 = 0.39 % off. */
const MANTISSA_BITS = 7;
const SHIFT = 20 - MANTISSA_BITS;
const FREE = -1;
/** 2^40 ms = 34 years: larger values are counted in the last bucket (the maximum stays exact). This bounds the buckets to 41 × 128. */
const LIMIT = 2 ** 40;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** The word with sign, exponent and high mantissa; byte order differs by machine. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

function bucketOf(value: number): number {
  if (value < 1) return 0;
  float[0] = value < LIMIT ? value : LIMIT;
  return (words[HIGH] as number) >>> SHIFT;
}

function lowest(bucket: number): number {
  if (bucket === 0) return 0;
  words[HIGH] = bucket << SHIFT;
  words[1 - HIGH] = 0;
  return float[0] as number;
}

/**
 * Counts values (ms, bytes: any number >= 0) in log-linear buckets.
 * A quantile differs from the exact one (nearest rank of the sorted values) by at most 0.5 % of it; whole numbers below 256 are exact,
 * values below 1 are told as 0 to 1 when they are not whole. count, sum, min and max are exact. Memory grows with the number of different
 * buckets used (12 bytes each, at most 5,249). Merging two histograms is the same as counting all values in one.
 */
export class Histogram {
  count = 0;
  sum = 0;
  min = Infinity;
  max = -Infinity;
  #whole = true;
  #keys: Int32Array = new Int32Array(8).fill(FREE);
  #counts: Float64Array = new Float64Array(8);
  #used = 0;

  /** Buckets in use. */
  get buckets(): number { return this.#used; }
  get mean(): number | undefined { return this.count === 0 ? undefined : this.sum / this.count; }

  add(value: number): void {
    if (!(value >= 0)) return;
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (this.#whole && !Number.isInteger(value)) this.#whole = false;
    this.#put(bucketOf(value), 1);
  }

  /** The values of a column at places[from, to); those below 0 are none. */
  addAt(values: Float64Array, places: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i += 1) this.add(values[places[i] as number] as number);
  }

  merge(other: Histogram): void {
    this.count += other.count;
    this.sum += other.sum;
    if (other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
    this.#whole = this.#whole && other.#whole;
    for (let i = 0; i < other.#keys.length; i += 1) {
      const key = other.#keys[i] as number;
      if (key !== FREE) this.#put(key, other.#counts[i] as number);
    }
  }

  /** The value at share q (0 to 1) by nearest rank; undefined when nothing was counted. */
  quantile(q: number): number | undefined {
    return this.quantiles([q])[0];
  }

  /** Several at once; `shares` ascending. */
  quantiles(shares: readonly number[]): (number | undefined)[] {
    if (this.count === 0) return shares.map(() => undefined);
    const keys = this.#inOrder();
    const found: number[] = [];
    let at = -1;
    let seen = 0;
    for (const share of shares) {
      const rank = Math.min(this.count, Math.max(1, Math.ceil(share * this.count)));
      while (seen < rank && at < keys.length - 1) {
        at += 1;
        seen += this.#counts[this.#slot(keys[at] as number)] as number;
      }
      found.push(this.#middle(keys[at] as number));
    }
    return found;
  }

  /** The buckets in use. */
  #inOrder(): Int32Array {
    const keys = new Int32Array(this.#used);
    let used = 0;
    for (let i = 0; i < this.#keys.length; i += 1) {
      const key = this.#keys[i] as number;
      if (key !== FREE) { keys[used] = key; used += 1; }
    }
    return keys.sort();
  }

  #middle(bucket: number): number {
    const low = lowest(bucket);
    const high = bucket === 0 ? 1 : lowest(bucket + 1);
    const middle = this.#whole ? (Math.ceil(low) + Math.ceil(high) - 1) / 2 : (low + high) / 2;
    return Math.min(this.max, Math.max(this.min, middle));
  }

  #put(key: number, times: number): void {
    let slot = this.#slot(key);
    if (this.#keys[slot] === FREE) {
      if ((this.#used + 1) * 4 > this.#keys.length * 3) { this.#grow(); slot = this.#slot(key); }
      this.#keys[slot] = key;
      this.#used += 1;
    }
    this.#counts[slot] = (this.#counts[slot] as number) + times;
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = Math.imul(key, 0x9E3779B1) >>> 16 & mask;
    while (this.#keys[slot] !== FREE && this.#keys[slot] !== key) slot = slot + 1 & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const counts = this.#counts;
    this.#keys = new Int32Array(keys.length * 2).fill(FREE);
    this.#counts = new Float64Array(keys.length * 2);
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i] as number;
      if (key === FREE) continue;
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#counts[slot] = counts[i] as number;
    }
  }
}
