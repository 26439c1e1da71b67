// Owns the text of a rotation that was compressed: read at any place as of a plain file, unpacked as it goes, bounded in memory and against bombs.
import { UNPACK_LIMITS } from '../http-log/unpack.ts';
import { gunzip, type GzipEnd } from '../http-log/gunzip.ts';
import { bytes, count } from '../../shared/units.ts';

/** Text that is kept behind the place reached, so that reading a page backwards unpacks once: twice the largest block. */
const WINDOW_BYTES = 8 * 1_024 * 1_024;
/** The beginning is kept beside it: it tells the file from others. */
const HEAD_BYTES = 64 * 1_024;

export interface PackedLimits { readonly textBytes: number; readonly ratio: number; readonly freeBytes: number }
/** A gigabyte takes about two seconds; the rest of a larger one is not shown, and that is said. */
export const PACKED_LIMITS: PackedLimits = { textBytes: 2 ** 30, ratio: UNPACK_LIMITS.ratio, freeBytes: UNPACK_LIMITS.freeBytes };

export class PackedText {
  readonly #stored: (signal: AbortSignal) => AsyncIterable<Uint8Array>;
  readonly #storedBytes: number;
  readonly #limits: PackedLimits;
  #pieces: Buffer[] = [];
  #from = 0;                               // place of the first piece
  #to = 0;                                 // place reached
  #head: Buffer = Buffer.alloc(0);
  #text: AsyncGenerator<Uint8Array> | undefined;
  #end: GzipEnd = {};
  #ending = new AbortController();
  #sizeBytes: number | undefined;
  /** Why the text ends before its end, once that was reached. */
  cut: string | undefined;

  /** `stored`: the compressed bytes from their beginning, each time anew. */
  constructor(stored: (signal: AbortSignal) => AsyncIterable<Uint8Array>, storedBytes: number, limits: PackedLimits = PACKED_LIMITS) {
    this.#stored = stored;
    this.#storedBytes = storedBytes;
    this.#limits = limits;
  }

  /** Fills the buffer from `at`, as far as the text goes. */
  async read(into: Buffer, at: number): Promise<Buffer> {
    if (at + into.length <= this.#head.length) { this.#head.copy(into, 0, at); return into; }
    if (at < this.#from) await this.#restart();
    const to = at + into.length;
    while (this.#to < to && await this.#pull(at));
    let got = 0;
    let place = this.#from;
    for (const piece of this.#pieces) {
      if (place + piece.length > at && place < to) got += piece.copy(into, got, Math.max(0, at - place), Math.min(piece.length, to - place));
      place += piece.length;
    }
    return into.subarray(0, got);
  }

  /** The size of the text; learnt by unpacking all of it once. */
  async size(): Promise<number> {
    while (this.#sizeBytes === undefined) await this.#pull(this.#to);
    return this.#sizeBytes;
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#text?.return(undefined).catch(() => undefined);
    this.#text = undefined;
    this.#pieces = [];
  }

  async #restart(): Promise<void> {
    await this.close();
    this.#ending = new AbortController();
    [this.#from, this.#to] = [0, 0];
  }

  /** One piece more; false at the end. What lies before `needed` may go once the window is full. */
  async #pull(needed: number): Promise<boolean> {
    if (this.#to === this.#sizeBytes) return false;
    if (this.#text === undefined) { this.#end = {}; this.#text = gunzip(this.#stored(this.#ending.signal), this.#end, this.#ending.signal); }
    const next = await this.#text.next();
    const why = next.done === true ? this.#end.torn : this.#tooMuch(this.#to + next.value.length);
    if (next.done === true || why !== undefined) {
      this.#sizeBytes = this.#to;
      this.cut = why;
      return false;
    }
    const piece = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.length);
    if (this.#head.length < HEAD_BYTES && this.#to === this.#head.length) this.#head = Buffer.concat([this.#head, piece.subarray(0, HEAD_BYTES - this.#head.length)]);
    this.#pieces.push(piece);
    this.#to += piece.length;
    while (this.#to - this.#from > WINDOW_BYTES && this.#from + (this.#pieces[0]?.length ?? 0) <= needed) this.#from += this.#pieces.shift()?.length ?? 0;
    return true;
  }

  #tooMuch(textBytes: number): string | undefined {
    if (textBytes > this.#limits.textBytes) return `its text is longer than ${bytes(this.#limits.textBytes)}`;
    return textBytes > this.#limits.freeBytes && textBytes > this.#storedBytes * this.#limits.ratio ? `its text is more than ${count(this.#limits.ratio)} times as long as the file, which no log is` : undefined;
  }
}

/** Do these bytes begin a gzip file? */
export const isGzip = (first: Uint8Array): boolean => first[0] === 0x1f && first[1] === 0x8b;
