// Owns which directives hold at a place in the middle of a W3C log: found by looking back, remembered for the length of a search.
import type { LogFormat } from './columns.ts';
import { parseFields } from './fields.ts';
import { pieces } from './files.ts';
import type { Readable } from './files.ts';
import { iisW3c } from './w3c.ts';

const PROBE_BYTES = 16 * 1024;
/** How far a `#Fields:` line is looked for before a place, before that of the file's begin is tried on the rows there. */
const BACK_BYTES = 1024 * 1024;
/** Blocks overlap by the longest `#Fields:` line that we expect, so that none is cut in two. */
const OVERLAP_BYTES = 8 * 1024;
const LF = 10;

/** The head holds for every row that begins in [from, to]. */
interface Stretch { readonly from: number; to: number; readonly head: string }

/** `#Date:` changes with each start of the server, and matters only where the rows have no date of their own. */
export function neededHead(head: string | undefined): string | undefined {
  const fields = head?.split('\n').find((line) => /^#fields:/i.test(line));
  return fields !== undefined && parseFields(fields).at.date >= 0 ? fields : head;
}

/** Of one file. Formats without directives have no heads. */
export class Heads {
  readonly #file: Readable;
  readonly #sizeBytes: number;
  readonly #format: LogFormat;
  readonly #known: Stretch[] = [];
  #first: Promise<string | undefined> | undefined;

  constructor(file: Readable, sizeBytes: number, format: LogFormat) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#format = format;
  }

  /** What the first lines of the file say. */
  async first(signal: AbortSignal): Promise<string | undefined> {
    if (this.#format.id !== iisW3c.id) return undefined;
    this.#first ??= this.#begin(signal);
    return this.#first;
  }

  /**
   * What a reader needs that begins at the line at `place`, or behind it. A change of columns farther back than BACK_BYTES is
   * noticed when the rows there do not fit the file's first columns; one that exchanges columns of the same kind is not.
   */
  async at(place: number, signal: AbortSignal): Promise<string | undefined> {
    if (place === 0 || this.#format.id !== iisW3c.id) return undefined;
    const near = await this.#before(place, Math.max(0, place - BACK_BYTES), signal);
    if (near !== undefined) return near;
    const first = await this.first(signal);
    if (first === undefined || await this.#fits(place, first, signal)) return first;
    return await this.#before(place, 0, signal) ?? first;
  }

  async #begin(signal: AbortSignal): Promise<string | undefined> {
    const reader = this.#format.reader({ sink: () => undefined });
    for await (const piece of pieces(this.#file, 0, Math.min(this.#sizeBytes, PROBE_BYTES), signal)) reader.write(piece);
    return reader.head;
  }

  async #fits(place: number, head: string, signal: AbortSignal): Promise<boolean> {
    let reader: ReturnType<LogFormat['reader']> | undefined;
    for await (const piece of pieces(this.#file, place - 1, Math.min(this.#sizeBytes, place + PROBE_BYTES), signal)) {
      const skip = reader === undefined ? piece.indexOf(LF) + 1 : 0;
      if (reader === undefined && skip === 0) continue;
      reader ??= this.#format.reader({ head, sink: () => undefined, dropPartial: true });
      reader.write(piece.subarray(skip));
    }
    reader?.end();
    return reader === undefined || reader.counts.malformed <= reader.counts.rows;
  }

  /** What the last `#Fields:` line that begins in [from, place) says. */
  async #before(place: number, from: number, signal: AbortSignal): Promise<string | undefined> {
    for (let end = place; end > from; end -= BACK_BYTES) {
      const known = this.#known.find((one) => one.from <= end && one.to >= end);
      if (known !== undefined) { known.to = Math.max(known.to, place); return known.head; }
      const start = Math.max(from, end - BACK_BYTES);
      const size = Math.min(place, end + OVERLAP_BYTES) - start;
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(size), 0, size, start);
      signal.throwIfAborted();
      const found = lastHead(buffer.subarray(0, bytesRead), start === 0);
      if (found === undefined) continue;
      this.#known.push({ from: start + found.at, to: place, head: found.head });
      return found.head;
    }
    return undefined;
  }
}

function lastHead(bytes: Buffer, first: boolean): { readonly head: string; readonly at: number } | undefined {
  const fields = lastLine(bytes, '#Fields:', first);
  if (fields === undefined) return undefined;
  const date = lastLine(bytes, '#Date:', first);
  return { head: date === undefined ? fields.text : `${date.text}\n${fields.text}`, at: fields.at };
}

function lastLine(bytes: Buffer, word: string, first: boolean): { readonly text: string; readonly at: number } | undefined {
  for (let begin = bytes.lastIndexOf(word); begin >= 0; begin = begin === 0 ? -1 : bytes.lastIndexOf(word, begin - 1)) {
    // Inside a row these words are somebody's joke.
    if (begin === 0 ? !first : bytes[begin - 1] !== LF) continue;
    const end = bytes.indexOf(LF, begin);
    // A line that is cut here is whole in the block behind.
    if (end >= 0) return { text: bytes.toString('latin1', begin, end).trimEnd(), at: begin };
  }
  return undefined;
}
