// Owns the judgement of the machine under the app: CPU, memory and disk of the window against the limits that physics gives.
import type { Evidence, Finding, Series } from '../../shared/model.ts';
import type { MetricId } from '../../shared/metrics.ts';
import { metric } from '../../shared/metrics.ts';
import { MetricsFile, ProcessListFile } from '../../shared/artifacts.ts';
import { bytes, duration, percent, quantity } from '../../shared/units.ts';
import type { Analyzer } from '../contracts.ts';
import { readAll, unreadableFinding } from '../parse/json-artifacts.ts';
import { clock, oneLine } from '../parse/words.ts';

/** Above nine tenths of the machine's memory the system pages or ends processes; the platform's own auto-heal acts there too. */
const MEMORY_SHARE = 0.9;
/** One core is all that one JavaScript thread can use: near it for this long, its event loop has no room for the next request. */
const CORE_PERCENT = 95;
const HOST_CPU_PERCENT = 90;
const BUSY_MS = 10_000;
/** Below this the next log line, dump or upload may fail. */
const DISK_SHARE = 0.05;
const DISK_BYTES = 200 * 1024 * 1024;
/** Growth worth a word: half again as much, and more than noise of the garbage collector. */
const GROWTH_FACTOR = 1.5;
const GROWTH_BYTES = 100 * 1024 * 1024;
const POINTS_KEPT = 300;

type Points = [number, number | null][];

export const processHealth: Analyzer = {
  id: 'process-health',
  title: 'CPU, memory and disk',
  needs: ['metrics'],
  uses: ['process-list'],
  async analyze(given) {
    const { files, unreadable } = await readAll(given.metrics, MetricsFile);
    const list = await readAll(given['process-list'], ProcessListFile);
    const series = files.map((f) => f.series);
    const site = (id: MetricId): Points => series.flatMap((s) => pointsOf(s, id, false));
    const findings = [...memory(site), ...hostCpu(site), ...busyProcesses(series), ...disk(site), ...growth(series)];
    const measured = series.some((s) => s.series.some((one) => one.values.some((v) => v !== null)));
    if (files.length > 0 && !measured) findings.push(nothingMeasured());
    else if (measured && findings.length === 0) findings.push(inOrder(site, list.files));
    return [...findings, ...unreadableFinding('process-health', 'process', [...unreadable, ...list.unreadable])];
  },
};

function pointsOf(all: Series, id: MetricId, ofProcess: boolean): Points {
  return all.series.filter((s) => s.metric === id && (s.process !== undefined) === ofProcess).flatMap((s) => s.values.map((value, i): [number, number | null] => [all.at[i] ?? all.from, value]));
}

const numbers = (points: Points): number[] => points.flatMap(([, v]) => (v === null ? [] : [v]));
const peak = (points: Points): number | undefined => { const all = numbers(points); return all.length === 0 ? undefined : all.reduce((a, b) => Math.max(a, b)); };

const mean = (points: Points): number | undefined => { const all = numbers(points); return all.length === 0 ? undefined : all.reduce((a, b) => a + b, 0) / all.length; };
const lowest = (points: Points): number | undefined => { const all = numbers(points); return all.length === 0 ? undefined : all.reduce((a, b) => Math.min(a, b)); };

/** The longest time a series stays at or above a level, with where it begins. A gap ends it: what was not measured is not counted. */
export function longestAbove(points: readonly (readonly [number, number | null])[], level: number): { readonly at: number; readonly forMs: number } | undefined {
  let best: { at: number; forMs: number } | undefined;
  let since: number | undefined;
  for (const [at, value] of points) {
    if (value === null || value < level) { since = undefined; continue; }
    since ??= at;
    if (!best || at - since > best.forMs) best = { at: since, forMs: at - since };
  }
  return best;
}

