// Owns the app as one process: how it is started, how its end is worded, how it is ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { withPreload } from './preload.ts';
import { signalGroup } from './process-mark.ts';
import { type Site, workerVariables } from './site.ts';

export interface AppToStart {
  readonly app: string;
  readonly home: Home;
  readonly site: Site;
}

/** The home is polled, never watched: it may be a share. */
const CONFIGURATION_LOOK_MS = 500;

/** Starts the app in its own process group, its output in pipes. The process may still fail to start: it then has no pid. */
export function spawnApp({ app, home, site }: AppToStart, port: number): ChildProcess {
  const line = startLine(app);
  const how = {
    cwd: app,
    env: withPreload(workerVariables(home, site, app, port, process.env)),
    detached: true, // a process group of its own: the terminal's Ctrl+C does not reach it, and it can be ended as a whole
    stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'],
  };
  // The one shell line of this program: it is the app owner's own, from the owner's package.json, exactly what `npm start` would run.
  return line === undefined ? spawn(process.execPath, ['server.js'], how) : spawn(line, { ...how, shell: true });
}

function startLine(app: string): string | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
    const scripts = typeof read === 'object' && read !== null && 'scripts' in read ? read.scripts : undefined;
    const start = typeof scripts === 'object' && scripts !== null && 'start' in scripts ? scripts.start : undefined;
    return typeof start === 'string' && start.trim() !== '' ? start : undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' || cause instanceof SyntaxError) return undefined; // then server.js is what is left
    throw cause;
  }
}

/** `exit code '1'`; a signal as the code a shell would report, 128 + its number, and by name. */
export function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `exit code '${code ?? -1}'`;
  return `exit code '${128 + (constants.signals[signal] ?? 0)}' (signal ${signal})`;
}

/** A change of the site's web.config restarts the app, as on App Service: also the way to start a stopped one from outside. */
export function watchConfiguration(path: string, onChange: () => void): { stop(): void } {
  watchFile(path, { interval: CONFIGURATION_LOOK_MS, persistent: false }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs) onChange();
  });
  return { stop: () => unwatchFile(path) };
}

/** Resolves after that time without keeping the process for it. */
export function patience(forMs: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, forMs).unref(); });
}

/** Ends the app's whole group: SIGTERM, then SIGKILL after the grace. Resolves when the app has ended. */
export async function endApp(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  signalGroup(pid, 'SIGTERM');
  const force = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  await gone;
  clearTimeout(force);
}
