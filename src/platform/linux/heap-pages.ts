// Owns what a V8 heap is made of, seen from outside while the app runs on: some pages of its old space are walked object by object.
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { HeapDensity } from '../platform.ts';
import { PAGE_BYTES, PageWalk } from './heap-walk.ts';
import { mallocFreeBytes } from './malloc-free.ts';
import { MemoryLook, type MemorySpeed } from './memory-speed.ts';

/** At least so many are walked, taken evenly over the heap, since a leak fills one end of it; and more of them until so many objects were seen: where numbers and texts fill the heap,
 *  what a snapshot costs is the few objects between them. */
const PAGES = 128, MAX_PAGES = 400, ENOUGH_OBJECTS = 60_000;
/** Places where a page may begin that are looked at: 16 GiB. */
const MAX_PLACES = 65_536;
const PLACES_A_TURN = 1_000, PAGES_A_LOOK = 16;
const SCHEDULED = '/proc/thread-self/schedstat';
const HEADER_BYTES = 64;
/** An object too large for a page has one of its own size. */
const LEAST_PAGE_BYTES = PAGE_BYTES / 2;
/** The flags of a page of the old generation for ordinary objects: not executable, not of the young generation (FROM_PAGE, TO_PAGE). */
const WATCHED = 0x04, YOUNG_OR_CODE = 0x19;

/** undefined where the memory may not be read, or holds no heap as Node 16 to 24 have it. 60 to 700 ms of work of ours; the app neither stops nor notices. */
export async function heapDensity(pid: number, signal: AbortSignal): Promise<HeapDensity | undefined> {
  let mem: number | undefined;
  try {
    const places = placesOf(readFileSync(`/proc/${pid}/maps`, 'latin1'));
    mem = openSync(`/proc/${pid}/mem`, 'r');
    const began = onProcessor();
    const density = await walked(mem, places, signal);
    const ended = onProcessor();
    if (density === undefined) return undefined;
    const freeBytes = await mallocFreeBytes(pid, signal);
    return { ...density, freeBytes, ...(ended.ranNs <= began.ranNs ? {} : { slowdown: 1 + (ended.waitedNs - began.waitedNs) / (ended.ranNs - began.ranNs) }) };
  } catch (error) {
    // Another user's, or ended meanwhile: then nobody knows, and the guard has a wider prediction.
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && !signal.aborted) return undefined;
    throw error;
  } finally {
    if (mem !== undefined) closeSync(mem);
  }
}

/** How long this thread ran, and how long it was ready and did not; all zero where the kernel does not count it. */
function onProcessor(): { readonly ranNs: number; readonly waitedNs: number } {
  const [ranNs = 0, waitedNs = 0] = existsSync(SCHEDULED) ? readFileSync(SCHEDULED, 'latin1').split(' ').map(Number) : [];
  return { ranNs, waitedNs };
}

/** Where a page of V8 may begin. */
function placesOf(maps: string): number[] {
  const all: number[] = [];
  for (const [, from = '', to = ''] of maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 *$/gm)) {
    for (let at = Math.ceil(parseInt(from, 16) / PAGE_BYTES) * PAGE_BYTES; at + LEAST_PAGE_BYTES <= parseInt(to, 16) && all.length < MAX_PLACES; at += PAGE_BYTES) all.push(at);
  }
  return all;
}

/** The same in an order whose every beginning lies evenly over all. */
function spread(pages: readonly number[]): number[] {
  const order: number[] = [];
  const place = (index: number): number => (index * 0.618_033_988_749_895) % 1;
  for (const [at, index] of [...pages.keys()].sort((a, b) => place(a) - place(b)).entries()) order[index] = pages[at] as number;
  return order;
}

async function walked(mem: number, places: readonly number[], signal: AbortSignal): Promise<HeapDensity | undefined> {
  const header = Buffer.alloc(HEADER_BYTES);
  const walk = new PageWalk((into, sizeBytes, at) => peek(mem, into, sizeBytes, at), places);
  const old: number[] = [];
  for (const [index, at] of places.entries()) {
    if (index % PLACES_A_TURN === 0) { await turn(); signal.throwIfAborted(); }
    if (peek(mem, header, HEADER_BYTES, at) && mayBeOld(header) && !walk.large(at)) old.push(at);
  }
  const memory = new MemoryLook();
  try {
    for (const [index, at] of spread(old).slice(0, MAX_PAGES).entries()) {
      if (index >= PAGES && walk.objects >= ENOUGH_OBJECTS) break;
      await turn();
      signal.throwIfAborted();
      walk.page(at);
      if (index % PAGES_A_LOOK === 0) memory.look();
    }
    return told(walk.density(), memory.speed());
  } finally {
    memory.end();
  }
}

const told = (density: HeapDensity | undefined, memory: MemorySpeed | undefined): HeapDensity | undefined => (density === undefined || memory === undefined ? density : { ...density, memory });

/** V8 9 to 11: size, flags; V8 12: flags, a pointer, size; V8 13: flags, a pointer to all else. A size is a whole number of pages of memory, flags are not. */
function mayBeOld(header: Buffer): boolean {
  const first = header.readBigUInt64LE(0);
  const flags = first % 4_096n === 0n ? header.readBigUInt64LE(8) : first;
  return flags < 0x1_0000_0000n && (Number(flags) & WATCHED) !== 0 && (Number(flags) & YOUNG_OR_CODE) === 0;
}

function peek(mem: number, into: Buffer, sizeBytes: number, at: number): boolean {
  try {
    return readSync(mem, into, 0, sizeBytes, at) === sizeBytes;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return false;        // nothing is there
    throw error;
  }
}
