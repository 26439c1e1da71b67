// Owns the front end as the launcher sees it: its process, what it reports, and the worker it may leave behind.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endRecordedWorker } from './home-lock.ts';
import { type Kept, keep } from './kept.ts';
import type { FromFront, FrontOrder, ToFront } from './link.ts';
import type { WorkerState } from './worker.ts';

export interface KeptFront {
  /** Resolves at the first listening, rejects when the front end refuses its order. */
  readonly listening: Promise<void>;
  pid(): number | undefined;
  worker(): WorkerState;
  /** Resolves at the next state of the worker that `wanted` accepts, the present one included. Rejects when aborted. */
  workerIs(wanted: (state: WorkerState) => boolean, signal: AbortSignal): Promise<WorkerState>;
  startWorker(): void;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface KeptFrontOptions {
  readonly order: FrontOrder;
  say(line: string): void;
  onGivenUp(why: string): void;
}

/** Time for rows, events and output to reach the disk after the worker's own grace. */
const CLOSING_MS = 3_000;

export function keepFront({ order, say, onGivenUp }: KeptFrontOptions): KeptFront {
  const entry = fileURLToPath(new URL('./front-main.ts', import.meta.url));
  const loader = import.meta.resolve('tsx');
  const own = join(order.home, '.local');
  let worker: WorkerState = { is: 'down' };
  const followers = new Set<(state: WorkerState) => void>();
  let opened: () => void;
  let refused: (error: Error) => void;
  let hasListened = false;
  let frontPid: number | undefined;
  const listening = new Promise<void>((resolve, reject) => { [opened, refused] = [resolve, reject]; });
  listening.catch(() => undefined); // a launch that is aborted no longer waits for it

  function hear(message: FromFront): void {
    if (message.is === 'listening') {
      hasListened = true;
      opened();
    } else if (message.is === 'worker') {
      enter(message.state);
    } else if (hasListened) {
      say(`front end: ${message.why}`);
    } else {
      kept.kill(); // an order that is refused at first will be refused again
      refused(new Error(message.why));
    }
  }

  function enter(state: WorkerState): void {
    if (state.is === 'stopped' && worker.is !== 'stopped') {
      say(`worker stopped after ${order.limits.rapidFailCount} failures: the site answers 503 until "kill -USR2 ${process.pid}" or a change of web.config starts it`);
    }
    worker = state;
    for (const follower of followers) follower(state);
  }

  const kept: Kept = keep({
    name: 'front end',
    say,
    onGivenUp: (why) => {
      refused(new Error(why));
      onGivenUp(why);
    },
    spawn: () => {
      const child = spawn(process.execPath, ['--import', loader, entry, JSON.stringify(order)], {
        detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      frontPid = child.pid;
      child.on('message', (message) => hear(message as FromFront)); // our own process speaks
      return child;
    },
    async cleanUp() {
      const pid = await endLeftWorker();
      enter({ is: 'down' });
      return pid === undefined ? '' : `, its worker ${pid} was ended after it`;
    },
  });

  /** Something is left only when the front end was killed or had to be forced. */
  async function endLeftWorker(): Promise<number | undefined> {
    return frontPid === undefined ? undefined : endRecordedWorker({ own }, frontPid);
  }

  function send(message: ToFront): void {
    const child = kept.child();
    if (child?.connected === true) child.send(message, () => undefined); // a front end that is just dying is heard of by its exit
  }

  return {
    listening,
    pid: () => kept.pid(),
    worker: () => worker,
    workerIs: (wanted, signal) => new Promise((resolve, reject) => {
      const follower = (state: WorkerState): void => {
        if (!wanted(state)) return;
        followers.delete(follower);
        resolve(state);
      };
      followers.add(follower);
      signal.addEventListener('abort', () => {
        followers.delete(follower);
        reject(signal.reason as Error);
      }, { once: true });
      follower(worker);
    }),
    startWorker: () => send({ do: 'start-worker' }),
    async stop() {
      await kept.stop(() => send({ do: 'stop' }), order.limits.stopGraceMs + CLOSING_MS);
      await endLeftWorker();
    },
    async kill() {
      kept.kill();
      await endLeftWorker();
    },
  };
}
