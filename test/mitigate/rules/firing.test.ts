// Owns the tests of a firing's actions: their order, what a failure stops, and an end of the agent at every point.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActionResult, ActionStep, Fired, RuleEntry } from '../../../src/shared/rules.ts';
import { runFiring, unfinished, type FiringPorts, type Hand, type Hands } from '../../../src/mitigate/rules/firing.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
const never = new AbortController().signal;
const STEPS: readonly ActionStep[] = [
  { type: 'collect', diagnosers: [{ id: 'memory-dump' }] },
  { type: 'diagnose' },
  { type: 'recycle', what: 'worker', overlapped: true, evenIfFailed: true },
  { type: 'notify', evenIfFailed: true },
];
const FIRED: Fired = { at: NOON, instance: 'w1', rule: 'leak', did: 'fired', firing: 'leak-1', condition: 'memory', steps: [...STEPS] };

/** A machine that may end at any of its writes or actions: `power` counts down, and at 0 nothing happens any more. */
class Machine {
  readonly journal: RuleEntry[] = [];
  readonly done: string[] = [];
  power: number;
  readonly fails: ReadonlySet<string>;

  constructor(power = Infinity, fails: readonly string[] = []) {
    this.power = power;
    this.fails = new Set(fails);
  }

  #spend(): void {
    this.power -= 1;
    if (this.power < 0) throw new Error('power');
  }

  ports(): FiringPorts {
    const hand = (type: string): Hand => ({
      run: async (): Promise<ActionResult> => {
        this.#spend();
        if (this.fails.has(type)) throw new Error(`${type} is out of order`);
        this.done.push(type);
        this.#spend();
        return { result: 'done' };
      },
      // The deed can be seen: it is not done twice, and one that was not done is done.
      after: async () => (this.done.includes(type) ? { result: 'done', says: 'seen' } : undefined),
    });
    const hands = Object.fromEntries(['diagnose', 'collect', 'notify', 'recycle', 'end-process', 'run', 'scale'].map((type) => [type, hand(type)])) as unknown as Hands;
    const guarded = Object.fromEntries(Object.entries(hands).map(([type, one]) => [type, { ...one, run: async (...given: Parameters<Hand['run']>) => { try { return await one.run(...given); } catch (error) { if (this.power < 0) return await new Promise<never>(() => undefined); throw error; } } }])) as unknown as Hands;
    return { hands: guarded, write: async (entry) => { this.power -= 1; if (this.power < 0) await new Promise<never>(() => undefined); this.journal.unshift(entry); }, now: () => NOON, monotonicMs: () => 0 };
  }
}

test('actions run in their order; what fails stops those that do not insist', async () => {
  const good = new Machine();
  assert.deepEqual((await runFiring({ fired: FIRED, ended: [] }, good.ports(), never)).map(({ result }) => result), ['done', 'done', 'done', 'done']);
  assert.deepEqual(good.done, ['collect', 'diagnose', 'recycle', 'notify']);
  assert.equal(good.journal[0]?.did, 'closed');
  const bad = new Machine(Infinity, ['collect']);
  const results = await runFiring({ fired: FIRED, ended: [] }, bad.ports(), never);
  assert.deepEqual(results.map(({ result }) => result), ['failed', 'skipped', 'done', 'done']);
  assert.match(results[0]?.says ?? '', /out of order/);
});

test('ended at any point, the next agent goes on: each action is done once, in order, and the firing is closed', async () => {
  for (let power = 0; power <= 20; power += 1) {
    const machine = new Machine(power);
    machine.journal.unshift(FIRED);
    // The first agent stands still where its power ends, as one that was killed.
    await Promise.race([runFiring({ fired: FIRED, ended: [] }, machine.ports(), never), new Promise((resolve) => { setImmediate(() => setImmediate(resolve)); })]);
    machine.power = Infinity;
    for (const left of unfinished(machine.journal, 0)) await runFiring(left, machine.ports(), never);
    assert.deepEqual(machine.done, ['collect', 'diagnose', 'recycle', 'notify'], `ended after ${power}`);
    assert.equal(machine.journal.filter(({ did }) => did === 'closed').length, 1, `ended after ${power}`);
    assert.deepEqual(unfinished(machine.journal, 0), []);
  }
});

test('an action of which nobody can see whether it was done is not repeated', async () => {
  const machine = new Machine();
  const ports = machine.ports();
  const { after: _, ...blind } = ports.hands.recycle;
  const results = await runFiring({ fired: FIRED, ended: [{ result: 'done', type: 'collect' }, { result: 'done', type: 'diagnose' }], begun: 2 }, { ...ports, hands: { ...ports.hands, recycle: blind } }, never);
  assert.deepEqual(results.slice(2).map(({ result }) => result), ['interrupted', 'done']);
  assert.deepEqual(machine.done, ['notify']);
});

test('a firing older than wanted is left as it is', () => {
  assert.deepEqual(unfinished([FIRED], NOON + 1), []);
  assert.equal(unfinished([FIRED], NOON).length, 1);
});
