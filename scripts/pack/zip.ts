// Owns zip files that are the same bytes on every machine: sorted entries, one fixed time, and nothing compressed, as compressors differ between versions of Node.
import { crc32 } from './crc.ts';

export interface Entry { readonly name: string; readonly content: Buffer }

/** 1980-01-01 00:00, the oldest that the format can say. */
const DOS_TIME = 0;
const DOS_DATE = (1 << 5) | 1;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

/** Entries sorted by name. Names with "/", each once also when case is ignored: Windows unpacks it. */
export function zipOf(entries: readonly Entry[]): Buffer {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  refuseUnsafe(sorted);
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of sorted) {
    const title = Buffer.from(name, 'utf8');
    const crc = crc32(content);
    parts.push(header(LOCAL_BYTES, 0x04034b50, 4, title, content, crc), title, content);
    const record = header(CENTRAL_BYTES, 0x02014b50, 6, title, content, crc);
    record.writeUInt16LE(VERSION, 4);
    record.writeUInt32LE(offset, 42);
    central.push(record, title);
    offset += LOCAL_BYTES + title.length + content.length;
  }
  const directory = Buffer.concat(central);
  return Buffer.concat([...parts, directory, end(sorted.length, directory.length, offset)]);
}

function refuseUnsafe(entries: readonly Entry[]): void {
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (!/^(?!\/)[^\\:]+$/.test(name) || name.split('/').some((segment) => segment === '' || segment === '..' || segment.endsWith('.'))) throw new Error(`no name for a package: ${name}`);
    if (seen.has(name.toLowerCase())) throw new Error(`twice in the package: ${name}`);
    seen.add(name.toLowerCase());
  }
}

/** The part that local and central records share, from `at` on. */
function header(bytes: number, signature: number, at: number, title: Buffer, content: Buffer, crc: number): Buffer {
  const record = Buffer.alloc(bytes);
  record.writeUInt32LE(signature, 0);
  record.writeUInt16LE(VERSION, at);
  record.writeUInt16LE(FLAGS, at + 2);
  record.writeUInt16LE(0, at + 4);                             // stored
  record.writeUInt16LE(DOS_TIME, at + 6);
  record.writeUInt16LE(DOS_DATE, at + 8);
  record.writeUInt32LE(crc, at + 10);
  record.writeUInt32LE(content.length, at + 14);
  record.writeUInt32LE(content.length, at + 18);
  record.writeUInt16LE(title.length, at + 22);
  return record;
}

function end(count: number, directoryBytes: number, offset: number): Buffer {
  const record = Buffer.alloc(END_BYTES);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(directoryBytes, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}
