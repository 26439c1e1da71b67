// Owns latency, traffic and rows of the HTTP page: lanes over time, routes, time limits, the values of each dimension, single requests.
import type { HttpReport } from './http-report.ts';
import { distinctWords, keyWord, limitWhat, limitWords, othersWords, shareWord } from './http-words.ts';
import type { RequestRow } from './model.ts';
import type { Drawing } from './report-parts.ts';
import { card, linePath, table, tableTime } from './report-parts.ts';
import { axisLane, axisOf, lane, share, stretched, type Axis } from './report-timeline.ts';
import { count, duration, plural } from './units.ts';
import { el } from './view.ts';
import type { Element, View } from './view.ts';

const LINE_HEIGHT = 40;
const BAR_HEIGHT = 56;
/** A failed bar is never lower than this: one failure among a thousand must be seen. */
const LEAST_FAILED = 8;
const SHOWN_ROUTES = 200;
const SHOWN_VALUES = 12;
const SHOWN_ROWS = 200;
const round = (n: number): number => Math.round(n * 10) / 10;

export function latencyCard(report: HttpReport): Element | undefined {
  const axis = axisOf(report.from, report.to);
  const lanes = (['p50', 'p95', 'p99'] as const).flatMap((q, i) => {
    const values = report.minutes.flatMap((m) => (m[q] === undefined ? [] : [m[q]]));
    if (values.length === 0) return [];
    const top = Math.max(...values);
    const range = `${duration(Math.min(...values))} – ${duration(top)}`;
    return [lane(q, range, LINE_HEIGHT, `${q}: ${range}`, axis, stretched(LINE_HEIGHT, el('path', { class: `line ${['s3', 's2', 's4'][i] ?? 's5'}`, d: linePath(report.minutes.map((m) => [m.at, m[q] ?? null] as const), { from: axis.from, to: axis.to, top, height: LINE_HEIGHT }) })))];
  });
  if (lanes.length === 0) return undefined;
  return timed('Response time', `time-taken per ${duration(report.stepMs)}, each lane from zero, times in UTC`, 'latency', lanes, axis);
}

export function trafficCard(report: HttpReport): Element {
  const axis = axisOf(report.from, report.to);
  const top = Math.max(1, ...report.minutes.map((m) => m.count));
  const width = Math.max(0.6, (report.stepMs / Math.max(1, axis.to - axis.from)) * 1_000) * 0.85;
  const bar = (at: number, high: number): string => `M${share(at, axis)},${BAR_HEIGHT}V${round(BAR_HEIGHT - high)}h${round(width)}V${BAR_HEIGHT}z`;
  const scale = (n: number): number => (n / top) * (BAR_HEIGHT - 2);
  const all = report.minutes.filter((m) => m.count > 0).map((m) => bar(m.at, scale(m.count))).join('');
  const failed = report.minutes.filter((m) => m.failures > 0).map((m) => bar(m.at, Math.max(LEAST_FAILED, scale(m.failures)))).join('');
  return timed('Requests', `per ${duration(report.stepMs)}, failed in front, times in UTC`, 'traffic', [lane('requests', `up to ${count(top)} per ${duration(report.stepMs)}`, BAR_HEIGHT, `${plural(report.rows, 'request')}, of which ${count(report.failures)} failed`, axis, stretched(BAR_HEIGHT, el('path', { class: 'ok', d: all }), el('path', { class: 'failed', d: failed })))], axis);
}

function timed(title: string, note: string, id: string, lanes: readonly View[], axis: Axis): Element {
  return card(title, note, { id, class: 'timeline' }, el('div', { class: 'body' }, el('div', { class: 'lanes' }, lanes, axisLane(axis))));
}

