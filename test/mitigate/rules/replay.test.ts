// Owns the tests of the trial over the past: it is the step itself, whatever it skips.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rule } from '../../../src/shared/rules.ts';
import { judgeValue } from '../../../src/mitigate/rules/meter.ts';
import { replay, windowed } from '../../../src/mitigate/rules/replay.ts';
import { newState, step } from '../../../src/mitigate/rules/step.ts';
import { seeded } from '../../../scripts/local/seeded.ts';

const FROM = Date.UTC(2026, 10, 21);

function rule(random: () => number): Rule {
  const pick = <T>(...all: T[]): T => all[Math.floor(random() * all.length)] as T;
  return Rule.parse({
    id: 'r', when: { type: 'metric', metric: 'site.cpu', above: 80 }, do: [{ type: 'notify' }],
    forMs: pick(0, 3_000, 10_000, 60_000), sharePercent: pick(100, 80, 50), overMs: pick(0, 5_000), warmUpMs: pick(0, 20_000),
    ...(random() < 0.2 ? { until: FROM + 500_000 } : {}),
    limits: { cooldownMs: pick(0, 20_000, 300_000), ...(random() < 0.5 ? { perHour: pick(1, 3) } : {}) },
  });
}

test('a trial fires when stepping through every second would', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const one = rule(random);
    const values = new Float64Array(2_000);
    let level = 50;
    for (let i = 0; i < values.length; i += 1) {
      if (random() < 0.03) level = random() < 0.5 ? 50 : 90;
      values[i] = random() < 0.05 ? NaN : level + random() * 12 - 6;
    }
    const restarts = random() < 0.5 ? [FROM, FROM + 700_000] : [];
    const expected: number[] = [];
    let state = newState({ at: FROM, monotonicMs: 0, run: 'x' });
    for (const [i, value] of values.entries()) {
      const at = FROM + i * 1_000;
      const born = restarts.filter((one) => one <= at).at(-1);
      const measured = Number.isNaN(value) ? [] : [{ subject: '', value, verdict: judgeValue({ above: 80 }, value), ...(born === undefined ? {} : { ageMs: at - born }) }];
      const stepped = step(one, state, measured, { now: { at, monotonicMs: i * 1_000, run: 'x' }, elsewhere: [], acting: false });
      ({ state } = stepped);
      if (stepped.fires !== undefined) expected.push(at);
    }
    const trial = replay(one, { from: FROM, stepMs: 1_000, values, restarts }, { above: 80 }, Infinity);
    assert.deepEqual(trial.fired.map(({ at }) => at), expected, `seed ${seed}: ${JSON.stringify(one)}`);
  }
});

test('windows count what lies in them, and nothing where nothing is known', () => {
  const counts = Float64Array.of(1, 0, 2, NaN, 0, 3);
  const of = (count: number, withinMs: number, sharePercent?: number, among?: Float64Array): number[] => [...windowed(counts, among, { count, withinMs, stepMs: 1_000, sharePercent })];
  assert.deepEqual(of(2, 1_000), [0, 0, 1, NaN, 0, 1]);
  assert.deepEqual(of(3, 3_000), [0, 0, 1, NaN, 0, 1]);
  assert.deepEqual(of(2, 3_000, 50, Float64Array.of(9, 9, 2, NaN, 0, 3)), [0, 0, 0, NaN, 1, 1]);
});

test('a rule that restarts without a bound does not parse; one with a bound does', () => {
  const wish = (limits?: object): unknown => ({ id: 'r', when: { type: 'metric', metric: 'site.cpu', above: 80 }, do: [{ type: 'recycle' }], ...(limits === undefined ? {} : { limits }) });
  assert.match(Rule.safeParse(wish()).error?.message ?? '', /recycle needs limits/);
  assert.equal(Rule.safeParse(wish({ perDay: 3 })).success, true);
});
