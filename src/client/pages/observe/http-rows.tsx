// Owns the table of requests: rows of the range that fit the filter, live ones on top, 10,000 at most.
import { useEffect, useRef, useState } from 'preact/hooks';
import { printHttpFilter, type HttpFilter } from '../../../shared/http-filter.ts';
import type { RequestRow } from '../../../shared/model.ts';
import { bytes, count, duration } from '../../../shared/units.ts';
import { agentNow, diag } from '../../agent.ts';
import { useFollow } from '../../live/index.ts';
import { Empty, Failure, Skeleton } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { VirtualTable, type TableColumn } from '../../parts/virtual-table.tsx';
import { formatRange, LIVE_MS, spanOf, type Range } from '../../range.ts';
import { change } from '../../router.tsx';
import { useAsk, type Asked } from '../../use-ask.ts';
import { statusMark, statusWord } from '../../words.ts';
import { RequestDialog } from './http-row.tsx';
import { prepend, rowKey } from './request-rows.ts';

/** As many rows as one answer may hold and the table keeps; older ones leave and are counted. */
const KEPT = 10_000;
/** Rows carry whole seconds: the live ones begin a little before the newest that was read, and double ones are left out. */
const OVERLAP_MS = 2_000;
/** The socket knows no filter: filtered rows are read again instead. */
const AGAIN_MS = 5_000;
const AGAIN_LONG_MS = 30_000;

const COLUMNS: readonly TableColumn<RequestRow>[] = [
  { id: 'at', title: 'Time', width: '100px', cell: (r) => <Time at={r.at} form="short" />, value: (r) => new Date(r.at).toISOString() },
  { id: 'status', title: 'Status', width: '108px', cell: (r) => <span class={statusMark(r.status)}>{statusWord(r)}</span>, value: (r) => [r.status, r.sub ?? 0, r.win32 ?? 0].join('.') },
  { id: 'method', title: 'Method', width: '64px', cell: (r) => r.method, value: (r) => r.method, wide: true },
  { id: 'path', title: 'Path', width: 'minmax(80px,2fr)', cell: (r) => <span title={r.query === undefined ? r.path : `${r.path}?${r.query}`}>{r.path}</span>, value: (r) => r.path },
  { id: 'taken', title: 'Taken', width: '84px', num: true, wide: true, cell: (r) => (r.takenMs === undefined ? '–' : duration(r.takenMs)), value: (r) => r.takenMs },
  { id: 'reason', title: 'Meaning', width: 'minmax(0,3fr)', cell: (r) => <span title={r.reason}>{r.reason}</span>, value: (r) => r.reason, wide: true },
  { id: 'sent', title: 'Sent', width: '84px', num: true, cell: (r) => (r.sentBytes === undefined ? '–' : bytes(r.sentBytes)), value: (r) => r.sentBytes, wide: true },
  { id: 'client', title: 'Client', width: '128px', cell: (r) => r.client ?? '–', value: (r) => r.client, wide: true },
  { id: 'query', title: 'Query', width: 'minmax(0,1fr)', cell: (r) => <span title={r.query}>{r.query ?? '–'}</span>, value: (r) => r.query, extra: true },
  { id: 'route', title: 'Route', width: 'minmax(0,1fr)', cell: (r) => <span title={r.route}>{r.route}</span>, value: (r) => r.route, extra: true },
  { id: 'host', title: 'Host', width: 'minmax(0,1fr)', cell: (r) => <span title={r.host}>{r.host ?? '–'}</span>, value: (r) => r.host, extra: true },
  { id: 'agent', title: 'User agent', width: 'minmax(0,1fr)', cell: (r) => <span title={r.userAgent}>{r.userAgent ?? '–'}</span>, value: (r) => r.userAgent, extra: true },
  { id: 'referrer', title: 'Referrer', width: 'minmax(0,1fr)', cell: (r) => <span title={r.referrer}>{r.referrer ?? '–'}</span>, value: (r) => r.referrer, extra: true },
];

interface RowsProps { range: Range; filter: HttpFilter; paused: boolean }
interface Page { readonly rows: readonly RequestRow[]; readonly more: boolean; readonly key: string }

