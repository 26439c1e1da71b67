// Owns asking the host that starts the workers for an overlapped restart, where it listens for that: one order a connection, a line of JSON for each step.
import { connect } from 'node:net';
import { DiagError, sayError } from '../shared/errors.ts';
import type { Offer, ProcessKey } from '../shared/model.ts';
import type { Env } from './identity.ts';
import type { Platform } from './platform.ts';

/** A step has some fifty letters; a host that says more than this is none of ours. */
const MAX_ANSWER = 65_536;

const ON_APP_SERVICE = 'on App Service only the platform starts workers: its own recycles, as after a change of settings, overlap unless WEBSITE_DISABLE_OVERLAPPED_RECYCLING is 1; a worker that is ended from here is gone before the next one starts';
const NOWHERE = 'nothing here can be asked for a second worker: DIAG_RESTART_PIPE names no host that starts them';

/** The platform, with the overlapped restart where its host offers one. */
export function withRestartPipe(platform: Platform, env: Env): Platform {
  const path = env['DIAG_RESTART_PIPE'] || undefined;
  const offer: Offer = path !== undefined ? { yes: true } : { yes: false, because: (env['WEBSITE_INSTANCE_ID'] ?? '') === '' ? NOWHERE : ON_APP_SERVICE };
  return {
    ...platform,
    can: (what) => (what === 'overlapped-restart' ? offer : platform.can(what)),
    ...(path === undefined ? {} : { replaceWorker: (target, signal, progress) => replaced(path, target, signal, progress) }),
  };
}

/** Resolves when the old worker has ended. An abort stops the waiting; what the host has begun it goes on with. @throws RESTART_REFUSED, CANCELLED */
function replaced(path: string, target: ProcessKey, signal: AbortSignal, progress: (note: string) => void): Promise<{ readonly pid: number }> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown): void => { reject(new DiagError('RESTART_REFUSED', { pid: target.pid, why }, { cause })); };
    const socket = connect({ path });
    const abort = (): void => { socket.destroy(); reject(new DiagError('CANCELLED', { what: 'The wait for the restart' })); };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    let text = '', length = 0;
    let next: number | undefined;
    const read = (line: string): void => {
      const step = stepOf(line);
      if (step.is === 'starting') progress(`process ${step.pid} is starting beside it`);
      else if (step.is === 'ready') { next = step.pid; progress(`process ${step.pid} answers and gets the new requests`); } else if (step.is === 'draining') progress(`${step.open} ${step.open === 1 ? 'request is' : 'requests are'} still answered by the old one`);
      else if (step.is === 'refused') refuse(step.why);
      else if (step.is === 'done' && next !== undefined) resolve({ pid: next });
    };
    socket.setEncoding('utf8').on('data', (piece: string) => {
      length += piece.length;
      if (length > MAX_ANSWER) { socket.destroy(); refuse('its host says more than can be read'); return; }
      const lines = (text + piece).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) read(line);
    });
    socket.once('error', (error) => { refuse(`the host that starts the workers cannot be asked (${sayError(error)})`, error); });
    socket.once('close', () => { signal.removeEventListener('abort', abort); refuse('the host that starts the workers ended in the middle of it'); });   // after an answer this changes nothing
    socket.write(`${JSON.stringify({ do: 'replace', pid: target.pid })}\n`);
  });
}

type Step = { readonly is: 'starting' | 'ready'; readonly pid: number } | { readonly is: 'draining'; readonly open: number } | { readonly is: 'refused'; readonly why: string } | { readonly is: 'done' } | { readonly is: 'strange' };

/** What cannot be read is passed over: a later host may say more than we know. */
function stepOf(line: string): Step {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return { is: 'strange' };
    throw error;
  }
  const { is, pid, open, why } = (typeof found === 'object' && found !== null ? found : {}) as Readonly<Record<string, unknown>>;
  if ((is === 'starting' || is === 'ready') && typeof pid === 'number' && Number.isSafeInteger(pid)) return { is, pid };
  if (is === 'draining' && typeof open === 'number') return { is, open };
  if (is === 'refused') return { is, why: String(why).slice(0, 500) };
  return { is: is === 'done' ? 'done' : 'strange' };
}
