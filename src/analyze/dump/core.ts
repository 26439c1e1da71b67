// Owns an ELF core as a file: its segments, threads, signal and mapped files, every count and place checked against the file (core(5), elf(5), x86-64).
import { HEADER_BYTES, overflows, parseCoreHeader, segmentsOf } from '../../platform/parse/elf.ts';
import { DiagError } from '../../shared/errors.ts';
import { plural } from '../../shared/units.ts';
import { MAX_ADDRESS, apart, u64, zeroEnded, type Bytes } from './bytes.ts';

const PT_LOAD = 1, PT_NOTE = 4, EM_X86_64 = 62, ENTRY_BYTES = 56;
const NT_PRSTATUS = 1, NT_PRPSINFO = 3, NT_AUXV = 6, NT_SIGINFO = 0x5349_4749, NT_FILE = 0x4649_4c45;
/** Twice what the kernel lets a process have (vm.max_map_count is 65,530). More are left out and counted. */
const MAX_SEGMENTS = 131_072;
const MAX_THREADS = 4_096;
/** Of all segments together: many may name the same ones. */
const MAX_NOTES = 65_536;
const MAX_FILES = 65_536;
const FILE_NOTE_BYTES = 12 * 1024 * 1024;
const AUXV_BYTES = 4_096;
const PRSTATUS_BYTES = 336, REGISTERS_AT = 112;

/** General registers in the order of DWARF (System V ABI, x86-64, figure 3.36), 16 = instruction pointer. */
export type Registers = readonly number[];
export const RBP = 6, RSP = 7, RIP = 16;
/** Where user_regs_struct has each of them. */
const PLACES = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16];

export interface Segment { readonly from: number; readonly memoryBytes: number; readonly at: number; readonly fileBytes: number; readonly flags: number }
export interface MappedFile { readonly from: number; readonly to: number; readonly offset: number; readonly path: string }
export interface CoreThread { readonly tid: number; readonly registers: Registers; readonly signal: number }
export interface SignalFacts { readonly signal: number; readonly code: number; readonly address: number; readonly sender: number }

export interface Core {
  readonly segments: readonly Segment[];                       // in order of addresses, none over another
  readonly threads: readonly CoreThread[];                     // the one that got the signal first
  readonly files: readonly MappedFile[];                       // in order of addresses, none over another
  readonly signal?: SignalFacts;
  readonly process?: { readonly pid: number; readonly name: string; readonly commandLine: string };
  readonly auxv: ReadonlyMap<number, number>;
  /** What was left out or could not be read, each in words. */
  readonly notes: readonly string[];
}

interface Making { segments: Segment[]; threads: CoreThread[]; files: MappedFile[]; auxv: Map<number, number>; notes: string[]; signal?: SignalFacts; process?: NonNullable<Core['process']>; threadsLeft: number; notesSeen: number }

/** @throws DUMP_UNREADABLE where there is no sense in going on; what is only missing is said in `notes` */
export function readCore(bytes: Bytes): Core {
  const shape = parseCoreHeader(bytes.read(0, Math.min(HEADER_BYTES, bytes.sizeBytes)) ?? Buffer.alloc(0));
  if (typeof shape === 'string') throw unreadable(shape);
  if (shape.bits === 32) throw unreadable('it is of a 32-bit process');
  const machine = (bytes.read(18, 2) as Buffer).readUInt16LE(0);
  if (machine !== EM_X86_64) throw unreadable(`it is of another machine (${machine}) than x86-64`);
  if (shape.entryBytes !== ENTRY_BYTES) throw unreadable(`its segments have ${shape.entryBytes} bytes each, not ${ENTRY_BYTES}`);
  const count = segmentsOf(shape, overflows(shape) ? bytes.read(shape.sectionsAt, 64) : undefined);
  const core: Making = { segments: [], threads: [], files: [], auxv: new Map(), notes: [], threadsLeft: 0, notesSeen: 0 };
  if (count > MAX_SEGMENTS) core.notes.push(`${plural(count - MAX_SEGMENTS, 'segment')} beyond ${MAX_SEGMENTS} left out`);
  readSegments(bytes, shape.tableAt, Math.min(count, MAX_SEGMENTS), core);
  if (core.threadsLeft > 0) core.notes.push(`${plural(core.threadsLeft, 'thread')} beyond ${MAX_THREADS} left out`);
  core.segments = ordered(core.segments, core.notes);
  core.files = apart(core.files, (one) => one.to);
  if (core.segments.length === 0 && core.threads.length === 0) throw unreadable('it holds neither memory nor threads');
  return core;
}

export function unreadable(why: string): DiagError { return new DiagError('DUMP_UNREADABLE', { why }); }

