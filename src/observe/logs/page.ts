// Owns a page of a log: the newest entries, those before or after a cursor, or those from a time on; filtered, and bounded in what it reads.
import { basename } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../platform/clock.ts';
import type { LogFilter, LogLine, LogPage } from '../../shared/model.ts';
import { DiagError } from '../../shared/errors.ts';
import { backward, lineStartBefore, type Budget } from './backward.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { toLine, WholeEntries } from './entries.ts';
import { locate, previousOf } from './family.ts';
import { LogFile } from './file.ts';
import type { Entry } from './group.ts';
import { compileFilter } from './filter.ts';
import { LogReader, type Log } from './reader.ts';
import { firstInstant, seekTime } from './seek.ts';

/** What one call reads at most before it says `complete: false` and gives the cursor to go on with. */
export const SCAN_BYTES = 64 * 1_024 * 1_024;
/** …and how long: a costly pattern must not make a page wait. */
const SCAN_MS = 3_000;
/** What one page holds at most, so that 5,000 entries of 256 KiB do not come at once. */
const PAGE_CHARS = 4 * 1_024 * 1_024;
/** A line without an end is shown once the file rested this long; before that it may be half written. */
const OPEN_LINE_QUIET_MS = 2_000;
/** More rotations than these are not looked through for a time. */
const MAX_ROTATIONS = 300;
const LINE_START_BYTES = 4 * 1_024 * 1_024;
/** Read at a time: with entries made of it, half a millisecond. The lines that others follow live pass in between. */
const PIECE_BYTES = 8 * 1_024;

export interface PageQuery { readonly before?: string | undefined; readonly after?: string | undefined; readonly at?: number | undefined; readonly offset?: number | undefined; readonly limit: number; readonly filter?: LogFilter | undefined }

type Passes = (line: LogLine) => boolean;

/** @throws SOURCE_UNKNOWN when the file is gone, CURSOR_BAD, FILTER_BAD */
export async function readPage(log: Log, query: PageQuery, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  const passes = compileFilter(query.filter);
  const limit = Math.max(1, Math.floor(query.limit));
  if (query.after !== undefined) return pageAfter(log, query.after, limit, passes, clock, signal);
  const mark = query.before === undefined ? undefined : decodeCursor(query.before, log.source);
  const file = mark === undefined ? await LogFile.open(log.path, log.roots) : await locate(log.path, mark, log.roots);
  if (!file) {
    // The lines before a cursor whose file is gone are gone too; that is an empty beginning, not an error.
    if (query.before !== undefined) return { lines: [], after: query.before, scannedBytes: 0, complete: true };
    throw new DiagError('SOURCE_UNKNOWN', { source: log.source });
  }
  try {
    if (query.offset !== undefined) return await pageAtPlace(log, file, query.offset, limit, passes, clock, signal);
    if (query.at !== undefined) {
      const page = await pageAtAnyFile(log, file, query.at, limit, passes, clock, signal);
      if (page.lines.length > 0 || !page.complete) return page;
    }
    return await pageBefore(log, file, mark?.offset ?? await lineEnd(file, clock), limit, passes, clock, signal);
  } finally {
    await file.close();
  }
}

/** Where the last entry ends: at the file's end when it rests, else after its last whole line. */
export async function lineEnd(file: LogFile, clock: Clock): Promise<number> {
  const { sizeBytes, changedAt } = await file.state();
  if (clock.now() - changedAt >= OPEN_LINE_QUIET_MS) return sizeBytes;
  return await lineStartBefore(file, sizeBytes, LINE_START_BYTES) ?? sizeBytes;
}

async function pageBefore(log: Log, file: LogFile, to: number, limit: number, passes: Passes, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  const found = await lastBefore(log, file, to, { limit, passes }, clock, signal);
  const before = await beforeOf(log, file, found.from);
  const after = encodeCursor(await file.markAt(log.source, to));
  return { lines: found.lines, ...before, after, scannedBytes: file.readBytes, complete: found.complete, ...cutOf(file) };
}

/** What leads to the lines before a place: at the beginning of a file, to the end of the rotation before it. */
async function beforeOf(log: Log, file: LogFile, from: number): Promise<{ before?: string }> {
  if (from > 0) return { before: encodeCursor(await file.markAt(log.source, from)) };
  const previous = await previousOf(log.path, log.source, file, log.roots);
  if (!previous) return {};
  try {
    return { before: encodeCursor(await previous.markAt(log.source, (await previous.state()).sizeBytes)) };
  } finally {
    await previous.close();
  }
}

export interface Last { readonly lines: LogLine[]; readonly from: number; readonly passed: number; readonly complete: boolean }

/** The last entries before `to` that pass, oldest first, and where they begin. */
export async function lastBefore(log: Log, file: LogFile, to: number, want: { limit: number; passes: Passes }, clock: Clock, signal: AbortSignal): Promise<Last> {
  const near = (await file.state()).changedAt;
  const budget: Budget = { leftBytes: SCAN_BYTES };
  const deadline = clock.monotonic() + SCAN_MS;
  const lines: LogLine[] = []; // newest first
  let chars = 0;
  let passed = 0;
  let from = to;
  for await (const stretch of backward(file, to, budget, signal)) {
    for (let i = stretch.entries.length - 1; i >= 0; i -= 1) {
      const entry = stretch.entries[i] as Entry;
      const line = toLine(entry, log.source, encodeCursor(file.mark(log.source, entry.end, entry.tailLength, entry.tail)), near);
      if (!want.passes(line)) { passed += 1; continue; }
      lines.push(line);
      chars += line.text.length;
      from = entry.offset;
      if (lines.length >= want.limit || chars >= PAGE_CHARS) return { lines: lines.reverse(), from, passed, complete: true };
    }
    from = stretch.from;
    if (clock.monotonic() > deadline) break;
  }
  return { lines: lines.reverse(), from, passed, complete: from === 0 };
}

