// Owns the look at what a log has more: entries of some levels since a cursor, without the cost of all the others.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../platform/clock.ts';
import type { Level, LogLine } from '../../shared/model.ts';
import type { LogSince } from '../observe.ts';
import { decodeCursor } from './cursor.ts';
import { WholeEntries } from './entries.ts';
import type { Log } from './log.ts';
import { rests } from './page.ts';
import { LogReader } from './reader.ts';

/** Read at a time: some hundred microseconds. The lines that others follow live pass in between. */
const PIECE_BYTES = 32 * 1_024;

export interface SinceQuery { readonly after: string; readonly levels: readonly Level[]; readonly maxBytes: number; readonly forMs: number }

/** Reads on through rotations to the log's present end, or as far as the query allows. @throws CURSOR_BAD */
export async function readSince(log: Log, query: SinceQuery, clock: Clock, signal: AbortSignal): Promise<LogSince> {
  const mark = decodeCursor(query.after, log.source);
  const lines: LogLine[] = [];
  const wanted = new Set(query.levels);
  let after: string | undefined;
  let newest: LogLine | undefined;
  const entries = new WholeEntries(log.source, ({ item, cursor }) => {
    after = cursor;
    newest = 'line' in item ? item.line : undefined;
    if (newest !== undefined && wanted.has(newest.level)) lines.push(newest);
  }, undefined, query.levels);
  const reader = new LogReader(log, () => clock.now(), entries, undefined, PIECE_BYTES);
  const until = clock.monotonic() + query.forMs;
  try {
    await reader.resume(mark);
    const complete = await readOn(reader, (bytes) => bytes >= query.maxBytes || clock.monotonic() > until, () => entries.before !== '', signal);
    if (complete) { reader.flush(await rests(reader, clock) ? 'open-line' : 'keep-line'); entries.flush(); }
    after ??= query.after;
    // An entry that begins what was read has no cursor before it but the query's.
    const before = entries.before === '' ? query.after : entries.before ?? after;
    if (!complete) return { lines, after: before, complete };
    return { lines, after, complete, ...(newest === undefined ? {} : { newest: { before, isWanted: lines.at(-1) === newest } }) };
  } finally {
    await reader.close();
  }
}

/** True when the end was reached. Not given up before one entry was passed, or it would be begun for ever. */
async function readOn(reader: LogReader, isEnough: (bytes: number) => boolean, hasMoved: () => boolean, signal: AbortSignal): Promise<boolean> {
  for (let readBytes = 0; !isEnough(readBytes) || !hasMoved();) {
    signal.throwIfAborted();
    const before = reader.next;
    if (await reader.step() === 'idle') return true;
    readBytes += Math.max(0, reader.next - before);
    await turn();
  }
  return false;
}
