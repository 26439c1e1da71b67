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

export interface RotatingFile {
  append(piece: string | Uint8Array): void;
  /** Bytes accepted and not yet on disk. */
  waitingBytes(): number;
  /** Resolves when everything accepted so far is written or counted as lost. */
  flushed(): Promise<void>;
}

/** Opens nothing until the first piece arrives, so an idle log leaves no empty file. A write that fails is a counted loss. */
export function rotatingFile(options: RotatingFileOptions): RotatingFile {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let lostPieces = 0;
  let path: string | undefined;
  let sizeBytes = 0;
  let lastAt = 0;
  let writing: Promise<void> | undefined;

  async function begin(): Promise<string> {
    await mkdir(options.folder, { recursive: true });
    for (;;) {
      lastAt = Math.max(Date.now(), lastAt + 1); // two rotations in one ms, or a clock set back, still give two names in order
      const next = join(options.folder, options.nameAt(lastAt));
      try {
        await (await open(next, 'ax')).close();
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw cause;
      }
      sizeBytes = 0;
      await age();
      const head = options.head?.(lastAt);
      if (head !== undefined) await put(next, Buffer.from(head, 'latin1'));
      return next;
    }
  }

  async function age(): Promise<void> {
    const mine = (await readdir(options.folder)).filter((name) => options.owns(name)).sort(byTrailingTime);
    for (const name of mine.slice(0, Math.max(0, mine.length - options.maxFiles))) {
      await rm(join(options.folder, name), { force: true });
    }
  }

  async function put(file: string, bytes: Buffer): Promise<void> {
    // Without O_CREAT: a file deleted under us must not come back without its head.
    const handle = await open(file, constants.O_WRONLY | constants.O_APPEND);
    try {
      await handle.writeFile(bytes);
      sizeBytes += bytes.length;
    } finally {
      await handle.close();
    }
  }

  /** The file to append to: a new one when there is none, it is full, or someone deleted or emptied it. */
  async function current(): Promise<string> {
    if (path === undefined || sizeBytes >= options.maxBytes || (await bytesOf(path)) < sizeBytes) path = await begin();
    return path;
  }

  /** Writes one batch of pieces, beginning a new file where the next piece would not fit. */
  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      let from = 0;
      try {
        if (lostPieces > 0) {
          const said = lostPieces;
          await put(await current(), Buffer.from(options.lost(said), 'latin1'));
          lostPieces -= said;
        }
        while (from < batch.length) {
          const file = await current();
          const to = fitting(batch, from, options.maxBytes - sizeBytes);
          await put(file, Buffer.concat(batch.slice(from, to)));
          from = to;
        }
      } catch {
        // The folder may have been deleted or the disk be full: what could not be written is counted and said at the next success.
        path = undefined;
        lostPieces += batch.length - from;
      } finally {
        waitingBytes -= batch.reduce((sum, piece) => sum + piece.length, 0);
      }
    }
    writing = undefined;
  }

  return {
    append(piece) {
      if (waitingBytes + piece.length > WAITING_BYTES) {
        lostPieces += 1;
        return;
      }
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece);
      waiting.push(bytes);
      waitingBytes += bytes.length;
      writing ??= Promise.resolve().then(drain);
    },
    waitingBytes: () => waitingBytes,
    async flushed() {
      while (writing !== undefined) await writing;
    },
  };
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
