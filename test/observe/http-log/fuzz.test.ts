// Tests the readers of all formats with mutated logs: 20,000 inputs here, a million with scripts/fuzz-http-log.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFormat } from '../../../src/observe/http-log/columns.ts';
import { formatOf } from '../../../src/observe/http-log/formats/index.ts';
import { checkReading, fuzz, subjects } from '../../support/fuzz-http-log.ts';
import { seeded } from '../../support/http-traffic.ts';

test('20,000 mutated logs: nothing throws, every line is accounted for, and no cut changes a row', () => {
  const sum = fuzz(20_000, 20_261_121);
  assert.equal(sum.inputs, 20_000);
  assert.equal(sum.lines, sum.rows + sum.comments + sum.malformed);
  // Mutations that leave nothing whole, or nothing broken, would test nothing.
  assert.ok(sum.rows > sum.inputs && sum.malformed > sum.inputs, JSON.stringify(sum));
});

test('the fuzzer finds a reader that loses a line, one that depends on the cut, and one that hands out rows of nowhere', () => {
  const sound = formatOf('ncsa-common');
  const broken = (change: Partial<LogFormat>): LogFormat => ({ ...sound, ...change });
  const log = subjects().find((one) => one.format.id === 'ncsa-common')?.logs[0] ?? assert.fail();
  const next = seeded(1);
  checkReading(sound, log, next);
  const loses = broken({ reader: (options) => { const inner = sound.reader(options); return { ...inner, counts: inner.counts, malformedAt: inner.malformedAt, pendingBytes: 0, write: (chunk) => { inner.write(chunk.subarray(chunk.indexOf(10) + 1)); }, flush: () => { inner.flush(); }, end: () => { inner.end(); } }; } });
  assert.throws(() => checkReading(loses, log, next), /every byte was read|every line was counted/);
  const depends = broken({ reader: (options) => { const inner = sound.reader(options); return { counts: inner.counts, malformedAt: inner.malformedAt, pendingBytes: 0, write: (chunk) => { inner.write(chunk); if (chunk.length < 50) inner.write(Buffer.from('\n')); }, flush: () => { inner.flush(); }, end: () => { inner.end(); } }; } });
  assert.throws(() => { for (let i = 0; i < 20; i += 1) checkReading(depends, log, next); }, /cut into/);
  const nowhere = broken({ reader: (options) => sound.reader({ ...options, sink: (columns) => { columns.offset[0] = -1; options.sink(columns); } }) });
  assert.throws(() => checkReading(nowhere, log, next), /offset -1/);
});
