// Owns the writing of a core from the memory of a process that stands still: planned, copied with progress, whole or not at all.
import { closeSync, openSync, rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { bytes } from '../../../shared/units.ts';
import { isOwnPage, planCore, presentRuns, writeCore } from './core-file.ts';
import type { CorePlan } from './core-file.ts';
import { CoreOut } from './core-out.ts';
import { hasMemory, memoryOf } from './facts.ts';
import type { Libc } from './libc.ts';
import { notesOf } from './notes.ts';
import type { ProcessFacts } from './notes.ts';
import type { FlaggedMapping, Mapping } from './ranges.ts';
import { Refused } from './refused.ts';
import { tooTight } from './room.ts';
import { say } from './say.ts';
import type { Snapshot, Step } from './snapshot.ts';

/** Between looks at memory and progress: 4 MiB, some milliseconds. */
const LOOK_EVERY_PIECES = 64;
/** On a slow disk sooner: a cancel is heard within this and one piece. */
const LOOK_EVERY_MS = 50;

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
    await paced(writeCore(plan, { mem, pagemap, out }, late), { ofBytes: Math.max(1, memoryOf(order.pid).residentBytes), watch, stopped, step });
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

export interface Pace { readonly ofBytes: number; readonly watch: number | undefined; readonly stopped: () => void; readonly step: Step }

/** Runs a copying to its end, with progress, and an ear for the end of stdin between its pieces. Bytes copied. @throws Refused when memory runs short */
export async function paced(sizes: Iterable<number>, { ofBytes, watch, stopped, step }: Pace, before = 0): Promise<number> {
  let written = before;
  let pieces = 0;
  let lookedAt = performance.now();
  for (const size of sizes) {
    written += size;
    pieces += 1;
    const whole = pieces % LOOK_EVERY_PIECES === 0;
    if (!whole && performance.now() - lookedAt < LOOK_EVERY_MS) continue;
    lookedAt = performance.now();
    if (watch !== undefined && tooTight(watch)) throw new Refused('no-memory', `memory ran short after ${bytes(written)} were written, so the copy was given up before it could harm the app`);
    say({ say: 'progress', bytes: Math.min(written, ofBytes), ofBytes });
    if (whole) step('piece copied');
    await turn();                                              // lets the end of stdin be heard
    stopped();
  }
  return written - before;
}

export function missingOf(plan: CorePlan, snapshot?: Snapshot): string[] {
  const missing: string[] = [];
  if (plan.excludedBytes > 0) missing.push(`${bytes(plan.excludedBytes)} that the app marked as not to be dumped (MADV_DONTDUMP)`);
  if (snapshot !== undefined && snapshot.missingBytes > 0) missing.push(`${bytes(snapshot.missingBytes)} that were mapped in the last moment before the copy`);
  return missing;
}
