// Owns the rotated files of a log: which names belong to it, their order, and where the bytes of a cursor lie now.
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import type { Mark } from './cursor.ts';
import { isGone, LogFile, PACKED_NAME, stateAt, type FileState } from './file.ts';

/** Files of one folder that are looked at for a rotated one; the newest names of a folder of thousands are found by the narrower pattern first. */
const MAX_LOOKED_AT = 300;

/** Looks at a folder in which files are being renamed, before what was seen last is taken. */
const MAX_LOOKS = 20;

/** `stamp`: what its name says of its place among the rotations. Of a packed one the size is that of what is stored. */
export interface Sibling extends FileState { readonly path: string; readonly number: number; readonly rotated: boolean; readonly packed: boolean; readonly stamp: string }

/** Is `name` a rotated form of `current`: app.log.1, app.log-20261121, app.1.log, app.old.log, any of them with .gz? Returns its number (0 when it has none). */
export function rotatedNumber(name: string, current: string): number | undefined {
  const stamp = stampOf(name, current);
  return stamp === undefined ? undefined : /^\d{1,6}$/.test(stamp) ? Number(stamp) : 0;
}

function stampOf(packedName: string, current: string): string | undefined {
  const name = packedName.replace(PACKED_NAME, '');
  const extension = extname(current);
  const stem = current.slice(0, current.length - extension.length);
  let inserted: string | undefined;
  if (name.startsWith(current)) inserted = name.slice(current.length);
  else if (extension !== '' && name.startsWith(stem) && name.endsWith(extension) && name.length > current.length) inserted = name.slice(stem.length, name.length - extension.length);
  const found = inserted === undefined ? null : /^[._-](?:(\d[\dT:Z._-]*)|old|prev)$/.exec(inserted);
  return found === null ? undefined : found[1] ?? '';
}

/** The other regular files of the log's folder, oldest first: rotated files stop being written, so the last write orders them;
 *  within the file system's grain the higher number is older. */
export async function siblingsOf(path: string): Promise<Sibling[]> {
  let before = await listed(path);
  // A rotator that renames 3 to 4, 2 to 3, 1 to 2 while we look can hide a file from us: what was seen twice the same is whole.
  for (let i = 0; i < MAX_LOOKS; i += 1) {
    const again = await listed(path);
    if (again.key === before.key) break;
    before = again;
  }
  return inOrder(before.siblings).sort(older);
}

/** A packed file was written when it was packed, which may be later than the writing of files younger than it: the names tell. */
function inOrder(siblings: readonly Sibling[]): Sibling[] {
  const done: Sibling[] = [];
  const named = siblings.filter((one) => one.rotated && one.stamp !== '').sort((a, b) => (isYounger(a, b) ? -1 : 1));
  for (const one of named) {
    const earliest = one.packed ? done.filter((other) => isYounger(other, one)).reduce((least, other) => (other.changedNs <= least ? other.changedNs - 1n : least), one.changedNs) : one.changedNs;
    done.push({ ...one, changedNs: earliest });
  }
  return [...siblings.filter((one) => !named.includes(one)), ...done];
}

/** By their names: of numbers the lower is younger, of dates the later. */
function isYounger(one: Sibling, than: Sibling): boolean {
  if (one.number > 0 || than.number > 0) return one.number > 0 && one.number < than.number;
  return one.stamp > than.stamp;
}

async function listed(path: string): Promise<{ siblings: Sibling[]; key: string }> {
  const current = basename(path);
  let names: string[];
  try {
    names = await readdir(dirname(path));
  } catch (error) {
    if (isGone(error)) return { siblings: [], key: '' };
    throw error;
  }
  const there = new Set(names);
  // Beside its plain form a packed one is being written, or left over.
  const ranked = names.filter((name) => name !== current && !(PACKED_NAME.test(name) && there.has(name.replace(PACKED_NAME, '')))).map((name) => ({ name, number: rotatedNumber(name, current) }));
  ranked.sort((a, b) => Number(b.number !== undefined) - Number(a.number !== undefined) || (a.name < b.name ? -1 : 1));
  const siblings: Sibling[] = [];
  for (const { name, number } of ranked.slice(0, MAX_LOOKED_AT)) {
    const file = join(dirname(path), name);
    const state = await stateAt(file);
    if (state) siblings.push({ ...state, path: file, number: number ?? 0, rotated: number !== undefined, packed: number !== undefined && PACKED_NAME.test(name), stamp: stampOf(name, current) ?? '' });
  }
  return { siblings, key: siblings.filter((one) => one.rotated).map((one) => `${one.path} ${one.ino}`).join('\n') };
}

function older(a: Pick<Sibling, 'changedNs' | 'number'>, b: Pick<Sibling, 'changedNs' | 'number'>): number {
  if (a.changedNs !== b.changedNs) return a.changedNs < b.changedNs ? -1 : 1;
  return b.number - a.number;
}

