// Owns the room on the disk of the home, asked at a slow pace: the home is a network share that answers slowly at times.
import { statfs } from 'node:fs/promises';

export interface Disk { readonly diskFreeBytes?: number; readonly diskTotalBytes?: number }

const EVERY_MS = 10_000;

/** A reader that asks the file system at most every 10 s and never twice at once; absent when it does not answer the question. */
export function diskOf(folder: string): () => Promise<Disk> {
  let last: Disk = {};
  let askedAt = -Infinity;
  let asking: Promise<Disk> | undefined;
  return async () => {
    if (asking !== undefined) return await asking;
    if (performance.now() - askedAt < EVERY_MS) return last;
    asking = ask(folder);
    try {
      last = await asking;
      return last;
    } finally {
      askedAt = performance.now();
      asking = undefined;
    }
  };
}

async function ask(folder: string): Promise<Disk> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    // Some shares answer with zero blocks: they do not know, which is not "full".
    return blocks > 0 ? { diskFreeBytes: bavail * bsize, diskTotalBytes: blocks * bsize } : {};
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOSYS' || error.code === 'EACCES')) return {};
    throw error;
  }
}
