// Owns one request in full: every field of its row, what its status means, and the ways on: its place in the log, its like, the charts around it.
import type { RequestRow } from '../../../shared/model.ts';
import { bytes, count, duration } from '../../../shared/units.ts';
import { printHttpFilter } from '../../../shared/http-filter.ts';
import { diag } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Time } from '../../parts/text.tsx';
import { around, formatRange } from '../../range.ts';
import { Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { statusMark, statusWord, zone } from '../../words.ts';
import { logRowOf } from '../now/failed.tsx';
import { named, route, status } from './http-links.ts';

/** "502.3.12030" with the parts the log has. */
export const keyOf = (row: RequestRow): string => [row.status, row.sub, row.sub === undefined ? undefined : row.win32].filter((n) => n !== undefined).join('.');

export function RequestDialog({ row, onClose }: { row: RequestRow; onClose: () => void }) {
  const like = printHttpFilter({ terms: [...status(keyOf(row)), ...route(row)] });
  return (
    <Dialog title={`${row.method} ${row.path}`} onClose={onClose} wide foot={<>
      <Link to={logRowOf(row)} class="quiet">Show in the log</Link>
      <Link to={viewOf('observe', { part: 'requests', filter: like })} class="quiet">Requests like it</Link>
      <Link to={viewOf('observe', { range: formatRange(around(row.at)) })} class="quiet">Charts around it</Link></>}>
      <p class="status-line"><span class={statusMark(row.status)}>{statusWord(row)}</span> {row.reason ?? (row.status < 400 ? 'answered' : 'nothing more is known about this status')}</p>
      <dl class="facts">{factsOf(row).map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}
        <div><dt>In the log at</dt><dd>byte {count(row.offset)} of <SourceName id={row.source} /></dd></div></dl>
    </Dialog>
  );
}

/** A log is known by its path; until the catalog was read, or when it has left it, by its id. */
export function SourceName({ id }: { id: string }) {
  const asked = useAsk((signal) => diag.logs({ signal }), []);
  return <code>{asked.value?.sources.find((s) => s.id === id)?.title ?? id}</code>;
}

/** What the log does not have is said to be absent; it is not left out, for that would look like nothing. */
function factsOf(row: RequestRow) {
  const said = (text: string | undefined) => text ?? <span class="absent">not in the log</span>;
  return [
    ['Ended', <><Time at={row.at} form="day" /> {zone(row.at)}</>], ['Taken', said(row.takenMs === undefined ? undefined : row.takenMs < 1_000 ? duration(row.takenMs) : `${duration(row.takenMs)} (${count(row.takenMs)} ms)`)],
    ['Status', said(String(row.status))], ['Sub-status', said(row.sub === undefined ? undefined : String(row.sub))], ['Win32 status', said(row.win32 === undefined ? undefined : String(row.win32))],
    ['Method', row.method], ['Route', <Link to={viewOf('observe', { part: 'requests', filter: printHttpFilter({ terms: route(row) }) })}>{row.route}</Link>], ['Path', row.path], ['Query', said(row.query)], ['Host', said(row.host)], ['Client', row.client === undefined ? said(undefined) : <Link to={viewOf('observe', { part: 'requests', filter: printHttpFilter({ terms: [named('client', row.client)] }) })}>{row.client}</Link>], ['User agent', said(row.userAgent)], ['Referrer', said(row.referrer)],
    ['Upstream', said(row.upstream)], ['Sent', said(row.sentBytes === undefined ? undefined : bytes(row.sentBytes))], ['Received', said(row.receivedBytes === undefined ? undefined : bytes(row.receivedBytes))],
  ] as const;
}
