// Owns the scrolling list of log rows: virtual, pinned to the newest until the reader scrolls away, anchored when rows come or go.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useSize } from '../../parts/use-width.ts';
import { heightKey, layoutOf, LINE_PX, rowAt, window as windowOf, type Layout } from './log-layout.ts';
import { LogRow } from './log-row.tsx';
import type { Row } from './tail-store.ts';
import type { Tail } from './use-tail.ts';

interface LogViewProps { tail: Tail; names: ReadonlyMap<string, string>; wrap: boolean; wanted: number | undefined; wantedRow: number | undefined; paused: boolean; onHold: (hold: boolean) => void; find: RegExp | undefined }
/** Nearer to an end than this counts as being there. */
const EDGE_PX = 24;
/** Rows that scrolling up reads before the top is reached. */
const AHEAD_PX = 300;
/** Height of the newest rows over which the pointer holds the list. */
const HOLD_PX = LINE_PX * 6;

export function LogView({ tail, names, wrap, wanted, wantedRow, paused, onHold, find }: LogViewProps) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const [top, setTop] = useState(0);
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(new Set());
  const [measuredAt, setMeasuredAt] = useState(0);
  const pinned = useRef(wanted === undefined);
  const anchor = useRef<{ key: string; by: number } | undefined>(undefined);
  const merged = names.size > 1;
  const narrow = width > 0 && width < 640;
  const ch = useCharWidth(box);
  const columns = Math.floor((width - 24 - (narrow ? 66 : 100 + 64 + (merged ? 150 : 0))) / ch);
  const shape = useMemo(() => ({ expanded, wrap, columns }), [expanded, wrap, columns]);
  const known = useMemo(() => new Map<string, number>(), [shape, tail.store]);
  const measured = useMemo(() => new Map<string, number>(), [shape, tail.store]);
  const rows = tail.store.rows;
  const layout = useMemo(() => layoutOf(rows, shape, measured, known), [rows, rows.length, tail.version, shape, measuredAt, tail.store]);
  const { from, to } = windowOf(layout, top, height, rows.length);
  const longest = useMemo(() => (wrap ? 0 : rows.slice(from, to).reduce((n, r) => Math.max(n, (r.line ?? r.notice)?.text.length ?? 0), 0)), [wrap, from, to, tail.version]);

  const chosen = useMemo(() => wantedAt(rows, wanted, wantedRow), [rows, rows.length, tail.version, wanted, wantedRow]);

  useEffect(() => { pinned.current = wanted === undefined; anchor.current = undefined; }, [tail.store, wanted, wantedRow]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || height === 0) return;
    if (pinned.current) element.scrollTop = layout.total;
    else if (anchor.current) {
      const at = rows.findIndex((r) => r.key === anchor.current?.key);
      if (at >= 0) element.scrollTop = (layout.tops[at] ?? 0) + anchor.current.by;
    } else if (wanted !== undefined && rows.length > 0) {
      const at = wantedAt(rows, wanted, wantedRow);
      if (at >= 0) { element.scrollTop = Math.max(0, (layout.tops[at] ?? 0) - height / 3); remember(element, layout, rows, anchor); }
    }
    setTop(element.scrollTop);
  }, [layout, height, wanted, wantedRow]);
  useLayoutEffect(() => { if (wrap && box.current && measure(box.current, layout, rows, from, to, measured)) setMeasuredAt((n) => n + 1); });

  const readAhead = (element: HTMLElement): void => { if (!tail.atStart && rows.length > 0) tail.older(rowAt(layout, Math.max(0, element.scrollTop - AHEAD_PX))); };
  // A batch of older lines may still leave another file short of what is in view.
  useEffect(() => { if (box.current && !pinned.current && height > 0) readAhead(box.current); }, [layout]);
  const scroll = (): void => {
    const element = box.current;
    if (!element) return;
    const bottom = element.scrollTop + element.clientHeight >= element.scrollHeight - EDGE_PX;
    pinned.current = wanted === undefined && bottom;
    remember(element, layout, rows, anchor);
    setTop(element.scrollTop);
    readAhead(element);
    if (bottom) tail.newer();
  };
  const toggle = (key: string): void => {
    const next = new Set(expanded);
    if (!next.delete(key)) next.add(key);
    pinned.current = false;
    if (box.current) remember(box.current, layout, rows, anchor);
    setExpanded(next);
  };
  const toNewest = (): void => { pinned.current = true; if (box.current) box.current.scrollTop = layout.total; };
  const away = !pinned.current && wanted === undefined && height > 0 && top + height < layout.total - EDGE_PX;
  return (
    <div class="log-place">
      <div class={`log-box ${wrap ? 'wrap' : ''} ${merged ? 'merged' : ''} ${narrow ? 'narrow' : ''}`} ref={box} role="log" aria-label="Log entries" aria-live="off" tabIndex={0} onScroll={scroll}
        onPointerMove={(e) => onHold(pinned.current && e.currentTarget.getBoundingClientRect().bottom - e.clientY < HOLD_PX)} onPointerLeave={() => onHold(false)}>
        <div class="log-in" style={{ height: `${layout.total}px`, minWidth: longest > 0 ? `calc(${Math.min(longest, 2_000)}ch + ${merged ? 330 : 180}px)` : '100%' }}>
          {rows.slice(from, to).map((row, i) => <LogRow key={row.key} row={row} top={layout.tops[from + i] ?? 0} name={merged ? names.get(row.source) : undefined} expanded={expanded.has(row.key)} onToggle={toggle} find={find} wanted={from + i === chosen} short={narrow} />)}
        </div>
      </div>
      {away ? <button type="button" class="to-newest" onClick={toNewest}>{paused ? 'To the newest shown' : 'To the newest'} ↓</button> : undefined}
    </div>
  );
}

