// Owns finding a time in an HTTP log of any format without reading it: bisecting over rows.
import type { LogFormat, LogReader } from './columns.ts';
import { parseFields } from './fields.ts';
import type { Fields } from './fields.ts';
import { pieces } from './files.ts';
import type { Readable } from './files.ts';
import { Heads } from './heads.ts';
import { iisW3c } from './w3c.ts';

/** One probe of the bisecting; rows are 200 to 2,000 bytes. */
const PROBE_BYTES = 16 * 1024;
/** Below this it is cheaper to read than to bisect on. */
const NEAR_BYTES = 64 * 1024;
/** How far beside a guess is looked: two looks about a place are near enough to each other. */
const ASIDE_BYTES = NEAR_BYTES / 3;

const ENOUGH_MALFORMED = 50;
const LF = 10;

/** [start, end) of a file; head: what a reader needs that begins at start. */
export interface Span { readonly start: number; readonly end: number; readonly head: string | undefined }
interface FirstRow { readonly offset: number; readonly at: number }

/** The bytes of [0, sizeBytes) that hold every row of [from, to], and little else; undefined when there is none. */
export async function spanOf(file: Readable, sizeBytes: number, format: LogFormat, from: number, to: number, signal: AbortSignal, heads = new Heads(file, sizeBytes, format)): Promise<Span | undefined> {
  const seek = await seekIn(file, format, heads, signal);
  // Most files of a folder are old: one look at the last rows settles those.
  const last = await lastAt(seek, sizeBytes);
  if (last !== undefined && last < from - format.disorderMs) return undefined;
  const all: Between = { from: 0, to: sizeBytes, atFrom: await firstAt(seek, sizeBytes), atTo: last };
  const upper = to === Infinity ? undefined : await bisect(seek, all, to + format.disorderMs + 1);
  const end = upper?.after ?? sizeBytes;
  const start = from === -Infinity ? 0 : (await bisect(seek, upper === undefined ? all : { ...all, to: end, atTo: upper.atAfter }, from - format.disorderMs)).before;
  if (end <= start) return undefined;
  return { start, end, head: await heads.at(start, signal) };
}

