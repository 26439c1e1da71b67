// Owns the user's wish to end a command: Ctrl+C, a termination, or an output that nobody reads any more.
import { exitCode } from './exit.ts';

const ended = new AbortController();
let pipeClosed = false;

/** Aborts once for the whole command; every wait and every request of it watches this. */
export const stop: AbortSignal = ended.signal;

/** True when the end came because the reader of our output left (`diag logs | head`): that is an end, not an error. */
export function outputClosed(): boolean { return pipeClosed; }

/** Called once, before anything else. The first Ctrl+C ends in order, the second at once. */
export function watchForEnd(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.aborted && !pipeClosed) process.exit(3);
      ended.abort();
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') pipeClosed = true;
    else if (!stop.aborted) { exitCode(3); process.stderr.write(`diag: the output could not be written: ${error.message}\n`); }
    ended.abort();
  });
  process.stderr.on('error', () => { /* nobody reads our remarks: nothing is left to tell it to */ });
}

export async function untilStopped(): Promise<void> {
  if (stop.aborted) return;
  await new Promise<void>((done) => { stop.addEventListener('abort', () => { done(); }, { once: true }); });
}
