// Owns the tests of the fall-back that asks gdb for a core: whole or nothing, and the target runs on in every case.
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, stat, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dumpCore } from '../../src/platform/linux/dump/gcore.ts';
import { findProgram } from '../../src/platform/linux/may-trace.ts';
import type { DumpResult } from '../../src/platform/platform.ts';
import { lives, stateOf } from '../support/alive.ts';
import { debuggerOf } from '../support/debugger.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import type { Victim } from '../support/victim.ts';

const never = new AbortController().signal;
let real: RealPlatform;
let folder: string;
before(async () => { real = await realPlatform(); folder = real.platform.host.folders.temp; });
after(() => real.close());

function take(victim: Victim, name: string, options: { gcore?: string; signal?: AbortSignal } = {}): Promise<DumpResult> {
  const gcore = options.gcore ?? findProgram('gcore', process.env);
  assert.ok(gcore !== undefined, 'gcore is installed (scripts/test.ts)');
  return dumpCore(gcore, process.env, (key) => stateOf(key.pid), { pid: victim.pid, startedAt: 0 }, join(folder, name), options.signal ?? never);
}

async function nothingOf(name: string): Promise<void> {
  assert.deepEqual((await readdir(folder)).filter((other) => other.startsWith(name)), []);
}

test('gcore gives a whole core with a measured pause', async () => {
  const victim = await real.victim();
  const result = await take(victim, 'gcore.core');
  assert.equal(result.engine, 'gcore');
  assert.ok((result.pausedMs ?? 0) > 0);
  assert.notEqual(stateOf(victim.pid), 'T');
});

test('nobody else may read a core of gcore, neither when it is there nor while it is written', async () => {
  const victim = await real.victim();
  const over = new AbortController();
  const modes = new Set<number>();
  const looking = (async () => {
    for await (const { filename } of watch(folder, { signal: over.signal })) {
      const seen = filename?.startsWith('private.core') === true ? await stat(join(folder, filename)).catch(() => undefined) : undefined;
      if (seen !== undefined) modes.add(seen.mode & 0o777);
    }
  })().catch((error: unknown) => { if (!over.signal.aborted) throw error; });
  await take(victim, 'private.core');
  over.abort();
  await looking;
  modes.add((await stat(join(folder, 'private.core'))).mode & 0o777);
  assert.deepEqual([...modes], [0o600]);
});

test('a debugger that is killed leaves nothing and the target running', async () => {
  const victim = await real.victim();
  const outcome = assert.rejects(take(victim, 'killed.core'), { code: 'DUMP_FAILED' });
  process.kill(await debuggerOf(victim.pid), 'SIGKILL');
  await outcome;
  await nothingOf('killed');
  assert.equal((await victim.do('print', { text: 'alive' })).did, 'print');
});

test('a second debugger is a failed dump with its reason', async () => {
  const victim = await real.victim();
  await victim.do('leak', { mb: 100, buffers: true });
  const first = take(victim, 'first.core');
  await debuggerOf(victim.pid);
  await assert.rejects(take(victim, 'second.core'), { code: 'DUMP_FAILED', message: /could not attach/ });
  await first;
  await nothingOf('second');
});

for (const [what, writes, why] of [
  ['no file', ':', /no file was written/],
  ['a text', 'echo no core > "$2.$3"', /no core|ELF/],
  ['half a core', 'head -c 3000000 "$CORE" > "$2.$3"', /the core is cut/],
  ['words of failure', 'echo "warning: x"; echo "disk full" >&2; exit 1', /disk full/],
] as const) {
  test(`a gcore that writes ${what} is a failed dump, and nothing is left`, async () => {
    const bin = join(real.home, `bin-${what.replaceAll(' ', '-')}`);
    await mkdir(bin);
    const program = join(bin, 'gcore');
    await writeFile(program, `#!/bin/sh\nCORE='${join(folder, 'gcore.core')}'\n${writes}\n`);
    await chmod(program, 0o755);
    const victim = await real.victim();
    await assert.rejects(take(victim, 'bad.core', { gcore: program }), { code: 'DUMP_FAILED', message: why });
    await nothingOf('bad');
    assert.equal(lives(victim.pid), true);
  });
}
