// Owns the tables of the rule's step: holds, shares, cool-down, limits, warm-up, quiet hours, clocks that jump, several processes and instances.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rule } from '../../../src/shared/rules.ts';
import { judgeValue } from '../../../src/mitigate/rules/meter.ts';
import type { Moment } from '../../../src/mitigate/rules/moment.ts';
import { newState, step, type Measured, type RuleState } from '../../../src/mitigate/rules/step.ts';
import { series } from '../../support/series.ts';

const NOON = Date.UTC(2026, 10, 21, 12);
type Wish = Partial<Omit<Rule, 'limits'>> & { limits?: Partial<Rule['limits']> };

function rule({ limits, ...wish }: Wish = {}): Rule {
  return Rule.parse({ id: 'hot', when: { type: 'metric', metric: 'site.cpu', above: 80 }, do: [{ type: 'notify' }], ...wish, limits: { cooldownMs: 0, ...limits } });
}

/** `jump`: from this second on the wall clock shows so much more (or less). `run`: the process that counts, by the second. */
interface World { readonly wall?: (second: number) => number; readonly run?: (second: number) => string; readonly ageMs?: (second: number) => number; readonly elsewhere?: readonly number[]; readonly acting?: (second: number) => boolean }

interface Told { readonly fired: number[]; readonly over: number[]; readonly phases: string; readonly state: RuleState }

/** One reading a second, of the site or of a process for each series; phases as their first letters, `h` with what holds it back in the state. */
function live(one: Rule, texts: string | readonly string[], world: World = {}): Told {
  const all = [texts].flat().map(series);
  const run = world.run ?? ((): string => 'a');
  const at = (second: number): Moment => ({ at: NOON + second * 1_000 + (world.wall?.(second) ?? 0), monotonicMs: second * 1_000, run: run(second) });
  let state = newState(at(0));
  const fired: number[] = [], over: number[] = [];
  let phases = '';
  for (let second = 0; second < Math.max(...all.map(({ values }) => values.length)); second += 1) {
    const measured = all.flatMap(({ name, values }): Measured[] => {
      const value = values[second];
      if (value === undefined) return [];
      const ageMs = world.ageMs?.(second);
      return [{ subject: name === 'site' ? '' : name, value, verdict: judgeValue({ above: 80 }, value), ...(ageMs === undefined ? {} : { ageMs }) }];
    });
    const stepped = step(one, state, measured, { now: at(second), elsewhere: world.elsewhere ?? [], acting: world.acting?.(second) ?? false });
    ({ state } = stepped);
    if (stepped.fires !== undefined) fired.push(second);
    if (stepped.over) over.push(second);
    phases += state.phase[0] ?? '';
  }
  return { fired, over, phases, state };
}

test('a rule fires when its condition has held for long enough, to the second, and begins anew after that', () => {
  const table: readonly [string, number, number[], string][] = [
    ['site 79 80', 0, [1], 'ia'],
    ['site 90x5', 3, [3], 'pppap'],
    ['site 90x8', 3, [3, 7], 'pppapppa'],
    ['site 90 90 90 79 90', 3, [], 'pppip'],
    ['site 90 90 70 90 90 90 90', 3, [6], 'ppipppa'],
    ['site _ _ 10', 0, [], 'uui'],
    ['site _x20', 0, [], 'uuuuuuuuuuuuuuuuuuuu'],
    ['site 10 _ 10', 0, [], 'iii'],
  ];
  for (const [text, seconds, fired, phases] of table) {
    const told = live(rule({ forMs: seconds * 1_000 }), text);
    assert.deepEqual([told.fired, told.phases], [fired, phases], `${text} for ${seconds} s`);
  }
});

test('what was not measured neither fires nor clears, and its time does not count', () => {
  const table: readonly [string, number, number[]][] = [
    ['site 90 90 _x5 90 90 90', 3, [9]],
    ['site 90 90 _x5 10 90 90', 2, []],
    ['site 90 _x60', 30, []],
    ['site 90 _ 90 _ 90 _ 90', 1, []],
  ];
  for (const [text, seconds, fired] of table) assert.deepEqual(live(rule({ forMs: seconds * 1_000 }), text).fired, fired, `${text} for ${seconds} s`);
});

