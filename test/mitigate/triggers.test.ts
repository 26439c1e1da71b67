// Owns the tables of the triggers: which readings make each fire, which do not, and that a missing one neither fires nor clears.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsFor, judge, type Condition } from '../../src/mitigate/triggers/index.ts';
import { ARMED, step } from '../../src/mitigate/triggers/step.ts';
import type { Reading } from '../../src/mitigate/triggers/trigger.ts';
import { series } from '../support/series.ts';

/** Seconds at which a condition fires over a series of one reading a second. */
function fires(condition: Condition, text: string, key: keyof Reading, forSeconds: number): number[] {
  let state = ARMED;
  const fired: number[] = [];
  series(text).values.forEach((value, second) => {
    const at = second * 1_000;
    const stepped = step(state, judge(condition, { at, ...(value === undefined ? {} : { [key]: value }) }), at, holdsFor(condition, forSeconds * 1_000));
    ({ state } = stepped);
    if (stepped.fires !== undefined) fired.push(second);
  });
  return fired;
}

test('a limit fires when it was reached for long enough, once more after as long again, and never on what was not measured', () => {
  const cpu: Condition = { type: 'cpu', limit: 80, below: false };
  const table: readonly [string, number, number[]][] = [
    ['cpu 90x5', 3, [3]],
    ['cpu 90x8', 3, [3, 6]],
    ['cpu 90 90 70 90 90 90 90', 3, [6]],
    ['cpu 79x20', 3, []],
    ['cpu 80', 0, [0]],
    ['cpu _x20', 0, []],
    ['cpu _x20', 3, []],
    ['cpu 90 90 _x5 90 90 90', 3, [9]],
    ['cpu 90 90 _ 70 90 90', 2, []],
  ];
  for (const [text, forSeconds, expected] of table) assert.deepEqual(fires(cpu, text, 'cpuPercent', forSeconds), expected, `${text} for ${forSeconds} s`);
});

test('limits work downwards too, and of each measure', () => {
  assert.deepEqual(fires({ type: 'cpu', limit: 5, below: true }, 'cpu 90 4 3 2 5', 'cpuPercent', 2), [3]);
  assert.deepEqual(fires({ type: 'memory', limit: 100, below: false }, 'm 99 100 101', 'memoryBytes', 0), [1, 2]);
  assert.deepEqual(fires({ type: 'memory', limit: 100, below: true }, 'm 101 100 99', 'memoryBytes', 0), [2]);
  assert.deepEqual(fires({ type: 'threads', limit: 12, below: false }, 't 11 11 12', 'threads', 0), [2]);
  assert.deepEqual(fires({ type: 'hang', forMs: 2_000 }, 's 0 500 1999 2000 _ 0', 'silentMs', 60), [3]);
});

test('a clock that goes back is no time that has passed', () => {
  const yes = { verdict: 'yes', says: 'so' } as const;
  const first = step(ARMED, yes, 10_000, 1_000);
  const back = step(first.state, yes, 4_000, 1_000);
  assert.deepEqual([first.fires, back.fires, back.state.heldMs], [undefined, undefined, 0]);
});

test('a metric is judged by itself or as a share, and no request is no failure rate', () => {
  const share: Condition = { type: 'metric', metric: 'http.5xx', of: 'http.requests', limit: 5, below: false };
  const p95: Condition = { type: 'metric', metric: 'http.response-p95', limit: 2_000, below: false };
  const verdict = (condition: Condition, metrics: Record<string, number>): string => judge(condition, { at: 0, metrics }).verdict;
  assert.equal(verdict(share, { 'http.5xx': 5, 'http.requests': 100 }), 'yes');
  assert.equal(verdict(share, { 'http.5xx': 4, 'http.requests': 100 }), 'no');
  assert.equal(verdict(share, { 'http.5xx': 0, 'http.requests': 0 }), 'unknown');
  assert.equal(verdict(share, { 'http.requests': 100 }), 'unknown');
  assert.equal(verdict(p95, { 'http.response-p95': 2_400 }), 'yes');
  assert.equal(verdict(p95, {}), 'unknown');
  assert.equal(judge(p95, { at: 0, metrics: { 'http.response-p95': 2_400 } }).says, 'Response time p95 is 2.4 s, at or above the limit of 2 s');
});

test('an exception is judged by its type, its text and whether somebody catches it', () => {
  const caught = { type: 'TypeError', text: 'TypeError: x is not a function\n    at f (a.js:1:2)', caught: true };
  const table: readonly [boolean, string[], boolean, 'yes' | 'no'][] = [
    [true, [], true, 'yes'], [false, [], true, 'no'], [false, [], false, 'yes'],
    [true, ['TypeError'], true, 'yes'], [true, ['typeerror: X*function'], true, 'yes'], [true, ['function*x is'], true, 'no'],
    [true, ['RangeError'], true, 'no'], [true, ['RangeError', 'not a'], true, 'yes'], [true, ['(((('], true, 'no'],
  ];
  for (const [first, filters, isCaught, expected] of table) {
    assert.equal(judge({ type: 'exception', first, filters }, { at: 0, thrown: { ...caught, caught: isCaught } }).verdict, expected, `${first} ${filters.join()} ${isCaught}`);
  }
  assert.equal(judge({ type: 'exception', first: true, filters: [] }, { at: 0 }).verdict, 'unknown');
});
