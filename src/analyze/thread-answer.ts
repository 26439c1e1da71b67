// Owns the wait for a thread that reads one file: its answer, its faults in words, and its end in every case.
import type { Worker } from 'node:worker_threads';
import { DiagError, sayError } from '../shared/errors.ts';
import { bytes } from '../shared/units.ts';

export interface Awaited { readonly analyzer: string; readonly heapMb: number; readonly signal: AbortSignal }
/** What every such thread may say besides its own words. */
export interface ThreadFailed { readonly failed: string }

/** `hear` gives the answer once it is there, and throws what the thread refuses. `order` is posted, where the thread was not given it at its start.
 *  @throws ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once, wherever it is */
export async function answerOf<Said extends object, Answer>(worker: Worker, { analyzer, heapMb, signal }: Awaited, hear: (said: Said) => { readonly answer: Answer } | undefined, order?: object): Promise<Answer> {
  const faulted = (why: string, cause?: unknown): DiagError => new DiagError('ANALYZER_FAILED', { analyzer, why }, { cause });
  worker.stdout.resume();
  worker.stderr.resume();
  let stop = (): void => undefined;
  try {
    return await new Promise<Answer>((done, fail) => {
      stop = () => { fail(signal.reason as Error); };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (said: Said | ThreadFailed) => {
        try {
          if ('failed' in said) throw faulted(said.failed);
          const heard = hear(said);
          if (heard !== undefined) done(heard.answer);
        } catch (error) {
          fail(error as Error);
        }
      });
      worker.once('error', (error: Error & { code?: string }) => { fail(faulted(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${bytes(heapMb * 1024 * 1024)} of memory` : sayError(error), error)); });
      worker.once('exit', (code) => { fail(faulted(`its thread ended with ${code} and said nothing`)); });
      if (order !== undefined) worker.postMessage(order);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
