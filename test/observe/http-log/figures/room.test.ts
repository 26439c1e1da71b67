// Tests memory that grows where it lies: what was there stays, the rest is zeros, and large tables are handed over without a copy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histograms } from '../../../../src/observe/http-log/figures/histograms.ts';
import { Room } from '../../../../src/observe/http-log/figures/room.ts';
import { seeded } from '../support.ts';

const MIB = 2 ** 20;

test('a room keeps what it holds at every size, gives zeros for the rest, and once it is large it stays where it is', () => {
  const room = new Room(4_096);
  const written: number[] = [];
  let large: Uint8Array | undefined;
  for (let size = 4_096; size < 20 * MIB; size = Math.ceil(size * 1.7)) {
    const bytes = room.widen(size);
    assert.ok(bytes.length >= size && bytes === room.bytes);
    written.forEach((at, i) => { assert.equal(bytes[at], i % 255 + 1, `what was written at ${at}, at ${size} bytes`); });
    const last = bytes.length - 1;
    if (written.at(-1) === last) continue;
    assert.equal(bytes[last], 0, 'what is new');
    bytes[last] = written.length % 255 + 1;
    written.push(last);
    if (size > MIB && size < 8 * MIB) {
      if (large !== undefined) { large[0] = written.length; assert.equal(bytes[0], written.length, 'the same memory as before'); }
      large = bytes;
    }
  }
  assert.ok(large !== undefined);
});

test('histograms of many pages, handed over as they lie, tell the same and are not copied', () => {
  const next = seeded(5), ids = 1_500, rows = 1_000;
  const [whole, mine, theirs] = [new Histograms(), new Histograms(), new Histograms()];
  for (const one of [whole, mine, theirs]) one.reserve(ids);
  for (let batch = 0; batch < 60; batch += 1) {
    const of = Int32Array.from({ length: rows }, () => Math.floor(next() * ids)), buckets = Int32Array.from({ length: rows }, () => Math.floor(next() * 2_000));
    whole.addEach(of, buckets, rows);
    (batch % 2 ? mine : theirs).addEach(of, buckets, rows);
  }
  const sent = theirs.state(ids), got = structuredClone(sent);
  assert.ok(got.cells.length > MIB, 'so large that it is no ordinary memory');
  const before = sent.cells[500] ?? 0;
  got.cells[500] = before ^ 1;
  assert.equal(sent.cells[500], before ^ 1, 'both are the same memory');
  got.cells[500] = before;
  mine.merge(got, (id) => id);
  for (let id = 0; id < ids; id += 1) assert.deepEqual(mine.quantiles([id], 1e9, true), whole.quantiles([id], 1e9, true), `histogram ${id}`);
});
