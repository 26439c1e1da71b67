// Owns the columns of the App tables: processes, requests in flight, routes, dependencies, failures.
import type { AppBrief, AppDependencyView, AppFlightView, AppInside, AppLookupView, AppRouteView } from '../../../shared/app-view.ts';
import { bytes, count } from '../../../shared/units.ts';
import type { TableColumn } from '../../parts/virtual-table.tsx';
import { Ago } from '../../parts/text.tsx';
import { BY_WORDS, KIND_WORDS, lookupOf, ms, num, pairs, perSecond, shareOf, stateWords, total, waitWords } from './app-words.ts';

const size = (n: number | undefined): string => (n === undefined ? '–' : bytes(n));
type Timed = { readonly p50Ms?: number | undefined; readonly p95Ms?: number | undefined; readonly p99Ms?: number | undefined; readonly maxMs?: number | undefined };
const time = <T,>(id: string, title: string, of: (row: T) => number | undefined, more: Partial<TableColumn<T>> = {}): TableColumn<T> => ({ id, title, width: '76px', num: true, cell: (row) => ms(of(row)), value: of, ...more });
const times = <T extends Timed>(wide: boolean): readonly TableColumn<T>[] => [time('p50', 'p50', (r) => r.p50Ms, { wide }), time('p95', 'p95', (r) => r.p95Ms, { width: '66px' }), time('p99', 'p99', (r) => r.p99Ms, { wide }), time('max', 'Longest', (r) => r.maxMs, { wide })];

export const PROCESSES: readonly TableColumn<AppBrief>[] = [
  { id: 'pid', title: 'Process', width: '60px', num: true, cell: (r) => r.pid, value: (r) => r.pid },
  { id: 'state', title: 'State', width: 'minmax(60px,1fr)', cell: (r) => <span class={r.state === 'ended' ? 'bad' : ''} title={r.ending}>{stateWords(r)}{r.endedAt === undefined ? undefined : <> <Ago at={r.endedAt} />{r.ending === undefined ? '' : `: ${r.ending}`}</>}</span>, value: (r) => stateWords(r) },
  { id: 'requests', title: 'Requests', width: '76px', num: true, cell: (r) => perSecond(r.requests, r.coversMs), value: (r) => (r.requests === undefined || r.coversMs === 0 ? undefined : r.requests / r.coversMs) },
  { id: 'failed', title: 'Failed', width: '64px', num: true, wide: true, cell: (r) => <span class={(r.failed ?? 0) > 0 ? 'bad' : ''}>{num(r.failed)}</span>, value: (r) => r.failed },
  { id: 'flights', title: 'In flight', width: '60px', num: true, cell: (r) => num(r.inFlight), value: (r) => r.inFlight },
  time('p95', 'p95', (r) => r.p95Ms, { wide: true }),
  time('delay', 'Loop p99', (r) => r.loop?.p99Ms, { wide: true, width: '84px' }),
  { id: 'busy', title: 'Loop busy', width: '84px', num: true, wide: true, cell: (r) => shareOf(r.loop?.utilization), value: (r) => r.loop?.utilization },
  { id: 'heap', title: 'Heap', width: '84px', num: true, wide: true, cell: (r) => size(r.heap?.used), value: (r) => r.heap?.used },
  { id: 'limit', title: 'of its limit', width: '92px', num: true, wide: true, cell: (r) => shareOf(r.heap === undefined || r.heap.limit === 0 ? undefined : r.heap.used / r.heap.limit), value: (r) => (r.heap === undefined || r.heap.limit === 0 ? undefined : r.heap.used / r.heap.limit) },
  { id: 'rss', title: 'Memory', width: '84px', num: true, wide: true, cell: (r) => size(r.heap?.rss), value: (r) => r.heap?.rss },
  { id: 'gc', title: 'In GC', width: '72px', num: true, wide: true, cell: (r) => shareOf(r.gcShare), value: (r) => r.gcShare },
  { id: 'node', title: 'Node', width: '84px', extra: true, cell: (r) => r.node, value: (r) => r.node },
];

export type Flight = AppFlightView & { readonly key: string };
export const flightColumns = (several: boolean, followed: boolean): readonly TableColumn<Flight>[] => [
  { id: 'age', title: 'For', width: '84px', num: true, cell: (r) => ms(r.ageMs), value: (r) => r.ageMs },
  { id: 'request', title: 'Request', width: 'minmax(120px,2fr)', cell: (r) => <span title={`${r.method} ${r.path}`}><b>{r.method}</b> {r.path}{r.protocol === undefined ? '' : ' · HTTP/2'}</span>, value: (r) => `${r.method} ${r.path}` },
  { id: 'waits', title: 'Waits for', width: 'minmax(96px,2fr)', wide: !followed, cell: (r) => <span class={r.waits === undefined ? 'absent' : ''} title={waitWords(r)}>{waitWords(r) ?? 'not followed'}</span>, value: (r) => waitWords(r) },
  ...(several ? [{ id: 'pid', title: 'Process', width: '76px', num: true, wide: true, cell: (r: Flight) => r.pid ?? '–', value: (r: Flight) => r.pid }] : []),
];

