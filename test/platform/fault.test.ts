// Owns the tests of the wait for a fault on real processes: a core at the very fault, the death as it would have been, and no dump of what is harmless.
import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { handles } from '../../src/platform/linux/fault/helper.ts';
import type { FaultEnd, FaultOrder } from '../../src/platform/platform.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { startOf } from '../support/alive.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import type { Victim, VictimOptions } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
let real: RealPlatform;
let folder: string;

before(async () => { real = await realPlatform(); folder = real.platform.host.folders.temp; });
after(() => real.close());

async function targetOf(pid: number): Promise<ProcessInfo> {
  return await waitFor(`process ${pid} in the list`, async () => (await real.platform.processes(never)).find((one) => one.pid === pid));
}

interface Watched { readonly victim: Victim; readonly file: string; readonly end: Promise<FaultEnd> }
async function watched(name: string, order: Partial<FaultOrder>, options: VictimOptions = {}, signal = never): Promise<Watched> {
  const victim = await real.victim(options);
  const target = await targetOf(victim.pid);
  const file = join(folder, `${name}.core`);
  let held = false;
  const end = real.platform.dumpAtFault(target, { file, faults: 'unhandled', exit: false, signals: [], watching: () => { held = true; }, ...order }, signal);
  end.catch(() => undefined);                                  // awaited below, perhaps later than it fails
  await Promise.race([waitFor('the process to be held', () => held), end]);
  return { victim, file, end };
}

function gdb(file: string, ...commands: readonly string[]): string {
  return spawnSync('gdb', ['-batch', '-nx', ...commands.flatMap((one) => ['-ex', one]), process.execPath, file], { encoding: 'utf8' }).stdout;
}

const noGdb = existsSync('/usr/bin/gdb') ? false : 'SKIPPED: no gdb on this machine';

async function dumped({ file, end }: Watched, says: RegExp): Promise<void> {
  const told = await end;
  assert.equal(told.happened, 'dumped');
  if (told.happened !== 'dumped') return;
  assert.match(told.says, says);
  assert.equal((await stat(file)).size, told.result.bytes);
}

test('a SIGSEGV in native code is dumped where it happened, and the process dies of it as before', { skip: noGdb }, async () => {
  const one = await watched('segv', {});
  one.victim.send('native-fault');
  await dumped(one, /^SIGSEGV reached thread \d+$/);
  assert.equal((await one.victim.exited).signal, 'SIGSEGV');
  const told = gdb(one.file, 'bt 1', 'p $_siginfo.si_signo', 'p $_siginfo._sifields._sigfault.si_addr');
  assert.match(told, /terminated with signal SIGSEGV/);
  assert.match(told, /strlen/);
  assert.match(told, /\(void \*\) 0x8/);
});

test('an abort is dumped', async () => {
  const one = await watched('abort', {});
  one.victim.send('abort');
  await dumped(one, /^SIGABRT/);
  assert.equal((await one.victim.exited).signal, 'SIGABRT');
});

test('V8 out of memory is dumped', async () => {
  const one = await watched('oom', {}, { nodeOptions: ['--max-old-space-size=32'] });
  one.victim.send('out-of-memory');
  await dumped(one, /^SIG(ABRT|TRAP|ILL)/);
  assert.notEqual((await one.victim.exited).signal, null);
});

test('an exit is dumped with its code, by request only', async () => {
  const one = await watched('exit', { faults: 'none', exit: true });
  one.victim.send('exit', { code: 7 });
  await dumped(one, /^the process ends with exit code 7$/);
  assert.equal((await one.victim.exited).code, 7);
  const other = await watched('no-exit', {});
  other.victim.send('exit', { code: 7 });
  assert.deepEqual(await other.end, { happened: 'ended' });
  assert.equal(existsSync(other.file), false);
});

test('a signal that somebody catches is handed on without a dump, and the process does its work while it is held', async () => {
  const abort = new AbortController();
  const one = await watched('harmless', {}, {}, abort.signal);
  await one.victim.do('deaf');
  for (let i = 0; i < 20; i += 1) process.kill(one.victim.pid, 'SIGTERM');
  const { pid } = await one.victim.do('spawn-child');
  assert.ok(startOf(Number(pid)) !== undefined);
  assert.equal((await one.victim.do('leak', { mb: 5 })).did, 'leak');
  abort.abort();
  await assert.rejects(one.end, { code: 'CANCELLED' });
  assert.equal((await one.victim.do('print')).did, 'print');
  assert.deepEqual((await readdir(folder)).filter((name) => name.startsWith('harmless')), []);
});

test('a named signal is dumped although it is caught, and still handed on', async () => {
  const one = await watched('named', { faults: 'none', signals: ['SIGTERM'] });
  await one.victim.do('deaf');
  process.kill(one.victim.pid, 'SIGTERM');
  await dumped(one, /^SIGTERM/);
  assert.equal((await one.victim.do('print')).did, 'print');
});

test('job control still works on a process that is held', async () => {
  const abort = new AbortController();
  const one = await watched('stopped', {}, {}, abort.signal);
  process.kill(one.victim.pid, 'SIGSTOP');
  process.kill(one.victim.pid, 'SIGCONT');
  assert.equal((await one.victim.do('print')).did, 'print');
  abort.abort();
  await assert.rejects(one.end, { code: 'CANCELLED' });
});

test('which signals a process handles is read from its masks', () => {
  const status = 'SigBlk:\t0\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000400\n';
  assert.deepEqual([11, 13, 6].map((signal) => handles(status, signal)), [true, true, false]);
});
