// Owns what waits for one follower of a log: given on while there is room, bounded in bytes, its loss counted exactly.
import type { LogBatch, LogSink } from '../observe.ts';
import type { Frame } from './frame.ts';

/** What one follower may keep waiting, what its socket holds included; a page that is slower loses the oldest and is told how many. */
export const QUEUE_BYTES = 4 * 1_024 * 1_024;
/** As much as a sink takes without a pause: enough to keep a connection busy. */
export const SINK_BYTES = 1_024 * 1_024;
/** Notices outlive the lines around them, for they say why lines are missing; more than these are a file that is rewritten all the time. */
const KEPT_NOTICES = 64;

type Waiting = { readonly frame: Frame } | { readonly batch: LogBatch };

/** Batches are notices: as good as nothing. */
const BATCH_BYTES = 500;
const sizeOf = (one: Waiting): number => ('frame' in one ? one.frame.bytes.length : BATCH_BYTES);

export class FollowerQueue {
  readonly #sink: LogSink;
  readonly #quota: number;
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  #entries = 0;                            // lost since it was last told
  #lines = 0;
  #saved: LogBatch[] = [];                 // from among what was lost
  #closed: boolean;
  #cursor = '';                            // after what was lost
  /** Kept by the pace of the tail: when this follower was last seen to take something, and what waited then. */
  tookAt = 0;
  seenBytes = 0;
  patienceMs = 0;

  /** `closed`: takes and keeps, and gives nothing on until it is opened. */
  constructor(sink: LogSink, closed = false, quota = QUEUE_BYTES) {
    this.#sink = sink;
    this.#closed = closed;
    this.#quota = quota;
  }

  open(): void {
    this.#closed = false;
    this.drain();
  }

  /** Bytes that wait, in the sink included. */
  get bytes(): number { return this.#bytes + this.#sink.waitingBytes; }
  get idle(): boolean { return this.#head === this.#waiting.length && this.#sink.waitingBytes < SINK_BYTES / 4; }

  offer(one: Waiting): void {
    if (!this.#closed && this.#head === this.#waiting.length && this.#sink.waitingBytes < SINK_BYTES) { this.#give(one); return; }
    this.#waiting.push(one);
    this.#bytes += sizeOf(one);
    while (this.#waiting.length - this.#head > 1 && this.bytes > this.#quota) this.#drop();
  }

  /** Gives on what the sink has room for. True when it took something. */
  drain(): boolean {
    let took = false;
    while (!this.#closed && this.#head < this.#waiting.length && this.#sink.waitingBytes < SINK_BYTES) {
      const one = this.#waiting[this.#head] as Waiting;
      this.#forget();
      this.#give(one);
      took = true;
    }
    return took;
  }

  #give(one: Waiting): void {
    this.#tell();
    if ('frame' in one) {
      const { bytes, lease } = one.frame;
      this.#sink.frame(bytes, lease && (() => { lease.free(); }));
    }
    else this.#sink.batch(one.batch);
  }

  /** What was lost is said before what follows it. */
  #tell(): void {
    const saved = this.#saved;
    this.#saved = [];
    for (const batch of saved) this.#sink.batch(batch);
    if (this.#lines === 0) return;
    const batch: LogBatch = { items: [], dropped: this.#entries, droppedLines: this.#lines, passed: 0, cursor: this.#cursor };
    this.#entries = 0;
    this.#lines = 0;
    this.#sink.batch(batch);
  }

  #drop(): void {
    const one = this.#waiting[this.#head] as Waiting;
    this.#forget();
    if ('frame' in one) {
      this.#cursor = one.frame.cursor;
      this.#entries += one.frame.entries;
      this.#lines += one.frame.lines;
      one.frame.lease?.free();
      return;
    }
    this.#saved.push(one.batch);
    if (this.#saved.length > KEPT_NOTICES) this.#saved.shift();
  }

  #forget(): void {
    this.#bytes -= sizeOf(this.#waiting[this.#head] as Waiting);
    this.#waiting[this.#head] = undefined as unknown as Waiting; // so that the frame can go
    this.#head += 1;
    if (this.#head > 64 && this.#head * 2 > this.#waiting.length) { this.#waiting = this.#waiting.slice(this.#head); this.#head = 0; }
  }
}
