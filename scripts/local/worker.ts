// Owns the app's worker: its start, its restarts with back-off, its stop after too many failures, and the events of each.
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type AppToStart, endApp, exitText, patience, spawnApp, watchConfiguration } from './app-process.ts';
import { type EventLog, level } from './eventlog.ts';
import { writeWholeNow } from './files.ts';
import type { Home } from './home.ts';
import type { Limits } from './limits.ts';
import { keepOutput } from './output.ts';
import { type ReplaceStep, answers, drained } from './overlap.ts';
import { accepts, anyFreePort } from './ports.ts';
import { isOfGroup, markOf, signalGroup } from './process-mark.ts';

export type WorkerState =
  | { readonly is: 'starting' | 'ready'; readonly pid: number; readonly port: number }
  | { readonly is: 'down' | 'stopped' | 'ended' };

export interface WorkerOptions extends AppToStart {
  readonly limits: Limits;
  readonly events: EventLog;
  onState(state: WorkerState): void;
  /** Requests that the worker on this port still has to answer. */
  openOn(port: number): number;
}

const PROVIDER = 'HttpPlatformHandler';
/** Between two looks whether a starting worker accepts: short against the 40 ms a small Node app needs. */
const ACCEPT_LOOK_MS = 20;
/** Back-off stops doubling here: 250 ms become at most 4 s. */
const BACK_OFF_DOUBLINGS = 4;
/** A grandchild that left the group may hold the worker's pipes for ever: its output is not waited for. */
const OUTPUT_GRACE_MS = 1_000;

/** Where the living worker is on record, for whoever must end it when the front end cannot. */
export function recordPath(home: Pick<Home, 'own'>): string {
  return join(home.own, 'worker.json');
}

/** The second worker of an overlapped restart: the next one while it starts, the old one while it drains. */
export function besidePath(home: Pick<Home, 'own'>): string {
  return join(home.own, 'worker-beside.json');
}

interface Run {
  readonly child: ChildProcess;
  readonly port: number;
  over: boolean;
  ready: boolean;
  /** We asked it to end: however it does, that is no failure. */
  asked: boolean;
}