test('with a share a few readings below the limit are forgiven, in the newest window only', () => {
  const most = rule({ forMs: 10_000, sharePercent: 80 });
  assert.deepEqual(live(most, 'site 90x11').fired, [10]);
  assert.deepEqual(live(most, 'site 90x5 10 90x5').fired, [10], 'two of ten seconds have an end that did not hold');
  assert.deepEqual(live(most, 'site 90x3 10 90x2 10 90x4').fired, [], 'four of ten');
  assert.deepEqual(live(most, 'site 90x3 10 90x2 10 90x8').fired, [14], 'the early ones have left the window');
  assert.deepEqual(live(most, 'site 10x600 90x9').fired, [], 'what never held is no part of it');
  assert.deepEqual(live(most, 'site 90 10x9 90x11').fired, [20], 'a lone reading is no time: it begins anew');
  assert.deepEqual(live(rule({ forMs: 3_600_000, sharePercent: 50 }), `site ${'90x2 10 '.repeat(1_400)}`).fired, [], 'a third of the time holds, however often it changes');
});

test('a cool-down, a most per hour and per day hold it back, to the millisecond, and say until when', () => {
  assert.deepEqual(live(rule({ limits: { cooldownMs: 5_000 } }), 'site 90x12').fired, [0, 5, 10]);
  const held = live(rule({ limits: { cooldownMs: 5_000 } }), 'site 90x5');
  assert.deepEqual([held.phases, held.state.heldBack], ['ahhhh', { by: 'cooldown', until: NOON + 5_000 }]);
  assert.deepEqual(live(rule({ limits: { perHour: 2 } }), 'site 90x3605').fired, [0, 1, 3600, 3601]);
  assert.deepEqual(live(rule({ limits: { perHour: 2 } }), 'site 90 10x10 90 90').state.heldBack, { by: 'per-hour', until: NOON + 3_600_000 });
  assert.deepEqual(live(rule({ limits: { perDay: 1, perHour: 1 } }), 'site 90 10x3600 90x2').state.heldBack, { by: 'per-day', until: NOON + 86_400_000 });
});

test('firings on other instances count, and one whose clock is ahead counts as now', () => {
  const one = rule({ limits: { perHour: 2 } });
  assert.deepEqual(live(one, 'site 90x3', { elsewhere: [NOON - 3_599_000] }).fired, [0, 1]);
  assert.deepEqual(live(one, 'site 90x3', { elsewhere: [NOON - 1_000] }).fired, [0]);
  assert.deepEqual(live(one, 'site 90x3', { elsewhere: [NOON - 1_000, NOON - 2_000] }).fired, []);
  assert.deepEqual(live(one, 'site 90x3', { elsewhere: [NOON - 3_600_000, NOON - 3_600_000] }).fired, [0, 1], 'an hour ago is out');
  assert.deepEqual(live(one, 'site 90x2', { elsewhere: [NOON + 9_999_000] }).fired, [0]);
});

test('a clock that is set does not change how long something lasts', () => {
  const jumped = (ms: number): World => ({ wall: (second) => (second < 2 ? 0 : ms) });
  for (const ms of [-86_400_000, -3_000, 3_000, 86_400_000]) {
    assert.deepEqual(live(rule({ forMs: 4_000 }), 'site 90x5', jumped(ms)).fired, [4], `hold, ${ms}`);
    assert.deepEqual(live(rule({ limits: { cooldownMs: 5_000 } }), 'site 90x8', jumped(ms)).fired, [0, 5], `cool-down, ${ms}`);
    assert.deepEqual(live(rule({ limits: { perHour: 1 } }), 'site 90x3602', jumped(ms)).fired, [0, 3600], `per hour, ${ms}`);
  }
});

