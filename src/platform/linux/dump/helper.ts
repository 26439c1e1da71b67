// Owns the dump writer's own process: short-lived, so that no fault of it can hurt the agent, and every ptrace call comes from its one thread.
import { closeSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { endCopy } from './end-copy.ts';
import { memoryOf, readFacts, refuseUnfit } from './facts.ts';
import { stepper } from './faults.ts';
import type { Writing } from './faults.ts';
import type { Order, Word } from './helper-words.ts';
import { SystemCallError, openLibc } from './libc.ts';
import type { Libc } from './libc.ts';
import { orPutBack, putBack } from './put-back.ts';
import type { Target } from './put-back.ts';
import { parseMaps, parseSmaps } from './ranges.ts';
import { Refused } from './refused.ts';
import { demandRoom } from './room.ts';
import { say } from './say.ts';
import { holdChild, takeSnapshot } from './snapshot.ts';
import { GONE_CODES, demandSame, openMem, withTarget } from './target.ts';
import { Threads } from './threads.ts';
import { trackAndWrite } from './track.ts';
import { missingOf, writeFrom } from './write-core.ts';
import { STAYS_OPEN, closeIn } from './written-pages.ts';

class Cancelled extends Error {}

/** Runs one order to its end; every answer is a word on stdout. The process ends when its stdin ends: that is how it is cancelled. */
export async function runHelper(order: Order, libc: Libc = openLibc()): Promise<void> {
  let cancelled = false;
  process.stdin.on('end', () => { cancelled = true; }).on('error', () => { cancelled = true; }).resume();
  const stopped = (): void => { if (cancelled) throw new Cancelled(); };
  try {
    demandSame(order);
    if (order.mode === 'recover') await recover(libc, order);
    else if (order.mode === 'track') await trackAndWrite(libc, order, stopped);
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

async function forkAndWrite(libc: Libc, order: Writing, stopped: () => void): Promise<void> {
  const { pid } = order;
  const step = stepper(order);
  refuseUnfit(pid);
  const memory = memoryOf(pid);
  demandRoom(pid, memory.residentBytes, memory.ownBytes);
  step('fit');
  await withTarget(libc, order, step, async ({ facts, before, target }) => {
    stopped();
    const snapshot = await orPutBack(target, () => takeSnapshot({ ...target, before }));
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
  });
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
    const target: Target = { libc, pid: order.pid, mem, stubAt: order.stubAt, original: Buffer.from(order.original, 'hex'), sinceTicks: order.sinceTicks, used: threads, step: () => undefined, had: order.had, sure: () => { demandSame(order); } };
    const descriptors = await closeIn(target);
    const left = await putBack(target, []);
    say({ say: 'done', bytes: 0, pausedMs: 0, missing: [], left: descriptors === 0 ? left : [...left, STAYS_OPEN] });
  } finally {
    closeSync(mem);
  }
}

