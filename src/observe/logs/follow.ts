// Owns one follower's view of a log: what it missed or the last entries first, then what comes, joined without a seam.
import type { Clock } from '../../platform/clock.ts';
import type { LogNotice } from '../../shared/live.ts';
import type { LogFilter } from '../../shared/model.ts';
import { bytes } from '../../shared/units.ts';
import type { LogBatch, LogSink } from '../observe.ts';
import { lineStartBefore } from './backward.ts';
import type { Block } from './block.ts';
import { Channel } from './channel.ts';
import { decodeCursor, type Mark } from './cursor.ts';
import { siblingsOf } from './family.ts';
import { LogFile } from './file.ts';
import { compileFilter } from './filter.ts';
import type { Log, Output } from './log.ts';
import { holdsFor, maskBlock, NOTHING_MASKED, type LineMask } from './masked.ts';
import { lastBefore } from './page.ts';
import { FollowerQueue } from './queue.ts';
import { LogReader, NO_FILE } from './reader.ts';
import type { Joined, Tail, Wish } from './tail.ts';
import type { Tails } from './tails.ts';
import { pause } from './wake.ts';

const DEFAULT_LAST = 200;
/** What a returning follower reads at most of what it missed; the older part is skipped, and counted. */
export const BACKLOG_BYTES = 64 * 1_024 * 1_024;
/** When the reader of the past and the tail cannot meet (the tail waits for the end of a line that was shown already), they try again so often. */
const MEET_EVERY_MS = 50;
const ROOM_LOOK_MS = 20;
/** A past reader waits when this much of it is not on its way yet. */
const AHEAD_BYTES = 1_024 * 1_024;
/** Tries to find the file at whose end the tail stood, in a log that is rotated all the time. */
const TRIES = 5;

export interface FollowOptions { readonly cursor?: string | undefined; readonly last?: number | undefined; readonly filter?: LogFilter | undefined; readonly signal: AbortSignal; readonly sink: LogSink; readonly quotaBytes?: number | undefined }

interface Following { readonly log: Log; readonly clock: Clock; readonly options: FollowOptions; readonly tail: Tail; readonly tails: Tails; readonly queue: FollowerQueue; readonly wish: Wish }

/** Ends when the signal aborts, with all that it holds given back. @throws CURSOR_BAD, FILTER_BAD */
export async function followLog(log: Log, options: FollowOptions, tails: Tails, clock: Clock): Promise<void> {
  const { signal, sink, filter } = options;
  const mark = options.cursor === undefined ? undefined : decodeCursor(options.cursor, log.source);
  compileFilter(filter);
  if (signal.aborted) return;
  const queue = new FollowerQueue(sink, mark === undefined, options.quotaBytes);
  const { tail: started, release } = tails.use(log);
  let tail: Tail | undefined;
  try {
    const here = await started;
    tail = here;
    sink.onRoom(() => { if (queue.drain()) here.room(); });
    const following: Following = { log, clock, options, tail, tails, queue, wish: { filter, claim: (number) => sink.claim(number) } };
    if (mark === undefined) await fromEnd(following, options.last ?? DEFAULT_LAST);
    else await fromMark(following, mark);
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error; // the abort closes files under a reader that is busy
  } finally {
    tail?.leave(queue);
    release();
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => { signal.addEventListener('abort', () => resolve(), { once: true }); });
}

const channelOf = ({ channel, cursor }: Joined, batch: Partial<LogBatch> = {}): LogBatch => ({ items: [], dropped: 0, passed: 0, cursor, ...batch, channel: channel.number, passedBefore: channel.passed });

/** The last entries before the place where the tail stands; what comes after it waits until they are sent. */
async function fromEnd(following: Following, last: number): Promise<void> {
  const { options: { sink, signal }, log, clock, queue, tail, wish } = following;
  const joined = await tail.join(queue, wish);
  const { filter } = following.options;
  // Taken here: what joins the channel's count later is told by frames.
  const head = channelOf(joined);
  if (joined.place.ino === NO_FILE) {
    const notice: LogNotice = { kind: 'deleted', text: `${nameOf(log)} is not there; its lines come when it is.`, at: clock.now() };
    sink.batch({ ...head, items: [{ notice }] });
  } else {
    const found = last > 0 ? await lastLines(following, joined, last, compileFilter(filter), signal) : { lines: [], passed: 0 };
    sink.batch({ ...head, items: found.lines.map((line) => ({ line })), passed: found.passed });
  }
  queue.open();
}

