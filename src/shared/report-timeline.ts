// Owns the timeline of a report: what changed, the workers, the requests and the metrics on one time axis, drawn as lanes.
import type { Change, Report } from './model.ts';
import { metric } from './metrics.ts';
import type { MetricId } from './metrics.ts';
import { count, duration, plural, quantity } from './units.ts';
import { card, instant, linePath, table, utcForm } from './report-parts.ts';
import type { Drawing } from './report-parts.ts';
import { causeId, windowBands, windowOfCause } from './report-windows.ts';
import { el } from './view.ts';
import type { Element, View } from './view.ts';

export interface Axis { readonly from: number; readonly to: number; readonly ticks: readonly number[]; readonly stepMs: number }

/** Rows of the table below the lanes: enough for reading; all changes are in report.json. */
const SHOWN_CHANGES = 60;
const SERIES_COLOURS: Readonly<Partial<Record<MetricId, string>>> = { 'http.response-p95': 's2', 'site.working-set': 's4', 'site.cpu': 's1' };
/** Steps a person reads off an axis without thinking. */
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800].map((s) => s * 1_000);
const MOST_TICKS = 6;
/** More labels than these would lie over each other; the marks' titles and the table still name them. */
const NAMED_MARKS = 4;

export function timelineCard(report: Report, on: Drawing): Element {
  const { window, timeline } = report;
  const axis = axisOf(window.from, window.to);
  const lanes: View[] = [
    ...markLane(timeline.changes, axis), ...workerLane(timeline.changes, axis), ...requestLane(report, axis), ...causeLanes(report, axis),
    ...timeline.series.map((s) => seriesLane(s.metric, s.points, axis)),
  ];
  const body = lanes.length === 0
    ? el('p', { class: 'empty' }, 'Nothing was collected that has a time: the HTTP log, the metrics and the list of changes are missing.')
    : el('div', { class: 'lanes' }, lanes, axisLane(axis), windowBands(report, (at) => Number.parseFloat(x(at, axis))));
  return card('Timeline', `${duration(window.to - window.from)}, one axis, times in UTC`, { id: 'timeline', class: 'timeline' }, el('div', { class: 'body' }, body, ...changesTable(timeline.changes, on)));
}

export function axisOf(from: number, to: number): Axis {
  const span = Math.max(1, to - from);
  const stepMs = STEPS_MS.find((step) => span / step <= MOST_TICKS) ?? Math.ceil(span / MOST_TICKS / 86_400_000) * 86_400_000;
  const ticks: number[] = [];
  for (let at = Math.ceil(from / stepMs) * stepMs; at <= to; at += stepMs) ticks.push(at);
  return { from, to, ticks, stepMs };
}

function x(at: number, axis: Axis): string {
  const share = (at - axis.from) / Math.max(1, axis.to - axis.from);
  return `${Math.round(Math.min(1, Math.max(0, share)) * 10_000) / 100}%`;
}

export function lane(name: View, range: string | undefined, height: number, says: string, axis: Axis, ...drawn: readonly View[]): Element {
  const grid = axis.ticks.map((at) => el('line', { class: 'grid', x1: x(at, axis), x2: x(at, axis), y1: 0, y2: height }));
  return el('div', { class: 'lane' },
    el('div', { class: 'lane-name' }, name, range !== undefined && el('small', {}, range)),
    el('svg', { width: '100%', height, role: 'img', 'aria-label': says }, grid, drawn));
}

/** A nested drawing box 1000 wide that stretches with the lane; strokes keep their width. */
export function stretched(height: number, ...children: readonly View[]): Element {
  return el('svg', { x: 0, y: 0, width: '100%', height, viewBox: `0 0 1000 ${height}`, preserveAspectRatio: 'none' }, children);
}

const within = (axis: Axis) => (change: Change): boolean => change.at >= axis.from && change.at <= axis.to;

function markLane(changes: readonly Change[], axis: Axis): Element[] {
  const marks = changes.filter((c) => c.kind === 'deployment' || c.kind === 'configuration' || c.kind === 'rule' || c.kind === 'session').filter(within(axis));
  if (marks.length === 0) return [];
  const named = marks.length <= NAMED_MARKS;
  const drawn = marks.map((c) => el('svg', { x: x(c.at, axis), y: 0, width: 1, height: 24 },
    el('title', {}, `${utcForm(c.at, 'full')} UTC: ${c.title}`), el('circle', { class: `mark ${c.kind}`, cx: 0, cy: 12, r: 5 }), named && label(c, axis)));
  return [lane('changes', undefined, 24, `Changes: ${marks.map((c) => `${c.title} at ${utcForm(c.at, 'time')} UTC`).join(', ')}`, axis, ...drawn)];
}

