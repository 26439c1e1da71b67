// Owns the tests of the keyboard map.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyReader, KEYS } from '../../src/client/keys.ts';

test('g and a second key is a word, for a while', () => {
  const read = keyReader();
  assert.equal(read('g', 0), undefined);
  assert.deepEqual(read('o', 100), { go: 'observe' });
  assert.equal(read('o', 200), undefined);
  read('g', 1_000);
  assert.equal(read('l', 9_000), undefined, 'too late');
  read('g', 10_000);
  assert.equal(read('d', 10_100), 'diagnose', 'no page has this key: it means itself');
});

test('every command of the page law has a key', () => {
  const read = keyReader();
  assert.deepEqual(['/', '?', 'd', ' ', 'j', 'k', 'Enter'].map((k) => read(k, 0)), ['search', 'help', 'diagnose', 'pause', 'next', 'previous', 'open']);
  assert.ok(KEYS.some(([k]) => k === 'g n'));
});
