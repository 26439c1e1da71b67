// Owns zips written byte by byte for tests: what no honest tool would make.
import { crc32 } from 'node:zlib';
import { deflateRawSync } from 'node:zlib';

export interface ZipPart {
  readonly name: string;
  readonly content?: Buffer | string;
  /** Unix mode in the upper half of the external attributes: 0xA1FF is a link. */
  readonly mode?: number;
  readonly flags?: number;
  readonly method?: number;
  /** What the list of entries says instead of the truth. */
  readonly saysSize?: number;
  readonly saysPacked?: number;
  /** Sizes and offset in a zip64 field. */
  readonly zip64?: boolean;
  /** Points at the content of an earlier entry. */
  readonly over?: number;
}

/** Node 20.20 has crc32 in zlib; its type came later. */
const crcOf = (bytes: Buffer): number => (crc32 as (bytes: Buffer) => number)(bytes);

export function zipBytes(parts: readonly ZipPart[], comment = ''): Buffer {
  const pieces: Buffer[] = [];
  const list: Buffer[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const part of parts) {
    const name = Buffer.from(part.name);
    const content = Buffer.from(part.content ?? '');
    const method = part.method ?? 8;
    const packed = method === 8 ? deflateRawSync(content) : content;
    const crc = crcOf(content);
    const size = part.saysSize ?? content.length;
    const packedSize = part.saysPacked ?? packed.length;
    const offset = part.over === undefined ? at : offsets[part.over] ?? 0;
    offsets.push(offset);
    const extra = part.zip64 ? Buffer.concat([u16(1), u16(24), u64(size), u64(packedSize), u64(offset)]) : Buffer.alloc(0);
    const flags = (part.flags ?? 0) | 0x800;
    const sizes = part.zip64 ? [u32(0xffffffff), u32(0xffffffff)] : [u32(packedSize), u32(size)];
    const middle = Buffer.concat([u16(flags), u16(method), u16(0), u16(0x5a21), u32(crc), ...sizes, u16(name.length), u16(extra.length)]);
    list.push(Buffer.concat([u32(0x02014b50), u16((3 << 8) | 45), u16(45), middle, u16(0), u16(0), u16(0), u32(((part.mode ?? 0x81a4) << 16) >>> 0), u32(part.zip64 ? 0xffffffff : offset), name, extra]));
    if (part.over !== undefined) continue;
    const local = Buffer.concat([u32(0x04034b50), u16(45), middle, name, extra, packed]);
    pieces.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(list);
  const end = Buffer.concat([u32(0x06054b50), u16(0), u16(0), u16(parts.length), u16(parts.length), u32(directory.length), u32(at), u16(comment.length), Buffer.from(comment)]);
  return Buffer.concat([...pieces, directory, end]);
}

const u16 = (n: number): Buffer => { const b = Buffer.alloc(2); b.writeUInt16LE(n); return b; };
const u32 = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b; };
const u64 = (n: number): Buffer => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