test('after a restart the wall clock counts, and firings in its future are of now at most', () => {
  const restarted = (ms: number): World => ({ run: (second) => (second < 2 ? 'a' : 'b'), wall: (second) => (second < 2 ? 0 : ms) });
  const one = rule({ limits: { cooldownMs: 5_000 } });
  assert.deepEqual(live(one, 'site 90x8', restarted(0)).fired, [0, 5]);
  assert.deepEqual(live(one, 'site 90x8', restarted(2_000)).fired, [0, 3], 'it was down for two seconds');
  assert.deepEqual(live(one, 'site 90x9', restarted(-86_400_000)).fired, [0, 7], 'the clock was set back by a day: a whole cool-down from now, not a day');
});

test('a young process is not judged, and what holds for it is held back until it is old enough', () => {
  const one = rule({ warmUpMs: 5_000 });
  const told = live(one, 'p1 90x7', { ageMs: (second) => second * 1_000 });
  assert.deepEqual([told.fired, told.phases.slice(0, 6)], [[5, 6], 'hhhhha']);
  assert.deepEqual(live(rule({ warmUpMs: 5_000 }), 'p1 90x3', { ageMs: (second) => second * 1_000 }).state.heldBack, { by: 'warm-up', until: NOON + 5_000 });
  assert.deepEqual(live(rule({ warmUpMs: 5_000, forMs: 2_000 }), 'p1 90x8', { ageMs: (second) => second * 1_000 }).fired, [7], 'its first seconds are not counted');
});

test('in quiet hours it waits, over midnight and where people live', () => {
  const quiet = [{ from: '13:00', to: '13:01', timeZone: 'Europe/Berlin' }];
  assert.deepEqual(live(rule({ quiet }), 'site 90x61').fired, [60]);
  assert.deepEqual(live(rule({ quiet }), 'site 90').state.heldBack, { by: 'quiet-hours', until: NOON + 60_000 });
  assert.deepEqual(live(rule({ quiet: [{ from: '22:00', to: '12:00', timeZone: 'UTC' }] }), 'site 90').fired, [0]);
  assert.deepEqual(live(rule({ quiet: [{ from: '22:00', to: '12:01', days: ['fri'], timeZone: 'UTC' }] }), 'site 90').fired, [], 'it began on Friday');
  assert.deepEqual(live(rule({ quiet: [{ from: '22:00', to: '12:01', days: ['sat'], timeZone: 'UTC' }] }), 'site 90').fired, [0], 'Saturday’s begins tonight');
});

test('each process holds for itself; one that ends takes its time along; limits are of the rule', () => {
  const one = rule({ forMs: 3_000 });
  assert.deepEqual(live(one, ['p1 90 10 90 10 90 10', 'p2 10 90 10 90 10 90']).fired, [], 'in turns is not for three seconds');
  assert.deepEqual(live(one, ['p1 90x3 _x4', 'p2 10x3 90x4']).fired, [6]);
  assert.deepEqual(live(rule({ forMs: 3_000, limits: { cooldownMs: 60_000 } }), ['p1 90x5', 'p2 10 90x5']).fired, [3]);
});

test('a firing is over when its condition was measured as gone for long enough', () => {
  const one = rule({ overMs: 3_000, limits: { cooldownMs: 60_000 } });
  assert.deepEqual(live(one, 'site 90 10x6').over, [3]);
  assert.deepEqual(live(one, 'site 90 10 10 90 10x6').over, [6]);
  assert.deepEqual(live(one, 'site 90 10 _x9 10x6').over, [13], 'what was not measured is not over');
  assert.deepEqual(live(one, 'site 90x3 _x20').over, []);
});

test('while its actions run it does not fire again; disabled or past its end it rests, and its cool-down goes on', () => {
  const told = live(rule({}), 'site 90x6', { acting: (second) => second > 0 && second < 4 });
  assert.deepEqual([told.fired, told.phases], [[0, 4, 5], 'aaaaaa']);
  assert.deepEqual(live(rule({ enabled: false }), 'site 90x3').phases, 'ooo');
  assert.deepEqual(live(rule({ until: NOON + 2_000 }), 'site 90x4').phases, 'aaoo');
});
