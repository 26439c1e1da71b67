// Owns the notes of a core file: threads, process, mapped files, as the kernel's own cores have them (include/linux/elfcore.h, fs/binfmt_elf.c; x86-64).
import type { Mapping } from './ranges.ts';
import { REGISTERS_BYTES } from './registers.ts';
import { pendingSignal } from './threads.ts';
import type { Thread } from './threads.ts';

const NT_PRSTATUS = 1, NT_PRFPREG = 2, NT_PRPSINFO = 3, NT_AUXV = 6, NT_SIGINFO = 0x5349_4749, NT_FILE = 0x4649_4c45, NT_X86_XSTATE = 0x202;
const PRSTATUS_BYTES = 336;
const PRPSINFO_BYTES = 136;
const PAGE_BYTES = 4_096;

/** What /proc tells of the process, read before the pause. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** One letter, as ps shows it. */
  readonly state: string;
  readonly nice: number;
  readonly flags: bigint;
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly commandLine: string;
  readonly auxv: Buffer;
  /** Blocked and pending signals of each thread. */
  readonly signals: ReadonlyMap<number, { readonly pending: bigint; readonly blocked: bigint }>;
}

/** All notes, those of thread `first` (default: the main one) first: debuggers take it as the current thread. */
export function notesOf(facts: ProcessFacts, threads: readonly Thread[], mappings: readonly Mapping[], first = facts.pid): Buffer {
  const ordered = [...threads].sort((a, b) => Number(b.tid === first) - Number(a.tid === first) || a.tid - b.tid);
  const parts: Buffer[] = [];
  const current = ordered[0] === undefined ? undefined : pendingSignal(ordered[0]);
  ordered.forEach((thread, index) => {
    parts.push(note('CORE', NT_PRSTATUS, status(facts, thread, current)));
    if (index === 0) {
      parts.push(note('CORE', NT_PRPSINFO, processNote(facts)), note('CORE', NT_AUXV, facts.auxv), note('CORE', NT_FILE, files(mappings)));
      if (thread.signal !== undefined) parts.push(note('CORE', NT_SIGINFO, thread.signal));
    }
    parts.push(note('CORE', NT_PRFPREG, thread.floating));
    if (thread.extended.length > 0) parts.push(note('LINUX', NT_X86_XSTATE, thread.extended));
  });
  return Buffer.concat(parts);
}

function note(name: string, type: number, content: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(name.length + 1, 0);
  head.writeUInt32LE(content.length, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, padded(Buffer.from(`${name}\0`)), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

/** struct elf_prstatus; `current` is the signal that makes the core, the same for every thread as in the kernel's own. */
function status(facts: ProcessFacts, thread: Thread, current: number | undefined): Buffer {
  const bytes = Buffer.alloc(PRSTATUS_BYTES);
  const signals = facts.signals.get(thread.tid);
  if (current !== undefined) {
    bytes.writeInt32LE(current, 0);
    bytes.writeInt16LE(current, 12);
  }
  bytes.writeBigUInt64LE(signals?.pending ?? 0n, 16);
  bytes.writeBigUInt64LE(signals?.blocked ?? 0n, 24);
  [thread.tid, facts.parent, facts.group, facts.session].forEach((value, index) => { bytes.writeInt32LE(value, 32 + index * 4); });
  thread.registers.copy(bytes, 112);
  bytes.writeInt32LE(1, 112 + REGISTERS_BYTES);
  return bytes;
}

/** struct elf_prpsinfo */
function processNote(facts: ProcessFacts): Buffer {
  const bytes = Buffer.alloc(PRPSINFO_BYTES);
  bytes.writeInt8('RSDTZW'.indexOf(facts.state) < 0 ? 0 : 'RSDTZW'.indexOf(facts.state), 0);
  bytes.write(facts.state, 1, 1, 'latin1');
  bytes.writeInt8(facts.state === 'Z' ? 1 : 0, 2);
  bytes.writeInt8(facts.nice, 3);
  bytes.writeBigUInt64LE(facts.flags, 8);
  bytes.writeUInt32LE(facts.uid, 16);
  bytes.writeUInt32LE(facts.gid, 20);
  [facts.pid, facts.parent, facts.group, facts.session].forEach((value, index) => { bytes.writeInt32LE(value, 24 + index * 4); });
  bytes.write(facts.name.slice(0, 15), 40, 15, 'utf8');
  bytes.write(facts.commandLine.slice(0, 79), 56, 79, 'utf8');
  return bytes;
}

/** NT_FILE: count, page size, then start, end and page offset of each mapped file, then the names. Files without a path (io_uring's rings, which Node 22 has) are among them, as in the kernel's own cores. */
function files(mappings: readonly Mapping[]): Buffer {
  const mapped = mappings.filter(({ inode }) => inode !== 0);
  const head = Buffer.alloc(16 + mapped.length * 24);
  head.writeBigUInt64LE(BigInt(mapped.length), 0);
  head.writeBigUInt64LE(BigInt(PAGE_BYTES), 8);
  mapped.forEach(({ from, to, offset }, index) => {
    [from, to, offset / PAGE_BYTES].forEach((value, word) => { head.writeBigUInt64LE(BigInt(Math.floor(value)), 16 + index * 24 + word * 8); });
  });
  return Buffer.concat([head, ...mapped.map(({ path }) => Buffer.from(`${path}\0`))]);
}
