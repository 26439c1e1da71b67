// Tests the request metrics by time: late rows amend the past in all three steps, silence is 0, and memory is bounded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newColumns } from '../../../src/observe/http-log/columns.ts';
import { LATE_MS, RequestBuckets } from '../../../src/observe/samplers/buckets.ts';
import type { Values } from '../../../src/observe/samplers/process.ts';

const NOW = Date.UTC(2026, 10, 21, 2, 0, 0);
interface Row { readonly at: number; readonly status: number; readonly takenMs: number }
const row = (at: number, status = 200, takenMs = 10): Row => ({ at, status, takenMs });
/** Puts the rows between others that are not to be counted. */
function add(buckets: RequestBuckets, ...rows: readonly Row[]): number {
  const columns = newColumns(undefined, rows.length * 2);
  rows.forEach(({ at, status, takenMs }, i) => {
    columns.at[i * 2 + 1] = at;
    columns.status[i * 2 + 1] = status;
    columns.taken[i * 2 + 1] = takenMs;
    columns.sent[i * 2 + 1] = 100;
    columns.received[i * 2 + 1] = -1;
  });
  return buckets.add(columns, Int32Array.from(rows, (_, i) => i * 2 + 1), rows.length);
}
const drained = (buckets: RequestBuckets): [number, number, Values][] => [...buckets.drain()].map(({ stepMs, sample }) => [stepMs, sample.at - NOW, sample.values]);

test('a row counts in its second, its ten seconds and its minute', () => {
  const buckets = new RequestBuckets();
  buckets.move(NOW);
  add(buckets, row(NOW - 57_000, 502, 30), row(NOW - 57_000, 301, 10));
  const values: Values = { 'http.requests': 2, 'http.2xx': 0, 'http.3xx': 1, 'http.4xx': 0, 'http.5xx': 1, 'http.bytes-sent': 200, 'http.response-average': 20, 'http.response-p50': 10, 'http.response-p95': 30, 'http.response-p99': 30, 'http.response-max': 30 };
  assert.deepEqual(drained(buckets), [[1_000, -57_000, values], [10_000, -60_000, values], [60_000, -60_000, values]]);
  assert.deepEqual(drained(buckets), [], 'told once');
});

test('a late row amends the slots it belongs to, and only those, with whole new values', () => {
  const buckets = new RequestBuckets();
  buckets.move(NOW);
  for (let second = 0; second < 60; second += 1) add(buckets, row(NOW - 300_000 + second * 1_000));
  drained(buckets);
  add(buckets, row(NOW - 300_000 + 25_000, 503, 90));
  const found = drained(buckets);
  assert.deepEqual(found.map(([stepMs, at, values]) => [stepMs, at, values['http.requests'], values['http.5xx'], values['http.response-max']]), [[1_000, -275_000, 2, 1, 90], [10_000, -280_000, 11, 1, 90], [60_000, -300_000, 61, 1, 90]]);
});

test('a known second without rows is 0 requests without response times; a row that comes after all amends it', () => {
  const buckets = new RequestBuckets();
  buckets.move(NOW);
  buckets.known(NOW - 5_000);
  const zero: Values = { 'http.requests': 0, 'http.2xx': 0, 'http.3xx': 0, 'http.4xx': 0, 'http.5xx': 0, 'http.bytes-sent': 0, 'http.bytes-received': 0 };
  assert.deepEqual(drained(buckets).map(([, , values]) => values), [zero, zero, zero]);
  buckets.known(NOW - 5_000);
  assert.deepEqual(drained(buckets), [], 'nothing new');
  add(buckets, row(NOW - 5_000));
  assert.deepEqual(drained(buckets).map(([, , values]) => values['http.requests']), [1, 1, 1]);
});

test('rows beyond ten minutes back or far ahead have no slot', () => {
  const buckets = new RequestBuckets();
  buckets.move(NOW);
  assert.deepEqual([add(buckets, row(NOW - LATE_MS)), add(buckets, row(NOW - LATE_MS - 1_000)), add(buckets, row(NOW + 5_000), row(NOW + 3_600_000), row(NOW + 5_000)), buckets.newestAt], [0, 1, 1, NOW + 5_000]);
});

test('after a day of seconds only the last minutes are held', () => {
  const buckets = new RequestBuckets();
  for (let second = 0; second < 86_400; second += 1) {
    const now = NOW + second * 1_000;
    buckets.move(now);
    buckets.known(now);
    if (second % 3 === 0) add(buckets, row(now));
    for (const one of buckets.drain()) assert.ok(one.sample.at <= now);
  }
  assert.ok(buckets.size <= 662 + 68 + 13, String(buckets.size));
});
