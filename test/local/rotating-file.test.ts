// Owns the proof that an appended log is bounded on disk and in memory, and says what it lost.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RotatingFile } from '../../scripts/local/rotating-file.ts';

let root: string;
beforeEach(async () => { root = await mkdtemp(join(tmpdir(), 'rotating-')); });
afterEach(() => rm(root, { recursive: true, force: true }));

const fileIn = (folder: string, maxBytes = 1_000, maxFiles = 100): RotatingFile => new RotatingFile({
  folder, maxBytes, maxFiles,
  nameAt: (at) => `log-${at}.txt`,
  owns: (name) => name.startsWith('log-'),
  head: () => '# head\n',
  lost: (pieces) => `# ${pieces} lost\n`,
});

async function contents(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('log-')).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
}

test('every piece is in one of the files, whole and in order', async () => {
  const file = fileIn(root, 100);
  const pieces = Array.from({ length: 300 }, (_, i) => `piece ${i}\n`);
  for (const piece of pieces) {
    file.append(piece);
    if (Number(piece.slice(6)) % 7 === 0) await file.flushed();
  }
  await file.flushed();
  const files = await contents(root);
  for (const text of files) assert.ok(text.startsWith('# head\n') && text.length <= 110, text);
  assert.equal(files.map((text) => text.slice(7)).join(''), pieces.join(''));
});

test('the oldest files go, and nothing that is not of this log', async () => {
  await writeFile(join(root, 'other.txt'), 'stays');
  const file = fileIn(root, 20, 3);
  for (let i = 0; i < 10; i += 1) {
    file.append(`a piece with number ${i}\n`);
    await file.flushed();
  }
  assert.deepEqual((await contents(root)).map((text) => /number (\d)/.exec(text)?.[1]), ['7', '8', '9']);
  assert.equal(await readFile(join(root, 'other.txt'), 'utf8'), 'stays');
});

test('what could not be written is counted and said at the next success', async () => {
  const folder = join(root, 'later');
  await writeFile(folder, 'a file where the folder should be');
  const file = fileIn(folder);
  for (const piece of ['one\n', 'two\n']) {
    file.append(piece);
    await file.flushed();
  }
  await rm(folder);
  file.append('three\n');
  await file.flushed();
  assert.deepEqual(await contents(folder), ['# head\n# 2 lost\nthree\n']);
  assert.equal(file.waitingBytes, 0);
});

test('more waiting than the bound is dropped and counted, not kept in memory', async () => {
  const file = fileIn(root, 100 * 1024 * 1024);
  const piece = Buffer.alloc(1024 * 1024, 'x');
  for (let i = 0; i < 20; i += 1) file.append(piece); // in one turn: the disk has no chance
  assert.equal(file.waitingBytes, 8 * 1024 * 1024);
  await file.flushed();
  file.append('after\n');
  await file.flushed();
  const [text = ''] = await contents(root);
  assert.match(text, /^# head\n# 12 lost\nx+after\n$/);
  assert.equal(text.length, 7 + 10 + 8 * 1024 * 1024 + 6);
});
