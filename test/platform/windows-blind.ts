// Owns the start without koffi, tested on Windows where it is not installed (bundled and started by windows.test.ts).
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPlatform } from '../../src/platform/choose.ts';
import { Capability } from '../../src/shared/model.ts';

const never = new AbortController().signal;
const top = process.env['TOP'] ?? '';

test('without koffi the platform opens, sees itself, and says why the rest is missing', async () => {
  const platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: process.env });
  const missing = Capability.options.filter((what) => !platform.can(what).yes);
  for (const what of ['processes', 'usage', 'memory-dump', 'node-report', 'restart', 'environment'] as const) assert.ok(missing.includes(what), what);
  assert.match(platform.can('memory-dump').because ?? '', /the calls into Windows do not work here \(.*koffi/i);
  assert.equal(platform.can('host').yes, true);
  assert.match(platform.host.app.os, /Windows/);
  const list = await platform.processes(never);
  assert.deepEqual(list.map(({ pid, role, ours }) => ({ pid, role, ours })), [{ pid: process.pid, role: 'agent', ours: true }]);
  assert.ok((platform.ownUsage().workingSetBytes ?? 0) > 0);
  const host = await platform.hostUsage(never);
  assert.ok((host.memoryTotalBytes ?? 0) > 0 && host.cores > 0);
  await assert.rejects(platform.end({ pid: 4711, startedAt: 0 }, 0, never), { code: 'CAPABILITY_MISSING' });
  await assert.rejects(platform.dump({ pid: 4711, startedAt: 0 }, join(top, 'x.dmp'), never), { code: 'CAPABILITY_MISSING' });
  platform.close();
});