/** The label stands on the side that has room. */
function label(c: Change, axis: Axis): Element {
  const late = (c.at - axis.from) / Math.max(1, axis.to - axis.from) > 0.6;
  const text = c.title.length > 28 ? `${c.title.slice(0, 27)}…` : c.title;
  return el('text', { x: late ? -10 : 10, y: 16, 'text-anchor': late ? 'end' : 'start' }, text);
}

/** When a worker ran, from its starts and exits; the window's edges are assumed to run on as the nearest change says. */
function workerLane(changes: readonly Change[], axis: Axis): Element[] {
  const events = changes.filter((c) => c.kind === 'start' || c.kind === 'exit' || c.kind === 'stopped').filter(within(axis)).sort((a, b) => a.at - b.at);
  if (events.length === 0) return [];
  const spans: [number, number][] = [];
  let since: number | undefined = events[0]?.kind === 'start' ? undefined : axis.from;
  for (const event of events) {
    if (event.kind === 'start') since ??= event.at;
    else if (since !== undefined) { spans.push([since, event.at]); since = undefined; }
  }
  if (since !== undefined) spans.push([since, axis.to]);
  const bars = el('path', { class: 'running', d: spans.map(([a, b]) => { const [l, r] = [share(a, axis), share(b, axis)]; return `M${l},7H${Math.max(l, r - 1)}V19H${l}z`; }).join('') });
  const exits = events.filter((e) => e.kind !== 'start');
  const marks = exits.map((e) => el('svg', { x: x(e.at, axis), y: 0, width: 1, height: 24 },
    el('title', {}, `${utcForm(e.at, 'full')} UTC: ${e.title}`), el('path', { class: e.level === 'critical' || e.level === 'warning' ? 'exit' : 'exit planned', d: 'M-5,4h10l-5,9z' })));
  return [lane('worker', exits.length === 0 ? undefined : plural(exits.length, 'exit'), 24, `Worker: ${plural(exits.length, 'exit')}${exits.length > 0 ? `, ${exits.slice(0, 10).map((e) => `${e.title} at ${utcForm(e.at, 'time')} UTC`).join(', ')}` : ''}`, axis, stretched(24, bars), ...marks)];
}

export function share(at: number, axis: Axis): number {
  return Math.round(Math.min(1, Math.max(0, (at - axis.from) / Math.max(1, axis.to - axis.from))) * 10_000) / 10;
}

const REQUEST_HEIGHT = 40;
/** A failed bar is never lower than this: one failure among a thousand must be seen. */
const LEAST_FAILED = 10;

function requestLane(report: Report, axis: Axis): Element[] {
  const buckets = report.timeline.requests;
  if (buckets.length === 0) return [];
  const top = Math.max(1, ...buckets.map((b) => b.ok + b.refused + b.failed));
  const width = Math.max(0.6, (report.timeline.stepMs / Math.max(1, axis.to - axis.from)) * 1_000);
  const sum = buckets.reduce((n, b) => ({ total: n.total + b.ok + b.refused + b.failed, failed: n.failed + b.failed }), { total: 0, failed: 0 });
  const bar = (at: number, low: number, high: number): string => `M${share(at, axis)},${round(REQUEST_HEIGHT - low)}V${round(REQUEST_HEIGHT - high)}h${round(width * 0.8)}V${round(REQUEST_HEIGHT - low)}z`;
  const scale = (n: number): number => (n / top) * (REQUEST_HEIGHT - 2);
  const paths = { ok: '', refused: '', failed: '' };
  for (const b of buckets) {
    const failed = b.failed === 0 ? 0 : Math.max(LEAST_FAILED, scale(b.failed));
    const ok = scale(b.ok);
    if (b.ok > 0) paths.ok += bar(b.at, 0, ok);
    if (b.refused > 0) paths.refused += bar(b.at, ok, ok + scale(b.refused));
    if (failed > 0) paths.failed += bar(b.at, 0, failed);      // in front, so that they stand out
  }
  return [lane('requests', `up to ${count(top)} per ${duration(report.timeline.stepMs)}`, REQUEST_HEIGHT, `Requests: ${count(sum.total)}, of which ${count(sum.failed)} failed`, axis,
    stretched(REQUEST_HEIGHT, el('path', { class: 'ok', d: paths.ok }), el('path', { class: 'refused', d: paths.refused }), el('path', { class: 'failed', d: paths.failed })))];
}

