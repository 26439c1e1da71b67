// Owns the tests of `diag dump-read`: what a person sees of a core and of a minidump, the same as JSON, and the exit code of what is no dump.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { DumpRead } from '../../src/shared/dump-read.ts';
import { smallCore, smallMinidump } from '../analyze/dump/small-dumps.ts';
import { diag, withFolder } from './support.ts';

test('a core: why it died, the stack, the memory, the texts; as JSON with the variables masked', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'app.core');
    await writeFile(file, smallCore());
    const ran = await diag(['dump-read', file, '--no-files']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^app 77, Linux, x86-64, ELF core of /);
    assert.match(ran.stdout, /\nDied of SIGSEGV: it used memory that is not its own; nothing is mapped there; a null pointer was followed, address 0x8, in shop::Cart<…>::total \(\[vdso\]\)\.\n/);
    assert.match(ran.stdout, /\n {3}0 shop::Cart<…>::total \(\[vdso\]\)\n {3}1 outer \(\[vdso\]\)\n/);
    assert.match(ran.stdout, /\n {4}1 {2}TypeError: voucher of order 4711 is missing\n/);
    const json = await diag(['dump-read', file, '--no-files', '--json']);
    const read = DumpRead.parse(JSON.parse(json.stdout));
    assert.equal(read.environment.find((one) => one.name === 'SHOP_API_KEY')?.value, '[masked]');
    assert.equal(`${ran.stdout}${json.stdout}`.includes('k9-of-the-shop'), false);
  });
});

test('a minidump: the exception with its meaning, module and offset', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'app.dmp');
    await writeFile(file, smallMinidump());
    const ran = await diag(['dump-read', file, '--threads']);
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^app\.exe 4711, Windows 10\.0\.17763 Service Pack 1, x64, minidump of /);
    assert.match(ran.stdout, /\nDied of access violation: it used memory that is not its own, writing at 0x10; a null pointer was followed, address 0x10, in app\.exe\+0x210\.\n/);
    assert.match(ran.stdout, /\nThread 2 worker\n {3}0 ShopTotal \(app\.exe\)\n/);
  });
});

test('what is no dump could not be read: exit 3, and why', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'x.txt');
    await writeFile(file, 'hello');
    const ran = await diag(['dump-read', file]);
    assert.equal(ran.code, 3);
    assert.match(ran.stderr, /it begins neither as an ELF core nor as a minidump/);
    assert.equal((await diag(['dump-read', join(folder, 'nowhere')])).code, 3);
  });
});
