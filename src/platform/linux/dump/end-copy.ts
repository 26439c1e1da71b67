// Owns the end of the copy: its memory is given back before the app can run into the limit that both share.
import { performance } from 'node:perf_hooks';
import { memoryOf } from './facts.ts';
import type { Libc } from './libc.ts';
import { Refused } from './refused.ts';
import { childBytes, headroomBytes } from './room.ts';
import type { Step } from './snapshot.ts';
import { Threads } from './threads.ts';

/** A GiB takes some 80 ms to give back, longer on a crowded machine. */
const END_LIMIT_MS = 2_000;

/**
 * Ends the copy and takes it from the process list as far as it is ours to do. Milliseconds for which the app stood still meanwhile.
 *
 * A process that ends still holds its memory for a while, but the kernel does not choose it any more when the group is full: it would end the app.
 * So where little is left the app stands still until the copy has given all back.
 */
export function endCopy(libc: Libc, pid: number, copy: number, step: Step): number {
  const { residentBytes, ownBytes } = memoryOf(pid);
  if (headroomBytes(pid) >= childBytes(residentBytes, ownBytes)) { end(libc, copy, step); return 0; }
  const threads = new Threads(libc, pid);
  const began = performance.now();
  try {
    hold(threads);
  } finally {
    // Whatever kept the app from standing still: the copy ends, and the app goes on.
    try { end(libc, copy, step); } finally { threads.letAllGo(); }
  }
  return performance.now() - began;
}

/** An app that has ended, or does not stop, must not keep the copy alive. */
function hold(threads: Threads): void {
  try {
    threads.seize();
    threads.stop();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
}

function end(libc: Libc, copy: number, step: Step): void {
  try {
    process.kill(copy, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
  step('child killed');
  const until = performance.now() + END_LIMIT_MS;
  for (let found = libc.wait(copy); found === undefined || (found !== 'none' && (found.status & 0xff) === 0x7f); found = libc.wait(copy)) if (performance.now() > until) break;
  step('child ended');
}
