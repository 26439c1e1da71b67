// Owns the export of a chart: a picture with its title and legend, and its values as CSV with times in UTC.
import type uPlot from 'uplot';
import { csv, fileName, saveFile } from '../../parts/save.ts';
import { colour } from '../../theme.ts';
import type { Line } from './chart-list.ts';

const HEAD = 48;

export function savePng(title: string, plot: uPlot, lines: readonly Line[]): void {
  const from = plot.ctx.canvas;
  const ratio = from.width / plot.width;
  const to = document.createElement('canvas');
  to.width = from.width;
  to.height = from.height + HEAD * ratio;
  const pen = to.getContext('2d');
  if (!pen) return;
  pen.fillStyle = colour('surface');
  pen.fillRect(0, 0, to.width, to.height);
  pen.scale(ratio, ratio);
  const family = getComputedStyle(document.body).fontFamily;
  pen.font = `600 13px ${family}`;
  pen.fillStyle = colour('ink');
  pen.fillText(title, 12, 18);
  pen.font = `12px ${family}`;
  let x = 12;
  for (const line of lines) {
    pen.fillStyle = colour(line.token);
    pen.fillRect(x, 30, 9, 9);
    pen.fillStyle = colour('ink-2');
    pen.fillText(line.label, x + 14, 39);
    x += 14 + pen.measureText(line.label).width + 18;
  }
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(from, 0, HEAD * ratio);
  to.toBlob((blob) => { if (blob) saveFile(fileName(title, 'png'), blob); });
}

/** One row per instant; what was not measured is an empty field. */
export const csvOf = (at: readonly number[], lines: readonly Line[]): string => csv([['time (UTC)', ...lines.map((l) => l.label)], ...at.map((t, i) => [new Date(t).toISOString(), ...lines.map((l) => l.values[i] ?? null)])]);

export function saveCsv(title: string, at: readonly number[], lines: readonly Line[]): void {
  saveFile(fileName(title, 'csv'), new Blob([csvOf(at, lines)], { type: 'text/csv' }));
}