/** The first of the chosen siblings that is accepted. Should one be renamed or removed under our hands, all is looked at anew. */
async function pick(path: string, roots: readonly string[], choose: (siblings: Sibling[]) => Sibling[], accept: (file: LogFile) => Promise<boolean>): Promise<LogFile | undefined> {
  for (let i = 0; i < MAX_LOOKS; i += 1) {
    let moved = false;
    for (const one of choose(await siblingsOf(path))) {
      const file = await LogFile.open(one.path, roots);
      moved = file?.ino !== one.ino;
      if (file && !moved && await accept(file)) return file;
      await file?.close();
      if (moved) break;
    }
    if (!moved) return undefined;
  }
  return undefined;
}

/** The file that holds the mark's bytes: the log itself, a renamed or a copied rotation. Undefined when none does. The caller closes it. */
export async function locate(path: string, mark: Mark, roots: readonly string[]): Promise<LogFile | undefined> {
  // Opened before the folder is listed: should it be rotated in between, it is found all the same.
  let current = await LogFile.open(path, roots);
  if (current && !await current.holds(mark)) { await current.close(); current = undefined; }
  if (current?.ino === mark.ino) return current;
  const sinceNs = BigInt(mark.changedAt) * 1_000_000n;
  // The very file first, under whatever name; then what has the same bytes. Where nothing was read yet only beginnings can be
  // compared, and many files begin alike: the oldest is tried first, so that nothing is passed over.
  const rotated = await pick(path, roots, (siblings) => {
    const fitting = siblings.filter((one) => one.packed || one.sizeBytes >= mark.offset);
    const same = fitting.filter((one) => one.ino === mark.ino);
    return current && mark.offset > 0 ? same : [...same, ...fitting.filter((one) => one.ino !== mark.ino && one.rotated && one.changedNs >= sinceNs)];
  }, (file) => file.holds(mark));
  if (rotated) await current?.close();
  return rotated ?? current;
}

/** The oldest rotation of the log that was written to since an instant and before `file`'s present bytes: when `file` was empty then,
 *  it holds what came next. Of files of that very instant (a file system's grain is milliseconds) those visited before are passed over. */
export async function rotatedSince(path: string, sinceNs: bigint, file: LogFile, visited: readonly string[], roots: readonly string[]): Promise<LogFile | undefined> {
  const { ino, changedNs } = await file.state();
  const later = (one: Sibling): boolean => one.changedNs > sinceNs || (one.changedNs === sinceNs && !visited.includes(one.ino));
  return pick(path, roots, (siblings) => {
    const own = { changedNs, number: siblings.find((one) => one.ino === ino)?.number ?? -1 };
    return siblings.filter((one) => one.rotated && !one.packed && one.sizeBytes > 0 && one.ino !== ino && later(one) && older(one, own) < 0);
  }, async () => true);
}

/** The file that was written next after `file` (read up to `mark`): the oldest rotation younger than it, else the log itself.
 *  Copies of `file` are passed over: their lines were read already. The caller closes it. */
export async function nextAfter(path: string, file: LogFile, mark: Mark, roots: readonly string[]): Promise<LogFile | undefined> {
  const mine = await file.state();
  return firstYounger(path, mark, roots, (siblings) => {
    const own = siblings.find((one) => one.ino === mine.ino);
    const from = own ?? { changedNs: mine.changedNs, number: 0 };
    return siblings.filter((one) => one.ino !== mine.ino && older(from, one) < 0);
  });
}

/** The oldest file of the family that was written to after the mark, when the mark's own file is gone. */
export async function nextAfterGone(path: string, mark: Mark, roots: readonly string[]): Promise<LogFile | undefined> {
  const since = BigInt(mark.changedAt + 1) * 1_000_000n;
  return firstYounger(path, mark, roots, (siblings) => siblings.filter((one) => one.changedNs >= since));
}

async function firstYounger(path: string, mark: Mark, roots: readonly string[], choose: (siblings: Sibling[]) => Sibling[]): Promise<LogFile | undefined> {
  // Opened before the folder is listed: should it be rotated in between, it is in the list at its place, or follows all of the list.
  const current = await LogFile.open(path, roots);
  const rotated = await pick(path, roots, (siblings) => choose(siblings).filter((one) => one.rotated), async (file) => !await file.holds(mark));
  if (rotated) await current?.close();
  return rotated ?? current;
}

/** The file that was written before `file`: the youngest rotation older than it. Copies of `file` are passed over. The caller closes it. */
export async function previousOf(path: string, source: string, file: LogFile, roots: readonly string[]): Promise<LogFile | undefined> {
  const mine = await file.state();
  const end = await file.markAt(source, mine.sizeBytes);
  return pick(path, roots, (siblings) => {
    const own = siblings.find((one) => one.ino === mine.ino);
    // The log itself is younger than all of them, whatever their times say.
    return siblings.filter((one) => one.rotated && one.sizeBytes > 0 && one.ino !== mine.ino && (own === undefined || older(one, own) < 0)).reverse();
  }, async (one) => !await one.holds(end));
}
