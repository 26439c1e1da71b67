// Owns counts by a small whole number (a pair of ids), each below 2^32: open addressing over typed arrays.
import { giveBack } from './give-back.ts';

/** Slots for each key, at least. */
const SLOTS_PER_KEY = 1.5;

export class IntCounts {
  #keys: Int32Array = new Int32Array(64).fill(-1);
  #counts: Uint32Array = new Uint32Array(64);
  size = 0;

  /** `key` is not negative. */
  add(key: number, times = 1): void {
    let slot = this.#slot(key);
    if (this.#keys[slot] !== key) {
      if ((this.size + 1) * SLOTS_PER_KEY > this.#keys.length) { this.#grow(); slot = this.#slot(key); }
      this.#keys[slot] = key;
      this.size += 1;
    }
    this.#counts[slot] = (this.#counts[slot] as number) + times;
  }

  get(key: number): number {
    const slot = this.#slot(key);
    return this.#keys[slot] === key ? this.#counts[slot] as number : 0;
  }

  each(use: (key: number, count: number) => void): void {
    for (let slot = 0; slot < this.#keys.length; slot += 1) {
      const key = this.#keys[slot] as number;
      if (key >= 0) use(key, this.#counts[slot] as number);
    }
  }

  /** Other keys, in the same memory; those that become negative are left out, those that become equal add up. */
  rekey(other: (key: number) => number): void {
    const { keys, counts } = this.state();
    this.#keys.fill(-1);
    this.#counts.fill(0);
    this.size = 0;
    keys.forEach((key, i) => { const to = other(key); if (to >= 0) this.add(to, counts[i] as number); });
  }

  state(): { keys: Int32Array; counts: Uint32Array } {
    const keys = new Int32Array(this.size), counts = new Uint32Array(this.size);
    let at = 0;
    this.each((key, count) => { keys[at] = key; counts[at] = count; at += 1; });
    return { keys, counts };
  }

  #slot(key: number): number {
    const mask = this.#keys.length - 1;
    let slot = (Math.imul(key, 0x9E3779B1) >>> 12) & mask;
    while (this.#keys[slot] !== -1 && this.#keys[slot] !== key) slot = slot + 1 & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys, counts = this.#counts;
    this.#keys = new Int32Array(keys.length * 2).fill(-1);
    this.#counts = new Uint32Array(keys.length * 2);
    keys.forEach((key, i) => {
      if (key < 0) return;
      const slot = this.#slot(key);
      this.#keys[slot] = key;
      this.#counts[slot] = counts[i] as number;
    });
    giveBack(keys);
    giveBack(counts);
  }
}
