// Owns finding a time in an HTTP log without reading it: bisecting over rows, and the columns that hold at a place.
import type { FileHandle } from 'node:fs/promises';
import { parseFields } from './fields.ts';
import type { Fields } from './fields.ts';
import { pieces } from './files.ts';
import { createParser } from './parse.ts';
import type { Parser } from './parse.ts';

/** Rows are written when a request ends, in that order but for the flushing of buffers: two rows this far apart are in order. */
export const DISORDER_MS = 5 * 60_000;
/** One probe of the bisecting; rows are 200 to 2,000 bytes. */
const PROBE_BYTES = 16 * 1024;
/** Below this it is cheaper to read than to bisect on. */
const NEAR_BYTES = 64 * 1024;
/** How far a `#Fields:` line is looked for before a place, before that of the file's head is believed. */
const BACK_BYTES = 1024 * 1024;

const ENOUGH_MALFORMED = 50;

export interface Span { readonly start: number; readonly end: number; readonly fields: Fields | undefined }
interface FirstRow { readonly offset: number; readonly at: number }

/** The bytes of [0, sizeBytes) that hold every row of [from, to], and little else; undefined when there is none. */
export async function spanOf(file: FileHandle, sizeBytes: number, from: number, to: number, signal: AbortSignal): Promise<Span | undefined> {
  const head = await headFields(file, sizeBytes, signal);
  const seek = { file, head, signal };
  // Most files of a folder are old: one look at the last rows settles those.
  const last = await lastAt(seek, sizeBytes);
  if (last !== undefined && last < from - DISORDER_MS) return undefined;
  const end = (await bisect(seek, 0, sizeBytes, to + DISORDER_MS + 1)).after;
  const start = (await bisect(seek, 0, end, from - DISORDER_MS)).before;
  if (end <= start) return undefined;
  return { start, end, fields: start === 0 ? undefined : await fieldsAt(seek, start) };
}

/** Where reading on from `from` begins, when all that follows is wanted: near the end when every row is older. */
export async function startOf(file: FileHandle, sizeBytes: number, from: number, signal: AbortSignal): Promise<{ readonly start: number; readonly fields: Fields | undefined }> {
  const seek = { file, head: await headFields(file, sizeBytes, signal), signal };
  const start = (await bisect(seek, 0, sizeBytes, from - DISORDER_MS)).before;
  return { start, fields: start === 0 ? undefined : await fieldsAt(seek, start) };
}

interface Seek { readonly file: FileHandle; readonly head: Fields | undefined; readonly signal: AbortSignal }

/** before: begin of a row older than t, or 0; after: begin of a row not older than t, or the end. Rows in between are of either kind. */
async function bisect(seek: Seek, low: number, high: number, t: number): Promise<{ before: number; after: number }> {
  let before = low;
  let after = high;
  let from = low;
  let to = high;
  while (to - from > NEAR_BYTES) {
    const middle = Math.floor((from + to) / 2);
    const row = await firstRow(seek, middle, to);
    if (row === undefined) to = middle;
    else if (row.at < t) { before = row.offset; from = row.offset; }
    else { after = row.offset; to = middle; }
  }
  return { before, after };
}

/** The first row that begins in [from, to). */
async function firstRow(seek: Seek, from: number, to: number): Promise<FirstRow | undefined> {
  const found = await probe(seek, from, to, seek.head);
  if (found.row !== undefined || found.malformed === 0) return found.row;
  return (await probe(seek, from, to, await fieldsAt(seek, from))).row;
}

