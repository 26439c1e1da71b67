// Owns the process that waits for a fault: it holds every thread of the target, hands on every signal, and writes a core at the one that counts.
import { readFileSync, readdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { wordFor } from '../dump/helper.ts';
import { say as sayDump } from '../dump/say.ts';
import { missingOf, writeFrom } from '../dump/write-core.ts';
import { readFacts, refuseUnfit, startTicks } from '../dump/facts.ts';
import { EVENT_CLONE, EVENT_STOP, OPTION_TRACE_CLONE, PTRACE, SystemCallError, isStopped, openLibc, stopEvent, stopSignal, type Libc } from '../dump/libc.ts';
import { parseMaps, parseSmaps } from '../dump/ranges.ts';
import { Refused } from '../dump/refused.ts';
import { Threads, isGone } from '../dump/threads.ts';
import { readText } from '../read.ts';
import type { FaultCommand, FaultWord } from './words.ts';
import { openWaiting } from './waiting.ts';

/** include/uapi/linux/ptrace.h */
const OPTION_TRACE_EXIT = 0x40;
const EVENT_EXIT = 6;
const LISTEN = 0x4208;
const SIGINFO_BYTES = 128;
const JOB_CONTROL: readonly number[] = [19, 20, 21, 22];       // SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU
/** Nothing is written into the target here, so what the dump writer's own code would fear is no reason. */
const HARMLESS: readonly string[] = ['seccomp', 'shadow-stack'];

const say = sayDump as (word: FaultWord) => void;

/** Runs until the dump, the end of the target, or the end of stdin. The kernel lets the target go, with every signal on its way, when this process ends. */
export async function watchFaults(command: FaultCommand): Promise<void> {
  let cancelled = false;
  process.stdin.on('end', () => { cancelled = true; leave(); }).on('error', () => { cancelled = true; leave(); }).resume();
  try {
    if (startTicks(command.pid) !== command.ticks) throw new Refused('gone', `process ${command.pid} has ended`);
    refuse(command.pid);
    const libc = openLibc();
    const watch = new Watch(libc, command, () => { if (cancelled) throw new Refused('busy', 'it was cancelled'); });
    watch.seize();
    say({ say: 'watching' });
    await watch.run(openWaiting());
  } catch (error) {
    say(wordFor(error) as FaultWord);
  }
  leave();
}

/** A thread of ours may stand in a wait that never ends; an ordinary exit would wait for it. */
function leave(): void { process.kill(process.pid, 'SIGKILL'); }

function refuse(pid: number): void {
  try {
    refuseUnfit(pid);
  } catch (error) {
    if (!(error instanceof Refused) || !HARMLESS.includes(error.reason)) throw error;
  }
}

class Watch {
  readonly #libc: Libc;
  readonly #command: FaultCommand;
  readonly #stopped: () => void;
  readonly #held = new Set<number>();
  /** What the kernel said of a fault that a handler of the app was given first: Node's handler raises the same signal anew, without the address. */
  #first: { readonly tid: number; readonly signal: number; readonly about: Buffer } | undefined;

  constructor(libc: Libc, command: FaultCommand, stopped: () => void) {
    this.#libc = libc;
    this.#command = command;
    this.#stopped = stopped;
  }

  /** Until no new thread is found: one may be born while the others are taken. @throws Refused */
  seize(): void {
    for (let fresh = this.#fresh(); fresh.length > 0; fresh = this.#fresh()) for (const tid of fresh) this.#seizeOne(tid);
    if (this.#held.size === 0) throw new Refused('gone', `process ${this.#command.pid} has ended`);
  }

  #fresh(): number[] {
    return readdirSync(`/proc/${this.#command.pid}/task`).map(Number).filter((tid) => !this.#held.has(tid));
  }

  #seizeOne(tid: number): void {
    this.#held.add(tid);
    try {
      this.#libc.ptrace(PTRACE.seize, tid, 0, OPTION_TRACE_CLONE | OPTION_TRACE_EXIT, 'seize');
    } catch (error) {
      if (isGone(error)) return;
      // A thread that another one gave birth to meanwhile is ours by that.
      if (error instanceof SystemCallError && tracerOf(this.#command.pid, tid) === process.pid) return;
      throw new Refused('denied', `the kernel does not let us attach to thread ${tid}: another debugger or tracer holds it, or it runs as another user and CAP_SYS_PTRACE is missing`);
    }
  }

  async run(next: () => Promise<number | undefined>): Promise<void> {
    for (let tid = await next(); tid !== undefined; tid = await next()) {
      const found = this.#libc.wait(tid);
      if (found === undefined) continue;
      if (found === 'none' || !isStopped(found.status)) {
        this.#held.delete(tid);
        if (tid === this.#command.pid) break;
        continue;
      }
      this.#held.add(tid);
      if (await this.#take(tid, found.status)) return;
    }
    say({ say: 'gone' });
  }

  /** True when the dump was written, or could not be. */
  async #take(tid: number, status: number): Promise<boolean> {
    const [event, signal] = [stopEvent(status), stopSignal(status)];
    if (event === EVENT_EXIT) return await this.#atExit(tid, status);
    if (event === EVENT_STOP && JOB_CONTROL.includes(signal)) this.#go(LISTEN, tid, 0);
    else if (event === EVENT_STOP || event === EVENT_CLONE || event !== 0) this.#go(PTRACE.cont, tid, 0);
    else if (this.#counts(signal)) { await this.#dump(tid, status, { signal }); return true; } else this.#handOn(tid, signal);
    return false;
  }

  async #atExit(tid: number, status: number): Promise<boolean> {
    if (!this.#command.exit || tid !== this.#command.pid) { this.#go(PTRACE.cont, tid, 0); return false; }
    const message = Buffer.alloc(8);
    this.#libc.ptrace(PTRACE.getEventMessage, tid, 0, message, 'exit status');
    await this.#dump(tid, status, { exitStatus: message.readInt32LE(0) });
    return true;
  }

  #handOn(tid: number, signal: number): void {
    if (this.#command.unhandled.includes(signal)) this.#first = { tid, signal, about: this.#about(tid) };
    this.#go(PTRACE.cont, tid, signal);
  }

  #about(tid: number): Buffer {
    const about = Buffer.alloc(SIGINFO_BYTES);
    this.#libc.ptrace(PTRACE.getSignal, tid, 0, about, 'signal');
    return about;
  }

  /** The kernel's own word on the fault, where the signal at hand was only raised by a handler. */
  #trueSignal(threads: Threads, tid: number, signal: number | undefined): void {
    const thread = threads.stopped.find((one) => one.tid === tid);
    if (thread?.signal === undefined || signal === undefined || this.#first?.tid !== tid || this.#first.signal !== signal) return;
    if (thread.signal.readInt32LE(8) <= 0 && this.#first.about.readInt32LE(8) > 0) thread.signal = this.#first.about;
  }

  #counts(signal: number): boolean {
    if (this.#command.always.includes(signal)) return true;
    return this.#command.unhandled.includes(signal) && !handles(readText(`/proc/${this.#command.pid}/status`) ?? '', signal);
  }

  #go(request: number, tid: number, signal: number): void {
    try {
      this.#libc.ptrace(request, tid, 0, signal, 'go on');
    } catch (error) {
      if (!isGone(error)) throw error;                         // it was killed in its stop
    }
  }

  /** Everything stands still meanwhile; then each thread goes its way, the one at fault with its signal. */
  async #dump(tid: number, status: number, why: { readonly signal?: number; readonly exitStatus?: number }): Promise<void> {
    const { pid, file } = this.#command;
    say({ say: 'fault', tid, ...why });
    const began = performance.now();
    const threads = new Threads(this.#libc, pid);
    threads.adopt(this.#held, { tid, status });
    try {
      threads.stop();
      threads.look();
      this.#trueSignal(threads, tid, why.signal);
      const before = parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'latin1'));
      const plan = await writeFrom(this.#libc, pid, { order: { pid, file }, first: tid, facts: readFacts(pid), before, threads: threads.stopped, mappings: parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1')), late: [], watch: undefined, stopped: this.#stopped, step: () => undefined });
      this.#letGo(threads, tid, why.signal);
      say({ say: 'done', bytes: plan.sizeBytes, pausedMs: performance.now() - began, missing: missingOf(plan), left: [] });
    } finally {
      this.#letGo(threads, tid, why.signal);
    }
  }

  #letGo(threads: Threads, tid: number, signal: number | undefined): void {
    if (!threads.stopped.some((one) => one.tid === tid)) { threads.letAllGo(); return; }
    this.#go(PTRACE.detach, tid, signal ?? 0);
    threads.forget(tid);
    threads.letAllGo();
  }
}

function tracerOf(pid: number, tid: number): number {
  return Number(/^TracerPid:\s*(\d+)/m.exec(readText(`/proc/${pid}/task/${tid}/status`) ?? '')?.[1] ?? 0);
}

/** Does the process catch or ignore this signal: then its delivery does not end it. */
export function handles(status: string, signal: number): boolean {
  const bit = 1n << BigInt(signal - 1);
  return ['SigCgt', 'SigIgn'].some((name) => (BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0'}`) & bit) !== 0n);
}