/** Starts the worker at once and keeps it running until `stop()`. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #outputs = new Set<Promise<void>>();
  readonly #configuration: { stop(): void };
  readonly #living = new Set<Run>();
  #failures: number[] = [];
  #run: Run | undefined;
  #beside: Run | undefined;
  #pause: NodeJS.Timeout | undefined;
  #launching = false;
  #ending = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#configuration = watchConfiguration(join(options.app, 'web.config'), () => this.#recycle());
    this.#again(0);
  }

  /** A start request: ends the stop after rapid-fail and forgets the failures; nothing when the worker is up. */
  start(): void {
    if (this.#ending || this.#run !== undefined) return;
    this.#failures = [];
    this.#options.onState({ is: 'down' });
    this.#again(0);
  }

  /** Ends the worker and all its children: SIGTERM, then SIGKILL after the grace. */
  async stop(graceMs: number): Promise<void> {
    this.#ending = true;
    clearTimeout(this.#pause);
    this.#configuration.stop();
    await Promise.all([...this.#living].map((run) => endApp(run.child, graceMs)));
    await Promise.race([Promise.all(this.#outputs), patience(OUTPUT_GRACE_MS)]);
    for (const path of [recordPath(this.#options.home), besidePath(this.#options.home)]) await rm(path, { force: true });
    this.#options.onState({ is: 'ended' });
  }

  /** A second worker beside the first: when it answers, new requests go to it, the first answers what it has and is ended. Rejects with why the first one serves on. */
  async replace(pid: number, tell: (step: ReplaceStep) => void): Promise<void> {
    const { home, limits, openOn } = this.#options;
    const port = await anyFreePort();
    const old = this.#run;
    if (this.#ending || this.#beside !== undefined) throw new Error('another restart is under way');
    if (old?.child.pid === undefined || !old.ready || !isOfGroup(pid, old.child.pid)) throw new Error(`process ${pid} is not the worker that serves`);
    const next = port === undefined ? undefined : this.#begin(port, besidePath(home));
    if (next?.child.pid === undefined) throw new Error('the next worker could not be started');
    this.#beside = next;
    try {
      tell({ is: 'starting', pid: next.child.pid });
      await answers(next, limits.startLimitMs);
      this.#serveFrom(next, old);
      tell({ is: 'ready', pid: next.child.pid });
      await drained(old, limits.drainMs, openOn, tell);
      await endApp(old.child, limits.stopGraceMs);
    } catch (error) {
      if (this.#run !== next || !next.ready) signalGroup(next.child.pid, 'SIGKILL');
      throw error;
    } finally {
      this.#beside = undefined;
      await rm(besidePath(home), { force: true });
    }
  }

  #serveFrom(next: Run, old: Run): void {
    const { pid } = next.child;
    if (pid === undefined) return;
    old.asked = true;
    next.ready = true;
    this.#run = next;
    this.#record(next, recordPath(this.#options.home));
    if (!old.over) this.#record(old, besidePath(this.#options.home));
    this.#say(1001, level.information, `Process '${pid}' started successfully and is listening on port '${next.port}'.`);
    this.#options.onState({ is: 'ready', pid, port: next.port });
  }

  #recycle(): void {
    if (this.#run === undefined) return this.start();
    this.#run.asked = true;
    endApp(this.#run.child, this.#options.limits.stopGraceMs).catch((error: Error) => this.#say(1000, level.error, error.message)); // its exit starts the next one
  }

  #again(afterMs: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => { this.#launch().catch((error: Error) => this.#launchBroke(error)); }, afterMs);
  }

  async #launch(): Promise<void> {
    if (this.#launching || this.#run !== undefined) return;
    this.#launching = true;
    // A new port each time, as HttpPlatformHandler does: nobody can sit on the old one.
    const port = await anyFreePort().finally(() => { this.#launching = false; });
    if (this.#ending) return;
    if (port === undefined) return this.#failed('no free port', undefined);
    const run = this.#begin(port, recordPath(this.#options.home), (begun) => { this.#run = begun; });
    const { pid } = run.child;
    if (pid === undefined) return; // the error event follows
    this.#options.onState({ is: 'starting', pid, port });
    await this.#becomeReady(run, pid);
  }

  /** `known` is called before anything can go wrong with it. */
  #begin(port: number, record: string, known: (run: Run) => void = () => undefined): Run {
    const child = spawnApp(this.#options, port);
    const run: Run = { child, port, over: false, ready: false, asked: false };
    known(run);
    this.#living.add(run);
    child.once('error', (error) => this.#over(run, `could not be started: ${error.message}`, null, null));
    child.once('exit', (code, signal) => this.#over(run, exitText(code, signal), code, signal));
    if (child.pid === undefined) return run;
    this.#record(run, record);
    const output = keepOutput(child, this.#options.home, this.#options.limits).finally(() => this.#outputs.delete(output));
    this.#outputs.add(output);
    return run;
  }

  #record({ child: { pid }, port }: Run, path: string): void {
    if (pid !== undefined) writeWholeNow(path, JSON.stringify({ pid, mark: markOf(pid) ?? '', port, front: process.pid }));
  }

  /** No room for the worker's record, say: a worker that is not on record must not run. */
  #launchBroke(error: Error): void {
    const pid = this.#run?.child.pid;
    if (pid === undefined) this.#failed(error.message, undefined);
    else signalGroup(pid, 'SIGKILL'); // its exit counts as the failure
  }

  async #becomeReady(run: Run, pid: number): Promise<void> {
    const { startLimitMs } = this.#options.limits;
    const until = performance.now() + startLimitMs;
    while (!(await accepts(run.port)) || run.over) {
      if (run.over) return;
      if (performance.now() > until) {
        this.#say(1000, level.error, `Process '${pid}' failed to listen on port '${run.port}' within ${startLimitMs} ms and is ended.`);
        signalGroup(pid, 'SIGKILL');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_LOOK_MS));
    }
    run.ready = true;
    this.#say(1001, level.information, `Process '${pid}' started successfully and is listening on port '${run.port}'.`);
    this.#options.onState({ is: 'ready', pid, port: run.port });
  }

  #over(run: Run, text: string, code: number | null, signal: NodeJS.Signals | null): void {
    if (run.over) return;
    run.over = true;
    this.#living.delete(run);
    const { pid } = run.child;
    if (pid !== undefined) signalGroup(pid, 'SIGKILL'); // the job object of HttpPlatformHandler: children do not outlive the worker
    if (run !== this.#run) return; // one beside the worker: who began it sees its end
    const next = this.#beside === run || this.#beside?.over === true ? undefined : this.#beside;
    this.#run = next;
    if (this.#ending) return;
    // The one that was to take over is on its way already.
    if (next?.child.pid !== undefined) return this.#options.onState({ is: 'starting', pid: next.child.pid, port: next.port });
    // 143 is how a shell says that its program ended by SIGTERM.
    if (run.asked || signal === 'SIGTERM' || code === 143) return this.#restart(0);
    // An app that ends itself with 0 after serving may do so on a SIGTERM; one that does so for ever must not take all the CPU.
    if (code === 0 && run.ready) return this.#restart(this.#options.limits.backOffMs);
    if (pid === undefined) this.#say(1000, level.error, `The worker process ${text}`);
    else if (run.ready) this.#say(1002, level.error, `Process '${pid}' listening on port '${run.port}' crashed with ${text}.`);
    else this.#say(1000, level.error, `Process '${pid}' failed to listen on port '${run.port}': it ended with ${text}.`);
    this.#failed(text, pid);
  }

  #failed(text: string, pid: number | undefined): void {
    const { rapidFailCount, rapidFailWindowMs, backOffMs } = this.#options.limits;
    const now = Date.now();
    this.#failures = [...this.#failures.filter((at) => at > now - rapidFailWindowMs), now];
    if (this.#failures.length < rapidFailCount) {
      return this.#restart(backOffMs * 2 ** Math.min(this.#failures.length - 1, BACK_OFF_DOUBLINGS));
    }
    this.#say(1003, level.error,
      `Maximum rapid fail count of '${rapidFailCount}' within ${rapidFailWindowMs} ms exceeded: ` +
      `process '${pid ?? 0}' was the last to end, with ${text}. The application is stopped until it is started again.`);
    this.#options.onState({ is: 'stopped' });
  }

  #restart(afterMs: number): void {
    this.#options.onState({ is: 'down' });
    this.#again(afterMs);
  }

  #say(id: number, eventLevel: number, text: string): void {
    this.#options.events.add({ provider: PROVIDER, id, level: eventLevel, text });
  }
}
