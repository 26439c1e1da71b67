// Owns the live end of a log: one reader for a path however many follow it, started by the first and closed by the last.
import { basename } from 'node:path';
import { sayError } from '../../shared/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { LogFile } from './file.ts';
import { lineEnd } from './page.ts';
import { LogReader, type Log, type Placed } from './reader.ts';
import { pause, Wake } from './wake.ts';

/** Shares do not tell of changes: while a log is followed its size is looked at four times a second… */
const POLL_MS = 250;
/** …and once a second when it has been quiet for a while: at rest, ten followed logs must not cost what the agent may cost. */
const RESTING_POLL_MS = 1_000;
const RESTING_AFTER_MS = 10_000;
/** Between two reads of a log that is written without pause: a page hears ten times a second, so twenty reads are enough. */
const REST_MS = 50;
/** An entry is handed over when nothing was added to it for this long: programs write a stack trace at once. */
const ENTRY_QUIET_MS = 100;
/** A line without an end is shown after this long: a prompt, or the last words of a killed process. */
const LINE_QUIET_MS = 2_000;
/** How far a follower may be behind to be taken along: what it reads in its last step must fit its queue. */
const MEETING_BYTES = 1_024 * 1_024;

export interface Follower { offer(placed: Placed): void }

export class Tail {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #reader: LogReader;
  readonly #followers = new Set<Follower>();
  readonly #ending = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  #changedAt: number;
  #failure: string | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#changedAt = clock.monotonic();
    this.#reader = new LogReader(log, () => clock.now(), (placed) => { for (const one of this.#followers) one.offer(placed); });
  }

  /** Opens the log at its end. */
  async start(): Promise<void> {
    const file = await LogFile.open(this.#log.path, this.#log.roots);
    if (!file || await this.#reader.startIn(file, await lineEnd(file, this.#clock))) return;
    await this.start(); // emptied between two reads
  }

  /** Runs until closed. */
  async run(): Promise<void> {
    const signal = this.#ending.signal;
    const wake = new Wake(this.#log.path, this.#clock);
    try {
      while (!signal.aborted) {
        if (await this.#inTurn(() => this.#pass())) await pause(this.#clock, REST_MS, signal);
        await wake.wait(this.#reader.pending ? ENTRY_QUIET_MS : this.#resting ? RESTING_POLL_MS : POLL_MS, signal);
      }
    } finally {
      wake.close();
      await this.#inTurn(() => this.#reader.close());
    }
  }

  close(): void { this.#ending.abort(); }

  /** Joins a follower whose own reader came this far: brings both to one place of one file and hands on from there. False when they
   *  are not in the same file, or too far apart: then the own reader must read on and ask again. */
  async meet(own: LogReader, follower: Follower): Promise<boolean> {
    return this.#inTurn(async () => {
      await this.#pass();
      if (this.#ending.signal.aborted || !await own.catchUpWith(this.#reader, MEETING_BYTES)) return false;
      this.#followers.add(follower);
      return true;
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

  /** Reads what is new; true when there was something. */
  async #pass(): Promise<boolean> {
    const reader = this.#reader;
    const now = (): number => this.#clock.monotonic();
    let read = false;
    try {
      if (!await reader.rests()) read = await this.#readOn();
      if (read) this.#changedAt = now();
      const quietMs = now() - this.#changedAt;
      if (reader.pendingLine && quietMs >= LINE_QUIET_MS) reader.flush('open-line');
      else if (reader.pending && quietMs >= ENTRY_QUIET_MS) reader.flush('keep-line');
      this.#failure = undefined;
    } catch (error) {
      this.#fail(sayError(error));
    }
    return read;
  }

  async #readOn(): Promise<boolean> {
    const { file, next } = this.#reader;
    while (!this.#ending.signal.aborted && await this.#reader.step() === 'more') continue;
    return this.#reader.file !== file || this.#reader.next !== next;
  }

  get #resting(): boolean { return this.#clock.monotonic() - this.#changedAt >= RESTING_AFTER_MS; }

  /** Said once; the reading is tried again at each look. */
  #fail(why: string): void {
    if (this.#failure === why) return;
    this.#failure = why;
    const notice = { kind: 'failed' as const, text: `${basename(this.#log.path)} cannot be read: ${why}`, at: this.#clock.now() };
    for (const one of this.#followers) one.offer({ item: { notice }, cursor: '' });
  }
}

interface Used { readonly tail: Promise<Tail>; users: number; close(): void }

/** The tails of all followed logs. */
export class Tails {
  readonly #clock: Clock;
  readonly #used = new Map<string, Used>();

  constructor(clock: Clock) { this.#clock = clock; }

  get count(): number { return this.#used.size; }

  /** The one tail of this log, until `release`; closed when nobody uses it any more. */
  use(log: Log): { readonly tail: Promise<Tail>; release(): void } {
    const used = this.#used.get(log.path) ?? this.#start(log);
    used.users += 1;
    let held = true;
    return {
      tail: used.tail,
      release: () => {
        if (!held) return;
        held = false;
        used.users -= 1;
        if (used.users > 0) return;
        this.#used.delete(log.path);
        used.close();
      },
    };
  }

  #start(log: Log): Used {
    const tail = new Tail(log, this.#clock);
    const used: Used = { tail: tail.start().then(() => tail), users: 0, close: () => tail.close() };
    this.#used.set(log.path, used);
    // A tail that cannot even start fails whoever asked for it; one that runs says itself what it cannot read.
    used.tail.then(() => tail.run()).catch(() => { tail.close(); });
    return used;
  }
}