export function HttpRows({ range, filter, paused }: RowsProps) {
  const word = printHttpFilter(filter);
  const key = `${formatRange(range) ?? 'live'} ${word}`;
  const [open, setOpen] = useState<RequestRow>();
  const [hold, setHold] = useState(false);
  const moves = range.kind === 'last';
  const againMs = moves && range.forMs > LIVE_MS ? AGAIN_LONG_MS : AGAIN_MS;
  const held = paused || hold || open !== undefined;
  const asked: Asked<Page> = useAsk(async (signal) => {
    const span = spanOf(range, agentNow());
    return { ...await diag.requests({ query: { from: Math.floor(span.from), to: Math.ceil(span.to), limit: KEPT, ...(word === '' ? {} : { filter: word }) }, signal }), key };
  }, [key], moves && word !== '' && !held ? againMs : undefined);
  const page = asked.value?.key === key ? asked.value : undefined;
  const live = useLiveRows(moves && word === '' && page !== undefined, page?.rows, held, key);
  const state = [
    'newest first', !moves ? '' : paused ? 'paused' : hold ? 'held while the pointer is on the newest rows' : word === '' ? 'live' : `read again every ${duration(againMs)}`, live.waiting > 0 ? `${count(live.waiting)} waiting` : '',
    live.left > 0 ? `${count(live.left)} older rows left the table` : '', live.dropped > 0 ? `${count(live.dropped)} rows dropped on the way` : '', page?.more === true ? `the newest ${count(page.rows.length)} of more: narrow the range or the filter` : '',
  ].filter((w) => w !== '');
  return (
    <section class="wide table-part">
      <h2>Requests <small>{state.join(' · ')}</small></h2>
      {asked.problem ? <Failure problem={asked.problem} again={asked.again} /> : undefined}
      {page === undefined ? (asked.problem ? undefined : <Skeleton rows={14} />) : live.rows.length === 0 ? <Nothing word={word} />
        : <VirtualTable id="requests" label="Requests" columns={COLUMNS} rows={live.rows} keyOf={rowKey} onOpen={setOpen} onHold={setHold} rowClass={(r) => (r.status >= 500 ? 'is-bad' : '')} fill />}
      {open ? <RequestDialog row={open} onClose={() => setOpen(undefined)} /> : undefined}
    </section>
  );
}

function Nothing({ word }: { word: string }) {
  if (word === '') return <Empty title="No requests in this range.">The HTTP log has no rows of it; the figures say what was read.</Empty>;
  return <Empty title="No requests fit the filter.">Nothing in this range fits <code>{word}</code>. <button type="button" class="link" onClick={() => change({ filter: undefined, failed: undefined, status: undefined, route: undefined })}>Show all requests</button></Empty>;
}

interface LiveRows { readonly rows: readonly RequestRow[]; readonly left: number; readonly dropped: number; readonly waiting: number }

/** Live rows on top of those that were read; while held they wait, counted. */
function useLiveRows(on: boolean, first: readonly RequestRow[] | undefined, held: boolean, key: string): LiveRows {
  const [state, setState] = useState<LiveRows & { of?: readonly RequestRow[] | undefined }>({ rows: [], left: 0, dropped: 0, waiting: 0 });
  const waiting = useRef<RequestRow[]>([]);
  const isHeld = useRef(held);
  isHeld.current = held;
  useEffect(() => { waiting.current = []; setState({ of: first, rows: first ?? [], left: 0, dropped: 0, waiting: 0 }); }, [first]);
  const show = (dropped: number): void => {
    const more = waiting.current;
    waiting.current = [];
    setState((was) => {
      const next = prepend(was.rows, more, KEPT);
      return { ...was, rows: next.rows, left: was.left + next.left, dropped: was.dropped + dropped, waiting: 0 };
    });
  };
  useFollow(on ? () => ({ type: 'follow', topic: 'requests', since: Math.max(0, (first?.[0]?.at ?? Math.floor(agentNow())) - OVERLAP_MS) }) : undefined, (message) => {
    if (message.type !== 'requests') return;
    waiting.current = [...waiting.current, ...message.items].slice(-KEPT);
    if (!isHeld.current) show(message.dropped);
    else setState((was) => ({ ...was, dropped: was.dropped + message.dropped, waiting: waiting.current.length }));
  }, [on, first, key]);
  useEffect(() => { if (!held && waiting.current.length > 0) show(0); }, [held]);
  // Until the effect ran, what was read is what there is: no empty table in between.
  return state.of === first ? state : { rows: first ?? [], left: 0, dropped: 0, waiting: 0 };
}
