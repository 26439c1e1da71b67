// Owns what a writer needs of its target before anything is done to it: that it is the ordered process, its memory opened, and a place for the stub.
import { openSync, readSync } from 'node:fs';
import { startTicks } from './facts.ts';
import type { Order } from './helper-words.ts';
import type { Libc } from './libc.ts';
import { unusedCode } from './place.ts';
import type { Target } from './put-back.ts';
import type { FlaggedMapping } from './ranges.ts';
import { Refused } from './refused.ts';
import type { Step } from './snapshot.ts';
import { STUB_BYTES } from './stub.ts';

export const GONE_CODES = new Set(['ENOENT', 'ESRCH']);

/** @throws Refused when the pid means another process than the ordered one */
export function demandSame({ pid, ticks }: Order): void {
  const now = startTicks(pid);
  if (now === undefined) throw new Refused('gone', `process ${pid} has ended`);
  if (now !== ticks) throw new Refused('gone', `process ${pid} has ended, and another one has its number`);
}

/** /proc/PID/mem for reading and writing. @throws Refused */
export function openMem(pid: number): number {
  try {
    return openSync(`/proc/${pid}/mem`, 'r+');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (GONE_CODES.has(code)) throw new Refused('gone', `process ${pid} has ended`);
    throw new Refused('denied', `the kernel does not open the memory of process ${pid} for us (${code}): it runs as another user, or CAP_SYS_PTRACE is missing`);
  }
}

/** @throws Refused when there is none */
export function findPlace(libc: Libc, order: Order, mem: number, before: readonly FlaggedMapping[], step: Step): Target {
  const { pid } = order;
  const stubAt = unusedCode(mem, before, STUB_BYTES);
  if (stubAt === undefined) throw new Refused('no-place', 'no library of the process has unused bytes in its code pages');
  const original = Buffer.alloc(STUB_BYTES);
  readSync(mem, original, 0, STUB_BYTES, stubAt);
  return { libc, pid, mem, stubAt, original, sinceTicks: Number(startTicks(process.pid)), used: new Set(), step, sure: () => { demandSame(order); } };
}
