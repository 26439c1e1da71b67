// Owns the reading of minidumps that Windows itself wrote, on Windows (bundled and started by minidump-windows.test.ts).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readDumpFile } from '../../../src/analyze/dump/read-dump.ts';
import { openPlatform } from '../../../src/platform/choose.ts';
import type { DumpKind, Platform } from '../../../src/platform/platform.ts';
import { DumpRead } from '../../../src/shared/dump-read.ts';
import type { ProcessInfo } from '../../../src/shared/model.ts';
import { openSteer, type Steer } from '../../support/windows-steer.ts';
import { waitFor } from '../../support/wait.ts';

const never = new AbortController().signal;
const top = process.env['TOP'] ?? '';
/** Under wine each KiB of a dump goes through its server: 10 to 40 s for one of Node. */
const DUMP_LIMIT_MS = 120_000;
const marks = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: randomBytes(32).toString('hex') };
let platform: Platform;
let steer: Steer;

before(async () => {
  steer = await openSteer();
  platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: { ...process.env, ...marks } });
});
after(() => { platform.close(); steer.close(); });

const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase()).sort();

interface Living { readonly modules: readonly string[]; readonly threads: readonly number[] }
async function living(pid: number): Promise<Living> {
  const [modules, threads] = [await platform.modules(pid, never), await platform.threads(pid, never)];
  return { modules: lower(modules.map((one) => one.path.split(/[\\/]/).at(-1) ?? one.path)), threads: threads.map((one) => one.id).sort((a, b) => a - b) };
}

/** Dumps it and reads the file back; modules and threads are those of the living process, which must have been the same before and after. */
async function compared(info: ProcessInfo, kind: DumpKind): Promise<DumpRead> {
  const file = join(top, `${info.pid}-${kind}.dmp`);
  const { live, made } = await waitFor('a dump of a process that loads nothing meanwhile', async () => {
    const before = await living(info.pid);
    const taken = await platform.dump(info, file, never, kind);
    return JSON.stringify(before) === JSON.stringify(await living(info.pid)) ? { live: before, made: taken } : undefined;
  }, DUMP_LIMIT_MS);
  const read = DumpRead.parse(await readDumpFile(file, { files: true, signal: never }));
  assert.equal(read.format, 'minidump');
  assert.equal(read.bytes, made.bytes);
  assert.deepEqual(lower(read.modules.map((one) => one.name)), live.modules, `${kind}: modules`);
  assert.deepEqual(read.threads.map((one) => one.id).sort((a, b) => a - b), live.threads, `${kind}: threads`);
  assert.ok(read.threads.every((one) => one.frames.length > 0), `${kind}: each thread stands somewhere`);
  return read;
}

async function started(program?: string): Promise<{ info: ProcessInfo; kill(): Promise<void> }> {
  const victim = await steer.victim({ env: { ...marks, SHOP_API_KEY: 'k9-of-the-shop-4711' }, ...(program === undefined ? {} : { program }) });
  return { info: await waitFor(`process ${victim.pid}`, async () => (await platform.processes(never)).find((one) => one.pid === victim.pid)), kill: () => victim.kill() };
}

/** One part a run: each dump may take long under wine. */
const part = process.env['PART'];

if (part === 'mini') test('a mini dump of Node has the modules with versions and the threads of the living process', async () => {
  const { info, kill } = await started();
  const read = await compared(info, 'mini');
  assert.equal(read.process.pid, info.pid);
  assert.equal(read.process.name, 'node.exe');
  assert.match(read.process.system, /^Windows 10\.0\.\d+.*x64$/);
  assert.equal(read.javascript?.understood, false);
  assert.ok(read.modules.some((one) => one.name.toLowerCase() === 'node.exe' && one.version?.startsWith('20.') === true), JSON.stringify(read.modules.slice(0, 3)));
  assert.equal(read.death, undefined);
  await kill();
});

if (part === 'full') test('a full dump has the memory, the variables masked, and stacks by the tables of the modules', async () => {
  const { info, kill } = await started('cmd.exe');
  const read = await compared(info, 'full');
  assert.ok(read.memory.stored > 4 * 2 ** 20, `${read.memory.stored}`);
  assert.deepEqual(read.environment.filter((one) => one.name === 'SHOP_API_KEY'), [{ name: 'SHOP_API_KEY', value: '[masked]', masked: true }]);
  assert.equal(JSON.stringify(read).includes('k9-of-the-shop'), false);
  assert.ok(read.threads.some((one) => one.frames.some((frame) => frame.how === 'rules')), JSON.stringify(read.threads[0]?.frames.slice(0, 5)));
  await kill();
});
