// Owns the reading of a dump in a thread of its own: a hostile or huge file must neither hold up nor end the agent.
import { parentPort, Worker } from 'node:worker_threads';
import type { DumpProgress, DumpRead } from '../../shared/dump-read.ts';
import { DiagError, sayError } from '../../shared/errors.ts';
import { answerOf, type ThreadFailed } from '../thread-answer.ts';
import { unreadable } from './core.ts';
import { readDumpFile } from './read-dump.ts';

/** Heap of the thread: the reader keeps 8 MiB of the dump, its answer is at most some dozen MiB. */
const HEAP_MB = 512;
/** So many more messages a page could not show. */
const PROGRESS_STEP = 0.01;

export interface DumpOrder { readonly dump: string }
type FromThread = { readonly progress: DumpProgress } | { readonly read: DumpRead } | { readonly unreadable: string } | ThreadFailed;

export interface Reading {
  readonly path: string;
  /** The built worker entry; absent: in this thread (tests, a tree that is not built). */
  readonly thread: string | undefined;
  readonly signal: AbortSignal;
  progress(at: DumpProgress): void;
}

/** @throws DUMP_UNREADABLE, ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once, wherever it is */
export async function readingOf({ path, thread, signal, progress }: Reading): Promise<DumpRead> {
  signal.throwIfAborted();
  if (thread === undefined) return await readDumpFile(path, { files: true, signal, progress });
  const worker = new Worker(thread, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB }, execArgv: [], env: {}, stdout: true, stderr: true });
  return await answerOf<Exclude<FromThread, ThreadFailed>, DumpRead>(worker, { analyzer: 'memory-dump', heapMb: HEAP_MB, signal }, (said) => {
    if ('unreadable' in said) throw unreadable(said.unreadable);
    if ('read' in said) return { answer: said.read };
    progress(said.progress);
    return undefined;
  }, { dump: path } satisfies DumpOrder);
}

/** The thread's side. */
export async function readForOthers({ dump }: DumpOrder): Promise<void> {
  const say = (said: FromThread): void => { parentPort?.postMessage(said); };
  let told = -1;
  const progress = (at: DumpProgress): void => {
    if (at.fraction - told < PROGRESS_STEP) return;
    told = at.fraction;
    say({ progress: at });
  };
  try {
    say({ read: await readDumpFile(dump, { files: true, signal: new AbortController().signal, progress }) });
  } catch (error) {
    say(error instanceof DiagError && error.code === 'DUMP_UNREADABLE' ? { unreadable: String(error.facts['why']) } : { failed: sayError(error) });
  }
}
