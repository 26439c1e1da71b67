// Owns the observing of one instance: runs the samplers and keeps what they see where the floors above can look at it.
import { join } from 'node:path';
import type { AppLinks } from '../platform/app-link.ts';
import type { Platform } from '../platform/platform.ts';
import { sayError } from '../shared/errors.ts';
import type { Change, LogLine, ProcessInfo, Sample } from '../shared/model.ts';
import { duration, utc } from '../shared/units.ts';
import { placesOf } from '../store/places.ts';
import { openShelf } from '../store/shelf.ts';
import type { Store } from '../store/store.ts';
import { Changes, CHANGES_KEPT } from './changes.ts';
import { Deployments } from './deployments.ts';
import { ErrorFollower } from './errors.ts';
import { createFeed } from './feed.ts';
import { HTTP_LOG_FOLDER } from './http-log/files.ts';
import { INDEX_BOUNDS } from './http-log/index/kept.ts';
import { httpLog } from './http-log/read.ts';
import type { HttpLog } from './http-log/read.ts';
import type { Logs, Observed, SamplerHealth } from './observe.ts';
import { createRequestFeed } from './request-feed.ts';
import { AppSampler } from './samplers/app.ts';
import { EventLogSampler } from './samplers/event-log.ts';
import { Fold } from './samplers/fold.ts';
import { HostSampler } from './samplers/host.ts';
import { KeptSamples } from './samplers/kept.ts';
import { Run } from './samplers/index.ts';
import type { Sampler } from './samplers/index.ts';
import { ProcessSampler, keyText, named } from './samplers/process.ts';
import type { Values } from './samplers/process.ts';
import { RequestsSampler } from './samplers/requests.ts';
import { createSourceNames } from './source-names.ts';

/** Twenty seconds of 100 processes, minutes of the usual dozen, for a page that comes back after a dropped connection: what is older is in the history. */
export const SAMPLES_KEPT = 2_000;
export const REQUESTS_KEPT = 5_000;
export const ERRORS_KEPT = 200;
/** Request metrics come up to a minute and a half late; older ones are not the latest of anything. */
const HTTP_FRESH_MS = 120_000;
const FLUSH_EVERY_MS = 10_000;
const DEPLOYMENTS_EVERY_MS = 10_000;
/** A pause of the samples shorter than this is a restart like any other. */
const GAP_MS = 15_000;
/** An agent that does not lead reads what the leading one wrote; each look is a dozen small reads of the home. */
const READ_EVERY_MS = 2_000;
const RECENT_CHANGES = 50;
/** Late seconds of the HTTP log that were seen but left to the leading agent to write: five minutes of all steps, in case it ends before it did. Older ones are dropped: it had its time. */
const UNWRITTEN_KEPT = 350;

export interface Observer extends Observed {
  /** For changes others know of: restarts, sessions, rules. One with a known id adds to it. */
  publish(change: Change): void;
  /** The lead has come to this agent: goes on where the other one ended. The store must have been told before. */
  lead(): Promise<void>;
  readonly inside: Pick<AppLinks, 'apps' | 'ask'>;
  /** Resolves when, after the signal, everything is ended and flushed. */
  readonly stopped: Promise<void>;
}

export interface ObserverOptions {
  readonly platform: Platform;
  readonly store: Store;
  readonly logs: Logs;
  readonly signal: AbortSignal;
  /** Whether this agent observes (default: it does). Else another one of the instance does: its samples and changes are read, logs are followed, and nothing is written. */
  readonly leads?: () => boolean;
}

/** Starts all samplers. What they cannot read shows in health(); it never stops the others. */
export async function startObserver(options: ObserverOptions): Promise<Observer> {
  const observing = new Observing(options);
  await observing.begin();
  return observing;
}

class Observing implements Observer {
  readonly samples = createFeed<Sample>(SAMPLES_KEPT);
  readonly requests = createRequestFeed(REQUESTS_KEPT);
  readonly changes = createFeed<Change>(CHANGES_KEPT);
  readonly errors = createFeed<LogLine>(ERRORS_KEPT);
  readonly logs: Logs;
  readonly stopped: Promise<void>;
  readonly http: Observed['http'];
  readonly rows: Observed['rows'];

