// Owns what only the door to Windows does, tested on Windows (bundled and started by windows.test.ts).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPlatform } from '../../src/platform/choose.ts';
import type { Platform, Usage } from '../../src/platform/platform.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { instantOf } from '../../src/platform/parse/nt-processes.ts';
import { openWin32 } from '../../src/platform/windows/win32.ts';
import { openSteer, type Steer, type WindowsVictim } from '../support/windows-steer.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
const top = process.env['TOP'] ?? '';
const marks = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: randomBytes(32).toString('hex') };
let platform: Platform;
let steer: Steer;

before(async () => {
  steer = await openSteer();
  platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: { ...process.env, ...marks } });
});
after(() => { platform.close(); steer.close(); });

async function start(program?: string): Promise<{ victim: WindowsVictim; info: ProcessInfo }> {
  const victim = await steer.victim({ env: { ...marks, 'Ünï': 'wert "x" = y', PORT: '80' }, ...(program === undefined ? {} : { program }) });
  return { victim, info: await waitFor(`process ${victim.pid}`, async () => (await platform.processes(never)).find((one) => one.pid === victim.pid)) };
}

const usageOf = async (pid: number): Promise<Required<Usage>> => (await platform.usage([pid], never)).get(pid) as Required<Usage>;

test('a process is shown with path, command line, user and bitness, and its variables can be read', async () => {
  const { victim, info } = await start();
  assert.equal(info.path?.toLowerCase(), process.execPath.toLowerCase());
  assert.equal(info.name, 'node.exe');
  assert.match(info.commandLine ?? '', /victim\.mjs/);
  assert.match(info.user ?? '', /\S/);
  assert.equal(info.bits, 64);
  assert.equal(info.role, 'worker');
  assert.ok(Math.abs(info.startedAt - Date.now()) < 60_000);
  assert.equal((await platform.environment(victim.pid, never)).find(({ name }) => name === 'Ünï')?.value, 'wert "x" = y');
  await victim.kill();
});

test('usage follows what the process does', async () => {
  const { victim } = await start();
  const before = await usageOf(victim.pid);
  await victim.do('leak', { mb: 64, buffers: true });
  await victim.do('burn', { ms: 400 });
  const now = await usageOf(victim.pid);
  assert.ok(now.workingSetBytes - before.workingSetBytes > 60 * 2 ** 20);
  assert.ok(now.privateBytes - before.privateBytes > 60 * 2 ** 20);
  assert.ok(now.cpuMs > before.cpuMs);
  assert.equal(now.threads, (await platform.threads(victim.pid, never)).length);
  await victim.kill();
});

test('the list is the same array as long as nothing changed', async () => {
  const { victim } = await start();
  await waitFor('a quiet moment', async () => await platform.processes(never) === await platform.processes(never));
  await victim.kill();
});

test('a cancelled dump leaves no file and no stopped thread', async () => {
  const { victim, info } = await start();
  const cancel = new AbortController();
  const file = join(platform.host.folders.temp, 'cancelled.dmp');
  const win32 = await openWin32();
  const stops = async (): Promise<number> => (await platform.threads(victim.pid, never)).reduce((sum, { id }) => sum + win32.threadStops(id), 0);
  // A dump is short here: one that was over before it was seen at work is taken again.
  const caught = await waitFor('a dump to be seen while it stops the threads', async () => {
    let over = false;
    const dump = platform.dump(info, file, cancel.signal).finally(() => { over = true; });
    dump.catch(() => undefined);
    while (await stops() === 0 && !over) await new Promise(setImmediate);
    if (!over) return { dump };
    await dump;
    await rm(file);
    return undefined;
  });
  cancel.abort();
  await assert.rejects(caught.dump, { code: 'CANCELLED' });
  assert.equal(await stops(), 0);
  assert.deepEqual((await platform.processes(never)).filter((one) => one.parent === process.pid && one.commandLine?.includes('windows-dump')), []);
  assert.deepEqual((await readdir(platform.host.folders.temp)).filter((name) => name.startsWith('cancelled')), []);
  assert.equal((await victim.do('print', { text: 'alive' }))['did'], 'print');
  await victim.kill();
});

