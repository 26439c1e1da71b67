// Owns the bin: what was deleted lies for some days on the same disk, bounded in bytes, and goes back where it was.
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DiagError } from '../../shared/errors.ts';
import { Binned } from '../../shared/files.ts';
import { bytes as sized, count } from '../../shared/units.ts';
import type { Clock } from '../clock.ts';
import { codeIn, renameOver } from '../rename.ts';
import type { Place, RemoveMode, Removed, Tell } from './door.ts';
import { faultOf } from './fault.ts';
import { hold, holding } from './hold.ts';
import { entriesOf, look, namesIn, seen } from './look.ts';
import { judgeVersion, holdParent } from './write.ts';
import { emptyFolder, removeTree, walkOf, type Given } from './change.ts';
import type { Spot } from './places.ts';
import { walk } from './walk.ts';

export interface BinLimits { readonly totalBytes: number; readonly items: number; readonly keptMs: number; readonly files: number }
/** What is deleted to make room must make room: beyond this it does not go into the bin. */
export const BIN_LIMITS: BinLimits = { totalBytes: 256 * 1024 * 1024, items: 200, keptMs: 7 * 86_400_000, files: 50_000 };
const ID = /^[0-9a-z]{8,12}-[0-9a-f]{8}$/;
const ABOUT = 'about.json';
/** In its folder the thing has this name, whatever it was called. */
const ITEM = 'item';

export class Bin {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #limits: BinLimits;
  readonly #given: Given;

  constructor(folder: string, given: Given, clock: Clock, limits: BinLimits = BIN_LIMITS) {
    this.#folder = folder;
    this.#given = given;
    this.#clock = clock;
    this.#limits = limits;
  }

