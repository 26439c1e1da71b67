// Owns what a process is made of: its threads with their times, states and waits, and the program files it has mapped.
import { readdirSync } from 'node:fs';
import { DiagError } from '../../shared/errors.ts';
import type { Account, Module, Thread } from '../platform.ts';
import { parseModules } from '../parse/proc-modules.ts';
import { parseThreadStat } from '../parse/proc-stat.ts';
import type { ThreadState } from '../../shared/surroundings.ts';
import { DENIED, GONE, readText, readWhole, refusal } from './read.ts';
import { MS_PER_TICK } from './table.ts';

/** @throws PROCESS_GONE */
export function readThreads(pid: number, startedAt: (startTicks: number) => number): Thread[] {
  const threads: Thread[] = [];
  for (const id of numbers(pid)) {
    const line = readWhole(`/proc/${pid}/task/${id}/stat`);
    const stat = typeof line === 'number' ? undefined : parseThreadStat(line, line.length);
    // A thread that ended since it was listed.
    if (stat === undefined) continue;
    threads.push({
      id, startedAt: startedAt(stat.startTicks), cpuMs: stat.cpuTicks * MS_PER_TICK, userMs: stat.userTicks * MS_PER_TICK, kernelMs: stat.systemTicks * MS_PER_TICK,
      name: stat.comm, priority: stat.priority, ...stateOf(stat.state), ...waitOf(pid, id),
    });
  }
  return threads;
}

/** proc_pid_stat(5): the letters since Linux 2.6.33. */
const STATES: Readonly<Record<string, ThreadState>> = { R: 'running', S: 'waiting', D: 'uninterruptible', T: 'stopped', t: 'traced', Z: 'ended', X: 'ended', x: 'ended', I: 'idle', P: 'idle', K: 'uninterruptible' };

function stateOf(letter: string): { readonly state?: ThreadState } {
  const state = STATES[letter];
  return state === undefined ? {} : { state };
}

/** The kernel function that it waits in. One that runs has none ("0"), nor has any where we may not trace the process or the kernel has no names. */
function waitOf(pid: number, id: number): { readonly waitsIn?: string } {
  const name = readText(`/proc/${pid}/task/${id}/wchan`)?.trim();
  return name === undefined || name === '' || name === '0' ? {} : { waitsIn: name };
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

/** @throws PROCESS_GONE */
export function readAccount(pid: number): Account {
  const line = readWhole(`/proc/${pid}/stat`);
  const stat = typeof line === 'number' ? undefined : parseThreadStat(line, line.length);
  const status = readWhole(`/proc/${pid}/status`);
  if (stat === undefined || typeof status === 'number') throw new DiagError('PROCESS_GONE', { pid });
  const text = status.toString('utf8');
  return { userMs: stat.userTicks * MS_PER_TICK, kernelMs: stat.systemTicks * MS_PER_TICK, ...sized(text, { peakWorkingSetBytes: 'VmHWM', virtualBytes: 'VmSize', peakVirtualBytes: 'VmPeak', pagedBytes: 'VmSwap' }) };
}

/** Lines of /proc/PID/status, in kB; a kernel thread has none of them. */
function sized<K extends string>(status: string, lines: Readonly<Record<K, string>>): { [P in K]?: number } {
  const found: { [P in K]?: number } = {};
  for (const [name, line] of Object.entries(lines) as [K, string][]) {
    const kilobytes = new RegExp(`^${line}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
    if (kilobytes !== undefined) found[name] = Number(kilobytes) * 1_024;
  }
  return found;
}
