// Owns the proof of zips: what goes in comes out, what cannot be read is told, and no hostile archive writes a byte where it should not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, open, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createWriteStream } from 'node:fs';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import { openFileDoor, type FileDoor, type Place } from '../../../src/platform/files/index.ts';
import { zipBytes, type ZipPart } from '../../support/hostile-zip.ts';

const NEVER = new AbortController().signal;
let top = '';
let home = '';
let door: FileDoor;
let windows: FileDoor;
const at = (path: string): Place => ({ root: 'home', path });

before(async () => {
  top = await mkdtemp(join(tmpdir(), 'zips-'));
  home = join(top, 'home');
  await mkdir(join(home, 'own'), { recursive: true });
  const settings = { roots: [{ name: 'home', title: 'Home', path: home }], own: { path: join(home, 'own'), readable: [] }, bin: join(home, 'own/bin'), temp: join(top, 'temp'), clock: systemClock };
  door = openFileDoor(settings);
  windows = openFileDoor({ ...settings, rules: 'windows' });
});
after(async () => { await rm(top, { recursive: true, force: true }); });

async function local(bytes: Buffer): Promise<{ local: string }> {
  const path = join(top, `z-${process.hrtime.bigint()}.zip`);
  await writeFile(path, bytes);
  return { local: path };
}

