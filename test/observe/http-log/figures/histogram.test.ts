// Tests the histogram: its error bound against an exact sort, merging, and its bounded memory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../../../src/observe/http-log/figures/histogram.ts';
import { seeded } from '../support.ts';

const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

function check(values: readonly number[], histogram: Histogram): void {
  const sorted = [...values].sort((a, b) => a - b);
  histogram.quantiles(SHARES).forEach((found, i) => {
    const want = sorted[Math.max(1, Math.ceil((SHARES[i] ?? 0) * sorted.length)) - 1] ?? NaN;
    const most = want < 1 ? 1 : want * 0.005;
    assert.ok(found !== undefined && Math.abs(found - want) <= most, `q ${SHARES[i]}: ${found}, exactly ${want}`);
  });
}

const shapes: Readonly<Record<string, (next: () => number) => number>> = {
  'whole, even': (next) => Math.floor(next() * 1_000),
  'whole, over eleven powers': (next) => Math.floor(Math.exp(next() * 26)),
  'fractions': (next) => Math.exp(next() * 12),
  'two peaks at limits': (next) => next() < 0.3 ? 230_000 + Math.floor(next() * 50) : Math.floor(next() * 80),
  'one value': () => 777,
};

for (const [name, shape] of Object.entries(shapes)) {
  test(`quantiles are within 0.5 %: ${name}`, () => {
    const next = seeded(name.length);
    const values = Array.from({ length: 20_000 }, () => shape(next));
    const all = new Histogram();
    const parts = [new Histogram(), new Histogram(), new Histogram()];
    values.forEach((value, i) => { all.add(value); parts[i % 3]?.add(value); });
    check(values, all);
    const merged = new Histogram();
    for (const part of parts) merged.merge(part);
    assert.deepEqual(merged.quantiles(SHARES), all.quantiles(SHARES), 'merging is the same as counting all in one');
    assert.deepEqual([merged.count, merged.min, merged.max], [values.length, Math.min(...values), Math.max(...values)]);
    assert.ok(Math.abs(merged.sum - values.reduce((a, b) => a + b, 0)) <= merged.sum * 1e-9);
  });
}

test('whole numbers below 256 are exact', () => {
  for (let value = 0; value < 256; value += 1) {
    const one = new Histogram();
    one.add(value);
    one.add(1_000_000);
    assert.equal(one.quantile(0.5), value);
  }
});

test('nothing counted gives nothing; what is not a number is not counted', () => {
  const none = new Histogram();
  none.add(NaN);
  none.add(-1);
  assert.deepEqual([none.count, none.quantile(0.5), none.mean], [0, undefined, undefined]);
});

test('memory is bounded by buckets whatever comes', () => {
  const next = seeded(9);
  const many = new Histogram();
  for (let i = 0; i < 200_000; i += 1) many.add(2 ** (next() * 1_000) * next());
  many.add(Infinity);
  assert.ok(many.buckets <= 5_249, String(many.buckets));
  assert.equal(many.max, Infinity);
});
