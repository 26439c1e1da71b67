// Tests the masking of blocks: what belongs together is masked together, whatever the platform puts between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineMaskOf } from '../../../src/agent/line-mask.ts';
import { makeMasker } from '../../../src/analyze/masker.ts';
import { Cutter } from '../../../src/observe/logs/block.ts';
import { holdsFor, maskBlock, textAt } from '../../../src/observe/logs/masked.ts';

const mask = lineMaskOf(() => makeMasker([]));

/** The lines as followers get them. */
function shown(...chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const cutter = new Cutter(0, (block) => {
    const { texts } = maskBlock(block, mask, undefined);
    for (let i = 0; i < block.count; i += 1) lines.push(texts.get(i) ?? textAt(block, i));
  }, holdsFor(mask));
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  cutter.flush('open-line');
  return lines;
}

const BODY = 'MIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL';
const KEY = ['-----BEGIN RSA PRIVATE KEY-----', 'Proc-Type: 4,ENCRYPTED', BODY, BODY, 'c2hvcnQ=', '-----END RSA PRIVATE KEY-----'];
const SECRET = /MIIE|0123456789abc|c2hvcnQ/;

const STAMPS: readonly (readonly [title: string, stamp: string])[] = [
  ['nobody', ''],
  ['Docker', '2026-11-21T10:00:00.123Z '],
  ['a CRI runtime in UTC', '2026-11-21T10:00:00.123456789Z stdout F '],
  ['a CRI runtime with another zone', '2026-11-21T12:00:00.12345678+02:00 stderr F '],
  ['a CRI runtime on the whole second, with a tag', '2026-11-21T10:00:00Z stderr F:app.1 '],
];
for (const [title, stamp] of STAMPS) {
  test(`a private key of which each line is stamped by ${title} is masked, and what stands around it is not`, () => {
    const stamped = (lines: readonly string[]): string[] => lines.map((line) => `${stamp}${line}\n`);
    const all = stamped(['the key:', ...KEY, 'ready: yes']);
    for (const chunks of [[all.join('')], all]) {
      const lines = shown(...chunks);
      assert.deepEqual([lines.length, lines[0], lines.at(-1)], [8, `${stamp}the key:`, `${stamp}ready: yes`]);
      assert.ok(lines[1]?.includes('BEGIN RSA PRIVATE KEY') === true && !SECRET.test(lines.join('\n')), lines.join('\n'));
    }
    const open = stamped(KEY.slice(0, -1)); // its end is never written
    for (const chunks of [[open.join('')], open]) assert.ok(!SECRET.test(shown(...chunks).join('\n')), shown(...chunks).join('\n'));
  });
}

test('a private key in a line that a CRI runtime cut is masked in both of its parts', () => {
  const at = '2026-11-21T10:00:00.123456789Z stdout';
  const lines = shown(`${at} P {"pem":"-----BEGIN PRIVATE KEY-----\\n${BODY}\n${at} F ${BODY}${BODY}\\n-----END PRIVATE KEY-----"}\n${at} F ready: yes\n`);
  assert.ok(!SECRET.test(lines.join('\n')), lines.join('\n'));
  assert.equal(lines.at(-1), `${at} F ready: yes`);
});
