// Owns what is remembered of each block of a log file: its times, its status keys, and small filters of what failed, so that a search leaves out blocks that cannot hold a row.
import { ABSENT } from '../columns.ts';

/** A row belongs to the block that its first byte lies in. */
export const BLOCK_BYTES = 2 ** 20;
/** 64 GiB of log; what lies beyond is read without an index. */
export const MAX_BLOCKS = 65_536;
/** Status keys told apart per file; further ones share the last bit, which is never left out. */
export const MAX_KEYS = 63;
const OTHER_KEY = 63;
/** Changes of `#Fields:` told apart; blocks behind further ones stay unknown. */
export const MAX_HEADS = 64;
const MAX_HEAD_CHARS = 16_384;

/** Bits of a Bloom filter; with three bits a text it tells apart some 100 failed routes of a block with 8 % of false hits. */
const BLOOM_BITS = 512;
export const BLOOM_WORDS = BLOOM_BITS / 32;

const UNKNOWN = 0xFFFF_FFFF;
export const NO_HEAD = 0xFFFF;

export interface StatusKey { readonly status: number; readonly sub: number; readonly win32: number }

/** The columns of the table, in the order in which they are kept on disk. */
export interface BlockColumns {
  readonly firstAt: Float64Array;
  readonly lastAt: Float64Array;
  /** UNKNOWN: nothing is known of the block. */
  readonly rows: Uint32Array;
  /** The longest time-taken in ms, rounded up; 0 without any. */
  readonly maxTaken: Uint32Array;
  /** Which of `keys` occur, two words a block. */
  readonly statuses: Uint32Array;
  readonly failedRoutes: Uint32Array;
  readonly failedClients: Uint32Array;
  /** What a reader needs that begins at the block's first line: place in `heads`, or NO_HEAD. */
  readonly head: Uint16Array;
}

/** What is known of the blocks [first, blocks). Plain values and typed arrays: can be cloned and sent to another thread. */
export interface BlockIndexState { readonly first: number; readonly blocks: number; readonly columns: BlockColumns; readonly keys: readonly StatusKey[]; readonly heads: readonly string[] }

/** Values of a column per block. */
export const EACH: Readonly<Record<keyof BlockColumns, number>> = { firstAt: 1, lastAt: 1, rows: 1, maxTaken: 1, statuses: 2, failedRoutes: BLOOM_WORDS, failedClients: BLOOM_WORDS, head: 1 };

export function newBlockColumns(capacity: number): BlockColumns {
  const words = (each: number): Uint32Array => new Uint32Array(capacity * each);
  return {
    firstAt: new Float64Array(capacity), lastAt: new Float64Array(capacity), rows: words(1).fill(UNKNOWN), maxTaken: words(1),
    statuses: words(2), failedRoutes: words(BLOOM_WORDS), failedClients: words(BLOOM_WORDS), head: new Uint16Array(capacity).fill(NO_HEAD),
  };
}

export class BlockIndex {
  columns: BlockColumns = newBlockColumns(64);
  /** One more than the last block that is known. */
  blocks = 0;
  known = 0;
  readonly keys: StatusKey[] = [];
  readonly heads: string[] = [];
  readonly #bits = new Map<string, number>();

  state(first = 0): BlockIndexState {
    const { blocks, keys, heads, columns } = this;
    const part = newBlockColumns(Math.max(0, blocks - first));
    for (const name of Object.keys(part) as (keyof BlockColumns)[]) {
      const each = EACH[name];
      part[name].set(columns[name].subarray(first * each, Math.max(first, blocks) * each));
    }
    return { first, blocks, columns: part, keys, heads };
  }

  has(block: number): boolean {
    return block < this.blocks && this.columns.rows[block] !== UNKNOWN;
  }

  /** What a reader needs that begins at the block; undefined where it needs nothing. Only of known blocks. */
  headOf(block: number): string | undefined {
    return this.heads[this.columns.head[block] as number];
  }

  /** Bit of a status key: its own, or OTHER_KEY's when there are too many. */
  bitOf(status: number, sub: number, win32: number): number {
    const name = `${status}.${sub}.${win32}`;
    const known = this.#bits.get(name);
    if (known !== undefined) return known;
    if (this.keys.length >= MAX_KEYS) return OTHER_KEY;
    const bit = this.keys.length;
    this.keys.push({ status, sub, win32 });
    this.#bits.set(name, bit);
    return bit;
  }

