// Owns the time range of a view: how it is written in the address, what it means now, and how it is said.
import { duration } from '../shared/units.ts';

/** `last` moves with the clock, `between` stands still. */
export type Range = { readonly kind: 'last'; readonly forMs: number } | { readonly kind: 'between'; readonly from: number; readonly to: number };
export interface Span { readonly from: number; readonly to: number }

const MINUTE = 60_000;
/** The article's history is five days; nothing older is kept. */
export const OLDEST_MS = 5 * 86_400_000;
/** A selection shorter than this is a click, not a drag. */
export const SHORTEST_MS = 2_000;
/** Up to here samples are shown one by one as they come; longer ranges are read again in steps. */
export const LIVE_MS = 5 * MINUTE;

export const RANGES = [
  { word: '5m', forMs: 5 * MINUTE, title: 'Live, 5 min' },
  { word: '1h', forMs: 60 * MINUTE, title: 'Last hour' },
  { word: '24h', forMs: 1_440 * MINUTE, title: 'Last 24 h' },
  { word: '5d', forMs: OLDEST_MS, title: 'Last 5 d' },
] as const;

export const LIVE: Range = { kind: 'last', forMs: LIVE_MS };

/** Reads what `formatRange` wrote; anything else is the live range. */
export function parseRange(text: string | undefined): Range {
  const known = RANGES.find((r) => r.word === text);
  if (known) return { kind: 'last', forMs: known.forMs };
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? '');
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  return match && to > from ? { kind: 'between', from, to } : LIVE;
}

/** The word for the address; the live range needs none. */
export function formatRange(range: Range): string | undefined {
  if (range.kind === 'between') return `${Math.floor(range.from)}-${Math.ceil(range.to)}`;
  const known = RANGES.find((r) => r.forMs === range.forMs);
  return known && known.word !== '5m' ? known.word : undefined;
}

/** The instants a range means at `now`. */
export function spanOf(range: Range, now: number): Span {
  return range.kind === 'between' ? { from: range.from, to: range.to } : { from: now - range.forMs, to: now };
}

/** `time` writes an instant in the reader's own zone. */
export function titleOf(range: Range, time: (at: number) => string): string {
  if (range.kind === 'between') return `${time(range.from)} to ${time(range.to)}`;
  return RANGES.find((r) => r.forMs === range.forMs)?.title ?? `Last ${duration(range.forMs)}`;
}

/** The range of one instant's neighbourhood, for links from a change or a row to the charts around it. */
export function around(at: number, forMs = 2 * MINUTE): Range {
  return { kind: 'between', from: Math.max(0, at - forMs), to: at + forMs };
}
