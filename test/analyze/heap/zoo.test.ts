// Owns a fast part of the zoo of leaks (all of it: scripts/zoo-heap.ts), and the command and the findings on the same snapshots.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgedProgram, programs } from './zoo.ts';

for (const name of ['map', 'timers']) {
  test(`the leak of ${name} is found in its file and line, from two snapshots`, async () => {
    const { two, want } = await judgedProgram((await programs()).find((one) => one.name === name) ?? assert.fail(`no ${name} in the zoo`));
    assert.ok(want !== undefined);
    assert.equal(two?.at, want, two?.title);
  });
}

test('a program whose heap only breathes has no suspect', async () => {
  const { two } = await judgedProgram((await programs()).find((one) => one.name === 'breathing') ?? assert.fail('not in the zoo'));
  assert.equal(two, undefined);
});
