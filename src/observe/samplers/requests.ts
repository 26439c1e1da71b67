// Owns the sampling of requests: rows of the growing HTTP log become the request feed and the http.* metrics at the rows' own times.
import type { Sample } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import type { History } from '../../store/store.ts';
import { HttpLogFollower } from '../http-log/follow.ts';
import { BATCH_ROWS } from '../http-log/columns.ts';
import type { Columns } from '../http-log/columns.ts';
import { RestingRows } from '../http-log/resting-rows.ts';
import { leftOut } from '../http-log/rows.ts';
import type { RequestRows } from '../observe.ts';
import { RequestBuckets } from './buckets.ts';
import type { Sampler } from './index.ts';

/** What is read of the log at a start, so that the page has a past at once; whole minutes, so that their slots are whole too. */
const BEFORE_START_MS = 5 * 60_000;
/** Between the end of a request and our reading of its row: App Service flushes about once a minute. Until rows were seen to come, this is believed. */
const LATEST_MS = 90_000;
const SOONEST_MS = 2_000;
/** Flushes remembered to tell how late rows come. */
const LAGS_KEPT = 20;
/** A log that has not grown for so long may be off: what it does not say is unknown, no longer 0. Always On alone makes a request every five minutes. */
const LIVE_MS = 3_600_000;
const NO_LOG = 'HTTP logging is off or has written nothing: enable Web server logging (App Service logs).';

export interface RequestsOptions {
  readonly folder: string;
  readonly instance: string;
  readonly startedAt: number;
  readonly history: Pick<History, 'write'>;
  now(): number;
  sourceOf(name: string, signal: AbortSignal): Promise<string>;
  onRows(rows: RequestRows): void;
  /** One-second samples at the rows' own times; a later one of the same second replaces the earlier. */
  onSample(sample: Sample): void;
}

export class RequestsSampler implements Sampler {
  readonly id = 'requests';
  readonly everyMs = 1_000;
  readonly #options: RequestsOptions;
  readonly #buckets = new RequestBuckets();
  readonly #follower: HttpLogFollower;
  readonly #from: number;
  readonly #lags: number[] = [];
  #polls = 0;
  #files = 0;
  #grewAt: number | undefined;
  #oldestOfPoll = Infinity;
  /** The next second of which it is not yet said that it is known. */
  #nextKnown: number | undefined;
  /** Rows too old (or too far ahead) for their slots. */
  #misplaced = 0;
  /** Where in a batch the rows lie that are requests of the site. */
  readonly #places = new Int32Array(BATCH_ROWS);

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#from = Math.floor((options.startedAt - BEFORE_START_MS) / 60_000) * 60_000;
    this.#follower = new HttpLogFollower({
      folder: options.folder, instance: options.instance, from: this.#from,
      sourceOf: (name, signal) => options.sourceOf(name, signal),
      onRows: (columns, source) => { this.#take(columns, source); },
    });
  }

  /** Slots of time held. */
  get slots(): number { return this.#buckets.size; }

  async tick(_at: number, signal: AbortSignal): Promise<string | undefined> {
    this.#buckets.move(this.#options.now());
    this.#oldestOfPoll = Infinity;
    const poll = await this.#follower.poll(this.#options.now(), signal);
    const now = this.#options.now();
    this.#buckets.move(now);
    this.#files = poll.files;
    if (poll.readBytes > 0) this.#grewAt = now;
    else if (this.#polls === 0 && poll.changedAt !== undefined) this.#grewAt = Math.min(now, poll.changedAt);
    // The first poll reads the past, which says nothing about how late rows come.
    if (this.#polls > 0 && this.#oldestOfPoll !== Infinity) this.#lag(now - this.#oldestOfPoll);
    this.#fillKnown(now);
    this.#polls += 1;
    this.#drain();
    return this.#waits(now);
  }

  lost(): readonly { what: string; count: number }[] {
    return [
      { what: 'damaged lines of the HTTP log', count: this.#follower.malformed },
      { what: 'rows of the HTTP log that came too late for the charts', count: this.#misplaced },
    ].filter((one) => one.count > 0);
  }

  #take(columns: Columns, source: string): void {
    const { at } = columns;
    const places = this.#places;
    let size = 0, oldest = this.#oldestOfPoll;
    for (let row = 0; row < columns.rows; row += 1) {
      const ended = at[row] as number;
      if (ended < this.#from || leftOut(columns, row)) continue;
      if (ended < oldest) oldest = ended;
      places[size] = row;
      size += 1;
    }
    if (size === 0) return;
    this.#oldestOfPoll = oldest;
    this.#misplaced += this.#buckets.add(columns, places, size);
    this.#options.onRows(new RestingRows(columns, places, size, source));
  }

  #lag(lagMs: number): void {
    this.#lags.push(lagMs);
    if (this.#lags.length > LAGS_KEPT) this.#lags.shift();
  }

  get #lateMs(): number {
    return this.#lags.length === 0 ? LATEST_MS : Math.min(LATEST_MS, Math.max(SOONEST_MS, Math.max(...this.#lags) + 1_000));
  }

  /** A second is known when a later row was read, or when its rows would have come by now. */
  #fillKnown(now: number): void {
    if (this.#files === 0 || this.#grewAt === undefined || now - this.#grewAt > LIVE_MS) { this.#nextKnown = undefined; return; }
    // What was before a log that appears while we run is not known; before one that was there, it is.
    // Before the first row nothing is known: the log may have begun with it.
    const begins = this.#polls === 0 && this.#oldestOfPoll === Infinity ? this.#from : Math.min(this.#oldestOfPoll, now);
    this.#nextKnown ??= Math.floor(begins / 1_000) * 1_000;
    const to = Math.min(now, Math.max(this.#buckets.newestAt, now - this.#lateMs));
    let at = Math.max(this.#nextKnown, this.#buckets.oldest);
    for (; at <= to; at += 1_000) this.#buckets.known(at);
    this.#nextKnown = at;
  }

  #drain(): void {
    for (const { stepMs, sample } of this.#buckets.drain()) {
      this.#options.history.write(stepMs, sample);
      if (stepMs === 1_000) this.#options.onSample(sample);
    }
  }

  #waits(now: number): string | undefined {
    if (this.#files === 0) return NO_LOG;
    if (this.#grewAt === undefined || now - this.#grewAt <= LIVE_MS) return undefined;
    return `The HTTP log has not grown for ${plural(Math.floor((now - this.#grewAt) / 60_000), 'minute')}: the site had no requests, or logging is off.`;
  }
}

