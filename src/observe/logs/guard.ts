// Owns the guard of a reading: the last bytes before its place, read again with what follows; should they differ, the file was rewritten.
import { fingerprint, TAIL_BYTES } from './lines.ts';

/** The guard reaches back to where an unfinished line begins, up to here: what follows is then read with all of its line, and nothing need be copied together. */
export const GUARD_BYTES = 4 * 1_024;
const LF = 10;

export class Guard {
  readonly #room = Buffer.alloc(GUARD_BYTES);
  #bytes: Buffer = Buffer.alloc(0);

  get bytes(): Buffer { return this.#bytes; }
  get length(): number { return this.#bytes.length; }

  begin(bytes: Buffer): void { this.#bytes = bytes; }

  /** Does what was read begin with it? */
  fits(got: Buffer): boolean {
    const { length } = this.#bytes;
    return got.length >= length && got.compare(this.#bytes, 0, length, 0, length) === 0;
  }

  /** The guard of the place behind these bytes, which begin with the one before. */
  goOn(got: Buffer): void {
    this.#bytes = this.#room.subarray(0, got.copy(this.#room, 0, Math.max(0, got.length - lengthAfter(got))));
  }

  /** What a cursor says of the bytes before its place. */
  get tailLength(): number { return Math.min(TAIL_BYTES, this.#bytes.length); }
  get tail(): number { return fingerprint(this.#bytes, this.#bytes.length - this.tailLength); }
}

function lengthAfter(got: Buffer): number {
  if (got[got.length - 1] === LF) return TAIL_BYTES;
  const open = got.length - 1 - got.lastIndexOf(LF);
  return open > GUARD_BYTES ? TAIL_BYTES : Math.max(TAIL_BYTES, open);
}
