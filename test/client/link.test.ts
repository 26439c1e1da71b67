// Owns the tests of the live link: subscriptions resume by what they already have, waits grow, a new version is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLink, type Message, type WireEvents } from '../../src/client/live/link.ts';
import type { Clock } from '../../src/client/clock.ts';
import { T, app, healthOf } from '../support/stage-data.ts';

function room() {
  let at = 0;
  const timers = new Set<{ due: number; run: () => void }>();
  const clock: Clock = {
    now: () => at, every: () => () => undefined,
    after(forMs, run) { const timer = { due: at + forMs, run }; timers.add(timer); return () => timers.delete(timer); },
  };
  const wires: { events: WireEvents; sent: Record<string, unknown>[] }[] = [];
  const link = openLink({
    url: 'ws://x/live', clock,
    connect: (_url, events) => { const wire = { events, sent: [] as Record<string, unknown>[] }; wires.push(wire); return { send: (text) => { wire.sent.push(JSON.parse(text) as Record<string, unknown>); }, close: () => undefined }; },
  });
  const pass = (forMs: number): void => { at += forMs; for (const t of Array.from(timers)) if (t.due <= at) { timers.delete(t); t.run(); } };
  const newest = () => wires[wires.length - 1]!;
  return { link, wires, newest, pass, say: (message: object) => newest().events.received(JSON.stringify(message)) };
}
const hello = (version: string): object => ({ type: 'hello', version, instance: 'a', at: T, app, health: healthOf(false) });
const log = (id: unknown, cursor: string): object => ({ type: 'log', id, items: [], dropped: 0, passed: 0, cursor });

test('a subscription made before the connection is sent with it, and resumes at its cursor on the next', () => {
  const { link, newest, pass, say } = room();
  let cursor: string | undefined;
  const got: Message[] = [];
  link.follow(() => ({ type: 'follow-log', source: 'a1', ...(cursor === undefined ? { last: 10 } : { cursor }) }), (m) => { got.push(m); if (m.type === 'log') cursor = m.cursor; });
  newest().events.opened();
  assert.equal(newest().sent.length, 1);
  assert.equal(newest().sent[0]?.['last'], 10);
  say(log(newest().sent[0]?.['id'], 'c1'));
  newest().events.closed();
  assert.equal(link.state.get().word, 'lost');
  pass(500);
  newest().events.opened();
  assert.equal(newest().sent[0]?.['cursor'], 'c1');
  assert.equal(newest().sent[0]?.['last'], undefined);
  assert.equal(got.length, 1);
});

test('messages of an earlier connection or of a left subscription reach nobody', () => {
  const { link, wires, newest, pass, say } = room();
  const got: Message[] = [];
  const leave = link.follow(() => ({ type: 'follow-log', source: 'a1' }), (m) => got.push(m));
  newest().events.opened();
  const old = wires[0]!;
  const oldId = old.sent[0]?.['id'];
  old.events.closed();
  pass(500);
  newest().events.opened();
  old.events.received(JSON.stringify(log(oldId, 'x')));
  say(log(oldId, 'x'));
  assert.equal(got.length, 0);
  const id = newest().sent[0]?.['id'];
  leave();
  assert.deepEqual(newest().sent[1], { type: 'leave', id });
  say(log(id, 'y'));
  assert.equal(got.length, 0);
});

test('tries are spaced wider up to 15 s; a retry by hand is at once; since stays the first loss', () => {
  const { link, wires, newest, pass } = room();
  newest().events.opened();
  newest().events.closed();
  const { since } = link.state.get();
  for (const [pause, tries] of [[500, 2], [1_000, 3], [2_000, 4], [4_000, 5], [8_000, 6], [15_000, 7], [15_000, 8]] as const) {
    pass(pause - 1);
    assert.equal(wires.length, tries - 1, `no try ${pause - 1} ms after the last`);
    pass(1);
    assert.equal(wires.length, tries);
    newest().events.closed();
  }
  assert.equal(link.state.get().since, since);
  link.retry();
  assert.equal(wires.length, 9);
});

test('another version in a later hello is told; nonsense is left out', () => {
  const { link, newest, pass, say } = room();
  newest().events.opened();
  say(hello('1.0.0'));
  assert.equal(link.hello.get()?.version, '1.0.0');
  newest().events.received('{"type":"nonsense"}');
  newest().events.received('not json');
  newest().events.received(new ArrayBuffer(4));
  assert.equal(link.state.get().outdated, undefined);
  newest().events.closed();
  pass(500);
  newest().events.opened();
  say(hello('1.1.0'));
  assert.equal(link.state.get().outdated, '1.1.0');
});
