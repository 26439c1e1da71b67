// Owns the filling of a block index as a by-product of reading: rows pass by, whole blocks become known.
import type { Columns } from '../columns.ts';
import { FAILED_FROM } from '../filter.ts';
import { routeOf } from '../route.ts';
import { TextCache } from '../text-cache.ts';
import { neededHead } from '../heads.ts';
import { ABSENT_NAME, BLOCK_BYTES, BLOOM_WORDS, BlockIndex, addToBloom, ceilTaken, nameHash, pairHash, setBit } from './block-index.ts';
import type { BlockIndexState } from './block-index.ts';

const ROOT = nameHash('/');

/** For one thread's reading of one file. Rows come in the order of the file, each once per pass. */
export class BlockLearner {
  readonly #index: BlockIndex;
  readonly #routes = new TextCache((path) => nameHash(routeOf(path)));
  readonly #methods = new TextCache(nameHash);
  readonly #clients = new TextCache(nameHash);
  #block = -1;
  #endsAt = -1;
  /** The block is unknown and has its place in the table. */
  #taking = false;
  #rows = 0;
  #from = 0;
  #status = -1;
  #sub = -1;
  #win32 = -1;
  #bit = 0;
  /** Blocks of this pass that wait for seen(), with their rows. */
  readonly #waiting = new Map<number, number>();

  constructor(index: BlockIndex) {
    this.#index = index;
  }

  /** A pass over the rows that begin in [from, …): forget what waits of an earlier pass that was not finished. */
  begin(from: number): void {
    this.#waiting.clear();
    this.#block = -1;
    this.#endsAt = -1;
    this.#taking = false;
    this.#from = from;
  }

  add(columns: Columns): void {
    const { offset, rows } = columns;
    for (let row = 0; row < rows; row += 1) {
      if ((offset[row] as number) >= this.#endsAt) this.#enter(Math.floor((offset[row] as number) / BLOCK_BYTES));
      if (this.#taking) this.#take(columns, row);
    }
  }

  /** Every row that begins in [the pass's from, to) has come; `headOf` says what a reader needs that begins at a block. Blocks that lie whole in there are known from now on. Returns how many are new. */
  seen(to: number, headOf: (block: number) => string | undefined): number {
    this.#leave();
    const before = this.#index.known;
    for (let block = Math.ceil(this.#from / BLOCK_BYTES); (block + 1) * BLOCK_BYTES <= to; block += 1) {
      if (this.#index.has(block) || !this.#index.reach(block)) continue;
      const head = this.#index.placeOf(headOf(block));
      if (head === undefined) continue;
      const rows = this.#waiting.get(block);
      if (rows === undefined) this.#clear(block);
      this.#index.columns.head[block] = head;
      this.#index.settle(block, rows ?? 0);
    }
    this.#waiting.clear();
    return this.#index.known - before;
  }

  #enter(block: number): void {
    this.#leave();
    this.#block = block;
    this.#endsAt = (block + 1) * BLOCK_BYTES;
    this.#taking = !this.#index.has(block) && this.#index.reach(block);
    if (this.#taking) this.#clear(block);
    this.#rows = 0;
  }

  #leave(): void {
    if (this.#taking) this.#waiting.set(this.#block, this.#rows);
    this.#taking = false;
    this.#endsAt = -1;
  }

  #clear(block: number): void {
    const { columns } = this.#index;
    columns.firstAt[block] = Infinity;
    columns.lastAt[block] = -Infinity;
    columns.maxTaken[block] = 0;
    columns.statuses.fill(0, block * 2, block * 2 + 2);
    columns.failedRoutes.fill(0, block * BLOOM_WORDS, (block + 1) * BLOOM_WORDS);
    columns.failedClients.fill(0, block * BLOOM_WORDS, (block + 1) * BLOOM_WORDS);
  }

  #take(columns: Columns, row: number): void {
    const table = this.#index.columns;
    const block = this.#block;
    const at = columns.at[row] as number;
    this.#rows += 1;
    if (at < (table.firstAt[block] as number)) table.firstAt[block] = at;
    if (at > (table.lastAt[block] as number)) table.lastAt[block] = at;
    const taken = columns.taken[row] as number;
    if (taken > (table.maxTaken[block] as number)) table.maxTaken[block] = ceilTaken(taken);
    const status = columns.status[row] as number;
    this.#noteStatus(status, columns.sub[row] as number, columns.win32[row] as number);
    if (status >= FAILED_FROM) this.#noteFailed(columns, row);
  }

  #noteStatus(status: number, sub: number, win32: number): void {
    if (status !== this.#status || sub !== this.#sub || win32 !== this.#win32) {
      this.#bit = this.#index.bitOf(status, sub, win32);
      this.#status = status;
      this.#sub = sub;
      this.#win32 = win32;
    }
    setBit(this.#index.columns.statuses, this.#block * 2, this.#bit);
  }

  #noteFailed(columns: Columns, row: number): void {
    const { failedRoutes, failedClients } = this.#index.columns;
    const { text } = columns;
    const route = this.#routes.of(columns, text.path, row) ?? ROOT;
    addToBloom(failedRoutes, this.#block, route);
    addToBloom(failedRoutes, this.#block, pairHash(this.#methods.of(columns, text.method, row) ?? ABSENT_NAME, route));
    const client = this.#clients.of(columns, text.client, row);
    if (client !== undefined) addToBloom(failedClients, this.#block, client);
  }
}

/** What one piece of a file teaches, for who reads files in pieces and in threads. */
export class PieceLearner {
  readonly #index = new BlockIndex();
  readonly #learner = new BlockLearner(this.#index);
  readonly #from: number;
  #head: string | undefined;
  #begun = false;

  /** `from`: where the piece begins, at a line's first byte. */
  constructor(from: number) {
    this.#from = from;
    this.#learner.begin(from);
  }

  /** `head`: what the reader says it is now. */
  add(columns: Columns, head: string | undefined): void {
    if (!this.#begun) this.#head = head;
    this.#begun = true;
    this.#learner.add(columns);
  }

  /** Every line that begins before `to` was read; nothing is learned when the columns changed on the way, since for which blocks is not known. */
  learned(to: number, head: string | undefined): BlockIndexState | undefined {
    const needed = neededHead(head);
    if (this.#begun && neededHead(this.#head) !== needed) return undefined;
    this.#learner.seen(to, (block) => (block === 0 ? undefined : needed));
    return this.#index.known === 0 ? undefined : this.#index.state(Math.floor(this.#from / BLOCK_BYTES));
  }
}
