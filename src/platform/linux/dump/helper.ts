// Owns the dump writer's own process: short-lived, so that no fault of it can hurt the agent, and every ptrace call comes from its one thread.
import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { bytes } from '../../../shared/units.ts';
import { isOwnPage, planCore, presentRuns, writeCore } from './core-file.ts';
import type { CopyFiles, CorePlan } from './core-file.ts';
import { CoreOut } from './core-out.ts';
import { endCopy } from './end-copy.ts';
import { hasMemory, memoryOf, readFacts, refuseUnfit, startTicks } from './facts.ts';
import type { Order, Word } from './helper-words.ts';
import { SystemCallError, openLibc } from './libc.ts';
import type { Libc } from './libc.ts';
import { notesOf } from './notes.ts';
import type { ProcessFacts } from './notes.ts';
import { unusedCode } from './place.ts';
import { copiesOf, putBack } from './put-back.ts';
import type { Target } from './put-back.ts';
import { parseMaps, parseSmaps } from './ranges.ts';
import type { FlaggedMapping, Mapping } from './ranges.ts';
import { Refused } from './refused.ts';
import { demandRoom, tooTight } from './room.ts';
import { holdChild, takeSnapshot } from './snapshot.ts';
import type { Snapshot, SnapshotOptions, Step } from './snapshot.ts';
import { STUB_BYTES } from './stub.ts';
import { Threads } from './threads.ts';

/** Between looks at memory and progress: 4 MiB, some milliseconds. */
const LOOK_EVERY_PIECES = 64;
/** On a slow disk sooner: a cancel is heard within this and one piece. */
const LOOK_EVERY_MS = 50;
const FAULT_LIMIT_MS = 10_000;
const GONE_CODES = new Set(['ENOENT', 'ESRCH']);

class Cancelled extends Error {}

/** Runs one order to its end; every answer is a word on stdout. The process ends when its stdin ends: that is how it is cancelled. */
export async function runHelper(order: Order, libc: Libc = openLibc()): Promise<void> {
  let cancelled = false;
  process.stdin.on('end', () => { cancelled = true; }).on('error', () => { cancelled = true; }).resume();
  const stopped = (): void => { if (cancelled) throw new Cancelled(); };
  try {
    demandSame(order);
    if (order.mode === 'recover') await recover(libc, order);
    else if (order.mode === 'fork') await forkAndWrite(libc, order, stopped);
    else await stopAndWrite(libc, order, stopped);
  } catch (error) {
    say(wordFor(error));
  } finally {
    process.stdin.destroy();
  }
}

export function wordFor(error: unknown): Word {
  if (error instanceof Cancelled) return { say: 'cancelled' };
  if (error instanceof Refused) return { say: 'refused', reason: error.reason, why: error.message };
  if (error instanceof SystemCallError) return { say: 'failed', why: error.message };
  if (error instanceof Error && 'code' in error && GONE_CODES.has(String(error.code))) return { say: 'refused', reason: 'gone', why: 'the process ended meanwhile' };
  return { say: 'failed', why: error instanceof Error ? error.message : String(error) };
}

export function say(word: Word): void {
  writeSync(1, `${JSON.stringify(word)}\n`);
}

function demandSame({ pid, ticks }: Order): void {
  const now = startTicks(pid);
  if (now === undefined) throw new Refused('gone', `process ${pid} has ended`);
  if (now !== ticks) throw new Refused('gone', `process ${pid} has ended, and another one has its number`);
}

/** Counts the steps; at the one a test names, somebody dies. */
function stepper({ fault, pid }: Writing): Step {
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

type Writing = Extract<Order, { mode: 'fork' | 'stop' }>;

async function forkAndWrite(libc: Libc, order: Writing, stopped: () => void): Promise<void> {
  const { pid } = order;
  const step = stepper(order);
  refuseUnfit(pid);
  const memory = memoryOf(pid);
  demandRoom(pid, memory.residentBytes, memory.ownBytes);
  step('fit');
  const facts = readFacts(pid);
  const before = parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'latin1'));
  step('flags read');
  const mem = openMem(pid);
  try {
    const target = findPlace(libc, pid, mem, before, step);
    say({ say: 'journal', stubAt: target.stubAt, original: target.original.toString('hex'), sinceTicks: target.sinceTicks });
    step('place found');
    stopped();
    const snapshot = await snapshotOf({ ...target, before, sure: () => { demandSame(order); } }, target);
    try {
      holdChild(libc, snapshot.child, step);
      const plan = await writeFrom(libc, snapshot.child, { order, facts, before, threads: snapshot.threads, mappings: snapshot.mappings, late: snapshot.late, watch: pid, stopped, step });
      const heldMs = endCopy(libc, pid, snapshot.child, step);
      say({ say: 'done', bytes: plan.sizeBytes, pausedMs: snapshot.pausedMs + heldMs, missing: missingOf(plan, snapshot), left: await putBack(target, snapshot.plan.back) });
    } catch (error) {
      endCopy(libc, pid, snapshot.child, step);
      await putBack(target, snapshot.plan.back);
      throw error;
    }
  } finally {
    closeSync(mem);
  }
}

/** What a copy that was refused half-way left in the target is put back. */
async function snapshotOf(options: SnapshotOptions, target: Target): Promise<Snapshot> {
  try {
    return takeSnapshot(options);
  } catch (error) {
    if (target.used.size > 0) await putBack(target, []);
    throw error;
  }
}

