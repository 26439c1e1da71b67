// Owns the cutting of bytes into lines and columns, whatever way the chunks are cut.
import { MAX_COLUMNS } from './fields.ts';

/** A longer line is counted as malformed and skipped: HTTP.sys caps a request's headers far below this. */
export const MAX_LINE_BYTES = 2 * 1024 * 1024;

const LF = 10, SPACE = 32, NUL = 0;

/** One line inside `bytes`: [start, end) without its LF. Reused: keep nothing of it. */
export interface RawLine {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** File offset of the line's first byte. */
  offset: number;
  /** Places of the first spaces, `spaces` of them; room for one more. */
  readonly ends: Int32Array;
  /** Spaces seen, at most MAX_COLUMNS + 1 are counted. */
  spaces: number;
  /** Place of the last NUL byte, -1 without one. */
  lastNul: number;
}

export class LineCutter {
  readonly #line: RawLine = { bytes: new Uint8Array(0), start: 0, end: 0, offset: 0, ends: new Int32Array(MAX_COLUMNS + 2), spaces: 0, lastNul: -1 };
  readonly #onLine: (line: RawLine) => void;
  readonly #onOverlong: (offset: number) => void;
  /** The beginning of a line whose end has not come yet, and the file offset of that beginning. */
  #carry: Uint8Array = new Uint8Array(0);
  #carried = 0;
  #carryOffset = 0;
  #overlong = false;
  #next: number;

  constructor(options: { baseOffset: number; onLine(line: RawLine): void; onOverlong(offset: number): void }) {
    this.#next = options.baseOffset;
    this.#onLine = (line) => options.onLine(line);
    this.#onOverlong = (offset) => options.onOverlong(offset);
  }

  /** Bytes of an unfinished line that are kept. */
  get pendingBytes(): number { return this.#carried; }

  write(chunk: Uint8Array): void {
    const chunkOffset = this.#next;
    this.#next += chunk.length;
    let from = 0;
    if (this.#carried > 0 || this.#overlong) {
      const lf = chunk.indexOf(LF);
      if (lf < 0) { this.#keep(chunk, chunkOffset); return; }
      this.#finish(chunk.subarray(0, lf));
      from = lf + 1;
    }
    from = this.#cut(chunk, from, chunkOffset);
    if (from < chunk.length) this.#keep(chunk.subarray(from), chunkOffset + from);
  }

  /** The end of the input: an unterminated last line is a line, or with `drop` is left out. */
  end(drop: boolean): void {
    if ((this.#carried > 0 || this.#overlong) && !drop) this.#finish(new Uint8Array(0));
    this.#carried = 0;
    this.#overlong = false;
  }

  /** Hands out the whole lines from `from`; returns where the unfinished one begins. */
  #cut(bytes: Uint8Array, from: number, chunkOffset: number): number {
    const line = this.#line;
    const ends = line.ends;
    let start = from;
    let spaces = 0;
    line.bytes = bytes;
    line.lastNul = -1;
    for (let i = from; i < bytes.length; i += 1) {
      const byte = bytes[i] as number;
      if (byte > SPACE) continue;
      if (byte === SPACE) {
        if (spaces <= MAX_COLUMNS) { ends[spaces] = i; spaces += 1; }
      } else if (byte === LF) {
        line.start = start;
        line.end = i;
        line.offset = chunkOffset + start;
        line.spaces = spaces;
        if (i - start > MAX_LINE_BYTES) this.#onOverlong(line.offset);
        else this.#onLine(line);
        start = i + 1;
        spaces = 0;
        line.lastNul = -1;
      } else if (byte === NUL) {
        line.lastNul = i;
      }
    }
    return start;
  }

  #keep(piece: Uint8Array, offset: number): void {
    if (this.#carried === 0 && !this.#overlong) this.#carryOffset = offset;
    if (this.#overlong || this.#carried + piece.length > MAX_LINE_BYTES) {
      this.#overlong = true;
      this.#carried = 0;
      this.#carry = new Uint8Array(0);
      return;
    }
    if (this.#carry.length < this.#carried + piece.length) {
      const larger = new Uint8Array(Math.min(MAX_LINE_BYTES, Math.max(1_024, (this.#carried + piece.length) * 2)));
      larger.set(this.#carry.subarray(0, this.#carried));
      this.#carry = larger;
    }
    this.#carry.set(piece, this.#carried);
    this.#carried += piece.length;
  }

  /** Ends the kept line with the last piece of it. */
  #finish(piece: Uint8Array): void {
    this.#keep(piece, this.#carryOffset);
    const length = this.#carried;
    const overlong = this.#overlong;
    this.#carried = 0;
    this.#overlong = false;
    if (overlong) { this.#onOverlong(this.#carryOffset); return; }
    const line = this.#line;
    const carry = this.#carry;
    line.bytes = carry;
    line.start = 0;
    line.end = length;
    line.offset = this.#carryOffset;
    line.spaces = 0;
    line.lastNul = -1;
    for (let i = 0; i < length; i += 1) {
      if (carry[i] === SPACE && line.spaces <= MAX_COLUMNS) { line.ends[line.spaces] = i; line.spaces += 1; }
      else if (carry[i] === NUL) line.lastNul = i;
    }
    this.#onLine(line);
  }
}
