// Owns the start of a thread that reads heap snapshots: the one that makes the report, and the one beside it.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HeapOrder } from './report.ts';

/** The columns lie outside of it; names, classes and rows of the report stay far below. */
export const HEAP_MB = 1024;

/** 'second': it answers what the one that makes the report asks. Built: the entry beside the program. From source (tests): this folder's, with the loader that the process has. */
export function startHeapThread(order: HeapOrder | 'second'): Worker {
  const options = { workerData: order, execArgv: [], env: {}, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./heap-thread.js', import.meta.url), options);
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const main = fileURLToPath(new URL('./thread-main.ts', import.meta.url));
  return new Worker(`require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(main)});`, { ...options, eval: true });
}
