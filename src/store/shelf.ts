// Owns a folder of small files that can be made again: bounded in number and bytes, the ones not written for longest go first.
import { mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isTemp, writeAtomic } from './atomic.ts';

export interface ShelfBounds { readonly files: number; readonly bytes: number; readonly oneBytes: number; readonly ageMs: number }

export interface Shelf {
  /** What was put there under the name; undefined when it is not there (any more) or larger than one may be. */
  read(name: string): Promise<Buffer | undefined>;
  /** Replaces what is there; a content larger than one may be is not kept. */
  write(name: string, content: Uint8Array): Promise<void>;
}

/** The folder is made when something is put there. Names are ours: letters, digits, dot and dash. */
export function openShelf(folder: string, bounds: ShelfBounds, now: () => number): Shelf {
  return {
    async read(name) {
      const path = join(folder, name);
      const seen = await look(path);
      return seen?.isFile !== true || seen.size > bounds.oneBytes ? undefined : orGone(readFile(path));
    },
    async write(name, content) {
      if (content.length > bounds.oneBytes) return;
      await mkdir(folder, { recursive: true });
      await writeAtomic(join(folder, name), content);
      await tidy(folder, bounds, now());
    },
  };
}

async function tidy(folder: string, bounds: ShelfBounds, now: number): Promise<void> {
  const files: { path: string; size: number; at: number; temp: boolean }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const seen = await look(path);
    if (seen !== undefined) files.push({ path, ...seen, temp: isTemp(name) });
  }
  files.sort((a, b) => b.at - a.at);
  let bytes = 0;
  let count = 0;
  for (const file of files) {
    bytes += file.size;
    count += 1;
    // A file in the making is another write's, until it is old.
    if (now - file.at > bounds.ageMs || (!file.temp && (count > bounds.files || bytes > bounds.bytes))) await rm(file.path, { force: true });
  }
}

async function look(path: string): Promise<{ size: number; at: number; isFile: boolean } | undefined> {
  const seen = await orGone(stat(path));
  return seen === undefined ? undefined : { size: seen.size, at: seen.mtimeMs, isFile: seen.isFile() };
}

async function orGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}
