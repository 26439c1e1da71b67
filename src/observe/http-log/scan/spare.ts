// Owns the start of a scan's threads, also before it is known what they will read: they take a tenth of a second to be ready.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { SpareThreads } from './contract.ts';

/** Most of a thread's memory are typed arrays, which lie outside of it. */
const HEAP_MB = 256;
/** Figures make little garbage; a small young generation keeps three isolates within the memory we promise. */
const YOUNG_MB = 4;

/** Built: the entry beside the program. From source (tests): this folder's, for which the thread wants the loader that the process has. */
export function startThread(): Worker {
  const options = { execArgv: [], env: {}, stdout: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB, maxYoungGenerationSizeMb: YOUNG_MB } };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./http-log-thread.js', import.meta.url), options);
  const loader = createRequire(import.meta.url).resolve('tsx/cjs/api');
  const main = fileURLToPath(new URL('./thread-main.ts', import.meta.url));
  return new Worker(`require(${JSON.stringify(loader)}).register(); require(${JSON.stringify(main)});`, { ...options, eval: true });
}

export function spareThreads(count: number): SpareThreads {
  const spare = new Set(Array.from({ length: count }, startThread));
  // Should one die unused, the scan starts another.
  for (const worker of spare) worker.on('error', () => { spare.delete(worker); });
  return {
    take() {
      const [worker] = spare;
      if (worker !== undefined) spare.delete(worker);
      return worker;
    },
    async end() { await Promise.all([...spare].map((worker) => worker.terminate())); },
  };
}