export function routesCard(report: HttpReport, on: Drawing): Element {
  const rows = report.routes.slice(0, SHOWN_ROUTES).map((r) => [el('code', {}, `${r.method} ${r.route}`), r.count, r.failures, r.clientErrors, r.p50 ?? null, r.p95 ?? null, r.p99 ?? null, r.max ?? null, r.sentBytes ?? null]);
  const cut = report.routes.slice(SHOWN_ROUTES);
  const rest = { count: report.otherRoutes.count + cut.reduce((n, r) => n + r.count, 0), failures: report.otherRoutes.failures + cut.reduce((n, r) => n + r.failures, 0) };
  const others = othersWords({ top: [], others: rest, distinct: 0 });
  return card('Routes', 'most failures first; numbers, GUIDs and hashes are folded into {id}', { id: 'routes' },
    table([{ title: 'Route', unit: 'text' }, { title: 'Requests', unit: 'count' }, { title: 'Failed', unit: 'count' }, { title: '4xx', unit: 'count' }, { title: 'p50', unit: 'ms' }, { title: 'p95', unit: 'ms' }, { title: 'p99', unit: 'ms' }, { title: 'Slowest', unit: 'ms' }, { title: 'Sent', unit: 'bytes' }], rows, on, 'Requests by route'),
    ...(others === undefined ? [] : [el('p', { class: 'more' }, `and ${others}: ${distinctWords({ distinct: report.otherRoutes.distinct + cut.length, estimated: report.otherRoutes.estimated }, 'more route')}.`)]));
}

export function limitsCard(report: HttpReport, on: Drawing): Element | undefined {
  if (report.limits.length === 0) return undefined;
  return card('At time limits', 'requests that ended where something gives up', { id: 'limits' }, el('ul', { class: 'limits body' }, report.limits.map((l) => el('li', {}, el('b', {}, limitWhat(l)), `: ${limitWords(l)} First `, tableTime(l.from, on), ', last ', tableTime(l.to, on), '.'))));
}

const DIMENSIONS = [['methods', 'Methods', 'method'], ['hosts', 'Hosts', 'host'], ['instances', 'Instances', 'instance'], ['clients', 'Clients', 'client'], ['agents', 'User agents', 'family'], ['referrers', 'Referrers', 'referring host']] as const;

/** A dimension that no log has is left out; the others stand beside each other. */
export function dimensionsCards(report: HttpReport, on: Drawing): Element[] {
  const there = DIMENSIONS.filter(([id]) => report[id].top.length > 0);
  if (there.length === 0) return [];
  return [card('Who asked', 'the largest of each; what the others add up to stands below', { id: 'dimensions' }, el('div', { class: 'body proof' }, there.map(([id, title, one]) => {
    const groups = report[id];
    const told = groups.top.slice(0, SHOWN_VALUES);
    const cut = groups.top.slice(SHOWN_VALUES);
    const rows = told.map((g) => [g.name === '-' || g.name === '' ? 'none' : g.name, g.count, shareWord(g.count, report.rows) ?? null, g.failures, g.p95 ?? null]);
    const sum = (of: 'count' | 'failures'): number => groups.others[of] + cut.reduce((n, g) => n + g[of], 0);
    const others = othersWords({ ...groups, others: { count: sum('count'), failures: sum('failures') } });
    return el('figure', { class: 'half' }, el('figcaption', {}, title, el('small', {}, ` ${distinctWords(groups, one)}`)),
      table([{ title: title, unit: 'text' }, { title: 'Requests', unit: 'count' }, { title: 'Share', unit: 'text' }, { title: 'Failed', unit: 'count' }, { title: 'p95', unit: 'ms' }], rows, on, `Requests by ${one}`), others !== undefined && el('p', { class: 'more' }, `and ${others}`));
  })))];
}

/** A status that is not well stands out by weight and colour. */
export const statusCell = (word: string, status: number): Element => (status < 400 ? el('span', {}, word) : el('b', { class: status >= 500 ? 'key' : 'key refused' }, word));

export function rowsCard(title: string, id: string, all: readonly RequestRow[], on: Drawing, of = all.length): Element | undefined {
  if (all.length === 0) return undefined;
  const rows = all.slice(0, SHOWN_ROWS);
  const cells = rows.map((r) => [r.at, statusCell(keyWord([r.status, r.sub ?? 0, r.win32 ?? 0].join('.')), r.status), el('code', {}, `${r.method} ${r.path}`), r.takenMs ?? null, r.client ?? null, r.reason ?? null, el('span', { class: 'place' }, el('code', {}, r.source), ' ', el('span', {}, `at byte ${count(r.offset)}`))]);
  return card(title, undefined, { id, class: 'request-rows' }, table([{ title: 'Time (UTC)', unit: 'at' }, { title: 'Status', unit: 'text' }, { title: 'Request', unit: 'text' }, { title: 'Taken', unit: 'ms' }, { title: 'Client', unit: 'text' }, { title: 'Meaning', unit: 'text' }, { title: 'In the log', unit: 'text' }], cells, on, title),
    ...(of > rows.length ? [el('p', { class: 'more' }, `and ${count(of - rows.length)} more, not in this file`)] : []));
}
