// Owns the following of the HTTP log as it grows: new rows of the newest files, found by polling sizes.
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Columns, LogReader } from './columns.ts';
import { httpLogNames, isGone, lookAt, pieces } from './files.ts';
import type { LogFile } from './files.ts';
import { startOf } from './seek.ts';
import { iisW3c } from './w3c.ts';

/** Files looked at on each poll: IIS writes one per site and instance; a rotation makes it two, the SCM site three. */
const FOLLOWED = 4;
/** The folder is looked at this often, and listed again when its time changed, or after LIST_EVERY_MS in any case: shares do not always tell. */
const FOLDER_EVERY_MS = 3_000;
const LIST_EVERY_MS = 10_000;
/** Files that are not followed are looked at this seldom, in case one of them grows again. */
const LOOK_AGAIN_MS = 60_000;

/** A file that the catalog does not know yet is begun later, but not much: its rows count even without a place to look them up. */
const NAMED_WITHIN_MS = 10_000;

interface Followed {
  readonly metAt: number;
  name: string;
  ino: number;
  sizeBytes: number;
  changedAt: number;
  lookedAt: number;
  /** Where the next read begins; undefined until the file is first followed. */
  offset: number | undefined;
  reader: LogReader | undefined;
  source: string;
}

export interface FollowOptions {
  readonly folder: string;
  readonly instance: string;
  /** Rows that ended earlier are of no interest: a file that is already there is begun near this instant. */
  readonly from: number;
  sourceOf(name: string, signal: AbortSignal): Promise<string>;
  /** A batch of new rows, in the order of the file; nothing of the columns may be kept. */
  onRows(columns: Columns, source: string): void;
}

export interface Poll { readonly files: number; readonly readBytes: number; readonly changedAt: number | undefined }

export class HttpLogFollower {
  readonly #options: FollowOptions;
  readonly #files = new Map<string, Followed>();
  #folderAt = -Infinity;
  #listedAt = -Infinity;
  /** A followed file is gone: look at the folder at once. Should it come back, it is another one. */
  #missed = false;
  #folderChangedAt = -1;
  #first = true;
  /** Malformed lines of readers that were given up. */
  #malformedBefore = 0;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  get malformed(): number {
    let sum = this.#malformedBefore;
    for (const file of this.#files.values()) sum += file.reader?.counts.malformed ?? 0;
    return sum;
  }

  /** Reads what the newest files have more than at the last poll. `changedAt`: newest change of a file, by the file system's clock. */
  async poll(now: number, signal: AbortSignal): Promise<Poll> {
    if (now - this.#folderAt >= FOLDER_EVERY_MS || now < this.#folderAt || this.#missed) await this.#lookAtFolder(now, signal);
    this.#missed = false;
    const newest = [...this.#files.values()].sort((a, b) => b.changedAt - a.changedAt || (a.name < b.name ? 1 : -1)).slice(0, FOLLOWED);
    let readBytes = 0;
    for (const file of newest) readBytes += await this.#look(file, now, signal);
    return { files: this.#files.size, readBytes, changedAt: newest[0]?.changedAt };
  }

  async #lookAtFolder(now: number, signal: AbortSignal): Promise<void> {
    this.#folderAt = now;
    const folder = await lookAt(this.#options.folder, '.');
    if (folder === undefined) { for (const file of this.#files.values()) this.#forget(file); this.#first = false; return; }
    if (folder.changedAt === this.#folderChangedAt && now - this.#listedAt < LIST_EVERY_MS && now >= this.#listedAt) return;
    this.#folderChangedAt = folder.changedAt;
    this.#listedAt = now;
    await this.#list(now, signal);
  }

  async #list(now: number, signal: AbortSignal): Promise<void> {
    const names = new Set(await httpLogNames(this.#options.folder, this.#options.instance));
    const missing = [...this.#files.values()].filter((file) => !names.has(file.name));
    for (const name of names) {
      signal.throwIfAborted();
      const known = this.#files.get(name);
      if (known !== undefined && now - known.lookedAt < LOOK_AGAIN_MS) continue;
      const seen = await lookAt(this.#options.folder, name);
      if (seen === undefined) continue;
      if (known === undefined) this.#meet(seen, missing, now); else { known.changedAt = seen.changedAt; known.lookedAt = now; }
    }
    for (const file of missing) if (!names.has(file.name)) this.#forget(file);
    this.#first = false;
  }

  #meet(seen: LogFile, missing: readonly Followed[], now: number): void {
    const renamed = missing.find((file) => file.ino === seen.ino && seen.ino !== 0 && (file.offset ?? 0) <= seen.sizeBytes);
    if (renamed !== undefined) {
      this.#files.delete(renamed.name);
      renamed.name = seen.name;
      renamed.lookedAt = now;
      this.#files.set(seen.name, renamed);
      return;
    }
    const { name, ino, sizeBytes, changedAt } = seen;
    // A file that appears while we follow is read from its begin; one that was there before us near the instant wanted.
    this.#files.set(name, { metAt: now, name, ino, sizeBytes, changedAt, lookedAt: now, offset: this.#first ? undefined : 0, reader: undefined, source: '' });
  }

  #forget(file: Followed): void {
    this.#malformedBefore += file.reader?.counts.malformed ?? 0;
    this.#files.delete(file.name);
  }

  async #look(file: Followed, now: number, signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const seen = await lookAt(this.#options.folder, file.name);
    if (seen === undefined) { this.#missed = true; this.#restart(file); return 0; }
    file.lookedAt = now;
    file.changedAt = seen.changedAt;
    const replaced = (file.ino !== seen.ino && file.ino !== 0) || (file.offset !== undefined && seen.sizeBytes < file.offset);
    file.ino = seen.ino;
    file.sizeBytes = seen.sizeBytes;
    if (replaced) this.#restart(file);
    if (file.offset === seen.sizeBytes) return 0;
    if (file.source === '') file.source = await this.#options.sourceOf(file.name, signal);
    if (file.source === '' && now - file.metAt < NAMED_WITHIN_MS) return 0;
    try {
      return await this.#read(file, seen.path, signal);
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#missed = true;
      this.#restart(file);
      return 0;
    }
  }

  #restart(file: Followed): void {
    this.#malformedBefore += file.reader?.counts.malformed ?? 0;
    file.reader = undefined;
    file.offset = 0;
  }

  async #read(file: Followed, path: string, signal: AbortSignal): Promise<number> {
    const handle = await open(path, 'r');
    try {
      file.reader ??= await this.#begin(file, handle, signal);
      const from = file.offset ?? 0;
      let at = from;
      for await (const piece of pieces(handle, from, file.sizeBytes, signal)) {
        const whole = withoutNul(piece);
        file.reader.write(whole);
        at += whole.length;
        file.offset = at;
        // Room that was reserved and is not written yet: its rows will appear in this very place.
        if (whole.length < piece.length) break;
      }
      return at - from;
    } finally {
      await handle.close();
    }
  }

  async #begin(file: Followed, handle: FileHandle, signal: AbortSignal): Promise<LogReader> {
    const { start, head } = file.offset === undefined ? await startOf(handle, file.sizeBytes, this.#options.from, signal) : { start: 0, head: undefined };
    file.offset = start;
    return iisW3c.reader({ baseOffset: start, ...(head === undefined ? {} : { head }), sink: (columns) => this.#options.onRows(columns, file.source) });
  }
}

function withoutNul(piece: Uint8Array): Uint8Array {
  let end = piece.length;
  while (end > 0 && piece[end - 1] === 0) end -= 1;
  return end === piece.length ? piece : piece.subarray(0, end);
}
