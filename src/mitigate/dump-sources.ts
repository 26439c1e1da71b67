// Owns where the readings of a dump watch come from: counters of the process, its event loop, exceptions in it, an address that is probed, metrics of the site.
import type { ProcessInfo } from '../shared/model.ts';
import { within } from '../platform/clock.ts';
import type { Inspector } from '../platform/inspector.ts';
import type { Platform, Usage } from '../platform/platform.ts';
import { answersHttp } from '../platform/http-probe.ts';
import type { Reading, Thrown } from './triggers/trigger.ts';

/** Processor time and memory of one process, a reading each call; undefined when it has ended. The first gives no CPU. */
export function counters(platform: Platform, target: ProcessInfo): (signal: AbortSignal) => Promise<Reading | undefined> {
  let before: { atMs: number; cpuMs: number } | undefined;
  return async (signal) => {
    const usage: Usage | undefined = (await platform.usage([target.pid], signal)).get(target.pid);
    if (usage === undefined || usage.startedAt !== target.startedAt) return undefined;
    const now = { atMs: platform.clock.monotonic(), cpuMs: usage.cpuMs };
    const passedMs = before === undefined ? 0 : now.atMs - before.atMs;
    const cpuPercent = before === undefined || passedMs <= 0 ? undefined : ((now.cpuMs - before.cpuMs) / passedMs) * 100;
    before = now;
    const memoryBytes = usage.privateBytes ?? usage.workingSetBytes;
    return {
      at: platform.clock.now(),
      ...(cpuPercent === undefined ? {} : { cpuPercent }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
      ...(usage.threads === undefined ? {} : { threads: usage.threads }),
    };
  };
}

/** For how long something owes an answer; undefined before it was asked. */
export interface Silence {
  silentMs(): number | undefined;
  /** What happened until now was our doing. */
  forgive(): void;
}

/** Asks again and again until the signal; `ask` gives whether it answered. */
export function questioning(platform: Platform, everyMs: number, ask: (signal: AbortSignal) => Promise<boolean>, signal: AbortSignal): Silence & { readonly over: Promise<void> } {
  let since: number | undefined;
  let answered = false;
  const over = (async () => {
    try {
      while (!signal.aborted) {
        since ??= platform.clock.monotonic();
        if (await ask(signal)) [since, answered] = [undefined, true];
        await platform.clock.wait(everyMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  })();
  return { over, silentMs: () => (since === undefined ? answered ? 0 : undefined : platform.clock.monotonic() - since), forgive: () => { if (since !== undefined) since = platform.clock.monotonic(); } };
}

/** A single question is given up after this: the next may come through, and the silence counts on. */
const PROBE_LIMIT_MS = 60_000;

export async function askHttp(url: URL, signal: AbortSignal): Promise<boolean> {
  const limit = within(PROBE_LIMIT_MS, signal);
  try {
    return await answersHttp(url, limit);
  } catch (error) {
    if (limit.aborted && !signal.aborted) return false;
    throw error;
  }
}

/** Node does not end while somebody debugs it: at its end we hang up, when all that it told is dealt with. */
export async function letItEnd(inspector: Inspector, ends: () => void): Promise<void> {
  inspector.on('NodeRuntime.waitingForDisconnect', ends);
  await inspector.send('NodeRuntime.notifyWhenWaitingForDisconnect', { enabled: true });
}

/** Answered by one turn of the event loop; the promise waits inside the process. */
const TURN = { expression: 'new Promise((turned) => { setImmediate(turned, true); })', awaitPromise: true, returnByValue: true, silent: true };

export async function askEventLoop(inspector: Inspector): Promise<boolean> {
  await inspector.send('Runtime.evaluate', TURN);
  return true;
}

interface Uncaught { timestamp?: number; exceptionDetails?: { exception?: Paused['data'] } }
interface Paused { reason?: string; data?: { className?: string; description?: string; value?: unknown; uncaught?: boolean } }

/** Stops the process at exceptions as the debugger sees them: all, or those that nobody will catch. `heard` says how long it stands: until the promise is done.
 *  V8 does not stop where the stack has overflowed; of that we hear when nobody has caught it, and Node waits at its end until we hang up. */
export async function hearExceptions(inspector: Inspector, all: boolean, since: number, heard: (thrown: Thrown) => Promise<void> | undefined): Promise<void> {
  inspector.on('Debugger.paused', (params) => {
    const goOn = (): void => { void inspector.send('Debugger.resume').catch(() => undefined); };   // it hung up: then V8 goes on by itself
    const thrown = thrownOf(params as Paused);
    if (thrown?.caught === false) last = thrown.text;
    const held = thrown === undefined ? undefined : heard(thrown);
    if (held === undefined) goOn();
    else void held.then(goOn, goOn);
  });
  let last: string | undefined;
  inspector.on('Runtime.exceptionThrown', (params) => {
    const { timestamp = 0, exceptionDetails: { exception } = {} } = params as Uncaught;
    const thrown = thrownOf({ reason: 'exception', data: { ...exception, uncaught: true } });
    if (timestamp < since || thrown === undefined || thrown.text === last) return;
    void heard(thrown)?.catch(() => undefined);                // its failure is the watch's, which says it
  });
  await inspector.send('Runtime.enable');
  await inspector.send('Debugger.enable', { maxScriptsCacheSize: 0 });
  await inspector.send('Debugger.setPauseOnExceptions', { state: all ? 'all' : 'uncaught' });
}

const MAX_TEXT_CHARS = 4_000;

/** Undefined: it stopped for another reason, such as a `debugger` statement. */
export function thrownOf({ reason, data }: Paused): Thrown | undefined {
  if (reason !== 'exception' && reason !== 'promiseRejection') return undefined;
  const text = data?.description ?? String(data?.value ?? '');
  return { type: data?.className ?? typeof data?.value, text: text.slice(0, MAX_TEXT_CHARS), caught: data?.uncaught !== true };
}
