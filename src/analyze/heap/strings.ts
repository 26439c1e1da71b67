// Owns the strings of a snapshot: where each begins, its text only when it is asked for. They stay in the file, or in the bytes that a stream brought.
import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes of the snapshot by their place in it. */
export interface SnapshotBytes {
  /** Up to `length` bytes from `at` on; fewer only at the end. The view is valid until the next call. */
  read(at: number, length: number): Uint8Array;
  close(): void;
}

/** At 16 KB a string a block stays below 4 GiB. */
const BLOCK_SHIFT = 14;
const BLOCK_STARTS = 1 << BLOCK_SHIFT;
const BLOCK_BYTES = 1 << 16;
const KEPT_BLOCKS = 64;
const KEPT_TEXTS = 20_000;
/** V8 cuts strings at 1,024 signs, each at most 12 bytes as JSON (a surrogate pair, escaped). */
const MAX_TEXT_BYTES = 1 << 14;

interface Block { readonly first: number; readonly from: Uint32Array }
/** All of a table but the bytes: it can be sent to another thread. */
export interface StringPlaces { readonly blocks: readonly Block[]; readonly ephemerons: Set<number>; readonly length: number }

export class StringTable {
  /** Places from the first of their block on: 4 bytes a string, and nothing is copied while they grow. */
  readonly #blocks: Block[];
  readonly #texts = new Map<number, string>();
  #bytes: SnapshotBytes | undefined;
  /** Strings that may be names of WeakMap edges: they begin with a digit and end with a bracket. */
  readonly ephemerons: Set<number>;
  readonly #shared: boolean;
  length: number;

  /** `shared`: another thread may look at its places. `known`: what such a one knows already. */
  constructor(shared = false, { blocks, ephemerons, length }: StringPlaces = { blocks: [], ephemerons: new Set(), length: 0 }) { this.#shared = shared; this.#blocks = [...blocks]; this.ephemerons = ephemerons; this.length = length; }

  get places(): StringPlaces { return { blocks: this.#blocks, ephemerons: this.ephemerons, length: this.length }; }

  add(start: number): void {
    const at = this.length & (BLOCK_STARTS - 1);
    if (at === 0) this.#blocks.push({ first: start, from: new Uint32Array(this.#shared ? new SharedArrayBuffer(4 * BLOCK_STARTS) : new ArrayBuffer(4 * BLOCK_STARTS)) });
    const block = this.#blocks[this.length++ >>> BLOCK_SHIFT] as Block;
    block.from[at] = start - block.first;
  }

  /** Bytes from the begin of a text to that of the next one; of the last: what its longest would have. */
  span(index: number): number {
    return index + 1 < this.length ? this.#start(index + 1) - this.#start(index) : index < this.length ? 32 : 0;
  }

  #start(index: number): number {
    const block = this.#blocks[index >>> BLOCK_SHIFT] as Block;
    return block.first + (block.from[index & (BLOCK_STARTS - 1)] as number);
  }

  /** From then on texts can be asked for. */
  open(bytes: SnapshotBytes): void { this.#bytes = bytes; }

  close(): void { this.#bytes?.close(); this.#bytes = undefined; }

  text(index: number): string {
    const known = this.#texts.get(index);
    if (known !== undefined) return known;
    const text = index < this.length ? this.#decode(this.#start(index)) : `(text ${index} is missing)`;
    if (this.#texts.size >= KEPT_TEXTS) this.#texts.clear();
    this.#texts.set(index, text);
    return text;
  }

  #decode(start: number): string {
    if (this.#bytes === undefined) return '(closed)';
    for (let length = 256; ; length *= 8) {
      const bytes = this.#bytes.read(start, Math.min(length, MAX_TEXT_BYTES));
      const end = closing(bytes);
      if (end >= 0) return unescaped(bytes.subarray(0, end));
      if (length >= MAX_TEXT_BYTES || bytes.length < length) return `${unescaped(bytes)}…`;
    }
  }
}

function closing(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === 92) i++;
    else if (bytes[i] === 34) return i;
  }
  return -1;
}

function unescaped(bytes: Uint8Array): string {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (!raw.includes('\\')) return raw;
  try {
    return String(JSON.parse(`"${raw}"`));
  } catch {
    // Damaged escapes, or a control character as it is: the raw text says enough.
    return raw;
  }
}

/** A file, in blocks: names lie close together. */
export function fileBytes(path: string): SnapshotBytes {
  const file = openSync(path, 'r');
  const blocks = new Map<number, Uint8Array>();
  const block = (number: number): Uint8Array => {
    const known = blocks.get(number);
    if (known !== undefined) return known;
    if (blocks.size >= KEPT_BLOCKS) blocks.clear();
    const bytes = Buffer.alloc(BLOCK_BYTES);
    const made = bytes.subarray(0, readSync(file, bytes, 0, BLOCK_BYTES, number * BLOCK_BYTES));
    blocks.set(number, made);
    return made;
  };
  return {
    read(at, length) {
      const first = Math.floor(at / BLOCK_BYTES);
      const offset = at - first * BLOCK_BYTES;
      const own = block(first);
      if (offset + length <= own.length) return own.subarray(offset, offset + length);
      const joined = Buffer.concat([own.subarray(offset), block(first + 1)]);
      return joined.subarray(0, length);
    },
    close() { closeSync(file); },
  };
}

/** What a stream brought from `from` on, kept in memory. */
export function keptBytes(from: number, chunks: readonly Uint8Array[]): SnapshotBytes {
  const starts: number[] = [];
  let at = from;
  for (const chunk of chunks) { starts.push(at); at += chunk.length; }
  const holding = (place: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= place) low = middle; else high = middle - 1;
    }
    return low;
  };
  return {
    read(place, length) {
      const parts: Uint8Array[] = [];
      let missing = length;
      let index = holding(place);
      let offset = place - (starts[index] ?? 0);
      while (missing > 0 && index < chunks.length) {
        const part = (chunks[index] as Uint8Array).subarray(offset, offset + missing);
        parts.push(part);
        missing -= part.length; offset = 0; index++;
      }
      return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    },
    close() { /* The bytes go with their last user. */ },
  };
}
