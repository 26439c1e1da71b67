// Owns how content comes under a name that a user chose: whole or not at all, over the version that was meant, with the rights of what was there.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, rm, utimes, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { DiagError } from '../../shared/errors.ts';
import { bytes as sized } from '../../shared/units.ts';
import { codeIn, renameOver } from '../rename.ts';
import type { Entry, Place, WriteOptions, Written } from './door.ts';
import { faultOf } from './fault.ts';
import { hold, type Held } from './hold.ts';
import { demandFile, entryOf, seen } from './look.ts';
import type { Places, Spot } from './places.ts';
import type { KeyedTurns } from './turns.ts';

/** What a write in the making is called: beside its place, since only there a rename is one step. One that a kill cut off stays, and is seen as what it is. */
const draftName = (): string => `.diag-${randomBytes(8).toString('hex')}.tmp`;
/** The last name of a spot and the folder that has it, held. @throws PATH_REFUSED for a root itself */
export async function holdParent(spot: Spot, makes = false): Promise<{ held: Held; name: string }> {
  const name = spot.parts.at(-1);
  if (name === undefined) throw new DiagError('FILE_KIND', { path: 'the root', wanted: 'a file' });
  const above = spot.parts.slice(0, -1);
  if (makes) await makeFolders(spot.folder, above);
  return { held: await hold(spot.folder, above), name };
}

/** Makes what is missing on the way. @throws FILE_KIND where a file is in it */
export async function makeFolders(folder: string, parts: readonly string[]): Promise<boolean> {
  let held = await hold(folder, []);
  let made = false;
  try {
    for (const [i, part] of parts.entries()) {
      const path = parts.slice(0, i + 1).join('/');
      const isNew = await mkdir(held.at(part)).then(() => true, (error: unknown) => { if (codeIn(error) === 'EEXIST') return false; throw faultOf(error, path); });
      made ||= isNew;
      const next = await held.down(part).catch((error: unknown) => { throw error instanceof DiagError ? new DiagError(error.code, { ...error.facts, path }, { cause: error }) : error; });
      await held.letGo();
      held = next;
    }
    return made;
  } finally {
    await held.letGo();
  }
}

export async function writeFile(given: { readonly places: Places; readonly turns: KeyedTurns }, place: Place, content: Readable | Uint8Array, options: WriteOptions, signal: AbortSignal): Promise<Written> {
  const spot = await given.places.spot(place, 'change');
  const { held, name } = await holdParent(spot, options.parents);
  try {
    judgeVersion(await seen(held, name, spot.path), options, spot.path);
    return await saved(given, { held, name, spot }, content, options, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw faultOf(error, spot.path);
  } finally {
    await held.letGo();
  }
}

async function saved({ turns }: { readonly turns: KeyedTurns }, { held, name, spot }: { held: Held; name: string; spot: Spot }, content: Readable | Uint8Array, options: WriteOptions, signal: AbortSignal): Promise<Written> {
  const draft = held.at(draftName());
  try {
    await writeDraft(draft, content, options, signal);
    // Two writers of this agent come one after the other; another program's write between the look and the rename is the one thing that no file system lets us see.
    return await turns.take(`${spot.root}/${spot.path.toLowerCase()}`, async () => {
      const there = await seen(held, name, spot.path);
      judgeVersion(there, options, spot.path);
      if (there !== undefined) { await keepRights(held.at(name), draft); await makeLater(draft, there); }
      await held.check('.');
      await renameOver(draft, held.at(name));
      const { sizeBytes = 0, etag = '', modifiedAt = 0 } = entryOf(name, await lstat(held.at(name), { bigint: true }));
      return { created: there === undefined, sizeBytes, etag, modifiedAt };
    });
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The clock of files goes in steps of some milliseconds: a second write of the same length within one would have the version of the first. */
async function makeLater(draft: string, there: Entry): Promise<void> {
  const { etag, modifiedAt = 0 } = entryOf('', await lstat(draft, { bigint: true }));
  if (etag === there.etag) await utimes(draft, (modifiedAt + 1) / 1_000, (modifiedAt + 1) / 1_000);
}

/** @throws FILE_KIND, PATH_LINK, FILE_EXISTS, FILE_CHANGED */
export function judgeVersion(there: Entry | undefined, { ifMatch, onlyNew }: Pick<WriteOptions, 'ifMatch' | 'onlyNew'>, path: string): void {
  if (there !== undefined) demandFile(there.kind, path);
  if (onlyNew === true && there !== undefined) throw new DiagError('FILE_EXISTS', { path });
  if (ifMatch === undefined) return;
  if (there === undefined || (ifMatch !== '*' && !ifMatch.split(',').some((one) => one.trim() === there.etag))) throw new DiagError('FILE_CHANGED', { path, etag: there?.etag ?? 'gone' });
}

async function writeDraft(draft: string, content: Readable | Uint8Array, { maxBytes = Infinity, modifiedAt }: WriteOptions, signal: AbortSignal): Promise<void> {
  const file = await open(draft, 'wx', 0o666);
  try {
    await fill(file, content, maxBytes, signal);
    if (modifiedAt !== undefined) await file.utimes(modifiedAt / 1_000, modifiedAt / 1_000);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes all of it. @throws BODY_TOO_LARGE */
export async function fill(file: FileHandle, content: Readable | Uint8Array, maxBytes: number, signal: AbortSignal): Promise<number> {
  let written = 0;
  // The body of a request that is refused in its middle must live on, or its sender would see a broken line and not the refusal.
  for await (const piece of content instanceof Uint8Array ? [content] : content.iterator({ destroyOnReturn: false })) {
    signal.throwIfAborted();
    const chunk = piece as Uint8Array;
    written += chunk.byteLength;
    if (written > maxBytes) throw new DiagError('BODY_TOO_LARGE', { limit: sized(maxBytes) });
    await file.writeFile(chunk);
  }
  return written;
}

/** Mode and owner of what is replaced; where the system does not let us give it away, the mode alone. */
async function keepRights(from: string, to: string): Promise<void> {
  const { mode, uid, gid } = await lstat(from);
  const file = await open(to, 'r+');
  try {
    const own = await file.stat();
    if (own.uid !== uid || own.gid !== gid) await file.chown(uid, gid).catch((error: unknown) => { if (!['EPERM', 'EACCES', 'ENOSYS', 'EINVAL', 'ENOTSUP'].includes(codeIn(error))) throw error; });
    if (process.platform !== 'win32') await file.chmod(mode & 0o7777).catch((error: unknown) => { if (!['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP'].includes(codeIn(error))) throw error; });
  } finally {
    await file.close();
  }
}

/** A local file of ours as content. */
export const contentOf = (local: string): Readable => createReadStream(local, { highWaterMark: 256 * 1024 });
