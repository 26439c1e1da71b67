// Owns the tests of time: the fake clock and the real one keep the same promises.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock, within } from '../../src/platform/clock.ts';
import { FakeClock, START_AT } from '../support/fake-clock.ts';
import { waitFor } from '../support/wait.ts';

test('the fake clock ticks on whole multiples, and only when told', async () => {
  const clock = new FakeClock(START_AT + 300);
  const abort = new AbortController();
  const ticks: number[] = [];
  const done = (async () => { for await (const at of clock.every(1_000, abort.signal)) ticks.push(at - START_AT); })();
  await clock.advance(699);
  assert.deepEqual(ticks, []);
  await clock.advance(1);
  assert.deepEqual(ticks, [1_000]);
  await clock.advance(2_500);
  assert.deepEqual(ticks, [1_000, 2_000, 3_000]);
  assert.equal(clock.now(), START_AT + 3_500);
  abort.abort();
  await done;
  assert.equal(clock.waiting, 0);
});

test('ticks missed while the consumer worked are skipped', async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const ticks: number[] = [];
  let finish: () => void = () => undefined;
  const done = (async () => {
    for await (const at of clock.every(1_000, abort.signal)) {
      ticks.push(at - START_AT);
      if (ticks.length === 1) await new Promise<void>((resolve) => { finish = resolve; });
    }
  })();
  await clock.advance(4_600);
  assert.deepEqual(ticks, [1_000]);
  finish();
  await clock.advance(500);
  assert.deepEqual(ticks, [1_000, 5_000]);
  abort.abort();
  await done;
});

for (const [name, clock, move] of [['fake', new FakeClock(), true], ['system', systemClock, false]] as const) {
  test(`${name}: waiting ends with an AbortError when the signal aborts, before or while`, async () => {
    await assert.rejects(clock.wait(60_000, AbortSignal.abort()), { name: 'AbortError' });
    const abort = new AbortController();
    const waiting = clock.wait(60_000, abort.signal);
    abort.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    const short = clock.wait(5, new AbortController().signal);
    if (move) await (clock as FakeClock).advance(5);
    await short;
  });
}

test('the system clock ticks on whole multiples and ends with its signal', async () => {
  const abort = new AbortController();
  const ticks: number[] = [];
  const done = (async () => { for await (const at of systemClock.every(20, abort.signal)) ticks.push(at); })();
  await waitFor('three ticks', () => ticks.length >= 3);
  abort.abort();
  await done;
  assert.ok(ticks.every((at, i) => at % 20 === 0 && (i === 0 || at > (ticks[i - 1] as number))), String(ticks));
});

test('ticks that are due at one instant come one a turn of the loop', async () => {
  const abort = new AbortController();
  let turns = 0;
  const turn = (): void => { turns += 1; if (!abort.signal.aborted) setImmediate(turn); };
  turn();
  const seen: string[] = [];
  const tick = async (): Promise<void> => {
    for await (const at of systemClock.every(20, abort.signal)) {
      seen.push(`${at} ${turns}`);
      if (seen.length >= 12) abort.abort();
    }
  };
  await Promise.all([tick(), tick(), tick()]);
  assert.equal(new Set(seen).size, seen.length, seen.join(', '));
});

test('within aborts after its time or with any signal', async () => {
  const other = new AbortController();
  const long = within(60_000, other.signal);
  assert.equal(long.aborted, false);
  other.abort();
  assert.equal(long.aborted, true);
  const short = within(1);
  await waitFor('the time limit', () => short.aborted);
});
