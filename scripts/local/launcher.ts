// Owns raising the whole local App Service, in order, and ending all of it: front end with worker, agent, traffic.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Home, openHome } from './home.ts';
import { KeptAgent } from './kept-agent.ts';
import { KeptFront } from './kept-front.ts';
import type { Limits } from './limits.ts';
import { type Site, agentVariables } from './site.ts';
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
  const siteUrl = `http://${site.hostname}`;
  const restartPipe = pipePath();
  const front = raiseFront(options, site, restartPipe);
  const quiet = new AbortController();
  let agent: KeptAgent | undefined;
  const ends: Pick<Launched, 'stop' | 'kill'> = {
    async stop() {
      quiet.abort();
      await Promise.all([agent?.stop(), front.stop()]);
      await left(restartPipe);
    },
    async kill() {
      quiet.abort();
      agent?.kill();
      await front.kill();
      await left(restartPipe);
    },
  };
  try {
    await untilAborted(front.listening, options.signal);
    agent = raiseAgent(options, home, site, restartPipe);
    await settled(front, options);
    const limit = AbortSignal.any([options.signal, AbortSignal.timeout(AGENT_START_MS)]);
    const diagUrl = agent === undefined ? undefined : await untilAborted(agent.listening, limit);
    if (options.traffic) startTraffic({ url: siteUrl, shop: options.app === undefined, signal: quiet.signal });
    return { ...ends, ...views(front, agent), siteUrl, diagUrl };
  } catch (error) {
    await ends.stop();
    throw error;
  }
}

function raiseFront({ home, app, port, limits, say, onGivenUp }: LaunchOptions, site: Site, restartPipe: string): KeptFront {
  const order = { home, app: app ?? demoFolder, deploy: app === undefined, port, site, limits, restartPipe };
  return new KeptFront({ order, say, onGivenUp });
}

function raiseAgent({ agent, say, onOpen, onGivenUp }: LaunchOptions, home: Home, site: Site, restartPipe: string): KeptAgent | undefined {
  if (agent === undefined) return undefined;
  const variables = { ...agentVariables(home, site, agent.port, agent.token, process.env), DIAG_RESTART_PIPE: restartPipe };
  return new KeptAgent({ file: agent.file, folder: checkout, variables, say, onOpen, onGivenUp });
}

function views(front: KeptFront, agent: KeptAgent | undefined): Omit<Launched, 'siteUrl' | 'diagUrl' | 'stop' | 'kill'> {
  return {
    agentPid: () => agent?.pid,
    frontPid: () => front.pid,
    workerPid: () => {
      const state = front.worker;
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

/** Short, whatever the home is called: a socket's path has some hundred letters. */
function pipePath(): string {
  const name = `local-restart-${randomBytes(8).toString('hex')}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);
}

/** The front end takes it away itself, unless it was killed. */
async function left(restartPipe: string): Promise<void> {
  if (process.platform !== 'win32') await rm(restartPipe, { force: true });
}

/** The promise, or the abort's reason if that comes first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, aborted]);
}
