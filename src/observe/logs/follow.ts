// Owns one follower's view of a log: what it missed or the last entries first, then what comes, joined without a seam.
import type { Clock } from '../../platform/clock.ts';
import type { LogFilter, LogLine } from '../../shared/model.ts';
import { bytes } from '../../shared/units.ts';
import type { LogBatch } from '../observe.ts';
import { lineStartBefore } from './backward.ts';
import { decodeCursor, encodeCursor, type Mark } from './cursor.ts';
import { siblingsOf } from './family.ts';
import { LogFile } from './file.ts';
import { compileFilter } from './filter.ts';
import { lastBefore } from './page.ts';
import { FollowerQueue, type Taken } from './queue.ts';
import { LogReader, type Log, type Place, type Placed } from './reader.ts';
import type { Tails } from './tail.ts';
import { pause } from './wake.ts';

/** A page redraws no more often; a batch that is full goes at once. */
const BATCH_EVERY_MS = 100;
const BATCH_ITEMS = 256;
/** How often a page hears that its filter leaves everything out. */
const PASSED_EVERY_MS = 1_000;
const KEPT_ENTRIES = 5_000;
const DEFAULT_LAST = 200;
/** What a returning follower reads at most of what it missed; the older part is skipped, and counted. */
export const BACKLOG_BYTES = 64 * 1_024 * 1_024;
/** Catching up again because the log ran away meanwhile; after that the queue's loss is counted as that of any slow follower. */
const MAX_CATCH_UPS = 8;

export interface FollowOptions { readonly cursor?: string | undefined; readonly last?: number | undefined; readonly filter?: LogFilter | undefined; readonly signal: AbortSignal; readonly keep?: number | undefined }

interface Following { readonly log: Log; readonly tails: Tails; readonly clock: Clock; readonly signal: AbortSignal; readonly passes: (line: LogLine) => boolean; readonly keep: number }

/** Where the reading of the past ended. */
interface Reached { readonly place: Place; readonly cursor: string }

/** Ends when the signal aborts. @throws CURSOR_BAD, FILTER_BAD at the first read */
export async function* followLog(log: Log, options: FollowOptions, tails: Tails, clock: Clock): AsyncGenerator<LogBatch> {
  const { signal } = options;
  const following: Following = { log, tails, clock, signal, passes: compileFilter(options.filter), keep: Math.max(1, options.keep ?? KEPT_ENTRIES) };
  let mark = options.cursor === undefined ? undefined : decodeCursor(options.cursor, log.source);
  for (let tries = 1; !signal.aborted; tries += 1) {
    const queue = new FollowerQueue(following.passes, following.keep);
    const { place, leave } = await tails.join(log, queue);
    try {
      const reached: Reached = yield* mark === undefined ? lastEntries(following, place, options.last ?? DEFAULT_LAST) : catchUp(following, mark, place);
      if (signal.aborted) return;
      // The queue ran over while we read, or the tail is not where we are: what lies between is still in the files.
      if (tries < MAX_CATCH_UPS && (queue.dropped > 0 || reached.place.ino !== place.ino)) { mark = decodeCursor(reached.cursor, log.source); continue; }
      queue.skipTo(reached.place);
      yield* live(following, queue, reached.cursor);
      return;
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      leave();
    }
  }
}

/** The last entries before the place where the tail was joined. */
async function* lastEntries(following: Following, place: Place, last: number): AsyncGenerator<LogBatch, Reached> {
  const { log, clock, signal, passes } = following;
  const file = await openByInode(log, place.ino);
  try {
    if (!file) {
      const cursor = await new LogReader(log, () => clock.now(), () => undefined).cursor();
      yield { items: [], dropped: 0, passed: 0, cursor };
      return { place, cursor };
    }
    const cursor = encodeCursor(await file.markAt(log.source, place.offset));
    const found = last > 0 ? await lastBefore(log, file, place.offset, { limit: last, passes }, clock, signal) : { lines: [], passed: 0 };
    yield { items: found.lines.map((line) => ({ line })), dropped: 0, passed: found.passed, cursor };
    return { place, cursor };
  } finally {
    await file?.close();
  }
}