  /** Place of a head in `heads`; undefined when there are too many or it is too long to be kept. */
  placeOf(head: string | undefined): number | undefined {
    if (head === undefined) return NO_HEAD;
    const found = this.heads.indexOf(head);
    if (found >= 0) return found;
    if (this.heads.length >= MAX_HEADS || head.length > MAX_HEAD_CHARS) return undefined;
    return this.heads.push(head) - 1;
  }

  /** Makes room for a block; false where it lies beyond what is kept. */
  reach(block: number): boolean {
    if (block >= MAX_BLOCKS) return false;
    const old = this.columns;
    if (block < old.rows.length) return true;
    const grown = newBlockColumns(Math.min(MAX_BLOCKS, Math.max(block + 1, old.rows.length * 2)));
    for (const name of Object.keys(old) as (keyof BlockColumns)[]) grown[name].set(old[name]);
    this.columns = grown;
    return true;
  }

  /** From now on the block is known: what its columns hold is whole. */
  settle(block: number, rows: number): void {
    if (!this.has(block)) this.known += 1;
    this.columns.rows[block] = rows;
    this.blocks = Math.max(this.blocks, block + 1);
  }

  /** Takes over blocks that another index of the same file knows, such as a thread's that read a part of it, or the one on disk. */
  merge({ first, blocks, columns: from, keys, heads }: BlockIndexState): void {
    const bits = keys.map(({ status, sub, win32 }) => this.bitOf(status, sub, win32));
    const places = heads.map((head) => this.placeOf(head));
    for (let block = first; block < blocks; block += 1) {
      const rows = from.rows[block - first] as number;
      if (rows === UNKNOWN || this.has(block) || !this.reach(block)) continue;
      const place = from.head[block - first] as number;
      const head = place === NO_HEAD ? NO_HEAD : places[place];
      if (head === undefined) continue;
      this.#take(from, block - first, block, bits);
      this.columns.head[block] = head;
      this.settle(block, rows);
    }
  }

  #take(from: BlockColumns, there: number, block: number, bits: readonly number[]): void {
    const to = this.columns;
    to.firstAt[block] = from.firstAt[there] as number;
    to.lastAt[block] = from.lastAt[there] as number;
    to.maxTaken[block] = from.maxTaken[there] as number;
    to.failedRoutes.set(from.failedRoutes.subarray(there * BLOOM_WORDS, (there + 1) * BLOOM_WORDS), block * BLOOM_WORDS);
    to.failedClients.set(from.failedClients.subarray(there * BLOOM_WORDS, (there + 1) * BLOOM_WORDS), block * BLOOM_WORDS);
    to.statuses.fill(0, block * 2, block * 2 + 2);
    for (let bit = 0; bit <= OTHER_KEY; bit += 1) if (hasBit(from.statuses, there * 2, bit)) setBit(to.statuses, block * 2, bits[bit] ?? OTHER_KEY);
  }
}

export function hasBit(words: Uint32Array, start: number, bit: number): boolean {
  return ((words[start + (bit >>> 5)] as number) >>> (bit & 31) & 1) === 1;
}

export function setBit(words: Uint32Array, start: number, bit: number): void {
  words[start + (bit >>> 5)] = (words[start + (bit >>> 5)] as number) | 1 << (bit & 31);
}

export function addToBloom(words: Uint32Array, block: number, hash: number): void {
  for (let shift = 0; shift < 27; shift += 9) setBit(words, block * BLOOM_WORDS, hash >>> shift & BLOOM_BITS - 1);
}

export function inBloom(words: Uint32Array, block: number, hash: number): boolean {
  for (let shift = 0; shift < 27; shift += 9) if (!hasBit(words, block * BLOOM_WORDS, hash >>> shift & BLOOM_BITS - 1)) return false;
  return true;
}

/** Hash of a name as the Bloom filters hold it: ASCII letters without case, as a filter compares them. */
export function nameHash(name: string): number {
  let hash = 0x811C9DC5;
  for (let i = 0; i < name.length; i += 1) {
    const code = name.charCodeAt(i);
    hash = Math.imul(hash ^ (code >= 65 && code <= 90 ? code + 32 : code), 0x01000193);
  }
  hash = Math.imul(hash ^ hash >>> 16, 0x85EBCA6B);
  return hash ^ hash >>> 13;
}

/** Hash of a route with its method, from the hashes of both. */
export function pairHash(method: number, route: number): number {
  const mixed = Math.imul(method ^ Math.imul(route, 0x9E3779B1), 0xC2B2AE35);
  return mixed ^ mixed >>> 15;
}

export const ABSENT_NAME = nameHash('-');
/** Time-taken as the table holds it. */
export function ceilTaken(taken: number): number {
  return taken === ABSENT ? 0 : Math.min(UNKNOWN, Math.ceil(taken));
}
