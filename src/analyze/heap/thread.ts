// Owns the reading of snapshots in a thread of its own: a huge or hostile file neither holds up nor ends the agent, and its memory goes with the thread.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { HeapReport } from '../../shared/heap.ts';
import { bytes } from '../../shared/units.ts';
import type { HeapOrder } from './report.ts';
import { unreadableHeap } from './unreadable.ts';

/** The columns lie outside of it; names, classes and rows of the report stay far below. */
const HEAP_MB = 1024;

export type FromHeapThread = { readonly progress: number } | { readonly report: HeapReport } | { readonly unreadable: string } | { readonly failed: string };

/** @throws HEAP_UNREADABLE, ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once */
export async function heapReportInThread(order: HeapOrder, signal: AbortSignal, progress: (fraction: number) => void = () => undefined): Promise<HeapReport> {
  signal.throwIfAborted();
  const worker = started(order);
  worker.stdout.resume();
  worker.stderr.resume();
  let stop = (): void => undefined;
  try {
    return await new Promise<HeapReport>((done, fail) => {
      stop = () => { fail(signal.reason as Error); };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (said: FromHeapThread) => {
        if ('progress' in said) progress(said.progress);
        else if ('report' in said) done(said.report);
        else fail('unreadable' in said ? unreadableHeap(said.unreadable) : faulted(said.failed));
      });
      worker.once('error', (error: Error & { code?: string }) => { fail(faulted(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${bytes(HEAP_MB * 1024 * 1024)} for names` : sayError(error), error)); });
      worker.once('exit', (code) => { fail(faulted(`its thread ended with ${code} and said nothing`)); });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

/** Built: the entry beside the program. From source (tests): this folder's, with the loader that the process has. */
function started(order: HeapOrder): Worker {
  const options = { workerData: order, execArgv: [], env: {}, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./heap-thread.js', import.meta.url), options);
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const main = fileURLToPath(new URL('./thread-main.ts', import.meta.url));
  return new Worker(`require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(main)});`, { ...options, eval: true });
}

const faulted = (why: string, cause?: unknown): DiagError => new DiagError('ANALYZER_FAILED', { analyzer: 'heap-snapshot', why }, { cause });
