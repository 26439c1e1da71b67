// Owns the question whether a copy-on-write child fits into the memory that is left, for the machine and for the target's own control groups.
import { bytes } from '../../../shared/units.ts';
import { memoryGroups, memoryRow, parseLimit, parseMemory } from '../../parse/proc-host.ts';
import { readText } from '../read.ts';
import { Refused } from './refused.ts';

/** A page table entry is 8 bytes for a page of 4,096. */
const PAGE_TABLE_SHARE = 1 / 512;
/** While the copy is written the app goes on writing into its memory, and each page it touches is doubled: a quarter of what is its own is a heavy writer for the seconds this takes. */
const TOUCHED_SHARE = 0.25;
const SPARE_BYTES = 32 * 1024 * 1024;
/** Read while the process stands still, at about 2 GB/s: so much takes some 30 ms. */
export const PAUSE_LIMIT_BYTES = 64 * 1024 * 1024;
/** Our own process of Node, and 6 MiB for what the kernel tells. */
const OWN_BYTES = 64 * 1024 * 1024;
/** Below this, while the copy is written, it is given up: a busy app can double 10 to 20 MB in the time of one piece. */
const FLOOR_BYTES = 48 * 1024 * 1024;

/** Bytes that can still be taken before the machine or one of the target's memory groups is full. Pages of files that the kernel would drop first count as free. */
export function headroomBytes(pid: number): number {
  const machine = parseMemory(readText('/proc/meminfo') ?? '');
  let least = machine === undefined ? 0 : machine.totalBytes - machine.usedBytes;
  for (const group of memoryGroups(readText(`/proc/${pid}/cgroup`) ?? '', readText('/proc/self/mountinfo') ?? '')) {
    const limit = parseLimit(readText(group.limit) ?? '');
    const used = parseLimit(readText(group.used) ?? '');
    if (limit === undefined || used === undefined) continue;
    least = Math.min(least, limit - used + (memoryRow(readText(group.details) ?? '', group.inactive) ?? 0));
  }
  return least;
}

/** What the child can cost beside the app, at most likely. `ownBytes`: the app's anonymous memory; `residentBytes`: all of it. */
export function childBytes(residentBytes: number, ownBytes: number): number {
  return Math.round(residentBytes * PAGE_TABLE_SHARE + ownBytes * TOUCHED_SHARE + SPARE_BYTES);
}

/** @throws Refused when it would be too tight */
export function demandRoom(pid: number, residentBytes: number, ownBytes: number): void {
  const need = childBytes(residentBytes, ownBytes);
  const free = headroomBytes(pid);
  if (free < need) throw new Refused('no-memory', `a copy of the process may need ${bytes(need)} more memory and ${bytes(Math.max(0, free))} are left`);
}

/** What a copy made while the process runs costs beside it: our own process, what it reads in the pause, and the kernel's answers. */
export const trackingBytes = (): number => PAUSE_LIMIT_BYTES + OWN_BYTES;

/** @throws Refused when that would be too tight */
export function demandTrackingRoom(pid: number): void {
  const free = headroomBytes(pid);
  if (free < trackingBytes()) throw new Refused('no-memory', `the writer needs ${bytes(trackingBytes())} of memory and ${bytes(Math.max(0, free))} are left`);
}

/** Does a kernel of this release tell which pages were written (PAGEMAP_SCAN came with Linux 6.7). @param release as uname gives it */
export function tracksWrites(release: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map(Number.parseFloat);
  return major > 6 || (major === 6 && minor >= 7);
}

/** Looked at between pieces of the copying. */
export const tooTight = (pid: number): boolean => headroomBytes(pid) < FLOOR_BYTES;
