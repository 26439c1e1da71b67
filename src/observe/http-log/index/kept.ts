// Owns the block indexes that are kept beside our own files: found again for the same log, made anew for another one under its name.
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { IndexedFile } from '../../../shared/http-index.ts';
import type { Shelf, ShelfBounds } from '../../../store/shelf.ts';
import { isGone } from '../files.ts';
import type { Readable } from '../files.ts';
import { BLOCK_BYTES, BlockIndex } from './block-index.ts';
import type { BlockIndexState } from './block-index.ts';
import { decodeIndex, encodeIndex } from './codec.ts';

/** 10 GiB of log need 1.6 MB of index: enough for a day of a very busy site's logs, many times over. Logs are kept for five days on App Service. */
export const INDEX_BOUNDS: ShelfBounds = { files: 200, bytes: 64 * 2 ** 20, oneBytes: 16 * 2 ** 20, ageMs: 7 * 86_400_000 };

/** What is compared of a log's beginning and of its end as it was. */
const PRINT_BYTES = 4_096;
/** A log that grew by less than this is not worth writing its index again. */
export const LEAST_NEW = 16;
const NEW_SHARE = 1 / 20;

export interface LogIdentity { readonly path: string; readonly ino: number; readonly sizeBytes: number; readonly format: string }

/** The index of one log for the length of a search. */
export interface OpenIndex {
  readonly index: BlockIndex;
  /** Keeps it when enough became known since it was opened. A failure is told and nothing is lost but time: it is made again. */
  keep(): Promise<void>;
}

export interface IndexShelf extends Shelf { unkept(error: unknown): void }

/** Without a shelf the index lives as long as the search. */
export async function openIndex(shelf: IndexShelf | undefined, file: Readable, log: LogIdentity): Promise<OpenIndex> {
  if (shelf === undefined) return { index: new BlockIndex(), keep: async () => undefined };
  const name = `${hash(Buffer.from(log.path)).slice(0, 32)}.idx`;
  const index = await found(await orUnkept(shelf, shelf.read(name)), file, log) ?? new BlockIndex();
  const before = index.known;
  return {
    index,
    async keep() {
      if (index.known - before < Math.max(LEAST_NEW, before * NEW_SHARE)) return;
      try {
        await shelf.write(name, encodeIndex(index, await printed(file, log, index.blocks * BLOCK_BYTES)));
      } catch (error) {
        shelf.unkept(error);
      }
    },
  };
}

/** Adds what a reading of the file taught to what is kept of it. A file that is gone or another one by now is left alone. */
export async function keepBlocks(shelf: IndexShelf, log: Omit<LogIdentity, 'sizeBytes'>, states: readonly BlockIndexState[]): Promise<void> {
  const file = await orUnkept(shelf, open(log.path, 'r').catch((error: unknown) => { if (isGone(error)) return undefined; throw error; }));
  if (file === undefined) return;
  try {
    const { size, ino } = await file.stat();
    if (ino !== log.ino) return;
    const { index, keep } = await openIndex(shelf, file, { ...log, sizeBytes: size });
    for (const state of states) index.merge(state);
    await keep();
  } finally {
    await file.close();
  }
}

/** An index that cannot be read is as good as none. */
async function orUnkept<T>(shelf: IndexShelf, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    shelf.unkept(error);
    return undefined;
  }
}

/** What is kept of this very file: it has not been replaced, cut or rewritten since. */
async function found(kept: Buffer | undefined, file: Readable, log: LogIdentity): Promise<BlockIndex | undefined> {
  const decoded = kept === undefined ? undefined : decodeIndex(kept);
  if (decoded === undefined) return undefined;
  const { file: was, index } = decoded;
  if (was.path !== log.path || was.ino !== log.ino || was.format !== log.format || log.sizeBytes < was.sizeBytes || index.blocks * BLOCK_BYTES > was.sizeBytes) return undefined;
  const is = await printed(file, log, was.sizeBytes);
  return is.headHash === was.headHash && is.tailHash === was.tailHash ? index : undefined;
}

async function printed(file: Readable, log: LogIdentity, sizeBytes: number): Promise<IndexedFile> {
  const head = await part(file, 0, Math.min(PRINT_BYTES, sizeBytes));
  const tail = await part(file, Math.max(0, sizeBytes - PRINT_BYTES), sizeBytes);
  return { path: log.path, ino: log.ino, format: log.format, sizeBytes, headHash: hash(head), tailHash: hash(tail) };
}

async function part(file: Readable, from: number, to: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
  return buffer.subarray(0, bytesRead);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
