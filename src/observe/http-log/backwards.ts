// Owns the reading of one log file from its end towards its begin: strides of blocks, each read forward, blocks that cannot hold a wanted row left out.
import type { Columns, LogFormat, LogReader } from './columns.ts';
import { pieces } from './files.ts';
import type { Readable } from './files.ts';
import { Heads, neededHead } from './heads.ts';
import { BLOCK_BYTES } from './index/block-index.ts';
import type { BlockIndex } from './index/block-index.ts';
import type { OpenIndex } from './index/kept.ts';
import { BlockLearner } from './index/learn.ts';
import { blockTest } from './index/needs.ts';
import type { BlockTest, Wanted } from './index/needs.ts';
import { spanOf } from './seek.ts';

/** A file in which any place can be read. */
export interface PlainFile {
  /** The catalog's id, or the file's name offline; each file has its own. */
  readonly source: string;
  readonly instance?: string;
  readonly format: LogFormat;
  readonly file: Readable;
  readonly sizeBytes: number;
  /** The file does not grow any more: an unterminated last line is a row. */
  readonly whole: boolean;
  readonly opened: OpenIndex;
}

/** Strides grow: the first answer comes soon, a long search asks the disk seldom. */
const FIRST_STRIDE = 1;
const LONGEST_STRIDE = 32;
/** Read behind a block for the rest of its last line. */
const REST_BYTES = 16 * 1024;
const LF = 10;

export class Backwards {
  /** No row that is still unread is newer; -Infinity when all is read. */
  bound = Infinity;
  readBytes = 0;
  readonly #file: PlainFile;
  readonly #index: BlockIndex;
  readonly #wanted: Wanted;
  readonly #onRows: (columns: Columns) => void;
  readonly #learner: BlockLearner;
  readonly #counted: Readable;
  readonly #heads: Heads;
  #test: BlockTest = () => true;
  /** [k]: latest instant of blocks up to k that may hold a wanted row; Infinity where one of them is unknown. */
  #newest: Float64Array = new Float64Array(0);
  #start = 0;
  #startHead: string | undefined;
  /** All from here on is read or left out. */
  #next = 0;
  #stride = FIRST_STRIDE;
  #newestLeft = Infinity;

  constructor(file: PlainFile, wanted: Wanted, onRows: (columns: Columns) => void) {
    this.#file = file;
    this.#index = file.opened.index;
    this.#wanted = wanted;
    this.#onRows = (columns) => onRows(columns);
    this.#learner = new BlockLearner(this.#index);
    const read = async (...args: Parameters<Readable['read']>): Promise<Awaited<ReturnType<Readable['read']>>> => {
      const found = await file.file.read(...args);
      this.readBytes += found.bytesRead;
      return found;
    };
    this.#counted = { read: read as Readable['read'] };
    this.#heads = new Heads(this.#counted, file.sizeBytes, file.format);
  }