test('a process that ended is another one than a younger one with its number', async () => {
  const { victim, info } = await start('cmd.exe');
  const win32 = await openWin32();
  const handle = win32.openProcess(0x1000, victim.pid);
  assert.equal(instantOf(win32.createdAt(handle)), info.startedAt, 'both calls tell the same start');
  win32.close(handle);
  await assert.rejects(platform.end({ ...info, startedAt: info.startedAt - 1 }, 0, never), { code: 'PROCESS_REUSED' });
  await platform.end(info, 0, never);
  await assert.rejects(platform.end(info, 0, never), { code: 'PROCESS_GONE' });
  await victim.kill();
});

test('every refusal names the call and what Windows said', async () => {
  const win32 = await openWin32();
  assert.throws(() => win32.openProcess(0x1000, 0xffff_fff0), { message: 'OpenProcess: ERROR_INVALID_PARAMETER (87)' });
  assert.throws(() => { win32.readMemory(0x7ffc, 4096, Buffer.alloc(8)); }, { message: /^ReadProcessMemory: ERROR_INVALID_HANDLE \(6\)$/ });
  await assert.rejects(platform.modules(0xffff_fff0, never), { code: 'PROCESS_GONE' });
});

test('a dump that cannot be written says which call failed', async () => {
  const { victim, info } = await start('cmd.exe');
  await assert.rejects(platform.dump(info, join(top, 'no-folder', 'x.dmp'), never, 'mini'), { code: 'DUMP_FAILED', message: /CreateFileW: ERROR_PATH_NOT_FOUND \(3\)/ });
  await victim.kill();
});

test('the counters of the site are read anew each time', async () => {
  const env = { ...process.env, ...marks, WEBSITE_COUNTERS_ALL: '' } as Record<string, string | undefined>;
  const own = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env });
  assert.deepEqual(own.counters(), []);
  env['WEBSITE_COUNTERS_ALL'] = '{"app":{"processes":3,"processLimit":32}}}';
  assert.deepEqual(own.counters(), [{ group: 'app', name: 'processes', value: 3, limit: 32 }]);
  env['WEBSITE_COUNTERS_ALL'] = '{"app":{"processes":4,"processLimit":0}}';
  assert.deepEqual(own.counters(), [{ group: 'app', name: 'processes', value: 4 }]);
  own.close();
});

test('a dump is whole or refused', async () => {
  const { checkDump } = await import('../../src/platform/windows/dump.ts');
  const file = join(top, 'broken.dmp');
  for (const content of [Buffer.alloc(0), Buffer.from('MDMP'), Buffer.alloc(4096), Buffer.from('4d444d5093a7000001000000200000000000000000000000000000000000000003000000ff00000020000000', 'hex')]) {
    await writeFile(file, content);
    await assert.rejects(checkDump(1, file), /minidump|cut/);
  }
});

test('the worker\'s own ProcDump is asked where ours has no program, and judged by its file', async () => {
  const { takeMinidump } = await import('../../src/platform/windows/dump.ts');
  const { findProcdump } = await import('../../src/platform/windows/procdump.ts');
  // ProcDump itself may not be shipped: in its place stands node.exe, which is told what to write by the options that it reads.
  const drive = join(top, 'system');
  const folder = join(`${drive}\\`, 'devtools', 'sysinternals');
  await mkdir(folder, { recursive: true });
  const env = { ...process.env, SystemDrive: drive };
  assert.equal(findProcdump(env, 64), undefined);
  await copyFile(process.execPath, join(folder, 'procdump64.exe'));
  const found = findProcdump(env, 64);
  assert.deepEqual(found?.args(4711, 'mini-plus', 'd:\\x y.dmp'), ['-accepteula', '-mp', '4711', 'd:\\x y.dmp']);
  const { victim, info } = await start('cmd.exe');
  const threads = { stops: () => new Map<number, number>(), letGo: async () => undefined };
  const request = { target: { ...info, bits: 64 as const }, kind: 'mini' as const, file: join(top, 'by-procdump.dmp'), env, threads, program: join(top, 'not-there.js') };
  await assert.rejects(takeMinidump(request, never), { code: 'DUMP_FAILED', message: /procdump64\.exe wrote no file: .*bad option: -mm/ });
  await victim.kill();
});
