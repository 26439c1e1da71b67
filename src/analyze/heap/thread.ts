// Owns the reading of snapshots in a thread of its own: a huge or hostile file neither holds up nor ends the agent, and its memory goes with the thread.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HeapReport } from '../../shared/heap.ts';
import { answerOf, type ThreadFailed } from '../thread-answer.ts';
import type { HeapOrder } from './report.ts';
import { unreadableHeap } from './unreadable.ts';

/** The columns lie outside of it; names, classes and rows of the report stay far below. */
const HEAP_MB = 1024;

export type FromHeapThread = { readonly progress: number } | { readonly report: HeapReport } | { readonly unreadable: string } | ThreadFailed;

/** @throws HEAP_UNREADABLE, ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once */
export async function heapReportInThread(order: HeapOrder, signal: AbortSignal, progress: (fraction: number) => void = () => undefined): Promise<HeapReport> {
  signal.throwIfAborted();
  return await answerOf<Exclude<FromHeapThread, ThreadFailed>, HeapReport>(started(order), { analyzer: 'heap-snapshot', heapMb: HEAP_MB, signal }, (said) => {
    if ('unreadable' in said) throw unreadableHeap(said.unreadable);
    if ('report' in said) return { answer: said.report };
    progress(said.progress);
    return undefined;
  });
}

/** Built: the entry beside the program. From source (tests): this folder's, with the loader that the process has. */
function started(order: HeapOrder): Worker {
  const options = { workerData: order, execArgv: [], env: {}, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./heap-thread.js', import.meta.url), options);
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const main = fileURLToPath(new URL('./thread-main.ts', import.meta.url));
  return new Worker(`require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(main)});`, { ...options, eval: true });
}
