// Owns the front end as the launcher sees it: its process, what it reports, and the worker it may leave behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRecordedWorker } from './home-lock.ts';
import { Kept } from './kept.ts';
import type { FromFront, FrontOrder, ToFront } from './link.ts';
import type { WorkerState } from './worker.ts';

export interface KeptFrontOptions {
  readonly order: FrontOrder;
  say(line: string): void;
  onGivenUp(why: string): void;
}

/** Time for rows, events and output to reach the disk after the worker's own grace. */
const CLOSING_MS = 3_000;

/** Starts the front end at once, and again when it dies. */
export class KeptFront {
  readonly #options: KeptFrontOptions;
  readonly #own: string;
  readonly #kept: Kept;
  readonly #followers = new Set<(state: WorkerState) => void>();
  /** Resolves at the first listening, rejects when the front end refuses its order. */
  readonly listening: Promise<void>;
  #opened: () => void = () => undefined;
  #refused: (error: Error) => void = () => undefined;
  #hasListened = false;
  #pid: number | undefined;
  #worker: WorkerState = { is: 'down' };

  constructor(options: KeptFrontOptions) {
    this.#options = options;
    this.#own = join(options.order.home, '.local');
    this.listening = new Promise<void>((resolve, reject) => { [this.#opened, this.#refused] = [resolve, reject]; });
    this.listening.catch(() => undefined); // a launch that is aborted no longer waits for it
    this.#kept = new Kept({
      name: 'front end',
      say: options.say,
      spawn: () => this.#spawn(),
      cleanUp: () => this.#cleanUp(),
      onGivenUp: (why) => {
        this.#refused(new Error(why));
        options.onGivenUp(why);
      },
    });
  }

  get pid(): number | undefined {
    return this.#kept.child?.pid;
  }

  get worker(): WorkerState {
    return this.#worker;
  }

  /** Resolves at the next state of the worker that `wanted` accepts, the present one included. Rejects when aborted. */
  workerIs(wanted: (state: WorkerState) => boolean, signal: AbortSignal): Promise<WorkerState> {
    return new Promise((resolve, reject) => {
      const follower = (state: WorkerState): void => {
        if (!wanted(state)) return;
        this.#followers.delete(follower);
        resolve(state);
      };
      this.#followers.add(follower);
      signal.addEventListener('abort', () => {
        this.#followers.delete(follower);
        reject(signal.reason as Error);
      }, { once: true });
      follower(this.#worker);
    });
  }

  startWorker(): void {
    this.#send({ do: 'start-worker' });
  }

  async stop(): Promise<void> {
    await this.#kept.stop(() => this.#send({ do: 'stop' }), this.#options.order.limits.stopGraceMs + CLOSING_MS);
    await this.#endLeftWorker();
  }

  async kill(): Promise<void> {
    this.#kept.kill();
    await this.#endLeftWorker();
  }

  #spawn(): ChildProcess {
    const entry = fileURLToPath(new URL('./front-main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), entry, JSON.stringify(this.#options.order)], {
      detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#pid = child.pid;
    child.on('message', (message) => this.#hear(message as FromFront)); // our own process speaks
    return child;
  }

  #hear(message: FromFront): void {
    if (message.is === 'listening') {
      this.#hasListened = true;
      this.#opened();
    } else if (message.is === 'worker') {
      this.#enter(message.state);
    } else if (this.#hasListened) {
      this.#options.say(`front end: ${message.why}`);
    } else {
      this.#kept.kill(); // an order that is refused at first will be refused again
      this.#refused(new Error(message.why));
    }
  }

  #enter(state: WorkerState): void {
    if (state.is === 'stopped' && this.#worker.is !== 'stopped') {
      const { rapidFailCount } = this.#options.order.limits;
      this.#options.say(`worker stopped after ${rapidFailCount} failures: the site answers 503 until "kill -USR2 ${process.pid}" or a change of web.config starts it`);
    }
    this.#worker = state;
    for (const follower of this.#followers) follower(state);
  }

  async #cleanUp(): Promise<string> {
    const pid = await this.#endLeftWorker();
    this.#enter({ is: 'down' });
    return pid === undefined ? '' : `, its worker ${pid} was ended after it`;
  }

  /** Something is left only when the front end was killed or had to be forced. */
  async #endLeftWorker(): Promise<number | undefined> {
    return this.#pid === undefined ? undefined : endRecordedWorker({ own: this.#own }, this.#pid);
  }

  #send(message: ToFront): void {
    const child = this.#kept.child;
    if (child?.connected === true) child.send(message, () => undefined); // a front end that is just dying is heard of by its exit
  }
}
