// Owns the reading of a minidump as a whole: the exception, the threads, the modules, the handles, the memory.
import { setImmediate } from 'node:timers/promises';
import { maskCommandLine } from '../../shared/mask.ts';
import type { DumpArea, DumpRead, DumpThread } from '../../shared/dump-read.ts';
import { bytes as inBytes, plural } from '../../shared/units.ts';
import { lookInto, summed, type Area } from './areas.ts';
import { MAX_READ_BYTES, apart, hex, holding, u64, type Bytes } from './bytes.ts';
import { exceptionMeaning } from './exceptions.ts';
import { X64, readMinidumpFile, type MiniModule, type MiniThread, type Minidump, type Range, type Region } from './minidump.ts';
import { SHARES, type ReadOptions } from './read-core.ts';
import { WindowsStacks } from './pe-unwind.ts';
import { maskedVariables, searchTexts, type Environment } from './texts.ts';

const TOLD_THREADS = 512;
const TOLD_FRAMES = 128;
const ENVIRONMENT_BYTES = 1024 * 1024;
const MAX_VARIABLES = 2_000;
const REGISTERS = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'];
const IMAGE = 0x100_0000, MAPPED = 0x4_0000;

/** @throws DUMP_UNREADABLE */
export async function readMinidump(bytes: Bytes, { signal, progress }: Pick<ReadOptions, 'signal' | 'progress'>): Promise<DumpRead> {
  const dump = readMinidumpFile(bytes);
  const memory = new MiniMemory(bytes, dump);
  const { environment, commandLine } = startOf(dump, memory);
  const stacks = new WindowsStacks((at, size) => memory.read(at, size), (address) => memory.moduleAt(address));
  const died = dump.exception?.thread;
  const inOrder = [...dump.threads].sort((a, b) => Number(b.id === died) - Number(a.id === died));
  const threads: DumpThread[] = [];
  for (const [i, thread] of inOrder.slice(0, TOLD_THREADS).entries()) {
    signal.throwIfAborted();
    progress?.({ note: `stack ${i + 1} of ${inOrder.length}`, fraction: SHARES.stacks * i / inOrder.length });
    await setImmediate();
    threads.push(threadOf(dump, memory, stacks, thread));
  }
  const outside = dump.ranges.filter((range) => memory.moduleAt(range.from) === undefined).map((range) => [range.at, range.sizeBytes] as const);
  const { texts, leftBytes } = await searchTexts((at, size) => bytes.read(at, size), outside, environment.mask, signal, (share) => { progress?.({ note: 'texts in its memory', fraction: SHARES.stacks + (SHARES.memory + SHARES.texts) * share }); });
  return {
    version: 1, format: 'minidump', bytes: bytes.sizeBytes,
    process: { system: `${dump.windows}, ${MACHINES[dump.machine] ?? 'unknown machine'}`, takenAt: dump.takenAt, ...dump.process, ...nameOf(dump.modules), ...(commandLine === undefined ? {} : { commandLine: environment.mask.text(maskCommandLine(commandLine)).text }) },
    ...deathOf(dump, memory), threads, modules: dump.modules.map(moduleOf), memory: areasOf(dump, memory), texts, environment: environment.shown,
    ...(dump.handles === undefined ? {} : { handles: { total: dump.handles.total, byType: [...dump.handles.byType].map(([type, count]) => ({ type, count })).sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1)) } }),
    ...javascriptOf(dump.modules), streams: [...dump.streams], notes: notesOf(dump, leftBytes),
  };
}

const MACHINES: Readonly<Record<number, string>> = { 0: 'x86', 5: 'ARM', 9: 'x64', 12: 'ARM64' };
const fileOf = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
const moduleOf = (one: MiniModule): DumpRead['modules'][number] => ({ name: fileOf(one.path), path: one.path, from: hex(one.from), bytes: one.sizeBytes, ...(one.version === undefined ? {} : { version: one.version }) });
const nameOf = (modules: readonly MiniModule[]): { name?: string } => { const exe = modules.find((one) => /\.exe$/i.test(one.path)); return exe === undefined ? {} : { name: fileOf(exe.path) }; };