export const routeColumns = (coversMs: number): readonly TableColumn<AppRouteView>[] => [
  { id: 'route', title: 'Route', width: 'minmax(90px,3fr)', cell: (r) => <span title={`${r.method} ${r.path}${r.pattern ? '' : ' (path, its ids folded)'}`}><b>{r.method}</b> {r.path}</span>, value: (r) => `${r.method} ${r.path}` },
  { id: 'count', title: 'Requests', width: '64px', num: true, cell: (r) => count(r.count), value: (r) => r.count },
  { id: 'rate', title: 'Rate', width: '84px', num: true, wide: true, cell: (r) => perSecond(r.count, coversMs), value: (r) => r.count },
  { id: 'failed', title: 'Failed', width: '52px', num: true, cell: (r) => <span class={r.failed > 0 ? 'bad' : ''}>{count(r.failed)}</span>, value: (r) => r.failed },
  { id: 'aborted', title: 'Aborted', width: '72px', num: true, wide: true, cell: (r) => count(r.aborted), value: (r) => r.aborted },
  ...times<AppRouteView>(true),
  { id: 'statuses', title: 'Statuses', width: 'minmax(80px,1fr)', extra: true, cell: (r) => <span title={pairs(r.statuses)}>{pairs(r.statuses)}</span>, value: (r) => pairs(r.statuses) },
  { id: 'out', title: 'Out', width: '84px', num: true, extra: true, cell: (r) => bytes(r.bytesOut), value: (r) => r.bytesOut },
  { id: 'in', title: 'In', width: '84px', num: true, extra: true, cell: (r) => size(r.bytesIn), value: (r) => r.bytesIn },
];

/** A socket's calls are not seen, so it has no count and no times of its own. */
const calls = (r: AppDependencyView): number | undefined => (r.by === 'socket' ? undefined : r.count);
export const dependencyColumns = (lookups: readonly AppLookupView[]): readonly TableColumn<AppDependencyView>[] => [
  { id: 'host', title: 'To', width: 'minmax(90px,3fr)', cell: (r) => <span title={`${r.host}, by ${BY_WORDS[r.by]}`}>{r.host}{r.service === undefined ? '' : ` · ${r.service}`}</span>, value: (r) => r.host },
  { id: 'by', title: 'By', width: '56px', wide: true, cell: (r) => BY_WORDS[r.by], value: (r) => BY_WORDS[r.by] },
  { id: 'count', title: 'Calls', width: '52px', num: true, cell: (r) => num(calls(r)), value: calls },
  { id: 'errors', title: 'Errors', width: 'minmax(60px,1fr)', cell: (r) => <span class={r.errors.length > 0 ? 'bad' : ''} title={pairs(r.errors)}>{r.errors.length === 0 ? '0' : pairs(r.errors)}</span>, value: (r) => total(r.errors) },
  ...times<AppDependencyView>(true),
  { id: 'flights', title: 'In flight', width: '68px', num: true, wide: true, cell: (r) => num(r.by === 'socket' ? undefined : r.inFlight), value: (r) => r.inFlight },
  { id: 'open', title: 'Open', width: '56px', num: true, wide: true, cell: (r) => num(r.open), value: (r) => r.open },
  { id: 'waiting', title: 'Waiting', width: '64px', num: true, wide: true, cell: (r) => <span class={(r.waiting ?? 0) > 0 ? 'warn' : ''}>{num(r.waiting)}</span>, value: (r) => r.waiting },
  time('dns', 'DNS p95', (r) => lookupOf(r, lookups)?.p95Ms, { wide: true }),
  time('connect', 'Connect p95', (r) => r.connect?.p95Ms, { extra: true, width: '92px' }),
  time('queued', 'Queue p95', (r) => r.queued?.p95Ms, { extra: true, width: '84px' }),
  time('silent', 'Silent for', (r) => r.silentMs, { extra: true, width: '84px' }),
  { id: 'idle', title: 'Idle', width: '56px', num: true, extra: true, cell: (r) => num(r.idle), value: (r) => r.idle },
  { id: 'statuses', title: 'Statuses', width: 'minmax(80px,1fr)', extra: true, cell: (r) => <span title={pairs(r.statuses)}>{pairs(r.statuses)}</span>, value: (r) => pairs(r.statuses) },
];

export type Failure = AppInside['failures'][number];
export const FAILURES: readonly TableColumn<Failure>[] = [
  { id: 'kind', title: 'Kind', width: '80px', wide: true, cell: (r) => <span class={r.kind === 'exception' || r.kind === 'rejection' ? 'bad' : ''}>{KIND_WORDS[r.kind]}</span>, value: (r) => KIND_WORDS[r.kind] },
  { id: 'what', title: 'What', width: 'minmax(140px,3fr)', cell: (r) => <span title={`${r.type}: ${r.message}`}><b>{r.type}</b>{r.message === '' ? '' : `: ${r.message}`}</span>, value: (r) => `${r.type}: ${r.message}` },
  { id: 'place', title: 'At', width: 'minmax(100px,2fr)', wide: true, cell: (r) => <code title={placeOf(r)}>{placeOf(r) ?? '–'}</code>, value: placeOf },
  { id: 'route', title: 'In', width: 'minmax(80px,1fr)', wide: true, cell: (r) => <span title={r.route}>{r.route ?? '–'}</span>, value: (r) => r.route },
  { id: 'count', title: 'Times', width: '64px', num: true, cell: (r) => count(r.count), value: (r) => r.count },
  { id: 'first', title: 'First', width: '96px', wide: true, cell: (r) => <Ago at={r.firstAt} />, value: (r) => r.firstAt },
  { id: 'last', title: 'Last', width: '96px', cell: (r) => <Ago at={r.lastAt} />, value: (r) => r.lastAt },
];
export function placeOf(failure: Failure): string | undefined { return failure.sources?.[0] ?? failure.frames[0]; }
