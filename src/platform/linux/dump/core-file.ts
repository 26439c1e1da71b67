// Owns the core file: which memory goes in, its ELF headers, and the copying of present pages with holes left as holes.
import { readSync } from 'node:fs';
import type { CoreOut } from './core-out.ts';
import { leftOutOfDumps } from './ranges.ts';
import type { FlaggedMapping, Mapping } from './ranges.ts';
import type { Late } from './snapshot.ts';

const PAGE_BYTES = 4_096;
const HEADER_BYTES = 64;
export const ENTRY_BYTES = 56;
const SECTION_BYTES = 64;
export const PN_XNUM = 0xffff;
const PT_LOAD = 1, PT_NOTE = 4, ET_CORE = 4, EM_X86_64 = 62;
/** One read: what was read is still in the processor's cache when it is written. */
export const COPY_BYTES = 64 * 1024;
/** Pagemap entries (8 bytes a page) looked at in one go: 1 GiB of addresses. */
const PAGEMAP_PAGES = 262_144;

/** all: every present page; whole: also pages that are only in the file behind it (some were changed); head: the first page; none: the file has it, or nobody may read it. */
export type Content = 'present' | 'whole' | 'head' | 'none';
export interface Segment { readonly mapping: Mapping; readonly content: Content; readonly fileBytes: number; readonly at: number }
export interface CorePlan {
  readonly segments: readonly Segment[];
  readonly headers: Buffer;
  /** Of the finished file, holes included. */
  readonly sizeBytes: number;
  /** Address space that the app asked to keep out of dumps. */
  readonly excludedBytes: number;
}

/** Tells of each mapping whether the app asked, when its flags were read, that it never be dumped. */
export function leftOut(before: readonly FlaggedMapping[]): (mapping: Mapping) => boolean {
  const excluded = before.filter(({ flags, perms }) => leftOutOfDumps(flags) && perms.startsWith('r'));
  return (mapping) => excluded.some(({ from, to }) => from <= mapping.from && mapping.to <= to);
}

/** Which mapping goes in how; `changed` tells whether a private file mapping has pages of its own. */
export function planCore(mappings: readonly Mapping[], before: readonly FlaggedMapping[], notes: Buffer, changed: (mapping: Mapping) => boolean): CorePlan {
  const isLeftOut = leftOut(before);
  const table = mappings.length + 1;
  const sections = table >= PN_XNUM ? SECTION_BYTES : 0;
  let at = pageUp(HEADER_BYTES + table * ENTRY_BYTES + sections + notes.length);
  let excludedBytes = 0;
  const segments = mappings.map((mapping): Segment => {
    const isExcluded = isLeftOut(mapping);
    if (isExcluded) excludedBytes += mapping.to - mapping.from;
    const content = isExcluded ? 'none' : contentOf(mapping, changed);
    const fileBytes = content === 'none' ? 0 : content === 'head' ? PAGE_BYTES : mapping.to - mapping.from;
    const segment = { mapping, content, fileBytes, at };
    at += fileBytes;
    return segment;
  });
  return { segments, headers: headersOf(segments, notes, sections > 0), sizeBytes: at, excludedBytes };
}

/** @param changed whether a private file mapping has pages of its own */
export function contentOf(mapping: Mapping, changed: (mapping: Mapping) => boolean): Content {
  const { perms, path, inode, offset } = mapping;
  if (!perms.startsWith('r') || path === '[vvar]' || path === '[vvar_vclock]' || path === '[vsyscall]') return 'none';
  if (path === '[vdso]') return 'whole';                        // the kernel's own library: two pages, mapped on demand
  if (inode === 0) return 'present';
  if (perms.endsWith('s')) return path.endsWith('(deleted)') || path.startsWith('/memfd:') || path.startsWith('/SYSV') || path.startsWith('/dev/zero') ? 'present' : 'none';
  // Code is in the library itself (the one page our stub stood in is put back); what the loader or the app changed is not.
  if (!perms.includes('x') && changed(mapping)) return 'whole';
  return offset === 0 ? 'head' : 'none';                        // the head names the build (build id)
}

