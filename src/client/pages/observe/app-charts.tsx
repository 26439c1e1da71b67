// Owns the charts of the App part: all apps of the instance together, on the range of the page.
import type { Range } from '../../range.ts';
import { Failure, Skeleton } from '../../parts/states.tsx';
import { Chart } from './chart.tsx';
import { APP_CHARTS, type Names } from './chart-list.ts';
import { useChanges } from './use-changes.ts';
import { useSeries } from './use-series.ts';

const NO_NAMES: Names = new Map();

export function AppCharts({ range, paused }: { range: Range; paused: boolean }) {
  const series = useSeries(range, paused);
  const changes = useChanges(range);
  const waiting = series.loading && !series.drawn.get().loaded;
  return <>
    {series.problem === undefined ? undefined : <section class="wide"><Failure problem={series.problem} again={series.again} /></section>}
    {series.problem !== undefined && !series.drawn.get().loaded ? undefined : <div class="wide charts">{APP_CHARTS.map((def) => (waiting
      ? <section class="chart" key={def.id}><div class="chart-head"><h2>{def.title}</h2></div><Skeleton rows={5} /></section>
      : <Chart key={def.id} def={def} drawn={series.drawn} changes={changes.value ?? []} names={NO_NAMES} focused={false} />))}</div>}
  </>;
}
