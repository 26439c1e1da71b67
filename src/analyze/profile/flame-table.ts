// Owns a flame graph as a table, for reports: the largest calls in depth-first order, as many as a page holds; the page draws it, a reader without drawing reads it.
import type { Evidence } from '../../shared/model.ts';
import type { ProfileReport } from '../../shared/profile.ts';
import { flameOf, type Flame } from '../../shared/profile-flame.ts';
import { percent } from '../../shared/units.ts';
import { stackText } from './words.ts';

/** 600 rows of each order have some 60 KB in a report. */
const ROWS = 600;

export function flameTables(report: ProfileReport): Evidence[] {
  const left = flameOf(report.tree, 'left-heavy');
  const unit = report.unit === 'us' ? 'ms' as const : report.unit === 'bytes' ? 'bytes' as const : 'count' as const;
  return [tableOf(report, left, 'Flame graph, the heaviest first', unit), ...(report.tree.time === undefined ? [] : [tableOf(report, flameOf(report.tree, 'time'), 'Flame graph in order of time', unit)])].filter((one) => one.kind === 'table' && one.rows.length > 0);
}

function tableOf(report: ProfileReport, flame: Flame, title: string, unit: 'ms' | 'bytes' | 'count'): Evidence {
  const all = flame.width;
  const factor = unit === 'ms' ? 1e3 : 1;
  const least = Array.from(flame.span).sort((a, b) => b - a)[ROWS] ?? 0;
  const rows: (string | number)[][] = [];
  for (let i = 0; i < flame.count && rows.length < ROWS; i += 1) {
    const span = flame.span[i] as number;
    const frame = report.tree.frames[flame.frame[i] as number];
    if (span <= least || frame === undefined || frame.category === 'root') continue;
    rows.push([flame.depth[i] as number, stackText(frame), frame.category, (flame.from[i] as number) / factor, span / factor, all > 0 ? percent((span / all) * 100) : '–']);
  }
  return { kind: 'table', title, drawn: 'flame', columns: [{ title: 'Depth', unit: 'count' }, { title: 'Function', unit: 'code' }, { title: 'Of', unit: 'text' }, { title: 'From', unit }, { title: 'Total', unit }, { title: 'Share', unit: 'text' }], rows, more: Math.max(0, flame.count - rows.length) };
}
