// Owns unpacking: the whole zip is judged, then what is there, then each file is written whole; nothing that is not in it is deleted.
import { statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Readable } from 'node:stream';
import zlib from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { DiagError } from '../../shared/errors.ts';
import type { Opened, Place, Tell, UnzipOptions, Unzipped, ZipSource } from './door.ts';
import { makeFolder, type Given } from './change.ts';
import { hold, holding, realRoot, type Held } from './hold.ts';
import { openFile, seen } from './look.ts';
import { judgeZip, refuse, UNZIP_LIMITS, zipFault, type JudgedEntry, type JudgedZip } from './zip-judge.ts';
import { holdParent, writeFile } from './write.ts';

/** Stays free: a disk that is full to the last byte stops the site. */
const RESERVE_BYTES = 64 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** The list of entries is read in so large pieces. */
const AHEAD_BYTES = 256 * 1024;

export async function unzip(given: Given, source: ZipSource, to: Place, { limits, existing = 'replace' }: UnzipOptions, signal: AbortSignal, tell?: Tell): Promise<Unzipped> {
  await given.places.spot(to, 'change');
  const file = await openSource(given, source);
  try {
    const zip = await openZip(file).catch((error: unknown) => { throw zipFault(error); });
    const judged = await judgeZip(zip, file.entry.sizeBytes, { ...UNZIP_LIMITS, ...limits }, given.places.rules, signal).catch((error: unknown) => { signal.throwIfAborted(); throw zipFault(error); });
    const replaced = await judgeTarget(given, to, judged, existing, signal);
    await demandRoom(given, to, judged.totalBytes);
    return { ...await writeAll(given, zip, judged, to, signal, tell), replaced };
  } finally {
    await file.close();
  }
}

async function openSource({ places }: Given, source: ZipSource): Promise<Opened> {
  if ('local' in source) {
    return holding(await hold(await realRoot(dirname(source.local)), []), (folder) => openFile(folder, basename(source.local), 'the zip'));
  }
  const spot = await places.spot(source, 'look');
  const { held, name } = await holdParent(spot);
  return holding(held, () => openFile(held, name, spot.path));
}

/** Reads through the file that was opened, so that no other can come in its place. */
async function openZip(file: Opened): Promise<ZipFile> {
  const { RandomAccessReader, fromRandomAccessReaderPromise } = await import('yauzl');
  let ahead: { at: number; bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) };
  const readAt = async (position: number, length: number): Promise<Buffer> => {
    const from = position - ahead.at;
    if (from >= 0 && from + length <= ahead.bytes.length) return ahead.bytes.subarray(from, from + length);
    ahead = { at: position, bytes: await file.read(position, Math.max(length, AHEAD_BYTES)) };
    return ahead.bytes.subarray(0, length);
  };
  class FileReader extends RandomAccessReader {
    override _readStreamForRange(start: number, end: number): Readable { return Readable.from(pieces(file, start, end), { objectMode: false }); }
    override read(buffer: Buffer, offset: number, length: number, position: number, done: (error: Error | null, bytesRead?: number) => void): void {
      void callback(async () => (await readAt(position, length)).copy(buffer, offset), done);
    }
    override close(done: (error?: Error) => void): void { setImmediate(done); }
  }
  return fromRandomAccessReaderPromise(new FileReader(), file.entry.sizeBytes, { autoClose: false });
}

async function callback(work: () => Promise<number>, done: (error: Error | null, bytesRead?: number) => void): Promise<void> {
  const [settled] = await Promise.allSettled([work()]);
  if (settled.status === 'fulfilled') done(null, settled.value);
  else done(settled.reason as Error);
}

/** The content, and an error at its end where its sum is not the one of the list: yauzl does not look. Nodes before 20.15 cannot. */
function summed(content: Readable, { crc32, fileName }: Entry): Readable {
  const sumOf = (zlib as { crc32?: (piece: Buffer, before?: number) => number }).crc32;
  if (sumOf === undefined) return content;
  return Readable.from((async function* () {
    let sum = 0;
    for await (const piece of content) { sum = sumOf(piece as Buffer, sum); yield piece as Buffer; }
    if (sum !== crc32) throw new DiagError('ZIP_UNREADABLE', { why: `${fileName} is damaged: its checksum differs` });
  })(), { objectMode: false });
}

async function* pieces(file: Opened, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const piece = await file.read(at, Math.min(PIECE_BYTES, end - at));
    if (piece.length === 0) return;
    at += piece.length;
    yield piece;
  }
}

