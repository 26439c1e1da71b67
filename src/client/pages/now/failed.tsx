// Owns the landing page's list of failed requests, newest first, each with its reason.
import type { Now, RequestRow } from '../../../shared/model.ts';
import { onRoute, printHttpFilter } from '../../../shared/http-filter.ts';
import { count, duration } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { around, formatRange } from '../../range.ts';
import { Link, viewOf } from '../../router.tsx';
import { statusWord } from '../../words.ts';

/** As many as the page promises. */
const SHOWN = 10;

/** The very row: its log is not rotated, so that its place in the file stays. */
export const logRowOf = (row: { readonly source: string; readonly at: number; readonly offset: number }) => viewOf('logs', { source: row.source, at: String(row.at), row: String(row.offset) });
export const logViewOf = (row: { readonly source: string; readonly at?: number | undefined }) => viewOf('logs', { source: row.source, at: row.at === undefined ? undefined : String(row.at) });

export function Failed({ now }: { now: Now }) {
  const rows = now.failed.slice(0, SHOWN);
  const all = formatRange({ kind: 'between', from: now.from, to: now.to });
  return (
    <section>
      <h2>Failed requests <small>newest first</small>{now.requests.failed > 0 ? <Link to={viewOf('observe', { range: all, part: 'requests', filter: 'failed' })}>All {count(now.requests.failed)}</Link> : undefined}</h2>
      {rows.length === 0 ? <Empty title={now.requests.total === 0 ? 'No requests, so none failed.' : 'None failed.'} /> : <table class="rows failed">
        <thead><tr><th class="w-time">Time</th><th>Request</th><th class="w-status">Status</th><th class="num w-num">Taken</th></tr></thead>
        <tbody>{rows.map((row) => <FailedRow key={`${row.source}${row.offset}`} row={row} />)}</tbody>
      </table>}
    </section>
  );
}

function FailedRow({ row }: { row: RequestRow }) {
  return (
    <tr>
      <td><Time at={row.at} /></td>
      <td title={row.path}><Link to={viewOf('observe', { range: formatRange(around(row.at, 30_000)), part: 'requests', filter: printHttpFilter({ terms: [onRoute(row.method, row.route)] }) })}>{row.method} {row.path}</Link></td>
      <td title={row.reason}><Link to={logRowOf(row)} class="code" label={`${statusWord(row)}: its row in the HTTP log`}>{statusWord(row)}</Link> <small>{row.reason}</small></td>
      <td class="num">{row.takenMs === undefined ? '–' : duration(row.takenMs)}</td>
    </tr>
  );
}
