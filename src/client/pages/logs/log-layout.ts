// Owns the heights of the log's rows: how many screen lines each entry takes, where it lies, and which rows a scroll position shows.
import { visible } from '../../../shared/view.ts';
import { fieldLines } from './structured.ts';
import type { Row } from './tail-store.ts';

export const LINE_PX = 19;
const OVERSCAN_PX = 400;
/** A line longer than this is shown shortened until it is opened. */
export const LONG = 2_000;

const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g;
/** A log's text as it may be shown: terminal colours gone, control and direction signs made visible, tabs as spaces. */
export const shownText = (text: string): string => visible(text.replace(ANSI, '').replaceAll('\t', '    ').replace(/\r(?=\n|$)/g, ''));

export interface Shape { readonly expanded: ReadonlySet<string>; readonly wrap: boolean; readonly columns: number }
export const textOfRow = (row: Row): string => (row.notice ? row.notice.text : row.line ? shownText(withoutHead(row.line)) : '');

/** The line without the time and level at its beginning where both stand in columns of their own; whatever differs from them stays. */
export function withoutHead({ text, at, level }: { readonly text: string; readonly at?: number | undefined; readonly level: string }): string {
  const head = /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,3})?(?:Z|[+-]\d\d:?\d\d))\]?\s+/.exec(text);
  if (!head?.[1] || at === undefined || Date.parse(head[1].replace(' ', 'T').replace(',', '.')) !== at) return text;
  const rest = text.slice(head[0].length);
  const word = /^\[?([A-Za-z]{4,5})\]?:?\s+(?=\S)/.exec(rest);
  return word?.[1]?.toLowerCase() === level ? rest.slice(word[0].length) : rest;
}

/** The text shown for a row, and how many lines of the entry are folded away. */
export function displayed(row: Row, expanded: boolean): { readonly text: string; readonly folded: number } {
  const text = textOfRow(row).replace(/\n+$/, '');
  if (expanded) return { text, folded: 0 };
  const end = text.indexOf('\n');
  const first = end < 0 ? text : text.slice(0, end);
  const cut = first.length > LONG;
  return { text: cut ? `${first.slice(0, LONG)} …` : first, folded: (end < 0 ? 0 : text.split('\n').length - 1) + (cut && end < 0 ? 1 : 0) };
}

/** Screen lines of a row; exact for a mono face, corrected by measuring for signs of other width. */
export function linesOfRow(row: Row, shape: Shape): number {
  const expanded = shape.expanded.has(row.key);
  const { text, folded } = displayed(row, expanded);
  const fields = expanded && row.line ? fieldLines(row.line.text) : 0;
  if (!shape.wrap) return fields + text.split('\n').length;
  const tail = folded > 0 ? 16 : 0;
  return fields + text.split('\n').reduce((n, line, i, all) => n + Math.max(1, Math.ceil((line.length + (i === all.length - 1 ? tail : 0)) / Math.max(10, shape.columns))), 0);
}

export interface Layout { readonly tops: Float64Array; readonly total: number }

/** An entry that went on has another height. */
export const heightKey = (row: Row): string => (row.rev === undefined ? row.key : `${row.key}#${row.rev}`);

/** `measured` heights win over computed ones; computed ones are remembered in `known` while the shape stays. */
export function layoutOf(rows: readonly Row[], shape: Shape, measured: ReadonlyMap<string, number>, known: Map<string, number>): Layout {
  const tops = new Float64Array(rows.length + 1);
  if (known.size > rows.length * 4 + 1_000) known.clear();      // rows that left are forgotten
  rows.forEach((row, i) => {
    const key = heightKey(row);
    let height = measured.get(key) ?? known.get(key);
    if (height === undefined) { height = linesOfRow(row, shape) * LINE_PX; known.set(key, height); }
    tops[i + 1] = (tops[i] ?? 0) + height;
  });
  return { tops, total: tops[rows.length] ?? 0 };
}

/** First row whose end lies below `y`. */
export function rowAt(layout: Layout, y: number): number {
  let low = 0;
  let high = Math.max(0, layout.tops.length - 2);
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((layout.tops[middle + 1] ?? 0) <= y) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function window(layout: Layout, scrollTop: number, height: number, total: number): { readonly from: number; readonly to: number } {
  if (total === 0) return { from: 0, to: 0 };
  return { from: rowAt(layout, scrollTop - OVERSCAN_PX), to: Math.min(total, rowAt(layout, scrollTop + height + OVERSCAN_PX) + 1) };
}
