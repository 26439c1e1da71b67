// Owns the tests of which processes a restart may end: what the list offers, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restart, restartTargets } from '../../src/mitigate/restart.ts';
import type { Role } from '../../src/shared/model.ts';
import { fakePlatform } from '../support/fake-platform.ts';

const NEVER = new AbortController().signal;

for (const role of ['other', 'scm'] satisfies Role[]) {
  test(`a process of role ${role} is not offered and, when asked for all the same, not ended`, async (t) => {
    const platform = await fakePlatform();
    t.after(() => platform.remove());
    const target = platform.put({ pid: 777, role, name: 'sshd' });
    assert.ok(!restartTargets(await platform.processes(NEVER), platform).some((one) => one.info.pid === 777));
    await assert.rejects(restart({ pid: 777, startedAt: target.startedAt }, platform, NEVER), { code: 'BAD_INPUT' });
    assert.deepEqual(platform.ended, []);
  });
}
