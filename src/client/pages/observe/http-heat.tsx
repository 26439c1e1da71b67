// Owns the heat map of failures: status × route by time, every cell a link to its rows, walked with the arrow keys, a table for screen readers.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { gridOf, idOf, linesOf, type Grid, type HeatCell, type HeatLine } from '../../../shared/http-heat.ts';
import type { HttpReport } from '../../../shared/http-report.ts';
import { burstsOf, keyWord, shortCount, type Burst } from '../../../shared/http-words.ts';
import { count, duration, plural } from '../../../shared/units.ts';
import { ticksOf } from '../../parts/strip-layout.ts';
import { useWidth } from '../../parts/use-width.ts';
import { SHORTEST_MS } from '../../range.ts';
import { addressOf, follow, Link, setRange } from '../../router.tsx';
import { keep, readKept } from '../../theme.ts';
import { dayTime, time } from '../../words.ts';
import { neighbour, type Place } from './http-heat-walk.ts';
import { route, status, type RowsOf } from './http-links.ts';
import { tickWord } from './scale.ts';

interface HeatProps { report: HttpReport; fresh: ReadonlySet<string> | undefined; reasons: ReadonlyMap<string, string>; to: RowsOf }
/** Narrower than this a row has two lines: what failed, then when. */
const NARROW_PX = 760;
const LEAST_CELL_PX = 34;
const LEAST_CELL_NARROW_PX = 26;
/** Rows before the reader asks for all of them. */
const SHOWN = 20;
const DAYS_MS = 43_200_000;
const KEPT_ROWS = 'diag-heat-rows';
const USUAL_ROWS = 7;
/** Rows, the lane above them and the axis below, in pixels as the style has them. */
const heightOf = (rows: number, narrow: boolean): number => 46 + (narrow ? 54 : 28) * rows;
const FOOT_PX = 46;
/** How tall the map will be, as far as the last one tells. */
export const expectedHeight = (narrow: boolean): number => FOOT_PX + heightOf(Number(readKept(KEPT_ROWS)) || USUAL_ROWS, narrow);
export const isNarrow = (): boolean => innerWidth < NARROW_PX + 80;

export function Heat({ report, fresh, reasons, to }: HeatProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const narrow = width > 0 && width < NARROW_PX;
  const labelPx = narrow ? 0 : Math.round(Math.min(520, Math.max(300, width * 0.3)));
  const trackPx = Math.max(0, width - labelPx);
  const { heat } = report;
  const bursts = useMemo(() => burstsOf(report), [report]);
  const grid = gridOf(heat, Math.floor(trackPx / (narrow ? LEAST_CELL_NARROW_PX : LEAST_CELL_PX)));
  const all = useMemo(() => (width === 0 ? [] : linesOf(heat, grid, fresh)), [heat, grid.fold, grid.columns, fresh, width === 0]);
  const [open, setOpen] = useState(false);
  const lines = open ? all : all.slice(0, SHOWN);
  useEffect(() => { if (all.length > 0) keep(KEPT_ROWS, String(Math.min(SHOWN, all.length))); }, [all.length]);
  const walk = useWalk(box, lines);
  const px = (at: number): number => ((at - heat.from) / (grid.columns * grid.stepMs)) * trackPx;
  const drag = useDrag(labelPx, (x) => heat.from + (x / Math.max(1, trackPx)) * grid.columns * grid.stepMs);
  return <>
    <div class={`heat ${narrow ? 'narrow' : ''}`} ref={box} role="group" aria-label="Failures by status, route and time; arrow keys walk through the cells, enter opens the rows" {...walk.handlers} style={{ '--label': `${labelPx}px`, ...(width === 0 ? { minHeight: `${heightOf(Math.min(SHOWN, heat.rows.length), isNarrow())}px` } : {}) }}>
      <div class="heat-lane" {...drag.handlers}>{marksOf(bursts, px, trackPx).map(({ burst, n, x }) => <BurstMark key={n} burst={burst} n={n} left={labelPx + x} />)}</div>
      <div class="heat-bands" aria-hidden="true">{bursts.map((b) => <i key={b.from} style={{ left: `${labelPx + px(b.from)}px`, width: `${Math.max(2, px(b.to) - px(b.from))}px` }} />)}</div>
      {lines.map((line, n) => <Row key={line.id} line={line} n={n} grid={grid} trackPx={trackPx} reason={reasons.get(line.row.key)} to={to} walk={walk} />)}
      <div class="heat-axis" aria-hidden="true" hidden={width === 0} {...drag.handlers}>{width === 0 ? undefined : ticksOf({ from: heat.from, to: heat.from + grid.columns * grid.stepMs, width: trackPx + 38, height: 0 }, narrow ? 90 : 110).map((at, _i, ticks) => <span key={at} style={{ left: `${labelPx + Math.min(trackPx - 24, Math.max(16, px(at)))}px` }}>{tickWord(at, (ticks[1] ?? 0) - (ticks[0] ?? 0))}</span>)}</div>
      {drag.shown === undefined ? undefined : <div class="drag" style={{ left: `${drag.shown.left}px`, width: `${drag.shown.width}px`, top: 0, bottom: 0 }} />}
      {walk.told === undefined ? undefined : <Tip told={walk.told} grid={grid} labelPx={labelPx} trackPx={trackPx} reasons={reasons} />}
    </div>
    <p class="heat-foot">{all.length > SHOWN ? <button type="button" class="link" onClick={() => setOpen(!open)}>{open ? `Show the ${SHOWN} largest` : `Show all ${count(all.length)} rows`}</button> : undefined}
      <span>A column is {duration(grid.stepMs)}.{heat.more === 0 ? '' : ` ${heat.otherFailures === undefined ? '' : `${plural(heat.otherFailures, 'failure')} of `}${heat.more === undefined ? 'more kinds than are told apart' : plural(heat.more, 'more kind')} are not shown: narrow the range or the filter.`}</span><Scale /></p>
    <Spoken lines={all} grid={grid} fresh={fresh} />
  </>;
}

