// Owns random access to a file of any size in bounded memory: small blocks kept, large ranges handed through.
import { closeSync, fstatSync, openSync, readSync, constants } from 'node:fs';

const BLOCK_BYTES = 64 * 1024;
/** 8 MiB of blocks of a dump, 1 MiB of each binary that is open beside it; the one used longest ago goes first. */
const KEPT_BLOCKS = 128;
export const KEPT_OF_BINARY = 16;
/** No caller gets more in one piece. */
export const MAX_READ_BYTES = 16 * 1024 * 1024;

/** Exactly the bytes asked for, or undefined where they are not all there. What it gives is not to be written to. */
export interface Bytes {
  readonly sizeBytes: number;
  read(at: number, sizeBytes: number): Buffer | undefined;
}

export function memoryBytes(buffer: Buffer): Bytes {
  return { sizeBytes: buffer.length, read: (at, size) => (inside(at, size, buffer.length) ? buffer.subarray(at, at + size) : undefined) };
}

export function inside(at: number, sizeBytes: number, of: number): boolean {
  return Number.isSafeInteger(at) && Number.isSafeInteger(sizeBytes) && at >= 0 && sizeBytes >= 0 && sizeBytes <= MAX_READ_BYTES && at + sizeBytes <= of;
}

/** An open file; its owner closes it. */
export class FileBytes implements Bytes {
  readonly sizeBytes: number;
  #blocks = new Map<number, Buffer>();
  #fd: number;
  #kept: number;

  /** @throws what opening throws, and for everything that is no regular file (a path in a dump may name a device) */
  constructor(path: string, keptBlocks = KEPT_BLOCKS) {
    this.#kept = keptBlocks;
    this.#fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const facts = fstatSync(this.#fd);
    this.sizeBytes = facts.size;
    if (!facts.isFile()) { this.close(); throw new Error('not a regular file'); }
  }

  read(at: number, sizeBytes: number): Buffer | undefined {
    if (!inside(at, sizeBytes, this.sizeBytes)) return undefined;
    const first = Math.floor(at / BLOCK_BYTES);
    const last = Math.floor((at + Math.max(1, sizeBytes) - 1) / BLOCK_BYTES);
    if (last - first > 4) return this.#straight(at, sizeBytes);
    const parts: Buffer[] = [];
    for (let block = first; block <= last; block += 1) {
      const bytes = this.#block(block);
      const from = Math.max(0, at - block * BLOCK_BYTES);
      parts.push(bytes.subarray(from, Math.max(from, at + sizeBytes - block * BLOCK_BYTES)));
    }
    const [only] = parts;
    const whole = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    return whole.length === sizeBytes ? whole : undefined;     // the file became shorter meanwhile
  }

  close(): void {
    this.#blocks.clear();
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #block(index: number): Buffer {
    const kept = this.#blocks.get(index);
    if (kept !== undefined) {
      this.#blocks.delete(index);
      this.#blocks.set(index, kept);
      return kept;
    }
    const bytes = this.#straight(index * BLOCK_BYTES, Math.min(BLOCK_BYTES, this.sizeBytes - index * BLOCK_BYTES), true) ?? Buffer.alloc(0);
    this.#blocks.set(index, bytes);
    if (this.#blocks.size > this.#kept) this.#blocks.delete(this.#blocks.keys().next().value as number);
    return bytes;
  }

  #straight(at: number, sizeBytes: number, partial = false): Buffer | undefined {
    const buffer = Buffer.allocUnsafeSlow(sizeBytes);
    let done = 0;
    while (done < sizeBytes) {
      const got = readSync(this.#fd, buffer, done, sizeBytes - done, at + done);
      if (got === 0) break;
      done += got;
    }
    return done === sizeBytes ? buffer : partial ? buffer.subarray(0, done) : undefined;
  }
}

const HIGH = 0x1_0000_0000;
/** 64 bits as a number: exact up to 2^53, beyond any address of a process. */
export function u64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * HIGH;
}
export function i64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readInt32LE(at + 4) * HIGH;
}
/** One below is no address of user space on x86-64, four-level or five-level. */
export const MAX_ADDRESS = 2 ** 52;

export function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** Text up to the first zero byte. */
export function zeroEnded(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Of pieces in order of addresses, none over another: the one that holds the address. Linear search would let a hostile file take hours. */
export function holding<T extends { readonly from: number }>(ordered: readonly T[], address: number, endOf: (one: T) => number): T | undefined {
  let [low, high] = [0, ordered.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle] as T).from <= address) low = middle + 1; else high = middle;
  }
  const one = ordered[low - 1];
  return one !== undefined && address < endOf(one) ? one : undefined;
}

/** In order of addresses; what begins inside of another is left out. */
export function apart<T extends { readonly from: number }>(pieces: readonly T[], endOf: (one: T) => number): T[] {
  const out: T[] = [];
  for (const one of [...pieces].sort((a, b) => a.from - b.from)) {
    const before = out.at(-1);
    if (before === undefined || one.from >= endOf(before)) out.push(one);
  }
  return out;
}
