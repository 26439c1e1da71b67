// Tests the gate before costly questions: equal ones shared, few at once, a bounded queue, and no work that nobody waits for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from '../../../src/observe/http-log/gate.ts';

const BOUNDS = { what: 'questions', atOnce: 1, waiting: 2, freshMs: 1_000, kept: 2 };
const never = new AbortController().signal;
/** Lets everything that waits for a promise go on. */
const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

interface Piece { answer(text: string): void; fail(error: Error): void; signal: AbortSignal }
function scene(): { gate: Gate<string>; at: { now: number }; begun: Map<string, Piece>; work: (key: string) => (signal: AbortSignal) => Promise<string> } {
  const at = { now: 0 };
  const begun = new Map<string, Piece>();
  return {
    at, begun, gate: new Gate<string>(BOUNDS, () => at.now),
    work: (key) => (signal) => new Promise((resolve, reject) => {
      begun.set(key, { answer: resolve, fail: reject, signal });
      signal.addEventListener('abort', () => { reject(signal.reason as Error); });
    }),
  };
}

test('equal questions share one work and its answer for a while', async () => {
  const { gate, at, begun, work } = scene();
  const both = [gate.ask('a', never, work('a')), gate.ask('a', never, work('a again'))];
  await settle();
  begun.get('a')?.answer('A');
  assert.deepEqual(await Promise.all(both), ['A', 'A']);
  at.now = 1_000;
  assert.equal(await gate.ask('a', never, work('later')), 'A');
  at.now = 1_001;
  const anew = gate.ask('a', never, work('anew'));
  await settle();
  begun.get('anew')?.answer('B');
  assert.equal(await anew, 'B');
  assert.deepEqual([...begun.keys()], ['a', 'anew']);
});

test('one works, two wait, the next is refused; a place goes to who waits longest', async () => {
  const { gate, begun, work } = scene();
  const asked = ['a', 'b', 'c'].map((key) => gate.ask(key, never, work(key)));
  await assert.rejects(gate.ask('d', never, work('d')), { code: 'TOO_MANY' });
  await settle();
  assert.deepEqual([...begun.keys()], ['a']);
  for (const key of ['a', 'b', 'c']) { begun.get(key)?.answer(key); await settle(); }
  assert.deepEqual(await Promise.all(asked), ['a', 'b', 'c']);
  assert.deepEqual([...begun.keys()], ['a', 'b', 'c']);
});

test('work ends when the last one who asked is gone, not before; one that waits in the queue never begins', async () => {
  const { gate, begun, work } = scene();
  const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
  const first = gate.ask('a', one.signal, work('a'));
  const second = gate.ask('a', two.signal, work('a again'));
  const queued = gate.ask('b', three.signal, work('b'));
  await settle();
  three.abort();
  await assert.rejects(queued, { name: 'AbortError' });
  one.abort();
  await assert.rejects(first, { name: 'AbortError' });
  assert.equal(begun.get('a')?.signal.aborted, false);
  two.abort();
  await assert.rejects(second, { name: 'AbortError' });
  assert.equal(begun.get('a')?.signal.aborted, true);
  await settle();
  const next = gate.ask('a', never, work('a anew'));
  await settle();
  begun.get('a anew')?.answer('A');
  assert.equal(await next, 'A');
  assert.equal(begun.has('b'), false);
  await assert.rejects(gate.ask('z', AbortSignal.abort(), work('z')), { name: 'AbortError' });
});

test('a failure is told to all who asked and asked for anew by the next', async () => {
  const { gate, begun, work } = scene();
  const asked = [gate.ask('a', never, work('a')), gate.ask('a', never, work('a'))];
  await settle();
  begun.get('a')?.fail(new Error('no disk'));
  for (const one of asked) await assert.rejects(one, { message: 'no disk' });
  const again = gate.ask('a', never, work('again'));
  await settle();
  begun.get('again')?.answer('A');
  assert.equal(await again, 'A');
});