  async remove(place: Place, { mode, recursive = false, ifMatch }: { readonly mode: RemoveMode; readonly recursive?: boolean; readonly ifMatch?: string }, signal: AbortSignal, tell?: Tell): Promise<Removed> {
    const spot = await this.#given.places.spot(place, 'uproot');
    const { held, name } = await holdParent(spot);
    try {
      const entry = await look(held, name, spot.path);
      if (ifMatch !== undefined) judgeVersion(entry, { ifMatch }, spot.path);
      if (entry.kind === 'folder' && !recursive) await demandEmpty(spot, signal);
      if (mode === 'forever') return { files: await removeTree(this.#given, spot, signal, tell) };
      const put = await this.#put(spot, held.at(name), entry.kind, signal);
      if ('undo' in put) return put;
      if (mode === 'undo') throw new DiagError('UNDO_IMPOSSIBLE', { path: spot.path, why: put.why });
      return { files: await removeTree(this.#given, spot, signal, tell), why: put.why };
    } catch (error) {
      throw faultOf(error, spot.path);
    } finally {
      await held.letGo();
    }
  }

  async #put(spot: Spot, from: string, kind: Binned['kind'], signal: AbortSignal): Promise<Removed & { readonly undo: string } | { readonly why: string }> {
    const measured = await this.#measure(spot, kind, signal);
    if (typeof measured === 'string') return { why: measured };
    const at = this.#clock.now();
    const id = `${at.toString(36)}-${randomBytes(4).toString('hex')}`;
    const own = join(this.#folder, id);
    try {
      await mkdir(own, { recursive: true, mode: 0o700 });
      await writeFile(join(own, ABOUT), JSON.stringify({ id, root: spot.root, path: spot.path, kind, at, ...measured } satisfies Binned), { mode: 0o600, flag: 'wx' });
      await renameOver(from, join(own, ITEM));
    } catch (error) {
      await rm(own, { recursive: true, force: true });
      if (codeIn(error) === 'EXDEV') return { why: 'it lies on another disk than the bin' };
      if (['ENOSPC', 'EDQUOT', 'EROFS'].includes(codeIn(error))) return { why: 'the disk has no room for the bin' };
      throw error;
    }
    await this.age();
    return { undo: id, files: measured.files };
  }

  /** Bytes and files, or why it is not for the bin. */
  async #measure(spot: Spot, kind: Binned['kind'], signal: AbortSignal): Promise<{ bytes: number; files: number } | string> {
    const all = { bytes: 0, files: 0 };
    const tooMuch = (): string | undefined => (all.bytes > this.#limits.totalBytes ? `it has more than ${sized(this.#limits.totalBytes)}, and deleting it should make room` : all.files > this.#limits.files ? `it has more than ${count(this.#limits.files)} files` : undefined);
    if (kind !== 'folder') {
      const { held, name } = await holdParent(spot);
      const { sizeBytes = 0 } = await holding(held, () => look(held, name, spot.path));
      Object.assign(all, { bytes: sizeBytes, files: 1 });
      return tooMuch() ?? all;
    }
    const stop = new AbortController();
    const held = await hold(spot.folder, spot.parts);
    try {
      await walk(held, {
        ...await walkOf(this.#given, spot, AbortSignal.any([signal, stop.signal])), rules: undefined, leftOut: () => undefined,
        async enter(folder) {
          const entries = await entriesOf(folder.held, folder.names.filter((one) => one.kind === 'file').map((one) => one.name), signal);
          all.files += folder.names.length;
          all.bytes += entries.reduce((sum, one) => sum + (one.sizeBytes ?? 0), 0);
          if (tooMuch() !== undefined) stop.abort();
        },
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!stop.signal.aborted) throw error;
    } finally {
      await held.letGo();
    }
    return tooMuch() ?? all;
  }

  async list(): Promise<Binned[]> {
    const ids = (await readdir(this.#folder).catch((error: unknown) => { if (codeIn(error) === 'ENOENT') return []; throw error; })).filter((name) => ID.test(name));
    const found = await Promise.all(ids.map((id) => this.#about(id)));
    return found.filter((one) => one !== undefined).sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
  }

  async #about(id: string): Promise<Binned | undefined> {
    try {
      const parsed = Binned.safeParse(JSON.parse(await readFile(join(this.#folder, id, ABOUT), 'utf8')));
      return parsed.success && parsed.data.id === id ? parsed.data : undefined;
    } catch (error) {
      if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(codeIn(error))) return undefined;
      throw error;
    }
  }

  async restore(id: string): Promise<Binned> {
    const binned = ID.test(id) ? await this.#about(id) : undefined;
    if (binned === undefined) throw new DiagError('UNDO_UNKNOWN', { id: id.slice(0, 40) });
    const spot = await this.#given.places.spot({ root: binned.root, path: binned.path }, 'uproot');
    const { held, name } = await holdParent(spot, true);
    try {
      if (await seen(held, name, spot.path) !== undefined) throw new DiagError('FILE_EXISTS', { path: spot.path });
      await renameOver(join(this.#folder, id, ITEM), held.at(name));
    } catch (error) {
      throw faultOf(error, spot.path);
    } finally {
      await held.letGo();
    }
    await rm(join(this.#folder, id), { recursive: true, force: true });
    return binned;
  }

  /** One, or all. */
  async empty(id?: string): Promise<number> {
    const all = await this.list();
    const going = id === undefined ? all : all.filter((one) => one.id === id);
    if (id !== undefined && going.length === 0) throw new DiagError('UNDO_UNKNOWN', { id: id.slice(0, 40) });
    for (const one of going) await this.#drop(one.id);
    return going.reduce((sum, one) => sum + one.bytes, 0);
  }

  /** What is too old, or too much: the oldest goes first. */
  async age(): Promise<void> {
    const { totalBytes, items, keptMs } = this.#limits;
    let bytes = 0;
    for (const [i, one] of (await this.list()).entries()) {
      bytes += one.bytes;
      if (i >= items || bytes > totalBytes || this.#clock.now() - one.at > keptMs) await this.#drop(one.id);
    }
  }

  async #drop(id: string): Promise<void> {
    const item = join(this.#folder, id, ITEM);
    const stats = await lstat(item).catch((error: unknown) => { if (codeIn(error) === 'ENOENT') return undefined; throw error; });
    if (stats?.isDirectory() === true) await emptyFolder(await hold(item, []), { signal: NEVER, rules: undefined });
    // Out of the list first: a removal that is cut off leaves nothing that looks whole.
    const going = join(this.#folder, `.going-${id}`);
    await rename(join(this.#folder, id), going);
    await rm(going, { recursive: true, force: true });
  }
}

const NEVER = new AbortController().signal;

async function demandEmpty(spot: Spot, signal: AbortSignal): Promise<void> {
  const { more } = await holding(await hold(spot.folder, spot.parts), (held) => namesIn(held, spot.path, signal, 0));
  if (more) throw new DiagError('FOLDER_NOT_EMPTY', { path: spot.path });
}