/** A series in a report has at most POINTS_KEPT points: of each step the highest, so that a peak is not lost. */
function series(id: MetricId, points: Points): Evidence {
  const every = Math.ceil(points.length / POINTS_KEPT);
  const thinned: Points = [];
  for (let i = 0; i < points.length; i += every) {
    const step = points.slice(i, i + every);
    const top = peak(step);
    thinned.push([step[0]?.[0] ?? 0, top ?? null]);
  }
  return { kind: 'series', metric: id, points: thinned };
}

function memory(site: (id: MetricId) => Points): Finding[] {
  const total = peak(site('host.memory-total'));
  const used = peak(site('host.memory-used'));
  if (total === undefined || used === undefined || total <= 0 || used / total < MEMORY_SHARE) return [];
  return [{
    id: 'memory-near-limit', area: 'memory', severity: used / total >= 0.97 ? 'critical' : 'warning', title: `The instance used ${percent((used / total) * 100)} of its memory: ${bytes(used)} of ${bytes(total)}`,
    why: 'Near the limit the system pages memory to disk, everything becomes slow, and processes are ended. The platform\'s own auto-heal restarts the worker near it.',
    advice: 'Stop it now: a restart of the worker frees its memory, for as long as it takes to grow again.\nFind it: compare the processes below; collect a memory dump of the largest before the restart.', evidence: [series('host.memory-used', site('host.memory-used')), series('site.private-bytes', site('site.private-bytes'))], mitigations: ['restart'],
  }];
}

function hostCpu(site: (id: MetricId) => Points): Finding[] {
  const long = longestAbove(site('host.cpu'), HOST_CPU_PERCENT);
  if (!long || long.forMs < BUSY_MS) return [];
  return [{
    id: 'host-cpu-high', area: 'process', severity: 'warning', title: `The instance's CPU was above ${HOST_CPU_PERCENT} % for ${duration(long.forMs)}`,
    why: `From ${clock(long.at)} on there was hardly any CPU left: requests wait for it, whatever they do.`, advice: 'Find which process used it, below.\nScale up or out while that is being fixed.', evidence: [series('host.cpu', site('host.cpu')), series('site.cpu', site('site.cpu'))], mitigations: [],
  }];
}

function busyProcesses(all: readonly Series[]): Finding[] {
  const busy = all.flatMap((s) => s.series.filter((one) => one.metric === 'process.cpu').map((one) => {
    const points = one.values.map((value, i): [number, number | null] => [s.at[i] ?? s.from, value]);
    return { pid: one.process?.pid, points, long: longestAbove(points, CORE_PERCENT) };
  })).filter((b) => b.long !== undefined && b.long.forMs >= BUSY_MS).sort((a, b) => (b.long?.forMs ?? 0) - (a.long?.forMs ?? 0) || (a.pid ?? 0) - (b.pid ?? 0));
  const [top] = busy;
  if (!top?.long) return [];
  return [{
    id: 'process-core-busy', area: 'process', severity: 'warning', title: `Process ${top.pid ?? '?'} kept a whole core busy for ${duration(top.long.forMs)}`,
    why: `From ${clock(top.long.at)} on it used at least ${CORE_PERCENT} % of one core. A Node process answers nothing else while its one JavaScript thread computes.`, advice: 'Find the code: a CPU profile or a memory dump of the process shows its stack.\nMove heavy work out of the request, or to a worker thread.',
    evidence: busy.slice(0, 3).map((b) => series('process.cpu', b.points)), mitigations: [],
  }];
}

function disk(site: (id: MetricId) => Points): Finding[] {
  const total = peak(site('host.disk-total'));
  const free = lowest(site('host.disk-free'));
  if (free === undefined || (free > DISK_BYTES && (total === undefined || free / total > DISK_SHARE))) return [];
  return [{
    id: 'disk-nearly-full', area: 'process', severity: free < DISK_BYTES / 10 ? 'critical' : 'warning', title: `The home disk has ${bytes(free)} left${total === undefined ? '' : ` of ${bytes(total)}`}`,
    why: 'On a full home uploads, logs, deployments and this product\'s own files fail, and some apps with them.', advice: 'Delete old logs, dumps and deployments.\nRaise the plan\'s storage if the app needs the room.', evidence: [series('host.disk-free', site('host.disk-free'))], mitigations: [],
  }];
}

