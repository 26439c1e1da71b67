// Owns how long requests took: percentiles over time, routes, requests that stand at a time limit, the slowest.
import { useState } from 'preact/hooks';
import type { HttpReport } from '../../../shared/http-report.ts';
import { countWords, limitWhat, limitWords, othersWords } from '../../../shared/http-words.ts';
import type { Change, RequestRow } from '../../../shared/model.ts';
import { bytes, count, duration, plural } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { go, Link } from '../../router.tsx';
import { statusMark, statusWord } from '../../words.ts';
import type { ChartDef, Line } from './chart-list.ts';
import { PlotSection } from './chart.tsx';
import { compared, FAILED, route, type RowsOf } from './http-links.ts';
import { RequestDialog } from './http-row.tsx';

interface Props { report: HttpReport; changes: readonly Change[]; to: RowsOf }
const ms = (n: number | undefined): string => (n === undefined ? '–' : duration(n));
const DEF: ChartDef = { id: 'http-latency', title: 'Response time', unit: 'ms', series: [] };
const LINES = [['p50', 's3'], ['p95', 's2'], ['p99', 's4']] as const;
/** Half the width of a cluster around its limit, as wide as the reader of the log takes it. */
const LIMIT_WITHIN = 0.01;

export function Latency({ report, changes, to }: Props) {
  const [open, setOpen] = useState<RequestRow>();
  const at = report.minutes.map((m) => m.at);
  return <>
    <PlotSection class="wide" def={DEF} rate={false} note={`time-taken at p50, p95, p99 per ${duration(report.stepMs)}; a value is at most 0.5 % off`} at={at} span={report} loaded stamp={report} changes={changes} lines={() => linesOf(report)} />
    <div class="wide routes-up">
      <section><h2>Routes <small>most failures first{report.otherRoutes.count > 0 ? ` · ${routesRest(report)}` : ''}</small></h2>
        <VirtualTable id="http-routes" label="Requests by route" columns={routeColumns(to)} rows={report.routes} keyOf={(r) => `${r.method} ${r.route}`} onOpen={(r) => go(to(route(r)))} rowClass={(r) => (r.failures > 0 ? 'is-bad' : '')} small />
      </section>
      <div class="stack">
        <section><h2>At time limits <small>requests that ended where something gives up</small></h2>
          {report.limits.length === 0 ? <Empty title="None.">No request of this range ended at a known time limit.</Empty> : <ul class="limits">{report.limits.map((l) => <li key={l.limitMs}><Link to={to([compared('taken', '>=', Math.round(l.limitMs * (1 - LIMIT_WITHIN))), compared('taken', '<=', Math.round(l.limitMs * (1 + LIMIT_WITHIN)))])}>{limitWhat(l)}</Link>: {limitWords(l)} <small>First <Time at={l.from} form="short" />, last <Time at={l.to} form="short" />.</small></li>)}</ul>}
        </section>
        <section><h2>Slowest</h2>
          <VirtualTable id="http-slowest" label="Slowest requests" columns={SLOWEST} rows={report.slowest} keyOf={(r) => `${r.source}:${r.offset}`} onOpen={setOpen} small />
        </section>
      </div>
    </div>
    {open ? <RequestDialog row={open} onClose={() => setOpen(undefined)} /> : undefined}
  </>;
}

/** Steps without rows have no quantile: a gap, never zero. */
function linesOf(report: HttpReport): readonly Line[] {
  return LINES.map(([name, token]) => {
    const values = report.minutes.map((m) => m[name] ?? null);
    return { name, label: name, token, values, drawn: values };
  }).filter((line) => line.values.some((v) => v !== null));
}

function routesRest({ otherRoutes }: HttpReport): string {
  const rest = othersWords({ top: [], others: otherRoutes, distinct: otherRoutes.distinct });
  return `${rest ?? ''}; ${otherRoutes.estimated === undefined ? '' : 'about '}${plural(otherRoutes.distinct, 'route')} more${otherRoutes.estimated === undefined ? '' : ` (at most ${otherRoutes.estimated} % off)`}`;
}

const routeColumns = (to: RowsOf): readonly TableColumn<HttpReport['routes'][number]>[] => [
  { id: 'route', title: 'Route', width: 'minmax(120px,1fr)', cell: (r) => <span title={`${r.method} ${r.route}`}>{r.method} {r.route}</span>, value: (r) => `${r.method} ${r.route}` },
  { id: 'count', title: 'Requests', width: '76px', num: true, cell: (r) => <Link to={to(route(r))} class="ink">{countWords(r)}</Link>, value: (r) => r.count },
  { id: 'failures', title: 'Failed', width: '60px', num: true, cell: (r) => (r.failures > 0 ? <Link to={to([...route(r), FAILED])} class="bad">{count(r.failures)}</Link> : '0'), value: (r) => r.failures },
  { id: '4xx', title: '4xx', width: '52px', num: true, wide: true, cell: (r) => (r.clientErrors > 0 ? <Link to={to([...route(r), { field: 'is', any: [{ family: 4 }], not: false }])} class="ink">{count(r.clientErrors)}</Link> : '0'), value: (r) => r.clientErrors },
  { id: 'p50', title: 'p50', width: '64px', num: true, wide: true, cell: (r) => ms(r.p50), value: (r) => r.p50 },
  { id: 'p95', title: 'p95', width: '64px', num: true, cell: (r) => slower(r, r.p95, to), value: (r) => r.p95 },
  { id: 'p99', title: 'p99', width: '64px', num: true, wide: true, cell: (r) => slower(r, r.p99, to), value: (r) => r.p99 },
  { id: 'max', title: 'Slowest', width: '92px', num: true, wide: true, cell: (r) => slower(r, r.max, to), value: (r) => r.max },
  { id: 'sent', title: 'Sent', width: '76px', num: true, extra: true, cell: (r) => (r.sentBytes === undefined ? '–' : bytes(r.sentBytes)), value: (r) => r.sentBytes },
];

/** A quantile leads to the rows that took as long or longer; its error of half a percent is taken off, so that none is missed. */
function slower(r: HttpReport['routes'][number], taken: number | undefined, to: RowsOf) {
  return taken === undefined ? '–' : <Link to={to([...route(r), compared('taken', '>=', Math.floor(taken * 0.995))])} class="ink">{ms(taken)}</Link>;
}

const SLOWEST: readonly TableColumn<RequestRow>[] = [
  { id: 'at', title: 'Time', width: '84px', wide: true, cell: (r) => <Time at={r.at} form="short" />, value: (r) => new Date(r.at).toISOString() },
  { id: 'path', title: 'Request', width: 'minmax(90px,1fr)', cell: (r) => <span title={r.path}>{r.method} {r.path}</span>, value: (r) => `${r.method} ${r.path}` },
  { id: 'status', title: 'Status', width: '96px', cell: (r) => <span class={statusMark(r.status)}>{statusWord(r)}</span>, value: (r) => statusWord(r) },
  { id: 'taken', title: 'Taken', width: '92px', num: true, cell: (r) => ms(r.takenMs), value: (r) => r.takenMs },
];
