// Owns the question whether a file is a whole minidump: its header, its directory, and that everything the directory names lies inside.

export const HEADER_BYTES = 32;
export const ENTRY_BYTES = 12;
/** A dump has some twenty streams. */
const MAX_STREAMS = 1_000;
const VERSION = 0xa793;
const THREADS = 3;
const MODULES = 4;
const MEMORY_64 = 9;
/** Ranges of memory of a process with a very torn address space. */
const MAX_RANGES = 4_000_000;

export interface Stream { readonly type: number; readonly bytes: number; readonly at: number }
export interface Directory { readonly at: number; readonly streams: number }

/** What is wrong, in words, where something is. */
export function parseHeader(header: Buffer): Directory | string {
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, 4) !== 'MDMP') return 'it does not begin with MDMP';
  if (header.readUInt16LE(4) !== VERSION) return `its version is ${header.readUInt16LE(4).toString(16)}`;
  const streams = header.readUInt32LE(8);
  if (streams === 0 || streams > MAX_STREAMS) return `it names ${streams} streams`;
  return { at: header.readUInt32LE(12), streams };
}

/** The streams of a directory that was read whole; in words what is wrong with them in a file of this size. */
export function parseDirectory(directory: Buffer, sizeBytes: number): readonly Stream[] | string {
  const streams = Array.from({ length: Math.floor(directory.length / ENTRY_BYTES) }, (_, i): Stream => (
    { type: directory.readUInt32LE(i * ENTRY_BYTES), bytes: directory.readUInt32LE(i * ENTRY_BYTES + 4), at: directory.readUInt32LE(i * ENTRY_BYTES + 8) }));
  const cut = streams.find((one) => one.at + one.bytes > sizeBytes);
  if (cut !== undefined) return `it is cut: stream ${cut.type} ends at ${cut.at + cut.bytes} of ${sizeBytes} bytes; the disk may be full`;
  if (![THREADS, MODULES].every((type) => streams.some((one) => one.type === type && one.bytes > 0))) return 'it holds no threads or no modules';
  return streams;
}

/** The list of the memory of a full dump, which lies behind all streams. */
export function memoryList(streams: readonly Stream[]): Stream | undefined { return streams.find((one) => one.type === MEMORY_64); }

/** Where the memory of a full dump ends in the file. */
export function memoryEnd(list: Buffer): number | string {
  if (list.length < 16) return 'its list of memory is cut';
  const ranges = Number(list.readBigUInt64LE(0));
  if (ranges > MAX_RANGES || 16 + ranges * 16 > list.length) return 'its list of memory is cut';
  let end = Number(list.readBigUInt64LE(8));
  for (let i = 0; i < ranges; i += 1) end += Number(list.readBigUInt64LE(16 + i * 16 + 8));
  return end;
}