/** Growth of one process within its life. It is said as a fact: a cache that fills and a leak look alike in a quarter of an hour. */
function growth(all: readonly Series[]): Finding[] {
  const grown = all.flatMap((s) => s.series.filter((one) => one.metric === 'process.private-bytes').flatMap((one) => {
    const points = one.values.map((value, i): [number, number | null] => [s.at[i] ?? s.from, value]);
    const values = numbers(points);
    const fifth = Math.floor(values.length / 5);
    if (fifth < 3) return [];
    const [begin, end] = [median(values.slice(0, fifth)), median(values.slice(-fifth))];
    return end >= begin * GROWTH_FACTOR && end - begin >= GROWTH_BYTES ? [{ pid: one.process?.pid, points, begin, end }] : [];
  })).sort((a, b) => b.end - b.begin - (a.end - a.begin) || (a.pid ?? 0) - (b.pid ?? 0));
  const [top] = grown;
  if (!top) return [];
  return [{
    id: 'memory-grew', area: 'memory', severity: 'info', title: `Process ${top.pid ?? '?'} grew from ${bytes(top.begin)} to ${bytes(top.end)} in the window`,
    why: 'Private bytes went up and did not come back. In a window this short a cache that fills and a leak look alike.', advice: 'Look at the curve over 24 h or 5 d on the Observe page: a leak goes on, a cache levels off.', evidence: [series('process.private-bytes', top.points)], mitigations: [],
  }];
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The machine's figures in one clause each: CPU by its mean, for one busy second is no news, sizes by their peak. */
function figures(site: (id: MetricId) => Points): string[] {
  const said = (ids: readonly MetricId[], of: (points: Points) => number | undefined, how: string): string[] => {
    const all = ids.flatMap((id) => { const value = of(site(id)); return value === undefined ? [] : [`${metric(id).title} ${quantity(value, metric(id).unit)}`]; });
    return all.length === 0 ? [] : [`${all.join(' and ')} ${how}`];
  };
  const free = lowest(site('host.disk-free'));
  return [...said(['site.cpu', 'host.cpu'], mean, 'on average'), ...said(['site.working-set', 'host.memory-used'], peak, 'at most'), ...(free === undefined ? [] : [`${bytes(free)} of disk free`])];
}

function inOrder(site: (id: MetricId) => Points, lists: readonly ProcessListFile[]): Finding {
  const largest = lists.flatMap((l) => l.processes).filter((p) => !p.info.ours && p.sample?.values['process.working-set'] !== undefined).sort((a, b) => (b.sample?.values['process.working-set'] ?? 0) - (a.sample?.values['process.working-set'] ?? 0))[0];
  const size = largest?.sample?.values['process.working-set'];
  return {
    id: 'process-health-good', area: 'process', severity: 'good', title: `CPU, memory and disk had room: ${figures(site).join(', ')}`,
    why: `No limit was near: memory below ${MEMORY_SHARE * 100} % of the instance's, no core busy for ${duration(BUSY_MS)}, disk not nearly full.${largest && size !== undefined ? ` The largest process is ${oneLine(largest.info.name, 40)} ${largest.info.pid} with ${bytes(size)}.` : ''}`, advice: '', evidence: [], mitigations: [],
  };
}

function nothingMeasured(): Finding {
  return {
    id: 'metrics-empty', area: 'process', severity: 'cannot-tell', title: 'CPU and memory were not measured in the window', why: 'The agent was not running then, or it cannot see the processes here.', advice: 'Keep the agent running (as a continuous WebJob), and diagnose again after a quarter of an hour.', evidence: [], mitigations: [],
  };
}
