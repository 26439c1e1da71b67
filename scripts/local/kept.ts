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

/** Starts the child at once. Children are leaders of their own group, so that a Ctrl+C reaches the launcher alone. */
export class Kept {
  readonly #options: KeptOptions;
  #child: ChildProcess | undefined;
  #deaths: number[] = [];
  #done = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: KeptOptions) {
    this.#options = options;
    this.#start();
  }

  get child(): ChildProcess | undefined {
    return this.#child;
  }

  /** Asks the child to end, forces its whole group after `graceMs`, and does not start it again. */
  async stop(ask: (child: ChildProcess) => void, graceMs: number): Promise<void> {
    this.#end();
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => { if (child.pid === undefined) resolve(); });
    });
    ask(child);
    const force = setTimeout(() => { if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL'); }, graceMs);
    await gone;
    clearTimeout(force);
  }

  /** Ends the group now, for good. */
  kill(): void {
    this.#end();
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL');
  }

  #end(): void {
    this.#done = true;
    clearTimeout(this.#pause);
  }

  #start(): void {
    const child = this.#options.spawn();
    this.#child = child;
    let over = false;
    const end = (text: string): void => {
      if (over) return;
      over = true;
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL'); // whatever it left behind
      this.#child = undefined;
      if (!this.#done) this.#again(child.pid, text).catch((error: Error) => this.#options.onGivenUp(error.message));
    };
    child.once('error', (error) => end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => end(signal === null ? `ended with code ${code ?? -1}` : `ended by ${signal}`));
  }

  async #again(pid: number | undefined, text: string): Promise<void> {
    const { name, cleanUp, say, onGivenUp } = this.#options;
    const now = performance.now();
    this.#deaths = [...this.#deaths.filter((at) => at > now - DEATHS_WINDOW_MS), now];
    const cleaned = (await cleanUp?.()) ?? '';
    if (this.#done) return;
    const what = `${name}${pid === undefined ? '' : ` ${pid}`} ${text}${cleaned}`;
    if (this.#deaths.length > DEATHS_ALLOWED) {
      this.#done = true;
      return onGivenUp(`${what}: ${this.#deaths.length} times within a minute, given up`);
    }
    say(`${what}; starting it again`);
    this.#pause = setTimeout(() => this.#start(), FIRST_PAUSE_MS * 2 ** (this.#deaths.length - 1));
  }
}
