// Owns the way from a file to the bytes of its logs: plain files, gzip, and the members of a zip, all read alike; bounded against bombs, with every cut said.
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Entry, ZipFile } from 'yauzl';
import { DiagError, sayError } from '../../shared/errors.ts';
import { bytes, count } from '../../shared/units.ts';
import { pieces } from './files.ts';

export interface UnpackLimits {
  /** Text of one file or member. */
  readonly textBytes: number;
  /** Text may be so many times as large as what is stored … */
  readonly ratio: number;
  /** … beyond this many bytes of text: the first lines of a log may well be all alike. */
  readonly freeBytes: number;
  readonly members: number;
  /** Text of all members of a zip, together, beyond which it may not be more than `ratio` times as large as the zip: members may lie upon each other in it. */
  readonly archiveFreeBytes: number;
}
/** Logs shrink to a tenth or a thirtieth, one line repeated to a three-hundredth; deflate cannot go beyond 1,032. */
export const UNPACK_LIMITS: UnpackLimits = { textBytes: 256 * 2 ** 30, ratio: 400, freeBytes: 64 * 2 ** 20, members: 5_000, archiveFreeBytes: 2 ** 30 };

/** The text of one log. */
export interface ByteSource {
  /** The file's name, or its name and the member's: "logs.zip/u_ex260301.log". */
  readonly name: string;
  readonly packing: 'plain' | 'gzip' | 'zip';
  /** What it takes on the disk. */
  readonly storedBytes: number;
  /** Size of the text, where it is known before it is read. */
  readonly textBytes?: number;
  /** Where it can be read from any place: plain files only. */
  readonly path?: string;
  /** Why it cannot be read at all. */
  readonly refused?: string;
  /** After a reading: why that ended before the end of the text. */
  readonly cut?: string | undefined;
  /** The text from its beginning, each time anew. A piece is only valid until the next one. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

const SNIFF_BYTES = 4;

/** The logs of a file: one, or the members of a zip in its order. A source is only valid until the next one: the zip is closed behind the last. @throws LOG_UNREADABLE, and what the file system throws */
export async function* sourcesOf(path: string, signal: AbortSignal, limits: UnpackLimits = UNPACK_LIMITS): AsyncGenerator<ByteSource> {
  const { size } = await stat(path);
  const kind = packingOf(await firstBytes(path));
  const name = basename(path);
  if (kind === 'zip') yield* members(path, { name, sizeBytes: size, textBytes: 0 }, signal, limits);
  else if (kind === 'gzip') yield new Unpacked({ name, packing: 'gzip', storedBytes: size, limits, gzip: true, open: (abort) => fileBytes(path, size, abort) });
  else yield { name, packing: 'plain', storedBytes: size, textBytes: size, path, read: (abort) => fileBytes(path, size, abort) };
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const buffer = new Uint8Array(SNIFF_BYTES);
    const { bytesRead } = await file.read(buffer, 0, SNIFF_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function packingOf(first: Uint8Array): 'plain' | 'gzip' | 'zip' {
  if (first[0] === 0x1F && first[1] === 0x8B) return 'gzip';
  return first[0] === 0x50 && first[1] === 0x4B && ((first[2] === 3 && first[3] === 4) || (first[2] === 5 && first[3] === 6)) ? 'zip' : 'plain';
}

async function* fileBytes(path: string, size: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    yield* pieces(file, 0, size, signal);
  } finally {
    await file.close();
  }
}

/** Text that was read of all members together. */
interface Archive { readonly sizeBytes: number; textBytes: number }
interface NamedArchive extends Archive { readonly name: string }

interface Packed { readonly name: string; readonly packing: 'gzip' | 'zip'; readonly storedBytes: number; readonly textBytes?: number; readonly limits: UnpackLimits; readonly gzip: boolean; readonly archive?: Archive; open(signal: AbortSignal): AsyncIterable<Uint8Array> }

/** A packed text: its bounds are counted while it is read. */
class Unpacked implements ByteSource {
  readonly name: string;
  readonly packing: 'gzip' | 'zip';
  readonly storedBytes: number;
  readonly textBytes?: number;
  cut: string | undefined;
  readonly #packed: Packed;
  /** What the archive counts of it: it may be read twice. */
  #counted = 0;

  constructor(packed: Packed) {
    this.#packed = packed;
    this.name = packed.name;
    this.packing = packed.packing;
    this.storedBytes = packed.storedBytes;
    // Of a gzip inside a zip only its packed size is known.
    if (packed.textBytes !== undefined) this.textBytes = packed.textBytes;
  }

  async *read(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.cut = undefined;
    const { limits, storedBytes } = this.#packed;
    let textBytes = 0;
    try {
      for await (const piece of this.#text(signal)) {
        signal.throwIfAborted();
        textBytes += piece.length;
        const why = this.#tooMuch(textBytes) ?? (textBytes > limits.textBytes ? `its text is longer than ${bytes(limits.textBytes)}`
          : textBytes > limits.freeBytes && textBytes > storedBytes * limits.ratio ? `its text is more than ${count(limits.ratio)} times as long as the file (${bytes(storedBytes)}), which no log is` : undefined);
        if (why !== undefined) { this.cut = `Read up to ${bytes(textBytes - piece.length)}: ${why}.`; return; }
        yield piece;
      }
    } catch (error) {
      signal.throwIfAborted();
      this.cut = `Read up to ${bytes(textBytes)}: ${sayError(error)}.`;
    }
  }

  #tooMuch(textBytes: number): string | undefined {
    const { archive, limits } = this.#packed;
    if (archive === undefined) return undefined;
    archive.textBytes += Math.max(0, textBytes - this.#counted);
    this.#counted = Math.max(this.#counted, textBytes);
    return archive.textBytes > limits.archiveFreeBytes && archive.textBytes > archive.sizeBytes * limits.ratio
      ? `all members together are more than ${count(limits.ratio)} times as long as the zip (${bytes(archive.sizeBytes)}), which no logs are` : undefined;
  }

  async *#text(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const input = this.#packed.open(signal);
    if (!this.#packed.gzip) { yield* input; return; }
    const end: { torn?: string } = {};
    let textBytes = 0;
    // Loaded where something is packed: zlib costs the start.
    const { gunzip } = await import('./gunzip.ts');
    for await (const piece of gunzip(input, end, signal)) { textBytes += piece.length; yield piece; }
    if (end.torn !== undefined) this.cut = `Read up to ${bytes(textBytes)}: ${end.torn}.`;
  }
}

/** Members that are no folders, in the archive's order. yauzl refuses names that lead out and sizes that lie; nothing is written to the disk here. */
async function* members(path: string, archive: NamedArchive, signal: AbortSignal, limits: UnpackLimits): AsyncGenerator<ByteSource> {
  const { openPromise } = await import('yauzl');
  const { name } = archive;
  const refuse = (error: unknown): never => { signal.throwIfAborted(); throw new DiagError('LOG_UNREADABLE', { name, why: sayError(error) }, { cause: error }); };
  const zip = await openPromise(path, { autoClose: false, strictFileNames: true }).catch(refuse);
  try {
    if (zip.entryCount > limits.members) refuse(new Error(`it has ${count(zip.entryCount)} members, more than ${count(limits.members)}`));
    const entries: Entry[] = [];
    try {
      for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) entries.push(entry);
    } catch (error) { refuse(error); }
    for (const entry of entries) { signal.throwIfAborted(); yield await member(zip, entry, archive, signal, limits); }
  } finally {
    zip.close();
  }
}

