// Owns the tests of the mask that the agent lays over what it shows: which secrets it learns, and that it forgets none.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { maskedRow, startMasking, type Masking } from '../../src/agent/masking.ts';
import type { Platform } from '../../src/platform/platform.ts';
import type { RequestRow } from '../../src/shared/model.ts';
import { fakePlatform, type FakePlatform } from '../support/fake-platform.ts';

const NEVER = new AbortController().signal;

async function masking(t: TestContext, prepare: (platform: FakePlatform) => void, change: Partial<Platform> = {}): Promise<{ platform: FakePlatform; masking: Masking; listed(): Promise<void> }> {
  const platform = await fakePlatform();
  prepare(platform);
  let processes = await platform.processes(NEVER);
  const ending = new AbortController();
  const started = startMasking({ ...platform, ...change, clock: platform.clock }, { processes: () => processes }, { error: (text) => { assert.fail(text); } }, ending.signal);
  t.after(async () => { ending.abort(); await started.stopped; await platform.remove(); });
  return { platform, masking: started, listed: async () => { processes = await platform.processes(NEVER); } };
}

test('a setting that was changed stays masked: logs repeat it for days', async (t) => {
  const { platform, masking: { mask }, listed } = await masking(t, (p) => { p.setEnvironment(4120, [{ name: 'API_KEY', value: 'first-value-1234' }]); });
  await platform.clock.advance(1_000);
  assert.ok(!mask('calls with first-value-1234').includes('first-value-1234'));
  platform.vanish(4120);
  platform.put({ pid: 4200, role: 'worker' });
  platform.setEnvironment(4200, [{ name: 'API_KEY', value: 'second-value-1234' }]);
  await listed();
  await platform.clock.advance(1_000);
  const shown = mask('first-value-1234 second-value-1234');
  assert.ok(!shown.includes('first-value') && !shown.includes('second-value'), shown);
});

test('the worker is read also where older processes fill the list', async (t) => {
  const { platform, masking: { mask } } = await masking(t, (p) => {
    p.vanish(4120);
    for (let pid = 1_000; pid < 1_020; pid += 1) p.put({ pid, role: 'other', name: 'tool' });
    p.put({ pid: 4121, role: 'worker' });
    p.setEnvironment(4121, [{ name: 'API_KEY', value: 'workers-value-1234' }]);
  });
  await platform.clock.advance(1_000);
  assert.ok(!mask('it is workers-value-1234').includes('workers-value-1234'));
});

test('a process that could not be read is read again', async (t) => {
  let refused = 0;
  const { platform, masking: { mask } } = await masking(t, () => undefined, {
    environment: async () => {
      refused += 1;
      if (refused === 1) throw new Error('it is just starting');
      return [{ name: 'API_KEY', value: 'late-value-1234' }];
    },
  });
  await platform.clock.advance(1_000);
  assert.match(mask('it is late-value-1234'), /late-value-1234/);
  await platform.clock.advance(1_000);
  assert.ok(!mask('it is late-value-1234').includes('late-value-1234'));
});

test('a request is shown without the tokens of its path and the secrets of the site', () => {
  const mask = (text: string): string => text.replaceAll(/known-secret|eyJ[\w.-]+/g, '[masked]');
  const row: RequestRow = { at: 1, method: 'GET', path: '/reset/eyJhbGci.eyJzdWIi.c2ln', route: '/reset/eyJhbGci.eyJzdWIi.c2ln', query: 'q=known-secret', userAgent: 'app known-secret', status: 502, source: 's', offset: 0 };
  const shown = maskedRow(row, mask);
  assert.deepEqual(shown, { ...row, path: '/reset/[masked]', route: '/reset/[masked]', query: 'q=[masked]', userAgent: 'app [masked]' });
});
