// Owns which requests are shown: failed only, by status.sub.win32, by route; the same question for the history and for live rows.
import type { RequestRow } from '../../../shared/model.ts';
import type { Query } from '../../address.ts';

export interface RequestFilter { readonly failed: boolean; readonly status: string; readonly route: string }

export const filterOf = (query: Query): RequestFilter => ({ failed: query['failed'] === '1', status: query['status'] ?? '', route: query['route'] ?? '' });

/** "502", "502.3", "502.3.12030" or "5xx"; a shorter word stands for all that begin with it. */
export function hasStatus(row: RequestRow, word: string): boolean {
  if (word === '') return true;
  const family = /^([1-5])xx$/i.exec(word)?.[1];
  if (family !== undefined) return String(row.status).startsWith(family);
  const asked = word.split(/[.·\s]+/).filter(Boolean);
  const own = [row.status, row.sub ?? 0, row.win32 ?? 0].map(String);
  return asked.length <= 3 && asked.every((part, i) => own[i] === part);
}

export function matches(row: RequestRow, filter: RequestFilter): boolean {
  if (filter.failed && row.status < 500) return false;
  if (!hasStatus(row, filter.status)) return false;
  return filter.route === '' || row.route === filter.route || row.path === filter.route || row.path.startsWith(filter.route);
}

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
