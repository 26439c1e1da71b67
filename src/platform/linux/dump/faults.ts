// Owns the deaths that tests order: the writer, its target or the copy of the target, at a step by number or word.
import { performance } from 'node:perf_hooks';
import { hasMemory, startTicks } from './facts.ts';
import type { Order } from './helper-words.ts';
import { copiesOf } from './put-back.ts';
import type { Step } from './snapshot.ts';

const FAULT_LIMIT_MS = 10_000;

export type Writing = Exclude<Order, { mode: 'recover' }>;

/** Counts the steps; at the one a test names, somebody dies. */
export function stepper({ fault, pid }: Writing): Step {
  let count = 0;
  return (word) => {
    count += 1;
    if (fault === undefined || (fault.step !== count && fault.step !== word)) return;
    if (fault.kills === 'copy') for (const copy of copiesOf(pid, Number(startTicks(process.pid)))) killWhole(copy);
    else process.kill(fault.kills === 'writer' ? process.pid : pid, 'SIGKILL');
  };
}

/** Until its memory is gone, which takes its time on a crowded machine. */
function killWhole(copy: number): void {
  process.kill(copy, 'SIGKILL');
  const until = performance.now() + FAULT_LIMIT_MS;
  while (hasMemory(copy) && performance.now() < until);
}
