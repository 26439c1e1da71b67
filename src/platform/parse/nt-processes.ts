// Owns reading SYSTEM_PROCESS_INFORMATION (64 bit): all processes with all their counters, as one call of Windows gives them.

import type { ThreadState } from '../../shared/surroundings.ts';
import type { Account } from '../platform.ts';

export interface NtProcess {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly startedAt: number;
  readonly cpuMs: number;             // user + kernel, since the start
  readonly threads: number;
  readonly handles: number;
  readonly workingSetBytes: number;
  readonly privateBytes: number;
  readonly ioReadBytes: number;
  readonly ioWriteBytes: number;
  /** Where its rows of threads begin in the buffer. */
  readonly threadsAt: number;
}

export interface NtThread {
  readonly id: number;
  readonly startedAt: number;
  readonly cpuMs: number;
  readonly userMs: number;
  readonly kernelMs: number;
  readonly priority: number;
  readonly basePriority: number;
  readonly startAddress: string;
  readonly state?: ThreadState;
  readonly waitsIn?: string;
}

/** Offsets in bytes; winternl.h and its long known reserved parts. */
const AT = {
  next: 0, threads: 4, created: 32, user: 40, kernel: 48, nameBytes: 56, nameAddress: 64, pid: 80, parent: 88, handles: 96, workingSet: 144, pagefile: 184, read: 232, written: 240, rows: 256,
} as const;
const THREAD = { bytes: 80, kernel: 0, user: 8, created: 16, start: 32, id: 48, priority: 56, basePriority: 60, state: 68, reason: 72 } as const;
/** KTHREAD_STATE: initialized, ready, running, standby, terminated, waiting, transition, deferred ready. */
const STATES: readonly ThreadState[] = ['idle', 'running', 'running', 'running', 'ended', 'waiting', 'waiting', 'running'];
const WAITING = 5;
/** KWAIT_REASON; those from 7 on are the same in a wait of the thread's own. */
const REASONS = ['Executive', 'FreePage', 'PageIn', 'PoolAllocation', 'DelayExecution', 'Suspended', 'UserRequest'] as const;
const MORE_REASONS = ['EventPair', 'Queue', 'LpcReceive', 'LpcReply', 'VirtualMemory', 'PageOut', 'Rendezvous', 'KeyedEvent', 'Terminated', 'ProcessInSwap', 'CpuRateControl', 'CalloutStack', 'Kernel', 'Resource', 'PushLock', 'Mutex', 'QuantumEnd', 'DispatchInt', 'Preempted', 'YieldExecution', 'FastMutex', 'GuardedMutex', 'Rundown'] as const;
const NAME_BYTES = 520;
/** FILETIME counts from 1601. */
const EPOCH_MS = 11_644_473_600_000;

/** `address`: where the buffer lies, since names are told by address. A row that is cut ends the reading. */
export function parseNtProcesses(buffer: Buffer, bytes: number, address: number): NtProcess[] {
  const found: NtProcess[] = [];
  const end = Math.min(bytes, buffer.length);
  for (let at = 0; at + AT.rows <= end;) {
    found.push(oneAt(buffer, at, end, address));
    const next = buffer.readUInt32LE(at + AT.next);
    if (next < AT.rows) break;
    at += next;
  }
  return found;
}

function oneAt(buffer: Buffer, at: number, end: number, address: number): NtProcess {
  return {
    pid: buffer.readUInt32LE(at + AT.pid),
    parent: buffer.readUInt32LE(at + AT.parent),
    name: nameAt(buffer, at, end, address),
    startedAt: instantAt(buffer, at + AT.created),
    cpuMs: (numberAt(buffer, at + AT.user) + numberAt(buffer, at + AT.kernel)) / 10_000,
    threads: buffer.readUInt32LE(at + AT.threads),
    handles: buffer.readUInt32LE(at + AT.handles),
    workingSetBytes: numberAt(buffer, at + AT.workingSet),
    // The commit charge, which performance counters call private bytes.
    privateBytes: numberAt(buffer, at + AT.pagefile),
    ioReadBytes: numberAt(buffer, at + AT.read),
    ioWriteBytes: numberAt(buffer, at + AT.written),
    threadsAt: at + AT.rows,
  };
}

