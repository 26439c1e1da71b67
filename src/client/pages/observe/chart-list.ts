// Owns which charts there are, in which order, with which series; and turns a window of samples into what one chart draws.
import type { ProcessKey } from '../../../shared/model.ts';
import { metric, type MetricId, type Unit } from '../../../shared/metrics.ts';
import { joined, type Column, type SeriesWindow } from '../../live/series-window.ts';

export interface SeriesDef { readonly metric: MetricId; readonly label: string; readonly token: string }
export interface ChartDef {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly series: readonly SeriesDef[];
  /** One more line for each of the processes with the highest values, up to six series in all. */
  readonly each?: MetricId;
  /** Bars on top of each other, the first series lowest. */
  readonly stacked?: boolean;
}

/** Colours of processes: the six series colours without the one of the site. */
const EACH_TOKENS = ['s2', 's3', 's4', 's6', 's5'] as const;
export const MAX_SERIES = 6;

export const CHARTS: readonly ChartDef[] = [
  { id: 'requests', title: 'Requests by class', unit: 'count', stacked: true, series: [{ metric: 'http.5xx', label: '5xx', token: 'bad' }, { metric: 'http.4xx', label: '4xx', token: 's6' }, { metric: 'http.3xx', label: '3xx', token: 's1' }, { metric: 'http.2xx', label: '2xx', token: 'bar' }] },
  { id: 'response', title: 'Response time', unit: 'ms', series: [{ metric: 'http.response-p50', label: 'p50', token: 's3' }, { metric: 'http.response-p95', label: 'p95', token: 's2' }, { metric: 'http.response-p99', label: 'p99', token: 's4' }, { metric: 'http.response-average', label: 'average', token: 's5' }] },
  { id: 'cpu', title: 'CPU, percent of one core', unit: 'percent', each: 'process.cpu', series: [{ metric: 'site.cpu', label: 'site', token: 's1' }] },
  { id: 'memory', title: 'Memory', unit: 'bytes', series: [{ metric: 'site.working-set', label: 'working set', token: 's4' }, { metric: 'site.private-bytes', label: 'private', token: 's1' }, { metric: 'site.average-working-set', label: 'average working set', token: 's5' }] },
  { id: 'process-memory', title: 'Memory working set by process', unit: 'bytes', each: 'process.working-set', series: [] },
  { id: 'cpu-time', title: 'CPU time', unit: 'ms', series: [{ metric: 'site.cpu-time', label: 'site', token: 's3' }] },
  { id: 'threads', title: 'Threads and handles', unit: 'count', series: [{ metric: 'site.threads', label: 'threads', token: 's1' }, { metric: 'site.handles', label: 'handles', token: 's2' }, { metric: 'site.processes', label: 'processes', token: 's3' }] },
  { id: 'traffic', title: 'Data out and in', unit: 'bytes', series: [{ metric: 'http.bytes-sent', label: 'out', token: 's1' }, { metric: 'http.bytes-received', label: 'in', token: 's2' }] },
  { id: 'host-cpu', title: 'Host CPU', unit: 'percent', series: [{ metric: 'host.cpu', label: 'host', token: 's5' }] },
  { id: 'host-memory', title: 'Host memory', unit: 'bytes', series: [{ metric: 'host.memory-used', label: 'used', token: 's4' }, { metric: 'host.memory-total', label: 'total', token: 's5' }] },
  { id: 'host-disk', title: 'Home disk', unit: 'bytes', series: [{ metric: 'host.disk-free', label: 'free', token: 's3' }, { metric: 'host.disk-total', label: 'total', token: 's5' }] },
  { id: 'agent-cpu', title: 'Agent CPU, percent of one core', unit: 'percent', series: [{ metric: 'agent.cpu', label: 'agent', token: 's5' }] },
  { id: 'agent-memory', title: 'Agent memory', unit: 'bytes', series: [{ metric: 'agent.working-set', label: 'agent', token: 's5' }] },
  { id: 'agent-sampling', title: 'Cost of sampling', unit: 'ms', series: [{ metric: 'agent.sampling', label: 'sampling', token: 's5' }] },
];

