// Tests the feed of requests: the same items, order, bounds and losses as any feed, with rows that are made only when somebody looks.
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { describe, test } from 'node:test';
import { createFeed } from '../../src/observe/feed.ts';
import { RestingRows } from '../../src/observe/http-log/resting-rows.ts';
import { requestRow } from '../../src/observe/http-log/rows.ts';
import type { Batch, RequestGlance, RequestRows } from '../../src/observe/observe.ts';
import { createRequestFeed } from '../../src/observe/request-feed.ts';
import type { RequestRow } from '../../src/shared/model.ts';
import { columnsOf } from './http-log/columns-of.ts';
import type { Given } from './http-log/columns-of.ts';
import { seeded } from './http-log/support.ts';

const AT = Date.UTC(2026, 10, 21, 9);
const never = new AbortController().signal;
setMaxListeners(0, never);
const glanced = ({ at, path, status, sub, win32, takenMs }: RequestGlance): unknown[] => [at, path, status, sub, win32, takenMs];

/** Rows that count how often they were made. */
class CountedRows implements RequestRows {
  made = 0;
  readonly #rows: readonly RequestRow[];
  constructor(from: number, size: number) { this.#rows = Array.from({ length: size }, (_, i) => ({ at: AT, method: 'GET', path: `/${from + i}`, route: '/', status: 200, source: 's', offset: from + i })); }
  get size(): number { return this.#rows.length; }
  get rows(): readonly RequestRow[] { this.made += 1; return this.#rows; }
  each(from: number, to: number, look: (request: RequestGlance) => void): void { this.#rows.slice(from, to).forEach(look); }
}

describe('the feed of requests', () => {
  test('blocks and single rows in any order: what is kept, what followers get and what they lose is as in a plain feed', async () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const next = seeded(seed);
      const below = (n: number): number => Math.floor(next() * n);
      const keep = 1 + below(300);
      const feed = createRequestFeed(keep), plain = createFeed<RequestRow>(keep);
      const pairs: { ours: AsyncIterator<Batch<RequestRow>>; theirs: AsyncIterator<Batch<RequestRow>> }[] = [];
      let offset = 0;
      for (let step = 0; step < 40; step += 1) {
        const what = below(8);
        if (what === 0) {
          const options = { signal: never, backlog: next() < 0.5, ...(next() < 0.5 ? { limit: 1 + below(keep) } : {}) };
          pairs.push({ ours: feed.follow(options)[Symbol.asyncIterator](), theirs: plain.follow(options)[Symbol.asyncIterator]() });
        }
        const block = new CountedRows(offset, what < 4 ? below(4) : below(200));
        offset += block.size;
        if (what === 1) for (const row of block.rows) feed.publish(row); else feed.add(block);
        for (const row of block.rows) plain.publish(row);
        assert.deepEqual(feed.recent(), plain.recent(), `seed ${seed}, step ${step}`);
        if (block.size === 0) continue;
        for (const { ours, theirs } of pairs) {
          if (next() < 0.6) continue;
          const [a, b] = await Promise.all([ours.next(), theirs.next()]);
          assert.deepEqual([a.value.items, a.value.dropped], [b.value.items, b.value.dropped], `seed ${seed}, step ${step}`);
        }
      }
    }
  });

  test('what is kept is made a block a turn, and then is there at once', async () => {
    const feed = createRequestFeed(1_000);
    const blocks = [0, 100, 200].map((from) => new CountedRows(from, 100));
    for (const block of blocks) feed.add(block);
    const making = feed.make();
    const made = (): number[] => blocks.map((block) => block.made);
    assert.deepEqual(made(), [1, 0, 0]);
    await making;
    assert.deepEqual([made(), feed.recent().length], [[1, 1, 1], 300]);
  });

  test('nobody looks: no row is made; rows that were asked for are made once for all', async () => {
    const feed = createRequestFeed(150);
    const batches = feed.follow({ signal: never })[Symbol.asyncIterator]();
    const [first, second] = [new CountedRows(0, 100), new CountedRows(100, 100)];
    feed.add(first);
    feed.add(second);
    const { value } = await batches.next();
    const seen: number[] = [];
    value.each((one: RequestGlance) => { seen.push(Number(one.path.slice(1))); });
    assert.deepEqual([seen.length, seen[0], seen.at(-1), value.dropped, first.made, second.made], [150, 50, 199, 50, 0, 0]);
    assert.equal(value.items.length, 150);
    assert.equal(value.items, value.items);
    assert.deepEqual([first.made, second.made], [1, 1]);
  });
});

describe('rows at which nobody has looked yet', () => {
  const next = seeded(5);
  const maybe = <T>(value: T): T | undefined => (next() < 0.7 ? value : undefined);
  const given = (): Given => {
    const one: Record<string, unknown> = { at: AT + Math.floor(next() * 1_000) * 1_000, status: [200, 304, 404, 502, 503][Math.floor(next() * 5)], offset: Math.floor(next() * 2 ** 40) };
    const parts = {
      method: 'GET', path: next() < 0.2 ? Buffer.from('/größe', 'latin1') : `/api/orders/${Math.floor(next() * 1e6)}/größe`, query: next() < 0.2 ? 'sig=abcdefgh12345&a=1' : 'page=3', client: '10.0.0.4', agent: 'Mozilla/5.0+(X11)', host: 'shop.example', site: 'SHOP',
      referrer: 'https://shop.example/start?token=abcdefgh12345', sub: 3, win32: 2 ** 32 - 1, taken: next() * 1e5, sent: 2 ** 40, received: 0,
    };
    for (const [name, value] of Object.entries(parts)) { const there = maybe(value); if (there !== undefined) one[name] = there; }
    return one as Given;
  };

  test('are made as they would have been at once, also after their columns have changed; a glance tells the same', () => {
    for (let round = 0; round < 40; round += 1) {
      const columns = columnsOf(Array.from({ length: 1 + Math.floor(next() * 60) }, given));
      const places = Int32Array.from({ length: columns.rows }, (_, i) => i).filter(() => next() < 0.8);
      const wanted = [...places].map((place) => requestRow(columns, place, 'id-a'));
      const resting = new RestingRows(columns, places, places.length, 'id-a');
      columns.bytes.fill(1);
      columns.at.fill(0);
      columns.text.path.to.fill(0);
      const seen: unknown[][] = [];
      const look = (): void => { seen.length = 0; resting.each(1, places.length, (one) => { seen.push(glanced(one)); }); };
      look();
      assert.deepEqual(seen, wanted.slice(1).map(glanced));
      assert.deepEqual(resting.rows, wanted);
      assert.equal(resting.rows, resting.rows);
      look();
      assert.deepEqual(seen, wanted.slice(1).map(glanced));
    }
  });

  test('long texts, and rows that know of an upstream, are made at once: what is kept stays small', () => {
    const long = columnsOf([{ at: AT, status: 200, path: `/${'x'.repeat(100_000)}` }, { at: AT, status: 200, path: '/a', agent: 'y'.repeat(100_000) }]);
    const upstream = { ...columnsOf([{ at: AT, status: 502, path: '/a' }]), upstream: { status: Int32Array.of(502), taken: Float64Array.of(7) } };
    for (const [columns, size] of [[long, 2], [upstream, 1]] as const) {
      const places = Int32Array.from({ length: size }, (_, i) => i);
      const wanted = [...places].map((place) => requestRow(columns, place, 's'));
      const resting = new RestingRows(columns, places, size, 's');
      columns.text.path.to.fill(0);
      assert.deepEqual(resting.rows, wanted);
    }
  });
});
