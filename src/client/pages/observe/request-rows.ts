// Owns the order of live requests above those that were read: newest first, none twice, bounded with its loss counted.
import type { RequestRow } from '../../../shared/model.ts';

/** As many of the newest rows may be sent again after a read. */
const OVERLAP_ROWS = 2_000;

/** Newest first and bounded; the rows that no longer fit are given as a number. */
export function prepend(rows: readonly RequestRow[], more: readonly RequestRow[], keep: number): { readonly rows: readonly RequestRow[]; readonly left: number } {
  const seen = new Set(rows.slice(0, more.length + OVERLAP_ROWS).map(rowKey));
  const fresh = more.filter((r) => !seen.has(rowKey(r)));
  const all = [...fresh].reverse().sort((a, b) => b.at - a.at).concat(rows);
  return { rows: all.slice(0, keep), left: Math.max(0, all.length - keep) };
}

export const rowKey = (row: RequestRow): string => `${row.source}:${row.offset}`;
