// Owns the cells of the heat map, for the page and the file alike: how many steps one column holds, how dark a cell is, what is new.
import type { HttpReport } from './http-report.ts';
import { shadeOf } from './http-words.ts';

export type HeatRow = HttpReport['heat']['rows'][number];
export interface HeatCell { readonly column: number; readonly from: number; readonly to: number; readonly count: number; readonly shade: number }
export interface HeatLine { readonly id: string; readonly row: HeatRow; readonly cells: readonly HeatCell[]; readonly isNew: boolean }
export interface Grid { readonly fold: number; readonly columns: number; readonly stepMs: number }

const HOUR_MS = 3_600_000;
export const idOf = (row: HeatRow): string => `${row.key} ${row.method} ${row.route}`;

/** At most so many columns; neighbouring steps are added up until they fit. */
export function gridOf(heat: HttpReport['heat'], mostColumns: number): Grid {
  const fold = Math.max(1, Math.ceil(heat.steps / Math.max(1, mostColumns)));
  return { fold, columns: Math.ceil(heat.steps / fold), stepMs: heat.stepMs * fold };
}

/** Rows with their cells; a column without failures has no cell. */
export function linesOf(heat: HttpReport['heat'], grid: Grid, fresh: ReadonlySet<string> | undefined): readonly HeatLine[] {
  const folded = heat.rows.map((row) => ({ row, counts: foldCounts(row.counts, grid) }));
  const most = folded.reduce((m, r) => r.counts.reduce((n, c) => Math.max(n, c), m), 0);
  return folded.map(({ row, counts }) => ({
    id: idOf(row), row, isNew: fresh?.has(idOf(row)) === true,
    cells: counts.flatMap((count, column) => (count === 0 ? [] : [{ column, from: heat.from + column * grid.stepMs, to: heat.from + (column + 1) * grid.stepMs, count, shade: shadeOf(count, most) }])),
  }));
}

function foldCounts(counts: readonly number[], grid: Grid): number[] {
  const out = Array.from({ length: grid.columns }, () => 0);
  counts.forEach((n, i) => { const at = Math.floor(i / grid.fold); out[at] = (out[at] ?? 0) + n; });
  return out;
}

/**
 * Failures that were not there an hour before the window's end: by the report itself where it reaches back far enough, else
 * by the report of the hour before. Undefined where neither can tell: no rows of that time, or more failures than are told.
 */
export function newIds(report: HttpReport, before?: HttpReport): ReadonlySet<string> | undefined {
  const since = report.to - HOUR_MS;
  if (report.from <= since - HOUR_MS) return new Set(report.heat.rows.filter((r) => r.firstAt >= since).map(idOf));
  if (before === undefined || before.rows === 0 || before.heat.more !== 0) return undefined;
  const known = new Set(before.heat.rows.map(idOf));
  return new Set(report.heat.rows.filter((r) => !known.has(idOf(r))).map(idOf));
}

/** The hour to compare with, in steps of ten minutes so that it is not read again each time; absent where the report reaches back itself. */
export function hourBefore(from: number, to: number): { readonly from: number; readonly to: number } | undefined {
  if (from <= to - 2 * HOUR_MS) return undefined;
  const end = Math.floor(to / 600_000) * 600_000 - HOUR_MS;
  return { from: end - HOUR_MS, to: end };
}
