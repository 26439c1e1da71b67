// Owns the tests of the terminal's socket and of what it tells the agent: new connections, ends, pieces of a paste, bytes that are drawn.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/client/clock.ts';
import { createFlow, TELL_BYTES } from '../../src/client/pages/console/shell/flow.ts';
import { openShellLink, type ShellWireEvents } from '../../src/client/pages/console/shell/link.ts';
import type { ShellToPage, ShellView } from '../../src/shared/shells.ts';

const SHELL: ShellView = { id: '0123456789ab', title: 'bash 1', shell: 'bash', by: 'pty', openedBy: 'a', openedAt: 1, usedAt: 1, watched: true, lostBytes: 0 };
const HELLO: ShellToPage = { type: 'hello', shell: SHELL, replayBytes: 0, lostBytes: 0 };

function room() {
  let at = 0;
  const timers = new Set<{ due: number; run: () => void }>();
  const clock: Clock = { now: () => at, every: () => () => undefined, after(forMs, run) { const timer = { due: at + forMs, run }; timers.add(timer); return () => timers.delete(timer); } };
  const wires: { events: ShellWireEvents; sent: (string | Uint8Array)[]; isClosed: boolean }[] = [];
  const told: string[] = [];
  let outputBytes = 0;
  const link = openShellLink({
    clock, events: { output: (bytes) => { outputBytes += bytes.length; }, told: ({ type }) => { told.push(type); } },
    connect: (events) => { const wire = { events, sent: [] as (string | Uint8Array)[], isClosed: false }; wires.push(wire); return { send: (data) => { wire.sent.push(data); }, close: () => { wire.isClosed = true; } }; },
  });
  const newest = () => wires[wires.length - 1]!;
  const pass = (forMs: number): void => { at += forMs; for (const t of Array.from(timers)) if (t.due <= at) { timers.delete(t); t.run(); } };
  return { link, wires, newest, pass, told, outputBytes: () => outputBytes, say: (message: ShellToPage, wire = newest()) => { wire.events.received(JSON.stringify(message)); } };
}

test('keys go out once the agent has said hello, a paste in pieces that it takes', () => {
  const { link, newest, say } = room();
  link.keys(new Uint8Array(5));
  say(HELLO);
  assert.equal(link.state.get().word, 'open');
  link.keys(new Uint8Array(40_000));
  assert.deepEqual(newest().sent.map((piece) => piece.length), [16_384, 16_384, 7_232]);
});

test('a lost connection is tried again with growing pauses; words of an earlier one count no more', () => {
  const { link, wires, newest, pass, say, outputBytes } = room();
  say(HELLO);
  const first = newest();
  first.events.closed();
  assert.equal(link.state.get().word, 'lost');
  pass(300);
  assert.equal(wires.length, 2);
  newest().events.closed();
  pass(300);
  assert.equal(wires.length, 2, 'twice as long now');
  pass(300);
  assert.equal(wires.length, 3);
  first.events.received(new ArrayBuffer(7));
  first.events.closed();
  newest().events.received(new ArrayBuffer(3));
  assert.equal(outputBytes(), 3);
  say(HELLO);
  assert.equal(link.state.get().word, 'open');
});

for (const [name, message, word] of [['taken over', { type: 'taken', who: 'b' }, 'taken'], ['refused', { type: 'refused', code: 'SHELL_UNKNOWN', detail: 'There is no shell.' }, 'refused']] as const) {
  test(`${name}, it does not come back by itself, but when it is asked to`, () => {
    const { link, wires, newest, pass, say } = room();
    say(HELLO);
    say(message);
    newest().events.closed();
    pass(60_000);
    assert.deepEqual([link.state.get().word, wires.length], [word, 1]);
    link.retry();
    say(HELLO);
    assert.deepEqual([link.state.get().word, wires.length], ['open', 2]);
    link.close();
    assert.equal(newest().isClosed, true);
    newest().events.closed();
    pass(60_000);
    assert.equal(wires.length, 2);
  });
}

test('what is drawn is told after a part of the window, and at the end of what came; nothing of an earlier connection', () => {
  const told: number[] = [];
  const flow = createFlow((bytes) => told.push(bytes), () => undefined);
  flow.begin(0);
  const drawn = Array.from({ length: 4 }, () => flow.came(TELL_BYTES / 2));
  drawn[0]?.();
  assert.deepEqual(told, []);
  drawn[1]?.();
  drawn[2]?.();
  assert.deepEqual(told, [TELL_BYTES]);
  drawn[3]?.();
  assert.deepEqual(told, [TELL_BYTES, 2 * TELL_BYTES]);
  const late = flow.came(100);
  flow.begin(0);
  late();
  assert.deepEqual(told.length, 2);
});

test('answers of the terminal count once what was before is drawn', () => {
  let replayed = 0;
  const flow = createFlow(() => undefined, () => { replayed += 1; });
  flow.begin(100);
  const drawn = [flow.came(60), flow.came(60)];
  drawn[0]?.();
  assert.deepEqual([flow.isReplayed, replayed], [false, 0]);
  drawn[1]?.();
  flow.came(5)();
  assert.deepEqual([flow.isReplayed, replayed], [true, 1]);
  flow.begin(0);
  assert.deepEqual([flow.isReplayed, replayed], [true, 2]);
});
