// Owns the cutting of a JSON array, or of {"records": […]}, into its records, however it is laid out.
import type { Cutter } from './reader.ts';

const LF = 10, QUOTE = 34, COMMA = 44, BACKSLASH = 92, LIST = 91, LIST_END = 93, OPEN = 123, CLOSE = 125;
/** {"records": [ and the like: an opening that is longer is a record. */
const MAX_WRAPPER_BYTES = 64;

/** What stands between records. */
function isSeparator(byte: number): boolean {
  return byte <= 32 || byte === COMMA || byte === LIST || byte === LIST_END || byte === CLOSE;
}

/** A record ends with the brace that closes it. A string that is not closed on its line is torn: the record ends there, as a malformed one. */
class RecordCutter implements Cutter {
  readonly gap = 0;
  readonly blankEnds = true;
  #depth = 0;
  #sinceOpen = 0;
  #inString = false;
  #escaped = false;
  /** The first brace may be that of {"records": [, until something else is seen; the bracket behind it just was. */
  #first = true;
  #listOpened = false;
  /** The wrapper stands before the record that is being cut, and before the one that was cut last. */
  #wrapped = false;
  #lastWrapped = false;

  find(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i += 1) {
      const byte = bytes[i] as number;
      this.#sinceOpen += 1;
      if (!this.#inString) { if (this.#step(byte)) return this.#ended(i + 1); }
      else if (byte === LF) return this.#ended(i + 1);
      else if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
    }
    return -1;
  }

  begin(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && isSeparator(bytes[at] as number)) at += 1;
    return this.#lastWrapped ? afterWrapper(bytes, at, to) : at;
  }

  #ended(at: number): number {
    this.#depth = 0;
    this.#inString = this.#escaped = this.#first = this.#listOpened = false;
    this.#lastWrapped = this.#wrapped;
    this.#wrapped = false;
    return at;
  }

  /** Outside of strings; true when the record ends with this byte. */
  #step(byte: number): boolean {
    if (this.#listOpened && byte > 32) {
      if (byte === OPEN) { this.#depth = 0; this.#wrapped = true; }
      this.#first = this.#listOpened = false;
    }
    if (byte === QUOTE) this.#inString = this.#depth > 0;
    else if (byte === OPEN) { if (this.#depth === 0) this.#sinceOpen = 0; this.#depth += 1; }
    else if (byte === LIST) { this.#listOpened = this.#first && this.#depth === 1 && this.#sinceOpen < MAX_WRAPPER_BYTES; this.#first &&= this.#depth > 0; }
    else if (byte === CLOSE && this.#depth > 0) return (this.#depth -= 1) === 0;
    return false;
  }
}

export function recordCutter(): Cutter {
  return new RecordCutter();
}

/** Behind {"records": [, with which the record begins. */
function afterWrapper(bytes: Uint8Array, from: number, to: number): number {
  const text = String.fromCharCode(...bytes.subarray(from, Math.min(to, from + MAX_WRAPPER_BYTES)));
  const wrapper = /^\{\s*"\w{1,30}"\s*:\s*\[[\s,]*(?=\{)/.exec(text);
  return wrapper === null ? from : from + wrapper[0].length;
}

/** Lines of JSON: an array with one record a line has a comma, brackets or the wrapper about them. */
export function trimRecord(bytes: Uint8Array, from: number, to: number): { from: number; to: number } {
  let begin = from, end = to;
  while (begin < end && bytes[begin] !== OPEN && isSeparator(bytes[begin] as number)) begin += 1;
  while (end > begin && ((bytes[end - 1] as number) <= 32 || bytes[end - 1] === COMMA)) end -= 1;
  return { from: begin, to: end };
}
