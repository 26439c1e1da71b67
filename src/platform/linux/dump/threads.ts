// Owns the threads of a target under ptrace: all stopped together, looked at, and let go in every case.
import { readFileSync, readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { Refused } from './refused.ts';
import { EVENT_STOP, NT_X86_XSTATE, OPTION_TRACE_CLONE, PTRACE, SystemCallError, isStopped, stopEvent, stopSignal } from './libc.ts';
import type { Libc } from './libc.ts';
import { REGISTERS_BYTES } from './registers.ts';

const SIGTRAP = 5;
const ESRCH = 3;
const EPERM = 1;
/** A thread that runs or sleeps stops in well under a millisecond; one deep in the kernel (a vfork, a dead disk) may not stop for minutes: the app must not stand still for it. */
const STOP_LIMIT_MS = 250;
/** One that is ready to run but gets no processor is waited for longer: the whole machine is busy, or was held by its host. */
const RUNNABLE_LIMIT_MS = 3_000;
/** Looks without giving the processor away; afterwards the target's threads may need it to come to their stop. */
const SPINS = 100;
const NAP_MS = 0.05;
const FP_BYTES = 512;
/** The largest extended state today is 11 KB (AMX). */
const MAX_XSTATE_BYTES = 16 * 1024;
const SIGNAL_BYTES = 128;

export interface Thread {
  readonly tid: number;
  /** As wait found it: the signal that was on its way is handed on when it goes on. */
  status: number;
  registers: Buffer;
  floating: Buffer;
  /** AVX and beyond; empty where the processor or kernel has none. */
  extended: Buffer;
  /** siginfo of the stop: what a debugger shows as the last signal. */
  signal: Buffer | undefined;
}

export class Threads {
  readonly #libc: Libc;
  readonly #pid: number;
  readonly #seized = new Set<number>();
  readonly #stopped = new Map<number, Thread>();

  constructor(libc: Libc, pid: number) {
    this.#libc = libc;
    this.#pid = pid;
  }

  get stopped(): readonly Thread[] { return [...this.#stopped.values()]; }

  /** Takes hold of every thread; they run on. @throws Refused */
  seize(): void {
    for (const tid of this.#tids()) if (!this.#seized.has(tid)) this.#seizeOne(tid);
    if (this.#seized.size === 0) throw new Refused('gone', `process ${this.#pid} has ended`);
  }

  /** Takes over threads that this very process holds already; one of them may stand in a stop that was waited for. */
  adopt(tids: Iterable<number>, stopped?: { readonly tid: number; readonly status: number }): void {
    for (const tid of tids) this.#seized.add(tid);
    if (stopped !== undefined) this.#stopped.set(stopped.tid, fresh(stopped.tid, stopped.status));
  }

  /** Stops every thread, the main one last, also those that were born meanwhile. @throws Refused, and then everything runs */
  stop(): void {
    const until = performance.now() + STOP_LIMIT_MS;
    for (;;) {
      const fresh = [...this.#seized].filter((tid) => !this.#stopped.has(tid));
      for (const tid of fresh) if (tid !== this.#pid) this.#interrupt(tid);
      if (fresh.includes(this.#pid)) this.#interrupt(this.#pid);
      for (const tid of fresh) this.#await(tid, until);
      this.seize();
      if ([...this.#seized].every((tid) => this.#stopped.has(tid))) return;
    }
  }

  /** Stops one thread alone; undefined when it has ended. */
  stopOne(tid: number): Thread | undefined {
    if (!this.#seized.has(tid)) this.#seizeOne(tid);
    if (!this.#seized.has(tid)) return undefined;
    this.#interrupt(tid);
    this.#await(tid, performance.now() + STOP_LIMIT_MS);
    return this.#stopped.get(tid);
  }

  /** Reads what a core tells of each stopped thread. */
  look(): void {
    for (const thread of this.#stopped.values()) this.#look(thread);
  }

  lookAtGeneral(thread: Thread): void {
    this.#libc.ptrace(PTRACE.getRegs, thread.tid, 0, thread.registers, 'registers');
  }

  /** Lets one thread go on, with the signal that was on its way to it. */
  letGo(tid: number): void {
    const thread = this.#stopped.get(tid);
    const signal = thread === undefined || stopEvent(thread.status) !== 0 || stopSignal(thread.status) === SIGTRAP ? 0 : stopSignal(thread.status);
    try {
      this.#libc.ptrace(PTRACE.detach, tid, 0, signal, 'detach');
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    this.#stopped.delete(tid);
    this.#seized.delete(tid);
  }

  /** Lets all go, the main thread first. Threads that do not stop are stopped by nobody and go free when this process ends. */
  letAllGo(): void {
    if (this.#stopped.has(this.#pid)) this.letGo(this.#pid);
    for (const { tid } of this.stopped) this.letGo(tid);
    this.#seized.clear();
  }

  /** A thread was born to be left alone, or ended. */
  forget(tid: number): void {
    this.#stopped.delete(tid);
    this.#seized.delete(tid);
  }

  /** Ids of all threads of the process now. */
  everyone(): readonly number[] { return this.#tids(); }

  #tids(): number[] {
    try {
      return readdirSync(`/proc/${this.#pid}/task`).map(Number);
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return [];
      throw error;
    }
  }

  #seizeOne(tid: number): void {
    try {
      this.#libc.ptrace(PTRACE.seize, tid, 0, OPTION_TRACE_CLONE, 'seize');
      this.#seized.add(tid);
    } catch (error) {
      if (isGone(error)) return;
      if (error instanceof SystemCallError && error.errno === EPERM && isEnding(tid)) return;
      if (error instanceof SystemCallError && error.errno === EPERM) throw new Refused('denied', `the kernel does not let us attach to thread ${tid}: another debugger or tracer holds it, or it runs as another user and CAP_SYS_PTRACE is missing`);
      throw error;
    }
  }

  #interrupt(tid: number): void {
    try {
      this.#libc.ptrace(PTRACE.interrupt, tid, 0, 0, 'interrupt');
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #await(tid: number, until: number): void {
    for (let spins = 0; ;) {
      const found = this.#libc.wait(tid);
      if (found === 'none') { this.forget(tid); return; }
      if (found !== undefined) {
        if (!isStopped(found.status)) { this.forget(tid); return; }
        this.#stopped.set(tid, fresh(tid, found.status));
        return;
      }
      nap(spins);
      spins += 1;
      if (performance.now() > until && (stateLetter(tid) !== 'R' || performance.now() > until + RUNNABLE_LIMIT_MS)) throw new Refused('unstoppable', `thread ${tid} does not stop: it stands in the kernel, state ${stateLetter(tid) ?? 'gone'} (a child that was started by vfork, or a device that does not answer)`);
    }
  }

  #look(thread: Thread): void {
    const { tid } = thread;
    this.lookAtGeneral(thread);
    this.#libc.ptrace(PTRACE.getFpRegs, tid, 0, thread.floating, 'floating-point registers');
    thread.extended = this.#extended(tid);
    thread.signal = this.#signal(tid);
  }

  #extended(tid: number): Buffer {
    const bytes = Buffer.alloc(MAX_XSTATE_BYTES);
    try {
      return bytes.subarray(0, this.#libc.registerSet(tid, NT_X86_XSTATE, bytes));
    } catch (error) {
      if (error instanceof SystemCallError) return Buffer.alloc(0);          // ENODEV: no xsave
      throw error;
    }
  }

  #signal(tid: number): Buffer | undefined {
    const bytes = Buffer.alloc(SIGNAL_BYTES);
    try {
      this.#libc.ptrace(PTRACE.getSignal, tid, 0, bytes, 'signal');
      return bytes;
    } catch (error) {
      if (error instanceof SystemCallError) return undefined;                // EINVAL: stopped without a signal
      throw error;
    }
  }
}

const fresh = (tid: number, status: number): Thread => ({ tid, status, registers: Buffer.alloc(REGISTERS_BYTES), floating: Buffer.alloc(FP_BYTES), extended: Buffer.alloc(0), signal: undefined });

/** The signal that the thread was about to get when it was stopped; undefined when there was none. */
export function pendingSignal({ status }: Thread): number | undefined {
  return stopEvent(status) === 0 && stopSignal(status) !== SIGTRAP ? stopSignal(status) : undefined;
}

/** Stopped by us alone: no signal on its way, no job control. */
export const plainlyStopped = (thread: Thread): boolean => stopEvent(thread.status) === EVENT_STOP && stopSignal(thread.status) === SIGTRAP;

export const isGone = (error: unknown): boolean => error instanceof SystemCallError && error.errno === ESRCH;

const NAPPING = new Int32Array(new SharedArrayBuffer(4));

/** Between two looks: the first ones come at once, later ones leave the processor to the target. */
export function nap(looks: number): void {
  if (looks > SPINS) Atomics.wait(NAPPING, 0, 0, NAP_MS);
}

/** A thread on its way out cannot be held; the kernel says EPERM then. */
const isEnding = (tid: number): boolean => ['Z', 'X', undefined].includes(stateLetter(tid));

function stateLetter(tid: number): string | undefined {
  try {
    return /\) (\w) /.exec(readFileSync(`/proc/${tid}/stat`, 'latin1'))?.[1];
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined;
    throw error;
  }
}
