// Owns a log file that is only appended to: bounded in size by rotation, in number by ageing, in memory by counted loss.
import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Waiting bytes above this mean the disk does not follow: new pieces are dropped and counted. */
const WAITING_BYTES = 8 * 1024 * 1024;

export interface RotatingFileOptions {
  readonly folder: string;
  /** Name for a file begun at `at`; must differ when `at` differs. */
  nameAt(at: number): string;
  /** Which names in the folder belong to this log and age out together. */
  owns(name: string): boolean;
  /** A file of this size is closed. A single piece larger than it still goes in whole. */
  readonly maxBytes: number;
  /** Files kept, the new one included; the oldest by name are removed. */
  readonly maxFiles: number;
  /** First bytes of each file, if any. */
  head?(at: number): string;
  /** What is written in place of pieces that were dropped. */
  lost(pieces: number): string;
}

/** Opens nothing until the first piece arrives, so an idle log leaves no empty file. A write that fails is a counted loss. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #lostPieces = 0;
  #path: string | undefined;
  #sizeBytes = 0;
  #lastAt = 0;
  #writing: Promise<void> | undefined;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /** Takes one piece, which is never divided. Strings are Latin-1. */
  append(piece: string | Uint8Array): void {
    if (this.#waitingBytes + piece.length > WAITING_BYTES) {
      this.#lostPieces += 1;
      return;
    }
    const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#writing ??= Promise.resolve().then(() => this.#drain());
  }

  /** Bytes accepted and not yet on disk. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Resolves when everything accepted so far is written or counted as lost. */
  async flushed(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      let from = 0;
      try {
        await this.#sayLoss();
        while (from < batch.length) from = await this.#putSome(batch, from);
      } catch {
        // The folder may have been deleted or the disk be full: what could not be written is counted and said at the next success.
        this.#path = undefined;
        this.#lostPieces += batch.length - from;
      } finally {
        this.#waitingBytes -= batch.reduce((sum, piece) => sum + piece.length, 0);
      }
    }
    this.#writing = undefined;
  }

  async #sayLoss(): Promise<void> {
    if (this.#lostPieces === 0) return;
    const said = this.#lostPieces;
    await this.#put(await this.#current(), Buffer.from(this.#options.lost(said), 'latin1'));
    this.#lostPieces -= said;
  }

  /** Writes as many pieces as the file still takes, in one write; gives the index of the next. */
  async #putSome(batch: readonly Buffer[], from: number): Promise<number> {
    const file = await this.#current();
    const to = fitting(batch, from, this.#options.maxBytes - this.#sizeBytes);
    await this.#put(file, Buffer.concat(batch.slice(from, to)));
    return to;
  }

  async #put(file: string, bytes: Buffer): Promise<void> {
    // Without O_CREAT: a file deleted under us must not come back without its head.
    const handle = await open(file, constants.O_WRONLY | constants.O_APPEND);
    try {
      await handle.writeFile(bytes);
      this.#sizeBytes += bytes.length;
    } finally {
      await handle.close();
    }
  }

  /** The file to append to: a new one when there is none, it is full, or someone deleted or emptied it. */
  async #current(): Promise<string> {
    const path = this.#path;
    if (path !== undefined && this.#sizeBytes < this.#options.maxBytes && (await bytesOf(path)) >= this.#sizeBytes) return path;
    return this.#begin();
  }

  async #begin(): Promise<string> {
    const { folder, head } = this.#options;
    await mkdir(folder, { recursive: true });
    const path = await this.#create();
    this.#path = path;
    this.#sizeBytes = 0;
    await this.#age();
    if (head !== undefined) await this.#put(path, Buffer.from(head(this.#lastAt), 'latin1'));
    return path;
  }

  async #create(): Promise<string> {
    for (;;) {
      this.#lastAt = Math.max(Date.now(), this.#lastAt + 1); // two rotations in one ms, or a clock set back, still give two names in order
      const path = join(this.#options.folder, this.#options.nameAt(this.#lastAt));
      try {
        await (await open(path, 'ax')).close();
        return path;
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      }
    }
  }

  async #age(): Promise<void> {
    const { folder, maxFiles } = this.#options;
    const mine = (await readdir(folder)).filter((name) => this.#options.owns(name)).sort(byTrailingTime);
    for (const name of mine.slice(0, Math.max(0, mine.length - maxFiles))) await rm(join(folder, name), { force: true });
  }
}

/** Size on disk; less than anything written when the file is gone. */
async function bytesOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return -1;
    throw cause;
  }
}

/** Index after the last piece that still fits into `roomBytes`; at least one piece, so that a huge one cannot stall the log. */
function fitting(pieces: readonly Buffer[], from: number, roomBytes: number): number {
  let to = from + 1;
  let bytes = pieces[from]?.length ?? 0;
  while (to < pieces.length && bytes + (pieces[to]?.length ?? 0) <= roomBytes) {
    bytes += pieces[to]?.length ?? 0;
    to += 1;
  }
  return to;
}

/** Names end in digits of a time before the extension; whatever stands in front (a pid) must not decide the age. */
function byTrailingTime(a: string, b: string): number {
  const time = (name: string): string => /(\d+)\.[^.]*$/.exec(name)?.[1] ?? '';
  const [x, y] = [time(a), time(b)];
  return x.length - y.length || (x < y ? -1 : x > y ? 1 : 0);
}
