// Tests the masking of blocks: what belongs together is masked together, whatever the platform puts between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineMaskOf } from '../../../src/agent/line-mask.ts';
import { makeMasker } from '../../../src/analyze/masker.ts';
import { Cutter } from '../../../src/observe/logs/block.ts';
import { holdsFor, maskBlock, textAt } from '../../../src/observe/logs/masked.ts';

const mask = lineMaskOf(() => makeMasker([]));

/** The lines as followers get them. */
function shown(text: string): string[] {
  const lines: string[] = [];
  const cutter = new Cutter(0, (block) => {
    const { texts } = maskBlock(block, mask, undefined);
    for (let i = 0; i < block.count; i += 1) lines.push(texts.get(i) ?? textAt(block, i));
  }, holdsFor(mask));
  cutter.push(Buffer.from(text));
  cutter.flush('open-line');
  return lines;
}

test('a private key of which the platform stamps each line is masked, and what stands behind it is not', () => {
  const stamp = '2026-11-21T10:00:00.123Z ';
  const body = 'MIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL';
  const key = ['-----BEGIN RSA PRIVATE KEY-----', body, body, 'c2hvcnQ=', '-----END RSA PRIVATE KEY-----'];
  const lines = shown([...key, 'ready'].map((line) => `${stamp}${line}\n`).join(''));
  assert.deepEqual([lines.length, lines.at(-1)], [6, `${stamp}ready`]);
  assert.ok(lines[0]?.includes('BEGIN RSA PRIVATE KEY') === true && !/MIIE|0123456789|c2hvcnQ/.test(lines.join('\n')), lines.join('\n'));
});
