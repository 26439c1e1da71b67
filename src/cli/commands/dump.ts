// Owns `diag dump`: what is asked for becomes triggers and things to take, what is taken is shown.
import { join, resolve } from 'node:path';
import { configOf } from '../../agent/config.ts';
import { watchAndDump, withTarget, type Condition, type DumpRecord, type Takes, type Wanted, type WatchEnd, type WatchOrder } from '../../agent/dump.ts';
import { DiagError } from '../../shared/errors.ts';
import type { MetricId } from '../../shared/metrics.ts';
import { metric } from '../../shared/metrics.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { bytes, duration, plural } from '../../shared/units.ts';
import { clearLine, showLine } from '../live-line.ts';
import type { Remote } from '../options.ts';
import { print, printJson, remark, safe, safeLine } from '../print.ts';
import { withAgent, type Reached } from '../reach.ts';
import { stop } from '../until.ts';

export interface DumpOptions extends Remote {
  readonly out?: string;
  readonly full?: boolean; readonly miniPlus?: boolean; readonly mini?: boolean;
  readonly count: number; readonly seconds: number;
  readonly cpu?: number; readonly cpuBelow?: number; readonly memory?: number; readonly memoryBelow?: number; readonly threads?: number;
  readonly exceptions?: 'first' | 'unhandled'; readonly filter?: readonly string[];
  readonly exit?: boolean; readonly signal?: readonly NodeJS.Signals[]; readonly wait?: boolean;
  readonly hang?: boolean; readonly probe?: URL; readonly metric?: readonly Extract<Condition, { type: 'metric' }>[];
  readonly clone?: boolean; readonly avoidOutage?: boolean; readonly maxPause?: number; readonly until?: number; readonly comment?: string;
  readonly heap?: boolean; readonly heapProfile?: number; readonly cpuProfile?: number; readonly report?: boolean;
}

/** What a user hardly notices. */
const SHORT_PAUSE_MS = 1_000;
/** HTTP rows come to the log about a minute late. */
const METRIC_WINDOW_MS = 120_000;

export async function dump(target: string, options: DumpOptions): Promise<void> {
  const wanted = wantedOf(target, options);
  const conditions = conditionsOf(options);
  const metrics = conditions.flatMap((one) => (one.type === 'metric' ? [one.metric, ...one.of === undefined ? [] : [one.of]] : []));
  if (metrics.length === 0) { await run(wanted, conditions, options, undefined); return; }
  await withAgent(options, async (reached) => { await run(wanted, conditions, options, (signal) => metricsNow(reached, metrics, signal)); });
}

async function run(wanted: Wanted, conditions: readonly Condition[], options: DumpOptions, metrics: WatchOrder['metrics']): Promise<void> {
  const records: DumpRecord[] = [];
  const folder = resolve(options.out ?? '.');
  const kept = (record: DumpRecord): void => { records.push(record); if (options.json !== true) show(folder, record); };
  const config = configOf({ ...process.env, ...(options.home === undefined ? {} : { DIAG_HOME: options.home }) });
  if ('name' in wanted && wanted.wait) showLine(`waiting for ${wanted.name} to start`);
  await withTarget(config, wanted, stop, async (platform, target) => {
    const faults = faultsOf(options);
    const offer = platform.faultsOffered();
    // An unhandled exception of JavaScript is heard in any case; where faults of native code cannot be waited for, that is said.
    if (faults !== undefined && !offer.yes && (options.exit === true || options.signal !== undefined)) throw new DiagError('CAPABILITY_MISSING', { what: 'A dump at the end or at a signal', because: offer.because });
    const usable = offer.yes ? faults : undefined;
    if (faults !== undefined && !offer.yes) remark(`Faults of native code are not waited for: ${safeLine(offer.because ?? '')}.`);
    const order: WatchOrder = {
      platform, target, folder, takes: takesOf(options), conditions: fitting(platform.nodeReportOffered(target), conditions),
      forMs: options.seconds * 1_000, count: options.count, signal: stop, kept, ...given(options), ...(metrics === undefined ? {} : { metrics }), ...(usable === undefined ? {} : { faults: usable }),
      progress: (note) => { showLine(note); },
      armed: () => { if (options.json !== true) remark(`Watching process ${target.pid} (${safeLine(target.name)}); Ctrl+C ends it and leaves the process as it is.`); },
    };
    await ended(order, records, options, target);
  });
}

async function ended(order: WatchOrder, records: readonly DumpRecord[], options: DumpOptions, target: ProcessInfo): Promise<void> {
  let why: WatchEnd | 'interrupted';
  try {
    why = await watchAndDump(order);
  } catch (error) {
    // Between dumps the wish to end is an end like another.
    if (!stop.aborted || records.length === 0 || !(error instanceof Error && error.name === 'AbortError')) throw error;
    why = 'interrupted';
  } finally {
    clearLine();
  }
  if (options.json === true) printJson({ target: { pid: target.pid, startedAt: target.startedAt, name: target.name }, ended: why, dumps: records });
  else if (why !== 'count') print(`${SAYS[why]}; ${records.length === 0 ? 'nothing was taken' : `${plural(records.length, 'file')} taken`}.`);
}

const SAYS: Readonly<Record<WatchEnd | 'interrupted', string>> = { count: '', until: 'The time is over', 'target-ended': 'The process has ended', interrupted: 'Interrupted' };

