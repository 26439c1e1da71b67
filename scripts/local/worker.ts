// Owns the app's worker process: its start, its restarts with back-off, its end, and the traces each of them leaves.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from './eventlog.ts';
import { level } from './eventlog.ts';
import { writeWholeNow } from './files.ts';
import type { Home } from './home.ts';
import type { Limits } from './limits.ts';
import { keepOutput } from './output.ts';
import { accepts, freePort } from './ports.ts';
import { markOf, signalGroup } from './process-mark.ts';
import { type Site, workerVariables } from './site.ts';

export type WorkerState =
  | { readonly is: 'starting' | 'ready'; readonly pid: number; readonly port: number }
  | { readonly is: 'down' | 'stopped' | 'ended' };

export interface WorkerOptions {
  readonly app: string;
  readonly home: Home;
  readonly site: Site;
  readonly limits: Limits;
  readonly events: EventLog;
  onState(state: WorkerState): void;
}

export interface Worker {
  state(): WorkerState;
  /** A start request: ends the stop after rapid-fail and forgets the failures; nothing when the worker is up. */
  start(): void;
  /** Ends the worker and all its children: SIGTERM, then SIGKILL after the grace. */
  stop(graceMs: number): Promise<void>;
}

const PROVIDER = 'HttpPlatformHandler';
/** Between two looks whether a starting worker accepts: short against the 40 ms a small Node app needs. */
const ACCEPT_LOOK_MS = 20;
/** The home is polled, never watched: it may be a share. */
const CONFIGURATION_LOOK_MS = 500;
/** Back-off stops doubling here: 250 ms become at most 4 s. */
const BACK_OFF_DOUBLINGS = 4;

/** A grandchild that left the group may hold the worker's pipes for ever: its output is not waited for. */
const OUTPUT_GRACE_MS = 1_000;

interface Run {
  readonly child: ChildProcess;
  readonly port: number;
  readonly over: AbortController;
  ready: boolean;
  /** We asked it to end: however it does, that is no failure. */
  asked: boolean;
}

