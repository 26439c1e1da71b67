// Owns finding a time in a log file without reading all of it: bisection over a file whose times rise.
import { open, type FileHandle } from 'node:fs/promises';

/** One look into the file; longer than all but a few log entries. */
const PROBE_BYTES = 64 * 1024;
/** Looks in a row at places without any time (a long stack trace, a JSON dump) before the search gives up on that side. */
const BARREN_PROBES = 4;
const LF = 10;

/** The first time that these whole lines say, if any. */
export type TimeOf = (text: Buffer, offset: number) => Promise<number | undefined> | number | undefined;

/**
 * A line start at or before the first line whose time is `at` or later: what lies before it is older. At most PROBE_BYTES too early.
 * Undefined when no line says a time, at neither end of the file.
 */
export async function seekTime(path: string, sizeBytes: number, at: number, timeOf: TimeOf, signal: AbortSignal): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    const first = await timeFrom(file, 0, sizeBytes, timeOf, signal);
    if (first === undefined) return undefined;
    if (first.at >= at) return 0;
    let low = 0;                                               // a place whose time is before `at`
    let high = sizeBytes;
    while (high - low > PROBE_BYTES) {
      const middle = low + Math.floor((high - low) / 2);
      const found = await timeFrom(file, middle, high, timeOf, signal);
      if (found === undefined || found.at >= at) high = middle; else low = Math.max(found.offset, low + 1);
    }
    return await lineStart(file, low, sizeBytes);
  } finally {
    await file.close();
  }
}

/** The first time at or after a place, within a few probes. */
async function timeFrom(file: FileHandle, from: number, to: number, timeOf: TimeOf, signal: AbortSignal): Promise<{ at: number; offset: number } | undefined> {
  for (let probe = 0, offset = from; probe < BARREN_PROBES && offset < to; probe += 1, offset += PROBE_BYTES) {
    signal.throwIfAborted();
    const text = await readAt(file, offset, PROBE_BYTES);
    const skip = offset === 0 ? 0 : text.indexOf(LF) + 1;
    if (offset > 0 && skip === 0) continue;
    const at = await timeOf(text.subarray(skip), offset + skip);
    if (at !== undefined) return { at, offset };
  }
  return undefined;
}

async function lineStart(file: FileHandle, offset: number, sizeBytes: number): Promise<number> {
  if (offset === 0) return 0;
  for (let at = offset; at < sizeBytes; at += PROBE_BYTES) {
    const end = (await readAt(file, at, PROBE_BYTES)).indexOf(LF);
    if (end >= 0) return at + end + 1;
  }
  return sizeBytes;
}

export async function readAt(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  const buffer = Buffer.alloc(size);
  const { bytesRead } = await file.read(buffer, 0, size, offset);
  return buffer.subarray(0, bytesRead);
}

/** The start of the first whole line in the last `tailBytes` of a file. */
export async function tailStart(path: string, sizeBytes: number, tailBytes: number): Promise<number> {
  if (sizeBytes <= tailBytes) return 0;
  const file = await open(path, 'r');
  try {
    return await lineStart(file, sizeBytes - tailBytes - 1, sizeBytes);
  } finally {
    await file.close();
  }
}
