// Owns how a file comes under its name: whole or not at all.
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeIn, renameOver } from '../platform/rename.ts';

export { codeIn, renameOver };

/** Distinguishes this run from an earlier one of the same pid. */
const RUN = randomBytes(4).toString('hex');
let made = 0;

export interface AtomicOptions {
  /** Who writes, put into the temp name; removeStale() finds a dead owner's leftovers by it in a folder that several agents share. */
  readonly owner?: string;
  /** Permissions of the file (default: its owner's alone); a file of somebody else's keeps the ones it had. */
  readonly mode?: number;
}

/** Whether a name is one of ours in the making; such files are for nobody to read. */
export function isTemp(name: string): boolean {
  return name.endsWith('.tmp');
}

function tempName(path: string, owner: string): string {
  made += 1;
  return join(dirname(path), `${basename(path)}.${owner}-${process.pid}-${RUN}-${made}.tmp`);
}

/**
 * Writes a file whole: beside its place, synced, then renamed over it; a reader sees the old or the new content, never a part.
 * Makes the folder. On failure nothing is left and the old content stays.
 */
export async function writeAtomic(path: string, content: string | Uint8Array, options: AtomicOptions = {}): Promise<void> {
  const temp = tempName(path, options.owner ?? 'any');
  await mkdir(dirname(path), { recursive: true });
  try {
    const file = await open(temp, 'wx', 0o600);
    try {
      if (options.mode !== undefined) await file.chmod(options.mode & 0o777);
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await renameOver(temp, path);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
}

/**
 * Moves a whole local file to its final name: a rename on one disk, else copied beside the place, synced and renamed.
 * The local file is gone afterwards; on failure it stays and nothing is left at the other end.
 */
export async function moveInto(localFile: string, finalPath: string, options: AtomicOptions = {}): Promise<void> {
  await mkdir(dirname(finalPath), { recursive: true });
  await sync(localFile);
  try {
    await renameOver(localFile, finalPath);
    return;
  } catch (error) {
    if (codeIn(error) !== 'EXDEV') throw error;
  }
  const temp = tempName(finalPath, options.owner ?? 'any');
  try {
    await copyFile(localFile, temp);
    await sync(temp);
    await renameOver(temp, finalPath);
  } catch (error) {
    await rm(temp, { force: true });
    throw error;
  }
  await rm(localFile, { force: true });
}

/** Removes temp files that a writer of this owner left in a folder when it was killed, this run's own excepted. Returns how many. */
export async function removeStale(folder: string, owner: string): Promise<number> {
  const mine = `-${process.pid}-${RUN}-`;
  const stale = (await namesIn(folder)).filter((name) => isTemp(name) && name.includes(`.${owner}-`) && !name.includes(mine));
  for (const name of stale) await rm(join(folder, name), { force: true });
  return stale.length;
}

/** Names in a folder; none where the folder is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeIn(error) === 'ENOENT') return [];
    throw error;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
