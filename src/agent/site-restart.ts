// Owns restarts of more than one worker in the running agent: all of this instance, one instance after another over the shared home, the whole site by the management API.
import { join } from 'node:path';
import type { Operation } from '../shared/api.ts';
import { DiagError } from '../shared/errors.ts';
import type { Offer, ProcessKey } from '../shared/model.ts';
import { DEFAULT_PAUSE_MS, type SiteRestart, type SiteRestartView } from '../shared/restart.ts';
import { placesOf } from '../store/places.ts';
import { awaitHealthy } from '../mitigate/restart-probe.ts';
import { RestartWalker } from '../mitigate/restart-walker.ts';
import type { RestartHow } from '../mitigate/restart.ts';
import type { Parts } from './agent.ts';
import type { Config } from './config.ts';
import { startJob } from './job.ts';
import { restartWith } from './restart.ts';

const LOOK_EVERY_MS = 2_000;
/** Between two workers of one instance without overlap: the next one is to be warm before the one after it goes. */
const BETWEEN_MS = 10_000;

/** What the management API can do of it; absent where it is not configured. */
export interface PlatformRestart { offer(): Offer; restart(signal: AbortSignal): Promise<string> }

export interface SiteRestarts {
  view(): Promise<SiteRestartView>;
  /** @throws CAPABILITY_MISSING, OPERATION_BUSY */
  start(choice: SiteRestart, who: string): Promise<Operation>;
  /** @throws OPERATION_UNKNOWN where no walk runs */
  stopWalk(who: string): Promise<void>;
  stop(): void;
  readonly stopped: Promise<void>;
}

export interface SiteRestartGiven {
  readonly parts: Parts;
  readonly config: Config;
  readonly management: PlatformRestart;
  mask(text: string): string;
  /** Told before a process is ended. */
  asked(target: ProcessKey): void;
}

export function startSiteRestarts(given: SiteRestartGiven): SiteRestarts {
  return new LivingRestarts(given);
}

class LivingRestarts implements SiteRestarts {
  readonly stopped: Promise<void>;
  readonly #given: SiteRestartGiven;
  readonly #walker: RestartWalker;
  readonly #ending = new AbortController();
  #fault = '';

