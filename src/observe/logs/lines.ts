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

interface Ended { readonly offset: number; readonly end: number; readonly shown: Buffer; readonly cutBytes: number; readonly tailLength: number; readonly tail: number }

/** The line whose end has not come: a copy of at most MAX_LINE_BYTES of it, so that the caller may use its chunk's memory again. */
class Unfinished {
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #recent: Buffer = NOTHING;               // its last TAIL_BYTES bytes
  start: number;                           // its offset
  next: number;                            // offset of the next byte to come

  constructor(offset: number) {
    this.start = offset;
    this.next = offset;
  }

  get sizeBytes(): number { return this.next - this.start; }

  keep(part: Buffer): void {
    this.next += part.length;
    const free = MAX_LINE_BYTES - this.#keptBytes;
    if (free > 0) {
      const copy = Buffer.from(part.subarray(0, free));
      this.#kept.push(copy);
      this.#keptBytes += copy.length;
    }
    this.#recent = Buffer.concat([this.#recent, part.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  }

  /** The line ends here and the next begins. `shown`: what was kept of it, without its terminator. */
  end(openBytes = 0): Ended {
    const offset = this.start;
    const end = this.next - openBytes;
    const recent = this.#recent.subarray(0, this.#recent.length - openBytes);
    const rest = this.#recent.subarray(recent.length);
    const terminator = recent.at(-1) !== LF ? 0 : recent.at(-2) === CR ? 2 : 1;
    const lineBytes = end - offset - terminator;
    const shown = Buffer.concat(this.#kept).subarray(0, lineBytes);
    this.begin(end);
    if (openBytes > 0) this.keep(rest);
    return { offset, end, shown, cutBytes: lineBytes - shown.length, tailLength: recent.length, tail: fingerprint(recent) };
  }

  /** The line as it is. Bytes of a character that is not whole yet begin the next one, unless this is the end of all. */
  flush(isEnd: boolean): Ended | undefined {
    const open = isEnd || this.sizeBytes > MAX_LINE_BYTES ? 0 : openBytes(this.#recent);
    return this.sizeBytes > open ? this.end(open) : undefined;
  }

  begin(at: number): void {
    this.start = at;
    this.next = at;
    if (this.#keptBytes === 0) return;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#recent = NOTHING;
  }
}

/** Feeds on chunks and hands each whole line to `take`. Bytes that are not UTF-8 become U+FFFD. */
export class LineSplitter {
  readonly #take: (line: PhysicalLine) => void;
  readonly #open: Unfinished;

  constructor(offset: number, take: (line: PhysicalLine) => void) {
    this.#open = new Unfinished(offset);
    this.#take = take;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, from)) {
      if (this.#open.sizeBytes === 0) this.#whole(chunk, from, at + 1);
      else { this.#open.keep(chunk.subarray(from, at + 1)); this.#hand(this.#open.end()); }
      from = at + 1;
    }
    if (from < chunk.length) this.#open.keep(chunk.subarray(from));
  }

  /** Hands over the unfinished line as it is. Bytes of a character that is not whole yet wait for the rest, unless this is the `end`. */
  flush(end: boolean): void {
    const line = this.#open.flush(end);
    if (line !== undefined) this.#hand(line);
  }

  /** The common case: the line lies in one chunk and nothing is copied. */
  #whole(chunk: Buffer, from: number, to: number): void {
    const offset = this.#open.start;
    const end = offset + to - from;
    this.#open.begin(end);
    const tailLength = Math.min(TAIL_BYTES, to - from);
    let stop = to - 1;
    if (stop > from && chunk[stop - 1] === CR) stop -= 1;
    const cutBytes = Math.max(0, stop - from - MAX_LINE_BYTES);
    const text = clean(chunk.toString('utf8', from, stop - cutBytes), offset);
    this.#take({ offset, end, text, cutBytes, tailLength, tail: fingerprint(chunk, to - tailLength, to) });
  }

  #hand({ shown, ...line }: Ended): void { this.#take({ ...line, text: clean(shown.toString('utf8'), line.offset) }); }
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
  readonly #open: Unfinished;
  /** The fingerprint of the end of the last line that was cut or handed on unfinished. */
  lastTail = { tailLength: 0, tail: fingerprint(NOTHING) };

  constructor(offset: number) { this.#open = new Unfinished(offset); }

  /** Where the unfinished line begins; equal to `next` when there is none. */
  get start(): number { return this.#open.start; }
  get next(): number { return this.#open.next; }
  get openBytes(): number { return this.#open.sizeBytes; }

  /** All whole lines up to the chunk's last LF; `firstCut`: bytes left out of the first. The bytes may be the chunk's own. `again`: so many
   *  of them were there before, and are the whole unfinished line: then nothing need be put together. */
  push(chunk: Buffer, again = 0): { readonly bytes: Buffer; readonly firstCut: number } | undefined {
    const open = this.#open;
    const last = chunk.lastIndexOf(LF) + 1;
    if (last === 0) { open.keep(chunk.subarray(again)); return undefined; }
    if (again > 0) open.begin(open.start);
    let bytes = chunk.subarray(0, last);
    let firstCut = 0;
    let first = 0;
    if (open.sizeBytes > 0) {
      first = chunk.indexOf(LF) + 1;
      open.keep(chunk.subarray(0, first));
      const line = this.#ended(open.end());
      firstCut = line.cutBytes;
      bytes = Buffer.concat([line.shown, END, chunk.subarray(first, last)]);
    }
    open.begin(open.next + last - first);
    if (last < chunk.length) open.keep(chunk.subarray(last));
    return { bytes, firstCut };
  }

  /** The unfinished line as it is, with an LF. Bytes of a character that is not whole yet wait for the rest, unless this is the `end`. */
  flush(end: boolean): { readonly bytes: Buffer; readonly offset: number; readonly sizeBytes: number; readonly cut: number } | undefined {
    const ended = this.#open.flush(end);
    if (ended === undefined) return undefined;
    const line = this.#ended(ended);
    return { bytes: Buffer.concat([line.shown, END]), offset: line.offset, sizeBytes: line.end - line.offset, cut: line.cutBytes };
  }

  #ended(line: Ended): Ended {
    this.lastTail = { tailLength: line.tailLength, tail: line.tail };
    return line;
  }
}
