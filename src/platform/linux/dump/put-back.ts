// Owns what is put back after the pause: the flags are looked at, the ended child is reaped, the stub's bytes become what they were.
import { existsSync, readFileSync, readSync, readdirSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libc } from './libc.ts';
import { PTRACE } from './libc.ts';
import { exitSignal, parentOf, startTicks } from './facts.ts';
import { joined, leftOutOfFork, parseMaps, parseSmaps } from './ranges.ts';
import type { Range } from './ranges.ts';
import { inSystemCall, readRegister, resumable } from './registers.ts';
import { hasRoom } from './snapshot.ts';
import type { Step } from './snapshot.ts';
import { NO_PAIRS, STUB_BYTES, SYS, frameFor, isInStub, stubCode } from './stub.ts';
import type { Call } from './stub.ts';
import { Threads, plainlyStopped } from './threads.ts';
import type { Thread } from './threads.ts';

/** WNOHANG | __WALL: the clone is no ordinary child, only a wait that asks for such finds it. */
const WAIT_CLONE = 1 | 0x4000_0000;
const TRIES = 400;
const BETWEEN_MS = 5;
/** Red zone and alignment, above the frame. */
const STACK_MARGIN_BYTES = 256;

export interface Target {
  readonly libc: Libc;
  readonly pid: number;
  readonly mem: number;
  readonly stubAt: number;
  /** What stood there before. */
  readonly original: Buffer;
  /** When our writer started (clock ticks since boot): its copies are not older. */
  readonly sinceTicks: number;
  /** Threads that were led aside: only these can stand in the stub. */
  readonly used: Set<number>;
  readonly step: Step;
  /** The target's own userfaultfds; those beside them are ours. */
  readonly had: readonly number[];
  /** Asked while a thread is held, so that the answer stays true. @throws Refused when the pid means another process by now */
  readonly sure: () => void;
}

/** After the copy is written and the child ended. What could not be put back, in words; none when all is as it was. Each stop is of one sleeping thread, for some tens of microseconds. */
export async function putBack(target: Target, back: readonly Range[]): Promise<string[]> {
  try {
    return await putAllBack(target, back);
  } catch (error) {
    if (!existsSync(`/proc/${target.pid}/maps`) || smaps(target.pid) === '') return [];          // it has ended: nothing is left of it
    return [`what was to be put back could not be looked at: ${error instanceof Error ? error.message : String(error)}`];
  }
}

/** What is begun in the target and refused half-way is put back. */
export async function orPutBack<T>(target: Target, begin: () => T | Promise<T>): Promise<T> {
  try {
    return await begin();
  } catch (error) {
    if (target.used.size > 0) await putBack(target, []);
    throw error;
  }
}

async function putAllBack(target: Target, back: readonly Range[]): Promise<string[]> {
  const left: string[] = [];
  target.step('putting back');
  if (!await reapChildren(target)) left.push('the ended copy stays in the process list as a zombie of the app until the app ends');
  target.step('child reaped');
  const flags = await flagsBack(target.pid, back);
  if (flags > 0) left.push(`${flags} memory ranges lack MADV_DONTFORK, so that children the app forks get a copy of them`);
  target.step('flags looked at');
  if (!await restoreCode(target)) left.push('a piece of unused library code still holds our instructions, which nothing runs');
  target.step('code restored');
  return left;
}

/** Bytes of ranges that are still mapped and have not got their flag back, once every thread has left the stub. */
async function flagsBack(pid: number, back: readonly Range[]): Promise<number> {
  if (back.length === 0) return 0;
  for (let attempt = 0; ; attempt += 1) {
    const lacking = lackingFlags(pid, back);
    if (lacking === 0 || attempt >= TRIES) return lacking;
    await sleep(BETWEEN_MS);
  }
}

function lackingFlags(pid: number, back: readonly Range[]): number {
  const mappings = parseSmaps(smaps(pid));
  const plain = joined(mappings.filter(({ flags }) => !leftOutOfFork(flags)));
  let lacking = 0;
  let at = 0;
  for (const range of plain) {
    while (at < back.length && (back[at] as Range).to <= range.from) at += 1;
    // A mapping that reaches beyond ours is the app's newer one; one that lies inside ours was forgotten.
    const own = back[at];
    if (own !== undefined && own.from <= range.from && range.to <= own.to) lacking += 1;
  }
  return lacking;
}

