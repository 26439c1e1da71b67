// Owns the flame graph of a profile: order, search, comparison, and a canvas that mouse, touch and keyboard move; what is chosen is said beside it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ProfileReport, ProfileTreeColumns } from '../../../../shared/profile.ts';
import { differenceOf, FLAME_ORDERS, flameOf, matchedShare, matchesOf, type Flame, type FlameOrder } from '../../../../shared/profile-flame.ts';
import { count, percent } from '../../../../shared/units.ts';
import { useCell } from '../../../cell.ts';
import { useSize } from '../../../parts/use-width.ts';
import { paint } from '../../../theme.ts';
import { FlameCanvas, ROW_PX } from './flame-canvas.ts';
import { flameColours } from './flame-colours.ts';
import { amountText, placeText } from './words.ts';

const TITLES: Readonly<Record<FlameOrder, string>> = { 'left-heavy': 'Heaviest first', time: 'In order of time' };
const PAN_PX = 80;
const ZOOM = 1.4;

interface FlameProps { report: ProfileReport; base: ProfileTreeColumns | undefined; order: FlameOrder; search: string; onOrder: (order: FlameOrder) => void; onSearch: (text: string) => void }

export function FlameGraph({ report, base, order, search, onOrder, onSearch }: FlameProps) {
  const { tree } = report;
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<FlameCanvas | undefined>(undefined);
  const [box, setBox] = useState<number>();
  const flame = useMemo(() => flameOf(tree, order), [tree, order]);
  const difference = useMemo(() => (base === undefined ? undefined : differenceOf(flame, tree, base)), [flame, base]);
  const matches = useMemo(() => matchesOf(tree.frames, search), [tree, search]);
  const size = useSize(canvas);
  const painted = useCell(paint);
  useEffect(() => {
    if (canvas.current === null) return undefined;
    const one = new FlameCanvas(canvas.current, setBox);
    drawing.current = one;
    const ended = moved(canvas.current, one);
    return () => { ended(); one.end(); };
  }, []);
  useEffect(() => { if (canvas.current !== null) drawing.current?.show({ flame, frames: tree.frames, matches, difference }, flameColours(canvas.current)); }, [flame, matches, difference, painted, size.width, size.height]);
  const orders = FLAME_ORDERS.filter((one) => one !== 'time' || tree.time !== undefined);
  return (
    <section class="flame">
      <h2>Flame graph <small>callers above, callees below; as wide as what it took{tree.foldedNodes > 0 ? `; ${count(tree.foldedNodes)} small calls stand with their callers` : ''}{flame.undrawn > 0 ? `; ${count(flame.undrawn)} calls are not drawn, there are too many` : ''}</small></h2>
      <div class="flame-tools">
        <span class="seg" role="group" aria-label="Order">{orders.map((one) => <button key={one} type="button" aria-pressed={one === order} onClick={() => onOrder(one)}>{TITLES[one]}</button>)}</span>
        <input type="search" value={search} placeholder="Function or file" aria-label="Search functions and files" onInput={(event) => onSearch(event.currentTarget.value)} />
        {matches === undefined ? undefined : <span class="num" role="status">{percent(matchedShare(flame, matches) * 100)} in what matches</span>}
        <span class="grow" /><button type="button" class="quiet" onClick={() => drawing.current?.zoom(1 / ZOOM, size.width / 2)}>Zoom in</button><button type="button" class="quiet" onClick={() => drawing.current?.zoom(ZOOM, size.width / 2)}>Zoom out</button><button type="button" class="quiet" onClick={() => drawing.current?.whole()}>Whole</button>
      </div>
      <canvas ref={canvas} tabIndex={0} role="application" aria-label={`Flame graph, ${TITLES[order]}. Arrow keys go from call to call, enter zooms to one, plus and minus zoom, 0 shows all. The table of functions below has the same numbers.`} aria-describedby="flame-said" style={{ height: `${heightOf(flame)}px` }} />
      <p id="flame-said" class="flame-said" aria-live="polite">{box === undefined ? legend(difference !== undefined) : said(report, flame, difference, box)}</p>
    </section>
  );
}

