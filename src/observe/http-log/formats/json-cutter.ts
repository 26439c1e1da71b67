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
export function recordCutter(): Cutter {
  let depth = 0, inString = false, escaped = false, first = true, sinceOpen = 0;
  const close = (): void => { depth = 0; inString = false; escaped = false; first = false; };
  return {
    gap: 0, blankEnds: true,
    find(bytes, from, to) {
      for (let i = from; i < to; i += 1) {
        const byte = bytes[i] as number;
        sinceOpen += 1;
        if (inString) {
          if (byte === LF) { close(); return i + 1; }
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
        } else if (byte === QUOTE) { inString = depth > 0; if (!inString) inString = false; }
        else if (byte === OPEN) { if (depth === 0) sinceOpen = 0; depth += 1; }
        else if (byte === LIST && first && depth === 1 && sinceOpen < MAX_WRAPPER_BYTES) { depth = 0; first = false; }
        else if (byte === CLOSE && depth > 0 && (depth -= 1) === 0) { close(); return i + 1; }
      }
      return -1;
    },
    begin(bytes, from, to) {
      let at = from;
      while (at < to && isSeparator(bytes[at] as number)) at += 1;
      return bytes[at] === OPEN ? afterWrapper(bytes, at, to) : at;
    },
  };
}

/** Behind {"records": [ when the record begins with it. */
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