function smaps(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/smaps`, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}

/** Children of the target without an exit signal that are as young as our writer: the copies we made. An app's own clones of this kind are not touched. */
export function copiesOf(pid: number, sinceTicks: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
    .filter((other) => parentOf(other) === pid && exitSignal(other) === 0 && Number(startTicks(other) ?? 0) >= sinceTicks);
}

function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false;
    throw error;
  }
}

/** A copy may still be ending when this begins. */
async function reapChildren(target: Target): Promise<boolean> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const copies = copiesOf(target.pid, target.sinceTicks);
    if (copies.length === 0 || !existsSync(`/proc/${target.pid}`)) return true;
    const ended = copies.filter(isZombie);
    if (ended.length > 0) lead(target, ended.map((copy) => ({ number: SYS.wait4, a: copy, b: 0, c: WAIT_CLONE })));
    await sleep(BETWEEN_MS);
  }
  return false;
}

/** Leads a sleeping thread through the stub with these calls; false when none could be led aside just now. */
export function lead({ libc, pid, mem, stubAt, used, step, sure }: Target, calls: readonly Call[]): boolean {
  // The way back of a thread that is still inside stands in the stub itself.
  if (!nobodyInside(libc, pid, stubAt, used)) return false;
  return withThread(libc, pid, (thread) => {
    sure();
    const resume = resumable(thread.registers);
    const frame = frameFor(resume, BigInt(stubAt), calls, NO_PAIRS);
    if (!hasRoom(thread, parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1')), frame.bytes.length + STACK_MARGIN_BYTES)) return false;
    writeSync(mem, stubCode(readRegister(resume, 'rip')), 0, STUB_BYTES, stubAt);
    writeSync(mem, frame.bytes, 0, frame.bytes.length, Number(frame.at));
    used.add(thread.tid);
    step('frame for calls written');
    libc.ptrace(PTRACE.setRegs, thread.tid, 0, frame.enter, 'set registers');
    step('registers for calls set');
    return true;
  });
}

/** Stops one thread, tries, and lets it go; other threads are tried when this one does not fit. */
function withThread(libc: Libc, pid: number, act: (thread: Thread) => boolean): boolean {
  const tids = readdirSync(`/proc/${pid}/task`).map(Number);
  for (const tid of [...tids.filter((other) => other !== pid), pid]) {
    const threads = new Threads(libc, pid);
    try {
      const thread = threads.stopOne(tid);
      if (thread === undefined || !plainlyStopped(thread)) continue;
      threads.lookAtGeneral(thread);
      if ((inSystemCall(thread.registers) || tid === pid) && act(thread)) return true;
    } finally {
      threads.letAllGo();
    }
  }
  return false;
}

/** The stub's bytes go back when no thread stands in it: each that was led there is stopped and looked at, one after another. */
async function restoreCode({ libc, pid, mem, stubAt, original, used }: Target): Promise<boolean> {
  if (!existsSync(`/proc/${pid}`)) return true;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (nobodyInside(libc, pid, stubAt, used)) {
      writeSync(mem, original, 0, original.length, stubAt);
      const now = Buffer.alloc(original.length);
      readSync(mem, now, 0, now.length, stubAt);
      return now.equals(original);
    }
    await sleep(BETWEEN_MS);
  }
  return false;
}

/** Has every thread that was led aside come back. */
export const leftStub = ({ libc, pid, stubAt, used }: Target): boolean => nobodyInside(libc, pid, stubAt, used);

function nobodyInside(libc: Libc, pid: number, stubAt: number, used: ReadonlySet<number>): boolean {
  for (const tid of used) {
    const threads = new Threads(libc, pid);
    try {
      const thread = threads.stopOne(tid);
      if (thread === undefined) continue;
      threads.lookAtGeneral(thread);
      if (isInStub(thread.registers, stubAt)) return false;
    } finally {
      threads.letAllGo();
    }
  }
  return true;
}
