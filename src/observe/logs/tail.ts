// Owns the live end of a log: one reader for a path however many follow it, started by the first and closed by the last.
import { basename } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { sayError } from '../../shared/errors.ts';
import type { LogNotice } from '../../shared/live.ts';
import type { LogFilter } from '../../shared/model.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Block } from './block.ts';
import { Channel } from './channel.ts';
import { LogFile } from './file.ts';
import { emptyFrame } from './frame.ts';
import type { Log, Output, Place } from './log.ts';
import { holdsFor, maskBlock, NOTHING_MASKED, type LineMask } from './masked.ts';
import { catchUp } from './meet.ts';
import { Pace } from './pace.ts';
import { lineEnd } from './page.ts';
import { FramePool } from './pool.ts';
import type { FollowerQueue } from './queue.ts';
import { LogReader } from './reader.ts';
import { Notices, pause } from './wake.ts';

/** Where notices do not come, size and place of a followed log are looked at four times a second; where they do, and at rest, once. */
const POLL_MS = 250;
const RARE_POLL_MS = 1_000;
const RESTING_AFTER_MS = 10_000;
/** Lines that are held back for what may follow them (a secret without its end) are handed over after this: programs write at once. */
const HELD_MS = 100;
/** A line without an end is shown after this long: a prompt, or the last words of a killed process. */
const LINE_QUIET_MS = 2_000;
/** How far a follower may be behind to be taken along: what it reads in its last step must fit its queue. */
const MEETING_BYTES = 2 * 1_024 * 1_024;

/** Where a follower joined: frames of this channel come next, from this place on. */
export interface Joined { readonly channel: Channel; readonly place: Place; readonly cursor: string }
export interface Wish { readonly filter: LogFilter | undefined; claim(channel: number): boolean }

export class Tail implements Output {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #mask: LineMask | undefined;
  readonly #numbers: () => number;
  readonly #reader: LogReader;
  readonly #shared = new Map<string, Channel>();
  readonly #followers = new Map<Channel, Set<FollowerQueue>>();
  readonly #told = new Map<Channel, number>();       // left out entries as last sent
  readonly #pace: Pace;
  readonly #pool = new FramePool();
  readonly #ending = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #inTurns = 0;
  #wanted: 'nothing' | 'bytes' | 'all' = 'nothing';
  #busy = false;
  #holdTimer = false;
  #changedAt: number;
  #cursor = '';
  #failure: string | undefined;
  #notices: Notices | undefined;

  constructor(log: Log, clock: Clock, mask: LineMask | undefined, numbers: () => number) {
    this.#log = log;
    this.#clock = clock;
    this.#mask = mask;
    this.#numbers = numbers;
    this.#changedAt = clock.monotonic();
    this.#pace = new Pace(clock);
    this.#reader = new LogReader(log, () => clock.now(), this, mask && holdsFor(mask));
  }