/** Fall-back: everything stands still while it is written. Needs no memory and puts nothing into the target. */
async function stopAndWrite(libc: Libc, order: Writing, stopped: () => void): Promise<void> {
  const { pid } = order;
  const step = stepper(order);
  refuseUnfit(pid);
  const facts = readFacts(pid);
  const before = parseSmaps(readFileSync(`/proc/${pid}/smaps`, 'latin1'));
  const threads = new Threads(libc, pid);
  try {
    threads.seize();
    stopped();
    const began = performance.now();
    threads.stop();
    demandSame(order);
    threads.look();
    step('stopped');
    const plan = await writeFrom(libc, pid, { order, facts, before, threads: threads.stopped, mappings: parseMaps(readFileSync(`/proc/${pid}/maps`, 'latin1')), late: [], watch: undefined, stopped, step });
    threads.letAllGo();
    say({ say: 'done', bytes: plan.sizeBytes, pausedMs: performance.now() - began, missing: missingOf(plan), left: [] });
  } finally {
    threads.letAllGo();
  }
}

/** Puts back what an earlier process of ours, which was killed, left in the target. */
async function recover(libc: Libc, order: Extract<Order, { mode: 'recover' }>): Promise<void> {
  const mem = openMem(order.pid);
  try {
    const threads = new Set(new Threads(libc, order.pid).everyone());
    const left = await putBack({ libc, pid: order.pid, mem, stubAt: order.stubAt, original: Buffer.from(order.original, 'hex'), sinceTicks: order.sinceTicks, used: threads, step: () => undefined }, []);
    say({ say: 'done', bytes: 0, pausedMs: 0, missing: [], left });
  } finally {
    closeSync(mem);
  }
}

function openMem(pid: number): number {
  try {
    return openSync(`/proc/${pid}/mem`, 'r+');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (GONE_CODES.has(code)) throw new Refused('gone', `process ${pid} has ended`);
    throw new Refused('denied', `the kernel does not open the memory of process ${pid} for us (${code}): it runs as another user, or CAP_SYS_PTRACE is missing`);
  }
}

function findPlace(libc: Libc, pid: number, mem: number, before: readonly FlaggedMapping[], step: Step): Target {
  const stubAt = unusedCode(mem, before, STUB_BYTES);
  if (stubAt === undefined) throw new Refused('no-place', 'no library of the process has unused bytes in its code pages');
  const original = Buffer.alloc(STUB_BYTES);
  readSync(mem, original, 0, STUB_BYTES, stubAt);
  return { libc, pid, mem, stubAt, original, sinceTicks: Number(startTicks(process.pid)), used: new Set(), step };
}

/** What a core is written from. */
export interface Material {
  readonly order: { readonly pid: number; readonly file: string };
  /** Its thread is a debugger's current one; default: the main thread. */
  readonly first?: number;
  readonly facts: ProcessFacts;
  readonly before: readonly FlaggedMapping[];
  readonly threads: Snapshot['threads'];
  readonly mappings: readonly Mapping[];
  readonly late: Snapshot['late'];
  /** The process whose memory group is watched while a copy of it lives. */
  readonly watch: number | undefined;
  readonly stopped: () => void;
  readonly step: Step;
}

/** Writes the core from the memory of `from`. On failure no file is left. */
export async function writeFrom(libc: Libc, from: number, { order, first, facts, before, threads, mappings, late, watch, stopped, step }: Material): Promise<CorePlan> {
  const mem = openSync(`/proc/${from}/mem`, 'r');
  const pagemap = openSync(`/proc/${from}/pagemap`, 'r');
  const out = new CoreOut(order.file, libc);
  try {
    const plan = planCore(mappings, before, notesOf(facts, threads, mappings, first), (mapping) => hasOwnPages(pagemap, mapping));
    step('core planned');
    await copyAll(plan, { mem, pagemap, out }, late, { ofBytes: Math.max(1, memoryOf(order.pid).residentBytes), watch, stopped, step });
    step('core written');
    // Memory of a dead copy reads as holes: what the kernel ended for want of memory must not pass for a core.
    if (watch !== undefined && !hasMemory(from)) throw new Refused('no-memory', 'the copy of the process was ended before all of it was written: memory ran short');
    return plan;
  } catch (error) {
    rmSync(order.file, { force: true });
    throw error;
  } finally {
    out.close();
    for (const fd of [mem, pagemap]) closeSync(fd);
  }
}

function hasOwnPages(pagemap: number, { from, to }: Mapping): boolean {
  return presentRuns(pagemap, from, to, isOwnPage).next().done !== true;
}

async function copyAll(plan: CorePlan, files: CopyFiles, late: Snapshot['late'], { ofBytes, watch, stopped, step }: { ofBytes: number; watch: number | undefined; stopped: () => void; step: Step }): Promise<void> {
  let written = 0;
  let pieces = 0;
  let lookedAt = performance.now();
  for (const size of writeCore(plan, files, late)) {
    written += size;
    pieces += 1;
    const whole = pieces % LOOK_EVERY_PIECES === 0;
    if (!whole && performance.now() - lookedAt < LOOK_EVERY_MS) continue;
    lookedAt = performance.now();
    if (watch !== undefined && tooTight(watch)) throw new Refused('no-memory', `memory ran short after ${bytes(written)} were written, so the copy was given up before it could harm the app`);
    say({ say: 'progress', bytes: written, ofBytes });
    if (whole) step('piece copied');
    await turn();                                              // lets the end of stdin be heard
    stopped();
  }
}

export function missingOf(plan: CorePlan, snapshot?: Snapshot): string[] {
  const missing: string[] = [];
  if (plan.excludedBytes > 0) missing.push(`${bytes(plan.excludedBytes)} that the app marked as not to be dumped (MADV_DONTDUMP)`);
  if (snapshot !== undefined && snapshot.missingBytes > 0) missing.push(`${bytes(snapshot.missingBytes)} that were mapped in the last moment before the copy`);
  return missing;
}