/** Where reading on from `from` begins, when all that follows is wanted: near the end when every row is older. */
export async function startOf(file: Readable, sizeBytes: number, from: number, signal: AbortSignal, format: LogFormat = iisW3c): Promise<{ readonly start: number; readonly head: string | undefined; readonly fields: Fields | undefined }> {
  const seek = await seekIn(file, format, new Heads(file, sizeBytes, format), signal);
  const all = { from: 0, to: sizeBytes, atFrom: await firstAt(seek, sizeBytes), atTo: await lastAt(seek, sizeBytes) };
  const start = (await bisect(seek, all, from - format.disorderMs)).before;
  const head = await seek.heads.at(start, signal);
  const line = head?.split('\n').find((one) => /^#fields:/i.test(one));
  return { start, head, fields: line === undefined ? undefined : parseFields(line) };
}

interface Seek { readonly file: Readable; readonly format: LogFormat; readonly heads: Heads; readonly head: string | undefined; readonly signal: AbortSignal }

async function seekIn(file: Readable, format: LogFormat, heads: Heads, signal: AbortSignal): Promise<Seek> {
  return { file, format, heads, head: await heads.first(signal), signal };
}

/** Bytes, and the instants of rows at their ends, where those are known. */
interface Between { readonly from: number; readonly to: number; readonly atFrom: number | undefined; readonly atTo: number | undefined }

/** before: begin of a row older than t, or 0; after: begin of a row not older than t, or the end; atAfter: its instant. Rows in between are of either kind. */
async function bisect(seek: Seek, between: Between, t: number): Promise<{ before: number; after: number; atAfter: number | undefined }> {
  let { from, to, atFrom, atTo } = between;
  let before = from, after = to, halved = true;
  while (to - from > NEAR_BYTES) {
    const sizeBytes = to - from;
    // Where a guess misses, halving takes its turn: at worst this takes twice as many looks as halving alone.
    const place = halved ? aim({ from, to, atFrom, atTo }, t) : Math.floor((from + to) / 2);
    const row = await firstRow(seek, place, to);
    if (row === undefined) to = place;
    else if (row.at < t) { before = row.offset; from = row.offset; atFrom = row.at; }
    else { after = row.offset; to = place; atTo = row.at; }
    halved = (to - from) * 2 <= sizeBytes;
  }
  return { before, after, atAfter: atTo };
}

/** About where t lies when rows come evenly, and a little to the farther side of it, so that both ends come near; the middle where that is not known. */
function aim({ from, to, atFrom, atTo }: Between, t: number): number {
  if (atFrom === undefined || atTo === undefined || atTo <= atFrom) return Math.floor((from + to) / 2);
  const guess = from + (to - from) * (t - atFrom) / (atTo - atFrom);
  const beyond = guess + (guess - from < to - guess ? ASIDE_BYTES : -ASIDE_BYTES);
  return Math.floor(Math.min(Math.max(beyond, from + ASIDE_BYTES), to - ASIDE_BYTES));
}

/** The first row that begins in [from, to). */
async function firstRow(seek: Seek, from: number, to: number): Promise<FirstRow | undefined> {
  const found = await probe(seek, from, to, seek.head);
  if (found.row !== undefined || found.malformed === 0) return found.row;
  return (await probe(seek, from, to, await seek.heads.at(from, seek.signal))).row;
}

async function probe(seek: Seek, from: number, to: number, head: string | undefined): Promise<{ row?: FirstRow; malformed: number }> {
  let row: FirstRow | undefined;
  let reader: LogReader | undefined;
  // The byte before `from` is read too: when it is an LF, a line begins at `from` itself.
  let at = Math.max(0, from - 1);
  for await (const piece of pieces(seek.file, at, to, seek.signal, PROBE_BYTES)) {
    const skip = reader !== undefined || from === 0 ? 0 : piece.indexOf(LF) + 1;
    if (reader !== undefined || from === 0 || skip > 0) {
      reader ??= seek.format.reader({ baseOffset: at + skip, ...(head === undefined ? {} : { head }), sink: (columns) => { row ??= { offset: columns.offset[0] as number, at: columns.at[0] as number }; } });
      reader.write(piece.subarray(skip));
      reader.flush();
    }
    at += piece.length;
    // Nothing but lines that do not fit: the columns may have changed since the head.
    if (row !== undefined || (head === seek.head && (reader?.counts.malformed ?? 0) >= ENOUGH_MALFORMED)) break;
  }
  return { ...(row === undefined ? {} : { row }), malformed: reader?.counts.malformed ?? 0 };
}

/** The instant of the first row. */
async function firstAt(seek: Seek, sizeBytes: number): Promise<number | undefined> {
  return (await firstRow(seek, 0, Math.min(sizeBytes, PROBE_BYTES)))?.at;
}

/** The latest instant among the last rows; undefined when the file's end has none that the head's columns fit. */
async function lastAt(seek: Seek, sizeBytes: number): Promise<number | undefined> {
  let latest: number | undefined;
  const from = Math.max(0, sizeBytes - PROBE_BYTES);
  const reader = seek.format.reader({ ...(seek.head === undefined ? {} : { head: seek.head }), dropPartial: true, sink: ({ at, rows }) => { for (let row = 0; row < rows; row += 1) latest = Math.max(latest ?? 0, at[row] as number); } });
  for await (const piece of pieces(seek.file, from, sizeBytes, seek.signal, PROBE_BYTES)) reader.write(from === 0 ? piece : piece.subarray(piece.indexOf(LF) + 1));
  reader.end();
  // The first line of the piece may be cut; anything else that does not fit casts doubt on the columns.
  return reader.counts.malformed > 1 ? undefined : latest;
}