  /** Opens the log at its end. */
  async start(): Promise<void> {
    const file = await LogFile.open(this.#log.path, this.#log.roots);
    if (!file || await this.#reader.startIn(file, await lineEnd(file, this.#clock))) return;
    await this.start(); // emptied between two reads
  }

  /** Runs until closed. */
  async run(): Promise<void> {
    const { signal } = this.#ending;
    const notices = new Notices(this.#log.path, (renamed) => this.#wake(renamed ? 'all' : 'bytes'));
    this.#notices = notices;
    try {
      while (!signal.aborted) {
        const resting = this.#clock.monotonic() - this.#changedAt >= RESTING_AFTER_MS;
        await pause(this.#clock, notices.work || resting ? RARE_POLL_MS : POLL_MS, signal);
        notices.watch();
        if (!signal.aborted) await this.#look(notices);
      }
    } finally {
      notices.close();
      await this.#inTurn(() => this.#reader.close());
    }
  }

  close(): void { this.#ending.abort(); }

  /** Notices are relied on; false where the log is looked at. */
  get noticed(): boolean { return this.#notices?.work ?? false; }

  /** Takes a follower along from the present place on. What is there already is the caller's. @throws FILTER_BAD */
  async join(follower: FollowerQueue, wish: Wish): Promise<Joined> {
    return this.#inTurn(async () => {
      await this.#pass('all');
      return this.#enter(follower, wish);
    });
  }

  /** Takes along a follower whose own reader came this far: brings both to one place of one file. Undefined when they are not in the
   *  same file, or too far apart: then the own reader must read on and ask again. */
  async meet(own: LogReader, follower: FollowerQueue, wish: Wish): Promise<Joined | undefined> {
    return this.#inTurn(async () => {
      await this.#pass('all');
      if (this.#ending.signal.aborted || !await catchUp(own, this.#reader, MEETING_BYTES)) return undefined;
      return this.#enter(follower, wish);
    });
  }

  leave(follower: FollowerQueue): void {
    for (const [channel, followers] of this.#followers) {
      if (!followers.delete(follower) || followers.size > 0) continue;
      this.#followers.delete(channel);
      this.#told.delete(channel);
      for (const [key, one] of this.#shared) if (one === channel) this.#shared.delete(key);
    }
  }

  /** A follower took something. */
  room(): void { this.#pace.room(); }

  block(block: Block, _file: LogFile, cursor: string, near: number | undefined): void {
    this.#cursor = cursor;
    if (this.#followers.size === 0) return;
    const masked = this.#mask === undefined ? NOTHING_MASKED : maskBlock(block, this.#mask, near);
    for (const [channel, followers] of this.#followers) {
      const frame = channel.encode(block, masked, cursor, near, this.#pool);
      if (frame === undefined) continue;
      this.#told.set(channel, channel.passed);
      for (const one of followers) {
        frame.lease?.hold();
        one.offer({ frame });
      }
      frame.lease?.free();
    }
  }

  notice(notice: LogNotice, cursor: string): void {
    this.#cursor = cursor;
    this.#say(notice, cursor);
  }

  #say(notice: LogNotice, cursor: string): void {
    for (const followers of this.#followers.values()) for (const one of followers) one.offer({ batch: { items: [{ notice }], dropped: 0, passed: 0, cursor } });
  }

  async #enter(follower: FollowerQueue, wish: Wish): Promise<Joined> {
    const channel = this.#channel(wish);
    const followers = this.#followers.get(channel) ?? new Set();
    this.#followers.set(channel, followers.add(follower));
    this.#pace.enter(follower);
    return { channel, place: this.#reader.place, cursor: await this.#reader.cursor() };
  }

  /** One channel for all who ask for the same; one of its own for who could not tell it from another it has. */
  #channel(wish: Wish): Channel {
    const key = JSON.stringify(wish.filter ?? {});
    const known = this.#shared.get(key);
    if (known !== undefined && wish.claim(known.number)) return known;
    const made = new Channel(this.#numbers(), wish.filter, this.#mask);
    wish.claim(made.number);
    if (known === undefined) this.#shared.set(key, made);
    this.#told.set(made, 0);
    return made;
  }

  /** One read a wake: what comes meanwhile asks for one more. */
  #wake(what: 'bytes' | 'all'): void {
    this.#wanted = what === 'all' || this.#wanted === 'all' ? 'all' : 'bytes';
    if (this.#busy || this.#ending.signal.aborted || (this.#wanted === 'bytes' && this.#readNow())) return;
    this.#busy = true;
    void this.#work().finally(() => { this.#busy = false; if (this.#wanted !== 'nothing') this.#wake(this.#wanted); });
  }

  /** The common case of a wake: a few lines more, and everybody has room. They are on their way before the notice returns: a promise here
   *  costs as much as the reading. False when it has to be the long way. */
  #readNow(): boolean {
    if (this.#inTurns > 0 || !this.#pace.free(this.#followers.values())) return false;
    const { next } = this.#reader;
    try {
      const step = this.#reader.stepNow();
      if (this.#reader.next !== next) this.#notices?.proved();
      this.#after(this.#reader.next !== next);
      if (step !== 'idle') return false;
      this.#failure = undefined;
    } catch (error) {
      this.#fail(sayError(error));
    }
    this.#wanted = 'nothing';
    return true;
  }

  async #work(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#wanted !== 'nothing' && !signal.aborted) {
      await this.#ready();
      const what = this.#wanted;
      this.#wanted = 'nothing';
      if (await this.#inTurn(() => this.#pass(what))) this.#notices?.proved();
    }
    if (signal.aborted) this.#wanted = 'nothing';
  }

  /** A look without being asked to. */
  async #look(notices: Notices): Promise<void> {
    const { heard } = notices;
    notices.looked(await this.#inTurn(() => this.#pass('all')), heard);
    for (const [channel, followers] of this.#followers) {
      if (this.#told.get(channel) === channel.passed || this.#cursor === '') continue;
      this.#told.set(channel, channel.passed);
      const frame = emptyFrame({ channel: channel.number, cursor: this.#cursor, passed: channel.passed });
      for (const one of followers) one.offer({ frame });
    }
  }

  /** One at a time: a pass awaits in its middle, and nobody may see that. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    this.#inTurns += 1;
    let done: () => void = () => undefined;
    this.#turn = new Promise<void>((resolve) => { done = resolve; });
    await before;
    try {
      return await work();
    } finally {
      this.#inTurns -= 1;
      done();
    }
  }

  /** Reads what is new; true when there was something. `bytes`: only of the file that is open, as a notice of a change asks for. */
  async #pass(what: 'bytes' | 'all'): Promise<boolean> {
    const reader = this.#reader;
    const { file, next } = reader;
    try {
      if (what === 'bytes' || !await reader.rests()) await this.#readOn(what === 'bytes');
      this.#failure = undefined;
    } catch (error) {
      this.#fail(sayError(error));
    }
    const read = reader.file !== file || reader.next !== next;
    if (!read && reader.pendingLine && this.#clock.monotonic() - this.#changedAt >= LINE_QUIET_MS) reader.flush('open-line');
    this.#after(read);
    return read;
  }

  #after(read: boolean): void {
    if (read) this.#changedAt = this.#clock.monotonic();
    if (this.#reader.holding && !this.#holdTimer) void this.#letGo();
  }

  /** Resolves when everybody who keeps up has room for the next block. */
  async #ready(): Promise<void> { await this.#pace.ready(() => [...this.#followers.values()].flatMap((some) => [...some]), this.#ending.signal); }

  async #readOn(quick: boolean): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted && await this.#reader.step(Infinity, quick) === 'more') {
      await turn(); // sockets are served between two blocks
      await this.#ready();
    }
  }

  /** Hands over what is held back once nothing followed it for a while. */
  async #letGo(): Promise<void> {
    this.#holdTimer = true;
    for (let seen = -1; this.#reader.holding && !this.#ending.signal.aborted;) {
      if (seen === this.#reader.next) { await this.#inTurn(async () => { this.#reader.flush('keep-line'); }); break; }
      seen = this.#reader.next;
      await pause(this.#clock, HELD_MS, this.#ending.signal);
    }
    this.#holdTimer = false;
  }

  /** Said once; the reading is tried again at each look. */
  #fail(why: string): void {
    if (this.#failure === why) return;
    this.#failure = why;
    this.#say({ kind: 'failed', text: `${basename(this.#log.path)} cannot be read: ${why}`, at: this.#clock.now() }, this.#cursor);
  }
}
