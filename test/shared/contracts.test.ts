// Owns the tests of the published words: openapi.json and docs/errors.md say what the code says, every error code is thrown somewhere.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { errorsDoc } from '../../scripts/errors-doc.ts';
import { openapi } from '../../scripts/openapi.ts';
import { errors } from '../../src/shared/errors.ts';
import { metrics, TIERS } from '../../src/shared/metrics.ts';

const root = resolve(import.meta.dirname, '../..');

test('openapi.json is what the contract says (else run: npm run openapi)', async () => {
  assert.equal(await readFile(join(root, 'public/openapi.json'), 'utf8'), await openapi());
});

test('docs/errors.md is what the catalog says (else run: npm run errors)', async () => {
  assert.equal(await readFile(join(root, 'docs/errors.md'), 'utf8'), errorsDoc());
});

test('every error code is thrown somewhere', async () => {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((f) => /\.tsx?$/.test(f) && !f.endsWith('shared/errors.ts'));
  const text = (await Promise.all(files.map((f) => readFile(join(root, 'src', f), 'utf8')))).join('\n');
  const unused = Object.keys(errors).filter((code) => code !== 'INTERNAL' && !text.includes(`'${code}'`));
  assert.deepEqual(unused, []);
});

test('metric ids are unique and tiers grow', () => {
  assert.equal(new Set(metrics.map((m) => m.id)).size, metrics.length);
  for (const [i, tier] of TIERS.entries()) assert.ok(i === 0 || (tier.stepMs > TIERS[i - 1]!.stepMs && tier.stepMs % TIERS[i - 1]!.stepMs === 0));
});
