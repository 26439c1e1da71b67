// Owns raising the whole local App Service, in order, and ending all of it: front end with worker, agent, traffic.
import { fileURLToPath } from 'node:url';
import { openHome } from './home.ts';
import { type KeptAgent, keepAgent } from './kept-agent.ts';
import { type KeptFront, keepFront } from './kept-front.ts';
import type { Limits } from './limits.ts';
import { agentVariables } from './site.ts';
import { startTraffic } from './traffic.ts';

export interface LaunchOptions {
  readonly home: string;
  /** The app's folder; absent is the demo, deployed into the home. */
  readonly app?: string;
  readonly port: number;
  readonly limits: Limits;
  readonly traffic: boolean;
  readonly agent?: { readonly file: string; readonly port: number; readonly token?: string };
  /** One line for the person in front of the terminal. */
  say(line: string): void;
  onOpen(link: string): void;
  /** Something died too often: everything is to be stopped. */
  onGivenUp(why: string): void;
  readonly signal: AbortSignal;
}

export interface Launched {
  readonly siteUrl: string;
  readonly diagUrl: string | undefined;
  frontPid(): number | undefined;
  workerPid(): number | undefined;
  agentPid(): number | undefined;
  /** A start request for a worker that was stopped after too many failures. */
  startWorker(): void;
  /** Ends everything; resolves when no process is left. */
  stop(): Promise<void>;
  /** The same by force. */
  kill(): Promise<void>;
}

export const SITE_NAME = 'contoso-shop';
const demoFolder = fileURLToPath(new URL('./demo', import.meta.url));
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** A worker that neither answers nor is given up by then is waited for no longer: the page is there to show why. */
const WORKER_START_MS = 60_000;
const AGENT_START_MS = 60_000;

/** Resolves when the site answers (or its worker was given up) and the agent listens. On rejection nothing is left running. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const home = await openHome(options.home);
  const site = { name: SITE_NAME, hostname: `127.0.0.1:${options.port}` };
  const front = keepFront({
    order: {
      home: options.home, app: options.app ?? demoFolder, deploy: options.app === undefined,
      port: options.port, site, limits: options.limits,
    },
    say: options.say,
    onGivenUp: options.onGivenUp,
  });
  const quiet = new AbortController();
  let agent: KeptAgent | undefined;
  const all: Pick<Launched, 'stop' | 'kill'> = {
    async stop() {
      quiet.abort();
      await Promise.all([agent?.stop(), front.stop()]);
    },
    async kill() {
      quiet.abort();
      agent?.kill();
      await front.kill();
    },
  };
  try {
    await untilAborted(front.listening, options.signal);
    if (options.agent !== undefined) {
      const { file, port, token } = options.agent;
      agent = keepAgent({
        file, folder: checkout, variables: agentVariables(home, site, port, token, process.env),
        say: options.say, onOpen: options.onOpen, onGivenUp: options.onGivenUp,
      });
    }
    await settled(front, options);
    const limit = AbortSignal.any([options.signal, AbortSignal.timeout(AGENT_START_MS)]);
    const diagUrl = agent === undefined ? undefined : await untilAborted(agent.listening, limit);
    const siteUrl = `http://127.0.0.1:${options.port}`;
    if (options.traffic) startTraffic({ url: siteUrl, shop: options.app === undefined, signal: quiet.signal });
    return { ...all, ...views(front, () => agent?.pid()), siteUrl, diagUrl };
  } catch (error) {
    await all.stop();
    throw error;
  }
}

function views(front: KeptFront, agentPid: () => number | undefined): Omit<Launched, 'siteUrl' | 'diagUrl' | 'stop' | 'kill'> {
  return {
    agentPid,
    frontPid: () => front.pid(),
    workerPid: () => {
      const state = front.worker();
      return state.is === 'ready' || state.is === 'starting' ? state.pid : undefined;
    },
    startWorker: () => front.startWorker(),
  };
}

/** Waits for the worker. An app that cannot start is still worth looking at, so that ends the wait and not the launch. */
async function settled(front: KeptFront, { signal, say }: LaunchOptions): Promise<void> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(WORKER_START_MS)]);
  try {
    const state = await front.workerIs(({ is }) => is === 'ready' || is === 'stopped', limit);
    if (state.is === 'ready') return;
  } catch (error) {
    if (signal.aborted) throw error;
    say(`worker: does not answer after ${WORKER_START_MS / 1000} s`);
  }
}

/** The promise, or the abort's reason if that comes first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, aborted]);
}
