// Owns one follower's view of a log: what it missed or the last entries first, then what comes, joined without a seam.
import type { Clock } from '../../platform/clock.ts';
import type { LogFilter, LogLine } from '../../shared/model.ts';
import { bytes } from '../../shared/units.ts';
import type { LogBatch } from '../observe.ts';
import { lineStartBefore } from './backward.ts';
import { decodeCursor, type Mark } from './cursor.ts';
import { siblingsOf } from './family.ts';
import { LogFile } from './file.ts';
import { compileFilter } from './filter.ts';
import { lastBefore, lineEnd } from './page.ts';
import { FollowerQueue, type Taken } from './queue.ts';
import { LogReader, type Log } from './reader.ts';
import type { Tail, Tails } from './tail.ts';
import { pause, pauseUntil } from './wake.ts';

/** A page redraws no more often; a batch that is full goes at once. */
const BATCH_EVERY_MS = 100;
const BATCH_ITEMS = 256;
/** How often a page hears that its filter leaves everything out. */
const PASSED_EVERY_MS = 1_000;
const KEPT_ENTRIES = 5_000;
const DEFAULT_LAST = 200;
/** What a returning follower reads at most of what it missed; the older part is skipped, and counted. */
export const BACKLOG_BYTES = 64 * 1_024 * 1_024;
/** When the reader of the past and the tail cannot meet (the tail waits for the end of a line that was shown already), they try again so often. */
const MEET_EVERY_MS = 50;

export interface FollowOptions { readonly cursor?: string | undefined; readonly last?: number | undefined; readonly filter?: LogFilter | undefined; readonly signal: AbortSignal; readonly keep?: number | undefined }

interface Following { readonly log: Log; readonly clock: Clock; readonly signal: AbortSignal; readonly passes: (line: LogLine) => boolean; readonly keep: number }

/** Ends when the signal aborts, and gives back what it holds then even if nobody reads on. @throws CURSOR_BAD, FILTER_BAD at the first read */
export async function* followLog(log: Log, options: FollowOptions, tails: Tails, clock: Clock): AsyncGenerator<LogBatch> {
  const { signal } = options;
  const following: Following = { log, clock, signal, passes: compileFilter(options.filter), keep: Math.max(1, options.keep ?? KEPT_ENTRIES) };
  const mark = options.cursor === undefined ? undefined : decodeCursor(options.cursor, log.source);
  if (signal.aborted) return;
  const past = new FollowerQueue(following.passes, Number.MAX_SAFE_INTEGER); // emptied after each block: one block never fills it
  const reader = new LogReader(log, () => clock.now(), (placed) => past.offer(placed));
  const queue = new FollowerQueue(following.passes, following.keep);
  const { tail, release } = tails.use(log);
  const end = async (): Promise<void> => {
    signal.removeEventListener('abort', onAbort);
    release();
    (await tail).leave(queue);
    await reader.close();
  };
  const onAbort = (): void => { end().catch(() => undefined); }; // a tail that did not start has nothing to leave
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const cursor = yield* readPast(following, await tail, { reader, past, queue }, mark, options.last ?? DEFAULT_LAST);
    yield* live(following, queue, cursor);
  } catch (error) {
    if (!signal.aborted) throw error; // the abort closes the file under a reader that is busy
  } finally {
    if (!signal.aborted) await end();
    else await tail.then((one) => { one.leave(queue); }, () => undefined); // it may have joined while the abort came
  }
}

interface Parts { readonly reader: LogReader; readonly past: FollowerQueue; readonly queue: FollowerQueue }

/** The past, read by a reader of its own as fast as the follower takes it, up to where it meets the tail: from there the tail fills
 *  the queue. Returns the last cursor given. */
