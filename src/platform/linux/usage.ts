// Owns the counters of processes: CPU time, memory, threads and descriptors of all asked pids in one synchronous pass.
import { readdirSync, statSync } from 'node:fs';
import type { Usage } from '../platform.ts';
import { parseStatm } from '../parse/proc-stat.ts';
import { refusal, scratch, type ProcReader } from './read.ts';
import { MS_PER_TICK, type ProcessTable } from './table.ts';

/** The page size of every x86-64 and of arm64 as App Service runs it. */
export const PAGE_BYTES = 4096;
/** Counting descriptors by listing them costs 10 to 1000 µs a process: then only so often. */
const LIST_EVERY_MS = 10_000;

interface Counted { readonly at: number; readonly startTicks: number; readonly count: number | undefined }

export class UsageReader {
  readonly #reader: ProcReader;
  readonly #table: ProcessTable;
  /** Linux 6.2 and later give the number of descriptors as the size of the folder; before, it is 0. */
  readonly #sized: boolean;
  readonly #counted = new Map<number, Counted>();

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
    for (const pid of this.#counted.keys()) if (!found.has(pid)) this.#counted.delete(pid);
    return found;
  }

  /** Undefined when the process does not live. Memory as the kernel counts it for statm: per-thread remainders of up to 64 pages may be missing. */
  one(pid: number): Usage | undefined {
    const stat = this.#table.stat(pid);
    if (stat === undefined) return undefined;
    const length = this.#reader.read(pid, 'statm');
    const memory = length > 0 ? parseStatm(scratch, length) : undefined;
    const handles = this.#handles(pid, stat.startTicks);
    return {
      startedAt: this.#table.startedAt(stat),
      cpuMs: stat.cpuTicks * MS_PER_TICK,
      workingSetBytes: (memory?.residentPages ?? stat.residentPages) * PAGE_BYTES,
      threads: stat.threads,
      // Resident without what is shared with files and other processes: Linux has no cheaper word for "private".
      ...(memory === undefined ? {} : { privateBytes: (memory.residentPages - memory.sharedPages) * PAGE_BYTES }),
      ...(handles === undefined ? {} : { handles }),
    };
  }

  #handles(pid: number, startTicks: number): number | undefined {
    if (this.#sized) return statSync(`/proc/${pid}/fd`, { throwIfNoEntry: false })?.size;
    const now = performance.now();
    const last = this.#counted.get(pid);
    if (last !== undefined && last.startTicks === startTicks && now - last.at < LIST_EVERY_MS) return last.count;
    const count = listed(pid);
    this.#counted.set(pid, { at: now, startTicks, count });
    return count;
  }
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
