// Owns looking: what a name is, the names of a folder, and a plain file opened to be read.
import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, opendir, readlink, type FileHandle } from 'node:fs/promises';
import { DiagError } from '../../shared/errors.ts';
import { codeIn } from '../rename.ts';
import type { Entry, EntryKind, Name, Opened } from './door.ts';
import { faultOf } from './fault.ts';
import type { Held } from './hold.ts';

/** Names of one folder; more are told, not read: nobody looks through a list this long. */
export const MAX_NAMES = 200_000;
/** Looks at once: as many as keep the disk busy while a share answers each in some milliseconds. */
const AT_ONCE = 32;
/** The system gives names in pieces of so many. */
const NAMES_AT_ONCE = 2_048;
/** NONBLOCK: the opening of a pipe must not wait for its other end. */
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
const STREAM_BYTES = 256 * 1024;

interface HasKind { isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean }
export function kindOf(stats: HasKind): EntryKind {
  return stats.isSymbolicLink() ? 'link' : stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other';
}

/** Size and time to the last digit that the disk keeps. No inode: the instances of a site see the same file of a share under different ones. */
export function etagOf({ size, mtimeNs }: Pick<BigIntStats, 'size' | 'mtimeNs'>): string {
  return `"${size.toString(16)}-${mtimeNs.toString(16)}"`;
}

const msOf = (ns: bigint): number => Number(ns / 1_000_000n);

export function entryOf(name: string, stats: BigIntStats): Entry {
  const kind = kindOf(stats);
  return {
    name, kind,
    ...(kind === 'file' ? { sizeBytes: Number(stats.size), etag: etagOf(stats) } : {}),
    modifiedAt: msOf(stats.mtimeNs),
    ...(stats.birthtimeNs > 0n ? { createdAt: msOf(stats.birthtimeNs) } : {}),
  };
}

/** @throws FILE_UNKNOWN, FILE_DENIED */
export async function look(held: Held, name: string, path: string): Promise<Entry> {
  try {
    const entry = entryOf(name, await lstat(held.at(name), { bigint: true }));
    return entry.kind === 'link' ? { ...entry, ...(await targetOf(held, name)) } : entry;
  } catch (error) {
    throw faultOf(error, path);
  }
}

/** What has a name, or nothing. */
export async function seen(held: Held, name: string, path: string): Promise<Entry | undefined> {
  return look(held, name, path).catch((error: unknown) => {
    if (error instanceof DiagError && error.code === 'FILE_UNKNOWN') return undefined;
    throw error;
  });
}

async function targetOf(held: Held, name: string): Promise<{ target?: string }> {
  try {
    return { target: (await readlink(held.at(name))).slice(0, 1_000) };
  } catch (error) {
    if (['EINVAL', 'UNKNOWN', 'EACCES', 'EPERM', 'ENOENT'].includes(codeIn(error))) return {};   // a reparse point that is no link of the usual kind
    throw error;
  }
}

/** Sorted by the order of characters, which needs no look at the files. */
export async function namesIn(held: Held, path: string, signal: AbortSignal, max = MAX_NAMES): Promise<{ names: Name[]; more: boolean }> {
  try {
    const names: Name[] = [];
    let more = false;
    for await (const one of await opendir(held.path, { bufferSize: NAMES_AT_ONCE })) {
      signal.throwIfAborted();
      if (names.length >= max) { more = true; break; }
      names.push({ name: one.name, kind: kindOf(one) });
    }
    names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    return { names, more };
  } catch (error) {
    signal.throwIfAborted();
    throw faultOf(error, path);
  }
}

/** What could not be looked at says why; what is gone is left out. */
export async function entriesOf(held: Held, names: readonly string[], signal: AbortSignal): Promise<Entry[]> {
  const found: (Entry | undefined)[] = Array.from({ length: names.length });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < names.length; i = next++) {
      signal.throwIfAborted();
      found[i] = await entryIn(held, names[i] ?? '');
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, names.length) }, worker));
  return found.filter((entry) => entry !== undefined);
}

async function entryIn(held: Held, name: string): Promise<Entry | undefined> {
  try {
    return await look(held, name, name);
  } catch (error) {
    if (!(error instanceof DiagError)) throw error;
    // A name of bytes that are no text comes with this sign in it, and is not found again by it.
    if (error.code === 'FILE_UNKNOWN') return name.includes('\ufffd') ? { name, kind: 'other', closed: 'its name is not UTF-8' } : undefined;
    return { name, kind: 'other', closed: error.message };
  }
}

/** A plain file and nothing else. @throws FILE_KIND, PATH_LINK */
export async function openFile(held: Held, name: string, path: string): Promise<Opened> {
  const before = await look(held, name, path);
  demandFile(before.kind, path);
  const handle = await open(held.at(name), READ).catch((error: unknown) => { throw faultOf(error, path); });
  try {
    const stats = await handle.stat({ bigint: true });
    demandFile(kindOf(stats), path);
    await held.check(name);
    return opened(handle, name, stats);
  } catch (error) {
    await handle.close();
    throw faultOf(error, path);
  }
}

export function demandFile(kind: EntryKind, path: string): void {
  if (kind === 'link') throw new DiagError('PATH_LINK', { path });
  if (kind !== 'file') throw new DiagError('FILE_KIND', { path, wanted: 'a file' });
}

function opened(handle: FileHandle, name: string, stats: BigIntStats): Opened {
  const entry = entryOf(name, stats);
  return {
    entry: { ...entry, sizeBytes: Number(stats.size), modifiedAt: msOf(stats.mtimeNs), etag: etagOf(stats) },
    fd: handle.fd,
    async read(offset, length) {
      const buffer = Buffer.alloc(length);
      let have = 0;
      while (have < length) {
        const { bytesRead } = await handle.read(buffer, have, length - have, offset + have);
        if (bytesRead === 0) break;
        have += bytesRead;
      }
      return buffer.subarray(0, have);
    },
    stream: (range) => handle.createReadStream({ ...range, highWaterMark: STREAM_BYTES, emitClose: true }),
    close: () => handle.close(),
  };
}
