// Owns the feed: a ring of the recent past that can be followed, each follower with its own bounded queue.
import type { Batch, Feed } from './observe.ts';

/** What waits for a reader, oldest first. `T` is what comes at once: an item, or many that lie together. */
export interface Waiting<T, B> {
  /** Items. */
  readonly length: number;
  push(what: T): void;
  /** Drops the oldest items until at most `most` are left; how many those were. */
  trim(most: number): number;
  list(): readonly T[];
  /** All that waits, as one batch; nothing waits then. */
  take(dropped: number): B;
}

/** A queue that takes at both ends in constant time: taken places are reclaimed when they are half of the list. */
class Queue<T> implements Waiting<T, Batch<T>> {
  #items: T[] = [];
  #head = 0;
  get length(): number { return this.#items.length - this.#head; }
  push(item: T): void { this.#items.push(item); }
  trim(most: number): number {
    const dropped = Math.max(0, this.length - most);
    this.#head += dropped;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) { this.#items = this.#items.slice(this.#head); this.#head = 0; }
    return dropped;
  }
  list(): T[] { return this.#items.slice(this.#head); }
  take(dropped: number): Batch<T> {
    const items = this.#head === 0 ? this.#items : this.list();
    this.#items = [];
    this.#head = 0;
    return { items, dropped };
  }
}

/** One reader of a feed: what it has not read yet, and how much of that it lost. */
class Follower<T, B> implements AsyncIterableIterator<B> {
  readonly #queue: Waiting<T, B>;
  readonly #limit: number;
  readonly #leave: (follower: Follower<T, B>) => void;
  #dropped = 0;
  #left = false;
  #wake: (() => void) | undefined;

  constructor(queue: Waiting<T, B>, limit: number, leave: (follower: Follower<T, B>) => void) {
    this.#queue = queue;
    this.#limit = limit;
    this.#leave = leave;
  }

  offer(what: T): void {
    this.#queue.push(what);
    this.#dropped += this.#queue.trim(this.#limit);
    this.#wake?.();
  }

  end(): void {
    if (this.#left) return;
    this.#left = true;
    this.#queue.take(0);
    this.#leave(this);
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<B>> {
    while (!this.#left && this.#queue.length === 0) {
      await new Promise<void>((resolve) => { this.#wake = resolve; });
      this.#wake = undefined;
    }
    if (this.#left) return { done: true, value: undefined };
    const value = this.#queue.take(this.#dropped);
    this.#dropped = 0;
    return { done: false, value };
  }

  return(): Promise<IteratorResult<B>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this { return this; }
}

/** The ring of a feed and those who follow it. */
export class Followed<T, B> {
  readonly ring: Waiting<T, B>;
  readonly #keep: number;
  readonly #queue: () => Waiting<T, B>;
  readonly #followers = new Set<Follower<T, B>>();

  constructor(keep: number, queue: () => Waiting<T, B>) {
    this.#keep = keep;
    this.#queue = queue;
    this.ring = queue();
  }

  publish(what: T): void {
    this.ring.push(what);
    this.ring.trim(this.#keep);
    for (const follower of this.#followers) follower.offer(what);
  }

  follow({ signal, limit = this.#keep, backlog = true }: Parameters<Feed<T>['follow']>[0]): AsyncIterableIterator<B> {
    const end = (): void => follower.end();
    const follower: Follower<T, B> = new Follower<T, B>(this.#queue(), limit, (left) => { this.#followers.delete(left); signal.removeEventListener('abort', end); });
    if (backlog) for (const what of this.ring.list()) follower.offer(what);
    this.#followers.add(follower);
    if (signal.aborted) follower.end();
    else signal.addEventListener('abort', end, { once: true });
    return follower;
  }
}

/** A feed that keeps the last `keep` items. A follower counts from the call of `follow`, not from its first read; it keeps at
 *  most `limit` items (default `keep`) while it is busy, loses the oldest beyond that and is told how many. */
export function createFeed<T>(keep: number): Feed<T> {
  const followed = new Followed<T, Batch<T>>(keep, () => new Queue<T>());
  return { publish: (item) => { followed.publish(item); }, recent: () => followed.ring.list(), follow: (options) => followed.follow(options) };
}
