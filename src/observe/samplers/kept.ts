// Owns reading the samples that another agent of this instance wrote: what the page of an agent shows that does not observe itself.
import type { Clock } from '../../platform/clock.ts';
import { metrics } from '../../shared/metrics.ts';
import type { MetricId, Scope } from '../../shared/metrics.ts';
import type { ProcessInfo, ProcessKey, Sample } from '../../shared/model.ts';
import type { History } from '../../store/store.ts';
import { keyText } from './process.ts';
import type { Values } from './process.ts';

const STEP_MS = 1_000;
/** What a page needs at its start; from then on only what is new is read. */
const FIRST_MS = 60_000;
/** http.* comes late and is read from the log itself. */
const idsOf = (scope: Scope): readonly MetricId[] => metrics.filter((row) => row.scope === scope && !row.id.startsWith('http.')).map((row) => row.id as MetricId);
const IDS: Readonly<Record<Scope, readonly MetricId[]>> = { site: idsOf('site'), process: idsOf('process') };

export class KeptSamples {
  readonly #history: Pick<History, 'read' | 'look'>;
  readonly #clock: Clock;
  /** The newest instant that was read, of each track: they are written one after the other. */
  #readTo = new Map<string, number>();

  constructor(history: Pick<History, 'read' | 'look'>, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** What came since the last call, oldest first: of the site and of these processes. */
  async read(processes: readonly ProcessInfo[]): Promise<readonly Sample[]> {
    await this.#history.look();
    const before = this.#readTo;
    this.#readTo = new Map();
    const samples: Sample[] = [];
    for (const process of [undefined, ...processes]) {
      const key = process ? keyText(process) : 'site';
      const found = await this.#since(process && { pid: process.pid, startedAt: process.startedAt }, before.get(key) ?? -Infinity);
      const readTo = found.at(-1)?.at ?? before.get(key);
      if (readTo !== undefined) this.#readTo.set(key, readTo);
      samples.push(...found);
    }
    return samples.sort((a, b) => a.at - b.at);
  }

  async #since(process: ProcessKey | undefined, readTo: number): Promise<Sample[]> {
    const now = this.#clock.now();
    const from = Math.max(readTo + STEP_MS, Math.floor((now - FIRST_MS) / STEP_MS) * STEP_MS);
    return from > now ? [] : await this.#samples(process, from, now);
  }

  async #samples(process: ProcessKey | undefined, from: number, to: number): Promise<Sample[]> {
    const points = Math.ceil((to - from) / STEP_MS) + 2;
    const found = await this.#history.read({ metrics: IDS[process ? 'process' : 'site'], from, to, points, now: this.#clock.now(), ...(process ? { process } : {}) });
    return found.at.flatMap((at, i) => {
      const values: Values = {};
      for (const { metric, values: all } of found.series) { const value = all[i]; if (typeof value === 'number') values[metric] = value; }
      return Object.keys(values).length === 0 ? [] : [{ at, ...(process ? { process } : {}), values }];
    });
  }
}