  constructor(given: SiteRestartGiven) {
    this.#given = given;
    const { parts: { platform, lead }, config } = given;
    const { app, folders } = platform.host;
    const { clock } = platform;
    const origin = originOf(config, app.hostName);
    this.#walker = new RestartWalker({
      folder: join(folders.own, 'restart'), instance: placesOf(platform).instance, lookEveryMs: LOOK_EVERY_MS,
      now: () => clock.now(), monotonic: () => clock.monotonic(), leads: () => lead.leads(),
      workers: (signal) => this.#workers(signal),
      restart: async (target, walk) => { await this.#restart(target, `restart over the instances${walk.reason === undefined ? '' : `: ${walk.reason}`}`, walk.who, { awaitsNext: false, overlapped: walk.overlapped && platform.can('overlapped-restart').yes }); },
      healthy: (path, signal) => awaitHealthy({ origin, affinity: config.env['WEBSITE_INSTANCE_ID'], policy: { allowLoopback: config.allowLoopback }, clock }, path, signal),
    });
    this.stopped = this.#loop();
  }

  async view(): Promise<SiteRestartView> {
    const { parts: { platform, observed }, config, management } = this.#given;
    await this.#look();
    const possible = platform.can('restart');
    const overlapped = platform.can('overlapped-restart');
    const count = observed.processes().filter(({ role, ours }) => role === 'worker' && ours !== true).length;
    const named = originOf(config, platform.host.app.hostName) !== undefined;
    const users = overlapped.yes ? 'no request fails, as the next worker answers before the old one is ended' : 'requests in flight get 10 s, then fail as 502; new ones wait for the next worker';
    const walk = this.#walker.view();
    return {
      overlapped, pauseMs: DEFAULT_PAUSE_MS,
      ways: [
        { way: 'instance', offer: possible, says: `${count === 1 ? 'The one worker' : `All ${count} workers, one after another,`} of this instance; ${users}.` },
        { way: 'instances', offer: !possible.yes ? possible : named ? { yes: true } : { yes: false, because: 'the public name of the site is not known here, so that no instance can be asked whether it is well; DIAG_SITE_URL can tell it' }, says: `One instance after another; each must answer before the next one has its turn. On each, ${users}.` },
        { way: 'platform', offer: management.offer(), says: 'The whole site by the platform: the workers of all instances at once, so that requests in flight may fail and all caches are cold.' },
      ],
      ...(walk === undefined ? {} : { walk }),
    };
  }

  async start(choice: SiteRestart, who: string): Promise<Operation> {
    const { ways, overlapped: offer } = await this.view();
    const offered = ways.find(({ way }) => way === choice.way);
    if (offered?.offer.yes !== true) throw new DiagError('CAPABILITY_MISSING', { what: 'This restart', because: offered?.offer.because });
    if (choice.overlapped === true && choice.way !== 'platform' && !offer.yes) throw new DiagError('CAPABILITY_MISSING', { what: 'A restart with overlap', because: offer.because });
    const overlapped = choice.overlapped ?? offer.yes;
    const { parts, mask } = this.#given;
    const job = { ...parts, mask };
    if (choice.way === 'instances') {
      const { id } = await this.#walker.begin({ ...choice, overlapped }, who);
      await parts.audit(who, 'restart instances', `pause ${choice.pauseMs} ms, asked at ${choice.path}${choice.reason === undefined ? '' : `: ${choice.reason}`}`, 'started');
      return startJob(job, { kind: 'restart', title: 'Restart of one instance after another', run: (signal, note) => this.#follow(id, who, signal, note) });
    }
    const run = choice.way === 'platform' ? (signal: AbortSignal) => this.#byPlatform(choice, who, signal) : (signal: AbortSignal, note: Note) => this.#here({ ...choice, overlapped }, who, signal, note);
    return startJob(job, { kind: 'restart', title: choice.way === 'platform' ? 'Restart of the whole site' : 'Restart of all workers of this instance', run });
  }

  async stopWalk(who: string): Promise<void> {
    await this.#walker.stop(who);
    await this.#given.parts.audit(who, 'restart instances', 'cancel', 'stopped');
  }

  stop(): void { this.#ending.abort(); }

  async #byPlatform({ reason }: SiteRestart, who: string, signal: AbortSignal): Promise<string> {
    const says = await this.#given.management.restart(signal);
    await this.#given.parts.audit(who, 'restart site', reason ?? 'by the management API', says);
    return says;
  }

  async #here({ reason = 'all workers of this instance', overlapped }: SiteRestart, who: string, signal: AbortSignal, note: Note): Promise<string> {
    const targets = await this.#workers(signal);
    if (targets.length === 0) throw new DiagError('BAD_INPUT', { why: 'no worker of the site runs on this instance' });
    for (const [index, target] of targets.entries()) {
      if (index > 0 && overlapped !== true) await this.#given.parts.platform.clock.wait(BETWEEN_MS, signal);
      signal.throwIfAborted();
      const progress = (text: string): void => { note(`worker ${target.pid}, ${index + 1} of ${targets.length}: ${text}`, index / targets.length); };
      progress('is restarted');
      await this.#restart(target, reason, who, { overlapped: overlapped === true, progress });
    }
    return `${targets.length} ${targets.length === 1 ? 'worker was' : 'workers were'} restarted`;
  }

  /** Until the walk is over, whoever walks. A cancel here is a word to all instances. */
  async #follow(id: string, who: string, signal: AbortSignal, note: Note): Promise<string> {
    const { clock } = this.#given.parts.platform;
    const cancel = (): void => { void this.stopWalk(who).catch(() => undefined); };   // over already: nothing is left to stop
    signal.addEventListener('abort', cancel, { once: true });
    for (;;) {
      const view = this.#walker.view();
      if (view?.id !== id) throw new DiagError('CANCELLED', { what: 'The restart, as another one took its place,' });
      if (view.state === 'done') return view.says;
      if (view.state === 'failed' || view.state === 'cancelled') throw new Error(view.says);
      note(view.says, view.instances.filter(({ state }) => state === 'done').length / Math.max(1, view.instances.length));
      await clock.wait(LOOK_EVERY_MS / 2, this.#ending.signal);
    }
  }

  async #restart(target: ProcessKey, reason: string, who: string, how: RestartHow): Promise<void> {
    this.#given.asked(target);
    try {
      await restartWith(this.#given.parts, { pid: target.pid, startedAt: target.startedAt, reason }, who, how);
    } catch (error) {
      if (!(error instanceof DiagError) || (error.code !== 'PROCESS_GONE' && error.code !== 'PROCESS_REUSED')) throw error;   // it went by itself meanwhile
    }
  }

  async #workers(signal: AbortSignal): Promise<readonly ProcessKey[]> {
    return (await this.#given.parts.platform.processes(signal)).filter(({ role, ours }) => role === 'worker' && ours !== true).map(({ pid, startedAt }) => ({ pid, startedAt }));
  }

  async #loop(): Promise<void> {
    for await (const _ of this.#given.parts.platform.clock.every(LOOK_EVERY_MS, this.#ending.signal)) {
      void _;
      await this.#look();
    }
    await this.#walker.end();
  }

  /** A home that cannot be read is told once, and looked at again. */
  async #look(): Promise<void> {
    try {
      await this.#walker.look();
      this.#fault = '';
    } catch (error) {
      if (String(error) !== this.#fault) this.#given.parts.log.error('the restart over the instances could not be looked at', {}, error);
      this.#fault = String(error);
    }
  }
}

type Note = (text: string, fraction?: number) => void;

/** Where the site answers for everybody. */
function originOf({ siteUrl }: Config, hostName: string | undefined): string | undefined {
  return siteUrl ?? (hostName === undefined ? undefined : `https://${hostName}`);
}

