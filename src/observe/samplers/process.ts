// Owns the sampling of processes: per process and for the site as a whole, once a second.
import { setImmediate as turn } from 'node:timers/promises';
import type { MetricId } from '../../shared/metrics.ts';
import type { ProcessInfo, ProcessKey, Sample } from '../../shared/model.ts';
import type { Platform, Usage } from '../../platform/platform.ts';
import { Counters } from './rates.ts';

export type Values = Partial<Record<MetricId, number>>;

/** "Average memory working set": the site's working set averaged over this long. Microsoft's words ("the average amount of memory used by the app")
 *  name no window; its metrics are told per minute, so a minute it is. */
export const AVERAGE_OVER_MS = 60_000;

export interface ProcessReading {
  readonly processes: readonly ProcessInfo[];
  /** One of each process that could be read, ours too; `names` has the keyText of each, made once per process. */
  readonly samples: readonly Sample[];
  readonly names: readonly string[];
  /** All processes of the site together; those of the agent and of the SCM site are not the site's. */
  readonly site: Values;
}

/** Handled without a pause: lines that others follow live must not be late for a hundred processes. */
const AT_ONCE = 16;

/** The samples with their names, with a turn for others in between. */
export async function* named({ samples, names }: ProcessReading): AsyncGenerator<readonly [name: string, sample: Sample]> {
  for (const [i, sample] of samples.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await turn();
    yield [names[i] as string, sample];
  }
}

export const keyText = (process: ProcessKey): string => `${process.pid}:${process.startedAt}`;

export class ProcessSampler {
  readonly #platform: Platform;
  readonly #counters = new Counters();
  readonly #average = new Average();
  #list: readonly ProcessInfo[] = [];
  #pids: number[] = [];
  /** One key object for all samples of a process; same order as #list. */
  #keys: ProcessKey[] = [];
  #texts: string[] = [];

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  async read(at: number, signal: AbortSignal): Promise<ProcessReading> {
    this.#listed(await this.#platform.processes(signal));
    await turn();
    const usage = await this.#platform.usage(this.#pids, signal);
    const now = this.#platform.clock.monotonic();
    const samples: Sample[] = [];
    const names: string[] = [];
    const site = new SiteSum();
    for (let i = 0; i < this.#list.length; i += 1) {
      const info = this.#list[i] as ProcessInfo;
      const one = usage.get(info.pid);
      // A pid that was given to another process between the list and the reading is that other process's.
      if (one === undefined || one.startedAt !== info.startedAt) continue;
      const values = this.#values(info.pid, one, now);
      samples.push({ at, process: this.#keys[i] as ProcessKey, values });
      names.push(this.#texts[i] as string);
      if (ofSite(info)) site.add(values);
    }
    this.#counters.sweep();
    return { processes: this.#list, samples, names, site: this.#average.add(at, site.values()) };
  }

  #listed(list: readonly ProcessInfo[]): void {
    if (list === this.#list) return;
    const before = new Map(this.#keys.map((key) => [key.pid, key]));
    this.#keys = list.map(({ pid, startedAt }) => {
      const known = before.get(pid);
      return known?.startedAt === startedAt ? known : { pid, startedAt };
    });
    this.#texts = list.map(keyText);
    this.#pids = list.map((info) => info.pid);
    this.#list = list;
  }

  #values(pid: number, usage: Usage, now: number): Values {
    const values: Values = {};
    const growth = this.#counters.grow(pid, usage.startedAt, usage.cpuMs, now);
    if (growth !== undefined) {
      values['process.cpu'] = growth.by / growth.overMs * 100;
      values['process.cpu-time'] = growth.by;
    }
    if (usage.workingSetBytes !== undefined) values['process.working-set'] = usage.workingSetBytes;
    if (usage.privateBytes !== undefined) values['process.private-bytes'] = usage.privateBytes;
    if (usage.threads !== undefined) values['process.threads'] = usage.threads;
    if (usage.handles !== undefined) values['process.handles'] = usage.handles;
    return values;
  }
}

export function ofSite(info: ProcessInfo): boolean {
  return info.ours !== true && info.role !== 'scm' && info.role !== 'agent';
}

const SUMS = [
  ['process.cpu', 'site.cpu'], ['process.cpu-time', 'site.cpu-time'], ['process.working-set', 'site.working-set'],
  ['process.private-bytes', 'site.private-bytes'], ['process.threads', 'site.threads'], ['process.handles', 'site.handles'],
] as const satisfies readonly (readonly [MetricId, MetricId])[];

/** A sum is told when at least one process has the value, or when there is no process at all (then it is 0, and known to be). */
class SiteSum {
  readonly #sums = SUMS.map(() => 0);
  readonly #counts = SUMS.map(() => 0);
  #processes = 0;

  add(values: Values): void {
    this.#processes += 1;
    for (let i = 0; i < SUMS.length; i += 1) {
      const value = values[(SUMS[i] as (typeof SUMS)[number])[0]];
      if (value === undefined) continue;
      this.#sums[i] = (this.#sums[i] as number) + value;
      this.#counts[i] = (this.#counts[i] as number) + 1;
    }
  }

  values(): Values {
    const values: Values = { 'site.processes': this.#processes };
    SUMS.forEach(([, id], i) => { if ((this.#counts[i] as number) > 0 || this.#processes === 0) values[id] = this.#sums[i] as number; });
    return values;
  }
}

/** The mean of the site's working set over the last AVERAGE_OVER_MS; over what there is of it after a start. */
class Average {
  readonly #seen: { at: number; bytes: number }[] = [];

  add(at: number, values: Values): Values {
    while (this.#seen.length > 0 && (this.#seen[0] as { at: number }).at <= at - AVERAGE_OVER_MS) this.#seen.shift();
    const bytes = values['site.working-set'];
    if (bytes !== undefined) {
      this.#seen.push({ at, bytes });
      if (this.#seen.length > AVERAGE_OVER_MS / 1_000) this.#seen.shift();
    }
    if (this.#seen.length > 0) values['site.average-working-set'] = this.#seen.reduce((sum, one) => sum + one.bytes, 0) / this.#seen.length;
    return values;
  }
}
