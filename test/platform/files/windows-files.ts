// Owns what is proven of the file door under the Windows Node: names, refusals, versions, junctions, the bin and zips; run by windows.test.ts.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import { openFileDoor, ownRules, type FileDoor, type Place } from '../../../src/platform/files/index.ts';
import { zipBytes } from '../../support/hostile-zip.ts';

const NEVER = new AbortController().signal;
const at = (path: string): Place => ({ root: 'home', path });
let top = '';
let home = '';
let door: FileDoor;

before(async () => {
  top = await mkdtemp(join(tmpdir(), 'files-'));
  home = join(top, 'home');
  await mkdir(join(home, 'own'), { recursive: true });
  await writeFile(join(home, 'own', 'token'), 'secret');
  await mkdir(join(top, 'outside'));
  await writeFile(join(top, 'outside', 'in.txt'), 'outside');
  door = openFileDoor({ roots: [{ name: 'home', title: 'Home', path: home }], own: { path: join(home, 'own'), readable: [] }, bin: join(home, 'own', 'bin'), temp: join(top, 'temp'), clock: systemClock });
});
after(async () => { await rm(top, { recursive: true, force: true }); });

const NAMES = ['with space.txt', '100%.txt', '%41.txt', '#hash.txt', 'Grüße.txt', '日本語.txt', '🎉.txt', '-rf', '~$lock.docx', 'a;b&c', `${'x'.repeat(180)}.txt`, '.hidden', 'com10.txt', 'nullable.cs'];
test('every name that Windows takes can be written, listed, read and deleted', async () => {
  assert.equal(ownRules(), 'windows');
  for (const name of NAMES) {
    await door.write(at(`names/${name}`), Buffer.from(name), { parents: true }, NEVER);
    assert.equal(String(await buffer((await door.open(at(`names/${name}`))).stream())), name);
  }
  assert.deepEqual((await door.names(at('names'), NEVER)).names.map((one) => one.name), [...NAMES].sort());
  for (const name of NAMES) await door.remove(at(`names/${name}`), { mode: 'forever' }, NEVER);
  assert.deepEqual(await readdir(join(home, 'names')), []);
});

const BAD = ['..', '../outside/in.txt', '..\\outside\\in.txt', 'names\\x', 'C:/Windows/win.ini', 'C:', '//server/share/x', '\\\\?\\C:\\x', 'CON', 'nul.txt', 'COM1', 'aux ', 'NUL .txt', 'a.txt:stream', 'own/token::$DATA', 'own.', 'own ', 'OWN~1', 'names/PROGRA~1', 'x\0y', 'x\ny', 'a?b'];
test('what leads out or names a device, a stream or a short name is refused, and nothing is made of it', async () => {
  for (const path of BAD) {
    await assert.rejects(door.open(at(path)), { code: 'PATH_REFUSED' }, path);
    await assert.rejects(door.write(at(path), Buffer.from('x'), { parents: true }, NEVER), { code: 'PATH_REFUSED' }, path);
  }
  assert.deepEqual((await readdir(home)).sort(), ['names', 'own']);
  for (const path of ['own/token', 'OWN/TOKEN', 'Own/Token']) await assert.rejects(door.open(at(path)), { code: 'FILE_PRIVATE' }, path);
});

test('a write keeps to the version that was meant, and replaces what is open for reading', async () => {
  const made = await door.write(at('v.txt'), Buffer.from('one'), {}, NEVER);
  const second = await door.write(at('v.txt'), Buffer.from('two'), { ifMatch: made.etag }, NEVER);
  assert.notEqual(second.etag, made.etag);
  await assert.rejects(door.write(at('v.txt'), Buffer.from('three'), { ifMatch: made.etag }, NEVER), { code: 'FILE_CHANGED' });
  assert.equal(await readFile(join(home, 'v.txt'), 'utf8'), 'two');
  await door.move(at('v.txt'), at('V.TXT'), {}, NEVER);
  // Wine keeps the old case of a name, Windows takes the new one; it is one file either way.
  assert.equal((await readdir(home)).filter((name) => /^v\.txt$/i.test(name)).length, 1);
  assert.equal(await readFile(join(home, 'V.TXT'), 'utf8'), 'two');
});

test('through a junction nothing is reached, and it goes without what it leads to', async (t) => {
  try {
    await symlink(join(top, 'outside'), join(home, 'junction'), 'junction');
  } catch (error) {
    t.skip(`no junctions here: ${String(error)}`);
    return;
  }
  assert.equal((await door.stat(at('junction'))).kind, 'link');
  await assert.rejects(door.open(at('junction/in.txt')), { code: 'PATH_LINK' });
  await assert.rejects(door.write(at('junction/new.txt'), Buffer.from('x'), {}, NEVER), { code: 'PATH_LINK' });
  await assert.rejects(door.names(at('junction'), NEVER), { code: 'PATH_LINK' });
  await door.remove(at('junction'), { mode: 'forever', recursive: true }, NEVER);
  assert.equal(await readFile(join(top, 'outside', 'in.txt'), 'utf8'), 'outside');
});

test('what is deleted comes back, and zips go in and out', async () => {
  await door.write(at('tree/a b/ü.txt'), Buffer.from('ü'), { parents: true }, NEVER);
  const { undo } = await door.remove(at('tree'), { mode: 'undo', recursive: true }, NEVER);
  await door.restore(undo!);
  const zipping = await door.zip(at('tree'), {}, NEVER);
  await pipeline(zipping.stream, createWriteStream(join(top, 'tree.zip')));
  assert.deepEqual(await zipping.leftOut, []);
  assert.equal((await door.unzip({ local: join(top, 'tree.zip') }, at('again'), {}, NEVER)).files, 1);
  assert.equal(await readFile(join(home, 'again', 'a b', 'ü.txt'), 'utf8'), 'ü');
  for (const parts of [[{ name: 'NUL.txt', content: 'x' }], [{ name: 'a.txt', content: '1' }, { name: 'A.TXT', content: '2' }], [{ name: '..\\..\\x.txt', content: 'x' }], [{ name: 'x.txt:evil', content: 'x' }]]) {
    await writeFile(join(top, 'bad.zip'), zipBytes(parts));
    await assert.rejects(door.unzip({ local: join(top, 'bad.zip') }, at('bad'), {}, NEVER), { code: 'ZIP_REFUSED' }, parts[0]?.name);
  }
  await assert.rejects(door.stat(at('bad')), { code: 'FILE_UNKNOWN' });
});
