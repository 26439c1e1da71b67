// Owns the counters of processes: CPU time, memory, threads and descriptors of all asked pids in one synchronous pass.
import { readdirSync, statSync } from 'node:fs';
import type { Usage } from '../platform.ts';
import { parseStatm, type ProcStat } from '../parse/proc-stat.ts';
import { refusal, scratch, type ProcReader } from './read.ts';
import { MS_PER_TICK, type ProcessTable } from './table.ts';

/** The page size of every x86-64 and of arm64 as App Service runs it. */
export const PAGE_BYTES = 4096;
/** A process that used no CPU tick since and has the same memory and threads is not asked again for the rest, for at most this long. */
const QUIET_MS = 10_000;
/** Listing descriptors, where their number cannot be had, costs 10 to 1000 µs a process: then only so often. */
const LIST_EVERY_MS = 10_000;

interface Last { readonly at: number; readonly stat: ProcStat; readonly usage: Usage; readonly listedAt: number }

export class UsageReader {
  readonly #reader: ProcReader;
  readonly #table: ProcessTable;
  /** Linux 6.2 and later give the number of descriptors as the size of the folder; before, it is 0. */
  readonly #sized: boolean;
  readonly #last = new Map<number, Last>();

  constructor(reader: ProcReader, table: ProcessTable, sized = (statSync('/proc/self/fd').size > 0)) {
    this.#reader = reader;
    this.#table = table;
    this.#sized = sized;
  }

  read(pids: readonly number[]): Map<number, Usage> {
    const found = new Map<number, Usage>();
    for (const pid of pids) {
      const usage = this.one(pid);
      if (usage !== undefined) found.set(pid, usage);
    }
    if (this.#last.size > found.size) for (const pid of this.#last.keys()) if (!found.has(pid)) this.#last.delete(pid);
    return found;
  }

  /** Undefined when the process does not live. Memory as the kernel counts it for statm: per-thread remainders of up to 64 pages may be missing. */
  one(pid: number): Usage | undefined {
    const now = performance.now();
    const stat = this.#table.recentStat(pid, now);
    if (stat === undefined) return undefined;
    const last = this.#last.get(pid);
    if (last !== undefined && now - last.at < QUIET_MS && isQuiet(last.stat, stat)) return last.usage;
    const length = this.#reader.read(pid, 'statm');
    const memory = length > 0 ? parseStatm(scratch, length) : undefined;
    const listed = last !== undefined && !this.#sized && last.stat.startTicks === stat.startTicks && now - last.listedAt < LIST_EVERY_MS;
    const handles = listed ? last.usage.handles : this.#handles(pid);
    const usage: Usage = {
      startedAt: this.#table.startedAt(stat),
      cpuMs: stat.cpuTicks * MS_PER_TICK,
      workingSetBytes: (memory?.residentPages ?? stat.residentPages) * PAGE_BYTES,
      threads: stat.threads,
      // Resident without what is shared with files and other processes: Linux has no cheaper word for "private".
      ...(memory === undefined ? {} : { privateBytes: (memory.residentPages - memory.sharedPages) * PAGE_BYTES }),
      ...(handles === undefined ? {} : { handles }),
    };
    this.#last.set(pid, { at: now, stat, usage, listedAt: listed ? last.listedAt : now });
    return usage;
  }

  #handles(pid: number): number | undefined {
    return this.#sized ? statSync(`/proc/${pid}/fd`, { throwIfNoEntry: false })?.size : listed(pid);
  }
}

function isQuiet(before: ProcStat, now: ProcStat): boolean {
  return before.cpuTicks === now.cpuTicks && before.residentPages === now.residentPages && before.threads === now.threads && before.startTicks === now.startTicks;
}

function listed(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    // Gone, or another user's: not known, which is not zero.
    refusal(error);
    return undefined;
  }
}