async function* readPast(following: Following, tail: Tail, { reader, past, queue }: Parts, mark: Mark | undefined, last: number): AsyncGenerator<LogBatch, string> {
  const { clock, signal } = following;
  if (mark) await reader.resume(mark);
  else yield await lastEntries(following, reader, last);
  if (mark) await skipBacklog(following, reader, mark, past);
  let cursor = await reader.cursor();
  for (let first = mark !== undefined, met = false; !met && !signal.aborted;) {
    const block = await reader.step();
    if (block === 'idle') met = await tail.meet(reader, queue);
    do {
      if (past.length === 0 && !(block === 'idle' && (first || past.passed > 0))) break;
      const batch = batchOf(past.take(BATCH_ITEMS), cursor);
      ({ cursor } = batch);
      first = false;
      yield batch;
    } while (past.length > 0 && !signal.aborted);
    if (block === 'idle' && !met) await pause(clock, MEET_EVERY_MS, signal);
  }
  return cursor;
}

/** The last entries of the log as it is now; the reader then stands after them. */
async function lastEntries(following: Following, reader: LogReader, last: number): Promise<LogBatch> {
  const { log, clock, signal, passes } = following;
  for (;;) {
    const file = await LogFile.open(log.path, log.roots);
    if (!file) break;
    const to = await lineEnd(file, clock);
    const found = last > 0 ? await lastBefore(log, file, to, { limit: last, passes }, clock, signal) : { lines: [], passed: 0 };
    // Emptied while we read backwards? Then what was read is not what the reader stands after.
    if (!await reader.startIn(file, to)) continue;
    return { items: found.lines.map((line) => ({ line })), dropped: 0, passed: found.passed, cursor: await reader.cursor() };
  }
  return { items: [], dropped: 0, passed: 0, cursor: await reader.cursor() }; // the reader says that there is no file
}

function batchOf(taken: Taken, cursor: string): LogBatch {
  return { items: taken.items, dropped: taken.dropped, passed: taken.passed, cursor: taken.cursor ?? cursor };
}

/** More was missed than is worth reading: goes on nearer to the end and says how many bytes were left out. */
async function skipBacklog(following: Following, reader: LogReader, mark: Mark, past: FollowerQueue): Promise<void> {
  const { log, clock } = following;
  const file = reader.file;
  const current = await LogFile.open(log.path, log.roots);
  if (!file || !current) { await current?.close(); return; }
  const { sizeBytes } = await current.state();
  const missedBytes = file.ino === current.ino ? sizeBytes - reader.next : await bytesBetween(log, reader, file) + sizeBytes;
  if (missedBytes <= BACKLOG_BYTES) { await current.close(); return; }
  const wanted = Math.max(0, sizeBytes - BACKLOG_BYTES);
  const from = await lineStartBefore(current, wanted, BACKLOG_BYTES) ?? wanted;
  if (!await reader.startIn(current, from)) { await reader.resume(mark); return; } // emptied just now: nothing to skip
  const lostBytes = missedBytes - (sizeBytes - from);
  const text = `${bytes(lostBytes)} were skipped: more was written since the last reading than the ${bytes(BACKLOG_BYTES)} that are read again.`;
  past.offer({ item: { notice: { kind: 'lost', text, lostBytes, at: clock.now() } }, cursor: await reader.cursor() });
}

/** What is left of the reader's file and of the rotated ones after it. */
async function bytesBetween(log: Log, reader: LogReader, file: LogFile): Promise<number> {
  const mine = await file.state();
  const younger = (await siblingsOf(log.path)).filter((one) => one.rotated && one.ino !== file.ino && one.changedNs > mine.changedNs);
  return younger.reduce((sum, one) => sum + one.sizeBytes, mine.sizeBytes - reader.next);
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
      await pauseUntil(clock, restMs, signal, (over) => queue.filled(any ? BATCH_ITEMS : 1, over));
      if (!any && queue.length > 0) continue; // lines came: their shorter rest counts
    }
    if (signal.aborted) return;
    const batch = batchOf(queue.take(BATCH_ITEMS), cursor);
    cursor = batch.cursor;
    sentAt = clock.monotonic();
    yield batch;
  }
}
