// Owns the fast part of the CPU zoo: some programs really run, and the sentence names their function, file and line; scripts/bench/profile-zoo.ts runs all.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { judgedOf } from '../../support/cpu-zoo.ts';

test('the hot path of real programs names the function, its file, its line, and what it does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diag-cpu-zoo-'));
  try {
    for (const name of ['regex', 'json', 'sync-crypto', 'sort', 'gc']) {
      const { report, expected } = await judgedOf(name, folder, 300);
      assert.deepEqual({ name: report.hot?.function.name, file: report.hot?.function.file?.split('/').at(-1), line: report.hot?.function.line, sign: report.hot?.sign }, expected, report.hot?.sentence);
    }
  } finally { await rm(folder, { recursive: true }); }
});
