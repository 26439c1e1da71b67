// Owns the changes of what is there: folders made, names moved, trees copied and removed.
import { mkdir, rmdir, unlink } from 'node:fs/promises';
import { DiagError, sayError } from '../../shared/errors.ts';
import { codeIn, renameOver } from '../rename.ts';
import type { FileDoor, LeftOut, Place, Tell } from './door.ts';
import { faultOf, saying } from './fault.ts';
import { hold, type Held } from './hold.ts';
import { look, openFile, seen } from './look.ts';
import { sameName, within } from './path-guard.ts';
import type { Places, Spot } from './places.ts';
import type { KeyedTurns } from './turns.ts';
import { walk, type Folder, type Walk } from './walk.ts';
import { holdParent, makeFolders, writeFile } from './write.ts';

export interface Given { readonly places: Places; readonly turns: KeyedTurns }
/** What is told of a tree that was gone through; more is counted, not named. */
export const MAX_LEFT_OUT = 10_000;
/** Files removed at once. */
const AT_ONCE = 16;

export async function makeFolder({ places }: Given, place: Place, { parents = false }: { readonly parents?: boolean } = {}): Promise<{ created: boolean }> {
  const spot = await places.spot(place, 'change');
  if (parents) return { created: await makeFolders(spot.folder, spot.parts) };
  const { held, name } = await holdParent(spot);
  try {
    await saying(spot.path, () => mkdir(held.at(name)));
    return { created: true };
  } finally {
    await held.letGo();
  }
}

export async function move(given: Given, from: Place, to: Place, { replace = false }: { readonly replace?: boolean }, signal: AbortSignal): Promise<void> {
  const [source, target] = [await given.places.spot(from, 'uproot'), await given.places.spot(to, 'uproot')];
  demandApart(source, target);
  const a = await holdParent(source);
  try {
    const b = await holdParent(target);
    try {
      const entry = await look(a.held, a.name, source.path);
      await demandFree(b, target, entry.kind === 'file' && replace, source);
      await renameOver(a.held.at(a.name), b.held.at(b.name));
    } finally {
      await b.held.letGo();
    }
  } catch (error) {
    if (codeIn(error) !== 'EXDEV') throw faultOf(error, source.path);
    await acrossDisks(given, from, to, source, signal);
  } finally {
    await a.held.letGo();
  }
}

/** A rename that only changes the case of a name finds itself on disks that do not mind case. */
async function demandFree({ held, name }: { held: Held; name: string }, target: Spot, replace: boolean, source: Spot): Promise<void> {
  const there = await seen(held, name, target.path);
  if (there === undefined || (sameName(source.path, target.path) && source.path !== target.path && there.name !== source.parts.at(-1) && target.root === source.root && process.platform === 'win32')) return;
  if (there.kind !== 'file' || !replace) throw new DiagError('FILE_EXISTS', { path: target.path });
}

/** Copied whole, then removed: what stays behind when it is cut off is a copy, never a loss. */
async function acrossDisks(given: Given, from: Place, to: Place, source: Spot, signal: AbortSignal): Promise<void> {
  const { leftOut } = await copy(given, from, to, signal);
  const first = leftOut[0];
  if (first !== undefined) throw new DiagError('FILE_DENIED', { path: first.path, why: `${first.why}; it was copied, and the old one stays` });
  await removeTree(given, source, signal);
}

function demandApart(source: Spot, target: Spot): void {
  if (source.folder === target.folder && target.parts.length > source.parts.length && within(target.parts, source.parts)) throw new DiagError('PATH_REFUSED', { path: target.path, why: 'a folder does not go into itself' });
}

export const copy = async (given: Given, from: Place, to: Place, signal: AbortSignal, tell?: Tell): ReturnType<FileDoor['copy']> => {
  const [source, target] = [await given.places.spot(from, 'look'), await given.places.spot(to, 'change')];
  demandApart(source, target);
  const done = { files: 0, bytes: 0 };
  const copyOne = async (held: Held, name: string, below: readonly string[]): Promise<void> => {
    const file = await openFile(held, name, below.join('/'));
    try {
      const { sizeBytes } = await writeFile(given, { root: to.root, path: [...target.parts, ...below].join('/') }, file.stream(), { onlyNew: true, modifiedAt: file.entry.modifiedAt }, signal);
      done.files += 1;
      done.bytes += sizeBytes;
      tell?.({ ...done });
    } finally {
      await file.close();
    }
  };
  const above = await holdParent(source);
  try {
    const entry = await look(above.held, above.name, source.path);
    await demandNew(given, to);
    if (entry.kind !== 'folder') { await copyOne(above.held, above.name, []); return { ...done, leftOut: [] }; }
    const leftOut = await copyFolder(given, { source, target, to }, copyOne, signal);
    return { ...done, leftOut };
  } finally {
    await above.held.letGo();
  }
};

