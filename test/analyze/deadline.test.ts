// Time limits that follow the clock they are given.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deadline, orAbandoned } from '../../src/analyze/deadline.ts';
import { FakeClock } from '../support/fake-clock.ts';

test('a deadline aborts with the limit in its sentence, and says that it expired', async () => {
  const clock = new FakeClock();
  const limit = deadline(clock, 'The dump', 60_000, new AbortController().signal);
  await clock.advance(59_999);
  assert.equal(limit.signal.aborted, false);
  await clock.advance(1);
  assert.equal(limit.expired, true);
  assert.match(String(limit.signal.reason), /The dump took longer than 1 min/);
});

test('an outer abort comes through with its own reason; an ended deadline leaves no timer', async () => {
  const clock = new FakeClock();
  const outer = new AbortController();
  const limit = deadline(clock, 'x', 1_000, outer.signal);
  outer.abort('mine');
  assert.deepEqual([limit.signal.reason, limit.expired], ['mine', false]);
  limit.end();
  const quiet = deadline(clock, 'x', 1_000, new AbortController().signal);
  quiet.end();
  await clock.advance(5_000);
  assert.deepEqual([quiet.signal.aborted, clock.waiting], [false, 0]);
});

test('work that ignores its signal is abandoned after the grace, and its late fault hurts nobody', async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  let fail: (error: Error) => void = () => undefined;
  const work = new Promise<never>((_, reject) => { fail = reject; });
  const waited = assert.rejects(orAbandoned(clock, work, stop.signal, 5_000), /told to stop/);
  stop.abort(new Error('told to stop'));
  await clock.advance(5_000);
  await waited;
  fail(new Error('too late'));
  await clock.advance(1);
  assert.equal(clock.waiting, 0);
});

test('work that ends in time gives its result and leaves no timer', async () => {
  const clock = new FakeClock();
  assert.equal(await orAbandoned(clock, Promise.resolve(7), new AbortController().signal, 5_000), 7);
  assert.equal(clock.waiting, 0);
});