/** From inside the apps that carry the preload; where none does there is nothing to draw. */
export const APP_CHARTS: readonly ChartDef[] = [
  { id: 'app-requests', title: 'Requests answered in the app', unit: 'count', series: [{ metric: 'app.requests', label: 'answered', token: 's1' }] },
  { id: 'app-flights', title: 'Requests in flight in the app', unit: 'count', series: [{ metric: 'app.in-flight', label: 'in flight', token: 's2' }] },
  { id: 'app-response', title: 'Response time in the app', unit: 'ms', series: [{ metric: 'app.response-p99', label: 'p99', token: 's4' }] },
  { id: 'app-loop', title: 'Longest event-loop delay', unit: 'ms', series: [{ metric: 'app.loop-delay', label: 'longest of the second', token: 's6' }] },
  { id: 'app-busy', title: 'Event loop busy', unit: 'percent', series: [{ metric: 'app.loop-busy', label: 'busiest app', token: 's5' }] },
  { id: 'app-heap', title: 'JavaScript heap', unit: 'bytes', series: [{ metric: 'app.heap-used', label: 'used', token: 's3' }] },
];

/** Every metric of the site that a chart reads, for one question to the history; and those of each process. */
export const SITE_METRICS: readonly MetricId[] = [...new Set([...CHARTS, ...APP_CHARTS].flatMap((c) => c.series.map((s) => s.metric)))];
export const EACH_METRICS: readonly MetricId[] = [...new Set(CHARTS.flatMap((c) => (c.each ? [c.each] : [])))];

/** The chart that shows a metric, for links from elsewhere. */
export const chartOf = (id: string | undefined): ChartDef | undefined => CHARTS.find((c) => c.id === id || c.series.some((s) => s.metric === id));

export interface Line { readonly name: string; readonly label: string; readonly token: string; readonly values: Column; readonly drawn: (number | null | undefined)[] }
/** What processes are called; the agent's own and the SCM site's are not the site's, so no chart of it shows them. */
export type Names = ReadonlyMap<string, { readonly label: string; readonly ours: boolean }>;
export const nameKey = (p: ProcessKey): string => `${p.pid}:${p.startedAt}`;

/** Sums of a step are shown per second, so that the axis means the same in every range. */
const perSecond = (id: MetricId, stepMs: number): number => (metric(id).fold === 'sum' ? 1_000 / stepMs : 1);
export const isRate = (def: ChartDef): boolean => def.series.some((s) => metric(s.metric).fold === 'sum');

/** The lines of one chart as they are now; what was never measured has no line. */
export function linesOf(def: ChartDef, window: SeriesWindow, names: Names): readonly Line[] {
  const lines: Line[] = [];
  const add = (name: string, label: string, token: string, id: MetricId, column: Column | undefined): void => {
    if (!column?.some((v) => v !== null)) return;
    const scale = perSecond(id, window.stepMs);
    const values = scale === 1 ? column : column.map((v) => (v === null ? null : v * scale));
    lines.push({ name, label, token, values, drawn: def.stacked ? values : joined(values) });
  };
  for (const s of def.series) add(s.metric, s.label, s.token, s.metric, window.column(s.metric));
  if (def.each) {
    const id = def.each;
    const room = Math.min(MAX_SERIES - lines.length, EACH_TOKENS.length);
    topProcesses(window, id, room, names).forEach((p, i) => add(nameKey(p), names.get(nameKey(p))?.label ?? `pid ${p.pid}`, EACH_TOKENS[i] ?? 's5', id, window.column(id, p)));
  }
  return def.stacked ? stack(lines) : lines;
}

function topProcesses(window: SeriesWindow, id: MetricId, room: number, names: Names): readonly ProcessKey[] {
  const most = (p: ProcessKey): number => (window.column(id, p) ?? []).reduce((m: number, v) => Math.max(m, v ?? 0), 0);
  const chosen = window.processes().filter((p) => names.get(nameKey(p))?.ours !== true).map((p) => ({ p, most: most(p) })).sort((a, b) => b.most - a.most).slice(0, room);
  // Colours follow the process, not its rank of the second.
  return chosen.map((c) => c.p).sort((a, b) => a.startedAt - b.startedAt || a.pid - b.pid);
}

/** Each line drawn on top of those before it; what is missing adds nothing, all missing is a gap. */
export function stack(lines: readonly Line[]): readonly Line[] {
  let below: (number | null)[] | undefined;
  return lines.map((line) => {
    const base = below;
    const drawn = line.values.map((v, i) => (v === null ? (base?.[i] ?? null) : v + (base?.[i] ?? 0)));
    below = drawn;
    return { ...line, drawn };
  });
}