/** Goes back through the rotations while what a file begins with is later. */
async function pageAtAnyFile(log: Log, newest: LogFile, at: number, limit: number, passes: Passes, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  let file = newest;
  try {
    for (let i = 0; i < MAX_ROTATIONS; i += 1) {
      signal.throwIfAborted();
      const first = await firstInstant(file, file.changedAt);
      if (first !== undefined && first < at) break;
      const previous = await previousOf(log.path, log.source, file, log.roots);
      if (!previous) break;
      if (file !== newest) await file.close();
      file = previous;
    }
    return await pageAt(log, file, at, limit, passes, clock, signal);
  } finally {
    if (file !== newest) await file.close();
  }
}

async function pageAt(log: Log, file: LogFile, at: number, limit: number, passes: Passes, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  const near = (await file.state()).changedAt;
  const start = await seekTime(file, at, near, signal);
  let reached = false; // entries without a time belong to the last one that had one
  const fromTime: Passes = (line) => {
    if (!reached && line.at !== undefined && line.at >= at) reached = true;
    return reached && passes(line);
  };
  return pageFrom(log, file, start, limit, fromTime, clock, signal);
}

/** From the line on that this place of the file lies in. */
async function pageAtPlace(log: Log, file: LogFile, offset: number, limit: number, passes: Passes, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  const place = Math.min(offset, (await file.state()).sizeBytes);
  const start = await lineStartBefore(file, place, LINE_START_BYTES, signal) ?? place;
  return pageFrom(log, file, start, limit, passes, clock, signal);
}

async function pageFrom(log: Log, file: LogFile, start: number, limit: number, passes: Passes, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  const own = await LogFile.open(file.path, log.roots);
  if (!own || own.ino !== file.ino) { await own?.close(); throw new DiagError('SOURCE_UNKNOWN', { source: log.source }); }
  const page = await forward(log, limit, passes, clock, signal, (reader) => reader.startIn(own, start));
  const before = await beforeOf(log, file, await placeOfFirst(log, file, page, start));
  return { ...page, ...before, scannedBytes: page.scannedBytes + file.readBytes, ...cutOf(file) };
}

const cutOf = (file: LogFile): { cut?: string } => (file.cut === undefined ? {} : { cut: `${basename(file.path)}: ${file.cut}` });

/** Where in this file the page begins: the first line found may lie in a later one. */
async function placeOfFirst(log: Log, file: LogFile, { lines: [first] }: LogPage, start: number): Promise<number> {
  if (first === undefined) return start;
  return decodeCursor(first.cursor, log.source).ino === file.ino ? first.offset : (await file.state()).sizeBytes;
}

async function pageAfter(log: Log, cursor: string, limit: number, passes: Passes, clock: Clock, signal: AbortSignal): Promise<LogPage> {
  const mark = decodeCursor(cursor, log.source);
  const page = await forward(log, limit, passes, clock, signal, (reader) => reader.resume(mark));
  return mark.offset > 0 ? { ...page, before: cursor } : page;
}

/** Reads on through rotations to the log's present end, or until the page is full. */
async function forward(log: Log, limit: number, passes: Passes, clock: Clock, signal: AbortSignal, start: (reader: LogReader) => Promise<unknown>): Promise<LogPage> {
  const lines: LogLine[] = [];
  let after: string | undefined;
  let chars = 0;
  let scannedBytes = 0;
  const full = (): boolean => lines.length >= limit || chars >= PAGE_CHARS;
  const entries = new WholeEntries(log.source, ({ item, cursor }) => {
    after = cursor;
    if (!('line' in item) || !passes(item.line)) return;
    lines.push(item.line);
    chars += item.line.text.length;
  }, full);
  const reader = new LogReader(log, () => clock.now(), entries, undefined, PIECE_BYTES);
  const deadline = clock.monotonic() + SCAN_MS;
  try {
    await start(reader);
    let ended = false;
    while (!full() && scannedBytes < SCAN_BYTES && clock.monotonic() <= deadline) {
      signal.throwIfAborted();
      const before = reader.next;
      if (await reader.step() === 'idle') { ended = true; break; }
      scannedBytes += Math.max(0, reader.next - before);
      await turn();
    }
    if (ended) { reader.flush(await rests(reader, clock) ? 'open-line' : 'keep-line'); entries.flush(); }
    return { lines, after: after ?? await reader.cursor(), scannedBytes, complete: full() || ended };
  } finally {
    await reader.close();
  }
}

/** Nothing was written for so long that a line without an end is one. */
export async function rests(reader: LogReader, clock: Clock): Promise<boolean> {
  const state = await reader.file?.state();
  return state !== undefined && clock.now() - state.changedAt >= OPEN_LINE_QUIET_MS;
}