const nameOf = (log: Log): string => log.path.split(/[\\/]/).at(-1) ?? log.path;

/** Of the very file the tail reads; nothing when it went away meanwhile. */
async function lastLines({ log, clock, tails }: Following, { place }: Joined, limit: number, passes: ReturnType<typeof compileFilter>, signal: AbortSignal) {
  for (let i = 0; i < TRIES; i += 1) {
    const file = await LogFile.open(log.path, log.roots);
    try {
      if (file?.ino !== place.ino || (await file.state()).sizeBytes < place.offset) continue;
      const found = await lastBefore(log, file, place.offset, { limit, passes }, clock, signal);
      const mask = tails.mask;
      return mask === undefined ? found : { ...found, lines: found.lines.map((line) => ({ ...line, text: mask.text(line.text) })) };
    } finally {
      await file?.close();
    }
  }
  return { lines: [], passed: 0 };
}

/** What was missed, read by a reader of its own as fast as the follower takes it, up to where it meets the tail. */
async function fromMark(following: Following, mark: Mark): Promise<void> {
  const { log, clock, options: { sink, signal }, queue, tail, wish } = following;
  const past = new Past(following);
  sink.claim(past.channel.number);
  const reader = new LogReader(log, () => clock.now(), past, past.holds);
  try {
    const begun = { items: [], dropped: 0, passed: 0, channel: past.channel.number, passedBefore: 0 };
    sink.batch({ ...begun, cursor: following.options.cursor ?? '' });
    await reader.resume(mark);
    await skipBacklog(following, reader, mark, past);
    while (!signal.aborted) {
      const step = await reader.step();
      await room(queue, clock, signal);
      if (step === 'more') continue;
      const joined = await tail.meet(reader, queue, wish);
      if (joined !== undefined) { queue.offer({ batch: channelOf(joined, { passed: past.untold }) }); return; }
      await pause(clock, MEET_EVERY_MS, signal);
    }
  } finally {
    await reader.close();
  }
}

async function room(queue: FollowerQueue, clock: Clock, signal: AbortSignal): Promise<void> {
  while (queue.bytes > AHEAD_BYTES && !signal.aborted) await pause(clock, ROOM_LOOK_MS, signal);
}

/** Makes frames of what a follower missed, for it alone. */
class Past implements Output {
  readonly channel: Channel;
  readonly #mask: LineMask | undefined;
  readonly #queue: FollowerQueue;
  #told = 0;

  constructor({ tails, options, queue }: Following) {
    this.#mask = tails.mask;
    this.channel = new Channel(tails.number(), options.filter, tails.mask);
    this.#queue = queue;
  }

  get holds() { return this.#mask && holdsFor(this.#mask); }
  /** Left out, and in no frame. */
  get untold(): number { return this.channel.passed - this.#told; }

  block(block: Block, _file: LogFile, cursor: string, near: number | undefined): void {
    const frame = this.channel.encode(block, this.#mask === undefined ? NOTHING_MASKED : maskBlock(block, this.#mask, near), cursor, near);
    if (frame === undefined) return;
    this.#told = frame.passed;
    this.#queue.offer({ frame });
  }

  notice(notice: LogNotice, cursor: string): void { this.#queue.offer({ batch: { items: [{ notice }], dropped: 0, passed: 0, cursor } }); }
}

/** More was missed than is worth reading: goes on nearer to the end and says how many bytes were left out. */
async function skipBacklog({ log, clock }: Following, reader: LogReader, mark: Mark, past: Past): Promise<void> {
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
  past.notice({ kind: 'lost', text, lostBytes, at: clock.now() }, await reader.cursor());
}

/** What is left of the reader's file and of the rotated ones after it. */
async function bytesBetween(log: Log, reader: LogReader, file: LogFile): Promise<number> {
  const mine = await file.state();
  const younger = (await siblingsOf(log.path)).filter((one) => one.rotated && one.ino !== file.ino && one.changedNs > mine.changedNs);
  let sum = mine.sizeBytes - reader.next;
  for (const one of younger) sum += one.packed ? await textBytes(log, one.path) : one.sizeBytes;
  return sum;
}

async function textBytes(log: Log, path: string): Promise<number> {
  const file = await LogFile.open(path, log.roots);
  try {
    return file === undefined ? 0 : (await file.state()).sizeBytes;
  } finally {
    await file?.close();
  }
}
