// Owns the entry of the thread that reads heap snapshots; built to dist/heap-thread.js.
import { parentPort, workerData } from 'node:worker_threads';
import { DiagError, sayError } from '../../shared/errors.ts';
import { heapReport, type HeapOrder } from './report.ts';
import { withHeapSources } from './sources.ts';
import type { FromHeapThread } from './thread.ts';

/** So many more messages a reader could not show. */
const PROGRESS_STEP = 0.01;

const say = (said: FromHeapThread): void => { parentPort?.postMessage(said); };
let told = 0;

async function read(): Promise<FromHeapThread> {
  try {
    const report = heapReport(workerData as HeapOrder, { progress: (fraction) => { if (fraction < told) told = 0; if (fraction - told >= PROGRESS_STEP) { told = fraction; say({ progress: fraction }); } } });
    return { report: await withHeapSources(report) };
  } catch (error) {
    return error instanceof DiagError && error.code === 'HEAP_UNREADABLE' ? { unreadable: String(error.facts['why']) } : { failed: sayError(error) };
  }
}

void read().then(say);