async function probe(seek: Seek, from: number, to: number, fields: Fields | undefined): Promise<{ row?: FirstRow; malformed: number }> {
  let row: FirstRow | undefined;
  let parser: Parser | undefined;
  // The byte before `from` is read too: when it is an LF, a line begins at `from` itself.
  let at = Math.max(0, from - 1);
  for await (const piece of pieces(seek.file, at, to, seek.signal, PROBE_BYTES)) {
    const skip = parser !== undefined || from === 0 ? 0 : piece.indexOf(10) + 1;
    if (parser !== undefined || from === 0 || skip > 0) {
      parser ??= createParser({ baseOffset: at + skip, ...(fields === undefined ? {} : { fields }), onRow: (raw) => { row ??= { offset: raw.offset, at: raw.at }; } });
      parser.write(piece.subarray(skip));
    }
    at += piece.length;
    // Nothing but lines that do not fit: the columns may have changed since the head.
    if (row !== undefined || (fields === seek.head && (parser?.counts.malformed ?? 0) >= ENOUGH_MALFORMED)) break;
  }
  return { ...(row === undefined ? {} : { row }), malformed: parser?.counts.malformed ?? 0 };
}

/** The latest instant among the last rows; undefined when the file's end has none that the head's columns fit. */
async function lastAt(seek: Seek, sizeBytes: number): Promise<number | undefined> {
  let latest: number | undefined;
  const from = Math.max(0, sizeBytes - PROBE_BYTES);
  const parser = createParser({ ...(seek.head === undefined ? {} : { fields: seek.head }), onRow: (raw) => { latest = Math.max(latest ?? 0, raw.at); } });
  for await (const piece of pieces(seek.file, from, sizeBytes, seek.signal, PROBE_BYTES)) parser.write(from === 0 ? piece : piece.subarray(piece.indexOf(10) + 1));
  // The first line of the piece may be cut; anything else that does not fit casts doubt on the columns.
  return parser.counts.malformed > 1 ? undefined : latest;
}

/** The columns of the first `#Fields:` line; undefined when the head (five comment lines, mostly) has none. */
async function headFields(file: FileHandle, sizeBytes: number, signal: AbortSignal): Promise<Fields | undefined> {
  for await (const piece of pieces(file, 0, Math.min(sizeBytes, PROBE_BYTES), signal)) return newestFields(Buffer.from(piece), 'first');
  return undefined;
}

/** The columns that hold for the row at `place`. A change of columns farther back than BACK_BYTES is noticed by the number of columns only. */
async function fieldsAt(seek: Seek, place: number): Promise<Fields | undefined> {
  const near = await fieldsBefore(seek, place, Math.max(0, place - BACK_BYTES));
  if (near !== undefined) return near;
  const columns = await columnsAt(seek, place);
  if (columns === undefined || seek.head === undefined || seek.head.columns === columns) return seek.head;
  return await fieldsBefore(seek, place - BACK_BYTES, 0) ?? seek.head;
}

/** The last `#Fields:` line that begins in [from, place). */
async function fieldsBefore(seek: Seek, place: number, from: number): Promise<Fields | undefined> {
  // Blocks overlap by the longest `#Fields:` line that we expect, so that none is cut in two.
  const overlap = 8 * 1024;
  for (let end = place; end > from; end -= BACK_BYTES) {
    const start = Math.max(from, end - BACK_BYTES);
    const size = Math.min(place, end + overlap) - start;
    const { bytesRead, buffer } = await seek.file.read(Buffer.alloc(size), 0, size, start);
    seek.signal.throwIfAborted();
    const found = newestFields(buffer.subarray(0, bytesRead), 'last');
    if (found !== undefined) return found;
  }
  return undefined;
}

function newestFields(bytes: Buffer, which: 'first' | 'last'): Fields | undefined {
  const begin = which === 'first' ? bytes.indexOf('#Fields:') : bytes.lastIndexOf('#Fields:');
  if (begin < 0) return undefined;
  const end = bytes.indexOf(10, begin);
  return parseFields(bytes.toString('latin1', begin, end < 0 ? bytes.length : end));
}

/** Columns of the first line at or after `place` that is no comment. */
async function columnsAt(seek: Seek, place: number): Promise<number | undefined> {
  const { bytesRead, buffer } = await seek.file.read(Buffer.alloc(PROBE_BYTES), 0, PROBE_BYTES, place);
  const lines = buffer.toString('latin1', 0, bytesRead).split('\n').slice(place === 0 ? 0 : 1, -1);
  const first = lines.find((line) => line !== '' && !line.startsWith('#'));
  return first?.split(' ').length;
}