/** Everything below a folder, as path → content. */
async function tree(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return Object.fromEntries(await Promise.all(files.sort().map(async (path) => [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const)));
}

test('a folder goes into a zip and out of it again, names, times and empty folders too', async () => {
  const names = { 'a b/%41#.txt': 'one', 'ü/日本/🎉.txt': 'two', 'deep/er/still/x': 'x'.repeat(300_000), [`${'ü'.repeat(120)}.txt`]: 'long' };
  for (const [path, content] of Object.entries(names)) { await mkdir(join(home, 'in', path, '..'), { recursive: true }); await writeFile(join(home, 'in', path), content); }
  await mkdir(join(home, 'in/empty'));
  const zipping = await door.zip(at('in'), {}, NEVER);
  const file = join(top, 'out.zip');
  await pipeline(zipping.stream, createWriteStream(file));
  assert.deepEqual(await zipping.leftOut, []);
  const progress: number[] = [];
  const done = await door.unzip({ local: file }, at('out'), {}, NEVER, ({ fraction }) => { progress.push(fraction ?? 0); });
  assert.deepEqual([done.files, done.replaced, progress.at(-1)], [4, 0, 1]);
  assert.deepEqual(await tree(join(home, 'out')), await tree(join(home, 'in')));
  assert.deepEqual(await readdir(join(home, 'out/empty')), []);
  const [was, is] = [await door.stat(at('in/a b/%41#.txt')), await door.stat(at('out/a b/%41#.txt'))];
  assert.ok(Math.abs((was.modifiedAt ?? 0) - (is.modifiedAt ?? 0)) < 2_000);
  await writeFile(join(home, 'out/kept.txt'), 'kept');
  assert.equal((await door.unzip({ local: file }, at('out'), {}, NEVER)).replaced, 4);
  assert.equal(await readFile(join(home, 'out/kept.txt'), 'utf8'), 'kept', 'what is not in the zip stays');
  await assert.rejects(door.unzip({ local: file }, at('out'), { existing: 'refuse' }, NEVER), { code: 'ZIP_REFUSED' });
});

test('a zip of links, of our own part and of what cannot be read says what is not in it', async () => {
  await mkdir(join(home, 'part'));
  await writeFile(join(home, 'own/token'), 'secret');
  await writeFile(join(home, 'part/a.txt'), 'a');
  await symlink('/etc/passwd', join(home, 'part/link'));
  execFileSync('mkfifo', [join(home, 'part/fifo')]);
  const { stream, leftOut } = await door.zip(at(''), { manifest: 'what-is-missing.json' }, NEVER);
  const file = join(top, 'part.zip');
  await pipeline(stream, createWriteStream(file));
  const left = (await leftOut).map(({ path, why }) => `${path}: ${why}`);
  assert.ok(left.some((one) => one === 'part/link: a link to /etc/passwd') && left.some((one) => one.startsWith('own')) && left.some((one) => one.startsWith('part/fifo')), left.join('\n'));
  const listed = execFileSync('python3', ['-c', 'import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip());print("\\n".join(z.namelist()));print(z.read("what-is-missing.json").decode())', file], { encoding: 'utf8' });
  assert.match(listed, /^None\n/);
  assert.ok(!listed.split('\n').includes('own/token') && listed.includes('part/a.txt') && listed.includes('a link to /etc/passwd'), listed);
});

const HOSTILE: readonly { name: string; parts: readonly ZipPart[]; code?: string; windowsOnly?: true }[] = [
  { name: 'a way up', parts: [{ name: '../evil.txt', content: 'x' }] },
  { name: 'a way up in the middle', parts: [{ name: 'a/../../evil.txt', content: 'x' }] },
  { name: 'a way up by backslashes', parts: [{ name: '..\\..\\evil.txt', content: 'x' }] },
  { name: 'an absolute name', parts: [{ name: '/etc/evil.txt', content: 'x' }] },
  { name: 'a drive', parts: [{ name: 'C:\\evil.txt', content: 'x' }] },
  { name: 'a share', parts: [{ name: '\\\\server\\share\\evil.txt', content: 'x' }] },
  { name: 'a link', parts: [{ name: 'link', content: '/etc', mode: 0xa1ff, method: 0 }, { name: 'link/evil.txt', content: 'x' }] },
  { name: 'a link alone', parts: [{ name: 'link', content: '/etc/passwd', mode: 0xa1ff, method: 0 }] },
  { name: 'a device', parts: [{ name: 'dev', mode: 0x21ff }] },
  { name: 'a name twice', parts: [{ name: 'a.txt', content: '1' }, { name: 'a.txt', content: '2' }] },
  { name: 'a file that is a folder too', parts: [{ name: 'a', content: '1' }, { name: 'a/b', content: '2' }] },
  { name: 'a folder that is a file too', parts: [{ name: 'a/b', content: '2' }, { name: 'a', content: '1' }] },
  { name: 'encryption', parts: [{ name: 'a.txt', content: 'x', flags: 1 }] },
  { name: 'an unknown packing', parts: [{ name: 'a.txt', content: 'x', method: 14 }] },
  { name: 'a control character', parts: [{ name: 'a\nb.txt', content: 'x' }] },
  { name: 'a NUL', parts: [{ name: 'a.txt\0.png', content: 'x' }] },
  { name: 'a name that is too long', parts: [{ name: 'x'.repeat(300), content: 'x' }] },
  { name: 'no name', parts: [{ name: '', content: 'x' }] },
  { name: 'a folder with content', parts: [{ name: 'a/', content: 'x' }] },
  { name: 'more than 4 GiB in a few bytes', parts: [{ name: 'big', content: 'x'.repeat(1_000), saysSize: 5 * 1024 ** 3, zip64: true }] },
  { name: 'more than everything', parts: [{ name: 'big', content: 'x', saysSize: 2 ** 50, zip64: true }] },
  { name: 'a flat bomb', parts: [{ name: 'a', content: Buffer.alloc(80 * 1024 * 1024) }] },
  { name: 'a bomb of entries over one another', parts: [{ name: 'k0', content: Buffer.alloc(3_000_000) }, ...Array.from({ length: 60 }, (_, i) => ({ name: `k${i + 1}`, content: Buffer.alloc(3_000_000), over: 0 }))] },
  { name: 'something of the agent', parts: [{ name: 'own/token', content: 'mine' }] },
  { name: 'a device of Windows', parts: [{ name: 'NUL.txt', content: 'x' }], windowsOnly: true },
  { name: 'a device of Windows with a space', parts: [{ name: 'com1 .log', content: 'x' }], windowsOnly: true },
  { name: 'a stream', parts: [{ name: 'a.txt:evil', content: 'x' }], windowsOnly: true },
  { name: 'a short name', parts: [{ name: 'PROGRA~1/x', content: 'x' }], windowsOnly: true },
  { name: 'a dot at the end', parts: [{ name: 'web.config.', content: 'x' }], windowsOnly: true },
  { name: 'names that differ in case', parts: [{ name: 'a.txt', content: '1' }, { name: 'A.TXT', content: '2' }], windowsOnly: true },
];

test('each hostile zip is refused before anything is written', async (t) => {
  for (const { name, parts, code, windowsOnly } of HOSTILE) {
    await t.test(name, async () => {
      const before = await tree(top);
      const source = await local(zipBytes(parts));
      await assert.rejects((windowsOnly ? windows : door).unzip(source, at(''), {}, NEVER), (error: Error & { code?: string }) => {
        assert.equal(error.code, code ?? 'ZIP_REFUSED', error.message);
        assert.ok(!/[\n\0]/.test(error.message));
        return true;
      });
      await rm(source.local);
      assert.deepEqual(await tree(top), before);
    });
  }
});

test('what is no zip, or a torn one, is told as such', async () => {
  const whole = zipBytes([{ name: 'a.txt', content: 'x'.repeat(10_000), method: 0 }]);
  const torn = Buffer.from(whole);
  torn.write('garbage', whole.length - 60);
  for (const bytes of [Buffer.from('no zip at all'), Buffer.alloc(0), whole.subarray(0, 5_000), torn]) {
    await assert.rejects(door.unzip(await local(bytes), at('torn'), {}, NEVER), { code: 'ZIP_UNREADABLE' });
  }
  assert.deepEqual(await tree(join(home, 'torn')), {}, 'what is damaged is not there');
});

test('an entry that gives more than it said is stopped, and its half is not there', async () => {
  const source = await local(zipBytes([{ name: 'first.txt', content: 'first' }, { name: 'liar.txt', content: 'x'.repeat(5_000), saysSize: 10 }]));
  await assert.rejects(door.unzip(source, at('lie'), {}, NEVER), { code: 'ZIP_UNREADABLE' });
  assert.deepEqual(await tree(join(home, 'lie')), { 'first.txt': 'first' });
});

test('zip64 is read, and what lies in the way is not walked through', async () => {
  assert.equal((await door.unzip(await local(zipBytes([{ name: 'a.txt', content: 'sixty-four', zip64: true }])), at('z64'), {}, NEVER)).bytes, 10);
  await mkdir(join(home, 'way/folder'), { recursive: true });
  await symlink(top, join(home, 'way/link'));
  const cases: readonly ZipPart[] = [{ name: 'link/evil.txt', content: 'x' }, { name: 'link', content: 'x' }, { name: 'folder', content: 'x' }];
  for (const part of cases) await assert.rejects(door.unzip(await local(zipBytes([{ name: 'good.txt', content: 'x' }, part])), at('way'), {}, NEVER), { code: 'ZIP_REFUSED' }, part.name);
  assert.deepEqual((await readdir(join(home, 'way'))).sort(), ['folder', 'link']);
});

test('a zip that lies below a root is unpacked through the door, and one that does not is not', async () => {
  await door.write(at('pack.zip'), zipBytes([{ name: 'p.txt', content: 'p' }]), {}, NEVER);
  assert.equal((await door.unzip(at('pack.zip'), at('packed'), {}, NEVER)).files, 1);
  await symlink(join(top, 'out.zip'), join(home, 'linked.zip'));
  await assert.rejects(door.unzip(at('linked.zip'), at('packed'), {}, NEVER), { code: 'PATH_LINK' });
});

test('a cancelled zip or unzip ends, and leaves nothing half written', async () => {
  const file = await open(join(home, 'huge.bin'), 'w');
  await file.truncate(50_000_000);
  await file.close();
  const end = new AbortController();
  const { stream, leftOut } = await door.zip(at(''), {}, end.signal);
  stream.on('error', () => undefined);
  stream.once('data', () => { end.abort(); });
  await assert.rejects(leftOut, { name: 'AbortError' });
  await rm(join(home, 'huge.bin'));
  await chmod(home, 0o755);
  const stop = new AbortController();
  const many = await local(zipBytes(Array.from({ length: 50 }, (_, i) => ({ name: `f${i}`, content: `${i}` }))));
  await assert.rejects(door.unzip(many, at('many'), {}, stop.signal, ({ files }) => { if (files === 10) stop.abort(); }), { name: 'AbortError' });
  assert.equal((await readdir(join(home, 'many'))).length, 10);
});
