// Owns the rotated files of a log: which names belong to it, their order, and where the bytes of a cursor lie now.
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Mark } from './cursor.ts';
import { isGone, LogFile, stateAt, type FileState } from './file.ts';

/** Files of one folder that are looked at for a rotated one; the newest names of a folder of thousands are found by the narrower pattern first. */
const MAX_LOOKED_AT = 300;

export interface Sibling extends FileState { readonly path: string; readonly number: number; readonly rotated: boolean }

/** Is `name` a rotated form of `current`: app.log.1, app.log-20261121, app.1.log, app.old.log? Returns its number (0 when it has none). */
export function rotatedNumber(name: string, current: string): number | undefined {
  const extension = extname(current);
  const stem = current.slice(0, current.length - extension.length);
  let inserted: string | undefined;
  if (name.startsWith(current)) inserted = name.slice(current.length);
  else if (extension !== '' && name.startsWith(stem) && name.endsWith(extension) && name.length > current.length) inserted = name.slice(stem.length, name.length - extension.length);
  const found = inserted === undefined ? null : /^[._-](?:(\d[\dT:Z._-]*)|old|prev)$/.exec(inserted);
  if (!found) return undefined;
  return /^\d{1,6}$/.test(found[1] ?? '') ? Number(found[1]) : 0;
}

/** The other regular files of the log's folder, oldest first: rotated files stop being written, so the last write orders them;
 *  within the file system's grain the higher number is older. */
export async function siblingsOf(path: string): Promise<Sibling[]> {
  const current = basename(path);
  let names: string[];
  try {
    names = await readdir(dirname(path));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
  const ranked = names.filter((name) => name !== current).map((name) => ({ name, number: rotatedNumber(name, current) }));
  ranked.sort((a, b) => Number(b.number !== undefined) - Number(a.number !== undefined));
  const found: Sibling[] = [];
  for (const { name, number } of ranked.slice(0, MAX_LOOKED_AT)) {
    const file = join(dirname(path), name);
    const state = await stateAt(file);
    if (state) found.push({ ...state, path: file, number: number ?? 0, rotated: number !== undefined });
  }
  return found.sort(older);
}

function older(a: Pick<Sibling, 'changedNs' | 'number'>, b: Pick<Sibling, 'changedNs' | 'number'>): number {
  if (a.changedNs !== b.changedNs) return a.changedNs < b.changedNs ? -1 : 1;
  return b.number - a.number;
}

/** The file that holds the mark's bytes: the log itself, a renamed or a copied rotation. Undefined when none does. The caller closes it. */
export async function locate(path: string, mark: Mark, roots: readonly string[]): Promise<LogFile | undefined> {
  const current = await LogFile.open(path, roots);
  if (current && await current.holds(mark)) return current;
  await current?.close();
  const siblings = await siblingsOf(path);
  // The same inode first: of two files with equal beginnings it is the one that was read.
  const candidates = [...siblings.filter((one) => one.ino === mark.ino), ...siblings.filter((one) => one.ino !== mark.ino && one.rotated)];
  for (const one of candidates) {
    if (one.sizeBytes < mark.offset) continue;
    const file = await LogFile.open(one.path, roots);
    if (file && await file.holds(mark)) return file;
    await file?.close();
  }
  return undefined;
}

/** The file that was written next after `file` (read up to `mark`): the oldest rotation younger than it, else the log itself.
 *  Copies of `file` are passed over: their lines were read already. The caller closes it. */
export async function nextAfter(path: string, file: LogFile, mark: Mark, roots: readonly string[]): Promise<LogFile | undefined> {
  const mine = await file.state();
  return firstYounger(path, mark, roots, (siblings) => {
    const own = siblings.find((one) => one.ino === mine.ino);
    const from = { changedNs: mine.changedNs, number: own?.number ?? 0 };
    return siblings.filter((one) => one.ino !== mine.ino && older(from, one) < 0);
  });
}

/** The oldest file of the family that was written to after the mark, when the mark's own file is gone. */
export async function nextAfterGone(path: string, mark: Mark, roots: readonly string[]): Promise<LogFile | undefined> {
  const since = BigInt(mark.changedAt + 1) * 1_000_000n;
  return firstYounger(path, mark, roots, (siblings) => siblings.filter((one) => one.changedNs >= since));
}

async function firstYounger(path: string, mark: Mark, roots: readonly string[], choose: (siblings: Sibling[]) => Sibling[]): Promise<LogFile | undefined> {
  // Opened before the folder is listed: should it be rotated in between, it is still the file that follows those of the list.
  const current = await LogFile.open(path, roots);
  for (const one of choose(await siblingsOf(path))) {
    if (!one.rotated || one.ino === current?.ino) continue;
    const file = await LogFile.open(one.path, roots);
    if (file && file.ino === one.ino && !await file.holds(mark)) {
      await current?.close();
      return file;
    }
    await file?.close();
  }
  return current;
}
