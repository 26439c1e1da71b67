// Owns tables that may be long: only visible rows exist, sticky head, sorting, columns to choose, keyboard rows, CSV.
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { plural } from '../../shared/units.ts';
import { onCommand } from '../keys.ts';
import { keep, readKept } from '../theme.ts';
import { Icon } from './icons.tsx';
import { Menu } from './menu.tsx';
import { canCopy, copy, csv, fileName, saveFile } from './save.ts';
import { useSize } from './use-width.ts';

export interface TableColumn<T> {
  readonly id: string;
  readonly title: string;
  /** A grid track: "84px", "minmax(0,2fr)". */
  readonly width: string;
  readonly num?: boolean;
  /** Left out where the table is narrow. */
  readonly wide?: boolean;
  /** Not shown until chosen. */
  readonly extra?: boolean;
  cell(row: T): ComponentChildren;
  /** What CSV and sorting read. */
  value(row: T): string | number | undefined;
}
interface TableProps<T> {
  id: string; label: string; columns: readonly TableColumn<T>[]; rows: readonly T[]; keyOf: (row: T) => string;
  onOpen?: (row: T) => void; onHold?: (hold: boolean) => void; sortable?: boolean; rowClass?: (row: T) => string; tools?: ComponentChildren; fill?: boolean;
  /** A small table beside others: its export is one button. */
  small?: boolean;
}

export const ROW_PX = 30;
const OVERSCAN = 8;
/** Narrower than this, columns marked `wide` are left out. */
const NARROW_PX = 640;

/** Sorted copy; what has no value stays at the end in both directions. */
export function sortRows<T>(rows: readonly T[], by: { readonly value: (row: T) => string | number | undefined; readonly down: boolean } | undefined): readonly T[] {
  if (!by) return rows;
  return rows.map((row, i) => ({ row, i, v: by.value(row) })).sort((a, b) => {
    if (a.v === undefined || b.v === undefined) return a.v === b.v ? a.i - b.i : a.v === undefined ? 1 : -1;
    const order = a.v < b.v ? -1 : a.v > b.v ? 1 : 0;
    return order === 0 ? a.i - b.i : by.down ? -order : order;
  }).map((x) => x.row);
}

/** First and last row that exist for a scroll position. */
export function visibleRows(scrollTop: number, height: number, total: number, rowPx = ROW_PX): { readonly from: number; readonly to: number } {
  const from = Math.max(0, Math.floor(scrollTop / rowPx) - OVERSCAN);
  return { from, to: Math.min(total, Math.ceil((scrollTop + Math.max(height, rowPx)) / rowPx) + OVERSCAN) };
}

