// Owns the request table: rows of the range, live ones on top, filtered by failure, status and route; 10,000 rows at most.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RequestRow } from '../../../shared/model.ts';
import { bytes, count, duration } from '../../../shared/units.ts';
import type { Query } from '../../address.ts';
import { agentNow, diag } from '../../agent.ts';
import { useFollow } from '../../live/index.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty, Show } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { around, formatRange, spanOf, type Range } from '../../range.ts';
import { change, Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { dayTime, statusMark, statusWord } from '../../words.ts';
import { logViewOf } from '../now/failed.tsx';
import { filterOf, matches, prepend, rowKey, type RequestFilter } from './request-filter.ts';

/** As many rows as one answer may hold and the table keeps; older ones leave and are counted. */
const KEPT = 10_000;

/** Rows carry whole seconds: the live ones begin a little before the newest that was read, and double ones are left out. */
const OVERLAP_MS = 2_000;

const COLUMNS: readonly TableColumn<RequestRow>[] = [
  { id: 'at', title: 'Time', width: '84px', cell: (r) => <Time at={r.at} form="short" />, value: (r) => new Date(r.at).toISOString() },
  { id: 'method', title: 'Method', width: '64px', cell: (r) => r.method, value: (r) => r.method, wide: true },
  { id: 'path', title: 'Path', width: 'minmax(90px,2fr)', cell: (r) => <span title={r.query === undefined ? r.path : `${r.path}?${r.query}`}>{r.path}</span>, value: (r) => r.path },
  { id: 'status', title: 'Status', width: '112px', cell: (r) => <span class={statusMark(r.status)}>{statusWord(r)}</span>, value: (r) => [r.status, r.sub ?? 0, r.win32 ?? 0].join('.') },
  { id: 'reason', title: 'Reason', width: 'minmax(0,2fr)', cell: (r) => <span title={r.reason}>{r.reason}</span>, value: (r) => r.reason, wide: true },
  { id: 'taken', title: 'Taken', width: '80px', num: true, wide: true, cell: (r) => (r.takenMs === undefined ? '–' : duration(r.takenMs)), value: (r) => r.takenMs },
  { id: 'sent', title: 'Sent', width: '84px', num: true, cell: (r) => (r.sentBytes === undefined ? '–' : bytes(r.sentBytes)), value: (r) => r.sentBytes, wide: true },
  { id: 'client', title: 'Client', width: '128px', cell: (r) => r.client ?? '–', value: (r) => r.client, wide: true },
  { id: 'route', title: 'Route', width: 'minmax(0,1fr)', cell: (r) => r.route, value: (r) => r.route, extra: true },
  { id: 'agent', title: 'User agent', width: 'minmax(0,1fr)', cell: (r) => r.userAgent ?? '–', value: (r) => r.userAgent, extra: true },
];

export function RequestsPart({ range, query, paused }: { range: Range; query: Query; paused: boolean }) {
  const filter = filterOf(query);
  const word = formatRange(range) ?? 'live';
  const [open, setOpen] = useState<RequestRow>();
  const [hold, setHold] = useState(false);
  const since = useRef(0);
  const asked = useAsk(async (signal) => {
    const span = spanOf(range, agentNow());
    since.current = Math.ceil(span.to);
    return diag.requests({ query: { from: Math.floor(span.from), to: Math.ceil(span.to), limit: KEPT, ...(filter.failed ? { failed: true } : {}), ...(filter.status === '' ? {} : { status: filter.status }), ...(filter.route === '' ? {} : { route: filter.route }) }, signal });
  }, [word, filter.failed, filter.status, filter.route]);
  const live = useLiveRows(range.kind === 'last' && asked.value !== undefined, asked.value?.rows, filter, paused || hold, word);
  return (
    <section class="wide table-part">
      <h2>Requests <small>newest first{range.kind === 'last' ? (paused ? ' · paused' : hold ? ' · held while the pointer is on the newest rows' : ' · live') : ''}{live.waiting > 0 ? ` · ${count(live.waiting)} waiting` : ''}{live.left > 0 ? ` · ${count(live.left)} older rows left the table` : ''}{live.dropped > 0 ? ` · ${count(live.dropped)} rows dropped on the way` : ''}{asked.value?.more ? ` · the newest ${count(KEPT)} of more` : ''}</small></h2>
      <Show asked={asked} rows={8}>{() => <VirtualTable id="requests" label="Requests" columns={COLUMNS} rows={live.rows} keyOf={rowKey} onOpen={setOpen} onHold={setHold} rowClass={(r) => (r.status >= 500 ? 'is-bad' : '')} tools={<Filters filter={filter} />} fill />}</Show>
      {asked.value && live.rows.length === 0 ? <Empty title={isFiltered(filter) ? 'No requests match.' : 'No requests in this range.'}>{isFiltered(filter) ? <>Nothing in this range fits the filter. <button type="button" class="link" onClick={() => change({ failed: undefined, status: undefined, route: undefined })}>Show all requests</button></> : 'The HTTP log has no rows of it.'}</Empty> : undefined}
      {open ? <RequestDialog row={open} onClose={() => setOpen(undefined)} /> : undefined}
    </section>
  );
}

const isFiltered = (filter: RequestFilter): boolean => filter.failed || filter.status !== '' || filter.route !== '';

interface LiveRows { readonly rows: readonly RequestRow[]; readonly left: number; readonly dropped: number; readonly waiting: number }

/** Live rows on top of those that were read; while held they wait, counted. */
function useLiveRows(on: boolean, first: readonly RequestRow[] | undefined, filter: RequestFilter, held: boolean, word: string): LiveRows {
  const [state, setState] = useState<LiveRows>({ rows: [], left: 0, dropped: 0, waiting: 0 });
  const waiting = useRef<RequestRow[]>([]);
  const isHeld = useRef(held);
  isHeld.current = held;
  useEffect(() => { waiting.current = []; setState({ rows: first ?? [], left: 0, dropped: 0, waiting: 0 }); }, [first]);
  const show = (dropped: number): void => {
    const more = waiting.current;
    waiting.current = [];
    setState((was) => {
      const next = prepend(was.rows, more, KEPT);
      return { rows: next.rows, left: was.left + next.left, dropped: was.dropped + dropped, waiting: 0 };
    });
  };
  useFollow(on ? () => ({ type: 'follow', topic: 'requests', since: Math.max(0, (first?.[0]?.at ?? Math.floor(agentNow())) - OVERLAP_MS) }) : undefined, (message) => {
    if (message.type !== 'requests') return;
    waiting.current = [...waiting.current, ...message.items.filter((r) => matches(r, filter))].slice(-KEPT);
    if (!isHeld.current) show(message.dropped);
    else setState((was) => ({ ...was, dropped: was.dropped + message.dropped, waiting: waiting.current.length }));
  }, [on, first, word]);
  useEffect(() => { if (!held && waiting.current.length > 0) show(0); }, [held]);
  return state;
}

function Filters({ filter }: { filter: RequestFilter }) {
  return <>
    <label class="check"><input type="checkbox" checked={filter.failed} onChange={(e) => change({ failed: e.currentTarget.checked ? '1' : undefined })} />Failed only</label>
    <label class="inline"><span>Status</span><input type="text" size={10} placeholder="502.3" value={filter.status} onChange={(e) => change({ status: e.currentTarget.value.trim() || undefined })} /></label>
    <label class="inline grow"><span>Route</span><input type="text" placeholder="/cart/{id}" value={filter.route} onChange={(e) => change({ route: e.currentTarget.value.trim() || undefined })} /></label>
  </>;
}

function RequestDialog({ row, onClose }: { row: RequestRow; onClose: () => void }) {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Ended', `${dayTime(row.at)}`], ['Taken', row.takenMs === undefined ? undefined : duration(row.takenMs)], ['Route', row.route], ['Query', row.query], ['Host', row.host], ['Client', row.client],
    ['User agent', row.userAgent], ['Sent', row.sentBytes === undefined ? undefined : bytes(row.sentBytes)], ['Received', row.receivedBytes === undefined ? undefined : bytes(row.receivedBytes)],
  ];
  return (
    <Dialog title={`${row.method} ${row.path}`} onClose={onClose} foot={<><Link to={logViewOf(row)} class="quiet">Open in the HTTP log</Link><Link to={viewOf('observe', { range: formatRange(around(row.at)) })} class="quiet">Charts around it</Link></>}>
      <p class="status-line"><span class={statusMark(row.status)}>{statusWord(row)}</span> {row.reason}</p>
      <dl class="facts">{facts.map(([name, text]) => (text === undefined ? undefined : <div key={name}><dt>{name}</dt><dd>{text}</dd></div>))}</dl>
    </Dialog>
  );
}
