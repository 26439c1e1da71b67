// Owns the drawing of one chart with uPlot: axes, lines or bars, gaps, marks of changes, aligned cursors, drag to choose a range.
import uPlot from 'uplot';
import type { Change } from '../../../shared/model.ts';
import type { Unit } from '../../../shared/metrics.ts';
import { drawMark, isLine, markOf } from '../../parts/marks.ts';
import { SHORTEST_MS, type Span } from '../../range.ts';
import { colour } from '../../theme.ts';
import { axisWord, BYTE_STEPS, MS_STEPS, steadyTop, tickWord, TIME_STEPS } from './scale.ts';
import type { Line } from './chart-list.ts';

export interface PlotOptions {
  readonly unit: Unit;
  readonly rate: boolean;
  readonly stacked: boolean;
  readonly lines: readonly Line[];
  readonly width: number;
  readonly height: number;
  span(): Span;
  changes(): readonly Change[];
  onCursor(index: number | undefined, x: number | undefined): void;
  onRange(span: Span): void;
}

/** Room for the forms of the marks above the plot, in CSS pixels. */
const MARK_ROOM = 14;
const AXIS_WIDTH = 58;
/** Up to this span the axis writes seconds, which need more room. */
const SECONDS_MS = 240_000;

export function makePlot(place: HTMLElement, options: PlotOptions): uPlot {
  const top = steadyTop();
  const axis = { stroke: colour('ink-3'), font: `11px ${getComputedStyle(place).fontFamily}`, grid: { stroke: colour('grid'), width: 1 }, ticks: { show: false } };
  return new uPlot({
    width: options.width, height: options.height, ms: 1, legend: { show: false }, padding: [MARK_ROOM, 8, 0, 0],
    scales: { x: { time: true, range: () => [options.span().from, options.span().to] }, y: { range: (_u, _min, max) => [0, top(max ?? 0)] } },
    axes: [
      { ...axis, size: 24, gap: 4, space: (_u, _axis, from, to) => (to - from <= SECONDS_MS ? 84 : 56), incrs: TIME_STEPS, values: (_u, splits) => splits.map((at) => tickWord(at, (splits[1] ?? 0) - (splits[0] ?? 0))) },
      { ...axis, size: AXIS_WIDTH, gap: 4, space: 28, values: (_u, splits) => splits.map((v) => axisWord(options.unit, options.rate, v)), ...(options.unit === 'bytes' ? { incrs: BYTE_STEPS } : options.unit === 'ms' ? { incrs: MS_STEPS } : {}) },
    ],
    series: [{}, ...drawOrder(options.lines, options.stacked).map((line) => seriesOf(line, options.stacked))],
    cursor: { sync: { key: 'diag', setSeries: false }, y: false, points: { size: 6 }, drag: { x: true, y: false, setScale: false, dist: 5 } },
    hooks: {
      draw: [(u) => drawMarks(u, options.changes())],
      setCursor: [(u) => options.onCursor(u.cursor.idx ?? undefined, u.cursor.left === undefined || u.cursor.left < 0 ? undefined : u.cursor.left)],
      setSelect: [(u) => choose(u, options)],
    },
  }, dataOf([], options.lines, options.stacked), place);
}

function seriesOf(line: Line, stacked: boolean): uPlot.Series {
  const stroke = colour(line.token);
  if (stacked) return { stroke, fill: stroke, width: 0, paths: uPlot.paths.bars?.({ size: [0.9, 40], align: 1 }) ?? null, points: { show: false } } as uPlot.Series;
  return { stroke, width: 1.5, spanGaps: false, points: { show: true, size: 3, fill: stroke, width: 0, filter: lonely } };
}

/** Values with no neighbour on either side have no line to be seen by: only they are drawn as points. */
const lonely: uPlot.Series.Points.Filter = (u, seriesIdx) => {
  const values = u.data[seriesIdx] ?? [];
  const out: number[] = [];
  // undefined is a hole that the line crosses; beyond the ends there is nothing to be joined with.
  const apart = (i: number): boolean => i < 0 || i >= values.length || values[i] === null;
  for (let i = 0; i < values.length; i += 1) if (values[i] !== null && values[i] !== undefined && apart(i - 1) && apart(i + 1)) out.push(i);
  return out;
};

/** The lowest of a stack is drawn last, so that it stands in front of those that reach above it. */
export const drawOrder = (lines: readonly Line[], stacked: boolean): readonly Line[] => (stacked ? [...lines].reverse() : lines);

export function dataOf(at: readonly number[], lines: readonly Line[], stacked: boolean): uPlot.AlignedData {
  return [[...at], ...drawOrder(lines, stacked).map((l) => l.drawn)] as uPlot.AlignedData;
}

function choose(u: uPlot, options: PlotOptions): void {
  const { left, width } = u.select;
  if (width <= 0) return;
  const from = Math.round(u.posToVal(left, 'x'));
  const to = Math.round(u.posToVal(left + width, 'x'));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  if (to - from >= SHORTEST_MS) options.onRange({ from, to });
}

function drawMarks(u: uPlot, changes: readonly Change[]): void {
  const px = uPlot.pxRatio;
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  for (const change of changes) {
    const x = Math.round(u.valToPos(change.at, 'x', true)) + 0.5;
    if (x < left || x > left + width) continue;
    const tint = colour(markOf(change).token);
    if (isLine(change)) {
      u.ctx.strokeStyle = tint;
      u.ctx.globalAlpha = 0.7;
      u.ctx.lineWidth = px;
      u.ctx.setLineDash([3 * px, 3 * px]);
      u.ctx.beginPath(); u.ctx.moveTo(x, top); u.ctx.lineTo(x, top + height); u.ctx.stroke();
      u.ctx.setLineDash([]);
      u.ctx.globalAlpha = 1;
    }
    const edge = top - (MARK_ROOM - 2) * px;
    drawMark(u.ctx, change, tint, x, edge, edge, px);
  }
  u.ctx.restore();
}