/** All since the mark, up to the place where the tail was joined. */
async function* catchUp(following: Following, mark: Mark, place: Place): AsyncGenerator<LogBatch, Reached> {
  const { log, clock, signal, passes } = following;
  const past = new FollowerQueue(passes, Number.MAX_SAFE_INTEGER); // emptied after each block: one block never fills it
  const reader = new LogReader(log, () => clock.now(), (placed) => past.offer(placed));
  let said = false;
  try {
    await reader.resume(mark);
    const skipped = await skipBacklog(following, reader, place);
    if (skipped) past.offer(skipped);
    for (let more = true; more && !signal.aborted;) {
      const there = reader.file?.ino === place.ino;
      more = !(there && reader.next >= place.offset) && await reader.step(there ? place.offset : Infinity) === 'more';
      if (!more) reader.flush(there ? 'end' : 'keep-line');
      while (past.length > 0) { said = true; yield batchOf(past.take(BATCH_ITEMS), ''); }
    }
    const cursor = await reader.cursor();
    const left = past.take(0);
    if (!said || left.passed > 0) yield { ...batchOf(left, cursor), cursor };
    return { place: reader.place, cursor };
  } finally {
    await reader.close();
  }
}

function batchOf(taken: Taken, cursor: string): LogBatch {
  return { items: taken.items, dropped: taken.dropped, passed: taken.passed, cursor: taken.cursor ?? cursor };
}

/** More was missed than is worth reading: goes on nearer to the tail and says how many bytes were left out. */
async function skipBacklog(following: Following, reader: LogReader, place: Place): Promise<Placed | undefined> {
  const { log, clock } = following;
  const file = reader.file;
  if (!file) return undefined;
  const missedBytes = file.ino === place.ino ? place.offset - reader.next : await bytesBetween(log, reader, file) + place.offset;
  if (missedBytes <= BACKLOG_BYTES) return undefined;
  const target = await openByInode(log, place.ino);
  if (!target) return undefined;
  const wanted = Math.max(0, place.offset - BACKLOG_BYTES);
  const from = await lineStartBefore(target, wanted, BACKLOG_BYTES) ?? wanted;
  await reader.startIn(target, from);
  const lostBytes = missedBytes - (place.offset - from);
  const text = `${bytes(lostBytes)} were skipped: more was written since the last reading than the ${bytes(BACKLOG_BYTES)} that are read again.`;
  return { item: { notice: { kind: 'lost', text, lostBytes, at: clock.now() } }, ino: target.ino, end: from, cursor: await reader.cursor() };
}

/** What is left of the reader's file and of the rotated ones after it. */
async function bytesBetween(log: Log, reader: LogReader, file: LogFile): Promise<number> {
  const mine = await file.state();
  const younger = (await siblingsOf(log.path)).filter((one) => one.rotated && one.ino !== file.ino && one.changedNs > mine.changedNs);
  return younger.reduce((sum, one) => sum + one.sizeBytes, mine.sizeBytes - reader.next);
}

async function openByInode(log: Log, ino: string): Promise<LogFile | undefined> {
  const current = await LogFile.open(log.path, log.roots);
  if (current?.ino === ino) return current;
  await current?.close();
  const path = (await siblingsOf(log.path)).find((one) => one.ino === ino)?.path;
  return path === undefined ? undefined : LogFile.open(path, log.roots);
}

/** What comes: at most one batch each BATCH_EVERY_MS, sooner when one is full. */
async function* live(following: Following, queue: FollowerQueue, from: string): AsyncGenerator<LogBatch> {
  const { clock, signal } = following;
  let cursor = from;
  let sentAt = -Infinity;
  while (!signal.aborted) {
    await queue.ready(signal);
    const any = queue.length > 0;
    const restMs = (any ? BATCH_EVERY_MS : PASSED_EVERY_MS) - (clock.monotonic() - sentAt);
    if (restMs > 0 && !signal.aborted && queue.length < BATCH_ITEMS) {
      await restOrFilled(clock, queue, restMs, any ? BATCH_ITEMS : 1, signal);
      if (!any && queue.length > 0) continue; // lines came: their shorter rest counts
    }
    if (signal.aborted) return;
    const batch = batchOf(queue.take(BATCH_ITEMS), cursor);
    cursor = batch.cursor;
    sentAt = clock.monotonic();
    yield batch;
  }
}

async function restOrFilled(clock: Clock, queue: FollowerQueue, forMs: number, count: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([pause(clock, forMs, either), queue.filled(count, either)]);
  } finally {
    over.abort();
  }
}
