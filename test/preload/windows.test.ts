// Tests the preload in the Windows Node: it finds its folder, listens on a pipe, and answers over it with a profile and a snapshot.
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildPreload } from '../../scripts/build-preload.ts';
import { bundleFor } from '../support/windows.ts';
import { noWine, openWine } from '../support/wine.ts';
import { root } from './nodes.ts';

test('under the Windows Node the pipe, the profile and the snapshot work', { skip: noWine() ?? false, timeout: 240_000 }, async () => {
  const wine = await openWine();
  const folder = await wine.stage('preload');
  try {
    await buildPreload(root, join(folder.linux, 'dist'), '0.0.0-test');
    await cp(join(root, 'test/apps/preload-server.cjs'), join(folder.linux, 'server.cjs'));
    await bundleFor(join(import.meta.dirname, 'windows-asker.ts'), join(folder.linux, 'asker.cjs'));
    const app = wine.start([`--require=${folder.windows}\\dist\\preload.js`, `${folder.windows}\\server.cjs`], { env: { DIAG_HOME: `${folder.windows}\\home`, WEBSITE_INSTANCE_ID: 'ab'.repeat(16), PORT_FILE: `${folder.windows}\\port` } });
    try {
      const asked = await wine.run([`${folder.windows}\\asker.cjs`, `${folder.windows}\\home\\data\\DaaS\\diag\\apps\\ababab`], { limitMs: 120_000 });
      assert.equal(asked.code, 0, `${asked.stderr} ${app.stderr()}`);
      const seen = JSON.parse(asked.stdout) as { address: string; heap: number; lost: unknown[]; profile: number; snapshot: number; states: string[] };
      assert.match(seen.address, /^\\\\\.\\pipe\\app-service-diag-\d+-[0-9a-f]{16}$/);
      assert.deepEqual(seen.states, ['begun', 'done', 'begun', 'done']);
      assert.deepEqual(seen.lost, []);
      assert.ok(seen.heap > 0 && seen.profile > 1 && seen.snapshot > 1_000, asked.stdout);
    } finally {
      app.kill();
      await app.exited;
    }
  } finally {
    await folder.remove();
  }
});
