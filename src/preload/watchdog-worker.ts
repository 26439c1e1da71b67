// Owns watching the main thread from a thread of its own: while its heart does not beat, what it is doing and how full its heap is; into the state file too, which it cannot write itself then.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { workerData, type MessagePort } from 'node:worker_threads';
import type { AppState } from '../shared/app-link.ts';
import { SeenStacks, type CallFrame } from './stack.ts';
import type { WatchdogGiven, WatchdogTold } from './watchdog.ts';

const LOOK_MS = 50;
/** The heart beats every 20 ms. */
const STALLED_MS = 100;
/** The first looks of a stall come close together, the later ones seldom: it may be an endless loop. */
const CLOSE_LOOKS = 12;
const SELDOM_MS = 500;
/** A heap so full may be exhausted soon: what is known of it is to be of the last moment. */
const FULL = 0.5;
const STATE_BYTES = 4_096;

/** What the worker of Node 18 to 24 has, and the types of one version do not. */
type AnySession = Session & { connectToMainThread(): void; post(method: string, given?: object, done?: (error: Error | null, answer: unknown) => void): void };
interface Evaluated { readonly exceptionDetails?: { readonly exception?: { readonly value?: unknown }; readonly stackTrace?: { readonly callFrames: readonly CallFrame[] } } }

const { port, beats, beatName, statePath, heapLimit } = workerData as WatchdogGiven & { port: MessagePort };
/** Thrown where the main thread stands: the inspector tells the stack of an exception, and runs nothing of the app for it. */
const WHERE = `throw process[Symbol.for(${JSON.stringify(beatName)})]?.()`;

interface Stall { readonly beat: number; readonly since: number; readonly stacks: SeenStacks; readonly session: AnySession; looks: number; askedAt: number; waits: boolean; first?: { at: number; used: number }; isFull: boolean }

let lastBeat = Atomics.load(beats, 0);
let beatAt = performance.now();
let stall: Stall | undefined;

setInterval(() => {
  const at = performance.now();
  const beat = Atomics.load(beats, 0);
  if (beat !== lastBeat) {
    lastBeat = beat;
    beatAt = at;
    if (stall !== undefined) over(stall);
    return;
  }
  if (at - beatAt < STALLED_MS) return;
  stall ??= begun(beat);
  const isTime = stall.looks < CLOSE_LOOKS || stall.isFull || at - stall.askedAt >= SELDOM_MS;
  if (isTime && !stall.waits) look(stall, at);
}, LOOK_MS);
port.postMessage({ ready: true } satisfies WatchdogTold);

/** A session is there for a stall only: beside one that stays Node would keep the objects that the app logs. */
function begun(beat: number): Stall {
  const session = new Session() as AnySession;
  session.connectToMainThread();
  session.post('Runtime.enable');
  return { beat, since: beatAt, stacks: new SeenStacks(), session, looks: 0, askedAt: -Infinity, waits: false, isFull: false };
}

function over({ session, waits }: Stall): void {
  if (waits) return;                                           // an answer is under way: it ends the session
  stall = undefined;
  session.post('Runtime.disable', {}, () => { setImmediate(() => { session.disconnect(); }); });
}

function look(one: Stall, at: number): void {
  one.looks += 1;
  one.askedAt = at;
  one.waits = true;
  one.session.post('Runtime.evaluate', { expression: WHERE, silent: true }, (_error, answer) => {
    const { exception, stackTrace } = (answer as Evaluated | undefined)?.exceptionDetails ?? {};
    if (exception?.value === one.beat && stackTrace !== undefined) {
      one.stacks.add(stackTrace.callFrames);
      port.postMessage({ beat: one.beat, frames: one.stacks.hottest } satisfies WatchdogTold);
    }
    one.session.post('Runtime.getHeapUsage', {}, (_fault, usage) => {
      one.waits = false;
      if (Atomics.load(beats, 0) !== one.beat) { over(one); return; }
      const { usedSize } = (usage ?? {}) as { usedSize?: number };
      if (usedSize !== undefined) tellState(one, Math.round(usedSize));
    });
  });
}

/** Over the last state of the main thread, which knows more of the requests; where that wrote none, neither do we. */
function tellState(one: Stall, used: number): void {
  const at = performance.now();
  one.first ??= { at, used };
  one.isFull = used > heapLimit * FULL;
  const forS = (at - one.first.at) / 1_000;
  const stalled = { forMs: at - one.since, frames: one.stacks.hottest, ...(forS === 0 ? {} : { heapGrowth: Math.round((used - one.first.used) / forS) }) };
  try {
    const before = JSON.parse(readFileSync(statePath, 'utf8')) as AppState;
    const state: AppState = { ...before, at: Date.now(), heap: { used, limit: heapLimit }, rss: process.memoryUsage.rss(), stall: stalled };
    const bytes = Buffer.alloc(STATE_BYTES, ' ');
    let text = JSON.stringify(state);
    if (Buffer.byteLength(text) > STATE_BYTES) text = JSON.stringify({ ...state, oldest: [], failure: undefined });
    if (Buffer.byteLength(text) > STATE_BYTES) return;
    bytes.write(text, 'utf8');
    const file = openSync(statePath, 'r+');
    try { writeSync(file, bytes, 0, STATE_BYTES, 0); } finally { closeSync(file); }
  } catch {
    // no file, or one that is being written: the next look tells it
  }
}
