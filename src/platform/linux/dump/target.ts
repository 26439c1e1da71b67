// Owns what a writer needs of its target before anything is done to it: that it is the ordered process, its memory opened, and a place for the stub.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readFacts, startTicks } from './facts.ts';
import type { Order } from './helper-words.ts';
import type { Libc } from './libc.ts';
import type { ProcessFacts } from './notes.ts';
import { unusedCode } from './place.ts';
import type { Target } from './put-back.ts';
import { parseSmaps } from './ranges.ts';
import type { FlaggedMapping } from './ranges.ts';
import { Refused } from './refused.ts';
import { say } from './say.ts';
import type { Step } from './snapshot.ts';
import { STUB_BYTES } from './stub.ts';
import { userfaultfdsOf } from './written-pages.ts';

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

export interface Prepared { readonly facts: ProcessFacts; readonly before: readonly FlaggedMapping[]; readonly target: Target }

/** Everything that a way with code in the target needs of it, told to the agent before the target is touched, for as long as the work takes. @throws Refused */
export async function withTarget(libc: Libc, order: Order, step: Step, work: (prepared: Prepared) => Promise<void>): Promise<void> {
  const { pid } = order;
  const facts = readFacts(pid);
  const before = parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'latin1'));
  step('flags read');
  const mem = openMem(pid);
  try {
    const target = findPlace(libc, order, mem, before, step);
    say({ say: 'journal', stubAt: target.stubAt, original: target.original.toString('hex'), sinceTicks: target.sinceTicks, had: target.had });
    step('place found');
    await work({ facts, before, target });
  } finally {
    closeSync(mem);
  }
}

/** @throws Refused when there is none */
function findPlace(libc: Libc, order: Order, mem: number, before: readonly FlaggedMapping[], step: Step): Target {
  const { pid } = order;
  const stubAt = unusedCode(mem, before, STUB_BYTES);
  if (stubAt === undefined) throw new Refused('no-place', 'no library of the process has unused bytes in its code pages');
  const original = Buffer.alloc(STUB_BYTES);
  readSync(mem, original, 0, STUB_BYTES, stubAt);
  return { libc, pid, mem, stubAt, original, sinceTicks: Number(startTicks(process.pid)), used: new Set(), step, had: userfaultfdsOf(pid), sure: () => { demandSame(order); } };
}
