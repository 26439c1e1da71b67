// Owns the sampling of apps from inside: their ticks become metrics of the site, their last notes the reasons of their exits.
import { join } from 'node:path';
import { AppLinks, type LinkedApp } from '../../platform/app-link.ts';
import type { Platform } from '../../platform/platform.ts';
import type { AppTick } from '../../shared/app-link.ts';
import type { ProcessInfo, Sample } from '../../shared/model.ts';
import type { Explanation } from '../errors.ts';
import { endingOf } from './app-end.ts';
import { LatencySum } from './app-sum.ts';
import type { Sampler } from './index.ts';
import { ofSite, type Values } from './process.ts';

/** A tick comes once a second; one that is older says nothing about now. */
const FRESH_MS = 2_500;
/** Longer steps of the history, whose quantiles are of all their requests. */
const STEPS_MS = [10_000, 60_000] as const;

export interface AppSamplerOptions {
  readonly platform: Platform;
  /** Notes and left-over files are removed by the agent that leads. */
  leads(): boolean;
  processes(): readonly ProcessInfo[];
  onSample(sample: Sample): void;
  /** One value for a whole longer step. */
  onStep(stepMs: number, sample: Sample): void;
  onCrash(pid: number, at: number, why: Explanation): void;
}

export class AppSampler implements Sampler {
  readonly id = 'apps';
  readonly everyMs = 1_000;
  readonly #options: AppSamplerOptions;
  readonly #links: AppLinks;
  readonly #taken = new Map<string, number>();
  readonly #slots = new Map<number, number>();

  constructor(options: AppSamplerOptions) {
    this.#options = options;
    const { app, folders } = options.platform.host;
    this.#links = new AppLinks({ folder: join(folders.own, 'apps', app.instance), now: () => options.platform.clock.now(), mayRemove: () => options.leads() });
  }

  get links(): AppLinks { return this.#links; }

  async tick(at: number): Promise<string | undefined> {
    for (const end of await this.#links.look(this.#options.processes().filter(ofSite))) {
      const why = endingOf(end);
      if (why !== undefined) this.#options.onCrash(end.process.pid, end.at, why);
    }
    const apps = this.#links.apps();
    if (!apps.some(({ state }) => state !== 'ended')) return 'No app with the preload is running.';
    const newest = apps.flatMap((app) => this.#newest(app, at));
    if (newest.length > 0) this.#options.onSample({ at, values: valuesOf(newest) });
    for (const stepMs of STEPS_MS) this.#step(stepMs, at, apps);
    for (const name of this.#taken.keys()) if (!apps.some((app) => nameOf(app) === name)) this.#taken.delete(name);
    return undefined;
  }

  close(): void {
    this.#links.close();
  }

  /** The ticks that came since the last reading; each counts once. */
  #newest(app: LinkedApp, at: number): AppTick[] {
    const seq = this.#taken.get(nameOf(app)) ?? -1;
    const ticks = app.ticks.filter((tick) => tick.seq > seq && at - tick.at < FRESH_MS);
    const last = app.ticks.at(-1);
    if (last !== undefined) this.#taken.set(nameOf(app), last.seq);
    return ticks;
  }

  #step(stepMs: number, at: number, apps: readonly LinkedApp[]): void {
    const slot = Math.floor(at / stepMs) * stepMs;
    const ended = this.#slots.get(stepMs);
    this.#slots.set(stepMs, slot);
    if (ended === undefined || ended === slot) return;
    const p99 = p99Of(apps.flatMap(({ ticks }) => ticks.filter((tick) => tick.at >= ended && tick.at < ended + stepMs)));
    if (p99 !== undefined) this.#options.onStep(stepMs, { at: ended, values: { 'app.response-p99': p99 } });
  }
}

const nameOf = ({ process }: LinkedApp): string => `${process.pid}:${process.startedAt}`;

function p99Of(ticks: readonly AppTick[]): number | undefined {
  const sum = new LatencySum();
  for (const { routes } of ticks) for (const { latency } of routes) sum.add(latency);
  return sum.quantiles([0.99])[0];
}

/** Of all apps of the instance together: requests add up, of delays the longest counts. */
function valuesOf(ticks: readonly AppTick[]): Values {
  const values: Values = {
    'app.requests': ticks.reduce((sum, { routes }) => sum + routes.reduce((all, { latency }) => all + latency.count, 0), 0),
    'app.in-flight': ticks.reduce((sum, { inFlight }) => sum + inFlight, 0),
  };
  const p99 = p99Of(ticks);
  if (p99 !== undefined) values['app.response-p99'] = p99;
  const loops = ticks.flatMap(({ loop }) => (loop === undefined ? [] : [loop]));
  if (loops.length > 0) {
    values['app.loop-delay'] = Math.max(...loops.map(({ maxMs }) => maxMs));
    values['app.loop-busy'] = Math.max(...loops.map(({ utilization }) => utilization)) * 100;
  }
  const heaps = ticks.flatMap(({ heap }) => (heap === undefined ? [] : [heap]));
  if (heaps.length > 0) values['app.heap-used'] = heaps.reduce((sum, { used }) => sum + used, 0);
  return values;
}
