// Owns the small parts a report is drawn from: instants, cells, tables and the five kinds of evidence.
import type { z } from 'zod';
import type { ArtifactRef, Evidence, Severity } from './model.ts';
import type { Cell, Column } from './model.ts';
import { metric } from './metrics.ts';
import { bytes, count, duration, percent, plural, quantity } from './units.ts';
import { el } from './view.ts';
import type { Element, View } from './view.ts';

type CellValue = z.infer<typeof Cell>;
type ColumnOf = z.infer<typeof Column>;
type TimeForm = 'time' | 'fine' | 'day' | 'full' | 'minute' | 'date';

/** What all parts of one report share: whether its window is long enough that a time needs its day. */
export interface Drawing { readonly days: boolean }

export const SEVERITY_WORDS: Readonly<Record<Severity, string>> = { critical: 'Critical', warning: 'Warning', info: 'Info', good: 'Good', 'cannot-tell': 'Cannot tell' };

/** An instant in UTC; `data-at` and `data-form` let a page show it in local time. */
export function instant(at: number, form: TimeForm): Element {
  const iso = new Date(at).toISOString();
  return el('time', { datetime: iso, 'data-at': at, 'data-form': form, title: `${iso.replace('T', ' ').replace('Z', '')} UTC` }, utcForm(at, form));
}

/** The text of an instant in UTC: "02:14:07", with ms, with its day, or short for an axis. */
export function utcForm(at: number, form: TimeForm): string {
  const iso = new Date(at).toISOString();
  if (form === 'minute') return iso.slice(11, 16);
  if (form === 'date') return iso.slice(5, 10);
  if (form === 'fine') return iso.slice(11, 23);
  if (form === 'day') return `${iso.slice(5, 10)} ${iso.slice(11, 19)}`;
  if (form === 'full') return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
  return iso.slice(11, 19);
}

/** A time as tables show it: with its day where the window is long. */
export function tableTime(at: number, on: Drawing): Element {
  return instant(at, on.days ? 'day' : 'time');
}

export function severityTag(severity: Severity): Element {
  return el('span', { class: `tag ${severity}` }, SEVERITY_WORDS[severity]);
}

/** A card with its title; `note` stands small beside it. */
export function card(title: string, note: string | undefined, attrs: { readonly id?: string; readonly class?: string }, ...children: readonly View[]): Element {
  return el('section', { class: `card${attrs.class ? ` ${attrs.class}` : ''}`, id: attrs.id },
    el('h2', {}, title, note !== undefined && el('small', {}, note)), children);
}

/** Text with `code` in backticks and line breaks kept; everything else stays text. */
export function prose(text: string): View[] {
  const parts = text.split('`');
  if (parts.length % 2 === 0) return [text];                   // an odd tick is a sign of the text itself
  return parts.map((part, i) => (i % 2 === 1 ? el('code', {}, part) : part)).filter((part) => part !== '');
}

export function paragraphs(text: string): Element[] {
  return text.split(/\n+/).filter((line) => line.trim() !== '').map((line) => el('p', {}, prose(line)));
}

/** Advice is plain lines, "Stop it now: swap back": the label before the colon, when there is one. */
export function adviceSteps(advice: string): { readonly label?: string; readonly text: string }[] {
  return advice.split('\n').map((line) => line.trim()).filter((line) => line !== '').map((line) => {
    const match = /^([A-Z][A-Za-z ]{2,28}): (.+)$/.exec(line);
    return match ? { label: match[1] as string, text: sentence(match[2] as string) } : { text: line };
  });
}

/** What stood after a colon stands alone now. */
function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** A table that scrolls inside its own box when the page is narrow. */
export function table(columns: readonly ColumnOf[], rows: readonly (readonly (CellValue | View)[])[], on: Drawing, caption: string): Element {
  const head = columns.map((c) => el('th', { scope: 'col', class: isNumber(c.unit) ? 'num' : undefined }, c.title));
  const body = rows.map((row) => el('tr', {}, columns.map((c, i) => drawCell(row[i] ?? null, c.unit, on))));
  return el('div', { class: 'scroll', role: 'group', 'aria-label': caption, tabindex: 0 },
    el('table', { class: rows.length > 1 ? 'sortable' : undefined }, el('thead', {}, el('tr', {}, head)), el('tbody', {}, body)));
}

function isNumber(unit: ColumnOf['unit']): boolean {
  return unit === 'count' || unit === 'ms' || unit === 'bytes' || unit === 'percent';
}

function drawCell(value: CellValue | View, unit: ColumnOf['unit'], on: Drawing): Element {
  const attrs = { class: isNumber(unit) ? 'num' : unit === 'at' ? 'at' : undefined, 'data-sort': typeof value === 'number' ? value : undefined };
  if (value === null) return el('td', { ...attrs, class: `${attrs.class ?? ''} none`.trim() }, '–');
  if (typeof value === 'object') return el('td', attrs, value);
  if (typeof value === 'string') {
    if (value.includes('\n')) return el('td', attrs, el('pre', {}, value));
    return el('td', attrs, unit === 'code' ? el('code', {}, value) : value);
  }
  return el('td', attrs, unit === 'at' ? tableTime(value, on) : number(value, unit));
}

function number(value: number, unit: ColumnOf['unit']): string {
  if (unit === 'ms') return duration(value);
  if (unit === 'bytes') return bytes(value);
  if (unit === 'percent') return percent(value);
  return count(value);
}

/** Tables of so few columns stand beside each other where there is room. */
const HALF_COLUMNS = 4;

