// Owns the search for a place where our code can stand in the target: the unused end of a library's code pages, which nothing ever runs or reads.
import { readSync } from 'node:fs';
import type { Mapping } from './ranges.ts';

const PAGE_BYTES = 4_096;
const PT_LOAD = 1;
const PF_X = 1;
const HEADER_BYTES = 64;
const ENTRY_BYTES = 56;
const MAX_ENTRIES = 64;
/** Room left between the library's last instruction and our first. */
const MARGIN_BYTES = 32;

/** Address of `sizeBytes` unused bytes in mapped code; undefined when no library has room. `mem` is /proc/PID/mem. */
export function unusedCode(mem: number, mappings: readonly Mapping[], sizeBytes: number): number | undefined {
  for (const mapping of mappings) {
    if (mapping.perms !== 'r-xp' || mapping.inode === 0 || mapping.path.endsWith('(deleted)')) continue;
    const head = mappings.find((other) => other.inode === mapping.inode && other.path === mapping.path && other.offset === 0);
    const at = head === undefined ? undefined : endOfCode(mem, head.from, mapping);
    if (at !== undefined && at + sizeBytes <= mapping.to && at + sizeBytes <= Math.ceil(at / PAGE_BYTES) * PAGE_BYTES) return at;
  }
  return undefined;
}

/** Where the code of an ELF file that is mapped at `base` ends inside the mapping, rounded up and with a margin. */
function endOfCode(mem: number, base: number, mapping: Mapping): number | undefined {
  const header = read(mem, base, HEADER_BYTES);
  if (header === undefined || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2) return undefined;
  const tableAt = Number(header.readBigUInt64LE(32));
  const entries = header.readUInt16LE(56);
  if (header.readUInt16LE(54) !== ENTRY_BYTES || entries > MAX_ENTRIES || tableAt > PAGE_BYTES) return undefined;
  const table = read(mem, base + tableAt, entries * ENTRY_BYTES);
  if (table === undefined) return undefined;
  for (let i = 0; i < entries; i += 1) {
    const entry = table.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES);
    const offset = Number(entry.readBigUInt64LE(8));
    if (entry.readUInt32LE(0) !== PT_LOAD || (entry.readUInt32LE(4) & PF_X) === 0 || Math.floor(offset / PAGE_BYTES) * PAGE_BYTES !== mapping.offset) continue;
    const end = mapping.from + (offset - mapping.offset) + Number(entry.readBigUInt64LE(32));
    return Math.ceil((end + MARGIN_BYTES) / 16) * 16;
  }
  return undefined;
}

function read(mem: number, at: number, size: number): Buffer | undefined {
  const bytes = Buffer.alloc(size);
  try {
    return readSync(mem, bytes, 0, size, at) === size ? bytes : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return undefined;   // that page is not there
    throw error;
  }
}
