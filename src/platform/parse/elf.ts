// Owns the check that a file is a whole ELF core: header, type, and every segment inside the file.

const ET_CORE = 4;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** e_phnum when there are 65,535 segments or more: the true number stands in the first section header (elf(5)). */
const PN_XNUM = 0xffff;
export const HEADER_BYTES = 64;

export interface CoreShape { readonly tableAt: number; readonly entryBytes: number; readonly segments: number; readonly sectionsAt: number; readonly bits: 32 | 64 }

/** Reads the first 64 bytes. A string says why it is no core. */
export function parseCoreHeader(head: Buffer): CoreShape | string {
  if (head.length < 52 || head.readUInt32BE(0) !== 0x7f454c46) return 'it does not begin as an ELF file';
  if (head[5] !== 1) return 'its byte order is not little-endian';
  const bits = head[4] === 2 ? 64 : 32;
  if (bits === 64 && head.length < HEADER_BYTES) return 'its header is cut';
  if (head.readUInt16LE(16) !== ET_CORE) return 'it is an ELF file but no core';
  return bits === 64
    ? { bits, tableAt: Number(head.readBigUInt64LE(32)), sectionsAt: Number(head.readBigUInt64LE(40)), entryBytes: head.readUInt16LE(54), segments: head.readUInt16LE(56) }
    : { bits, tableAt: head.readUInt32LE(28), sectionsAt: head.readUInt32LE(32), entryBytes: head.readUInt16LE(42), segments: head.readUInt16LE(44) };
}

/** True number of segments, given the first section header where the header's own field overflowed. */
export function segmentsOf(shape: CoreShape, firstSection: Buffer | undefined): number {
  if (shape.segments !== PN_XNUM || firstSection === undefined) return shape.segments;
  return firstSection.readUInt32LE(shape.bits === 64 ? 44 : 28);
}

export function overflows(shape: CoreShape): boolean { return shape.segments === PN_XNUM; }

/** Where the file must end for its segments to be whole, and whether it has notes (threads) and memory. */
export function parseSegments(table: Buffer, shape: CoreShape, segments: number): { readonly endBytes: number; readonly notes: number; readonly loads: number } {
  let endBytes = shape.tableAt + segments * shape.entryBytes;
  let notes = 0;
  let loads = 0;
  for (let i = 0; i < segments; i += 1) {
    const row = table.subarray(i * shape.entryBytes, (i + 1) * shape.entryBytes);
    const kind = row.readUInt32LE(0);
    const [at, size] = shape.bits === 64
      ? [Number(row.readBigUInt64LE(8)), Number(row.readBigUInt64LE(32))]
      : [row.readUInt32LE(4), row.readUInt32LE(16)];
    if (kind === PT_NOTE) notes += 1;
    if (kind === PT_LOAD) loads += 1;
    if (size > 0) endBytes = Math.max(endBytes, at + size);
  }
  return { endBytes, notes, loads };
}
