// Owns the proof that each address of a core which is begun before the pause has one place in the file, and that what the process gave back is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Extents } from '../../src/platform/linux/dump/extents.ts';
import { tracksWrites } from '../../src/platform/linux/dump/room.ts';

const PAGE = 4_096;
const pages = (from: number, to: number): [number, number] => [from * PAGE, to * PAGE];

test('a place once given stays, whatever is mapped around it later', () => {
  const extents = new Extents(10 * PAGE);
  extents.cover(...pages(100, 110));
  extents.cover(...pages(300, 304));
  extents.cover(...pages(95, 120));                             // the mapping grew to both sides
  extents.cover(...pages(95, 120));
  assert.equal(extents.endAt, (10 + 10 + 4 + 5 + 10) * PAGE);
  assert.deepEqual(extents.places(...pages(90, 302)).map(({ from, to, at }) => [from / PAGE, to / PAGE, at / PAGE]), [[95, 100, 24], [100, 110, 10], [110, 120, 29], [300, 302, 20]]);
  assert.deepEqual(extents.places(...pages(120, 300)), []);
});

test('pages that were written and are no longer there are told, in runs', () => {
  const extents = new Extents(0);
  extents.cover(...pages(0, 64));
  extents.cover(...pages(1_000, 1_016));
  extents.mark(...pages(3, 40));
  extents.mark(...pages(1_000, 1_016));
  const range = (from: number, to: number): { from: number; to: number } => ({ from: from * PAGE, to: to * PAGE });
  const told = [...extents.stale([range(0, 5), range(7, 8), range(10, 39), range(60, 1_003)])].map(({ from, to, at }) => [from / PAGE, to / PAGE, at / PAGE]);
  assert.deepEqual(told, [[5, 7, 5], [8, 10, 8], [39, 40, 39], [1_003, 1_016, 67]]);
  assert.deepEqual([...extents.stale([range(0, 2_000)])], []);
});

test('the kernel that tells of written pages is known by its release', () => {
  assert.deepEqual(['5.15.0-1064-azure', '6.6.57', '6.7.0', '6.18.44-fc', '7.0-rc1', 'odd'].map(tracksWrites), [false, false, true, true, true, false]);
});