  async begin(signal: AbortSignal): Promise<void> {
    const { sizeBytes, format } = this.#file;
    const { from, to } = this.#wanted;
    this.#next = sizeBytes;
    // Where every whole block is known, the index says where the time lies; else the file is asked.
    if (this.#index.known === 0 || this.#index.known < Math.floor(sizeBytes / BLOCK_BYTES)) {
      const span = await spanOf(this.#counted, sizeBytes, format, from, to, signal, this.#heads);
      this.#start = span?.start ?? 0;
      this.#startHead = span?.head;
      this.#next = span?.end ?? 0;
    }
    this.#test = blockTest(this.#index, this.#wanted);
    this.#newest = this.#newestOf(Math.ceil(this.#next / BLOCK_BYTES));
    this.#look();
  }

  /** Reads the next stride of blocks. */
  async step(signal: AbortSignal): Promise<void> {
    const last = Math.floor((this.#next - 1) / BLOCK_BYTES);
    let first = last;
    // The first block is a stride of its own: what its directives say holds for all others, but not for itself.
    while (first > 1 && first * BLOCK_BYTES > this.#start && last - first + 1 < this.#stride && this.#mayHold(first - 1)) first -= 1;
    const from = Math.max(this.#start, first * BLOCK_BYTES);
    await this.#read(from, this.#next, signal);
    this.#next = from;
    this.#stride = Math.min(LONGEST_STRIDE, this.#stride * 2);
    this.#look();
  }

  async end(): Promise<void> {
    await this.#file.opened.keep();
  }

  #mayHold(block: number): boolean {
    return !this.#index.has(block) || this.#test(block);
  }

  #newestOf(blocks: number): Float64Array {
    const newest = new Float64Array(blocks);
    let latest = -Infinity;
    for (let block = Math.floor(this.#start / BLOCK_BYTES); block < blocks; block += 1) {
      if (!this.#index.has(block)) latest = Infinity;
      else if (this.#test(block)) latest = Math.max(latest, this.#index.columns.lastAt[block] as number);
      newest[block] = latest;
    }
    return newest;
  }

  /** Leaves out what need not be read, and says how new the rest may be. */
  #look(): void {
    const block = (): number => Math.floor((this.#next - 1) / BLOCK_BYTES);
    while (this.#next > this.#start && !this.#mayHold(block())) this.#next = Math.max(this.#start, block() * BLOCK_BYTES);
    const left = this.#next > this.#start ? Math.min(this.#wanted.to, this.#newest[block()] as number, this.#newestLeft) : -Infinity;
    this.bound = left < this.#wanted.from ? -Infinity : left;
  }

  /** Every row that begins in [from, to). */
  async #read(from: number, to: number, signal: AbortSignal): Promise<void> {
    const head = await this.#headAt(from, signal);
    const begins = Math.min(to, from + BLOCK_BYTES);
    let newest = -Infinity;
    const sink = (columns: Columns): void => {
      for (let row = 0; row < columns.rows && (columns.offset[row] as number) < begins; row += 1) if ((columns.at[row] as number) > newest) newest = columns.at[row] as number;
      this.#learner.add(columns);
      this.#onRows(columns);
    };
    this.#learner.begin(from);
    const read = await this.#feed(from, to, signal, { sink, dropPartial: !this.#file.whole, ...(head === undefined ? {} : { head }) });
    // Columns that change on the way hold for some of these blocks only, which stay unknown.
    const needed = neededHead(head);
    if (from === 0) this.#learner.seen(Math.min(to, BLOCK_BYTES), () => undefined);
    else if (read === undefined || neededHead(read.head) === needed) this.#learner.seen(to, () => needed);
    // Rows are in order up to disorderMs; the latest of the first block counts, so that one row with a wrong clock does not end the search.
    if (newest > -Infinity) this.#newestLeft = Math.min(this.#newestLeft, newest + this.#file.format.disorderMs);
  }

  /** Writes the lines that begin in [from, to) to a reader; undefined when none does. */
  async #feed(from: number, to: number, signal: AbortSignal, options: Parameters<LogFormat['reader']>[0]): Promise<LogReader | undefined> {
    // The byte before tells whether a line begins at `from` itself.
    let at = Math.max(0, from - 1);
    let reader: LogReader | undefined;
    let last = LF;
    for await (const piece of pieces(this.#counted, at, to, signal)) {
      const skip = reader !== undefined || from === 0 ? 0 : piece.indexOf(LF) + 1;
      if (reader !== undefined || from === 0 || skip > 0) {
        reader ??= this.#file.format.reader({ ...options, baseOffset: at + skip });
        reader.write(piece.subarray(skip));
      }
      at += piece.length;
      last = piece[piece.length - 1] as number;
    }
    if (reader === undefined) return undefined;
    if (last !== LF) {
      for await (const piece of pieces(this.#counted, to, this.#file.sizeBytes, signal, REST_BYTES)) {
        const end = piece.indexOf(LF) + 1;
        reader.write(end > 0 ? piece.subarray(0, end) : piece);
        if (end > 0) { reader.flush(); return reader; }
      }
    }
    reader.end();
    return reader;
  }

  async #headAt(from: number, signal: AbortSignal): Promise<string | undefined> {
    if (from === this.#start && this.#startHead !== undefined) return this.#startHead;
    const block = from / BLOCK_BYTES;
    return Number.isInteger(block) && this.#index.has(block) ? this.#index.headOf(block) : this.#heads.at(from, signal);
  }
}
