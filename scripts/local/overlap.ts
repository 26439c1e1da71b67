// Owns the two waits of an overlapped restart: for the next worker to answer, and for the old one to have answered.
import type { ChildProcess } from 'node:child_process';
import { get } from 'node:http';

/** What is told on the way; `open` are requests that the old worker still has. */
export type ReplaceStep =
  | { readonly is: 'starting' | 'ready'; readonly pid: number }
  | { readonly is: 'draining'; readonly open: number };

interface Running { readonly child: ChildProcess; readonly port: number; readonly over: boolean }

const LOOK_MS = 20;
/** A first request may compile half the app. */
const ANSWER_MS = 10_000;

const pause = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, LOOK_MS); });

/** Resolves when the worker has answered one request, whatever it says: who listens may still not be ready. Rejects when it ends or takes too long. */
export async function answers(next: Running, limitMs: number): Promise<void> {
  const until = performance.now() + limitMs;
  while (!(await answersNow(next.port))) {
    if (next.over) throw new Error(`the next worker, process ${next.child.pid}, ended before it answered`);
    if (performance.now() > until) throw new Error(`the next worker, process ${next.child.pid}, did not answer within ${limitMs} ms`);
    await pause();
  }
}

function answersNow(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get({ host: '127.0.0.1', port, path: '/', agent: false, timeout: ANSWER_MS }, (answer) => {
      answer.resume();
      answer.once('close', () => resolve(answer.complete));
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
  });
}

/** Resolves when the old worker has nothing left to answer, has ended, or its time is over: what is open then is cut. WebSockets are not waited for. */
export async function drained(old: Running, limitMs: number, openOn: (port: number) => number, tell: (step: ReplaceStep) => void): Promise<void> {
  const until = performance.now() + limitMs;
  let told = -1;
  for (let open = openOn(old.port); open > 0 && !old.over && performance.now() < until; open = openOn(old.port)) {
    if (open !== told) tell({ is: 'draining', open });
    told = open;
    await pause();
  }
}
