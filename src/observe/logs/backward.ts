// Owns the reading of a log from a place backwards, in blocks: the last lines of a 10 GB file cost what the lines weigh.
import type { LogFile } from './file.ts';
import { Grouper, type Entry } from './group.ts';
import { fingerprint, LineSplitter, MAX_LINE_BYTES } from './lines.ts';

const FIRST_BLOCK_BYTES = 64 * 1_024;
const BLOCK_BYTES = 128 * 1_024;
/** A block grows to this when no entry begins in it: sixteen entries of the largest size. */
const MAX_BLOCK_BYTES = 4 * 1_024 * 1_024;
const LF = 10;
const CR = 13;

/** What may still be read; shared by all steps of one call. */
export interface Budget { leftBytes: number }

/** A stretch of the file, oldest entry first; everything from `from` on was seen. */
export interface Stretch { readonly entries: readonly Entry[]; readonly from: number }

/** Stretches going back from `to` (the end of a line) to the file's start, or until the budget is used up. */
export async function* backward(file: LogFile, to: number, budget: Budget, signal: AbortSignal): AsyncGenerator<Stretch> {
  let end = to;
  let size = FIRST_BLOCK_BYTES;
  while (end > 0 && budget.leftBytes > 0) {
    signal.throwIfAborted();
    const start = Math.max(0, end - size);
    const block = await file.read(Buffer.allocUnsafe(end - start), start);
    budget.leftBytes -= block.length;
    const largest = size >= MAX_BLOCK_BYTES;
    const stretch = parse(block, start, largest) ?? (largest ? await giant(file, start, end, budget, signal) : undefined);
    if (stretch === undefined) {
      size = Math.min(MAX_BLOCK_BYTES, size * 4);
      continue;
    }
    yield stretch;
    end = stretch.from;
    size = BLOCK_BYTES;
  }
}

/** The entries that begin in the block. Its first line and first entry may have begun before it and are left to the next block,
 *  unless this is the file's start; undefined when nothing is left then. */
function parse(block: Buffer, start: number, asLargeAsCanBe: boolean): Stretch | undefined {
  const skip = start === 0 ? 0 : block.indexOf(LF, 0) + 1;
  if (start > 0 && (skip === 0 || skip >= block.length)) return undefined;
  const entries: Entry[] = [];
  const grouper = new Grouper((entry) => entries.push(entry));
  const splitter = new LineSplitter(start + skip, (line) => grouper.push(line));
  splitter.push(block.subarray(skip));
  splitter.flush(true);
  grouper.flush();
  if (start === 0) return { entries, from: 0 };
  if (entries.length > 1) entries.shift();
  else if (!asLargeAsCanBe) return undefined;
  const first = entries[0];
  return first === undefined ? { entries, from: start + skip } : { entries, from: first.offset };
}

/** The block lies within one line: its start is looked for without keeping what is in between. */
async function giant(file: LogFile, start: number, end: number, budget: Budget, signal: AbortSignal): Promise<Stretch> {
  const spent = file.readBytes;
  const from = await lineStartBefore(file, start, budget.leftBytes, signal);
  const readBytes = file.readBytes - spent;
  budget.leftBytes -= readBytes;
  if (from === undefined) return { entries: [], from: Math.max(0, start - readBytes) }; // the next call goes on from here
  const shown = await file.read(Buffer.allocUnsafe(Math.min(MAX_LINE_BYTES, end - from)), from); // a line this long is longer than what is shown
  const before = await file.before(end);
  const text = shown.toString('utf8').replaceAll('\0', '').trimEnd();
  const terminator = before.at(-1) !== LF ? 0 : before.at(-2) === CR ? 2 : 1;
  const cutBytes = end - from - terminator - shown.length;
  const entry: Entry = { offset: from, end, text, cutBytes, tailLength: before.length, tail: fingerprint(before) };
  return { entries: text === '' ? [] : [entry], from };
}

/** The offset where the line that reaches up to `to` begins; undefined when it was not found within `limitBytes`. */
export async function lineStartBefore(file: LogFile, to: number, limitBytes: number, signal?: AbortSignal): Promise<number | undefined> {
  const block = Buffer.allocUnsafe(FIRST_BLOCK_BYTES);
  for (let end = to; end > 0;) {
    signal?.throwIfAborted();
    const start = Math.max(0, end - block.length);
    const got = await file.read(block.subarray(0, end - start), start);
    const at = got.lastIndexOf(LF);
    if (at !== -1) return start + at + 1;
    end = start;
    if (to - end >= limitBytes && end > 0) return undefined;
  }
  return 0;
}
