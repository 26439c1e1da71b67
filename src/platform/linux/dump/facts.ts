// Owns what the dump writer reads about its target before the pause: identity, kind of machine code, filters, memory, signals.
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { readText } from '../read.ts';
import type { ProcessFacts } from './notes.ts';
import { Refused } from './refused.ts';

const EM_X86_64 = 62;
const ELF_64 = 2;

/** @throws Refused when our writer cannot work on this process */
export function refuseUnfit(pid: number): void {
  if (process.arch !== 'x64') throw new Refused('architecture', `our own dump writer knows x64 only; this is ${process.arch}`);
  const status = readText(`/proc/${pid}/status`);
  if (status === undefined || status === '') throw new Refused('gone', `process ${pid} has ended`);
  const mode = field(status, 'Seccomp');
  const own = readText('/proc/self/status') ?? '';
  if (mode === '1') throw new Refused('seccomp', 'the process is in strict seccomp mode: a system call of ours would end it');
  // Every program of a container stands behind the container's own filter, and so do we: what it lets us do it lets the target do. A filter of the app's own is another matter.
  if (mode === '2' && (field(own, 'Seccomp') !== '2' || field(own, 'Seccomp_filters') !== field(status, 'Seccomp_filters'))) throw new Refused('seccomp', 'the process has a seccomp filter of its own: a system call of ours could end it');
  if (/\bshstk\b/.test(field(status, 'x86_Thread_features') ?? '')) throw new Refused('shadow-stack', 'the process runs with a shadow stack');
  refuseForeignCode(pid);
}

function refuseForeignCode(pid: number): void {
  const head = Buffer.alloc(20);
  let exe: number;
  try {
    exe = openSync(`/proc/${pid}/exe`, 'r');
  } catch (error) {
    throw new Refused('denied', `the program of process ${pid} cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}): it runs as another user, or has ended`);
  }
  try {
    readSync(exe, head, 0, head.length, 0);
  } finally {
    closeSync(exe);
  }
  if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== ELF_64 || head.readUInt16LE(18) !== EM_X86_64) throw new Refused('architecture', 'the program is not x64 code');
}

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.trim();
}

/** Clock ticks since boot at which the process started: with the pid, its identity. */
export function startTicks(pid: number): string | undefined {
  return statFields(pid)?.[19];
}

/** Fields of /proc/PID/stat from the third on (state is number 0). */
function statFields(pid: number): string[] | undefined {
  const text = readText(`/proc/${pid}/stat`);
  return text === undefined || text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).trim().split(' ');
}

/** Exit signal of a process: 0 is how our child differs from every other one (field 38 of proc_pid_stat(5)). */
export function exitSignal(pid: number): number | undefined {
  const value = statFields(pid)?.[35];
  return value === undefined ? undefined : Number(value);
}

export function parentOf(pid: number): number | undefined {
  const value = statFields(pid)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Resident bytes, and those that are the process's own (anonymous, so a child's copies of them cost). */
export function memoryOf(pid: number): { readonly residentBytes: number; readonly ownBytes: number } {
  const status = readText(`/proc/${pid}/status`) ?? '';
  const kibibytes = (name: string): number => Number((field(status, name) ?? '0').split(' ')[0]) * 1_024;
  return { residentBytes: kibibytes('VmRSS'), ownBytes: kibibytes('RssAnon') };
}

/** @throws Refused when the process has ended */
export function readFacts(pid: number): ProcessFacts {
  const stat = statFields(pid);
  const status = readText(`/proc/${pid}/status`) ?? '';
  if (stat === undefined) throw new Refused('gone', `process ${pid} has ended`);
  const number = (index: number): number => Number(stat[index]);
  return {
    pid, state: stat[0] ?? '?', parent: number(1), group: number(2), session: number(3), flags: BigInt(stat[6] ?? 0), nice: number(16),
    uid: Number((field(status, 'Uid') ?? '0').split(/\s+/)[0]), gid: Number((field(status, 'Gid') ?? '0').split(/\s+/)[0]),
    name: field(status, 'Name') ?? '', commandLine: (readText(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim(),
    auxv: readFileSync(`/proc/${pid}/auxv`), signals: signalsOf(pid),
  };
}

function signalsOf(pid: number): ProcessFacts['signals'] {
  const all = new Map<number, { pending: bigint; blocked: bigint }>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const status = readText(`/proc/${pid}/task/${tid}/status`) ?? '';
    const mask = (name: string): bigint => BigInt(`0x${field(status, name) ?? '0'}`);
    if (status !== '') all.set(Number(tid), { pending: mask('SigPnd'), blocked: mask('SigBlk') });
  }
  return all;
}

/** Whether the process still has its memory. One that was killed gives it back long before its state says so on a crowded machine. */
export function hasMemory(pid: number): boolean {
  return (readText(`/proc/${pid}/maps`) ?? '') !== '';
}