/** Starts the worker at once and keeps it running until `stop()`. */
export function superviseWorker(options: WorkerOptions): Worker {
  const { home, limits, events } = options;
  let state: WorkerState = { is: 'down' };
  let failures: number[] = [];
  let run: Run | undefined;
  let pause: NodeJS.Timeout | undefined;
  let launching = false;
  let ending = false;
  const outputs = new Set<Promise<void>>();

  function enter(next: WorkerState): void {
    state = next;
    options.onState(next);
  }

  function say(id: number, eventLevel: number, text: string): void {
    events.add({ provider: PROVIDER, id, level: eventLevel, text });
  }

  async function launch(): Promise<void> {
    if (launching || run !== undefined) return;
    launching = true;
    const port = await freePort().finally(() => { launching = false; }); // a new one each time, as HttpPlatformHandler does: nobody can sit on the old one
    if (ending) return;
    if (port === undefined) return failed('no free port', undefined);
    const child = spawnApp(options, port);
    const mine: Run = { child, port, over: new AbortController(), ready: false, asked: false };
    run = mine;
    child.once('error', (error) => over(mine, `could not be started: ${error.message}`));
    child.once('exit', (code, signal) => over(mine, exitText(code, signal), code, signal));
    if (child.pid === undefined) return; // the error event follows
    writeWholeNow(recordPath(home), JSON.stringify({ pid: child.pid, mark: markOf(child.pid) ?? '', port, front: process.pid }));
    const output = keepOutput(child, home, limits).finally(() => outputs.delete(output));
    outputs.add(output);
    enter({ is: 'starting', pid: child.pid, port });
    await becomeReady(mine, child.pid);
  }

  async function becomeReady(mine: Run, pid: number): Promise<void> {
    const until = performance.now() + limits.startLimitMs;
    while (!mine.over.signal.aborted) {
      if (await accepts(mine.port)) {
        if (mine.over.signal.aborted) return;
        mine.ready = true;
        say(1001, level.information, `Process '${pid}' started successfully and is listening on port '${mine.port}'.`);
        return enter({ is: 'ready', pid, port: mine.port });
      }
      if (performance.now() > until) {
        say(1000, level.error, `Process '${pid}' failed to listen on port '${mine.port}' within ${limits.startLimitMs} ms and is ended.`);
        signalGroup(pid, 'SIGKILL');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_LOOK_MS));
    }
  }

  function over(mine: Run, text: string, code: number | null = null, signal: NodeJS.Signals | null = null): void {
    if (mine.over.signal.aborted) return;
    mine.over.abort();
    run = undefined;
    const { pid } = mine.child;
    if (pid !== undefined) signalGroup(pid, 'SIGKILL'); // the job object of HttpPlatformHandler: children do not outlive the worker
    if (ending) return;
    // 143 is how a shell says that its program ended by SIGTERM. An app that ends itself with 0 on that signal is no failure either.
    const asked = mine.asked || signal === 'SIGTERM' || code === 143 || (code === 0 && mine.ready);
    if (asked) {
      enter({ is: 'down' });
      return again(0);
    }
    if (pid === undefined) say(1000, level.error, `The worker process ${text}`);
    else if (mine.ready) say(1002, level.error, `Process '${pid}' listening on port '${mine.port}' crashed with ${text}.`);
    else say(1000, level.error, `Process '${pid}' failed to listen on port '${mine.port}': it ended with ${text}.`);
    failed(text, pid);
  }

  function failed(text: string, pid: number | undefined): void {
    const now = Date.now();
    failures = [...failures.filter((at) => at > now - limits.rapidFailWindowMs), now];
    if (failures.length >= limits.rapidFailCount) {
      say(1003, level.error,
        `Maximum rapid fail count of '${limits.rapidFailCount}' within ${limits.rapidFailWindowMs} ms exceeded: ` +
        `process '${pid ?? 0}' was the last to end, with ${text}. The application is stopped until it is started again.`);
      return enter({ is: 'stopped' });
    }
    enter({ is: 'down' });
    again(limits.backOffMs * 2 ** Math.min(failures.length - 1, BACK_OFF_DOUBLINGS));
  }

  function again(afterMs: number): void {
    clearTimeout(pause);
    pause = setTimeout(() => { launch().catch(launchBroke); }, afterMs);
  }

  /** No port, or no room for the worker's record: a worker that is not on record must not run. */
  function launchBroke(error: Error): void {
    const pid = run?.child.pid;
    if (pid === undefined) failed(error.message, undefined);
    else signalGroup(pid, 'SIGKILL'); // its exit counts as the failure
  }

  function start(): void {
    if (ending || run !== undefined) return;
    failures = [];
    enter({ is: 'down' });
    again(0);
  }

  const watched = watchConfiguration(join(options.app, 'web.config'), () => {
    if (run === undefined) return start();
    run.asked = true;
    end(run.child, limits.stopGraceMs).catch(() => undefined); // its exit starts the next one
  });
  again(0);
  return {
    state: () => state,
    start,
    async stop(graceMs) {
      ending = true;
      clearTimeout(pause);
      watched.stop();
      if (run !== undefined) await end(run.child, graceMs);
      await Promise.race([Promise.all(outputs), patience(OUTPUT_GRACE_MS)]);
      await rm(recordPath(home), { force: true });
      enter({ is: 'ended' });
    },
  };
}

/** Where the living worker is on record, for whoever must end it when the front end cannot. */
export function recordPath(home: Pick<Home, 'own'>): string {
  return join(home.own, 'worker.json');
}

function spawnApp({ app, home, site }: WorkerOptions, port: number): ChildProcess {
  const line = startLine(app);
  const how = {
    cwd: app,
    env: workerVariables(home, site, app, port, process.env),
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
function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal === null) return `exit code '${code ?? -1}'`;
  return `exit code '${128 + (constants.signals[signal] ?? 0)}' (signal ${signal})`;
}

/** A change of the site's web.config restarts the app, as on App Service: also the way to start a stopped one from outside. */
function watchConfiguration(path: string, onChange: () => void): { stop(): void } {
  watchFile(path, { interval: CONFIGURATION_LOOK_MS, persistent: false }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs) onChange();
  });
  return { stop: () => unwatchFile(path) };
}

function patience(forMs: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, forMs).unref(); });
}

async function end(child: ChildProcess, graceMs: number): Promise<void> {
  const { pid } = child;
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  signalGroup(pid, 'SIGTERM');
  const force = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  await gone;
  clearTimeout(force);
}