  readonly #options: ObserverOptions;
  readonly #leads: () => boolean;
  readonly #told: Changes;
  readonly #runs: readonly Run[];
  readonly #log: HttpLog;
  readonly #requestsSampler: RequestsSampler;
  readonly #errorFollower: ErrorFollower;
  readonly #kept: KeptSamples;
  readonly #events: EventLogSampler;
  readonly #apps: AppSampler;
  readonly #latest = new Map<string, Sample>();
  #folds: readonly Fold[];
  #unwritten: (readonly [number, Sample])[] = [];
  #processes: readonly ProcessInfo[] = [];
  #http: Values = {};
  #httpAt = 0;
  #flushError: string | undefined;
  #flushErrors = 0;
  #end: () => void = () => undefined;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#leads = options.leads ?? ((): boolean => true);
    this.logs = options.logs;
    const { platform, store } = options;
    const { folders, app } = platform.host;
    const folder = join(folders.logs, HTTP_LOG_FOLDER);
    const names = createSourceNames(options.logs, () => platform.clock.now());
    const sourceOf = (name: string, signal: AbortSignal): Promise<string> => names.of(`${HTTP_LOG_FOLDER}/${name}`, signal);
    const now = (): number => platform.clock.now();
    this.#log = httpLog({ folder, instance: app.instance, now, sourceOf, shelf: openShelf(placesOf(platform).httpIndex, INDEX_BOUNDS, now) });
    this.http = (query, signal) => this.#log.report(query, signal);
    this.rows = (query, signal) => this.#log.rows(query, signal);
    this.#told = new Changes({ feed: this.changes, journal: { recent: (limit) => store.changes.recent(limit), append: async (change) => { if (this.#leads()) await store.changes.append(change); } }, startsEarlyMs: platform.host.startsEarlyMs });
    this.#folds = this.#newFolds();
    this.#kept = new KeptSamples(store.history, platform.clock);
    this.#requestsSampler = new RequestsSampler({
      folder, instance: app.instance, startedAt: platform.clock.now(), history: { write: (stepMs, sample) => this.#writeLate(stepMs, sample) }, now: () => platform.clock.now(), sourceOf,
      onRows: (rows) => { this.requests.add(rows); }, onSample: (sample) => this.#httpSample(sample),
    });
    this.#errorFollower = new ErrorFollower({
      logs: options.logs, now: () => platform.clock.now(), monotonic: () => platform.clock.monotonic(),
      onError: (line) => this.errors.publish(line), onProcessError: (pid, at, error) => this.#told.error(pid, at, error),
    });
    this.#events = new EventLogSampler({ platform, names, told: this.#told, errors: this.errors, leads: this.#leads });
    const onSample = (sample: Sample): void => { if (this.#leads()) this.#keep(sample); };
    this.#apps = new AppSampler({ platform, leads: this.#leads, processes: () => this.#processes, onSample, onStep: (stepMs, sample) => this.#writeLate(stepMs, sample), onCrash: (pid, at, why) => this.#told.error(pid, at, why) });
    this.#runs = [this.#usage(), this.#apps, this.#requestsSampler, this.#events, this.#deployments(), this.#errorFollower].map((sampler) => new Run(sampler, platform.clock));
    this.stopped = new Promise((resolve) => { this.#end = resolve; });
  }

  async begin(): Promise<void> {
    const { platform, signal } = this.#options;
    await this.#told.load();
    if (this.#leads()) await this.#tellStart(platform.clock.now(), 'Agent started');
    const loops = this.#runs.map((run) => run.loop(signal));
    void Promise.all([...loops, this.#flushing(signal)]).then(() => this.#finish()).finally(this.#end);
  }

  publish(change: Change): void {
    this.#told.publish(change);
    if (!this.#leads()) void this.#options.store.changes.append(change).catch((error: unknown) => { this.#told.notSaved(error); });
  }

  async lead(): Promise<void> {
    const at = this.#options.platform.clock.now();
    this.#folds = this.#newFolds();
    for (const [stepMs, sample] of this.#unwritten) this.#options.store.history.write(stepMs, sample);
    this.#unwritten = [];
    this.#events.retell();
    await this.#told.load();
    this.#told.processes(this.#processes, at);                  // who has ended since the last look is missed then
    await this.#tellStart(at, 'This agent observes now: the other one ended');
  }

  processes(): readonly ProcessInfo[] { return this.#processes; }
  get inside(): AppLinks { return this.#apps.links; }
  latest(): ReadonlyMap<string, Sample> { return this.#latest; }
  exits(since: number): ReturnType<Observed['exits']> { return this.#told.exits(since); }

  health(): readonly SamplerHealth[] {
    const saving: SamplerHealth[] = [];
    if (this.#flushError !== undefined) saving.push({ id: 'history', state: 'failing', error: this.#flushError });
    if (this.#told.saveError !== undefined) saving.push({ id: 'changes', state: 'failing', error: this.#told.saveError });
    return [...this.#runs.map((run) => run.health()), ...saving];
  }

  lost(): readonly { what: string; count: number }[] {
    const failed = this.#runs.map((run) => ({ what: `readings of ${run.sampler.id} that failed`, count: run.errors }));
    return [...failed, { what: 'flushes of the history that failed', count: this.#flushErrors }, { what: 'indexes of the HTTP log that could not be kept', count: this.#log.unkept }, ...this.#requestsSampler.lost(), ...this.#told.lost()].filter((one) => one.count > 0);
  }

  /** Processes, site, host and ourselves: one reading a second, one sample each. */
  #usage(): Sampler {
    const { platform } = this.#options;
    const process = new ProcessSampler(platform);
    const host = new HostSampler(platform);
    return {
      id: 'processes', everyMs: 1_000,
      tick: async (at, signal) => {
        if (!this.#leads()) return this.#read(at, signal);
        const reading = await process.read(at, signal);
        const site: Values = reading.site;
        await host.read(site, signal);
        host.readCounters(site);
        host.readOwn(site, this.#runs.reduce((sum, run) => sum + run.takeCost(), 0));
        for (const fold of this.#folds) fold.turn(at);
        if (reading.processes !== this.#processes) this.#others(reading.processes);
        for await (const [name, sample] of named(reading)) {
          this.#latest.set(name, sample);
          this.#keep(sample);
        }
        this.#keep({ at, values: site });
        this.#latest.set('site', { at, values: at - this.#httpAt <= HTTP_FRESH_MS ? { ...site, ...this.#http } : site });
        this.#told.processes(reading.processes, at);
        return undefined;
      },
    };
  }

  #newFolds(): Fold[] {
    return [10_000, 60_000].map((stepMs) => new Fold(stepMs, this.#options.store.history));
  }

  #writeLate(stepMs: number, sample: Sample): void {
    if (this.#leads()) { this.#options.store.history.write(stepMs, sample); return; }
    this.#unwritten.push([stepMs, sample]);
    if (this.#unwritten.length > UNWRITTEN_KEPT) this.#unwritten.shift();
  }

  /** What the leading agent wrote. The list of processes is our own: what is chosen from it must be there now. */
  async #read(at: number, signal: AbortSignal): Promise<undefined> {
    if (at % READ_EVERY_MS !== 0) return;
    const processes = await this.#options.platform.processes(signal);
    if (processes !== this.#processes) this.#others(processes);
    for (const sample of await this.#kept.read(processes)) {
      const name = sample.process ? keyText(sample.process) : 'site';
      this.#latest.set(name, sample.process || sample.at - this.#httpAt > HTTP_FRESH_MS ? sample : { at: sample.at, values: { ...sample.values, ...this.#http } });
      this.samples.publish(sample);
    }
    await this.#told.load(RECENT_CHANGES);
  }

  #keep(sample: Sample): void {
    this.#options.store.history.write(1_000, sample);
    for (const fold of this.#folds) fold.add(sample);
    this.samples.publish(sample);
  }

  /** The list is another one: samples of processes that are gone leave `latest`. */
  #others(processes: readonly ProcessInfo[]): void {
    this.#processes = processes;
    const keys = new Set(processes.map(keyText));
    for (const key of this.#latest.keys()) if (key !== 'site' && !keys.has(key)) this.#latest.delete(key);
    this.#errorFollower.soon();
  }

  #httpSample(sample: Sample): void {
    this.samples.publish(sample);
    if (sample.at < this.#httpAt) return;
    this.#httpAt = sample.at;
    this.#http = sample.values;
  }

  #deployments(): Sampler {
    const deployments = new Deployments(this.#options.platform.host.folders.deployments);
    return {
      id: 'deployments', everyMs: DEPLOYMENTS_EVERY_MS,
      tick: async (_at, signal) => {
        if (this.#leads()) for (const change of await deployments.look(signal)) this.#told.publish(change);
        return undefined;
      },
    };
  }

  async #tellStart(at: number, title: string): Promise<void> {
    const last = await this.#lastSampleAt(at);
    if (last !== undefined && at - last > GAP_MS) {
      this.publish({ id: `gap:${last}`, at: last, kind: 'gap', level: 'neutral', title: `No samples for ${duration(at - last)}: no agent was running`, detail: `until ${utc(at)}` });
    }
    this.publish({ id: `agent:${at}`, at, kind: 'agent', level: 'neutral', title });
  }

  /** The newest instant of the history, to the second within the last hour, to the minute within the last days. */
  async #lastSampleAt(at: number): Promise<number | undefined> {
    for (const [backMs, points] of [[3_599_000, 3_600], [431_940_000, 7_200]] as const) {
      const series = await this.#options.store.history.read({ metrics: ['agent.working-set', 'host.memory-used'], from: at - backMs, to: at, points, now: at });
      for (let i = series.at.length - 1; i >= 0; i -= 1) if (series.series.some((one) => typeof one.values[i] === 'number')) return Math.min(at, (series.at[i] as number) + series.stepMs);
    }
    return undefined;
  }

  async #flushing(signal: AbortSignal): Promise<void> {
    for await (const _at of this.#options.platform.clock.every(FLUSH_EVERY_MS, signal)) await this.#flush();
  }

  async #flush(): Promise<void> {
    try {
      await this.#options.store.history.flush();
      this.#flushError = undefined;
    } catch (error) {
      this.#flushErrors += 1;
      this.#flushError = `The history could not be written: ${sayError(error)}`;
    }
  }

  async #finish(): Promise<void> {
    const at = this.#options.platform.clock.now();
    if (this.#leads()) this.publish({ id: `agent-stop:${at}`, at, kind: 'agent', level: 'neutral', title: 'Agent stopped' });
    this.#apps.close();
    for (const fold of this.#folds) fold.flush();
    await this.#told.saved();
    await this.#flush();
  }
}