/** How many files are replaced. @throws ZIP_REFUSED where a folder, a link or something of the agent's own has the name */
async function judgeTarget({ places }: Given, to: Place, { entries }: JudgedZip, existing: 'replace' | 'refuse', signal: AbortSignal): Promise<number> {
  const base = to.path.replace(/\/$/, '');
  const byFolder = new Map<string, { parts: readonly string[]; names: { name: string; isFolder: boolean }[] }>();
  for (const { parts, isFolder } of entries) {
    await places.spot({ root: to.root, path: [...(base === '' ? [] : [base]), ...parts].join('/') }, 'change').catch((error: unknown) => { if (error instanceof DiagError) refuse(error.message.replace(/\.$/, '')); throw error; });
    const above = parts.slice(0, -1);
    const key = above.join('/');
    const folder = byFolder.get(key) ?? { parts: above, names: [] };
    folder.names.push({ name: parts.at(-1) ?? '', isFolder });
    byFolder.set(key, folder);
  }
  const spot = await places.spot(to, 'change');
  let replaced = 0;
  for (const { parts, names } of byFolder.values()) {
    signal.throwIfAborted();
    const held = await heldOrNone(spot.folder, [...spot.parts, ...parts]);
    if (held === undefined) continue;
    try {
      for (const one of names) replaced += await judgeName(held, one, parts, existing);
    } finally {
      await held.letGo();
    }
  }
  return replaced;
}

async function heldOrNone(folder: string, parts: readonly string[]): Promise<Held | undefined> {
  try {
    return await hold(folder, parts);
  } catch (error) {
    if (error instanceof DiagError && error.code === 'FILE_UNKNOWN') return undefined;
    if (error instanceof DiagError && (error.code === 'FILE_KIND' || error.code === 'PATH_LINK')) return refuse(error.message.replace(/\.$/, ''));
    throw error;
  }
}

async function judgeName(held: Held, { name, isFolder }: { name: string; isFolder: boolean }, parts: readonly string[], existing: 'replace' | 'refuse'): Promise<number> {
  const path = [...parts, name].join('/');
  const there = await seen(held, name, path);
  if (there === undefined) return 0;
  if (there.kind === 'link' || there.kind === 'other') refuse(`${path} is ${there.kind === 'link' ? 'a link' : 'no file'} there`);
  if ((there.kind === 'folder') !== isFolder) refuse(`${path} is a ${there.kind} there, and a ${isFolder ? 'folder' : 'file'} in the zip`);
  if (isFolder) return 0;
  if (existing === 'refuse') refuse(`${path} is there already`);
  return 1;
}

async function demandRoom({ places }: Given, to: Place, needBytes: number): Promise<void> {
  const { folder } = await places.spot(to, 'look');
  const { bavail, bsize, blocks } = await statfs(folder);
  // Some shares answer with zero blocks: they do not know, which is not "full".
  if (blocks > 0 && bavail * bsize < needBytes + RESERVE_BYTES) throw new DiagError('NO_ROOM', { what: 'The content of the zip', needBytes, freeBytes: Math.max(0, bavail * bsize - RESERVE_BYTES) });
}

async function writeAll(given: Given, zip: ZipFile, { entries, totalBytes, files }: JudgedZip, to: Place, signal: AbortSignal, tell?: Tell): Promise<Omit<Unzipped, 'replaced'>> {
  const done = { files: 0, folders: 0, bytes: 0 };
  await makeFolder(given, to, { parents: true });
  const made = new Set<string>();
  for (const one of entries) {
    signal.throwIfAborted();
    const above = (one.isFolder ? one.parts : one.parts.slice(0, -1)).join('/');
    if (!made.has(above)) { await makeFolder(given, below(to, above), { parents: true }); made.add(above); done.folders += above === '' ? 0 : 1; }
    if (one.isFolder) continue;
    done.bytes += await writeEntry(given, zip, one, to, signal);
    done.files += 1;
    tell?.({ files: done.files, bytes: done.bytes, note: `${done.files} of ${files} files`, fraction: totalBytes === 0 ? done.files / files : done.bytes / totalBytes });
  }
  return done;
}

const below = (to: Place, path: string): Place => ({ root: to.root, path: [to.path.replace(/\/$/, ''), path].filter((part) => part !== '').join('/') });

/** The stream fails when it gives more or fewer bytes than the entry said, so that the total above holds. */
async function writeEntry(given: Given, zip: ZipFile, { entry, parts, sizeBytes }: JudgedEntry, to: Place, signal: AbortSignal): Promise<number> {
  const content = await zip.openReadStreamPromise(entry).catch((error: unknown) => { throw zipFault(error); });
  content.on('error', () => undefined);                        // one that gives too much says so again and again; the first is thrown below
  try {
    const modifiedAt = entry.getLastModDate().getTime();
    const written = await writeFile(given, below(to, parts.join('/')), summed(content, entry), { maxBytes: sizeBytes, ...(Number.isFinite(modifiedAt) ? { modifiedAt } : {}) }, signal);
    return written.sizeBytes;
  } catch (error) {
    throw zipFault(error);
  } finally {
    content.destroy();
  }
}