type Walk = ReturnType<typeof useWalk>;
interface Told { readonly line: HeatLine; readonly cell: HeatCell; readonly n: number }

/** One cell is in the order of the tab key; arrows move it. The pointer or the focus says which one is told. */
function useWalk(box: { readonly current: HTMLDivElement | null }, lines: readonly HeatLine[]) {
  const [active, setActive] = useState<{ id: string; from: number }>();
  const [told, setTold] = useState<{ id: string; column: number }>();
  const line = Math.max(0, lines.findIndex((l) => l.id === active?.id));
  const cells = lines[line]?.cells ?? [];
  const cell = cells.find((c) => active !== undefined && active.from >= c.from && active.from < c.to) ?? cells[0];
  const at: Place | undefined = cell === undefined ? undefined : { line, column: cell.column };
  const select = (place: Place): void => {
    const chosen = lines[place.line];
    const found = chosen?.cells.find((c) => c.column === place.column);
    if (chosen && found) { setActive({ id: chosen.id, from: found.from }); setTold({ id: chosen.id, column: found.column }); }
  };
  const key = (event: KeyboardEvent): void => {
    if (at === undefined || !(event.target as HTMLElement).classList.contains('cell')) return;
    const next = neighbour(lines, at, event.key);
    if (next === undefined) return;
    event.preventDefault();
    select(next);
    box.current?.querySelector<HTMLElement>(`[data-cell="${next.line}-${next.column}"]`)?.focus();
  };
  const n = lines.findIndex((l) => l.id === told?.id);
  const toldCell = lines[n]?.cells.find((c) => c.column === told?.column);
  return {
    at, select, tell: (id: string, column: number) => setTold({ id, column }),
    told: toldCell === undefined ? undefined : { line: lines[n] as HeatLine, cell: toldCell, n } satisfies Told,
    handlers: { onKeyDown: key, onPointerLeave: () => setTold(undefined), onFocusOut: () => setTold(undefined) },
  };
}

interface RowProps { line: HeatLine; n: number; grid: Grid; trackPx: number; reason: string | undefined; to: RowsOf; walk: Walk }
function Row({ line, n, grid, trackPx, reason, to, walk }: RowProps) {
  const { row } = line;
  const terms = [...status(row.key), ...route(row)];
  const cellPx = trackPx / Math.max(1, grid.columns);
  return (
    <div class="heat-row">
      <Link to={to(terms)} class="heat-name" title={`${keyWord(row.key)} ${reason ?? ''}\n${row.method} ${row.route}`}>
        <b class="code bad">{keyWord(row.key)}</b><span>{row.method} {row.route}</span>{line.isNew ? <em class="new">new</em> : undefined}<b class="num">{count(row.count)}<span class="sr"> failures, all of them</span></b>
      </Link>
      <div class="heat-track">{line.cells.map((c) => {
        const view = to(terms, { from: c.from, to: c.to - 1 });
        return <a key={c.column} class={`cell h${c.shade}`} href={addressOf(view)} data-cell={`${n}-${c.column}`} tabIndex={walk.at?.line === n && walk.at.column === c.column ? 0 : -1} aria-label={cellWords(line, c)}
          style={{ left: `${c.column * cellPx}px`, width: `${cellPx - 1}px` }} onClick={(e) => follow(e, view)} onPointerEnter={() => walk.tell(line.id, c.column)} onFocus={() => walk.select({ line: n, column: c.column })}>{shortCount(c.count)}</a>;
      })}</div>
    </div>
  );
}

const form = (grid: Grid): ((at: number) => string) => (grid.stepMs * grid.columns > DAYS_MS ? dayTime : time);
const cellWords = (line: HeatLine, c: HeatCell): string => `${c.count < 1_000 ? c.count : `${shortCount(c.count)}, ${count(c.count)}`} × ${keyWord(line.row.key)}, ${line.row.method} ${line.row.route}, ${dayTime(c.from)} to ${time(c.to)}`;