/** ELF header, program headers and notes; segments in order of their addresses, wherever they lie in the file. */
export function headersOf(segments: readonly Segment[], notes: Buffer, overflow: boolean): Buffer {
  const count = segments.length + 1;
  const sectionsAt = overflow ? HEADER_BYTES + count * ENTRY_BYTES : 0;
  const notesAt = HEADER_BYTES + count * ENTRY_BYTES + (overflow ? SECTION_BYTES : 0);
  const bytes = Buffer.alloc(notesAt + notes.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(bytes, 0);
  bytes.writeUInt16LE(ET_CORE, 16);
  bytes.writeUInt16LE(EM_X86_64, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  bytes.writeBigUInt64LE(BigInt(sectionsAt), 40);
  bytes.writeUInt16LE(HEADER_BYTES, 52);
  bytes.writeUInt16LE(ENTRY_BYTES, 54);
  bytes.writeUInt16LE(overflow ? PN_XNUM : count, 56);
  if (overflow) {
    bytes.writeUInt16LE(SECTION_BYTES, 58);
    bytes.writeUInt16LE(1, 60);
    bytes.writeUInt32LE(count, sectionsAt + 44);               // sh_info of the first section holds the true count (elf(5))
  }
  entry(bytes, 0, { type: PT_NOTE, flags: 0, offset: notesAt, address: 0, fileBytes: notes.length, memoryBytes: 0, align: 4 });
  segments.forEach(({ mapping, at, fileBytes }, index) => {
    entry(bytes, index + 1, { type: PT_LOAD, flags: flagsOf(mapping.perms), offset: at, address: mapping.from, fileBytes, memoryBytes: mapping.to - mapping.from, align: PAGE_BYTES });
  });
  notes.copy(bytes, notesAt);
  return bytes;
}

function entry(bytes: Buffer, index: number, { type, flags, offset, address, fileBytes, memoryBytes, align }: { type: number; flags: number; offset: number; address: number; fileBytes: number; memoryBytes: number; align: number }): void {
  const at = HEADER_BYTES + index * ENTRY_BYTES;
  bytes.writeUInt32LE(type, at);
  bytes.writeUInt32LE(flags, at + 4);
  [offset, address, 0, fileBytes, memoryBytes, align].forEach((value, word) => { bytes.writeBigUInt64LE(BigInt(value), at + 8 + word * 8); });
}

const flagsOf = (perms: string): number => (perms.includes('x') ? 1 : 0) | (perms.includes('w') ? 2 : 0) | (perms.includes('r') ? 4 : 0);
export const pageUp = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;

/** What copying reads from and writes to. */
export interface CopyFiles { readonly mem: number; readonly pagemap: number; readonly out: CoreOut }

/** Runs of pages that are present (or swapped out) in [from, to). @yields [from, to) in bytes, at most COPY_BYTES long */
export function* presentRuns(pagemap: number, from: number, to: number, wanted: (high: number) => boolean = isThere): Generator<readonly [number, number]> {
  const entries = Buffer.allocUnsafe(Math.min(PAGEMAP_PAGES, Math.ceil((to - from) / PAGE_BYTES)) * 8);
  for (let at = from; at < to;) {
    const pages = Math.min(PAGEMAP_PAGES, (to - at) / PAGE_BYTES);
    const got = readSync(pagemap, entries, 0, pages * 8, (at / PAGE_BYTES) * 8) / 8;
    if (got === 0) return;
    for (let page = 0; page < got;) {
      if (!wanted(entries[page * 8 + 7] as number)) { page += 1; continue; }
      let end = page + 1;
      while (end < got && (end - page) * PAGE_BYTES < COPY_BYTES && wanted(entries[end * 8 + 7] as number)) end += 1;
      yield [at + page * PAGE_BYTES, at + end * PAGE_BYTES];
      page = end;
    }
    at += got * PAGE_BYTES;
  }
}

/** Highest byte of a pagemap entry: bit 7 present, bit 6 swapped, bit 5 a page of a file or of shared memory (Documentation/admin-guide/mm/pagemap.rst). */
const isThere = (high: number): boolean => (high & 0xc0) !== 0;
export const isOwnPage = (high: number): boolean => (high & 0x40) !== 0 || (high & 0xa0) === 0x80;

/** Writes headers and memory; a yield after each piece says how many bytes it had, so that the caller can stop between them. */
export function* writeCore(plan: CorePlan, files: CopyFiles, late: readonly Late[]): Generator<number> {
  files.out.put(plan.headers, 0);
  for (const { mapping, content, fileBytes, at } of plan.segments) {
    if (fileBytes === 0) continue;
    const to = mapping.from + fileBytes;
    const runs = content === 'present' ? presentRuns(files.pagemap, mapping.from, to) : pieces(mapping.from, to);
    for (const [from, end] of runs) {
      const size = files.out.take(at + (from - mapping.from), end - from, (into, place, sizeBytes) => readMemory(files.mem, into, place, sizeBytes, from));
      if (size > 0) yield size;
    }
  }
  yield* writeLate(plan, files.out, late);
  files.out.end(plan.sizeBytes);
}

export function* pieces(from: number, to: number): Generator<readonly [number, number]> {
  for (let at = from; at < to; at += COPY_BYTES) yield [at, Math.min(to, at + COPY_BYTES)];
}

export function readMemory(mem: number, into: Buffer, place: number, sizeBytes: number, from: number): number {
  try {
    return readSync(mem, into, place, sizeBytes, from);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return 0;           // beyond the end of a mapped file: a hole
    throw error;
  }
}

/** Memory that the child does not have goes over the holes it left. */
function* writeLate(plan: CorePlan, out: CoreOut, late: readonly Late[]): Generator<number> {
  for (const { from, bytes } of late) {
    const segment = plan.segments.find(({ mapping, fileBytes }) => mapping.from <= from && from + bytes.length <= mapping.from + fileBytes);
    if (segment === undefined) continue;
    out.put(bytes, segment.at + (from - segment.mapping.from));
    yield bytes.length;
  }
}
