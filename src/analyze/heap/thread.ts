// Owns the reading of snapshots in a thread of its own: a huge or hostile file neither holds up nor ends the agent, and its memory goes with the thread.
import type { HeapReport } from '../../shared/heap.ts';
import { answerOf, type ThreadFailed } from '../thread-answer.ts';
import type { HeapOrder } from './report.ts';
import { HEAP_MB, startHeapThread } from './thread-start.ts';
import { unreadableHeap } from './unreadable.ts';

export type FromHeapThread = { readonly progress: number } | { readonly report: HeapReport } | { readonly unreadable: string } | ThreadFailed;

/** @throws HEAP_UNREADABLE, ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once */
export async function heapReportInThread(order: HeapOrder, signal: AbortSignal, progress: (fraction: number) => void = () => undefined): Promise<HeapReport> {
  signal.throwIfAborted();
  return await answerOf<Exclude<FromHeapThread, ThreadFailed>, HeapReport>(startHeapThread(order), { analyzer: 'heap-snapshot', heapMb: HEAP_MB, signal }, (said) => {
    if ('unreadable' in said) throw unreadableHeap(said.unreadable);
    if ('report' in said) return { answer: said.report };
    progress(said.progress);
    return undefined;
  });
}