function show(folder: string, record: DumpRecord): void {
  clearLine();
  const paused = record.pausedMs === undefined ? '' : `, stopped the app for ${duration(record.pausedMs)}`;
  print(`${safeLine(join(folder, record.file))}: ${bytes(record.bytes)} by ${record.engine}${paused}`);
  print(`  ${record.trigger}: ${safeLine(record.reason)}`);
  for (const one of record.missing) print(`  left out: ${safe(one)}`);
  for (const one of record.notes) print(`  ${safe(one)}`);
}

function wantedOf(target: string, { wait = false }: DumpOptions): Wanted {
  if (!/^\d{1,7}$/.test(target)) return { name: target, wait };
  if (wait) throw new DiagError('BAD_INPUT', { why: '--wait (-w) waits for a name, not for a pid' });
  return { pid: Number(target) };
}

function conditionsOf(options: DumpOptions): Condition[] {
  const { cpu, cpuBelow, memory, memoryBelow, threads, exceptions, filter, hang, probe, seconds } = options;
  if (filter !== undefined && exceptions === undefined) throw new DiagError('BAD_INPUT', { why: '--filter (-f) needs --exceptions (-e)' });
  return [
    ...cpu === undefined ? [] : [{ type: 'cpu', limit: cpu, below: false } as const],
    ...cpuBelow === undefined ? [] : [{ type: 'cpu', limit: cpuBelow, below: true } as const],
    ...memory === undefined ? [] : [{ type: 'memory', limit: memory, below: false } as const],
    ...memoryBelow === undefined ? [] : [{ type: 'memory', limit: memoryBelow, below: true } as const],
    ...threads === undefined ? [] : [{ type: 'threads', limit: threads, below: false } as const],
    ...hang === true || probe !== undefined ? [{ type: 'hang', forMs: seconds * 1_000 } as const] : [],
    ...exceptions === undefined ? [] : [{ type: 'exception', first: exceptions === 'first', filters: filter ?? [] } as const],
    ...options.metric ?? [],
  ];
}

/** Exceptions are those of JavaScript; of another runtime only the faults of native code are seen. @throws where that is all that was asked for */
function fitting(node: { readonly yes: boolean; readonly because?: string | undefined }, conditions: readonly Condition[]): Condition[] {
  if (node.yes) return [...conditions];
  if (conditions.some(({ type }) => type === 'hang')) throw new DiagError('CAPABILITY_MISSING', { what: 'Asking its event loop', because: `${node.because ?? 'it is not Node'}; --probe asks an address instead` });
  if (conditions.some(({ type }) => type === 'exception')) remark(`Exceptions of JavaScript are not heard: ${safeLine(node.because ?? '')}.`);
  return conditions.filter(({ type }) => type !== 'exception');
}

function faultsOf({ exceptions, exit, signal, filter }: DumpOptions): WatchOrder['faults'] {
  // A filter is of exceptions: a fault of native code has no type and text.
  const faults = exceptions === undefined || filter !== undefined ? 'none' : exceptions;
  return faults === 'none' && exit !== true && signal === undefined ? undefined : { faults, exit: exit === true, signals: signal ?? [] };
}

function takesOf({ full, miniPlus, mini, heap, heapProfile, cpuProfile, report }: DumpOptions): Takes {
  const kinds = [...full === true ? ['full'] as const : [], ...miniPlus === true ? ['mini-plus'] as const : [], ...mini === true ? ['mini'] as const : []];
  if (kinds.length > 1) throw new DiagError('BAD_INPUT', { why: 'only one of --full (-ma), --mini-plus (-mp) and --mini (-mm) can be taken at once' });
  const others = heap === true || heapProfile !== undefined || cpuProfile !== undefined || report === true;
  const [kind] = kinds;
  return {
    ...(report === true ? { report } : {}), ...(heap === true ? { heapSnapshot: heap } : {}),
    ...(cpuProfile === undefined ? {} : { cpuProfileMs: cpuProfile * 1_000 }), ...(heapProfile === undefined ? {} : { heapProfileMs: heapProfile * 1_000 }),
    ...(kind !== undefined ? { memory: { kind } } : others ? {} : { memory: {} }),
  };
}

function given({ probe, until, comment, avoidOutage, maxPause }: DumpOptions): Partial<WatchOrder> {
  const maxPauseMs = maxPause ?? (avoidOutage === true ? SHORT_PAUSE_MS : undefined);
  return { ...(probe === undefined ? {} : { probe }), ...(until === undefined ? {} : { untilAt: until }), ...(comment === undefined ? {} : { comment }), ...(maxPauseMs === undefined ? {} : { maxPauseMs }) };
}

/** Of the last two minutes: sums of what is counted, the latest of the rest. What the agent has not measured is absent. */
async function metricsNow({ diag }: Reached, ids: readonly MetricId[], signal: AbortSignal): Promise<Record<string, number>> {
  const { at } = await diag.agent({ signal });
  const { series } = await diag.metrics({ query: { metric: [...new Set(ids)], from: at - METRIC_WINDOW_MS, to: at }, signal });
  return Object.fromEntries(series.flatMap(({ metric: id, values }) => {
    const known = values.filter((value) => value !== null);
    const last = known.at(-1);
    return last === undefined ? [] : [[id, metric(id).fold === 'sum' ? known.reduce((sum, value) => sum + value, 0) : last] as const];
  }));
}
