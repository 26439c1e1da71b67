// Owns the proof that files come whole or not at all.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { codeIn, moveInto, namesIn, removeStale, writeAtomic } from '../../src/store/atomic.ts';

/** A folder of memory: another device than the temp folder on Linux. */
const SHM = '/dev/shm';
const acrossDisks = existsSync(SHM) ? {} : { skip: 'there is no second disk here' };

async function folder(t: TestContext, where = tmpdir()): Promise<string> {
  const path = await mkdtemp(join(where, 'atomic-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('a file is written with its folder, replaced, and leaves nothing beside it', async (t) => {
  const top = await folder(t);
  const path = join(top, 'a', 'b', 'x.json');
  await writeAtomic(path, 'one');
  await writeAtomic(path, Buffer.from('two'));
  assert.equal(await readFile(path, 'utf8'), 'two');
  assert.deepEqual(await readdir(join(top, 'a', 'b')), ['x.json']);
});

test('a reader sees the old or the new content, never a part', async (t) => {
  const path = join(await folder(t), 'x');
  const contents = ['a', 'b'].map((letter) => letter.repeat(300_000));
  await writeAtomic(path, contents[0] ?? '');
  let writing = true;
  const writer = (async () => { for (let i = 0; i < 30; i += 1) await writeAtomic(path, contents[i % 2] ?? ''); writing = false; })();
  while (writing) assert.ok(contents.includes(await readFile(path, 'utf8')));
  await writer;
});

test('a failure leaves the old content and no temp file', async (t) => {
  const top = await folder(t);
  await mkdir(join(top, 'taken', 'full'), { recursive: true });
  await assert.rejects(writeAtomic(join(top, 'taken'), 'x'));            // a folder with something in it has the name
  assert.deepEqual(await readdir(top), ['taken']);
});

test('a local file moves on one disk and across disks, and is gone from where it was', acrossDisks, async (t) => {
  const top = await folder(t);
  for (const [where, what] of [[await folder(t), 'one disk'], [await folder(t, SHM), 'another disk']] as const) {
    const local = join(where, 'draft');
    await writeFile(local, what);
    await moveInto(local, join(top, what, 'final'));
    assert.equal(await readFile(join(top, what, 'final'), 'utf8'), what);
    assert.deepEqual([await readdir(where), await readdir(join(top, what))], [[], ['final']]);
  }
});

test('a move that fails across disks keeps the local file and leaves nothing at the other end', acrossDisks, async (t) => {
  const top = await folder(t);
  const local = join(await folder(t, SHM), 'draft');
  await writeFile(local, 'x');
  await mkdir(join(top, 'final', 'full'), { recursive: true });
  await assert.rejects(moveInto(local, join(top, 'final')));
  assert.equal((await stat(local)).size, 1);
  assert.deepEqual(await readdir(top), ['final']);
});

test('leftovers of a dead writer go; those of other owners, and what is no temp file, stay', async (t) => {
  const top = await folder(t);
  const names = ['a.json', 'a.json.i1-99999999-deadbeef-1.tmp', 'a.json.i2-99999999-deadbeef-1.tmp', 'b.json.i1-1-00000000-7.tmp'];
  for (const name of names) await writeFile(join(top, name), '');
  assert.equal(await removeStale(top, 'i1'), 2);
  assert.deepEqual((await readdir(top)).sort(), ['a.json', 'a.json.i2-99999999-deadbeef-1.tmp']);
  assert.equal(await removeStale(join(top, 'nowhere'), 'i1'), 0);
});

test('a folder that is not there has no names, and codes are read from system errors only', async (t) => {
  assert.deepEqual(await namesIn(join(await folder(t), 'none')), []);
  assert.deepEqual([codeIn(new Error('x')), codeIn('ENOENT'), codeIn(undefined)], ['', '', '']);
});
