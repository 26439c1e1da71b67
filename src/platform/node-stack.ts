// Owns where the JavaScript of a Node process stands: its main thread is stopped for a moment through the inspector, told apart, and let go.
import { systemClock } from './clock.ts';
import type { Inspector } from './inspector.ts';

/** An idle loop runs no JavaScript until the next event: so long that event is waited for. */
const WAIT_MS = 1_500;
const FRAMES = 100;
const FRAME_CHARS = 300;
/** Scripts whose address is known; a frame in a later one has no file. */
const MOST_SCRIPTS = 20_000;

export interface StackFrame { readonly text: string; readonly ours: boolean }
/** No frames and `idle`: nothing ran for `waitedMs`. */
export interface NodeStack { readonly frames: readonly StackFrame[]; readonly more: number; readonly idle: boolean; readonly waitedMs: number }

interface Frame { readonly functionName?: string; readonly url?: string; readonly location?: { readonly scriptId?: string; readonly lineNumber?: number; readonly columnNumber?: number } }

/** @throws what the inspector says; the process runs on in every case: one that hangs up has let go */
export async function stackNow(inspector: Inspector, signal: AbortSignal): Promise<NodeStack> {
  const scripts = new Map<string, string>();
  inspector.on('Debugger.scriptParsed', (params) => {
    const { scriptId, url } = params as { scriptId?: string; url?: string };
    if (scriptId !== undefined && url !== undefined && url !== '' && scripts.size < MOST_SCRIPTS) scripts.set(scriptId, url);
  });
  const caught = new AbortController();
  let frames: readonly Frame[] | undefined;
  inspector.on('Debugger.paused', (params) => {
    frames ??= (params as { callFrames?: readonly Frame[] }).callFrames ?? [];
    void inspector.send('Debugger.resume').catch(() => undefined);       // a line that is gone has let the app go
    caught.abort();
  });
  const began = systemClock.monotonic();
  await inspector.send('Debugger.enable', { maxScriptsCacheSize: 0 });
  await inspector.send('Debugger.pause');
  try {
    await systemClock.wait(WAIT_MS, AbortSignal.any([signal, caught.signal]));
  } catch (error) {
    if (signal.aborted) throw error;
  }
  const waitedMs = Math.round(systemClock.monotonic() - began);
  // This also takes back the wish to stop, before anything of ours runs there.
  await inspector.send('Debugger.disable');
  const found = frames ?? [];
  return { frames: found.slice(0, FRAMES).map((frame) => frameOf(frame, scripts)), more: Math.max(0, found.length - FRAMES), idle: frames === undefined, waitedMs };
}

function frameOf({ functionName, url, location }: Frame, scripts: ReadonlyMap<string, string>): StackFrame {
  const file = (url === undefined || url === '' ? scripts.get(location?.scriptId ?? '') ?? '' : url).replace(/^file:\/\/(?:\/(?=[A-Za-z]:))?/, '');
  const place = file === '' ? '<anonymous>' : `${file}:${(location?.lineNumber ?? 0) + 1}:${(location?.columnNumber ?? 0) + 1}`;
  const text = functionName === undefined || functionName === '' ? place : `${functionName} (${place})`;
  return { text: text.slice(0, FRAME_CHARS), ours: file !== '' && !file.startsWith('node:') && !/[\\/]node_modules[\\/]/.test(file) };
}