function heightOf(flame: Flame): number { return Math.min(Math.max(8, flame.levels) * ROW_PX + 2, Math.max(260, Math.round(innerHeight * 0.6))); }

function legend(compared: boolean) {
  if (compared) return <span class="flame-legend"><i class="grew" />more than in the other <i class="shrank" />less; the number is the change of its share</span>;
  return <span class="flame-legend"><i class="f-app" />app <i class="f-dependency" />dependencies <i class="f-node" />Node <i class="f-native" />native <i class="f-engine" />V8 <i class="f-gc" />garbage collector <i />idle and other</span>;
}

function said({ tree, unit }: ProfileReport, flame: Flame, difference: Float64Array | undefined, box: number) {
  const frame = tree.frames[flame.frame[box] as number];
  if (frame === undefined) return undefined;
  const span = flame.span[box] as number, by = difference?.[box];
  return <><b>{frame.name}</b> {placeText(frame)} · total {amountText(span, unit)} ({percent(flame.width > 0 ? (span / flame.width) * 100 : 0)}) · self {amountText(flame.self[box] as number, unit)}{by === undefined ? '' : ` · share ${by >= 0 ? '+' : '−'}${percent(Math.abs(by) * 100)} against the other`} · {frame.category}</>;
}

/** Mouse, touch and keys; the answer ends it. */
function moved(canvas: HTMLCanvasElement, drawing: FlameCanvas): () => void {
  const end = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(type: K, run: (event: HTMLElementEventMap[K]) => void, passive = true): void => { canvas.addEventListener(type, run, { signal: end.signal, passive }); };
  let from: { x: number; y: number; dragged: boolean } | undefined;
  on('pointerdown', (event) => { if (event.button === 0) { from = { x: event.clientX, y: event.clientY, dragged: false }; canvas.setPointerCapture(event.pointerId); } });
  on('pointermove', (event) => {
    if (from === undefined) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (!from.dragged && Math.abs(x) + Math.abs(y) < 4) return;
    drawing.pan(-x, -y);
    from = { x: event.clientX, y: event.clientY, dragged: true };
  });
  on('pointerup', (event) => { if (from !== undefined && !from.dragged) { const { left, top } = canvas.getBoundingClientRect(); drawing.choose(drawing.boxOf(event.clientX - left, event.clientY - top)); } from = undefined; });
  on('pointercancel', () => { from = undefined; });
  on('dblclick', () => { if (drawing.chosen !== undefined) drawing.zoomTo(drawing.chosen); });
  on('wheel', (event) => {
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); drawing.zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15, event.clientX - canvas.getBoundingClientRect().left); return; }
    const [x, y] = event.shiftKey ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
    if (x === 0 && !drawing.scrolls(y)) return;                // the page scrolls on
    event.preventDefault();
    drawing.pan(x, y);
  }, false);
  on('keydown', (event) => { if (keyed(event, canvas, drawing)) { event.preventDefault(); event.stopPropagation(); } }, false);
  return () => { end.abort(); };
}

function keyed(event: KeyboardEvent, canvas: HTMLCanvasElement, drawing: FlameCanvas): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const keys: Readonly<Record<string, () => void>> = {
    ArrowUp: () => { drawing.step('up'); }, ArrowDown: () => { drawing.step('down'); },
    ArrowLeft: () => { if (event.shiftKey) drawing.pan(-PAN_PX, 0); else drawing.step('left'); }, ArrowRight: () => { if (event.shiftKey) drawing.pan(PAN_PX, 0); else drawing.step('right'); },
    '+': () => { drawing.zoom(1 / ZOOM, canvas.clientWidth / 2); }, '-': () => { drawing.zoom(ZOOM, canvas.clientWidth / 2); }, 0: () => { drawing.whole(); },
    Enter: () => { if (drawing.chosen !== undefined) drawing.zoomTo(drawing.chosen); }, Escape: () => { drawing.choose(undefined); drawing.whole(); },
  };
  const run = keys[event.key];
  run?.();
  return run !== undefined;
}