async function demandNew({ places }: Given, to: Place): Promise<void> {
  const spot = await places.spot(to, 'change');
  const { held, name } = await holdParent(spot);
  try {
    if (await seen(held, name, spot.path) !== undefined) throw new DiagError('FILE_EXISTS', { path: spot.path });
  } finally {
    await held.letGo();
  }
}

async function copyFolder(given: Given, { source, target, to }: { source: Spot; target: Spot; to: Place }, copyOne: (held: Held, name: string, below: readonly string[]) => Promise<void>, signal: AbortSignal): Promise<LeftOut[]> {
  const out = leaving();
  const held = await hold(source.folder, source.parts);
  try {
    await walk(held, {
      ...await walkOf(given, source, signal), leftOut: out.add,
      async enter({ held: folder, parts, names }) {
        await makeFolder(given, { root: to.root, path: [...target.parts, ...parts].join('/') });
        for (const { name, kind } of names) {
          if (kind === 'folder') continue;
          await copyOne(folder, name, [...parts, name]).catch((error: unknown) => { if (codeOfLeft(error)) out.add([...parts, name], error); else throw error; });
        }
      },
    });
  } finally {
    await held.letGo();
  }
  return out.list;
}

/** One file that cannot be read is told and does not end the whole; a full disk does. */
export function codeOfLeft(error: unknown): boolean {
  return error instanceof DiagError && ['FILE_DENIED', 'FILE_BUSY', 'FILE_UNKNOWN', 'FILE_KIND', 'PATH_LINK', 'FILE_PRIVATE', 'PATH_REFUSED'].includes(error.code);
}

/** A bounded list of what was left out. */
export function leaving(): { readonly list: LeftOut[]; count(): number; add(parts: readonly string[], error: unknown): void } {
  const list: LeftOut[] = [];
  let count = 0;
  return { list, count: () => count, add(parts, error) { count += 1; if (list.length < MAX_LEFT_OUT) list.push({ path: parts.join('/') || '.', why: sayError(error) }); } };
}

/** A walk from a spot keeps out of the agent's own. */
export async function walkOf({ places }: Given, spot: Spot, signal: AbortSignal): Promise<Pick<Walk, 'signal' | 'rules' | 'hides'>> {
  const hides = await places.hides(spot);
  return { signal, rules: places.rules, hides: (parts) => hides([...spot.parts, ...parts]) };
}

/** Everything below, then itself. A link is removed, not what it leads to. @throws what the first that does not go says */
export async function removeTree(given: Given, spot: Spot, signal: AbortSignal, tell?: Tell): Promise<number> {
  const above = await holdParent(spot);
  try {
    const entry = await look(above.held, above.name, spot.path);
    if (entry.kind !== 'folder') { await saying(spot.path, () => unlink(above.held.at(above.name))); return 1; }
    const files = await emptyFolder(await hold(spot.folder, spot.parts), { ...await walkOf(given, spot, signal) }, tell);
    await saying(spot.path, () => rmdir(above.held.at(above.name)));
    return files + 1;
  } finally {
    await above.held.letGo();
  }
}

/** Lets go of the folder. Nothing is hidden here: who may remove was judged. On Linux also what has a name that no path may have. */
export async function emptyFolder(held: Held, how: Pick<Walk, 'signal' | 'rules'>, tell?: Tell): Promise<number> {
  let files = 0;
  const gone = async ({ held: folder, names, parts }: Folder): Promise<void> => {
    const plain = names.filter(({ kind }) => kind !== 'folder');
    for (let i = 0; i < plain.length; i += AT_ONCE) {
      how.signal.throwIfAborted();
      await Promise.all(plain.slice(i, i + AT_ONCE).map(({ name }) => saying([...parts, name].join('/'), () => unlinkIn(folder, name))));
      files += Math.min(AT_ONCE, plain.length - i);
      tell?.({ files, bytes: 0 });
    }
  };
  try {
    await walk(held, { signal: how.signal, rules: how.rules === 'windows' ? 'windows' : undefined, hides: () => false, enter: gone, leave: (above, name, parts) => saying(parts.join('/'), () => rmdir(above.at(name))), leftOut: (_, error) => { throw error; } });
    return files;
  } finally {
    await held.letGo();
  }
}

/** Windows removes a junction as the folder that it looks like. */
async function unlinkIn(folder: Held, name: string): Promise<void> {
  try {
    await unlink(folder.at(name));
  } catch (error) {
    if (process.platform !== 'win32' || codeIn(error) !== 'EPERM') throw error;
    await rmdir(folder.at(name));
  }
}