function javascriptOf(modules: readonly MiniModule[]): { javascript?: NonNullable<DumpRead['javascript']> } {
  if (!modules.some((one) => /(?:^|[\\/])(?:node\.exe|libnode\.dll)$/i.test(one.path))) return {};
  return { javascript: { runtime: 'Node on Windows', understood: false, why: 'node.exe carries no constants for debuggers that are read here', stack: [] } };
}

function notesOf(dump: Minidump, leftBytes: number): string[] {
  const more = dump.threads.length > TOLD_THREADS ? [`${plural(dump.threads.length - TOLD_THREADS, 'thread')} beyond ${TOLD_THREADS} are not told`] : [];
  const left = leftBytes > 0 ? [`texts were not searched for in ${inBytes(leftBytes)}`] : [];
  return [...dump.notes, ...more, ...left, ...(dump.machine === X64 ? [] : ['stacks are read of x64 only'])];
}

/** Memory of the dump by address. */
class MiniMemory {
  #bytes: Bytes;
  #ranges: readonly Range[];
  #modules: readonly MiniModule[];
  constructor(bytes: Bytes, { ranges, modules }: Minidump) {
    this.#bytes = bytes;
    this.#ranges = ranges;
    this.#modules = apart(modules, (one) => one.from + one.sizeBytes);
  }

