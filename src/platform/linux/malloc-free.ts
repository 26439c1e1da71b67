// Owns how much memory the C library of a process holds that the process uses for nothing: what is freed goes back to its lists, not to the kernel.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** A piece of memory of glibc begins with two words: what lies before it, and its own size in bytes with three flags below. */
const BEFORE_IN_USE = 0x1, FLAGS = 0x7, NOT_OF_THE_HEAP = 0x6;
const LEAST_PIECE_BYTES = 32, PIECE_STEP_BYTES = 16, SIZE_AT = 8;
/** Smaller ones are hardly a share of what a snapshot leaves, and lie between what is in use. */
const LEAST_FREE_BYTES = 4_096;
const MEMORY_PAGE_BYTES = 4_096, ENTRY_BYTES = 8;
/** The highest byte of a page's entry: it is in memory, or swapped out. */
const PRESENT = 0x80;
const BLOCK_BYTES = 64 * 1024, BLOCKS_A_TURN = 64;
/** 1 GiB is read at most; what lies behind is not counted, so that less is told than there is. */
const MAX_BLOCKS = 16_384;
/** The app runs on, and joins and splits pieces while we walk: then the way is lost, and begun again. */
const MAX_TRIES = 12;

/** Memory that is there, free, and used again before the kernel is asked for more; 0 where nobody knows: another C library (musl, jemalloc), not ours to read, changed under our eyes. Only looks: the app neither stops nor notices. */
export async function mallocFreeBytes(pid: number, signal: AbortSignal): Promise<number> {
  let mem: number | undefined;
  try {
    const heap = heapRange(readFileSync(`/proc/${pid}/maps`, 'latin1'));
    if (heap === undefined) return 0;
    mem = openSync(`/proc/${pid}/mem`, 'r');
    let free: readonly Piece[] | undefined;
    for (let tries = 0; free === undefined && tries < MAX_TRIES; tries += 1) free = await freePieces(new Words(mem, heap.to), heap, signal);
    return residentBytes(pid, free ?? []);
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && !signal.aborted) return 0;
    throw error;
  } finally {
    if (mem !== undefined) closeSync(mem);
  }
}

interface Piece { readonly from: number; readonly to: number }

/** The kernel may show it in several parts, side by side. */
export function heapRange(maps: string): Piece | undefined {
  const parts = [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 +\[heap\]$/gm)].map(([, from = '', to = '']) => ({ from: parseInt(from, 16), to: parseInt(to, 16) }));
  const [first] = parts;
  if (first === undefined) return undefined;
  let to = first.to;
  for (const part of parts) if (part.from === to) to = part.to;
  return { from: first.from, to };
}

/** From its first piece to its last, each beginning where the one before ends. A piece says of the one before whether that is in use. undefined where the way is lost. */
export async function freePieces(words: { sizeAt(at: number): number; readonly blocks: number }, heap: Piece, signal: AbortSignal): Promise<Piece[] | undefined> {
  const free: Piece[] = [];
  let at = heap.from, turned = 0;
  for (let size = words.sizeAt(at); ; ) {
    const bytes = size - (size & FLAGS), next = at + bytes;
    if (bytes < LEAST_PIECE_BYTES || bytes % PIECE_STEP_BYTES > 0 || next > heap.to || (size & NOT_OF_THE_HEAP) > 0) return undefined;
    // The last one is what has not been given out yet.
    if (next + PIECE_STEP_BYTES > heap.to) { free.push({ from: at, to: next }); return free; }
    size = words.sizeAt(next);
    if ((size & BEFORE_IN_USE) === 0 && bytes >= LEAST_FREE_BYTES) free.push({ from: at, to: next });
    at = next;
    if (words.blocks >= MAX_BLOCKS) return free;
    if (words.blocks - turned >= BLOCKS_A_TURN) { turned = words.blocks; await turn(); signal.throwIfAborted(); }
  }
}

class Words {
  readonly #mem: number;
  readonly #end: number;
  readonly #block = Buffer.alloc(BLOCK_BYTES);
  #from = 0;
  #to = 0;
  blocks = 0;

  constructor(mem: number, end: number) {
    this.#mem = mem;
    this.#end = end;
  }

  /** Of the piece that begins there; 0 where nothing can be read, or it is larger than any can be. */
  sizeAt(piece: number): number {
    const at = piece + SIZE_AT;
    if (at < this.#from || at + 8 > this.#to) {
      this.blocks += 1;
      this.#from = at;
      this.#to = at + readSync(this.#mem, this.#block, 0, Math.min(BLOCK_BYTES, this.#end - at), at);
      if (at + 8 > this.#to) return 0;
    }
    const high = this.#block.readUInt32LE(at - this.#from + 4);
    // Beyond 2 TiB it is no size.
    return high > 0x1ff ? 0 : high * 2 ** 32 + this.#block.readUInt32LE(at - this.#from);
  }
}

/** Whole pages of them that are in memory. */
function residentBytes(pid: number, pieces: readonly Piece[]): number {
  const map = openSync(`/proc/${pid}/pagemap`, 'r');
  const entries = Buffer.alloc(BLOCK_BYTES);
  let pages = 0;
  try {
    for (const { from, to } of pieces) {
      const last = Math.floor(to / MEMORY_PAGE_BYTES);
      for (let page = Math.ceil(from / MEMORY_PAGE_BYTES); page < last;) {
        const got = readSync(map, entries, 0, Math.min(BLOCK_BYTES, (last - page) * ENTRY_BYTES), page * ENTRY_BYTES);
        if (got < ENTRY_BYTES) break;
        for (let at = ENTRY_BYTES - 1; at < got; at += ENTRY_BYTES) if (((entries[at] as number) & PRESENT) > 0) pages += 1;
        page += Math.floor(got / ENTRY_BYTES);
      }
    }
  } finally {
    closeSync(map);
  }
  return pages * MEMORY_PAGE_BYTES;
}
