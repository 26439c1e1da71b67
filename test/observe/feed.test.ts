import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFeed } from '../../src/observe/feed.ts';

test('a follower gets the backlog, then what is live, each item once and in order', async () => {
  const feed = createFeed<number>(3);
  for (const n of [1, 2, 3, 4]) feed.publish(n);
  const end = new AbortController();
  const batches = feed.follow({ signal: end.signal })[Symbol.asyncIterator]();
  assert.deepEqual(await batches.next(), { done: false, value: { items: [2, 3, 4], dropped: 0 } });
  const waiting = batches.next();
  feed.publish(5);
  assert.deepEqual(await waiting, { done: false, value: { items: [5], dropped: 0 } });
  end.abort();
  assert.deepEqual(await batches.next(), { done: true, value: undefined });
});

test('a follower counts from the call, and without backlog sees only what is new', async () => {
  const feed = createFeed<string>(10);
  feed.publish('old');
  const end = new AbortController();
  const batches = feed.follow({ signal: end.signal, backlog: false })[Symbol.asyncIterator]();
  feed.publish('new');
  assert.deepEqual((await batches.next()).value, { items: ['new'], dropped: 0 });
  end.abort();
});

test('a slow follower loses the oldest and is told how many, once; others lose nothing', async () => {
  const feed = createFeed<number>(100);
  const end = new AbortController();
  const slow = feed.follow({ signal: end.signal, limit: 4 })[Symbol.asyncIterator]();
  const quick = feed.follow({ signal: end.signal })[Symbol.asyncIterator]();
  for (let n = 0; n < 90; n += 1) feed.publish(n);
  assert.deepEqual((await slow.next()).value, { items: [86, 87, 88, 89], dropped: 86 });
  assert.equal((await quick.next()).value.items.length, 90);
  feed.publish(90);
  assert.deepEqual((await slow.next()).value, { items: [90], dropped: 0 });
  end.abort();
});

test('an abort ends a follower that waits, and a follower of an aborted signal ends at once', async () => {
  const feed = createFeed<number>(2);
  const end = new AbortController();
  const waiting = feed.follow({ signal: end.signal })[Symbol.asyncIterator]().next();
  end.abort();
  assert.equal((await waiting).done, true);
  assert.equal((await feed.follow({ signal: end.signal })[Symbol.asyncIterator]().next()).done, true);
});

test('a follower that breaks off its loop is left and costs nothing any more', async () => {
  const feed = createFeed<number>(5);
  feed.publish(1);
  const end = new AbortController();
  const iterator = feed.follow({ signal: end.signal });
  for await (const batch of iterator) { assert.deepEqual(batch.items, [1]); break; }
  feed.publish(2);
  assert.equal((await iterator[Symbol.asyncIterator]().next()).done, true);
  assert.deepEqual(feed.recent(), [1, 2]);
});

test('recent is a copy: later items do not change it', () => {
  const feed = createFeed<number>(2);
  feed.publish(1);
  const before = feed.recent();
  feed.publish(2);
  feed.publish(3);
  assert.deepEqual([before, feed.recent()], [[1], [2, 3]]);
});
