// Owns the tests of rules as text: one that is bad is refused alone and named, comments stay, presets are whole and off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HARMFUL } from '../../../src/shared/rules.ts';
import { sayRule } from '../../../src/mitigate/rules/describe.ts';
import { presets } from '../../../src/mitigate/rules/presets.ts';
import { parseRules, withRule } from '../../../src/mitigate/rules/set.ts';

const NOW = Date.UTC(2026, 10, 21);
const TEXT = `{
  // ours, see the run book
  "rules": [
    { "id": "hot", "when": { "type": "metric", "metric": "site.cpu", "above": 90 }, "forMs": 30000, "do": [{ "type": "diagnose" }] }, // cheap
    { "id": "wild", "when": { "type": "exit" }, "do": [{ "type": "recycle" }] },
    { "id": "odd", "when": { "type": "metric", "metric": "no.such", "above": 1, "below": 2 }, "do": [] },
    { "id": "hot", "when": { "type": "exit" }, "do": [{ "type": "notify" }] },
  ],
}
`;

test('a bad rule is refused alone, with its line and what is wrong with it', () => {
  const { rules, refused } = parseRules(TEXT);
  assert.deepEqual(rules.map(({ id }) => id), ['hot']);
  assert.deepEqual(refused.map(({ id, line }) => [id, line]), [['wild', 5], ['odd', 6], ['hot', 7]]);
  assert.match(refused[0]?.why ?? '', /limits: recycle needs limits\.perHour/);
  assert.match(refused[1]?.why ?? '', /when\.metric/);
  assert.match(refused[2]?.why ?? '', /another rule above/);
});

test('what is no set of rules is refused as a whole, with the place', () => {
  assert.deepEqual(parseRules('{ "rules": [ { "id": } ] }').refused[0]?.line, 1);
  assert.match(parseRules('{\n"rules": [}').refused[0]?.why ?? '', /no JSON/);
  assert.match(parseRules('[]').refused[0]?.why ?? '', /no list "rules"/);
  assert.match(parseRules(`{"rules":[${Array.from({ length: 201 }, () => '1').join(',')}]}`).refused[0]?.why ?? '', /201 rules/);
});

test('a rule that is changed leaves comments, order and everything else as it was', () => {
  const [hot] = parseRules(TEXT).rules;
  assert.ok(hot);
  const changed = withRule(TEXT, 'hot', { ...hot, forMs: 60_000 });
  assert.equal(parseRules(changed).rules[0]?.forMs, 60_000);
  assert.ok(changed.includes('// ours, see the run book') && changed.includes('// cheap'));
  assert.equal(changed.slice(changed.indexOf('{ "id": "wild"')), TEXT.slice(TEXT.indexOf('{ "id": "wild"')));
  const added = withRule(changed, 'new', { ...hot, id: 'new' });
  assert.deepEqual(parseRules(added).rules.map(({ id }) => id), ['hot', 'new']);
  assert.deepEqual(parseRules(withRule(added, 'new', undefined)).rules.map(({ id }) => id), ['hot']);
  assert.deepEqual(parseRules(withRule('', 'hot', hot)).rules, [hot]);
});

test('every preset is off, bounded where it does harm, and says what it does', () => {
  const all = presets(NOW);
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  for (const { rule } of all) {
    assert.equal(rule.enabled, false);
    if (rule.do.some(({ type }) => HARMFUL.has(type))) assert.ok(rule.limits.perDay ?? rule.limits.perHour);
    assert.match(sayRule(rule), /: \w/);
  }
  assert.equal(sayRule(all[2]?.rule ?? assert.fail()), 'CPU at or above 75 %, for 30 s: collect, then end-process; at most once in 5 min, 2 a day');
});
