// Owns a minidump as a file: its streams, every count and place checked against the file (minidumpapiset.h).
import { ENTRY_BYTES, HEADER_BYTES, parseDirectory, parseHeader } from '../../platform/parse/minidump.ts';
import { plural } from '../../shared/units.ts';
import { apart, u64, type Bytes } from './bytes.ts';
import { unreadable } from './core.ts';

const THREADS = 3, MODULES = 4, MEMORY = 5, EXCEPTION = 6, SYSTEM = 7, MEMORY_64 = 9, HANDLES = 12, MISC = 15, REGIONS = 16, THREAD_NAMES = 24;
const NAMES: Readonly<Record<number, string>> = { 3: 'threads', 4: 'modules', 5: 'memory', 6: 'exception', 7: 'system', 8: 'threads, extended', 9: 'memory, 64 bit', 10: 'comment', 11: 'comment', 12: 'handles', 13: 'function table', 14: 'unloaded modules', 15: 'process', 16: 'memory regions', 17: 'thread times', 18: 'handle operations', 19: 'tokens', 21: 'system memory', 22: 'process counters', 24: 'thread names' };
const MAX_THREADS = 4_096;
const MAX_MODULES = 4_096;
/** 16 MB as numbers; what is beyond is left out and said. */
const MAX_RANGES = 500_000;
const MAX_REGIONS = 200_000;
const MAX_HANDLES = 1_000_000;
const MAX_TEXT_BYTES = 32_766;
const CONTEXT_BYTES = 0x100;

export interface Range { readonly from: number; readonly at: number; readonly sizeBytes: number }
export interface Region { readonly from: number; readonly sizeBytes: number; readonly protect: number; readonly kind: number }
/** Registers in the order of Windows' unwind codes, 16 = instruction pointer. */
export interface MiniThread { readonly id: number; readonly stackFrom: number; readonly environmentBlock: number; readonly registers?: readonly number[] }
export interface MiniModule { readonly from: number; readonly sizeBytes: number; readonly path: string; readonly version?: string }
export interface MiniException { readonly thread: number; readonly code: number; readonly address: number; readonly facts: readonly number[]; readonly registers?: readonly number[] }

export interface Minidump {
  readonly takenAt: number;
  readonly machine: number;
  readonly windows: string;
  readonly threads: readonly MiniThread[];
  readonly names: ReadonlyMap<number, string>;
  readonly modules: readonly MiniModule[];
  readonly exception?: MiniException;
  readonly ranges: readonly Range[];                           // in order of addresses, none over another
  readonly regions: readonly Region[];                         // as the ranges
  readonly handles?: { readonly total: number; readonly byType: ReadonlyMap<string, number> };
  readonly process: { readonly pid?: number; readonly startedAt?: number };
  readonly streams: readonly { readonly name: string; readonly bytes: number }[];
  readonly notes: readonly string[];
}

interface Stream { readonly type: number; readonly bytes: number; readonly at: number }
class Streams {
  readonly bytes: Bytes;
  readonly all: readonly Stream[];
  readonly notes: string[] = [];
  constructor(bytes: Bytes, all: readonly Stream[]) { this.bytes = bytes; this.all = all; }
  of(type: number): Stream | undefined { return this.all.find((one) => one.type === type && one.bytes > 0); }
  read(at: number, sizeBytes: number): Buffer | undefined { return this.bytes.read(at, sizeBytes); }

  /** Rows of a list; fewer than said where the stream or the file is shorter, or there are more than `most`. */
  *rows(stream: Stream, from: number, count: number, rowBytes: number, most: number): Generator<Buffer> {
    const room = Math.floor((Math.min(stream.bytes, this.bytes.sizeBytes - stream.at) - from) / rowBytes);
    const told = Math.max(0, Math.min(count, room, most));
    if (count > told) this.notes.push(`${plural(count - told, 'entry', 'entries')} of ${NAMES[stream.type] ?? `stream ${stream.type}`} left out: ${count > room ? 'the list is cut' : `more than ${most}`}`);
    for (let i = 0; i < told; i += 1) {
      const row = this.read(stream.at + from + i * rowBytes, rowBytes);
      if (row === undefined) return;
      yield row;
    }
  }

  /** Its length in bytes, then UTF-16. */
  text(at: number): string | undefined {
    const size = at === 0 ? undefined : this.read(at, 4)?.readUInt32LE(0);
    return size === undefined ? undefined : this.read(at + 4, Math.min(size, MAX_TEXT_BYTES) & ~1)?.toString('utf16le');
  }
}