function Tip({ told, grid, labelPx, trackPx, reasons }: { told: Told; grid: Grid; labelPx: number; trackPx: number; reasons: ReadonlyMap<string, string> }) {
  const { line, cell, n } = told;
  const x = (cell.column / grid.columns) * trackPx;
  const side = x > trackPx / 2 ? { right: `${trackPx - x + 6}px` } : { left: `${labelPx + x + trackPx / grid.columns + 6}px` };
  const reason = reasons.get(line.row.key);
  const at = form(grid);
  return <div class="tip heat-tip" style={{ ...side, top: `calc(var(--lane) + ${n} * var(--row) - 4px)` }}>
    <b>{plural(cell.count, 'failure')}</b><span>{at(cell.from)} to {time(cell.to)}</span><span><b class="bad">{keyWord(line.row.key)}</b> {reason}</span><span>{line.row.method} {line.row.route}</span>
  </div>;
}

/** Where the numbers of the bursts stand: over their band, and beside each other where bands are close. */
const MARK_PX = 20;
function marksOf(bursts: readonly Burst[], px: (at: number) => number, trackPx: number): readonly { readonly burst: Burst; readonly n: number; readonly x: number }[] {
  if (bursts.length * MARK_PX > trackPx) return [];
  let least = 0;
  const placed = bursts.map((burst, i) => {
    const x = Math.max(least, (px(burst.from) + px(burst.to)) / 2);
    least = x + MARK_PX;
    return { burst, n: i + 1, x };
  });
  let most = trackPx - MARK_PX / 2;
  return placed.reverse().map((m) => {
    const x = Math.min(most, m.x);
    most = x - MARK_PX;
    return { ...m, x };
  }).reverse();
}

function BurstMark({ burst, n, left }: { burst: Burst; n: number; left: number }) {
  return <a class="burst-mark" href={`#burst-${n}`} title={`Burst ${n}: ${time(burst.from)} to ${time(burst.to)}`} aria-label={`Burst ${n}, ${time(burst.from)} to ${time(burst.to)}`} style={{ left: `${left}px` }}
    onClick={(e) => { e.preventDefault(); document.getElementById(`burst-${n}`)?.focus(); }}>{n}</a>;
}

/** What the shades mean: more failures are darker in light, brighter in dark; each cell says its number besides. */
function Scale() {
  return <span class="heat-scale" aria-hidden="true">few {[1, 2, 3, 4, 5].map((s) => <i key={s} class={`h${s}`} />)} many</span>;
}

/** A press on the lane above or the axis below that moves is a range. */
function useDrag(labelPx: number, atOf: (x: number) => number) {
  const [press, setPress] = useState<{ from: number; x: number }>();
  const xOf = (event: PointerEvent): number => event.clientX - ((event.currentTarget as HTMLElement).parentElement?.getBoundingClientRect().left ?? 0);
  const low = press === undefined ? 0 : Math.max(labelPx, Math.min(press.from, press.x));
  const high = press === undefined ? 0 : Math.max(press.from, press.x);
  return {
    shown: press !== undefined && high - low > 4 ? { left: low, width: high - low } : undefined,
    handlers: {
      onPointerDown: (e: PointerEvent) => { if (e.button === 0 && !(e.target as HTMLElement).closest('a')) { (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId); setPress({ from: xOf(e), x: xOf(e) }); } },
      onPointerMove: (e: PointerEvent) => { if (press) setPress({ ...press, x: xOf(e) }); },
      onPointerUp: () => {
        const span = { from: Math.round(atOf(low - labelPx)), to: Math.round(atOf(high - labelPx)) };
        if (press && high - low > 4 && span.to - span.from >= SHORTEST_MS) setRange({ kind: 'between', ...span });
        setPress(undefined);
      },
      onPointerCancel: () => setPress(undefined),
    },
  };
}

/** The same as a table, for those who hear it. */
function Spoken({ lines, grid, fresh }: { lines: readonly HeatLine[]; grid: Grid; fresh: ReadonlySet<string> | undefined }) {
  const at = form(grid);
  return (
    <div class="sr"><table><caption>Failures by status and route over time</caption>
      <thead><tr><th>Status</th><th>Request</th><th>Failures</th><th>First</th><th>Last</th><th>Since an hour ago</th><th>When, each {duration(grid.stepMs)}</th></tr></thead>
      <tbody>{lines.map((l) => <tr key={idOf(l.row)}><th>{keyWord(l.row.key)}</th><td>{l.row.method} {l.row.route}</td><td>{count(l.row.count)}</td><td>{at(l.row.firstAt)}</td><td>{at(l.row.lastAt)}</td><td>{fresh === undefined ? 'not known' : l.isNew ? 'new' : 'known'}</td><td>{l.cells.map((c) => `${at(c.from)}: ${count(c.count)}`).join(', ')}</td></tr>)}</tbody>
    </table></div>
  );
}