  rangeAt(address: number): Range | undefined { return holding(this.#ranges, address, (one) => one.from + one.sizeBytes); }
  moduleAt(address: number): MiniModule | undefined { return holding(this.#modules, address, (one) => one.from + one.sizeBytes); }

  read(address: number, sizeBytes: number): Buffer | undefined {
    if (sizeBytes > MAX_READ_BYTES || !Number.isSafeInteger(address) || !Number.isSafeInteger(address + sizeBytes)) return undefined;
    const parts: Buffer[] = [];
    for (let at = address; at < address + sizeBytes;) {
      const range = this.rangeAt(at);
      const size = range === undefined ? 0 : Math.min(address + sizeBytes, range.from + range.sizeBytes) - at;
      const piece = range === undefined ? undefined : this.#bytes.read(range.at + (at - range.from), size);
      if (piece === undefined) return undefined;
      parts.push(piece);
      at += size;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }
}

function threadOf(dump: Minidump, memory: MiniMemory, stacks: WindowsStacks, thread: MiniThread): DumpThread {
  const died = dump.exception !== undefined && dump.exception.thread === thread.id;
  const registers = (died ? dump.exception?.registers : undefined) ?? thread.registers;
  const frames = registers === undefined ? [] : stacks.walk(registers);
  const name = dump.names.get(thread.id);
  return {
    id: thread.id, ...(name === undefined ? {} : { name }), ...(died ? { died } : {}),
    ...(registers === undefined ? { note: 'its registers are not in the dump' } : { registers: Object.fromEntries(REGISTERS.map((word, i) => [word, hex(registers[i] as number)])) }),
    frames: frames.slice(0, TOLD_FRAMES).map((frame) => {
      const module = memory.moduleAt(frame.pc);
      return { pc: hex(frame.pc), how: frame.how, ...(module === undefined ? {} : { module: fileOf(module.path), offset: hex(frame.pc - module.from) }), ...(frame.function === undefined ? {} : { function: frame.function }) };
    }),
    ...(frames.length > TOLD_FRAMES ? { more: frames.length - TOLD_FRAMES } : {}),
  };
}

function deathOf(dump: Minidump, memory: MiniMemory): { death?: NonNullable<DumpRead['death']> } {
  if (dump.exception === undefined) return {};
  const { code, address, facts, thread } = dump.exception;
  const { name, meaning, address: fault } = exceptionMeaning(code, facts);
  const module = memory.moduleAt(address);
  return { death: { name, code, meaning, thread, ...(fault === undefined ? {} : { address: hex(fault) }), place: module === undefined ? hex(address) : `${fileOf(module.path)}+${hex(address - module.from)}` } };
}

/** What Windows keeps at the start of a process: its command line and its variables, reached from any thread. */
function startOf(dump: Minidump, memory: MiniMemory): { environment: Environment; commandLine?: string } {
  const word = (at: number): number | undefined => { const bytes = memory.read(at, 8); return bytes === undefined ? undefined : u64(bytes, 0); };
  const thread = dump.threads[0];
  const process = dump.machine !== X64 || thread === undefined ? undefined : word(thread.environmentBlock + 0x60);
  const parameters = process === undefined ? undefined : word(process + 0x20);
  if (parameters === undefined) return { environment: maskedVariables([]) };
  const size = memory.read(parameters + 0x70, 2)?.readUInt16LE(0) ?? 0;
  const line = word(parameters + 0x78);
  const commandLine = line === undefined ? undefined : memory.read(line, size & ~1)?.toString('utf16le');
  return { environment: maskedVariables(variablesAt(memory, word(parameters + 0x80))), ...(commandLine === undefined || commandLine === '' ? {} : { commandLine }) };
}

function variablesAt(memory: MiniMemory, at: number | undefined): { name: string; value: string }[] {
  const range = at === undefined ? undefined : memory.rangeAt(at);
  if (at === undefined || range === undefined) return [];
  const text = memory.read(at, Math.min(ENVIRONMENT_BYTES, range.from + range.sizeBytes - at) & ~1)?.toString('utf16le') ?? '';
  const end = text.indexOf('\0\0');
  return (end < 0 ? [] : text.slice(0, end).split('\0', MAX_VARIABLES)).flatMap((one) => { const split = one.indexOf('=', 1); return split < 1 ? [] : [{ name: one.slice(0, split), value: one.slice(split + 1) }]; });
}

const MAX_LOOKED_AREAS = 2_000;

function areasOf(dump: Minidump, memory: MiniMemory): DumpRead['memory'] {
  const stacks = dump.threads.map((one) => ({ from: one.stackFrom })).sort((a, b) => a.from - b.from);
  const stored = storedIn(dump);
  const regions: readonly Region[] = dump.regions.length > 0 ? dump.regions : dump.ranges.map((one) => ({ from: one.from, sizeBytes: one.sizeBytes, protect: 0, kind: 0 }));
  let looks = MAX_LOOKED_AREAS;
  return summed(regions.map((one): Area => {
    const there = stored(one.from, one.sizeBytes);
    looks -= there > 0 ? 1 : 0;
    return { at: one.from, bytes: one.sizeBytes, stored: there, ...kindOf(memory, one, stacks), ...(looks >= 0 ? lookInto((at) => memory.read(one.from + at, 4_096), there) : { filled: there }) };
  }));
}

/** How much of a region the dump holds. Both lists are in order, so each range is looked at once; regions must come in their order. */
function storedIn(dump: Minidump): (from: number, sizeBytes: number) => number {
  let next = 0;
  const endOf = (one: Range): number => one.from + one.sizeBytes;
  return (from, sizeBytes) => {
    let sum = 0;
    while (next < dump.ranges.length && endOf(dump.ranges[next] as Range) <= from) next += 1;
    for (; next < dump.ranges.length && (dump.ranges[next] as Range).from < from + sizeBytes; next += 1) {
      const one = dump.ranges[next] as Range;
      sum += Math.min(endOf(one), from + sizeBytes) - Math.max(one.from, from);
      if (endOf(one) > from + sizeBytes) break;
    }
    return sum;
  };
}

function kindOf(memory: MiniMemory, { from, sizeBytes, protect, kind }: Region, stacks: readonly { readonly from: number }[]): { kind: DumpArea['kind']; name?: string } {
  const module = memory.moduleAt(from);
  const code = (protect & 0xf0) !== 0;
  if (module !== undefined || kind === IMAGE) return { kind: code ? 'code' : 'file', ...(module === undefined ? {} : { name: module.path }) };
  const stack = holding(stacks, from + sizeBytes - 1, () => Infinity);
  if (stack !== undefined && stack.from >= from) return { kind: 'stack' };
  if (kind === MAPPED) return { kind: 'file' };
  return code ? { kind: 'code', name: 'made while it ran' } : { kind: 'anonymous' };
}