async function member(zip: ZipFile, entry: Entry, archive: NamedArchive, signal: AbortSignal, limits: UnpackLimits): Promise<ByteSource> {
  const name = `${archive.name}/${entry.fileName}`;
  const refused = (why: string): ByteSource => ({ name, packing: 'zip', storedBytes: entry.compressedSize, refused: why, read: nothing });
  if (entry.isEncrypted()) return refused('It is encrypted.');
  if (!entry.canDecodeFileData()) return refused('It is compressed in a way that is not known here.');
  const inner = packingOf(await sniff(zip, entry, signal));
  if (inner === 'zip') return refused('It is a zip inside a zip: unpack the outer one.');
  return new Unpacked({ name, packing: 'zip', storedBytes: entry.compressedSize, limits, archive, gzip: inner === 'gzip', ...(inner === 'plain' ? { textBytes: entry.uncompressedSize } : {}), open: (abort) => memberBytes(zip, entry, abort) });
}

async function* nothing(): AsyncGenerator<Uint8Array> { /* refused: there is nothing to read */ }

async function sniff(zip: ZipFile, entry: Entry, signal: AbortSignal): Promise<Uint8Array> {
  try {
    for await (const piece of memberBytes(zip, entry, signal)) return piece.subarray(0, SNIFF_BYTES);
  } catch {
    signal.throwIfAborted();
    // A damaged member is told so by its reading.
  }
  return new Uint8Array(0);
}

async function* memberBytes(zip: ZipFile, entry: Entry, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stream = await zip.openReadStreamPromise(entry);
  try {
    for await (const piece of stream) { signal.throwIfAborted(); yield piece as Buffer; }
  } finally {
    stream.destroy();
  }
}