/** @throws DUMP_UNREADABLE */
export function readMinidumpFile(bytes: Bytes): Minidump {
  const header = bytes.read(0, HEADER_BYTES) ?? Buffer.alloc(0);
  const directory = parseHeader(header);
  if (typeof directory === 'string') throw unreadable(directory);
  const table = bytes.read(directory.at, directory.streams * ENTRY_BYTES);
  if (table === undefined) throw unreadable('its directory lies outside of the file');
  const whole = parseDirectory(table, bytes.sizeBytes);
  const all = Array.from({ length: directory.streams }, (_, i): Stream => ({ type: table.readUInt32LE(i * ENTRY_BYTES), bytes: table.readUInt32LE(i * ENTRY_BYTES + 4), at: table.readUInt32LE(i * ENTRY_BYTES + 8) }));
  const streams = new Streams(bytes, all.filter((one) => one.type !== 0 && one.at + Math.min(one.bytes, 4) <= bytes.sizeBytes));
  if (typeof whole === 'string') streams.notes.push(whole);
  const { machine, windows } = systemOf(streams);
  const exception = exceptionOf(streams, machine);
  const handles = handlesOf(streams);
  const ranges = rangesOf(streams);
  const made = { takenAt: header.readUInt32LE(20) * 1_000, machine, windows, threads: threadsOf(streams, machine), names: namesOf(streams), modules: modulesOf(streams), ranges, regions: apart(regionsOf(streams), (one) => one.from + one.sizeBytes), process: processOf(streams) };
  if (made.threads.length === 0 && made.modules.length === 0 && ranges.length === 0) throw unreadable('it holds no threads, no modules and no memory');
  return {
    ...made, ...(exception === undefined ? {} : { exception }), ...(handles === undefined ? {} : { handles }),
    streams: streams.all.map((one) => ({ name: NAMES[one.type] ?? `stream ${one.type}`, bytes: one.bytes })), notes: streams.notes,
  };
}

function systemOf(streams: Streams): { machine: number; windows: string } {
  const at = streams.of(SYSTEM)?.at;
  const row = at === undefined ? undefined : streams.read(at, 32);
  if (row === undefined) return { machine: 0xffff, windows: 'Windows' };
  const extra = streams.text(row.readUInt32LE(24));
  return { machine: row.readUInt16LE(0), windows: `Windows ${row.readUInt32LE(8)}.${row.readUInt32LE(12)}.${row.readUInt32LE(16)}${extra === undefined || extra === '' ? '' : ` ${extra.slice(0, 100)}`}` };
}

export const X64 = 9;
/** Where CONTEXT of x64 has each register. */
const PLACES = [0x78, 0x80, 0x88, 0x90, 0x98, 0xa0, 0xa8, 0xb0, 0xb8, 0xc0, 0xc8, 0xd0, 0xd8, 0xe0, 0xe8, 0xf0, 0xf8];

function registersOf(streams: Streams, machine: number, sizeBytes: number, at: number): { registers?: readonly number[] } {
  const row = machine === X64 && sizeBytes >= CONTEXT_BYTES ? streams.read(at, CONTEXT_BYTES) : undefined;
  return row === undefined ? {} : { registers: PLACES.map((place) => u64(row, place)) };
}

function threadsOf(streams: Streams, machine: number): MiniThread[] {
  const stream = streams.of(THREADS);
  const count = stream === undefined ? undefined : streams.read(stream.at, 4)?.readUInt32LE(0);
  if (stream === undefined || count === undefined) return [];
  return [...streams.rows(stream, gap(stream, count, 48), count, 48, MAX_THREADS)].map((row) => ({ id: row.readUInt32LE(0), environmentBlock: u64(row, 16), stackFrom: u64(row, 24), ...registersOf(streams, machine, row.readUInt32LE(40), row.readUInt32LE(44)) }));
}

/** Some writers align the rows behind the count to eight bytes. */
const gap = (stream: Stream, count: number, rowBytes: number): number => (stream.bytes === 8 + count * rowBytes ? 8 : 4);

function modulesOf(streams: Streams): MiniModule[] {
  const stream = streams.of(MODULES);
  const count = stream === undefined ? undefined : streams.read(stream.at, 4)?.readUInt32LE(0);
  if (stream === undefined || count === undefined) return [];
  return [...streams.rows(stream, gap(stream, count, 108), count, 108, MAX_MODULES)].map((row): MiniModule => {
    const version = row.readUInt32LE(24) === 0xfeef_04bd ? [row.readUInt16LE(34), row.readUInt16LE(32), row.readUInt16LE(38), row.readUInt16LE(36)].join('.') : undefined;
    return { from: u64(row, 0), sizeBytes: row.readUInt32LE(8), path: streams.text(row.readUInt32LE(20)) ?? '(no name)', ...(version === undefined ? {} : { version }) };
  });
}

function exceptionOf(streams: Streams, machine: number): MiniException | undefined {
  const stream = streams.of(EXCEPTION);
  const row = stream === undefined ? undefined : streams.read(stream.at, 168);
  if (row === undefined) return undefined;
  const facts = Array.from({ length: Math.min(15, row.readUInt32LE(32)) }, (_, i) => u64(row, 40 + i * 8));
  return { thread: row.readUInt32LE(0), code: row.readUInt32LE(8), address: u64(row, 24), facts, ...registersOf(streams, machine, row.readUInt32LE(160), row.readUInt32LE(164)) };
}

