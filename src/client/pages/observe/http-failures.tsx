// Owns what failed: the heat map, the bursts in words, and the requests by status with what each status means.
import type { HttpReport } from '../../../shared/http-report.ts';
import { burstsOf, burstWords, keyWord, shareWord, sharesWords } from '../../../shared/http-words.ts';
import { count, duration, plural } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { go, Link } from '../../router.tsx';
import { statusMark } from '../../words.ts';
import { Heat } from './http-heat.tsx';
import { FAILED, status, type RowsOf } from './http-links.ts';

interface Props { report: HttpReport; fresh: ReadonlySet<string> | undefined; to: RowsOf }
const ms = (n: number | undefined): string => (n === undefined ? '–' : duration(n));

export function Failures({ report, fresh, to }: Props) {
  const reasons = new Map(report.statuses.flatMap((s) => (s.reason === undefined ? [] : [[s.key, s.reason] as const])));
  return <>
    <section class="wide heat-part">
      <h2>Failures <small>by status, route and time{fresh === undefined || report.failures === 0 ? '' : fresh.size === 0 ? ' · none is new since an hour ago' : ` · ${count(fresh.size)} new since an hour ago`}</small>{report.failures > 0 ? <Link to={to([FAILED])}>All {plural(report.failures, 'failed request')}</Link> : undefined}</h2>
      {report.heat.rows.length === 0 ? <Empty title="None failed.">No request of this range was answered with a status of 500 or above.</Empty> : <Heat report={report} fresh={fresh} reasons={reasons} to={to} />}
    </section>
    <div class="wide failures-up">
      {report.failures > 0 ? <Bursts report={report} to={to} /> : undefined}
      <section><h2>By status <small>status.sub · win32</small></h2>
        <VirtualTable id="http-status" label="Requests by status" columns={statusColumns(report, to)} rows={failuresFirst(report.statuses)} keyOf={(s) => s.key} onOpen={(s) => go(to(status(s.key)))} rowClass={(s) => (s.status >= 500 ? 'is-bad' : '')} small />
      </section>
    </div>
  </>;
}

function Bursts({ report, to }: { report: HttpReport; to: RowsOf }) {
  return (
    <section><h2>Bursts <small>failures close together, and what they share</small></h2>
      {report.bursts.length === 0 ? <Empty title="No burst.">The failures are spread over the whole range.</Empty> : <ol class="bursts">{burstsOf(report).map((b, i) => (
        <li key={b.from} id={`burst-${i + 1}`} tabIndex={-1}>
          <span class="burst-n" aria-hidden="true">{i + 1}</span>
          <div><Link to={to([FAILED], { from: b.from, to: b.to })}><Time at={b.from} form="short" /> to <Time at={b.to} />: {burstWords(b)}</Link><p>{sharesWords(b)}</p></div>
        </li>))}</ol>}
    </section>
  );
}

type Status = HttpReport['statuses'][number];
const failuresFirst = (all: readonly Status[]): readonly Status[] => [...all.filter((s) => s.status >= 500), ...all.filter((s) => s.status < 500)];
const statusColumns = (report: HttpReport, to: RowsOf): readonly TableColumn<Status>[] => [
  { id: 'status', title: 'Status', width: '112px', cell: (s) => <Link to={to(status(s.key))} class={s.status < 400 ? 'ink' : statusMark(s.status)}>{keyWord(s.key)}</Link>, value: (s) => s.key },
  { id: 'reason', title: 'Meaning', width: 'minmax(60px,1fr)', cell: (s) => <span title={s.reason}>{s.reason}</span>, value: (s) => s.reason },
  { id: 'count', title: 'Requests', width: '76px', num: true, cell: (s) => count(s.count), value: (s) => s.count },
  { id: 'share', title: 'Share', width: '84px', num: true, wide: true, cell: (s) => shareWord(s.count, report.rows) ?? '–', value: (s) => s.count / Math.max(1, report.rows) },
  { id: 'p95', title: 'p95', width: '84px', num: true, wide: true, cell: (s) => ms(s.p95), value: (s) => s.p95 },
  { id: 'last', title: 'Last', width: '112px', extra: true, cell: (s) => <Time at={s.lastAt} form="short" />, value: (s) => new Date(s.lastAt).toISOString() },
];
