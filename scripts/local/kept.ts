// Owns one child of the launcher that is to be there: started again with back-off when it dies, given up when it dies too often.
import type { ChildProcess } from 'node:child_process';
import { signalGroup } from './process-mark.ts';

/** Five deaths within a minute are not bad luck any more. */
const DEATHS_ALLOWED = 5;
const DEATHS_WINDOW_MS = 60_000;
const FIRST_PAUSE_MS = 100;

export interface KeptOptions {
  readonly name: string;
  spawn(): ChildProcess;
  /** Called after an unasked end, before the next start; what it resolves with is added to the line that says so. */
  cleanUp?(): Promise<string>;
  say(line: string): void;
  onGivenUp(why: string): void;
}

export interface Kept {
  pid(): number | undefined;
  child(): ChildProcess | undefined;
  /** Asks the child to end, forces its whole group after `graceMs`, and does not start it again. */
  stop(ask: (child: ChildProcess) => void, graceMs: number): Promise<void>;
  /** Ends the group now, for good. */
  kill(): void;
}

/** Starts the child at once. Children are leaders of their own group, so that a Ctrl+C reaches the launcher alone. */
export function keep(options: KeptOptions): Kept {
  let child: ChildProcess | undefined;
  let deaths: number[] = [];
  let done = false;
  let pause: NodeJS.Timeout | undefined;

  function start(): void {
    const mine = options.spawn();
    child = mine;
    let over = false;
    const once = (text: string): void => {
      if (over) return;
      over = true;
      if (mine.pid !== undefined) signalGroup(mine.pid, 'SIGKILL'); // whatever it left behind
      child = undefined;
      if (!done) again(mine.pid, text).catch((error: Error) => options.onGivenUp(error.message));
    };
    mine.once('error', (error) => once(`could not be started: ${error.message}`));
    mine.once('exit', (code, signal) => once(signal === null ? `ended with code ${code ?? -1}` : `ended by ${signal}`));
  }

  async function again(pid: number | undefined, text: string): Promise<void> {
    const now = performance.now();
    deaths = [...deaths.filter((at) => at > now - DEATHS_WINDOW_MS), now];
    const cleaned = (await options.cleanUp?.()) ?? '';
    if (done) return;
    const what = `${options.name} ${pid ?? ''} ${text}${cleaned}`.replace('  ', ' ');
    if (deaths.length > DEATHS_ALLOWED) {
      done = true;
      return options.onGivenUp(`${what}: ${deaths.length} times within a minute, given up`);
    }
    options.say(`${what}; starting it again`);
    pause = setTimeout(start, FIRST_PAUSE_MS * 2 ** (deaths.length - 1));
  }

  start();
  return {
    pid: () => child?.pid,
    child: () => child,
    async stop(ask, graceMs) {
      done = true;
      clearTimeout(pause);
      const mine = child;
      if (mine === undefined) return;
      const gone = new Promise<void>((resolve) => {
        mine.once('exit', () => resolve());
        mine.once('error', () => { if (mine.pid === undefined) resolve(); });
      });
      ask(mine);
      const force = setTimeout(() => { if (mine.pid !== undefined) signalGroup(mine.pid, 'SIGKILL'); }, graceMs);
      await gone;
      clearTimeout(force);
    },
    kill() {
      done = true;
      clearTimeout(pause);
      if (child?.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    },
  };
}