const CAUSE_LANES = 4;

/** From when to when each found cause was seen at work, under the requests that it made fail. */
function causeLanes(report: Report, axis: Axis): Element[] {
  return report.causes.filter((c) => c.verdict === 'found' && c.id !== 'healthy' && c.since !== undefined).slice(0, CAUSE_LANES).map((cause) => {
    const seenFrom = windowOfCause(report, cause);
    const since = cause.since ?? axis.from, until = Math.max(since, seenFrom?.to ?? since);
    const [left, right] = [share(since, axis), share(until, axis)];
    const seen = [...new Set(cause.for.flatMap((f) => (f.at === undefined ? [] : [f.at])))].filter((at) => at >= axis.from && at <= axis.to);
    const says = `${cause.id} from ${utcForm(since, 'full')} to ${utcForm(until, 'full')} UTC: ${cause.title}`;
    const marks = seen.map((at) => el('svg', { x: x(at, axis), y: 0, width: 1, height: CAUSE_HEIGHT }, el('title', {}, `${utcForm(at, 'full')} UTC: ${cause.for.find((f) => f.at === at)?.text ?? ''}`), el('circle', { class: 'mark rule', cx: 0, cy: CAUSE_HEIGHT / 2, r: 4 })));
    return lane(el('a', { href: `#${causeId(report, cause)}` }, cause.id), undefined, CAUSE_HEIGHT, says, axis, stretched(CAUSE_HEIGHT, el('path', { class: 'failed', d: `M${left},8H${Math.max(right, left + 2)}V16H${left}z`, opacity: 0.35 })), ...marks);
  });
}
const CAUSE_HEIGHT = 24;

const round = (n: number): number => Math.round(n * 10) / 10;
const LINE_HEIGHT = 32;

function seriesLane(id: MetricId, points: readonly (readonly [number, number | null])[], axis: Axis): Element {
  const row = metric(id);
  const values = points.flatMap(([, v]) => (v === null ? [] : [v]));
  const top = Math.max(0, ...values);
  const range = values.length === 0 ? 'not measured' : `${quantity(Math.min(...values), row.unit)} – ${quantity(top, row.unit)}`;
  return lane(row.title.toLowerCase().replace('cpu', 'CPU'), range, LINE_HEIGHT, `${row.title}: ${range}`, axis,
    stretched(LINE_HEIGHT, el('path', { class: `line ${SERIES_COLOURS[id] ?? 's5'}`, d: linePath(points, { from: axis.from, to: axis.to, top, height: LINE_HEIGHT }) })));
}

export function axisLane(axis: Axis): Element {
  const form = axis.stepMs >= 86_400_000 ? 'date' : axis.stepMs >= 60_000 ? 'minute' : 'time';
  const edge = (axis.to - axis.from) * 0.03;
  const labels = axis.ticks.map((at) => el('text', { class: 'tick', x: x(at, axis), y: 14, 'text-anchor': at - axis.from < edge ? 'start' : axis.to - at < edge ? 'end' : 'middle', 'data-at': at, 'data-form': form }, utcForm(at, form)));
  return el('div', { class: 'lane axis' }, el('div', { class: 'lane-name' }), el('svg', { width: '100%', height: 20, 'aria-hidden': 'true' }, labels));
}

function changesTable(changes: readonly Change[], on: Drawing): Element[] {
  if (changes.length === 0) return [];
  const rows = [...changes].sort((a, b) => a.at - b.at).slice(-SHOWN_CHANGES).map((c) => [c.at, c.title, c.detail ?? null]);
  const hidden = changes.length - rows.length;
  return [el('details', { class: 'changes', open: true }, el('summary', {}, `What changed: ${plural(changes.length, 'entry', 'entries')}`),
    table([{ title: 'Time (UTC)', unit: 'at' }, { title: 'Change', unit: 'text' }, { title: 'Detail', unit: 'text' }], rows, on, 'What changed'),
    hidden > 0 && el('p', { class: 'more' }, `and ${count(hidden)} earlier ones, in report.json`))];
}

/** The ends of the window in one line, for the report's head. */
export function windowText(from: number, to: number): View[] {
  return [instant(from, 'full'), ' – ', instant(to, new Date(from).getUTCDate() === new Date(to).getUTCDate() && to - from < 86_400_000 ? 'time' : 'full')];
}
