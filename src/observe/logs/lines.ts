// Owns the cut of bytes into physical lines, across any chunk edge, with the place of each in its file.

/** What is kept of one physical line; the rest is counted. Equal to what one entry may hold, so that a line is never cut twice. */
export const MAX_LINE_BYTES = 256 * 1_024;
/** How many bytes before a line's end are fingerprinted, at most: most lines whole, for many end alike (a user agent, padding) and
 *  differ only where they say their time. Costs under a microsecond a line. */
export const TAIL_BYTES = 256;

export interface PhysicalLine {
  readonly offset: number;      // of its first byte in the file
  readonly end: number;         // of the byte after its terminator
  readonly text: string;        // without terminator, NUL and byte order mark
  readonly cutBytes: number;
  readonly tailLength: number;  // of the fingerprint below
  readonly tail: number;        // fingerprint of the `tailLength` bytes before `end`
}

const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);

/** FNV-1a, 32 bits: a fingerprint against mix-ups, not against malice. */
export function fingerprint(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

/** Feeds on chunks and hands each whole line to `take`. Keeps a copy of at most MAX_LINE_BYTES of the unfinished line, so that the
 *  caller may use its chunk's memory again. Bytes that are not UTF-8 become U+FFFD. */
export class LineSplitter {
  readonly #take: (line: PhysicalLine) => void;
  #start: number;                          // offset of the unfinished line
  #next: number;                           // offset of the next byte to come
  #kept: Buffer[] = [];                    // the beginning of the unfinished line
  #keptBytes = 0;
  #recent: Buffer = NOTHING;               // its last TAIL_BYTES bytes

  constructor(offset: number, take: (line: PhysicalLine) => void) {
    this.#start = offset;
    this.#next = offset;
    this.#take = take;
  }

  /** Where the unfinished line begins; equal to `next` when there is none. */
  get start(): number { return this.#start; }
  get next(): number { return this.#next; }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      if (this.#next === this.#start) this.#whole(chunk, from, at + 1);
      else { this.#keep(chunk.subarray(from, at + 1)); this.#emit(0); }
      from = at + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** Hands over the unfinished line as it is. Bytes of a character that is not whole yet wait for the rest, unless this is the `end`. */
  flush(end: boolean): void {
    const size = this.#next - this.#start;
    const open = end || size > MAX_LINE_BYTES ? 0 : openBytes(this.#recent);
    if (size > open) this.#emit(open);
  }

  /** The common case: the line lies in one chunk and nothing is copied. */
  #whole(chunk: Buffer, from: number, to: number): void {
    const offset = this.#start;
    this.#next += to - from;
    this.#start = this.#next;
    const tailLength = Math.min(TAIL_BYTES, to - from);
    let stop = to - 1;
    if (stop > from && chunk[stop - 1] === CR) stop -= 1;
    const cutBytes = Math.max(0, stop - from - MAX_LINE_BYTES);
    const text = clean(chunk.toString('utf8', from, stop - cutBytes), offset);
    this.#take({ offset, end: this.#next, text, cutBytes, tailLength, tail: fingerprint(chunk, to - tailLength, to) });
  }

  #keep(part: Buffer): void {
    this.#next += part.length;
    const free = MAX_LINE_BYTES - this.#keptBytes;
    if (free > 0) {
      const copy = Buffer.from(part.subarray(0, free));
      this.#kept.push(copy);
      this.#keptBytes += copy.length;
    }
    this.#recent = Buffer.concat([this.#recent, part.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }

  /** Hands over all but the last `open` bytes, which begin the next line. */
  #emit(open: number): void {
    const offset = this.#start;
    const end = this.#next - open;
    const recent = this.#recent.subarray(0, this.#recent.length - open);
    const rest = this.#recent.subarray(recent.length);
    const terminator = recent.at(-1) !== LF ? 0 : recent.at(-2) === CR ? 2 : 1;
    const lineBytes = end - offset - terminator;
    const shown = Buffer.concat(this.#kept).subarray(0, lineBytes);
    this.#start = end;
    this.#next = end;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#recent = NOTHING;
    if (open > 0) this.#keep(rest);
    const tailLength = recent.length;
    this.#take({ offset, end, text: clean(shown.toString('utf8'), offset), cutBytes: lineBytes - shown.length, tailLength, tail: fingerprint(recent) });
  }
}

/** How many bytes at the end begin a UTF-8 character that is not whole: 0 to 3. */
function openBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needs > back ? back : 0;
  }
  return 0;
}

/** A line's text without what no reader wants to see. `offset` 0: it may begin with the file's byte order mark. */
export function clean(text: string, offset = -1): string {
  const marked = offset === 0 && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  // A line written as UTF-16 by a Windows shell reads well without its NULs; a preallocated file's NULs say nothing.
  return marked.includes('\0') ? marked.replaceAll('\0', '') : marked;
}

const END = Buffer.from([LF]);

/** What is left of a chunk after its last whole line, until the line's end comes: at most MAX_LINE_BYTES of it, the rest counted. */
export class LineRest {
  #start: number;                          // offset of the unfinished line
  #next: number;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #recent: Buffer = NOTHING;               // its last TAIL_BYTES bytes
  /** The fingerprint of the end of the last line that was cut or handed on unfinished. */
  lastTail = { tailLength: 0, tail: fingerprint(NOTHING) };

  constructor(offset: number) {
    this.#start = offset;
    this.#next = offset;
  }

  get start(): number { return this.#start; }
  get next(): number { return this.#next; }

  /** All whole lines up to the chunk's last LF; `firstCut`: bytes left out of the first. The bytes may be the chunk's own. */
  push(chunk: Buffer): { readonly bytes: Buffer; readonly firstCut: number } | undefined {
    const last = chunk.lastIndexOf(LF) + 1;
    if (last === 0) { this.#keep(chunk); return undefined; }
    const rest = chunk.subarray(last);
    let bytes = chunk.subarray(0, last);
    let firstCut = 0;
    if (this.#next > this.#start) {
      const first = chunk.indexOf(LF) + 1;
      this.#keep(chunk.subarray(0, first));
      const line = this.#line(this.#next - this.#start);
      firstCut = line.cut;
      bytes = Buffer.concat([line.bytes, chunk.subarray(first, last)]);
    }
    this.#reset(this.#next + (last - (this.#next > this.#start ? chunk.indexOf(LF) + 1 : 0)));
    if (rest.length > 0) this.#keep(rest);
    return { bytes, firstCut };
  }

  /** The unfinished line as it is, with an LF. Bytes of a character that is not whole yet wait for the rest, unless this is the `end`. */
  flush(end: boolean): { readonly bytes: Buffer; readonly offset: number; readonly sizeBytes: number; readonly cut: number } | undefined {
    const size = this.#next - this.#start;
    const open = end || size > MAX_LINE_BYTES ? 0 : openBytes(this.#recent);
    if (size <= open) return undefined;
    const rest = Buffer.from(this.#recent.subarray(this.#recent.length - open));
    this.#recent = this.#recent.subarray(0, this.#recent.length - open);
    const offset = this.#start;
    const line = this.#line(size - open);
    this.#reset(this.#start + size - open);
    if (rest.length > 0) this.#keep(rest);
    return { bytes: line.bytes, offset, sizeBytes: size - open, cut: line.cut };
  }

  /** The line's first bytes with one LF, and how many were left out. */
  #line(size: number): { bytes: Buffer; cut: number } {
    const terminator = this.#recent.at(-1) !== LF ? 0 : this.#recent.at(-2) === CR ? 2 : 1;
    const shown = Buffer.concat(this.#kept).subarray(0, size - terminator);
    this.lastTail = { tailLength: this.#recent.length, tail: fingerprint(this.#recent) };
    return { bytes: Buffer.concat([shown, END]), cut: size - terminator - shown.length };
  }

  #keep(part: Buffer): void {
    this.#next += part.length;
    const free = MAX_LINE_BYTES - this.#keptBytes;
    if (free > 0) {
      const copy = Buffer.from(part.subarray(0, free));
      this.#kept.push(copy);
      this.#keptBytes += copy.length;
    }
    this.#recent = Buffer.concat([this.#recent, part.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }

  #reset(start: number): void {
    this.#start = start;
    this.#next = start;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#recent = NOTHING;
  }
}
