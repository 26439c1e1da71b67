// Owns where in a core file each address has its place, for a core that is begun before the process stands still: places are given once, and new ones at the end.
import type { Range } from './ranges.ts';

const PAGE_BYTES = 4_096;

/** Addresses that lie in the file as they lie in memory; a bit for each page that was written to the file. */
interface Extent extends Range { readonly at: number; readonly written: Uint8Array }
export interface Place extends Range { readonly at: number }

export class Extents {
  /** In order of their addresses, none over another. */
  readonly #all: Extent[] = [];
  #end: number;

  /** @param end the first free place of the file, on a page */
  constructor(end: number) { this.#end = end; }

  /** Size of the file so far. */
  get endAt(): number { return this.#end; }

  /** Every address in [from, to) has its place from now on. */
  cover(from: number, to: number): void {
    let at = from;
    let index = this.#firstEndingAfter(from);
    while (at < to) {
      const next = this.#all[index];
      const until = Math.min(to, next?.from ?? to);
      if (at < until) {
        this.#all.splice(index, 0, { from: at, to: until, at: this.#end, written: new Uint8Array(Math.ceil((until - at) / PAGE_BYTES / 8)) });
        this.#end += until - at;
        index += 1;
      }
      at = Math.max(until, next?.to ?? to);
      index += 1;
    }
  }

  /** Where the covered parts of [from, to) lie in the file. */
  places(from: number, to: number): Place[] {
    const found: Place[] = [];
    for (let index = this.#firstEndingAfter(from); index < this.#all.length; index += 1) {
      const extent = this.#all[index] as Extent;
      if (extent.from >= to) break;
      const begin = Math.max(from, extent.from);
      found.push({ from: begin, to: Math.min(to, extent.to), at: extent.at + (begin - extent.from) });
    }
    return found;
  }

  /** These pages are in the file now. */
  mark(from: number, to: number): void {
    for (let index = this.#firstEndingAfter(from); index < this.#all.length; index += 1) {
      const extent = this.#all[index] as Extent;
      if (extent.from >= to) return;
      putBits(extent.written, true, (Math.max(from, extent.from) - extent.from) / PAGE_BYTES, (Math.min(to, extent.to) - extent.from) / PAGE_BYTES);
    }
  }

  /** Pages that are in the file but not in `present` (in order): the process has given them back, so they must be nothing in the file too. */
  * stale(present: readonly Range[]): Generator<Place> {
    let next = 0;
    for (const { from, to, at, written } of this.#all) {
      const left = written.slice();
      while (next < present.length && (present[next] as Range).to <= from) next += 1;
      for (let i = next; i < present.length && (present[i] as Range).from < to; i += 1) {
        const run = present[i] as Range;
        putBits(left, false, (Math.max(from, run.from) - from) / PAGE_BYTES, (Math.min(to, run.to) - from) / PAGE_BYTES);
      }
      for (const [begin, end] of bitRuns(left)) yield { from: from + begin * PAGE_BYTES, to: from + end * PAGE_BYTES, at: at + begin * PAGE_BYTES };
    }
  }

  #firstEndingAfter(address: number): number {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#all[middle] as Extent).to <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function putBits(bits: Uint8Array, isOn: boolean, from: number, to: number): void {
  for (let i = from; i < to;) {
    if ((i & 7) === 0 && to - i >= 8) { bits[i >> 3] = isOn ? 0xff : 0; i += 8; continue; }
    const one = 1 << (i & 7);
    bits[i >> 3] = isOn ? (bits[i >> 3] as number) | one : (bits[i >> 3] as number) & ~one;
    i += 1;
  }
}

/** Runs of ones, as [first, after the last). */
function* bitRuns(bits: Uint8Array): Generator<readonly [number, number]> {
  const isSet = (i: number): boolean => ((bits[i >> 3] as number) & (1 << (i & 7))) !== 0;
  for (let i = 0; i < bits.length * 8;) {
    if ((i & 7) === 0 && bits[i >> 3] === 0) { i += 8; continue; }
    if (!isSet(i)) { i += 1; continue; }
    let end = i + 1;
    while (end < bits.length * 8 && isSet(end)) end += 1;
    yield [i, end];
    i = end;
  }
}
