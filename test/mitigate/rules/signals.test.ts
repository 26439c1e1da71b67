// Tests how requests become signals: those since the rules follow, with all that a rule may ask, and none of them looked at while no rule counts requests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meterOf } from '../../../src/mitigate/rules/meter.ts';
import { Signals } from '../../../src/mitigate/rules/signals.ts';
import { createFeed } from '../../../src/observe/feed.ts';
import type { Observed, RequestRows } from '../../../src/observe/observe.ts';
import { createRequestFeed } from '../../../src/observe/request-feed.ts';
import type { RequestRow, Session } from '../../../src/shared/model.ts';
import { Condition } from '../../../src/shared/rules.ts';
import { waitFor } from '../../support/wait.ts';

const AT = Date.UTC(2026, 10, 21, 9);

test('requests count in the rules that ask for them, and cost nothing where none does', async () => {
  const conditions = [{ type: 'status', status: '502.3', path: '/cart*', count: 1 }, { type: 'slow', overMs: 1_000, count: 1, sharePercent: 50 }];
  const meters = conditions.map((one) => meterOf(Condition.parse(one), { line: () => () => false }));
  const requests = createRequestFeed(1_000);
  const ending = new AbortController();
  let wants = true, looks = 0, taken = 0;
  const signals = new Signals({
    observed: { requests, errors: createFeed(1), changes: createFeed(1) } as Partial<Observed> as Observed, sessions: createFeed<Session>(1), platform: { clock: { now: () => AT } } as never,
    report: () => Promise.reject(new Error('no session ends here')), failed: (what) => { throw new Error(what); }, wantsRequests: () => wants,
  }, (one) => { taken += 1; for (const meter of meters) meter.take(one); });
  const block = (rows: readonly Partial<RequestRow>[]): RequestRows => {
    const whole = rows.map((row, offset) => ({ at: AT, method: 'GET', path: '/', route: '/', status: 200, source: 's', offset, ...row }));
    return { size: 100, rows: whole, each: (from, to, look) => { looks += 1; whole.slice(from, to).forEach(look); } };
  };
  const value = (): unknown[] => meters.map((meter) => meter.measure({ at: AT, metric: () => [], knownUntil: () => AT })[0]).map((one) => [one?.value, one?.verdict]);
  requests.add(block([{ status: 502, sub: 3, path: '/cart/before' }]));
  const followed = signals.follow(ending.signal);
  requests.add(block([{ status: 502, sub: 3, win32: 12030, path: '/cart/apply' }, { status: 502, sub: 4, path: '/cart/apply' }, { status: 502, sub: 3, path: '/home', takenMs: 5_000 }, { takenMs: 1_000 }, {}]));
  await waitFor('the requests to have come', () => taken === 5);
  assert.deepEqual(value(), [[1, 'yes'], [2, 'no']]);
  wants = false;
  requests.add(block([{ status: 502, sub: 3, path: '/cart/apply' }]));
  await new Promise(setImmediate);
  wants = true;
  requests.add(block([{ takenMs: 9_000 }]));
  await waitFor('the next request', () => taken === 6);
  assert.deepEqual([value(), looks], [[[1, 'yes'], [3, 'yes']], 2]);
  assert.deepEqual(meters.map((meter) => meter.counts), ['request', 'request']);
  ending.abort();
  await followed;
});
