// Owns one chart on the page: heading, legend that follows the cursor, plot, table for screen readers, export.
import type uPlot from 'uplot';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Change } from '../../../shared/model.ts';
import { useCell, type Cell } from '../../cell.ts';
import { Menu } from '../../parts/menu.tsx';
import { Icon } from '../../parts/icons.tsx';
import { markOf } from '../../parts/marks.ts';
import { useWidth } from '../../parts/use-width.ts';
import { setRange } from '../../router.tsx';
import type { Span } from '../../range.ts';
import { paint } from '../../theme.ts';
import { time } from '../../words.ts';
import { isRate, linesOf, type ChartDef, type Line, type Names } from './chart-list.ts';
import { saveCsv, savePng } from './export.ts';
import { dataOf, makePlot } from './plot.ts';
import { write } from './scale.ts';
import type { Drawn } from './use-series.ts';

const HEIGHT = 168;
interface ChartProps { def: ChartDef; drawn: Cell<Drawn>; changes: readonly Change[]; names: Names; focused: boolean }
export function Chart({ def, drawn, changes, names, focused }: ChartProps) {
  const shown = useCell(drawn);
  return <PlotSection def={def} rate={isRate(def)} at={shown.window.at} span={shown.span} loaded={shown.loaded} stamp={shown} changes={changes} focused={focused} lines={() => linesOf(def, shown.window, names)} />;
}

interface PlotProps {
  readonly def: ChartDef; readonly rate: boolean; readonly at: readonly number[]; readonly span: Span; readonly loaded: boolean; readonly changes: readonly Change[]; readonly focused?: boolean; readonly class?: string; readonly note?: string;
  /** Another one means other values. */
  readonly stamp: unknown;
  /** Asked only while the chart is in sight. */
  lines(): readonly Line[];
}

/** A chart of any values on the shared time axis. */
export function PlotSection({ def, rate, at, span, loaded, changes, focused = false, class: extra = '', note, stamp, lines: linesNow }: PlotProps) {
  const box = useRef<HTMLElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const visible = useVisible(box);
  const painted = useCell(paint);
  const lines = visible ? linesNow() : [];
  const plot = useRef<uPlot | undefined>(undefined);
  const live = useRef({ span, changes, lines, at });
  live.current = { span, changes, lines, at };
  const [cursor, setCursor] = useState<{ index: number; x: number }>();
  const cursorAt = cursor === undefined ? undefined : at[cursor.index];
  // A new set of lines, other colours or another width want a new plot; new values do not.
  const shape = lines.map((l) => l.name).join();
  useEffect(() => {
    if (!place.current || width === 0 || shape === '') return undefined;
    const made = makePlot(place.current, {
      unit: def.unit, rate, stacked: def.stacked === true, lines: live.current.lines, width, height: HEIGHT,
      span: () => live.current.span, changes: () => live.current.changes, onRange: (s) => setRange({ kind: 'between', ...s }),
      onCursor: (index, x) => setCursor((was) => (index === undefined || x === undefined ? undefined : was?.index === index && was.x === x ? was : { index, x })),
    });
    plot.current = made;
    made.setData(dataOf(live.current.at, live.current.lines, def.stacked === true));
    return () => { plot.current = undefined; made.destroy(); };
  }, [shape, painted, width, def.id]);
  useEffect(() => { plot.current?.setData(dataOf(live.current.at, live.current.lines, def.stacked === true)); }, [stamp, at.length, span.from, span.to, changes, visible]);
  useEffect(() => { if (focused) box.current?.scrollIntoView({ block: 'center' }); }, [focused, loaded]);

  return (
    <section class={`chart ${focused ? 'focused' : ''} ${extra}`} ref={box} aria-label={def.title}>
      <div class="chart-head">
        <h2>{def.title}{note === undefined && rate ? <small>per second</small> : undefined}{note === undefined ? undefined : <small>{note}</small>}</h2>{cursorAt === undefined ? undefined : <time>{time(cursorAt)}</time>}
        <Menu class="chart-menu" label={`Export ${def.title}`} button={<Icon name="download" />} chosen={undefined} choices={[{ word: 'png', title: 'Save as PNG' }, { word: 'csv', title: 'Save as CSV' }]}
          onChoose={(word) => (word === 'png' ? (plot.current ? savePng(def.title, plot.current, lines) : undefined) : saveCsv(def.title, at, lines))} />
      </div>
      <div class="plot" ref={place}>
        {loaded && lines.length === 0 && visible ? <p class="plot-none">Not measured in this range.</p> : undefined}
        {cursor === undefined ? undefined : <MarkTip changes={changes} plot={plot.current} x={cursor.x} />}
      </div>
      <Legend lines={lines} def={def} rate={rate} index={cursor?.index} />
      <Spoken def={def} lines={lines} rate={rate} />
    </section>
  );
}

/** Charts out of sight cost nothing: they draw when they come into view. */
function useVisible(of: { readonly current: HTMLElement | null }): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    if (!of.current) return undefined;
    const observer = new IntersectionObserver((entries) => setVisible(entries.some((e) => e.isIntersecting)), { rootMargin: '200px' });
    observer.observe(of.current);
    return () => observer.disconnect();
  }, []);
  return visible;
}

const last = (values: readonly (number | null)[]): number | undefined => {
  for (let i = values.length - 1; i >= 0; i -= 1) {
    const v = values[i];
    if (v !== null && v !== undefined) return v;
  }
  return undefined;
};

/** Values at the cursor, or the newest ones. */
function Legend({ lines, def, rate, index }: { lines: readonly Line[]; def: ChartDef; rate: boolean; index: number | undefined }) {
  return (
    <div class="legend">
      {lines.map((line) => {
        const v = index === undefined ? last(line.values) : line.values[index] ?? undefined;
        return <span key={line.name}><i class={`swatch t-${line.token}`} />{line.label} <b>{v === undefined ? '–' : write(def.unit, rate, v)}</b></span>;
      })}
    </div>
  );
}

/** The changes under the cursor, in words. */
function MarkTip({ changes, plot, x }: { changes: readonly Change[]; plot: uPlot | undefined; x: number }) {
  if (!plot) return null;
  const near = changes.filter((c) => Math.abs(plot.valToPos(c.at, 'x') - x) <= 5).slice(0, 4);
  if (near.length === 0) return null;
  const left = x + plot.over.offsetLeft;
  const right = x > plot.over.clientWidth / 2;
  return <div class="tip" style={right ? { right: `${plot.width - left + 8}px` } : { left: `${left + 8}px` }}>
    {near.map((c) => <span key={c.id}><i class={`mark ${markOf(c).form} t-${markOf(c).token}`} />{time(c.at)} {c.title}</span>)}
  </div>;
}

/** What a screen reader gets instead of the picture. */
function Spoken({ def, lines, rate }: { def: ChartDef; lines: readonly Line[]; rate: boolean }) {
  const say = (n: number | undefined): string => (n === undefined ? 'not measured' : write(def.unit, rate, n));
  return (
    <table class="sr"><caption>{def.title}</caption><thead><tr><th>Series</th><th>Newest</th><th>Lowest</th><th>Highest</th></tr></thead><tbody>
      {lines.map((line) => {
        const seen = line.values.filter((v): v is number => v !== null);
        return <tr key={line.name}><th>{line.label}</th><td>{say(last(line.values))}</td><td>{say(seen.length === 0 ? undefined : Math.min(...seen))}</td><td>{say(seen.length === 0 ? undefined : Math.max(...seen))}</td></tr>;
      })}
    </tbody></table>
  );
}
