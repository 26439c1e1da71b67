// Owns the HTTP log summed up: by status.sub.win32, by route, by client, and the slowest; each line opens its rows.
import type { HttpSummary } from '../../../shared/model.ts';
import { bytes, count, duration } from '../../../shared/units.ts';
import { agentNow, diag } from '../../agent.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { formatRange, spanOf, type Range } from '../../range.ts';
import { go, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { statusMark, statusWord } from '../../words.ts';

const AGAIN_MS = 15_000;
const ms = (n: number | undefined): string => (n === undefined ? '–' : duration(n));
const share = (n: number, of: number): string => (of === 0 ? '–' : `${((100 * n) / of).toFixed(1)} %`);

export function SummaryPart({ range }: { range: Range }) {
  const asked = useAsk((signal) => {
    const span = spanOf(range, agentNow());
    return diag.http({ query: { from: Math.floor(span.from), to: Math.ceil(span.to) }, signal });
  }, [formatRange(range)], range.kind === 'last' ? AGAIN_MS : undefined);
  return <div class="wide summary-part"><Show asked={asked} rows={8}>{(sum) => <Summary sum={sum} />}</Show></div>;
}

function Summary({ sum }: { sum: HttpSummary }) {
  const failures = sum.byStatus.filter((s) => s.status >= 500).reduce((n, s) => n + s.count, 0);
  return <>
    <p class="page-note">{count(sum.rows)} requests, {count(failures)} failed, read from {bytes(sum.bytes)} of log{sum.malformed > 0 ? `; ${count(sum.malformed)} damaged lines` : ''}{sum.leftOut > 0 ? `; ${count(sum.leftOut)} rows of the SCM site left out` : ''}.</p>
    {sum.rows === 0 ? <section><Empty title="No requests in this range.">The HTTP log has no rows of it.</Empty></section> : <div class="two-up">
      <section><h2>By status <small>status.sub · win32</small></h2><VirtualTable id="by-status" label="Requests by status" columns={statusColumns(sum)} rows={sum.byStatus} keyOf={(s) => s.key} onOpen={(s) => go(viewOf('observe', { part: 'requests', status: [s.status, s.sub, s.win32].filter((n) => n !== undefined).join('.') }))} rowClass={(s) => (s.status >= 500 ? 'is-bad' : '')} /></section>
      <section><h2>By route <small>most failures first{sum.otherRoutes > 0 ? ` · ${count(sum.otherRoutes)} requests of other routes` : ''}</small></h2><VirtualTable id="by-route" label="Requests by route" columns={ROUTES} rows={sum.routes} keyOf={(r) => `${r.method} ${r.route}`} onOpen={(r) => go(viewOf('observe', { part: 'requests', route: r.route }))} rowClass={(r) => (r.failures > 0 ? 'is-bad' : '')} /></section>
      <section><h2>Slowest</h2><VirtualTable id="slowest" label="Slowest requests" columns={SLOWEST} rows={sum.slowest} keyOf={(r) => `${r.source}${r.offset}`} onOpen={(r) => go(viewOf('observe', { part: 'requests', route: r.route }))} /></section>
      <section><h2>By client</h2><VirtualTable id="by-client" label="Requests by client" columns={CLIENTS} rows={sum.clients} keyOf={(c) => c.client} /></section>
    </div>}
  </>;
}

type Status = HttpSummary['byStatus'][number];
const statusColumns = (sum: HttpSummary): readonly TableColumn<Status>[] => [
  { id: 'status', title: 'Status', width: '112px', cell: (s) => <span class={statusMark(s.status)}>{statusWord(s)}</span>, value: (s) => s.key },
  { id: 'reason', title: 'Reason', width: 'minmax(90px,1fr)', cell: (s) => <span title={s.reason}>{s.reason}</span>, value: (s) => s.reason },
  { id: 'count', title: 'Count', width: '72px', num: true, cell: (s) => count(s.count), value: (s) => s.count },
  { id: 'share', title: 'Share', width: '72px', num: true, cell: (s) => share(s.count, sum.rows), value: (s) => s.count / sum.rows, wide: true },
  { id: 'p50', title: 'p50', width: '72px', num: true, cell: (s) => ms(s.p50), value: (s) => s.p50, wide: true },
  { id: 'p95', title: 'p95', width: '72px', num: true, wide: true, cell: (s) => ms(s.p95), value: (s) => s.p95 },
];

const ROUTES: readonly TableColumn<HttpSummary['routes'][number]>[] = [
  { id: 'route', title: 'Route', width: 'minmax(120px,1fr)', cell: (r) => <span title={r.route}>{r.method} {r.route}</span>, value: (r) => `${r.method} ${r.route}` },
  { id: 'count', title: 'Count', width: '68px', num: true, cell: (r) => count(r.count), value: (r) => r.count },
  { id: 'failures', title: 'Failed', width: '64px', num: true, cell: (r) => (r.failures > 0 ? <span class="bad">{count(r.failures)}</span> : '0'), value: (r) => r.failures },
  { id: 'p50', title: 'p50', width: '68px', num: true, cell: (r) => ms(r.p50), value: (r) => r.p50, wide: true },
  { id: 'p95', title: 'p95', width: '68px', num: true, wide: true, cell: (r) => ms(r.p95), value: (r) => r.p95 },
  { id: 'p99', title: 'p99', width: '68px', num: true, cell: (r) => ms(r.p99), value: (r) => r.p99, wide: true },
  { id: 'max', title: 'Slowest', width: '72px', num: true, cell: (r) => ms(r.max), value: (r) => r.max, extra: true },
];

const SLOWEST: readonly TableColumn<HttpSummary['slowest'][number]>[] = [
  { id: 'at', title: 'Time', width: '80px', wide: true, cell: (r) => <Time at={r.at} form="short" />, value: (r) => new Date(r.at).toISOString() },
  { id: 'path', title: 'Request', width: 'minmax(90px,1fr)', cell: (r) => <span title={r.path}>{r.method} {r.path}</span>, value: (r) => `${r.method} ${r.path}` },
  { id: 'status', title: 'Status', width: '112px', cell: (r) => <span class={statusMark(r.status)}>{statusWord(r)}</span>, value: (r) => statusWord(r) },
  { id: 'taken', title: 'Taken', width: '76px', num: true, cell: (r) => ms(r.takenMs), value: (r) => r.takenMs },
];

const CLIENTS: readonly TableColumn<HttpSummary['clients'][number]>[] = [
  { id: 'client', title: 'Client', width: 'minmax(120px,1fr)', cell: (c) => c.client, value: (c) => c.client },
  { id: 'count', title: 'Count', width: '72px', num: true, cell: (c) => count(c.count), value: (c) => c.count },
  { id: 'failures', title: 'Failed', width: '72px', num: true, cell: (c) => count(c.failures), value: (c) => c.failures },
];