function readSegments(bytes: Bytes, tableAt: number, count: number, core: Making): void {
  let cut = 0;
  for (let i = 0; i < count; i += 1) {
    const row = bytes.read(tableAt + i * ENTRY_BYTES, ENTRY_BYTES);
    if (row === undefined) { core.notes.push(`the table of segments is cut after ${i} of ${count}`); break; }
    const kind = row.readUInt32LE(0);
    const [at, from, fileBytes, memoryBytes] = [u64(row, 8), u64(row, 16), u64(row, 32), u64(row, 40)];
    if (kind === PT_NOTE) readNotes(bytes, at, Math.min(fileBytes, Math.max(0, bytes.sizeBytes - at)), core);
    if (kind !== PT_LOAD || memoryBytes === 0 || from + memoryBytes > MAX_ADDRESS) continue;   // above: the kernel's own page of old calls
    const there = Math.max(0, Math.min(fileBytes, memoryBytes, bytes.sizeBytes - at));
    if (there < Math.min(fileBytes, memoryBytes)) cut += 1;
    core.segments.push({ from, memoryBytes, at, fileBytes: there, flags: row.readUInt32LE(4) });
  }
  if (cut > 0) core.notes.push(`the file is cut: ${plural(cut, 'segment reaches', 'segments reach')} beyond its end`);
}

function ordered(segments: readonly Segment[], notes: string[]): Segment[] {
  const out = apart(segments, (one) => one.from + one.memoryBytes);
  if (out.length < segments.length) notes.push(`${plural(segments.length - out.length, 'segment')} that lie over others left out`);
  return out;
}

function readNotes(bytes: Bytes, from: number, sizeBytes: number, core: Making): void {
  const end = from + sizeBytes;
  let at = from;
  while (at + 12 <= end && core.notesSeen < MAX_NOTES) {
    core.notesSeen += 1;
    const head = bytes.read(at, 12);
    if (head === undefined) return;
    const content = at + 12 + padded(head.readUInt32LE(0));
    const contentBytes = head.readUInt32LE(4);
    if (content + contentBytes > end) { core.notes.push('the notes of the core are cut'); return; }
    readNote(bytes, head.readUInt32LE(8), content, contentBytes, core);
    at = content + padded(contentBytes);
  }
}

const padded = (size: number): number => Math.ceil(size / 4) * 4;

function readNote(bytes: Bytes, kind: number, at: number, sizeBytes: number, core: Making): void {
  if (kind === NT_PRSTATUS && sizeBytes >= PRSTATUS_BYTES) readThread(bytes.read(at, PRSTATUS_BYTES), core);
  else if (kind === NT_PRPSINFO && sizeBytes >= 136) readProcess(bytes.read(at, 136), core);
  else if (kind === NT_SIGINFO && sizeBytes >= 32) readSignal(bytes.read(at, 32), core);
  else if (kind === NT_AUXV) readAuxv(bytes.read(at, Math.min(sizeBytes, AUXV_BYTES)), core);
  else if (kind === NT_FILE) readFiles(bytes.read(at, Math.min(sizeBytes, FILE_NOTE_BYTES)), core);
}

function readThread(row: Buffer | undefined, core: Making): void {
  if (row === undefined) return;
  if (core.threads.length >= MAX_THREADS) { core.threadsLeft += 1; return; }
  core.threads.push({ tid: row.readInt32LE(32), signal: row.readInt16LE(12), registers: PLACES.map((place) => u64(row, REGISTERS_AT + place * 8)) });
}

function readProcess(row: Buffer | undefined, core: Making): void {
  if (row !== undefined) core.process ??= { pid: row.readInt32LE(24), name: zeroEnded(row.subarray(40, 56)), commandLine: zeroEnded(row.subarray(56, 136)).trimEnd() };
}

/** siginfo_t: number, error, code; then of a fault its address, of a sent signal its sender. */
function readSignal(row: Buffer | undefined, core: Making): void {
  if (row !== undefined) core.signal ??= { signal: row.readInt32LE(0), code: row.readInt32LE(8), address: u64(row, 16), sender: row.readInt32LE(16) };
}

function readAuxv(row: Buffer | undefined, core: Making): void {
  for (let at = 0; row !== undefined && at + 16 <= row.length; at += 16) core.auxv.set(u64(row, at), u64(row, at + 8));
}

function readFiles(row: Buffer | undefined, core: Making): void {
  if (row === undefined || row.length < 16 || core.files.length > 0) return;
  const pageBytes = u64(row, 8);
  const count = Math.min(u64(row, 0), MAX_FILES, Math.floor((row.length - 16) / 24));
  let nameAt = 16 + count * 24;
  for (let i = 0; i < count; i += 1) {
    const end = row.indexOf(0, nameAt);
    if (end < 0) { core.notes.push(`names of mapped files are cut after ${i} of ${count}`); return; }
    const [from, to, pages] = [0, 8, 16].map((place) => u64(row, 16 + i * 24 + place)) as [number, number, number];
    if (from < to && to < MAX_ADDRESS) core.files.push({ from, to, offset: pages * pageBytes, path: row.toString('utf8', nameAt, Math.min(end, nameAt + 4_096)) });
    nameAt = end + 1;
  }
}
