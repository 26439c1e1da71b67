// Owns the proof that the home is laid out as App Service's, stays the same over restarts, and has one owner.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { startLocalAppService } from '../../scripts/local/index.ts';
import { withService } from './support.ts';

let home: string;
beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'local-home-')); });
afterEach(() => rm(home, { recursive: true, force: true }));

test('the folders are those of App Service, and the demo app is deployed once with its record', async () => {
  const seen: string[] = [];
  for (let starts = 0; starts < 2; starts += 1) {
    await withService({ home }, async () => {
      seen.push(await readFile(join(home, '.local/instance.json'), 'utf8'));
    });
  }
  assert.equal(seen[0], seen[1]);
  const folders = ['LogFiles/http/RawLogs', 'LogFiles/Application', 'LogFiles/DetailedErrors', 'LogFiles/kudu/trace', 'site/wwwroot', 'data/DaaS/Logs', 'data/DaaS/Reports', 'data/DaaS/diag'];
  for (const folder of folders) assert.ok((await stat(join(home, folder))).isDirectory(), folder);
  const [id = '', ...more] = (await readdir(join(home, 'site/deployments'))).filter((name) => name !== 'active');
  assert.deepEqual(more, []);
  assert.match(id, /^[0-9a-f]{40}$/);
  assert.equal(await readFile(join(home, 'site/deployments/active'), 'utf8'), id);
  const status = await readFile(join(home, 'site/deployments', id, 'status.xml'), 'utf8');
  assert.match(status, new RegExp(`<id>${id}</id>[^]*<status>Success</status>[^]*<complete>True</complete>`));
  assert.match(await readFile(join(home, 'site/deployments', id, 'log.xml'), 'utf8'), /<entry time="[^"]+Z" id="[0-9a-f-]{36}" type="0">/);
  assert.deepEqual((await readdir(join(home, 'site/wwwroot'))).sort(), ['lib', 'package.json', 'server.js']);
  assert.deepEqual(await readdir(join(home, '.local')), ['instance.json']); // nothing is on record as running
});

test('a home in use refuses a second site and names who has it; the first goes on', async () => {
  await withService({ home }, async (service) => {
    await assert.rejects(startLocalAppService({ home }), { message: `the home ${home} is in use by process ${service.frontPid()}` });
    assert.equal((await fetch(`${service.siteUrl}/cart`)).status, 200);
  });
});
