// Owns what a process is made of: its threads with their times, and the program files it has mapped.
import { readdirSync } from 'node:fs';
import { DiagError } from '../../shared/errors.ts';
import type { Module, Thread } from '../platform.ts';
import { parseModules } from '../parse/proc-modules.ts';
import { parseStat } from '../parse/proc-stat.ts';
import { DENIED, GONE, readWhole, refusal } from './read.ts';
import { MS_PER_TICK } from './table.ts';

/** @throws PROCESS_GONE */
export function readThreads(pid: number, startedAt: (startTicks: number) => number): Thread[] {
  const threads: Thread[] = [];
  for (const id of numbers(pid)) {
    const line = readWhole(`/proc/${pid}/task/${id}/stat`);
    const stat = typeof line === 'number' ? undefined : parseStat(line, line.length);
    // A thread that ended since it was listed.
    if (stat === undefined) continue;
    threads.push({ id, startedAt: startedAt(stat.startTicks), cpuMs: stat.cpuTicks * MS_PER_TICK, name: stat.comm });
  }
  return threads;
}

function numbers(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number).sort((a, b) => a - b);
  } catch (error) {
    if (refusal(error) === GONE) throw new DiagError('PROCESS_GONE', { pid }, { cause: error });
    throw new DiagError('PROCESS_DENIED', { pid, what: 'list the threads of', why: 'it belongs to another user' }, { cause: error });
  }
}

/** @throws PROCESS_GONE, PROCESS_DENIED */
export function readModules(pid: number): Module[] {
  const maps = readWhole(`/proc/${pid}/maps`);
  if (maps === DENIED) throw new DiagError('PROCESS_DENIED', { pid, what: 'read the memory map of', why: 'it belongs to another user' });
  // A process that has just ended has an empty map for a moment.
  if (typeof maps === 'number' || maps.length === 0) throw new DiagError('PROCESS_GONE', { pid });
  return parseModules(maps.toString('utf8'));
}
