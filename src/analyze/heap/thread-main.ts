// Owns the entry of the threads that read heap snapshots; built to dist/heap-thread.js.
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { HeapReport } from '../../shared/heap.ts';
import { heapReportByTwo } from './by-two.ts';
import type { HeapReading } from './read.ts';
import { heapReport, type HeapOrder } from './report.ts';
import { SecondThread, type Answered, type Asked } from './second.ts';
import { secondWork } from './second-work.ts';
import { withHeapSources } from './sources.ts';
import { startHeapThread } from './thread-start.ts';
import type { FromHeapThread } from './thread.ts';

/** So many more messages a reader could not show. */
const PROGRESS_STEP = 0.04;

/** A smaller file is read before a second thread has begun. */
const LEAST_BYTES = 24 * 1024 * 1024;

const say = (said: FromHeapThread): void => { parentPort?.postMessage(said); };
let told = 0;

async function report(order: HeapOrder, reading: HeapReading): Promise<HeapReport> {
  if (availableParallelism() > 1 && (await stat(order.path)).size >= LEAST_BYTES) {
    const second = new SecondThread(startHeapThread('second'));
    // Whatever was odd: one thread alone does it again from the file, and says why it cannot.
    const made = await heapReportByTwo(order, reading, second).catch(() => undefined);
    const ended = second.end();
    if (made !== undefined) return made;
    await ended;
  }
  return heapReport(order, reading);
}

async function read(order: HeapOrder): Promise<FromHeapThread> {
  try {
    return { report: await withHeapSources(await report(order, { progress: (fraction) => { if (fraction < told) told = 0; if (fraction - told >= PROGRESS_STEP) { told = fraction; say({ progress: fraction }); } } })) };
  } catch (error) {
    return error instanceof DiagError && error.code === 'HEAP_UNREADABLE' ? { unreadable: String(error.facts['why']) } : { failed: sayError(error) };
  }
}

if (workerData === 'second') {
  const work = secondWork();
  parentPort?.on('message', (asked: Asked) => {
    try {
      parentPort?.postMessage(work(asked));
    } catch (error) {
      parentPort?.postMessage({ failed: sayError(error) } satisfies Answered);
    }
  });
} else void read(workerData as HeapOrder).then(say);