/** One piece of evidence; the five kinds and no others. */
export function evidence(piece: Evidence, on: Drawing): Element {
  switch (piece.kind) {
    case 'table': return piece.drawn === 'flame' ? flame(piece, on) : piece.drawn === 'chain' ? chain(piece.rows, piece.title, on) : el('figure', { class: piece.columns.length <= HALF_COLUMNS ? 'half' : undefined }, caption(piece.title),
      table(piece.columns, piece.rows, on, piece.title ?? 'Table'), more(piece.more));
    case 'series': return spark(piece);
    case 'stack': return el('figure', {}, caption(piece.title, piece.share === undefined ? undefined : percent(piece.share * 100)), stack(piece.frames));
    case 'lines': return el('figure', {}, caption(piece.title), el('ol', { class: 'lines' }, piece.lines.map((line) => el('li', { class: line.level },
      el('span', { class: 'at' }, line.at === undefined ? '' : tableTime(line.at, on)), el('span', { class: 'level' }, line.level), el('pre', {}, line.text)))), more(piece.more));
    case 'artifact': return el('figure', {}, artifact(piece.ref));
  }
}

/** A flame graph: its table folded away, and a place where a page that can draws it from that table. */
function flame(piece: Extract<Evidence, { kind: 'table' }>, on: Drawing): Element {
  return el('figure', { class: 'flame' }, caption(piece.title), el('div', { class: 'flame-drawn' }),
    el('details', {}, el('summary', {}, `${piece.title ?? 'Flame graph'} as a table`), table(piece.columns, piece.rows, on, piece.title ?? 'Flame graph'), more(piece.more)));
}

function caption(title: string | undefined, note?: string): Element | undefined {
  return title === undefined ? undefined : el('figcaption', {}, title, note !== undefined && el('small', {}, ` ${note}`));
}

function more(n: number | undefined): Element | undefined {
  return n === undefined || n === 0 ? undefined : el('p', { class: 'more' }, `and ${count(n)} more`);
}

/** A stack; frames of the app's own code stand out, and not by colour alone. */
export function stack(frames: readonly { readonly text: string; readonly ours?: boolean | undefined }[]): Element {
  return el('pre', { class: 'stack', tabindex: 0, role: 'group', 'aria-label': 'Stack' }, frames.flatMap((frame, i) => [el(frame.ours ? 'b' : 'span', {}, frame.text), i < frames.length - 1 ? '\n' : undefined]));
}

/** What happened in order: rows of [when, what, detail]; text of several lines is shown as it stands in the log. */
export function chain(rows: readonly (readonly CellValue[])[], title: string | undefined, on: Drawing): Element {
  return el('ol', { class: 'chain', 'aria-label': title ?? 'What happened in order' }, rows.map(([when, what, detail, mark]) => el('li', { class: mark === 'root' || mark === 'effect' ? mark : undefined },
    el('span', { class: 'when' }, typeof when === 'number' ? instant(when, on.days ? 'day' : when % 1000 === 0 ? 'time' : 'fine') : (when ?? '')),
    el('span', { class: 'rail', 'aria-hidden': 'true' }),
    el('div', {}, el('h3', {}, prose(String(what ?? ''))), detailOf(detail)))));
}

function detailOf(detail: CellValue | undefined): Element | undefined {
  if (detail === null || detail === undefined || detail === '') return undefined;
  const text = String(detail);
  return text.includes('\n') ? el('pre', {}, text) : el('p', {}, prose(text));
}

const SPARK_HEIGHT = 40;
/** A series as a line from zero, gaps left open, with its range in words. */
function spark({ metric: id, title, points }: Extract<Evidence, { kind: 'series' }>): Element {
  const row = metric(id);
  const name = title ?? row.title;
  const values = points.flatMap(([, v]) => (v === null ? [] : [v]));
  const from = points[0]?.[0];
  const to = points.at(-1)?.[0];
  if (values.length === 0 || from === undefined || to === undefined) return el('figure', {}, caption(name, 'nothing was measured'));
  const top = Math.max(...values);
  const says = `from ${quantity(Math.min(...values), row.unit)} to ${quantity(top, row.unit)}, ${plural(values.length, 'point')}`;
  return el('figure', {}, caption(name, says),
    el('svg', { class: 'spark', width: '100%', height: SPARK_HEIGHT, viewBox: `0 0 1000 ${SPARK_HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': `${name}: ${says}` },
      el('path', { class: `line ${id === 'http.5xx' ? 'bad' : 's1'}`, d: linePath(points, { from, to, top, height: SPARK_HEIGHT }) })),
    el('p', { class: 'ends' }, instant(from, 'full'), instant(to, 'full')));
}

/** The path of a line in a box 1000 wide: y from zero to `top`; a null lifts the pen, a lone point becomes a dot. */
export function linePath(points: readonly (readonly [number, number | null])[], box: { readonly from: number; readonly to: number; readonly top: number; readonly height: number }): string {
  const span = Math.max(1, box.to - box.from);
  let d = '';
  let down = false;
  for (const [at, value] of points) {
    if (value === null) { down = false; continue; }
    const x = Math.round(((at - box.from) / span) * 10_000) / 10;
    const y = Math.round((box.height - 1 - (box.top > 0 ? value / box.top : 0) * (box.height - 3)) * 10) / 10;
    d += down ? `L${x},${y}` : `M${x},${y}h0`;
    down = true;
  }
  return d;
}

export function artifact(ref: ArtifactRef): Element {
  return el('span', { class: 'artifact', 'data-artifact': ref.name, 'data-instance': ref.instance }, el('code', {}, ref.name), ` ${bytes(ref.bytes)}`);
}
