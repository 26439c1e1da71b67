// Owns the file that a core is written to: past the page cache while the disk takes it quickly, else through it.
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Libc } from './libc.ts';

const PAGE_BYTES = 4_096;
/** What is gathered for one write past the page cache: smaller ones take as long as this one. */
const GATHER_BYTES = 1024 * 1024;
/** Below it the page cache takes a piece sooner than the disk. */
const DIRECT_AT_LEAST_BYTES = 128 * 1024;
/** Through the page cache: kernels that keep a write of 128 KiB or more in one large folio take three times as long for it (Linux 6.18, ext4). */
const CACHED_BYTES = 64 * 1024;
/** Through the page cache a GiB takes one to five seconds, most of it for fresh pages: a disk slower than this is better left to the kernel, which writes later. */
const DIRECT_AT_LEAST_MB_A_SECOND = 300;
const JUDGED_AFTER_BYTES = 16 * 1024 * 1024;

/** Pieces that follow each other in the file are written together. The app's memory group is not charged for what goes past the page cache, and no file of the app is driven out of it. */
export class CoreOut {
  readonly #cached: number;
  readonly #buffer: Buffer;
  #direct: number | undefined;
  #at = 0;
  #filled = 0;
  #judgedBytes = 0;
  #judgedMs = 0;

  /** @throws when there is such a file */
  constructor(path: string, libc: Libc) {
    this.#cached = openSync(path, 'wx', 0o600);
    this.#direct = openDirect(path);
    const room = Buffer.allocUnsafeSlow(GATHER_BYTES + PAGE_BYTES);
    const from = -Number(libc.addressOf(room) % BigInt(PAGE_BYTES)) & (PAGE_BYTES - 1);
    this.#buffer = room.subarray(from, from + GATHER_BYTES);
  }

  /** At most `sizeBytes` (64 KiB at most), put by `read` at the given place of its buffer, go to `at` in the file. Bytes that were read. */
  take(at: number, sizeBytes: number, read: (into: Buffer, place: number, sizeBytes: number) => number): number {
    if (at !== this.#at + this.#filled || this.#filled + sizeBytes > GATHER_BYTES) this.#flush();
    if (this.#filled === 0) this.#at = at;
    const got = read(this.#buffer, this.#filled, sizeBytes);
    this.#filled += got;
    return got;
  }

  put(bytes: Buffer, at: number): void {
    this.#flush();
    this.#throughCache(bytes, at);
  }

  /** All is in the file, which has this size then. */
  end(sizeBytes: number): void {
    this.#flush();
    ftruncateSync(this.#cached, sizeBytes);
  }

  close(): void {
    closeSync(this.#cached);
    if (this.#direct !== undefined) closeSync(this.#direct);
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#filled);
    this.#filled = 0;
    const fits = bytes.length >= DIRECT_AT_LEAST_BYTES && bytes.length % PAGE_BYTES === 0 && this.#at % PAGE_BYTES === 0;
    if (this.#direct !== undefined && fits) this.#toDisk(this.#direct, bytes);
    else this.#throughCache(bytes, this.#at);
  }

  #toDisk(direct: number, bytes: Buffer): void {
    const began = performance.now();
    let done = 0;
    try {
      // A short write leaves a rest that may not be aligned: the page cache takes it.
      done = writeSync(direct, bytes, 0, bytes.length, this.#at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
      this.#giveUpDirect(direct);
    }
    this.#judge(direct, done, performance.now() - began);
    this.#throughCache(bytes.subarray(done), this.#at + done);
  }

  #judge(direct: number, bytes: number, forMs: number): void {
    this.#judgedBytes += bytes;
    this.#judgedMs += forMs;
    if (this.#judgedBytes < JUDGED_AFTER_BYTES) return;
    if (this.#judgedBytes / 1_000 / this.#judgedMs < DIRECT_AT_LEAST_MB_A_SECOND) this.#giveUpDirect(direct);
    this.#judgedBytes = this.#judgedMs = 0;
  }

  #giveUpDirect(direct: number): void {
    closeSync(direct);
    this.#direct = undefined;
  }

  #throughCache(bytes: Buffer, at: number): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.#cached, bytes, done, Math.min(CACHED_BYTES, bytes.length - done), at + done);
  }
}

/** undefined where the file system knows no such thing, as some in memory and over a network: the other way is open already. */
function openDirect(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_DIRECT);
  } catch {
    return undefined;
  }
}
