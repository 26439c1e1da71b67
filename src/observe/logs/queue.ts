// Owns what waits for one follower of a log: filtered, bounded, its loss counted exactly.
import type { LogItem } from '../../shared/live.ts';
import type { LogLine } from '../../shared/model.ts';
import type { Follower } from './tail.ts';
import type { Placed } from './reader.ts';

/** Text one follower may keep waiting; a page that is slower loses the oldest and is told how many. */
const QUEUE_CHARS = 4 * 1_024 * 1_024;
/** What one batch holds at most: a message of a megabyte is as much as a page takes without a pause. */
const BATCH_CHARS = 1_024 * 1_024;
/** Notices outlive the lines around them, for they say why lines are missing; more than these are a file that is rewritten all the time. */
const KEPT_NOTICES = 64;

export interface Taken { readonly items: LogItem[]; readonly dropped: number; readonly passed: number; readonly cursor: string | undefined }

export class FollowerQueue implements Follower {
  readonly #passes: (line: LogLine) => boolean;
  readonly #keep: number;
  #waiting: Placed[] = [];
  #head = 0;
  #chars = 0;
  #notices: Placed[] = [];      // saved from among dropped lines
  #dropped = 0;
  #passed = 0;
  #cursor: string | undefined;  // of the last item offered, filtered ones included
  #ring: (() => void) | undefined;

  constructor(passes: (line: LogLine) => boolean, keep: number) {
    this.#passes = passes;
    this.#keep = keep;
  }

  get length(): number { return this.#waiting.length - this.#head + this.#notices.length; }
  get passed(): number { return this.#passed; }

  offer(placed: Placed): void {
    if (placed.cursor !== '') this.#cursor = placed.cursor;
    if ('line' in placed.item) {
      if (!this.#passes(placed.item.line)) { this.#passed += 1; if (this.#passed === 1) this.#ring?.(); return; }
      this.#chars += placed.item.line.text.length;
    }
    this.#waiting.push(placed);
    while (this.#waiting.length - this.#head > this.#keep || (this.#chars > QUEUE_CHARS && this.#waiting.length - this.#head > 1)) this.#dropOldest();
    this.#ring?.();
  }

  /** Up to `count` items, oldest first, with what was lost before them and left out among them. */
  take(count: number): Taken {
    const items: LogItem[] = this.#notices.map((one) => one.item);
    let cursor = this.#notices.at(-1)?.cursor;
    this.#notices = [];
    let chars = 0;
    while (this.#head < this.#waiting.length && items.length < count && chars < BATCH_CHARS) {
      const placed = this.#shift();
      if ('line' in placed.item) chars += placed.item.line.text.length;
      if (placed.cursor !== '') cursor = placed.cursor;
      items.push(placed.item);
    }
    if (this.#head >= this.#waiting.length) cursor = this.#cursor ?? cursor;
    const taken = { items, dropped: this.#dropped, passed: this.#passed, cursor };
    this.#dropped = 0;
    this.#passed = 0;
    return taken;
  }

  /** Resolves when something is there or was left out, or the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.length > 0 || this.#passed > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const over = (): void => { this.#ring = undefined; signal.removeEventListener('abort', over); resolve(); };
      this.#ring = over;
      signal.addEventListener('abort', over, { once: true });
    });
  }

  /** Resolves when at least `count` items wait. */
  async filled(count: number, signal: AbortSignal): Promise<void> {
    while (this.length < count && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const over = (): void => { this.#ring = undefined; signal.removeEventListener('abort', over); resolve(); };
        this.#ring = over;
        signal.addEventListener('abort', over, { once: true });
      });
    }
  }

  #dropOldest(): void {
    const placed = this.#shift();
    if ('line' in placed.item) { this.#dropped += 1; return; }
    this.#notices.push(placed);
    if (this.#notices.length > KEPT_NOTICES) this.#notices.shift();
  }

  #shift(): Placed {
    const placed = this.#waiting[this.#head] as Placed;
    this.#head += 1;
    if ('line' in placed.item) this.#chars -= placed.item.line.text.length;
    if (this.#head > 256 && this.#head * 2 > this.#waiting.length) { this.#waiting = this.#waiting.slice(this.#head); this.#head = 0; }
    return placed;
  }
}
