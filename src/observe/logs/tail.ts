// Owns the live end of a log: one reader for a path however many follow it, started by the first and closed by the last.
import { basename } from 'node:path';
import { sayError } from '../../shared/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { lineStartBefore } from './backward.ts';
import { LogFile } from './file.ts';
import { LogReader, type Log, type Place, type Placed } from './reader.ts';
import { pause, Wake } from './wake.ts';

/** Shares do not tell of changes: while a log is followed its size is looked at four times a second. */
const POLL_MS = 250;
/** Between two reads of a log that is written without pause; 40 reads a second cost under 1 % of a core. */
const REST_MS = 25;
/** An entry is handed over when nothing was added to it for this long: programs write a stack trace at once. */
const ENTRY_QUIET_MS = 100;
/** A line without an end is shown after this long: a prompt, or the last words of a killed process. */
const LINE_QUIET_MS = 2_000;
/** How far back the start of an unfinished line is looked for; beyond that it is shown from where it stands. */
const LINE_START_BYTES = 4 * 1_024 * 1_024;

export interface Follower { offer(placed: Placed): void }

export class Tail {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #reader: LogReader;
  readonly #followers = new Set<Follower>();
  readonly #ending = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #changedAt = 0;
  #failure: string | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#reader = new LogReader(log, () => clock.now(), (placed) => { for (const one of this.#followers) one.offer(placed); });
  }

  get followers(): number { return this.#followers.size; }
  /** Where the reader stands, as a cursor. */
  cursor(): Promise<string> { return this.#inTurn(() => this.#reader.cursor()); }

  /** Opens the log at its end and reads on until `close`. */
  async start(): Promise<void> {
    const file = await LogFile.open(this.#log.path, this.#log.roots);
    if (file) {
      const { sizeBytes } = await file.state();
      const from = await lineStartBefore(file, sizeBytes, LINE_START_BYTES);
      await this.#reader.startIn(file, from ?? sizeBytes);
    }
  }

  /** Runs until closed. */
  async run(): Promise<void> {
    const signal = this.#ending.signal;
    const wake = new Wake(this.#log.path, this.#clock);
    try {
      while (!signal.aborted) {
        await this.#inTurn(() => this.#pass());
        await pause(this.#clock, REST_MS, signal);
        await wake.wait(this.#reader.pending ? ENTRY_QUIET_MS : POLL_MS, signal);
      }
    } finally {
      wake.close();
      await this.#inTurn(() => this.#reader.close());
    }
  }

  close(): void { this.#ending.abort(); }

  /** Brings the reader up to the file and joins: the follower gets every entry from the returned place on. */
  async join(follower: Follower): Promise<Place> {
    return this.#inTurn(async () => {
      await this.#pass();
      this.#followers.add(follower);
      return this.#reader.place;
    });
  }

  leave(follower: Follower): void { this.#followers.delete(follower); }

  /** One at a time: a pass awaits in its middle, and nobody may see that. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    let done: () => void = () => undefined;
    this.#turn = new Promise<void>((resolve) => { done = resolve; });
    await before;
    try {
      return await work();
    } finally {
      done();
    }
  }

  async #pass(): Promise<void> {
    const reader = this.#reader;
    try {
      const before = `${reader.file?.ino} ${reader.next}`;
      while (!this.#ending.signal.aborted && await reader.step() === 'more') continue;
      const now = this.#clock.monotonic();
      if (`${reader.file?.ino} ${reader.next}` !== before) this.#changedAt = now;
      const quietMs = now - this.#changedAt;
      if (reader.pendingLine && quietMs >= LINE_QUIET_MS) reader.flush('open-line');
      else if (reader.pending && quietMs >= ENTRY_QUIET_MS) reader.flush('keep-line');
      this.#failure = undefined;
    } catch (error) {
      this.#fail(sayError(error));
    }
  }

  /** Said once; the reading is tried again at each look. */
  #fail(why: string): void {
    if (this.#failure === why) return;
    this.#failure = why;
    const { ino, offset } = this.#reader.place;
    const notice = { kind: 'failed' as const, text: `${basename(this.#log.path)} cannot be read: ${why}`, at: this.#clock.now() };
    for (const one of this.#followers) one.offer({ item: { notice }, ino, end: offset, cursor: '' });
  }
}

/** The tails of all followed logs. */
export class Tails {
  readonly #clock: Clock;
  readonly #open = new Map<string, Promise<Tail>>();

  constructor(clock: Clock) { this.#clock = clock; }

  /** Joins the one tail of this log; `leave` must be called in the end. */
  async join(log: Log, follower: Follower): Promise<{ place: Place; tail: Tail; leave(): void }> {
    for (;;) {
      const tail = await (this.#open.get(log.path) ?? this.#start(log));
      const place = await tail.join(follower);
      // The last follower may have left, and closed it, while we waited.
      if (await this.#open.get(log.path) !== tail) { tail.leave(follower); continue; }
      return { place, tail, leave: () => { tail.leave(follower); if (tail.followers === 0) { this.#open.delete(log.path); tail.close(); } } };
    }
  }

  get count(): number { return this.#open.size; }

  #start(log: Log): Promise<Tail> {
    const starting = (async () => {
      const tail = new Tail(log, this.#clock);
      await tail.start();
      tail.run().catch(() => { this.#open.delete(log.path); }); // what it cannot read it has said; a new follower starts anew
      return tail;
    })();
    this.#open.set(log.path, starting);
    starting.catch(() => { this.#open.delete(log.path); });
    return starting;
  }
}
