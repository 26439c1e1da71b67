// Owns an opened log file: reads at offsets, its identity, and whether it still holds what a cursor saw.
import { constants, readSync, type BigIntStats } from 'node:fs';
import { lstat, open, realpath, stat, statfs, type FileHandle } from 'node:fs/promises';
import { sep } from 'node:path';
import { pieces } from '../http-log/files.ts';
import { HEAD_BYTES, type Mark } from './cursor.ts';
import { fingerprint, TAIL_BYTES } from './lines.ts';
import { isGzip, PackedText } from './packed.ts';

export interface FileState {
  readonly ino: string;
  readonly bornAt: number;
  readonly changedAt: number;   // epoch ms, whole
  readonly changedNs: bigint;
  readonly sizeBytes: number;
  readonly links: number;       // 0: deleted, but still open here
}

/** Codes of a path that leads to nothing (any more). */
const GONE = new Set(['ENOENT', 'ENOTDIR']);
export function isGone(error: unknown): boolean {
  return error instanceof Error && GONE.has((error as NodeJS.ErrnoException).code ?? '');
}

function stateOf(from: BigIntStats): FileState {
  const born = Number(from.birthtimeMs);
  return {
    ino: (from.ino < 0n ? -from.ino : from.ino).toString(36),
    bornAt: born > 0 ? born : 0,
    changedAt: Math.max(0, Number(from.mtimeMs)),
    changedNs: from.mtimeNs,
    sizeBytes: Number(from.size),
    links: Number(from.nlink),
  };
}

/** The state of a regular file at this path; undefined when there is none. */
export async function stateAt(path: string): Promise<FileState | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    return found.isFile() ? stateOf(found) : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** The real path of a catalogued one: itself, or where its symbolic link leads if that lies inside the roots. */
export async function realInside(path: string, roots: readonly string[]): Promise<string | undefined> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return path;
    const real = await realpath(path);
    return roots.some((root) => real.startsWith(root + sep)) ? real : undefined;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Kinds of file systems that lie on this machine (magic numbers of Linux: ext, xfs, btrfs, tmpfs, overlay). A read from their cache takes
 *  microseconds, and a round through the thread pool ten times as long; a share may stand still for seconds. */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630]);
/** A read that took longer stood still on something, or others had the processor meanwhile: this file is read through the thread pool, as
 *  those of shares are, for a while, and at each such read for twice as long. */
const SLOW_READ_MS = 20;
const AVOID_MS = 5_000;
const MAX_AVOID_MS = 640_000;

async function isLocal(path: string): Promise<boolean> {
  try {
    return LOCAL.has((await statfs(path)).type >>> 0);
  } catch (error) {
    if (error instanceof Error) return false; // where it cannot be told it is not believed
    throw error;
  }
}

/** Only what is named so: a log may hold any bytes. */
async function packedIn(path: string, handle: FileHandle, sizeBytes: number): Promise<PackedText | undefined> {
  if (!PACKED_NAME.test(path)) return undefined;
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && isGzip(buffer) ? new PackedText((signal) => pieces(handle, 0, sizeBytes, signal), sizeBytes) : undefined;
}
export const PACKED_NAME = /\.gz$/i;

const NO_HEAD = fingerprint(new Uint8Array(0));

export class LogFile {
  readonly path: string;
  readonly ino: string;
  readonly bornAt: number;
  readonly #handle: FileHandle;
  readonly #packed: PackedText | undefined;
  #headLength = 0;
  #head = NO_HEAD;
  #changedAt: number;
  readonly #local: boolean;
  #avoidUntil = -Infinity;
  #avoidMs = AVOID_MS;
  readBytes = 0;                // of this file so far, for limits and for what a page says it read

  private constructor(path: string, handle: FileHandle, state: FileState, local: boolean, packed: PackedText | undefined) {
    this.#local = local && packed === undefined;
    this.#packed = packed;
    this.path = path;
    this.#handle = handle;
    this.ino = state.ino;
    this.bornAt = state.bornAt;
    this.#changedAt = state.changedAt;
  }

  /** Opens a regular file for reading; undefined when there is none, or when it is a link out of the roots. The caller closes it. */
  static async open(path: string, roots: readonly string[]): Promise<LogFile | undefined> {
    const real = await realInside(path, roots);
    if (real === undefined) return undefined;
    let handle: FileHandle;
    try {
      // NONBLOCK: a pipe that took the file's name must not hold the thread; NOFOLLOW: nor a link that was put there meanwhile.
      handle = await open(real, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0));
    } catch (error) {
      if (isGone(error) || (error as NodeJS.ErrnoException).code === 'ELOOP') return undefined;
      throw error;
    }
    try {
      const found = await handle.stat({ bigint: true });
      if (!found.isFile()) { await handle.close(); return undefined; }
      const state = stateOf(found);
      const file = new LogFile(path, handle, state, await isLocal(real), await packedIn(path, handle, state.sizeBytes));
      await file.sameHead();
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#packed?.close();
    await this.#handle.close();
  }

