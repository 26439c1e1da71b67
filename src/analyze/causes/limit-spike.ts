// Owns the signature of a limit of time: rows whose time-taken stands in one narrow spike.
import type { Row } from '../events/rows.ts';
import { weightOf } from './cause.ts';

/** A timer fires within its grain and the queue behind it. */
const SPREAD_SHARE = 0.04;
const SPREAD_MS = 700;

export interface Spike { readonly atMs: number; readonly rows: readonly Row[]; readonly share: number }

/** The narrowest place that most of these rows have in common. */
export function spikeOf(rows: readonly Row[]): Spike | undefined {
  const timed = rows.filter((r) => r.takenMs !== undefined).sort((a, b) => (a.takenMs ?? 0) - (b.takenMs ?? 0));
  let best: { from: number; to: number; weight: number } | undefined;
  let to = 0, weight = 0;
  for (let from = 0; from < timed.length; from += 1) {
    const low = timed[from]?.takenMs ?? 0;
    for (; to < timed.length && (timed[to]?.takenMs ?? 0) <= low + Math.max(SPREAD_MS, low * SPREAD_SHARE); to += 1) weight += timed[to]?.weight ?? 0;
    if (!best || weight > best.weight) best = { from, to, weight };
    weight -= timed[from]?.weight ?? 0;
  }
  if (!best) return undefined;
  const inside = timed.slice(best.from, best.to);
  return { atMs: inside[0]?.takenMs ?? 0, rows: inside, share: weightOf(inside) / Math.max(1, weightOf(rows)) };
}
