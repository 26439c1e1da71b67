// Owns the proof of the file door on this system's own disk: every deed, every refusal, and what must stay as it was.
import assert from 'node:assert/strict';
import { chmod, link, lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import { openFileDoor, type FileDoor, type Place } from '../../../src/platform/files/index.ts';

const NEVER = new AbortController().signal;
let top = '';
let home = '';
let door: FileDoor;
const at = (path: string): Place => ({ root: 'home', path });
const refused = (code: string) => (error: unknown): boolean => { assert.equal((error as { code?: string }).code, code, String(error)); return true; };
const text = async (path: string): Promise<string> => readFile(join(home, path), 'utf8');
const lay = async (path: string, content = path): Promise<void> => { await mkdir(join(home, path, '..'), { recursive: true }); await writeFile(join(home, path), content); };

before(async () => {
  top = await mkdtemp(join(tmpdir(), 'door-'));
  home = join(top, 'home');
  const own = join(home, 'data/DaaS/diag');
  await mkdir(join(own, 'logs'), { recursive: true });
  await mkdir(join(home, 'site/wwwroot'), { recursive: true });
  await writeFile(join(own, 'token'), 'secret');
  await writeFile(join(own, 'logs', 'agent.log'), 'line\n');
  await writeFile(join(top, 'outside.txt'), 'outside');
  door = openFileDoor({
    roots: [{ name: 'home', title: 'Home', path: home }, { name: 'app', title: 'App', path: join(home, 'site/wwwroot') }],
    own: { path: own, readable: ['logs'] }, bin: join(own, 'bin'), temp: join(top, 'temp'), clock: systemClock,
    binLimits: { totalBytes: 10_000, items: 5, keptMs: 60_000, files: 50 },
  });
});
after(async () => { await rm(top, { recursive: true, force: true }); });

const NAMES = ['with space.txt', '100%.txt', '%41.txt', '#hash.txt', 'Grüße.txt', '日本語.txt', '🎉.txt', '-rf', '~', 'a;b&c', `${'x'.repeat(251)}.txt`, `${'ü'.repeat(127)}`, "quote'\".txt", '$HOME', '.hidden'];
test('every name that the disk takes can be written, listed, read and deleted', async () => {
  for (const name of NAMES) {
    const written = await door.write(at(`names/${name}`), Buffer.from(name), { parents: true }, NEVER);
    assert.equal(written.created, true, name);
    const file = await door.open(at(`names/${name}`));
    assert.equal(String(await buffer(file.stream())), name);
  }
  const { names, more } = await door.names(at('names'), NEVER);
  assert.deepEqual([names.map((one) => one.name), more], [[...NAMES].sort(), false]);
  const entries = await door.entries(at('names'), NAMES, NEVER);
  assert.deepEqual(entries.map((one) => one.name), NAMES);
  for (const name of NAMES) await door.remove(at(`names/${name}`), { mode: 'forever' }, NEVER);
  assert.deepEqual(await readdir(join(home, 'names')), []);
});

test('a write is whole or not at all, over the version that was meant, and keeps the rights', async () => {
  await lay('edit.txt', 'one');
  await chmod(join(home, 'edit.txt'), 0o640);
  const first = await door.stat(at('edit.txt'));
  const second = await door.write(at('edit.txt'), Readable.from([Buffer.from('two')]), { ifMatch: first.etag! }, NEVER);
  assert.equal(second.created, false);
  assert.equal((await stat(join(home, 'edit.txt'))).mode & 0o777, 0o640);
  await assert.rejects(door.write(at('edit.txt'), Buffer.from('three'), { ifMatch: first.etag! }, NEVER), refused('FILE_CHANGED'));
  await assert.rejects(door.write(at('gone.txt'), Buffer.from('x'), { ifMatch: '*' }, NEVER), refused('FILE_CHANGED'));
  await assert.rejects(door.write(at('edit.txt'), Buffer.from('x'), { onlyNew: true }, NEVER), refused('FILE_EXISTS'));
  await assert.rejects(door.write(at('edit.txt'), Readable.from([Buffer.alloc(10), Buffer.alloc(10)]), { maxBytes: 15 }, NEVER), refused('BODY_TOO_LARGE'));
  const broken = Readable.from((async function* () { yield Buffer.from('half'); throw new Error('the line broke'); })());
  await assert.rejects(door.write(at('edit.txt'), broken, {}, NEVER), /the line broke/);
  assert.equal(await text('edit.txt'), 'two');
  await assert.rejects(door.write(at('site'), Buffer.from('x'), {}, NEVER), refused('FILE_KIND'));
  assert.deepEqual((await readdir(home)).filter((name) => name.endsWith('.tmp')), []);
});

test('of two writers over the same version one wins and the other is told', async () => {
  await lay('race.txt', 'start');
  const { etag } = await door.stat(at('race.txt'));
  const both = await Promise.allSettled(['aaaa', 'bbbbb'].map((content) => door.write(at('race.txt'), Buffer.from(content), { ifMatch: etag! }, NEVER)));
  assert.deepEqual(both.map((one) => one.status).sort(), ['fulfilled', 'rejected']);
});

test('an open file is read by windows, and stays the one that was opened', async () => {
  await lay('log.txt', '0123456789');
  const file = await door.open(at('log.txt'));
  await door.write(at('log.txt'), Buffer.from('other'), {}, NEVER);
  assert.equal(String(await file.read(3, 4)), '3456');
  assert.equal(String(await file.read(8, 100)), '89');
  assert.equal(String(await buffer(file.stream({ start: 2, end: 3 }))), '23');
  await file.close();
});

test('through a link nothing is reached, whatever it leads to', async () => {
  await lay('real/in.txt', 'in');
  await symlink(top, join(home, 'out'));
  await symlink(join(home, 'real'), join(home, 'inside'));
  await symlink(join(top, 'outside.txt'), join(home, 'out.txt'));
  await symlink('/nowhere', join(home, 'dangling'));
  const { names } = await door.names(at(''), NEVER);
  assert.deepEqual(names.filter((one) => one.kind === 'link').map((one) => one.name), ['dangling', 'inside', 'out', 'out.txt']);
  assert.deepEqual((await door.stat(at('out.txt'))).target, join(top, 'outside.txt'));
  const through = [at('out/outside.txt'), at('inside/in.txt'), at('out.txt'), at('out/temp/x'), at('dangling')];
  for (const place of through) {
    await assert.rejects(door.open(place), refused('PATH_LINK'), place.path);
    await assert.rejects(door.write(place, Buffer.from('hacked'), { parents: true }, NEVER), refused('PATH_LINK'), place.path);
  }
  for (const path of ['out', 'inside']) await assert.rejects(door.names(at(path), NEVER), refused('PATH_LINK'));
  await assert.rejects(door.move(at('real'), at('out/real'), {}, NEVER), refused('PATH_LINK'));
  await assert.rejects(door.remove(at('out/outside.txt'), { mode: 'forever' }, NEVER), refused('PATH_LINK'));
  await assert.rejects(door.copy(at('out.txt'), at('copied.txt'), NEVER), refused('PATH_LINK'));
  // A link itself may be removed: it goes, what it leads to stays.
  await door.remove(at('out'), { mode: 'forever', recursive: true }, NEVER);
  await door.remove(at('inside'), { mode: 'forever', recursive: true }, NEVER);
  assert.equal(await readFile(join(top, 'outside.txt'), 'utf8'), 'outside');
  assert.equal(await text('real/in.txt'), 'in');
  for (const name of ['out.txt', 'dangling']) await rm(join(home, name));
});

test('a root that lies behind a link is still a root', async () => {
  await symlink(home, join(top, 'linked-home'));
  const other = openFileDoor({ roots: [{ name: 'home', title: 'Home', path: join(top, 'linked-home') }], own: { path: join(top, 'linked-home/data/DaaS/diag'), readable: [] }, bin: join(top, 'other-bin'), temp: join(top, 'temp'), clock: systemClock });
  assert.equal((await other.stat(at('site'))).kind, 'folder');
  await assert.rejects(other.open(at('data/DaaS/diag/token')), refused('FILE_PRIVATE'));
});

test('what is the agent\'s own is neither read nor changed, moved or removed with what is above it', async () => {
  for (const path of ['data/DaaS/diag/token', 'data/daas/DIAG/TOKEN']) await assert.rejects(door.open(at(path)), refused('FILE_PRIVATE'));
  await assert.rejects(door.write(at('data/DaaS/diag/token'), Buffer.from('mine'), {}, NEVER), refused('FILE_PRIVATE'));
  await assert.rejects(door.write(at('data/DaaS/diag/logs/agent.log'), Buffer.from('mine'), {}, NEVER), refused('FILE_PRIVATE'));
  for (const path of ['data', 'data/DaaS', 'data/DaaS/diag']) {
    await assert.rejects(door.remove(at(path), { mode: 'forever', recursive: true }, NEVER), refused('FILE_PRIVATE'));
    await assert.rejects(door.move(at(path), at('elsewhere'), {}, NEVER), refused('FILE_PRIVATE'));
  }
  const log = await door.open(at('data/DaaS/diag/logs/agent.log'));
  assert.equal(String(await buffer(log.stream())), 'line\n');
  const entries = await door.entries(at('data/DaaS/diag'), ['logs', 'token'], NEVER);
  assert.deepEqual(entries.map(({ name, closed }) => [name, closed]), [['logs', undefined], ['token', 'it belongs to this agent']]);
});

test('folders are made, things renamed, moved and copied, and nothing is lost under a taken name', async () => {
  assert.deepEqual(await door.makeFolder(at('m/a/b'), { parents: true }), { created: true });
  assert.deepEqual(await door.makeFolder(at('m/a/b'), { parents: true }), { created: false });
  await assert.rejects(door.makeFolder(at('m/a/b')), refused('FILE_EXISTS'));
  await assert.rejects(door.makeFolder(at('m/none/b')), refused('FILE_UNKNOWN'));
  await lay('m/a/b/f.txt', 'f');
  await lay('m/other.txt', 'other');
  await assert.rejects(door.move(at('m/a/b/f.txt'), at('m/other.txt'), {}, NEVER), refused('FILE_EXISTS'));
  await assert.rejects(door.move(at('m'), at('m/a/m'), {}, NEVER), refused('PATH_REFUSED'));
  await door.move(at('m/a/b'), { root: 'app', path: 'b' }, {}, NEVER);
  assert.equal(await text('site/wwwroot/b/f.txt'), 'f');
  await symlink('/etc', join(home, 'm/link'));
  const copied = await door.copy(at('m'), at('m2'), NEVER);
  assert.deepEqual([copied.files, copied.leftOut.map((one) => one.path)], [1, ['link']]);
  assert.equal(await text('m2/other.txt'), 'other');
  await assert.rejects(door.copy(at('m'), at('m2'), NEVER), refused('FILE_EXISTS'));
  await door.move(at('m/other.txt'), at('m2/other.txt'), { replace: true }, NEVER);
});

test('what is deleted can be brought back, within bounds; what cannot says so before it is gone', async () => {
  await lay('bin/one/a.txt', 'aaa');
  await lay('bin/one/b/c.txt', 'ccc');
  await assert.rejects(door.remove(at('bin/one'), { mode: 'undo' }, NEVER), refused('FOLDER_NOT_EMPTY'));
  const { undo } = await door.remove(at('bin/one'), { mode: 'undo', recursive: true }, NEVER);
  assert.deepEqual((await door.bin()).map(({ path, kind, bytes, files }) => ({ path, kind, bytes, files })), [{ path: 'bin/one', kind: 'folder', bytes: 6, files: 3 }]);
  await lay('bin/one', 'something else');
  await assert.rejects(door.restore(undo!), refused('FILE_EXISTS'));
  await rm(join(home, 'bin'), { recursive: true });
  await door.restore(undo!);
  assert.deepEqual([await text('bin/one/a.txt'), await text('bin/one/b/c.txt'), await door.bin()], ['aaa', 'ccc', []]);
  await assert.rejects(door.restore(undo!), refused('UNDO_UNKNOWN'));
  await assert.rejects(door.restore('../../x'), refused('UNDO_UNKNOWN'));
  await lay('bin/large.bin', 'x'.repeat(20_000));
  await assert.rejects(door.remove(at('bin/large.bin'), { mode: 'undo' }, NEVER), refused('UNDO_IMPOSSIBLE'));
  assert.equal((await lstat(join(home, 'bin/large.bin'))).size, 20_000);
  assert.match((await door.remove(at('bin/large.bin'), { mode: 'try' }, NEVER)).why!, /make room/);
  for (let i = 0; i < 8; i += 1) { await lay(`bin/f${i}`, 'x'.repeat(1_500)); await door.remove(at(`bin/f${i}`), { mode: 'undo' }, NEVER); }
  assert.equal((await door.bin()).length, 5);
  assert.equal(await door.emptyBin(), 7_500);
  assert.deepEqual(await door.bin(), []);
});

test('the use of a disk is summed by folder, the agent\'s own and links left out', async () => {
  await lay('use/a/1.bin', 'x'.repeat(1_000));
  await lay('use/a/deep/er/2.bin', 'x'.repeat(500));
  await lay('use/3.bin', 'x'.repeat(10));
  await symlink('/', join(home, 'use/root'));
  const { bytes, files, folders, largest, links, whole } = await door.use(at('use'), NEVER);
  assert.deepEqual([bytes, files, links, whole, folders.map((one) => [one.path, one.bytes]), largest.map(({ path }) => path)], [1_510, 3, 1, true, [['a', 1_500], ['a/deep', 500], ['a/deep/er', 500]], ['a/1.bin', 'a/deep/er/2.bin', '3.bin']]);
  await assert.rejects(door.use(at('use'), AbortSignal.abort()), { name: 'AbortError' });
});

test('devices, pipes and sockets are seen and never opened; two names of one file are two files', async () => {
  const { execFileSync } = await import('node:child_process');
  execFileSync('mkfifo', [join(home, 'fifo')]);
  assert.equal((await door.stat(at('fifo'))).kind, 'other');
  await assert.rejects(door.open(at('fifo')), refused('FILE_KIND'));
  await rm(join(home, 'fifo'));
  await lay('hard.txt', 'one');
  await link(join(home, 'hard.txt'), join(home, 'hard2.txt'));
  await door.write(at('hard2.txt'), Buffer.from('two'), {}, NEVER);
  assert.deepEqual([await text('hard.txt'), await text('hard2.txt')], ['one', 'two']);
});

test('a version changes with each write, and not with reading', async () => {
  await lay('v.txt', 'a');
  const first = await door.stat(at('v.txt'));
  await (await door.open(at('v.txt'))).close();
  assert.equal((await door.stat(at('v.txt'))).etag, first.etag);
  await utimes(join(home, 'v.txt'), 1_700_000_000, 1_700_000_000);
  assert.notEqual((await door.stat(at('v.txt'))).etag, first.etag);
});

test('what is not there, of another kind or of no root is told in words', async () => {
  await lay('k.txt');
  await assert.rejects(door.open(at('nothing/here')), refused('FILE_UNKNOWN'));
  await assert.rejects(door.open(at('k.txt/below')), refused('FILE_KIND'));
  await assert.rejects(door.open(at('site')), refused('FILE_KIND'));
  await assert.rejects(door.names(at('k.txt'), NEVER), refused('FILE_KIND'));
  await assert.rejects(door.stat({ root: 'other', path: '' }), refused('ROOT_UNKNOWN'));
  await assert.rejects(door.stat(at('../outside.txt')), refused('PATH_REFUSED'));
  await assert.rejects(door.remove(at(''), { mode: 'forever', recursive: true }, NEVER), refused('PATH_REFUSED'));
});
