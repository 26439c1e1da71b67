// Owns looking at exceptions that the app handles: a thread with the debugger of the main thread, which stops it for the blink of an eye at each throw.
import { Session } from 'node:inspector';
import { parentPort, workerData } from 'node:worker_threads';

/** The app stands still while an exception is looked at: so many a second, and no more. */
const PER_SECOND = 20;
const MAX_FRAMES = 12;

interface Frame { readonly functionName: string; readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number } }
interface Paused { readonly reason: string; readonly data?: { readonly className?: string; readonly description?: string; readonly value?: unknown; readonly uncaught?: boolean }; readonly callFrames: readonly Frame[] }
/** What the worker of Node 16 to 24 has, and the types of one version do not. */
type AnySession = Session & { connectToMainThread(): void; post(method: string, given?: object, done?: (error: Error | null, answer: unknown) => void): void };

const session = new Session() as AnySession;
const { routeName } = workerData as { routeName: string };
/** Where each script is from; of an app that makes scripts without end the first are enough. */
const MAX_SCRIPTS = 20_000;
const urls = new Map<string, string>();
let looked = 0;
let isOff = false;

session.connectToMainThread();
session.on('Debugger.paused', (message) => { paused(message.params as unknown as Paused); });
session.on('Debugger.scriptParsed', (message) => {
  const { scriptId, url } = message.params as unknown as { scriptId: string; url: string };
  if (url !== '' && urls.size < MAX_SCRIPTS) urls.set(scriptId, url.slice(0, 300));
});
look();
setInterval(() => {
  looked = 0;
  if (!isOff) return;
  isOff = false;
  look();
}, 1_000);

function look(): void {
  urls.clear();
  session.post('Debugger.enable');
  session.post('Debugger.setPauseOnExceptions', { state: 'all' });
}

function paused({ reason, data, callFrames }: Paused): void {
  const isAsked = (reason === 'exception' || reason === 'promiseRejection') && data?.uncaught !== true;
  if (!isAsked) { session.post('Debugger.resume'); return; }
  looked += 1;
  const seen = { description: `${data?.description ?? String(data?.value)}`.slice(0, 20_000), className: data?.className, frames: callFrames.slice(0, MAX_FRAMES).map(frameOf) };
  session.post('Runtime.evaluate', { expression: `typeof process === 'object' && process[Symbol.for(${JSON.stringify(routeName)})]?.()`, returnByValue: true, silent: true }, (_error, answer) => {
    const route = (answer as { result?: { value?: unknown } } | undefined)?.result?.value;
    session.post('Debugger.resume');
    if (looked >= PER_SECOND && !isOff) {
      isOff = true;
      session.post('Debugger.disable');                        // all of it: even a debugger that waits for nothing makes each throw slow
      parentPort?.postMessage({ tooMany: true });
    }
    parentPort?.postMessage({ ...seen, route: typeof route === 'string' ? route : undefined });
  });
}

function frameOf({ functionName, location }: Frame): string {
  const url = urls.get(location.scriptId);
  const place = url === undefined ? '' : ` (${url.replace(/^file:\/\//, '')}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1})`;
  return `${functionName === '' ? '<anonymous>' : functionName}${place}`.slice(0, 300);
}
