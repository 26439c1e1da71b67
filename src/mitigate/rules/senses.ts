// Owns what the rules know of now: the newest samples with their age, and how far the events of each kind are known.
import type { MetricId } from '../../shared/metrics.ts';
import { metric as row } from '../../shared/metrics.ts';
import type { ProcessInfo, ProcessKey, Sample } from '../../shared/model.ts';
import type { Observed } from '../../observe/observe.ts';
import type { Platform } from '../../platform/platform.ts';
import { workerOf } from '../../analyze/target.ts';
import type { Present, Signal } from './meter.ts';

/** Samples come once a second; one that is older says nothing about now. */
export const FRESH_MS = 3_000;
/** Rows of the HTTP log come up to a minute and a half late; when nothing has come for longer, what it would say is unknown. */
export const HTTP_FRESH_MS = 120_000;

type SensesGiven = { readonly observed: Observed; readonly platform: Pick<Platform, 'clock' | 'can'> };

export class Senses {
  readonly #given: SensesGiven;
  readonly #site = new Map<MetricId, { readonly at: number; readonly value: number }>();
  #httpUntil: number | undefined;

  constructor(given: SensesGiven) {
    this.#given = given;
  }

  /** A sample of the feed. Those of the site come in pieces: processes, apps from inside, the HTTP log, each at its own time. */
  take({ at, process, values }: Sample): void {
    if (process !== undefined) return;
    for (const [id, value] of Object.entries(values) as [MetricId, number][]) {
      if (at >= (this.#site.get(id)?.at ?? -Infinity)) this.#site.set(id, { at, value });
    }
    if (values['http.requests'] !== undefined) this.#httpUntil = Math.max(at, this.#httpUntil ?? at);
  }

  present(): Present {
    const at = this.#given.platform.clock.now();
    return {
      at,
      metric: (id) => (row(id).scope === 'site' ? this.#siteValue(id, at) : this.#ofProcesses(id, at)),
      knownUntil: (kind) => this.#knownUntil(kind, at),
    };
  }

  /** The process that a subject names; the site is its worker. */
  processOf(subject: string): ProcessKey | undefined {
    const found = subject === '' ? workerOf(this.#given.observed.processes()) : this.#given.observed.processes().find((one) => subjectOf(one) === subject);
    return found && { pid: found.pid, startedAt: found.startedAt };
  }

  #siteValue(id: MetricId, at: number): { subject: string; value: number; ageMs?: number }[] {
    const newest = this.#site.get(id);
    if (newest === undefined || Math.abs(at - newest.at) > (id.startsWith('http.') ? HTTP_FRESH_MS : FRESH_MS)) return [];
    const worker = workerOf(this.#given.observed.processes());
    return [{ subject: '', value: newest.value, ...(worker === undefined ? {} : { ageMs: Math.max(0, at - worker.startedAt) }) }];
  }

  #ofProcesses(id: MetricId, at: number): { subject: string; value: number; ageMs: number }[] {
    const latest = this.#given.observed.latest();
    return this.#given.observed.processes().flatMap((info) => {
      if (!isOfSite(info)) return [];
      const sample = latest.get(subjectOf(info));
      const value = sample?.values[id];
      if (sample === undefined || value === undefined || Math.abs(at - sample.at) > FRESH_MS) return [];
      return [{ subject: subjectOf(info), value, ageMs: Math.max(0, at - info.startedAt) }];
    });
  }

  #knownUntil(kind: Signal['kind'], at: number): number | undefined {
    switch (kind) {
      case 'request': return this.#httpUntil !== undefined && at - this.#httpUntil <= HTTP_FRESH_MS ? this.#httpUntil : undefined;
      case 'exception': return this.#given.observed.inside?.apps().some(({ state }) => state !== 'ended') === true ? at : undefined;
      case 'event': return this.#given.platform.can('event-log').yes ? at : undefined;
      default: return at;
    }
  }
}

const subjectOf = ({ pid, startedAt }: ProcessKey): string => `${pid}:${startedAt}`;

/** The agent, the SCM site's own and their tools are nobody's target. */
export function isOfSite({ role, ours }: ProcessInfo): boolean {
  return ours !== true && role !== 'scm' && role !== 'agent';
}