  /** Places in it and its size are those of its text; reading elsewhere than onwards costs an unpacking from the beginning. */
  get packed(): boolean { return this.#packed !== undefined; }
  /** Why a packed text ends before its end, once that was reached. */
  get cut(): string | undefined { return this.#packed?.cut; }

  /** Of the last write as last seen, epoch ms. */
  get changedAt(): number { return this.#changedAt; }

  async state(): Promise<FileState> {
    const state = stateOf(await this.#handle.stat({ bigint: true }));
    this.#changedAt = state.changedAt;
    return this.#packed === undefined ? state : { ...state, sizeBytes: await this.#packed.size() };
  }

  /** Fills the buffer from `at`, as far as the file goes; the result is a view of the buffer. */
  async read(into: Buffer, at: number): Promise<Buffer> {
    if (into.length === 0) return into;
    if (this.#packed !== undefined) {
      const got = await this.#packed.read(into, at);
      this.readBytes += got.length;
      return got;
    }
    const { bytesRead } = await this.#handle.read(into, 0, into.length, at); // of a regular file less only at its end
    this.readBytes += bytesRead;
    return into.subarray(0, bytesRead);
  }

  /** As read, at once; undefined where that might hold up everybody. */
  readNow(into: Buffer, at: number): Buffer | undefined {
    if (!this.#local) return undefined;
    const began = performance.now();
    if (began < this.#avoidUntil) return undefined;
    const size = readSync(this.#handle.fd, into, 0, into.length, at);
    const ended = performance.now();
    if (ended - began > SLOW_READ_MS) {
      this.#avoidUntil = ended + this.#avoidMs;
      this.#avoidMs = Math.min(MAX_AVOID_MS, this.#avoidMs * 2);
    }
    this.readBytes += size;
    return into.subarray(0, size);
  }

  /** Does the file still begin as it did? A beginning that was short is learnt further. */
  async sameHead(): Promise<boolean> {
    const head = await this.read(Buffer.alloc(HEAD_BYTES), 0);
    if (head.length < this.#headLength || fingerprint(head, 0, this.#headLength) !== this.#head) return false;
    this.#learn(head);
    return true;
  }

  get headIsShort(): boolean { return this.#headLength < HEAD_BYTES; }

  /** Takes the first bytes as the beginning of a file that was empty until now. */
  learnFirst(first: Buffer): void {
    if (this.#headLength === 0) this.#learn(first.subarray(0, HEAD_BYTES));
  }

  #learn(head: Buffer): void {
    this.#headLength = head.length;
    this.#head = fingerprint(head);
  }

  /** After the file was emptied: what it holds now is another beginning. */
  async forgetHead(): Promise<void> {
    this.#headLength = 0;
    this.#head = NO_HEAD;
    await this.sameHead();
    await this.state();
  }

  /** The mark of a place whose bytes before it are fingerprinted already. */
  mark(source: string, offset: number, tailLength: number, tail: number): Mark {
    return { source, ino: this.ino, bornAt: this.bornAt, changedAt: this.#changedAt, offset, headLength: this.#headLength, head: this.#head, tailLength, tail };
  }

  /** The mark of any place; reads the few bytes before it. */
  async markAt(source: string, offset: number): Promise<Mark> {
    const before = await this.before(offset);
    return this.mark(source, offset, before.length, fingerprint(before));
  }

  /** The last bytes before a place: at most TAIL_BYTES. */
  async before(offset: number): Promise<Buffer> {
    const size = Math.min(TAIL_BYTES, offset);
    return this.read(Buffer.alloc(size), offset - size);
  }

  /** Does this file hold what the mark saw before its place? A mark of an empty file fits only the very same file. */
  async holds(mark: Mark): Promise<boolean> {
    if (mark.headLength === 0) return mark.offset === 0 && mark.ino === this.ino && mark.bornAt === this.bornAt;
    if (!this.packed && (await this.state()).sizeBytes < mark.offset) return false;
    const head = await this.read(Buffer.alloc(mark.headLength), 0);
    if (head.length < mark.headLength || fingerprint(head) !== mark.head) return false;
    const tail = await this.read(Buffer.alloc(mark.tailLength), mark.offset - mark.tailLength);
    return tail.length === mark.tailLength && fingerprint(tail) === mark.tail;
  }
}