export function VirtualTable<T>({ id, label, columns, rows, keyOf, onOpen, onHold, sortable = true, rowClass, tools, fill, small }: TableProps<T>) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const [top, setTop] = useState(0);
  const [sort, setSort] = useState<{ id: string; down: boolean }>();
  const [active, setActive] = useState<string>();
  const [hidden, setHidden] = useHidden(id, columns);
  const shownColumns = columns.filter((c) => !hidden.has(c.id) && (width === 0 || width >= NARROW_PX || !c.wide));
  const by = columns.find((c) => c.id === sort?.id);
  const sorted = useMemo(() => sortRows(rows, by && sort ? { value: by.value, down: sort.down } : undefined), [rows, sort]);
  const { from, to } = visibleRows(top, height, sorted.length);
  const grid = { gridTemplateColumns: shownColumns.map((c) => c.width).join(' ') };
  useRowKeys(box, sorted, keyOf, active, setActive, onOpen);
  const saveAll = (): string => csv([shownColumns.map((c) => c.title), ...sorted.map((r) => shownColumns.map((c) => c.value(r)))]);
  const copyAll = (): void => { copy(saveAll()).catch(() => undefined); };
  const save = (): void => saveFile(fileName(label, 'csv'), new Blob([saveAll()], { type: 'text/csv' }));
  return (
    <div class={`vt ${fill ? 'fill' : ''} ${small ? 'small' : ''} ${tools === undefined ? 'bare' : ''}`}>
      {small ? <div class="vt-tools"><Menu class="chart-menu" label={`Export ${label}`} button={<Icon name="download" />} chosen={undefined} choices={[...(canCopy() ? [{ word: 'copy', title: 'Copy as CSV' }] : []), { word: 'save', title: 'Save as CSV' }]} onChoose={(word) => (word === 'copy' ? copyAll() : save())} /></div> : <div class="vt-tools">{tools}<span class="grow" />
        <span class="vt-count">{plural(rows.length, 'row')}</span>
        <details class="vt-columns"><summary class="quiet">Columns</summary><div class="menu-list">{columns.map((c) => <label key={c.id}><input type="checkbox" checked={!hidden.has(c.id)} onChange={() => setHidden(c.id)} />{c.title}</label>)}</div></details>
        {canCopy() ? <button type="button" class="quiet opt" onClick={copyAll}>Copy CSV</button> : undefined}
        <button type="button" class="quiet opt" onClick={save}>Save CSV</button>
      </div>}
      <div class="vt-box" ref={box} tabIndex={0} role="table" aria-label={label} aria-rowcount={sorted.length + 1} onScroll={(e) => setTop(e.currentTarget.scrollTop)}
        onPointerMove={(e) => onHold?.(top < ROW_PX && e.clientY - e.currentTarget.getBoundingClientRect().top < ROW_PX * 8)} onPointerLeave={() => onHold?.(false)}>
        <div role="rowgroup" class="vt-head"><div role="row" class="vt-row" style={grid} aria-rowindex={1}>
          {shownColumns.map((c) => <div key={c.id} role="columnheader" class={c.num ? 'num' : ''} aria-sort={sort?.id === c.id ? (sort.down ? 'descending' : 'ascending') : undefined}>
            {sortable ? <button type="button" onClick={() => setSort(nextSort(sort, c.id, c.num === true))}>{c.title}{sort?.id === c.id ? (sort.down ? ' ↓' : ' ↑') : ''}</button> : c.title}
          </div>)}
        </div></div>
        <div role="rowgroup" class="vt-body" style={{ height: `${sorted.length * ROW_PX}px` }}>
          {sorted.slice(from, to).map((row, i) => {
            const key = keyOf(row);
            return <div key={key} role="row" class={`vt-row ${key === active ? 'active' : ''} ${onOpen ? 'opens' : ''} ${rowClass?.(row) ?? ''}`} aria-rowindex={from + i + 2} style={{ ...grid, transform: `translateY(${(from + i) * ROW_PX}px)` }} onClick={onOpen ? (e) => { if (!e.defaultPrevented && !String(getSelection() ?? '')) { setActive(key); onOpen(row); } } : undefined}>
              {shownColumns.map((c) => <div key={c.id} role="cell" class={c.num ? 'num' : ''}>{c.cell(row)}</div>)}
            </div>;
          })}
        </div>
      </div>
    </div>
  );
}

/** Ascending, descending (the other way round for numbers), then the order it came in. */
function nextSort(was: { id: string; down: boolean } | undefined, id: string, num: boolean): { id: string; down: boolean } | undefined {
  if (was?.id !== id) return { id, down: num };
  return was.down === num ? { id, down: !num } : undefined;
}

function useHidden<T>(id: string, columns: readonly TableColumn<T>[]): [ReadonlySet<string>, (column: string) => void] {
  const key = `diag-columns-${id}`;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(() => new Set(readKept(key)?.split(',') ?? columns.filter((c) => c.extra).map((c) => c.id)));
  return [hidden, (column) => {
    const next = new Set(hidden);
    if (!next.delete(column)) next.add(column);
    if (columns.every((c) => next.has(c.id))) return;
    keep(key, [...next].join());
    setHidden(next);
  }];
}

/** Of several tables on a page the keys are for the one with the focus, else for the first. */
function isChosen(box: HTMLElement | null): boolean {
  const focused = document.activeElement?.closest('.vt-box');
  return (focused ?? document.querySelector('.vt-box')) === box;
}

/** j and k move, enter opens; the row is scrolled into view and said by aria. */
function useRowKeys<T>(box: RefObject<HTMLDivElement | null>, rows: readonly T[], keyOf: (row: T) => string, active: string | undefined, setActive: (key: string) => void, onOpen: ((row: T) => void) | undefined): void {
  const state = useRef({ rows, active });
  state.current = { rows, active };
  useEffect(() => onCommand((command) => {
    const { rows: all, active: was } = state.current;
    if (!isChosen(box.current)) return false;
    if (command !== 'next' && command !== 'previous' && command !== 'open') return false;
    const at = all.findIndex((r) => keyOf(r) === was);
    if (command === 'open') {
      const row = all[at];
      if (row && onOpen) onOpen(row);
      return row !== undefined && onOpen !== undefined;
    }
    const to = Math.max(0, Math.min(all.length - 1, command === 'next' ? at + 1 : at - 1));
    const row = all[to];
    if (!row) return false;
    setActive(keyOf(row));
    const element = box.current;
    if (element) {
      const y = to * ROW_PX;
      if (y < element.scrollTop) element.scrollTop = y;
      else if (y + ROW_PX * 2 > element.scrollTop + element.clientHeight) element.scrollTop = y + ROW_PX * 2 - element.clientHeight;
    }
    return true;
  }), []);
}