/** The row looked for: by its place, or the first from the instant on. */
function wantedAt(rows: readonly Row[], wanted: number | undefined, offset: number | undefined): number {
  if (wanted === undefined) return -1;
  const exact = offset === undefined ? -1 : rows.findIndex((r) => r.line?.offset === offset);
  return exact >= 0 ? exact : rows.findIndex((r) => (r.at ?? 0) >= wanted);
}

/** Which row is on top and by how much, so that it stays there whatever happens above it. */
function remember(element: HTMLElement, layout: Layout, rows: readonly Row[], anchor: { current: { key: string; by: number } | undefined }): void {
  const at = rowAt(layout, element.scrollTop);
  const row = rows[at];
  anchor.current = row ? { key: row.key, by: element.scrollTop - (layout.tops[at] ?? 0) } : undefined;
}

/** Takes the true heights of wrapped rows where they differ from the computed ones. */
function measure(element: HTMLElement, layout: Layout, rows: readonly Row[], from: number, to: number, measured: Map<string, number>): boolean {
  let changed = false;
  const byKey = new Map(rows.slice(from, to).map((r, i) => [r.key, from + i]));
  if (measured.size > rows.length * 4 + 1_000) measured.clear();  // rows that left are forgotten
  for (const child of element.querySelectorAll<HTMLElement>('.entry')) {
    const at = byKey.get(child.dataset['key'] ?? '');
    if (at === undefined) continue;
    const row = rows[at] as Row;
    const height = child.offsetHeight;
    if (height > 0 && height !== (layout.tops[at + 1] ?? 0) - (layout.tops[at] ?? 0)) { measured.set(heightKey(row), height); changed = true; }
  }
  return changed;
}

function useCharWidth(box: { readonly current: HTMLElement | null }): number {
  const [ch, setCh] = useState(7.5);
  useEffect(() => {
    const pen = document.createElement('canvas').getContext('2d');
    if (!pen || !box.current) return;
    pen.font = getComputedStyle(box.current).font;
    setCh(pen.measureText('0'.repeat(100)).width / 100 || 7.5);
  }, []);
  return ch;
}
