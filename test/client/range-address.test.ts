// Owns the tests of addresses and ranges: every view restores itself, hostile words become the default.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, parseAddress, type View } from '../../src/client/address.ts';
import { around, formatRange, LIVE, parseRange, spanOf, titleOf, type Range } from '../../src/client/range.ts';

test('a view written into an address is the same view when read', () => {
  const views: View[] = [
    { page: 'now', query: {} }, { page: 'observe', query: { range: '1h', part: 'requests', status: '502.3', route: '/cart/{id}?a=b&c' } },
    { page: 'analyze', session: '261121_0118424471', query: {} }, { page: 'analyze', session: '261121_0118424471', look: { as: 'dump', instance: '4a1f9c', name: 'a b%.core' }, query: { part: 'memory' } }, { page: 'logs', query: { source: 'a1,b2', text: 'a b "c" ü', levels: 'fatal,error' } },
  ];
  for (const view of views) {
    const [path = '', search = ''] = formatAddress(view).split(/\?(.*)/s);
    assert.deepEqual(parseAddress(path, search), view);
  }
});

test('equal views have equal addresses, empty words none', () => {
  assert.equal(formatAddress({ page: 'logs', query: { b: '2', a: '1', c: undefined, d: '' } }), formatAddress({ page: 'logs', query: { a: '1', b: '2' } }));
});

test('an address that is no page of ours is Now, a session id that is none is the list', () => {
  assert.equal(parseAddress('nonsense/x', '').page, 'now');
  assert.equal(parseAddress('/observe', '').page, 'observe');
  assert.equal(parseAddress('analyze/../../etc', '').session, undefined);
  for (const path of ['analyze/261121_0118424471/dump/x', 'analyze/261121_0118424471/dump/%E0/x', 'analyze/261121_0118424471/heap/x/y']) assert.equal(parseAddress(path, '').look?.as, path.endsWith('/heap/x/y') ? 'heap' : undefined, path);
});

test('ranges survive the address; anything else is live', () => {
  const ranges: Range[] = [LIVE, { kind: 'last', forMs: 3_600_000 }, { kind: 'between', from: 1_000, to: 61_000 }];
  for (const range of ranges) assert.deepEqual(parseRange(formatRange(range)), range);
  for (const bad of [undefined, '', '7h', '5-3', '9-9', 'x-y', '1e9-2e9', '-5-10', '99999999999999999-5']) assert.deepEqual(parseRange(bad), LIVE, String(bad));
});

test('a moving range follows the clock, a fixed one stands', () => {
  assert.deepEqual(spanOf(LIVE, 1_000_000), { from: 700_000, to: 1_000_000 });
  assert.deepEqual(spanOf({ kind: 'between', from: 5, to: 9 }, 1_000_000), { from: 5, to: 9 });
  assert.equal(titleOf(LIVE, String), 'Live, 5 min');
  assert.equal(titleOf({ kind: 'between', from: 5, to: 9 }, String), '5 to 9');
  assert.deepEqual(around(10_000, 60_000), { kind: 'between', from: 0, to: 70_000 });
});
