// Owns the tests of memory dumps on real processes: whole or nothing, and the target runs on in every case.
import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findProgram, traceOffer } from '../../src/platform/linux/may-trace.ts';
import { parseCoreHeader, parseSegments } from '../../src/platform/parse/elf.ts';
import type { Platform } from '../../src/platform/platform.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { stateOf } from '../support/alive.ts';
import { holds } from '../support/file-holds.ts';
import { dumpsNearLimit, makeMemoryGroup } from '../support/memory-group.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import type { Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
let real: RealPlatform;
let folder: string;

before(async () => { real = await realPlatform(); folder = real.platform.host.folders.temp; });
after(() => real.close());

async function targetOf(platform: Platform, pid: number): Promise<ProcessInfo> {
  return await waitFor(`process ${pid} in the list`, async () => (await platform.processes(never)).find((one) => one.pid === pid));
}

async function unharmed(victim: Victim): Promise<void> {
  assert.notEqual(stateOf(victim.pid), 'T');
  assert.equal((await victim.do('print', { text: 'alive' })).did, 'print');
}

test('a dump is a core that holds the memory, with a measured pause; the target runs on', async () => {
  const victim = await real.victim({ env: { MARKER: 'marker-4711-in-memory' } });
  const target = await targetOf(real.platform, victim.pid);
  const file = join(folder, 'whole.core');
  const result = await real.platform.dump(target, file, never);
  assert.equal(result.engine, 'write-tracking', result.note);
  assert.equal(result.kind, 'core-dump');
  assert.equal(result.bytes, (await stat(file)).size);
  assert.ok((result.pausedMs ?? 0) > 0);
  assert.equal(await holds(file, 'marker-4711-in-memory'), true);
  assert.deepEqual(await readdir(folder), ['whole.core']);
  await unharmed(victim);
});

test('a dump that is cancelled while it is written leaves nothing and the target running', async () => {
  const victim = await real.victim();
  await victim.do('leak', { mb: 50, buffers: true });
  const target = await targetOf(real.platform, victim.pid);
  const abort = new AbortController();
  const dumping = real.platform.dump(target, join(folder, 'cut.core'), abort.signal);
  const outcome = assert.rejects(dumping, { code: 'CANCELLED' });
  await waitFor('the first bytes of the dump', async () => (await readdir(folder)).some((name) => name.startsWith('cut.core.part')));
  abort.abort();
  await outcome;
  assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith('cut')), []);
  await unharmed(victim);
});

test('near a memory limit a dump is a copy, or the app stands while it is written, and it lives through all of them', async (t) => {
  const group = makeMemoryGroup('dump');
  if (group === undefined) { t.skip('SKIPPED: no memory group of version 1 can be made here'); return; }
  const victim = await real.victim();
  try {
    // The long form is scripts/soak-memory-limit.ts.
    const outcomes = await dumpsNearLimit(real.platform, victim, group, 4, 60);
    t.diagnostic(JSON.stringify(outcomes));
    assert.ok((outcomes['write-tracking'] ?? 0) + (outcomes['copy-on-write'] ?? 0) > 0 && (outcomes['stop-and-copy'] ?? 0) > 0, JSON.stringify(outcomes));
  } finally {
    await victim.stop();
    await group.remove();
  }
});

test('a target that somebody had stopped before stays stopped', async () => {
  const victim = await real.victim();
  const target = await targetOf(real.platform, victim.pid);
  process.kill(victim.pid, 'SIGSTOP');
  await waitFor('the stop', () => stateOf(victim.pid) === 'T');
  await real.platform.dump(target, join(folder, 'stopped.core'), never);
  await waitFor('the stop to stand', () => stateOf(victim.pid) === 'T');
  process.kill(victim.pid, 'SIGCONT');
  await unharmed(victim);
});

test('the kernel\'s rules on attaching, in words', () => {
  const table = [[undefined, false, true], ['0\n', false, true], ['1\n', false, false], ['1\n', true, true], ['2', false, false], ['2', true, true], ['3', true, false]] as const;
  for (const [scope, capable, yes] of table) {
    const offer = traceOffer(scope, capable);
    assert.equal(offer.yes, yes, `${scope} ${capable}`);
    if (!yes) assert.match(offer.because ?? '', /ptrace_scope = \d/);
  }
});

test('programs are found on absolute folders of PATH only', () => {
  assert.equal(findProgram('sh', { PATH: '/nowhere:/bin' }), '/bin/sh');
  assert.equal(findProgram('sh', { PATH: '.:bin:' }), undefined);
  assert.equal(findProgram('sh', {}), undefined);
});

test('a header that is no core of ours says why', () => {
  const core = Buffer.alloc(64);
  core.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  core.writeUInt16LE(4, 16);
  core.writeBigUInt64LE(64n, 32);
  core.writeUInt16LE(56, 54);
  core.writeUInt16LE(2, 56);
  assert.deepEqual(parseCoreHeader(core), { bits: 64, tableAt: 64, sectionsAt: 0, entryBytes: 56, segments: 2 });
  assert.match(String(parseCoreHeader(Buffer.from('MDMP'))), /ELF/);
  assert.match(String(parseCoreHeader(core.subarray(0, 60))), /cut/);
  const program = Buffer.from(core);
  program.writeUInt16LE(2, 16);
  assert.match(String(parseCoreHeader(program)), /no core/);
  const table = Buffer.alloc(112);
  table.writeUInt32LE(4, 0);
  table.writeBigUInt64LE(176n, 8);
  table.writeBigUInt64LE(100n, 32);
  table.writeUInt32LE(1, 56);
  table.writeBigUInt64LE(4096n, 64);
  table.writeBigUInt64LE(8192n, 88);
  assert.deepEqual(parseSegments(table, { bits: 64, tableAt: 64, sectionsAt: 0, entryBytes: 56, segments: 2 }, 2), { endBytes: 12_288, notes: 1, loads: 1 });
});
