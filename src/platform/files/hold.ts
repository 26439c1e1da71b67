// Owns the walk from a root to a folder: each name on the way is a folder and no link, and stays so while it is used.
import { constants } from 'node:fs';
import { access, lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { codeIn } from '../rename.ts';
import { faultOf } from './fault.ts';
import { sameName } from './path-guard.ts';

/** A folder that was reached without a link. Let go of it when done. */
export interface Held {
  /** Its own path, for calls of the file system that read it. */
  readonly path: string;
  /** Where a name in it lies, for calls of the file system; the name was judged before. */
  at(name: string): string;
  /** A folder in it. @throws as the walk */
  down(name: string): Promise<Held>;
  /** Throws PATH_LINK when the name was led elsewhere between the look and the opening (where folders cannot be held). */
  check(name: string): Promise<void>;
  letGo(): Promise<void>;
}

/** Where a process finds its own open files as paths: then a held folder is a descriptor, and nobody can put a link in its place. */
const OPEN_FILES = '/proc/self/fd';
const FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0);

let byDescriptor: Promise<boolean> | undefined;
/** Known once for this machine. */
export function holdsFolders(): Promise<boolean> {
  byDescriptor ??= process.platform === 'linux' ? access(OPEN_FILES).then(() => true, () => false) : Promise.resolve(false);
  return byDescriptor;
}

/** Walks from a root, whose own path was made real before. @throws FILE_UNKNOWN, FILE_KIND, PATH_LINK, FILE_DENIED */
export async function hold(root: string, parts: readonly string[]): Promise<Held> {
  let held = await (await holdsFolders() ? holdByDescriptor(root) : holdByPath(root));
  for (const [i, part] of parts.entries()) {
    const next = await held.down(part).catch(async (error: unknown) => { await held.letGo(); throw named(error, parts.slice(0, i + 1).join('/')); });
    await held.letGo();
    held = next;
  }
  return held;
}

/** Works on a held folder and lets go of it. */
export async function holding<T>(held: Held, work: (held: Held) => Promise<T>): Promise<T> {
  try {
    return await work(held);
  } finally {
    await held.letGo();
  }
}

/** The whole path instead of the one name that the walk was at. */
function named(error: unknown, path: string): unknown {
  return error instanceof DiagError ? new DiagError(error.code, { ...error.facts, path }, { cause: error.cause }) : faultOf(error, path);
}

async function holdByDescriptor(path: string, name = ''): Promise<Held> {
  const handle = await open(path, FOLDER).catch(async (error: unknown) => { throw await whyNot(error, path, name); });
  return new DescriptorHeld(handle);
}

/** ENOTDIR and ELOOP both may mean a link: looked at once more, for the words only. */
async function whyNot(error: unknown, path: string, name: string): Promise<unknown> {
  if (!['ENOTDIR', 'ELOOP'].includes(codeIn(error))) return faultOf(error, name);
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isSymbolicLink() === true) return new DiagError('PATH_LINK', { path: name }, { cause: error });
  return faultOf(error, name);
}

class DescriptorHeld implements Held {
  readonly #handle: FileHandle;
  readonly path: string;
  constructor(handle: FileHandle) { this.#handle = handle; this.path = `${OPEN_FILES}/${handle.fd}`; }
  at(name: string): string { return `${this.path}/${name}`; }
  down(name: string): Promise<Held> { return holdByDescriptor(this.at(name), name); }
  async check(): Promise<void> { /* a held folder stays what it is */ }
  letGo(): Promise<void> { return this.#handle.close(); }
}

async function holdByPath(path: string, name = '', real?: string): Promise<Held> {
  const stats = await lstat(path).catch((error: unknown) => { throw faultOf(error, name); });
  if (stats.isSymbolicLink()) throw new DiagError('PATH_LINK', { path: name });
  if (!stats.isDirectory()) throw new DiagError('FILE_KIND', { path: name, wanted: 'a folder' });
  const held = new PathHeld(path, real);
  return held;
}

class PathHeld implements Held {
  readonly path: string;
  readonly #root: string;
  constructor(path: string, root = path) { this.path = path; this.#root = root; }
  at(name: string): string { return join(this.path, name); }
  async down(name: string): Promise<Held> {
    const held = await holdByPath(this.at(name), name, this.#root);
    // A reparse point that lstat does not know as a link, or another name of the same folder, shows in the real path.
    await this.check(name);
    return held;
  }

  async check(name: string): Promise<void> {
    const path = this.at(name);
    const real = await realOf(path);
    if (real !== undefined && !sameName(real, path)) throw new DiagError('PATH_LINK', { path: name });
  }

  async letGo(): Promise<void> { /* nothing is open */ }
}

/** The path as the disk has it; undefined where this disk cannot say (some mapped drives), so that the look at each name has to do. */
async function realOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (['EINVAL', 'EISDIR', 'UNKNOWN', 'ENOSYS', 'EPERM', 'EACCES'].includes(codeIn(error))) return undefined;
    throw error;
  }
}

/** A root's own path without links: it may itself lie behind one, as homes do. */
export async function realRoot(path: string): Promise<string> {
  const real = await realOf(path) ?? path;
  return real.length > 1 && real.endsWith(sep) ? real.slice(0, -1) : real;
}