function rangesOf(streams: Streams): Range[] {
  const found: Range[] = [];
  const some = streams.of(MEMORY);
  const count = some === undefined ? undefined : streams.read(some.at, 4)?.readUInt32LE(0);
  if (some !== undefined && count !== undefined) for (const row of streams.rows(some, gap(some, count, 16), count, 16, MAX_RANGES)) found.push({ from: u64(row, 0), sizeBytes: row.readUInt32LE(8), at: row.readUInt32LE(12) });
  const full = streams.of(MEMORY_64);
  const head = full === undefined ? undefined : streams.read(full.at, 16);
  if (full !== undefined && head !== undefined) {
    let at = u64(head, 8);
    for (const row of streams.rows(full, 16, u64(head, 0), 16, MAX_RANGES)) { found.push({ from: u64(row, 0), sizeBytes: u64(row, 8), at }); at += u64(row, 8); }
  }
  return ordered(streams, found);
}

function ordered(streams: Streams, found: readonly Range[]): Range[] {
  const out: Range[] = [];
  let [cut, over] = [0, 0];
  for (const one of [...found].sort((a, b) => a.from - b.from || b.sizeBytes - a.sizeBytes)) {
    const there = Math.min(one.sizeBytes, streams.bytes.sizeBytes - one.at);
    if (!(there > 0) || !Number.isSafeInteger(one.at + one.sizeBytes) || !Number.isSafeInteger(one.from + one.sizeBytes)) { cut += 1; continue; }
    if (there < one.sizeBytes) cut += 1;
    const before = out.at(-1);
    if (before !== undefined && one.from < before.from + before.sizeBytes) { over += 1; continue; }
    out.push({ ...one, sizeBytes: there });
  }
  if (cut > 0) streams.notes.push(`the file is cut: ${plural(cut, 'range')} of memory beyond its end`);
  if (over > 0) streams.notes.push(`${plural(over, 'range')} of memory that lie over others left out`);
  return out;
}

function regionsOf(streams: Streams): Region[] {
  const stream = streams.of(REGIONS);
  const head = stream === undefined ? undefined : streams.read(stream.at, 16);
  if (stream === undefined || head === undefined) return [];
  const [from, rowBytes] = [head.readUInt32LE(0), head.readUInt32LE(4)];
  if (from < 16 || from > 1_024 || rowBytes < 48 || rowBytes > 1_024) return [];
  const out: Region[] = [];
  for (const row of streams.rows(stream, from, u64(head, 8), rowBytes, MAX_REGIONS)) {
    if (row.readUInt32LE(32) === 0x1000 && Number.isSafeInteger(u64(row, 0) + u64(row, 24))) out.push({ from: u64(row, 0), sizeBytes: u64(row, 24), protect: row.readUInt32LE(36), kind: row.readUInt32LE(40) });
  }
  return out;
}

function handlesOf(streams: Streams): Minidump['handles'] {
  const stream = streams.of(HANDLES);
  const head = stream === undefined ? undefined : streams.read(stream.at, 12);
  if (stream === undefined || head === undefined) return undefined;
  const [from, rowBytes, total] = [head.readUInt32LE(0), head.readUInt32LE(4), head.readUInt32LE(8)];
  if (from < 16 || from > 1_024 || rowBytes < 32 || rowBytes > 1_024) return undefined;
  const names = new Map<number, string>();
  const byType = new Map<string, number>();
  for (const row of streams.rows(stream, from, total, rowBytes, MAX_HANDLES)) {
    const at = row.readUInt32LE(8);
    const type = names.get(at) ?? (names.size < 1_000 ? (streams.text(at) ?? 'unknown').slice(0, 100) : 'other');
    if (names.size < 1_000) names.set(at, type);
    byType.set(type, (byType.get(type) ?? 0) + 1);
  }
  return { total, byType };
}

function processOf(streams: Streams): { pid?: number; startedAt?: number } {
  const stream = streams.of(MISC);
  const row = stream === undefined || stream.bytes < 24 ? undefined : streams.read(stream.at, 24);
  if (row === undefined) return {};
  const flags = row.readUInt32LE(4);
  return { ...((flags & 1) === 0 ? {} : { pid: row.readUInt32LE(8) }), ...((flags & 2) === 0 || row.readUInt32LE(12) === 0 ? {} : { startedAt: row.readUInt32LE(12) * 1_000 }) };
}

function namesOf(streams: Streams): Map<number, string> {
  const stream = streams.of(THREAD_NAMES);
  const count = stream === undefined ? undefined : streams.read(stream.at, 4)?.readUInt32LE(0);
  const names = new Map<number, string>();
  if (stream === undefined || count === undefined) return names;
  for (const row of streams.rows(stream, 4, count, 12, MAX_THREADS)) { const name = streams.text(u64(row, 4)); if (name !== undefined && name !== '') names.set(row.readUInt32LE(0), name.slice(0, 200)); }
  return names;
}
