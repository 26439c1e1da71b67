// Tests the sampling of processes, site, host and agent on a platform whose numbers are set by the test.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HostSampler } from '../../../src/observe/samplers/host.ts';
import { ProcessSampler } from '../../../src/observe/samplers/process.ts';
import type { Values } from '../../../src/observe/samplers/process.ts';
import { fakePlatform } from '../../support/fake-platform.ts';
import type { FakePlatform } from '../../support/fake-platform.ts';

const never = new AbortController().signal;
const MIB = 2 ** 20;

describe('sampling of processes', () => {
  let platform: FakePlatform;
  before(async () => { platform = await fakePlatform(); });
  after(() => platform.remove());

  async function second(sampler: ProcessSampler): Promise<{ site: Values; of(pid: number): Values | undefined }> {
    await platform.clock.advance(1_000);
    const reading = await sampler.read(platform.clock.now(), never);
    return { site: reading.site, of: (pid) => reading.samples.find((one) => one.process?.pid === pid)?.values };
  }

  test('first reading, rates, totals without ours and SCM, reuse, vanishing, no process at all', async () => {
    const sampler = new ProcessSampler(platform);
    platform.put({ pid: 5000, parent: 4120, startedAt: 1_000 }, { cpuMs: 50, workingSetBytes: 20 * MIB });
    platform.put({ pid: 600, startedAt: 1_000, role: 'scm' }, { cpuMs: 9_000, workingSetBytes: 500 * MIB });
    const first = await second(sampler);
    assert.deepEqual(first.of(4120), { 'process.working-set': 80 * MIB, 'process.private-bytes': 60 * MIB, 'process.threads': 11, 'process.handles': 24 });
    assert.deepEqual(first.site, { 'site.processes': 2, 'site.working-set': 100 * MIB, 'site.private-bytes': 60 * MIB, 'site.threads': 11, 'site.handles': 24, 'site.average-working-set': 100 * MIB });

    platform.setUsage(4120, { cpuMs: 1_500, workingSetBytes: 120 * MIB });
    platform.setUsage(5000, { cpuMs: 60 });
    platform.setUsage(600, { cpuMs: 9_900 });
    const busy = await second(sampler);
    assert.deepEqual([busy.of(4120)?.['process.cpu'], busy.of(4120)?.['process.cpu-time'], busy.of(600)?.['process.cpu']], [50, 500, 90]);
    assert.deepEqual([busy.site['site.cpu'], busy.site['site.cpu-time'], busy.site['site.working-set'], busy.site['site.average-working-set']], [51, 510, 140 * MIB, 120 * MIB]);

    platform.put({ pid: 5000, startedAt: platform.clock.now() }, { cpuMs: 5_000 });
    const reused = await second(sampler);
    assert.equal(reused.of(5000)?.['process.cpu'], undefined, 'another process: no rate');
    assert.equal(reused.site['site.cpu'], 0, 'the worker did nothing');

    platform.vanish(5000);
    platform.vanish(4120);
    const none = await second(sampler);
    assert.equal(none.of(4120), undefined);
    assert.deepEqual([none.site['site.processes'], none.site['site.cpu'], none.site['site.working-set']], [0, 0, 0], 'no process is a known 0');
  });
});

test('host and agent: shares of all cores, own rate, absent stays absent', async () => {
  const platform = await fakePlatform();
  try {
    const host = new HostSampler(platform);
    const read = async (): Promise<Values> => {
      const values: Values = {};
      await platform.clock.advance(1_000);
      await host.read(values, never);
      host.readOwn(values, 2.5);
      return values;
    };
    const first = await read();
    assert.deepEqual(first, { 'host.memory-used': 2 ** 30, 'host.memory-total': 4 * 2 ** 30, 'host.disk-free': 9 * 2 ** 30, 'host.disk-total': 10 * 2 ** 30, 'agent.working-set': 50 * MIB, 'agent.sampling': 2.5 });
    platform.setHostUsage({ cores: 2, busyMs: 1_000_500, totalMs: 8_002_000 });
    platform.setOwnUsage({ cpuMs: 504 });
    const next = await read();
    assert.deepEqual(next, { 'host.cpu': 25, 'agent.cpu': 0.4, 'agent.working-set': 50 * MIB, 'agent.sampling': 2.5 });
  } finally {
    await platform.remove();
  }
});
