// Owns the pause: the target's threads stand still just long enough for one of them to make a copy-on-write child, from which a core is written in peace.
import { readSync, writeFileSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { EVENT_CLONE, OPTION_EXIT_KILL, PTRACE, SystemCallError, isStopped, stopEvent } from './libc.ts';
import type { Libc } from './libc.ts';
import { Layouts } from './layout.ts';
import { placeOf } from './ranges.ts';
import type { FlaggedMapping, ForkPlan, Mapping } from './ranges.ts';
import { Refused } from './refused.ts';
import { REGISTERS_BYTES, inSystemCall, readRegister, resumable, writeRegister } from './registers.ts';
import { STUB_BYTES, SYS, frameFor, isInStub, stubCode } from './stub.ts';
import { Threads, nap, plainlyStopped } from './threads.ts';
import type { Thread } from './threads.ts';

/** CLONE_FS | CLONE_FILES and no exit signal: the child holds no descriptor of its own (a socket that the app closes is closed), and its end sends no SIGCHLD. */
const CLONE_FLAGS = 0x200 | 0x400;
/** Copying page tables takes 10 to 25 ms per GiB; what takes longer than this has gone wrong. */
const FORK_LIMIT_MS = 20_000;
/** Mappings that appeared in the last moment are read in the pause itself, at about 5 GB/s: at most this much. */
const MAX_LATE_BYTES = 64 * 1024 * 1024;
/** The deepest frame: 8,192 ranges of MADV_DONTFORK are 128 KB, and a thread's stack is 8 MB (128 KB on musl, see `hasRoom`). */
const MAX_PAIRS = 16_384;

const REHEARSALS = 4;

/** Says where we are: tests kill the process at each of these words, progress shows some of them. */
export type Step = (word: string) => void;

export interface Late { readonly from: number; readonly bytes: Buffer }
export interface Snapshot {
  readonly child: number;
  readonly threads: readonly Thread[];
  /** From the first interrupt to the moment when the main thread was let go. */
  readonly pausedMs: number;
  /** Memory read in the pause because it was too new for its flags to be known. */
  readonly late: readonly Late[];
  /** Bytes of such memory that were too much for the pause: they are missing. */
  readonly missingBytes: number;
  readonly plan: ForkPlan;
  /** The target's mappings in the pause. */
  readonly mappings: readonly Mapping[];
}

export interface SnapshotOptions {
  readonly libc: Libc;
  readonly pid: number;
  /** /proc/PID/mem, open for reading and writing. */
  readonly mem: number;
  /** Where the stub goes. */
  readonly stubAt: number;
  /** Gets the threads that are led aside: without any, nothing was put into the target. */
  readonly used: Set<number>;
  /** @throws Refused when the pid does not mean the ordered process any more; once its threads are held it cannot change. */
  readonly sure: () => void;
  readonly before: readonly FlaggedMapping[];
  readonly step: Step;
}

/** Makes the copy. @throws Refused; then every thread runs, and nothing is left but the stub's bytes where `used` says so */
export function takeSnapshot(options: SnapshotOptions): Snapshot {
  const { libc, pid, before, step } = options;
  const threads = new Threads(libc, pid);
  const layouts = new Layouts(pid, before);
  try {
    rehearse(options, layouts);
    threads.seize();
    step('seized');
    const began = performance.now();
    threads.stop();
    options.sure();
    step('stopped');
    return paused(options, threads, began, layouts);
  } finally {
    layouts.close();
    threads.letAllGo();
    step('all let go');
  }
}

/** Runs what the pause will run, so that it is compiled by then: a cold pass over thousands of mappings takes 10 ms, a warm one 2. */
function rehearse({ stubAt }: SnapshotOptions, layouts: Layouts): void {
  for (let i = 0; i < REHEARSALS; i += 1) {
    const { mappings, calls, pairs } = layouts.lookAnew();
    const registers = Buffer.alloc(REGISTERS_BYTES);
    writeRegister(registers, 'rsp', 1n << 40n);
    frameFor(resumable(registers), BigInt(stubAt), calls, pairs);
    hasRoom({ registers }, mappings, 0);
  }
  layouts.look();
  // Rubbish is collected now, so that it is not in the pause (the process runs with --expose-gc).
  globalThis.gc?.();
}

function paused(options: SnapshotOptions, threads: Threads, began: number, layouts: Layouts): Snapshot {
  const { libc, pid, mem, stubAt, used, step } = options;
  threads.look();
  step('registers read');
  if (threads.stopped.some(({ registers }) => isInStub(registers, stubAt))) throw new Refused('busy', 'a thread has not yet come back from an earlier dump that was killed');
  const { mappings, plan, pairs, calls: toFork } = layouts.look();
  step('ranges planned');
  const late = readLate(mem, plan.unknown);
  step('late ranges read');
  const thread = choose(options, threads.stopped, mappings, plan);
  const all = threads.stopped;
  const resume = resumable(thread.registers);
  const calls = [...toFork, { number: SYS.clone, a: CLONE_FLAGS, b: 0, c: 0 }];
  const frame = frameFor(resume, BigInt(stubAt), calls, pairs);
  used.add(thread.tid);
  writeSync(mem, stubCode(readRegister(resume, 'rip')), 0, STUB_BYTES, stubAt);
  step('stub written');
  writeSync(mem, frame.bytes, 0, frame.bytes.length, Number(frame.at));
  step('frame written');
  // The one step that changes the target's course; from here on it needs nobody to find its way back.
  libc.ptrace(PTRACE.setRegs, thread.tid, 0, frame.enter, 'set registers');
  step('registers set');
  libc.ptrace(PTRACE.cont, thread.tid, 0, 0, 'continue');
  step('stub entered');
  const child = childOf(options, threads, thread, Number(frame.resultAt(calls.length - 1)));
  step('child made');
  if (thread.tid !== pid) threads.letGo(pid);
  const pausedMs = performance.now() - began;
  step('main thread let go');
  threads.letAllGo();
  return { child, threads: all, pausedMs: thread.tid === pid ? performance.now() - began : pausedMs, late: late.read, missingBytes: late.missingBytes, plan, mappings };
}

/** Only a thread that is stopped can be let go, and looked at again: one that goes on without a child is stopped once more. */
function childOf({ libc, mem }: SnapshotOptions, threads: Threads, { tid }: Thread, resultAt: number): number {
  try {
    return awaitChild(libc, tid, mem, resultAt);
  } catch (error) {
    threads.stopOne(tid);
    throw error;
  }
}

/** A sleeping thread that is not the main one makes the child, so that the app's own thread runs while flags are put back. */
function choose({ libc, pid, mem }: SnapshotOptions, threads: readonly Thread[], mappings: readonly Mapping[], plan: ForkPlan): Thread {
  if (plan.back.length > MAX_PAIRS) throw new Refused('busy', `the process has ${plan.back.length} ranges that a fork leaves out; at most ${MAX_PAIRS} are put back in one go`);
  const frameBytes = (plan.back.length + plan.spans.length * 2 + 64) * 16;
  const fits = (thread: Thread): boolean => plainlyStopped(thread) && hasRoom(thread, mappings, frameBytes) && !inRestartable(libc, mem, thread);
  const [others, main] = [threads.filter(({ tid }) => tid !== pid), threads.filter(({ tid }) => tid === pid)];
  const found = others.find((thread) => inSystemCall(thread.registers) && fits(thread)) ?? main.find(fits) ?? others.find(fits);
  if (found !== undefined) return found;
  if (threads.some((thread) => !plainlyStopped(thread))) throw new Refused('stopped', 'the process is stopped by a signal, or a signal is on its way to each of its threads');
  throw new Refused('busy', 'no thread of the process has room on its stack and stands where it can be led aside');
}

/**
 * Is there a stack's own memory below the thread's stack pointer. The main thread's grows by itself; another one's lies between its guard
 * and its control block (glibc and musl put that on top of it). Anything else is a piece of a heap, as Go's small stacks are: what lies below belongs to others.
 */
export function hasRoom({ registers }: Pick<Thread, 'registers'>, mappings: readonly Mapping[], bytes: number): boolean {
  const top = Number(readRegister(registers, 'rsp')), control = Number(readRegister(registers, 'fsBase'));
  const index = placeOf(mappings, top);
  const stack = mappings[index], guard = mappings[index - 1];
  if (stack?.perms.startsWith('rw') !== true || top - stack.from <= bytes + 4_096) return false;
  return stack.path === '[stack]' || (top < control && control < stack.to && guard?.to === stack.from && guard.perms.startsWith('---'));
}

/** A restartable sequence (rseq) must be aborted by the kernel when its thread is led aside; we rather take another thread. */
function inRestartable(libc: Libc, mem: number, thread: Thread): boolean {
  const configuration = Buffer.alloc(24);
  try {
    libc.ptrace(PTRACE.getRseq, thread.tid, configuration.length, configuration, 'rseq');
  } catch (error) {
    if (error instanceof SystemCallError) return false;        // a kernel without it: no such sequences
    throw error;
  }
  const at = Number(configuration.readBigUInt64LE(0));
  if (at === 0) return false;
  const area = Buffer.alloc(8);
  readSync(mem, area, 0, 8, at + 8);
  return area.readBigUInt64LE(0) !== 0n;
}

/** Waits until the stub's clone is made. @throws Refused when the kernel (a seccomp filter, a limit of processes) does not make it */
function awaitChild(libc: Libc, tid: number, mem: number, resultAt: number): number {
  const until = performance.now() + FORK_LIMIT_MS;
  const result = Buffer.alloc(8);
  for (let looks = 0; ; looks += 1) {
    nap(looks);
    const found = libc.wait(tid);
    if (found === 'none' || (found !== undefined && !isStopped(found.status))) throw new Refused('gone', 'the process ended while it was copied');
    if (found !== undefined && stopEvent(found.status) === EVENT_CLONE) {
      libc.ptrace(PTRACE.getEventMessage, tid, 0, result, 'event message');
      return Number(result.readBigUInt64LE(0));
    }
    // A signal for this thread: it is delivered on top of the stub, which goes on after its handler.
    if (found !== undefined) libc.ptrace(PTRACE.cont, tid, 0, stopEvent(found.status) === 0 ? (found.status >> 8) & 0xff : 0, 'continue');
    readSync(mem, result, 0, 8, resultAt);
    const answer = result.readBigInt64LE(0);
    if (answer < 0n) throw new Refused('clone-failed', `the kernel did not copy the process (errno ${-answer}): a limit of processes or memory, or a seccomp filter`);
    if (performance.now() > until) throw new Refused('clone-failed', `the process was not copied within ${FORK_LIMIT_MS / 1_000} s`);
  }
}

/** The child is ours alone: stopped, ended with us, and the first to go when memory is short. */
export function holdChild(libc: Libc, child: number, step: Step): void {
  const until = performance.now() + FORK_LIMIT_MS;
  for (let found = libc.wait(child); found === undefined || !isStopped(found === 'none' ? 0 : found.status); found = libc.wait(child)) {
    if (found !== undefined) throw new Refused('gone', 'the copy of the process ended at once');
    if (performance.now() > until) throw new Refused('clone-failed', 'the copy of the process does not stop');
  }
  step('child stopped');
  libc.ptrace(PTRACE.setOptions, child, 0, OPTION_EXIT_KILL, 'options');
  writeFileSync(`/proc/${child}/oom_score_adj`, '1000');
  step('child held');
}

/** Reads what is present of mappings whose flags are not known; bounded, since the target stands still. */
function readLate(mem: number, unknown: readonly Mapping[]): { readonly read: readonly Late[]; readonly missingBytes: number } {
  const read: Late[] = [];
  let total = 0;
  let missingBytes = 0;
  for (const { from, to, perms } of unknown) {
    if (!perms.startsWith('r')) continue;
    if (total + (to - from) > MAX_LATE_BYTES) { missingBytes += to - from; continue; }
    const bytes = Buffer.alloc(to - from);
    total += bytes.length;
    try {
      const size = readSync(mem, bytes, 0, bytes.length, from);
      read.push({ from, bytes: bytes.subarray(0, size) });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EIO')) throw error;
      missingBytes += to - from;
    }
  }
  return { read, missingBytes };
}
