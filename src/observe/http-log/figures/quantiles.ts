// Owns what is told of a histogram: its quantiles by nearest rank, for one histogram of whole numbers where it lies.
import { BUCKETS, FIRST_ORDERED_PAGE, PAGE, PAGES, bucketsInOrder, middleOf } from './buckets.ts';
import type { Cells } from './histograms.ts';

/** Told of a histogram; empty when it counted nothing. */
export interface Quantiles { p50?: number; p95?: number; p99?: number; max?: number }

/** Adds what is told of a histogram, if anything, behind what is there. */
export function withQuantiles<T extends { [K in keyof Quantiles]: number | undefined }>(told: T, { p50, p95, p99, max }: Quantiles): T {
  if (p50 !== undefined) told.p50 = p50;
  if (p95 !== undefined) told.p95 = p95;
  if (p99 !== undefined) told.p99 = p99;
  if (max !== undefined) told.max = max;
  return told;
}

export const SHARES = [0.5, 0.95, 0.99], NAMES = ['p50', 'p95', 'p99'] as const;

/** Scratch of atSharesOf(): the pages of the one histogram that is asked for, and which powers they are. */
export const pagesOf = new Int32Array(PAGES), powersOf = new Int32Array(PAGES);

const PAGE_WORDS = PAGE / 4;

/** Quantiles of the pages of one histogram of whole numbers, in pagesOf and powersOf: four cells at a time are passed over. */
export function atSharesOf({ bytes, words }: Cells, pages: number, total: number, max: number): Quantiles {
  const found = { p50: max, p95: max, p99: max, max };
  let at = 0, seen = 0, wanted = rank(0, total);
  for (let i = 0; i < pages; i += 1) {
    const first = (pagesOf[i] as number) * PAGE_WORDS, shift = ((powersOf[i] as number) - (pagesOf[i] as number)) * PAGE;
    for (let word = first; word < first + PAGE_WORDS; word += 1) {
      const four = words[word] as number;
      if (four === 0) continue;
      const with4 = seen + (four & 255) + (four >>> 8 & 255) + (four >>> 16 & 255) + (four >>> 24);
      if (with4 < wanted) { seen = with4; continue; }
      for (let cell = word * 4; cell < word * 4 + 4; cell += 1) {
        seen += bytes[cell] as number;
        while (seen >= wanted) {
          if (wanted < total) found[NAMES[at] as 'p50'] = rounded(Math.min(max, middleOf(cell + shift, true)));
          at += 1;
          if (at === SHARES.length) return found;
          wanted = rank(at, total);
        }
      }
    }
  }
  return found;
}

export const rank = (share: number, total: number): number => Math.max(1, Math.ceil((SHARES[share] as number) * total));
export const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;

/** Fractions lie between the whole numbers of page 0: their order is not that of the buckets. */
function hasFractions(used: Uint8Array): boolean {
  for (let index = 1; index < FIRST_ORDERED_PAGE; index += 1) if (used[index]) return true;
  return false;
}

/** By nearest rank; the last rank is the exact maximum. */
export function atShares(counts: Float64Array, total: number, { max, whole, used }: { max: number; whole: boolean; used: Uint8Array }): Quantiles {
  const found = { p50: max, p95: max, p99: max, max };
  const order = hasFractions(used) ? bucketsInOrder() : undefined;
  let at = 0, seen = 0, wanted = rank(0, total);
  for (let i = 0; i < BUCKETS && at < SHARES.length; i += 1) {
    if (order === undefined && (i & PAGE - 1) === 0 && used[i / PAGE] === 0) { i += PAGE - 1; continue; }
    const bucket = order === undefined ? i : order[i] as number;
    seen += counts[bucket] as number;
    while (seen >= wanted) {
      if (wanted < total) found[NAMES[at] as 'p50'] = rounded(Math.min(max, middleOf(bucket, whole)));
      at += 1;
      wanted = at < SHARES.length ? rank(at, total) : Infinity;
    }
  }
  return found;
}
