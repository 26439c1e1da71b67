// Owns the test that names are spared only for what cannot be told: out of the foremost the same is chosen as out of all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../../../src/observe/http-log/columns.ts';
import { chosen, foremost } from '../../../../src/observe/http-log/figures/groups.ts';
import { COUNT, FAILURES, TextCounts, WIDTH } from '../../../../src/observe/http-log/figures/text-counts.ts';
import { seeded } from '../../../support/http-traffic.ts';

function counted(size: number, most: number, roll: () => number): TextCounts {
  const counts = new TextCounts({ most: 100_000, width: WIDTH, taken: false });
  for (let i = 0; i < size; i += 1) {
    const bytes = Buffer.from(`client ${i}`);
    const id = counts.idOf(hashOf(bytes, 0, bytes.length), bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
    // Few different numbers: most stand at a tie.
    counts.values[id * WIDTH + COUNT] = 1 + Math.floor(roll() * most);
    counts.values[id * WIDTH + FAILURES] = Math.floor(roll() ** 3 * most);
  }
  return counts;
}

void test('out of the foremost the same is chosen as out of all, ties and all', () => {
  const roll = seeded(20_261_121);
  for (let round = 0; round < 300; round += 1) {
    const counts = counted(Math.floor(roll() * 120), 1 + Math.floor(roll() * 40), roll);
    const rows = (id: number): number => counts.values[id * WIDTH + COUNT] as number;
    const sum = (ids: readonly number[], what: number): number => ids.reduce((all, id) => all + (counts.values[id * WIDTH + what] as number), 0);
    const all = chosen(counts.inOrder(), rows, 20);
    const { ids, rest } = foremost(counts, WIDTH, 20);
    const few = chosen(counts.inOrder(ids), rows, 20);
    assert.deepEqual(few.told, all.told);
    assert.deepEqual([rest.count + sum(few.rest, COUNT), rest.failures + sum(few.rest, FAILURES)], [sum(all.rest, COUNT), sum(all.rest, FAILURES)]);
  }
});

void test('of thousands without ties few more are foremost than can be told', () => {
  const counts = counted(5_000, 1_000_000, seeded(7));
  assert.ok(foremost(counts, WIDTH, 200).ids.length <= 300);
});
