// Owns how eagerly V8 optimizes, and how it collects garbage, in a program that reads logs once and ends.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Bytes of bytecode that a function runs before it is optimized; V8's own number is an eighth of it. What is done for each row is WebAssembly;
 * the functions around it run for a second, and optimizing them took a quarter of all CPU time, on threads that the reading then had to wait for.
 */
const BUDGET_BYTES = 1_000_000;

const YOUNG_GROWTH = 8;

/** This process does nothing else. */
let alone = false;

/** For all threads of this process, and for as long as it runs: only for a program that does nothing else. V8 looks at the numbers again and again. */
export function optimizeRarely(): void {
  alone = true;
  setFlagsFromString(`--interrupt-budget=${BUDGET_BYTES}`);
  // The helpers of a collection would take the processors from the threads that read, which then wait for the helpers.
  setFlagsFromString('--no-parallel-scavenge');
  // What reads makes little garbage, and lives beside the memory of all threads that read.
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** From now on many small objects are made, as a report is: a young generation that doubles would be collected ten times on the way to its size. */
export function growYoung(): void {
  if (alone) setFlagsFromString(`--semi-space-growth-factor=${YOUNG_GROWTH}`);
}

/** Gives back the memory of what nobody holds any more, some ten megabytes for as many milliseconds: while the program waits for its threads. */
export function collectNow(): void {
  if (!alone) return;
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
