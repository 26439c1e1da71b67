// Owns the charts: the request strip and every chart below it on one time axis.
import { useMemo, useRef } from 'preact/hooks';
import type { Change } from '../../../shared/model.ts';
import { count, duration } from '../../../shared/units.ts';
import { diag } from '../../agent.ts';
import { useCell, type Cell } from '../../cell.ts';
import type { SeriesWindow } from '../../live/series-window.ts';
import { Empty, Failure, Skeleton } from '../../parts/states.tsx';
import { Strip, StripFoot } from '../../parts/strip.tsx';
import type { Bucket } from '../../parts/strip-layout.ts';
import { useWidth } from '../../parts/use-width.ts';
import { formatRange, type Range } from '../../range.ts';
import { go, setRange, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { dayTime, time, zone } from '../../words.ts';
import { Chart } from './chart.tsx';
import { chartOf, CHARTS, nameKey, type Names } from './chart-list.ts';
import { useChanges } from './use-changes.ts';
import { useSeries, type Drawn } from './use-series.ts';

const NAMES_EVERY_MS = 10_000;

export function MetricsPart({ range, chart, paused }: { range: Range; chart: string | undefined; paused: boolean }) {
  const series = useSeries(range, paused);
  const changes = useChanges(range);
  const names = useNames();
  const focus = chartOf(chart)?.id;
  if (series.problem && !series.drawn.get().loaded) return <section class="wide"><Failure problem={series.problem} again={series.again} /></section>;
  return <>
    {series.problem ? <section class="wide"><Failure problem={series.problem} again={series.again} /></section> : undefined}
    <StripPart drawn={series.drawn} changes={changes.value ?? []} loading={series.loading} />
    <div class="wide charts">
      {CHARTS.map((def) => (series.loading && !series.drawn.get().loaded
        ? <section class="chart" key={def.id}><div class="chart-head"><h2>{def.title}</h2></div><Skeleton rows={5} /></section>
        : <Chart key={def.id} def={def} drawn={series.drawn} changes={changes.value ?? []} names={names} focused={focus === def.id} />))}
    </div>
  </>;
}

/** What a process is called in a legend: its name and pid. */
function useNames(): Names {
  const asked = useAsk((signal) => diag.processes({ signal }), [], NAMES_EVERY_MS);
  return useMemo(() => new Map((asked.value?.processes ?? []).map(({ info }) => [nameKey(info), { label: `${info.name} ${info.pid}`, ours: info.ours === true || info.role === 'scm' || info.role === 'agent' }])), [asked.value]);
}

/** Requests per step out of the same samples as the charts. */
export function bucketsOf(window: SeriesWindow): readonly Bucket[] {
  const [two, three, four, five] = [window.column('http.2xx'), window.column('http.3xx'), window.column('http.4xx'), window.column('http.5xx')];
  return window.at.flatMap((at, i) => {
    const [a, b, c, d] = [two?.[i], three?.[i], four?.[i], five?.[i]];
    if ([a, b, c, d].every((v) => v === null || v === undefined)) return [];
    return [{ at, ok: Math.round((a ?? 0) + (b ?? 0)), refused: Math.round(c ?? 0), failed: Math.round(d ?? 0) }];
  });
}

function StripPart({ drawn, changes, loading }: { drawn: Cell<Drawn>; changes: readonly Change[]; loading: boolean }) {
  const { window, span, loaded } = useCell(drawn);
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const buckets = useMemo(() => bucketsOf(window), [window, window.end, drawn.get()]);
  const failed = buckets.reduce((n, b) => n + b.failed, 0);
  const form = span.to - span.from > 43_200_000 ? dayTime : time;
  return (
    <section class="wide">
      <h2>Requests <small>per {window.stepMs === 1_000 ? 'second' : duration(window.stepMs)} · {form(span.from)} to {form(span.to)}, {zone(span.to)}{failed > 0 ? ` · ${count(failed)} failed` : ''}{window.lost > 0 ? ` · ${count(window.lost)} samples lost` : ''}</small></h2>
      <div class="strip" ref={box}>
        {!loaded && loading ? <Skeleton rows={4} /> : buckets.length === 0 ? <Empty title="No requests in this range.">The HTTP log has no rows of it. Rows come with the log, up to a minute late on App Service.</Empty> : <>
          <Strip buckets={buckets} stepMs={window.stepMs} span={span} changes={changes} height={112} onRange={(s) => setRange({ kind: 'between', ...s })}
            onPick={(s) => go(viewOf('observe', { part: 'requests', range: formatRange({ kind: 'between', from: s.from - window.stepMs * 15, to: s.to + window.stepMs * 15 }) }))} />
          <StripFoot span={span} changes={changes} width={width > 0 ? width - 32 : 0} />
        </>}
      </div>
    </section>
  );
}
