// Owns the jump to a time: a log is in order of time, so its place is found by halving.
import { judge } from './entries.ts';
import type { LogFile } from './file.ts';
import { LineSplitter, type PhysicalLine } from './lines.ts';

const PROBE_BYTES = 64 * 1_024;
/** Lines without a time are passed over up to this far: a long stack trace, a dump of settings. */
const MAX_PROBE_BYTES = 1_024 * 1_024;
const STRIDE_BYTES = 1_024 * 1_024;
/** Below this the rest is read line by line. */
const NARROW_BYTES = 128 * 1_024;

/** The offset of a line at or before the first one of `at` or later: reading on from it finds that one. A log without times, or
 *  in disorder, gives a place from which a scan must go on. */
export async function seekTime(file: LogFile, at: number, near: number, signal: AbortSignal): Promise<number> {
  if (file.packed) return seekOnwards(file, at, near, signal);
  let low = 0;
  let high = (await file.state()).sizeBytes;
  while (high - low > NARROW_BYTES) {
    signal.throwIfAborted();
    const middle = low + Math.floor((high - low) / 2);
    const found = await stampAfter(file, middle, high, near);
    if (found !== undefined && found.at < at) low = found.offset;
    else high = middle;
  }
  return low;
}

/** A packed text is only read onwards: it is looked at once a STRIDE_BYTES. */
async function seekOnwards(file: LogFile, at: number, near: number, signal: AbortSignal): Promise<number> {
  let before = 0;
  for (let from = STRIDE_BYTES; ; from += STRIDE_BYTES) {
    signal.throwIfAborted();
    const found = await stampAfter(file, from, from + STRIDE_BYTES, near);
    if (found !== undefined && found.at >= at) return before;
    if (found !== undefined) before = found.offset;
    else if ((await file.read(Buffer.alloc(1), from + STRIDE_BYTES)).length === 0) return before;
  }
}

/** The instant of the first line that says one, near the file's beginning. */
export async function firstInstant(file: LogFile, near: number): Promise<number | undefined> {
  const lead = await file.read(Buffer.allocUnsafe(PROBE_BYTES), 0);
  let at: number | undefined;
  new LineSplitter(0, (line) => { at ??= judge(line.text, near).at; }).push(lead);
  return at;
}

/** The first line that begins after `from` and says its time. */
async function stampAfter(file: LogFile, from: number, to: number, near: number): Promise<{ offset: number; at: number } | undefined> {
  let found: { offset: number; at: number } | undefined;
  let first = true; // most likely the end of a line that began before
  const look = (line: PhysicalLine): void => {
    if (first) { first = false; return; }
    if (found) return;
    const at = judge(line.text, near).at;
    if (at !== undefined) found = { offset: line.offset, at };
  };
  const splitter = new LineSplitter(from, look);
  const block = Buffer.allocUnsafe(PROBE_BYTES);
  for (let at = from; at < to && at - from < MAX_PROBE_BYTES && !found;) {
    const got = await file.read(block.subarray(0, Math.min(block.length, to - at)), at);
    if (got.length === 0) break;
    splitter.push(got);
    at += got.length;
  }
  return found;
}
