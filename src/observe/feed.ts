// Owns the feed: a ring of the recent past that can be followed, each follower with its own bounded queue.
import type { Batch, Feed } from './observe.ts';

/** A queue that takes at both ends in constant time: taken places are reclaimed when they are half of the list. */
class Queue<T> {
  #items: T[] = [];
  #head = 0;
  get length(): number { return this.#items.length - this.#head; }
  push(item: T): void { this.#items.push(item); }
  drop(): void {
    this.#head += 1;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) { this.#items = this.#items.slice(this.#head); this.#head = 0; }
  }
  list(): T[] { return this.#items.slice(this.#head); }
  take(): T[] {
    const all = this.#head === 0 ? this.#items : this.list();
    this.#items = [];
    this.#head = 0;
    return all;
  }
}

/** One reader of a feed: what it has not read yet, and how much of that it lost. */
class Follower<T> implements AsyncIterableIterator<Batch<T>> {
  readonly #queue = new Queue<T>();
  readonly #limit: number;
  readonly #leave: (follower: Follower<T>) => void;
  #dropped = 0;
  #left = false;
  #wake: (() => void) | undefined;

  constructor(limit: number, leave: (follower: Follower<T>) => void) {
    this.#limit = limit;
    this.#leave = leave;
  }

  offer(item: T): void {
    this.#queue.push(item);
    if (this.#queue.length > this.#limit) { this.#queue.drop(); this.#dropped += 1; }
    this.#wake?.();
  }

  end(): void {
    if (this.#left) return;
    this.#left = true;
    this.#queue.take();
    this.#leave(this);
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Batch<T>>> {
    while (!this.#left && this.#queue.length === 0) {
      await new Promise<void>((resolve) => { this.#wake = resolve; });
      this.#wake = undefined;
    }
    if (this.#left) return { done: true, value: undefined };
    const batch = { items: this.#queue.take(), dropped: this.#dropped };
    this.#dropped = 0;
    return { done: false, value: batch };
  }

  return(): Promise<IteratorResult<Batch<T>>> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this { return this; }
}

/** A feed that keeps the last `keep` items. A follower counts from the call of `follow`, not from its first read; it keeps at
 *  most `limit` items (default `keep`) while it is busy, loses the oldest beyond that and is told how many. */
export function createFeed<T>(keep: number): Feed<T> {
  const ring = new Queue<T>();
  const followers = new Set<Follower<T>>();
  return {
    publish(item) {
      ring.push(item);
      if (ring.length > keep) ring.drop();
      for (const follower of followers) follower.offer(item);
    },
    recent: () => ring.list(),
    follow({ signal, limit = keep, backlog = true }) {
      const end = (): void => follower.end();
      const follower: Follower<T> = new Follower<T>(limit, (left) => { followers.delete(left); signal.removeEventListener('abort', end); });
      if (backlog) for (const item of ring.list()) follower.offer(item);
      followers.add(follower);
      if (signal.aborted) follower.end();
      else signal.addEventListener('abort', end, { once: true });
      return follower;
    },
  };
}