/** The idle process has no name. */
function nameAt(buffer: Buffer, at: number, end: number, address: number): string {
  const bytes = Math.min(buffer.readUInt16LE(at + AT.nameBytes), NAME_BYTES);
  const from = numberAt(buffer, at + AT.nameAddress) - address;
  return bytes === 0 || from < 0 || from + bytes > end ? '' : buffer.toString('utf16le', from, from + bytes);
}

/** Of SYSTEM_PROCESS_INFORMATION too: asked for one process at a time. */
const MORE = { peakVirtual: 112, virtual: 120, peakWorkingSet: 136, pagedPool: 160, nonPagedPool: 176, peakPagefile: 192 } as const;

/** What its row says besides; the buffer must still be the one of the process. */
export function parseNtAccount(buffer: Buffer, process: NtProcess): Account {
  const row = process.threadsAt - AT.rows;
  const at = (offset: number): number => numberAt(buffer, row + offset);
  return {
    userMs: at(AT.user) / 10_000, kernelMs: at(AT.kernel) / 10_000,
    peakWorkingSetBytes: at(MORE.peakWorkingSet), virtualBytes: at(MORE.virtual), peakVirtualBytes: at(MORE.peakVirtual),
    pagedBytes: at(AT.pagefile), peakPagedBytes: at(MORE.peakPagefile), pagedPoolBytes: at(MORE.pagedPool), nonPagedPoolBytes: at(MORE.nonPagedPool),
  };
}

export function parseNtThreads(buffer: Buffer, bytes: number, process: NtProcess): NtThread[] {
  const found: NtThread[] = [];
  const end = Math.min(bytes, buffer.length);
  for (let i = 0, at = process.threadsAt; i < process.threads && at + THREAD.bytes <= end; i += 1, at += THREAD.bytes) {
    found.push({
      id: buffer.readUInt32LE(at + THREAD.id),
      startedAt: instantAt(buffer, at + THREAD.created),
      cpuMs: (numberAt(buffer, at + THREAD.user) + numberAt(buffer, at + THREAD.kernel)) / 10_000,
      userMs: numberAt(buffer, at + THREAD.user) / 10_000,
      kernelMs: numberAt(buffer, at + THREAD.kernel) / 10_000,
      priority: buffer.readInt32LE(at + THREAD.priority),
      basePriority: buffer.readInt32LE(at + THREAD.basePriority),
      startAddress: `0x${buffer.readBigUInt64LE(at + THREAD.start).toString(16)}`,
      ...standing(buffer.readUInt32LE(at + THREAD.state), buffer.readUInt32LE(at + THREAD.reason)),
    });
  }
  return found;
}

/** A stopped thread waits, for the reason "suspended". */
function standing(state: number, reason: number): { readonly state?: ThreadState; readonly waitsIn?: string } {
  const word = STATES[state];
  if (state !== WAITING) return word === undefined ? {} : { state: word };
  // 7 to 13 repeat 0 to 6 with the prefix Wr.
  const name = reason < 14 ? REASONS[reason % 7] : MORE_REASONS[reason - 14];
  return { state: name === 'Suspended' ? 'stopped' : 'waiting', ...(name === undefined ? {} : { waitsIn: name }) };
}

/** 64 bits without a BigInt: above 2^53 the last digits go, which for a FILETIME is less than 2 µs. */
function numberAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 2 ** 32;
}

function instantAt(buffer: Buffer, at: number): number { return Math.max(0, Math.floor(numberAt(buffer, at) / 10_000) - EPOCH_MS); }

/** The same instant from a FILETIME of another call. */
export function instantOf(fileTime: bigint): number { return Math.max(0, Math.floor(Number(fileTime) / 10_000) - EPOCH_MS); }
