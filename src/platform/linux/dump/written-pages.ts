// Owns the kernel's record of which pages a process has written: a userfaultfd of the target in our hands, read by PAGEMAP_SCAN (Linux 6.7 and later).
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemCallError } from './libc.ts';
import type { Libc } from './libc.ts';
import { lead, leftStub } from './put-back.ts';
import type { Target } from './put-back.ts';
import type { Range } from './ranges.ts';
import { Refused } from './refused.ts';
import { SYS } from './stub.ts';

/** include/uapi/linux/userfaultfd.h and fs.h. Faults in the kernel need no right here: with asynchronous protection it lets every write pass by itself, and marks the page. */
const USER_MODE_ONLY = 1, CLOEXEC = 0o2000000, NONBLOCK = 0o4000;
const UFFDIO_API = 0xc018_aa3f, UFFDIO_REGISTER = 0xc020_aa00, UFFDIO_UNREGISTER = 0x8010_aa01, UFFDIO_WRITEPROTECT = 0xc018_aa06;
const API = 0xaan, WP_ASYNC = 1n << 15n, MODE_WP = 2n;
const PAGEMAP_SCAN = 0xc060_6610;
const SCAN_BYTES = 96, REGION_BYTES = 24;
const WP_MATCHING = 1;
const IS_TRACKED = 1, IS_WRITTEN = 2, IS_PRESENT = 8, IS_SWAPPED = 16, IS_ZERO_PAGE = 32;
/** Runs of pages in one answer of the kernel: 6 MiB of them. */
const REGIONS = 262_144;
/** Taken off in pieces, so that the app's own mappings never wait for more than a few milliseconds. */
const RELEASE_BYTES = 16 * 1024 * 1024;
const TRIES = 400;
const BETWEEN_MS = 5;
const LINK = 'anon_inode:[userfaultfd]';

export const STAYS_OPEN = 'a descriptor of ours (userfaultfd), which does nothing, stays open in the app until it ends';

/** A run of pages. `changed`: written since it was last protected, or not under watch at all. */
export interface Run extends Range { readonly changed: boolean }

/** The target's userfaultfds: none in most programs. */
export function userfaultfdsOf(pid: number): number[] {
  const found: number[] = [];
  for (const fd of listed(`/proc/${pid}/fd`)) if (linkOf(`/proc/${pid}/fd/${fd}`) === LINK) found.push(Number(fd));
  return found;
}

function listed(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EACCES') throw new Refused('denied', 'the descriptors of the process cannot be listed: it runs as another user', { cause: error });
    throw new Refused('gone', 'the process ended meanwhile', { cause: error });
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;                                          // closed in between
  }
}

/** Of one process, from `open` to `close`. When this process dies the kernel takes everything off by itself. */
export class WrittenPages {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #pagemap: number;
  readonly #registered: Range[] = [];
  #isClosed = false;
  readonly #regions = Buffer.alloc(REGIONS * REGION_BYTES);
  readonly #words = new Uint32Array(this.#regions.buffer, this.#regions.byteOffset, REGIONS * REGION_BYTES / 4);
  readonly #order = Buffer.alloc(SCAN_BYTES);

  /** The target still has the descriptor too: no thread of it could be led aside to close it. */
  readonly staysOpen: boolean;

