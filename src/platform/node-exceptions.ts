// Owns the exceptions that a Node process throws while its debugger listens, handled ones too: each kind once, counted, the process going on at once.
import type { AppFailure } from '../shared/app-link.ts';
import { systemClock } from './clock.ts';
import type { Inspector } from './inspector.ts';
import { failureKey } from './app-known.ts';

/** Each stops the app for a fraction of a millisecond: an app that throws all the time is let go before it feels it. */
const MOST = 2_000;
const MOST_KINDS = 200;
const FRAMES = 12;
/** Scripts whose address is known; what is thrown in a later one has no file. */
const MOST_SCRIPTS = 20_000;

export interface Thrown { readonly failures: readonly AppFailure[]; readonly forMs: number; readonly count: number; readonly unkept: number }

interface Paused { readonly reason?: string; readonly data?: { readonly className?: string; readonly description?: string; readonly uncaught?: boolean }; readonly callFrames?: readonly Frame[] }
interface Frame { readonly functionName?: string; readonly location?: { readonly scriptId?: string; readonly lineNumber?: number; readonly columnNumber?: number } }

/** @throws what the inspector says */
export async function thrownExceptions(inspector: Inspector, forMs: number, signal: AbortSignal): Promise<Thrown> {
  const kinds = new Map<string, AppFailure>();
  const enough = new AbortController();
  let count = 0;
  let unkept = 0;
  const scripts = new Map<string, string>();
  inspector.on('Debugger.scriptParsed', (params) => {
    const { scriptId, url } = params as { scriptId?: string; url?: string };
    if (scriptId !== undefined && url !== undefined && url !== '' && scripts.size < MOST_SCRIPTS) scripts.set(scriptId, url.replace(/^file:\/\//, ''));
  });
  inspector.on('Debugger.paused', (params) => {
    void inspector.send('Debugger.resume').catch(() => undefined);       // a line that is gone has let the app go
    const failure = failureOf(params as Paused, scripts);
    if (failure === undefined) return;
    count += 1;
    if (count >= MOST) enough.abort();
    const key = failureKey(failure);
    const before = kinds.get(key);
    if (before === undefined && kinds.size >= MOST_KINDS) { unkept += 1; return; }
    kinds.set(key, before === undefined ? failure : { ...failure, count: before.count + 1, firstAt: before.firstAt });
  });
  const began = systemClock.monotonic();
  await inspector.send('Debugger.enable');
  await inspector.send('Debugger.setPauseOnExceptions', { state: 'all' });
  try {
    await systemClock.wait(forMs, AbortSignal.any([signal, enough.signal]));
  } catch (error) {
    if (signal.aborted) throw error;
  }
  const took = systemClock.monotonic() - began;
  await inspector.send('Debugger.setPauseOnExceptions', { state: 'none' });
  await inspector.send('Debugger.disable');
  return { failures: [...kinds.values()], forMs: Math.round(took), count, unkept };
}

function failureOf({ reason, data, callFrames = [] }: Paused, scripts: ReadonlyMap<string, string>): AppFailure | undefined {
  if (reason !== 'exception' && reason !== 'promiseRejection') return undefined;
  const [head = '', ...stack] = (data?.description ?? '').split('\n');
  const [, type = data?.className ?? 'thrown value', message = head] = /^([\w$.]{1,100})(?: \[\w+\])?: ([\s\S]*)$/.exec(head) ?? [];
  const at = systemClock.now();
  // An error's own stack says where it was made; what is no error has the place where it was thrown.
  const own = stack.flatMap((line) => /^\s+at (.+)$/.exec(line)?.[1] ?? []);
  return {
    kind: data?.uncaught === true ? (reason === 'promiseRejection' ? 'rejection' : 'exception') : 'caught',
    type: type.slice(0, 120), message: message.slice(0, 500), count: 1, firstAt: at, lastAt: at,
    frames: (own.length > 0 ? own : callFrames.map((frame) => frameText(frame, scripts))).slice(0, FRAMES).map((frame) => frame.slice(0, 300)),
  };
}

function frameText({ functionName, location }: Frame, scripts: ReadonlyMap<string, string>): string {
  const place = `${scripts.get(location?.scriptId ?? '') ?? 'unknown'}:${(location?.lineNumber ?? 0) + 1}:${(location?.columnNumber ?? 0) + 1}`;
  return functionName === undefined || functionName === '' ? place : `${functionName} (${place})`;
}
