// Owns the local App Service as a function, for tests and scripts: one call raises it, one ends it.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Launched, checkout, launch } from './launcher.ts';
import { type Limits, defaultLimits } from './limits.ts';
import { anyFreePort } from './ports.ts';

export interface LocalOptions {
  /** Absent: a temporary folder, removed by `stop()`. */
  readonly home?: string;
  /** Absent: the demo app. */
  readonly app?: string;
  readonly limits?: Partial<Limits>;
  /** Off by default. */
  readonly traffic?: boolean;
  /** Off by default: front end and worker only. The agent is `dist/main.js`, which must have been built. */
  readonly agent?: boolean;
  /** Another program in the agent's place. */
  readonly agentFile?: string;
  /** The agent's token; absent: a random one. */
  readonly token?: string;
  readonly signal?: AbortSignal;
}

export interface LocalAppService extends Omit<Launched, 'diagUrl'> {
  readonly home: string;
  /** Empty without an agent. */
  readonly diagUrl: string;
  /** What the agent takes as `Authorization: Bearer`. */
  readonly token: string;
  /** Lines the launcher would have printed, oldest first: deaths and restarts. */
  readonly said: readonly string[];
  /** The agent's newest one-time link, if it printed one. */
  openLink(): string | undefined;
  /** The worker's pid while there is a worker. */
  pid(): number | undefined;
}

const SAID_KEPT = 1_000; // the oldest go; a test that restarts more often than this has other troubles

/** Resolves when the site answers and, with `agent: true`, the agent listens, on ports of its own. Rejects with nothing left running. */
export async function startLocalAppService(options: LocalOptions = {}): Promise<LocalAppService> {
  const agentFile = options.agentFile ?? join(checkout, 'dist', 'main.js');
  if (options.agent === true && !existsSync(agentFile)) throw new Error(`${agentFile} is missing: run "npm run build" first`);
  const home = options.home === undefined ? await mkdtemp(join(tmpdir(), 'local-app-service-')) : resolve(options.home);
  const drop = async (): Promise<void> => {
    if (options.home === undefined) await rm(home, { recursive: true, force: true, maxRetries: 3 });
  };
  const token = options.token ?? randomBytes(24).toString('base64url');
  const [port, scmPort] = [await anyFreePort(), await anyFreePort()];
  if (port === undefined || scmPort === undefined || port === scmPort) throw new Error('no two free ports on 127.0.0.1');
  const said: string[] = [];
  let link: string | undefined;
  const note = (line: string): void => {
    said.push(line);
    if (said.length > SAID_KEPT) said.shift();
  };
  try {
    const launched = await launch({
      home,
      port,
      limits: { ...defaultLimits, ...options.limits },
      traffic: options.traffic ?? false,
      ...(options.app === undefined ? {} : { app: resolve(options.app) }),
      ...(options.agent === true ? { agent: { file: agentFile, port: scmPort, token } } : {}),
      say: note,
      onOpen: (opened) => { link = opened; },
      onGivenUp: note,
      signal: options.signal ?? new AbortController().signal,
    });
    return {
      ...launched, home, token, said, diagUrl: launched.diagUrl ?? '',
      openLink: () => link,
      pid: () => launched.workerPid(),
      stop: async () => {
        await launched.stop();
        await drop();
      },
    };
  } catch (error) {
    await drop();
    throw error;
  }
}