  private constructor(libc: Libc, pid: number, fd: number, staysOpen: boolean) {
    this.staysOpen = staysOpen;
    this.#libc = libc;
    this.#fd = fd;
    this.#pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  }

  /** One sleeping thread of the target opens it, we take it over, and one closes it again. @throws Refused where kernel or filter do not have it; then nothing is left */
  static async open(target: Target): Promise<WrittenPages> {
    const { libc, pid, step } = target;
    const opened = await openedIn(target);
    step('record opened');
    const own = take(libc, pid, opened);
    step('record taken');
    const left = await closeIn(target);
    if (typeof own === 'string') throw new Refused('untracked', `the kernel does not hand over a descriptor of the process (${own})${left > 0 ? `; ${STAYS_OPEN}` : ''}`);
    try {
      const api = Buffer.alloc(24);
      api.writeBigUInt64LE(API, 0);
      api.writeBigUInt64LE(WP_ASYNC, 8);
      libc.call('userfaultfd', SYS.ioctl, own, UFFDIO_API, libc.addressOf(api));
      return new WrittenPages(libc, pid, own, left > 0);
    } catch (error) {
      closeSync(own);
      throw new Refused('untracked', `this kernel does not tell which pages a process has written (${said(error)}): it takes Linux 6.7 or later`);
    }
  }

  /** Puts a mapping under watch; false when the kernel does not do it for this kind. */
  watch({ from, to }: Range): boolean {
    const order = Buffer.alloc(32);
    order.writeBigUInt64LE(BigInt(from), 0);
    order.writeBigUInt64LE(BigInt(to - from), 8);
    order.writeBigUInt64LE(MODE_WP, 16);
    try {
      this.#libc.call('register', SYS.ioctl, this.#fd, UFFDIO_REGISTER, this.#libc.addressOf(order));
    } catch (error) {
      if (error instanceof SystemCallError) return false;
      throw error;
    }
    this.#registered.push({ from, to });
    return true;
  }

  /** Runs of watched pages that were written since this was last asked; from now on they count as not written. A page that is told and then read has either the content that is read or is told again. */
  * takeWritten(from: number, to: number): Generator<readonly [number, number]> {
    for (const run of this.#scan(from, to, { flags: WP_MATCHING, mask: IS_TRACKED | IS_WRITTEN, any: IS_PRESENT | IS_SWAPPED })) if ((run.is & IS_ZERO_PAGE) === 0) yield [run.from, run.to];
  }

  /** Every run of pages that holds something, with the question whether it must be read again. For a target that stands still. */
  all(): Run[] {
    const runs: Run[] = [];
    for (const { from, to, is } of this.#scan(0, ADDRESSES, { flags: 0, mask: 0, any: IS_PRESENT | IS_SWAPPED })) {
      if ((is & IS_ZERO_PAGE) === 0) runs.push({ from, to, changed: (is & IS_TRACKED) === 0 || (is & IS_WRITTEN) !== 0 });
    }
    return runs;
  }

  /** Takes everything off; what the app has unmapped meanwhile is off already. The app is let through between the pieces: a loop of such calls would keep it from its own mappings. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    let done = 0;
    for (const { from, to } of this.#registered) {
      for (let at = from; at < to; at += RELEASE_BYTES) {
        const end = Math.min(to, at + RELEASE_BYTES);
        // The protection goes first, beside the app's own work: what is left for the call that shuts it out is little.
        this.#range(UFFDIO_WRITEPROTECT, at, end);
        this.#range(UFFDIO_UNREGISTER, at, end);
        done += end - at;
        if (done >= RELEASE_BYTES) { rest(); done = 0; }
      }
    }
    closeSync(this.#fd);
    closeSync(this.#pagemap);
  }

  #range(request: number, from: number, to: number): void {
    const order = Buffer.alloc(24);
    order.writeBigUInt64LE(BigInt(from), 0);
    order.writeBigUInt64LE(BigInt(to - from), 8);
    try {
      this.#libc.call('release', SYS.ioctl, this.#fd, request, this.#libc.addressOf(order));
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;    // closing takes off what is left
    }
  }

  * #scan(from: number, to: number, { flags, mask, any }: { flags: number; mask: number; any: number }): Generator<Range & { readonly is: number }> {
    const order = this.#order;
    for (let at = from; at < to;) {
      [SCAN_BYTES, flags, at, to, 0].forEach((word, i) => { order.writeBigUInt64LE(BigInt(word), i * 8); });
      order.writeBigUInt64LE(this.#libc.addressOf(this.#regions), 40);
      [REGIONS, 0, 0, mask, any, IS_TRACKED | IS_WRITTEN | IS_ZERO_PAGE].forEach((word, i) => { order.writeBigUInt64LE(BigInt(word), 48 + i * 8); });
      const count = this.#libc.call('scan of the pages', SYS.ioctl, this.#pagemap, PAGEMAP_SCAN, this.#libc.addressOf(order));
      for (let i = 0; i < count; i += 1) yield { from: this.#word(i * 6), to: this.#word(i * 6 + 2), is: this.#words[i * 6 + 4] as number };
      // Where the walk ended is told rightly only when there was no room for more: after a whole walk some kernels (6.18) leave a place in its middle there.
      const end = Number(order.readBigUInt64LE(32));
      if (count < REGIONS - 1 || end <= at) return;
      at = end;
    }
  }

  #word(at: number): number { return (this.#words[at] as number) + (this.#words[at + 1] as number) * 0x1_0000_0000; }
}

/** End of what a program can map (47 bits; the kernel gives more only to who asks for it). */
const ADDRESSES = 2 ** 47 - 4_096;

const RESTING = new Int32Array(new SharedArrayBuffer(4));
const REST_MS = 0.2;
function rest(): void { Atomics.wait(RESTING, 0, 0, REST_MS); }

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function openedIn(target: Target): Promise<number> {
  if (!lead(target, [{ number: SYS.userfaultfd, a: USER_MODE_ONLY | CLOEXEC | NONBLOCK, b: 0, c: 0 }])) throw new Refused('busy', 'no thread of the process stands where it can be led aside');
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    // Asked first: a thread that is back has made the call, so what is not there then does not come.
    const isBack = leftStub(target);
    const [opened] = oursIn(target);
    if (opened !== undefined) return opened;
    if (isBack) break;
    await sleep(BETWEEN_MS);
  }
  throw new Refused('untracked', 'the kernel gave the process no userfaultfd: a filter forbids it, it was built without, or the process may open no more files');
}

const oursIn = ({ pid, had }: Target): number[] => userfaultfdsOf(pid).filter((fd) => !had.includes(fd));

/** Our own descriptor of what stands behind theirs; in words why there is none. */
function take(libc: Libc, pid: number, theirs: number): number | string {
  let process: number | undefined;
  try {
    process = libc.call('pidfd_open', SYS.pidfdOpen, pid, 0);
    return libc.call('pidfd_getfd', SYS.pidfdGetfd, process, theirs, 0);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return error.message;
  } finally {
    if (process !== undefined) closeSync(process);
  }
}

/** What we opened in the target is closed there; also after a writer that was killed. Descriptors that are left. */
export async function closeIn(target: Target): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    const left = oursIn(target);
    if (left.length === 0 || attempt >= TRIES) return left.length;
    if (leftStub(target)) lead(target, left.map((fd) => ({ number: SYS.close, a: fd, b: 0, c: 0 })));
    await sleep(attempt === 0 ? 1 : BETWEEN_MS);
  }
}
