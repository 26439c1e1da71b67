// Owns the tests of reading a dump in a thread of its own: the same answer as without, progress that only grows, an end at once, and a fault that stays in there.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { readingOf } from '../../../src/analyze/dump/reading.ts';
import { DiagError } from '../../../src/shared/errors.ts';
import { smallCore, smallMinidump } from './small-dumps.ts';

const thread = resolve(import.meta.dirname, '../../../dist/analyze-worker.js');
const never = new AbortController().signal;
let folder = '';
before(async () => {
  assert.ok(existsSync(thread), 'the worker is built: npm run build');
  folder = await mkdtemp(join(tmpdir(), 'reading-'));
});
after(async () => { await rm(folder, { recursive: true, force: true }); });

const fileOf = async (name: string, content: Buffer | string): Promise<string> => { const path = join(folder, name); await writeFile(path, content); return path; };

for (const [name, content] of [['small.core', smallCore()], ['small.dmp', smallMinidump()]] as const) {
  test(`${name}: the thread gives what the reader gives, and its progress only grows`, async () => {
    const path = await fileOf(name, content);
    const told: number[] = [];
    const progress = ({ fraction }: { fraction: number }): void => { told.push(fraction); };
    assert.deepEqual(await readingOf({ path, thread, signal: never, progress }), await readingOf({ path, thread: undefined, signal: never, progress: () => undefined }));
    assert.ok(told.length > 0 && told.every((one, i) => one >= 0 && one <= 1 && one >= (told[i - 1] ?? 0)), told.join());
  });
}

test('a file that is no dump says why', async () => {
  const path = await fileOf('x.core', 'neither');
  await assert.rejects(readingOf({ path, thread, signal: never, progress: () => undefined }), (error) => error instanceof DiagError && error.code === 'DUMP_UNREADABLE' && /neither as an ELF core/.test(error.message));
});

test('a cancel ends the thread in the middle of a file of half a GiB', async () => {
  const path = await fileOf('large.core', grown(smallCore()));
  const file = await open(path, 'r+');
  await file.truncate(600 * 2 ** 20);
  await file.close();
  const end = new AbortController();
  const told: number[] = [];
  const reading = readingOf({ path, thread, signal: end.signal, progress: ({ fraction }) => { told.push(fraction); if (fraction > 0.6) end.abort(new Error('no longer wanted')); } });
  await assert.rejects(reading, /no longer wanted/);
  assert.ok((told.at(-1) ?? 1) < 1, 'it was not at its end');
});

/** The last writable area of the core reaches half a GiB beyond its end. */
function grown(core: Buffer): Buffer {
  const [at, count] = [Number(core.readBigUInt64LE(32)), core.readUInt16LE(56)];
  for (let i = count - 1; i >= 0; i -= 1) {
    const one = at + i * 56;
    if (core.readUInt32LE(one) !== 1 || (core.readUInt32LE(one + 4) & 2) === 0) continue;
    core.writeBigUInt64LE(BigInt(512 * 2 ** 20), one + 32);
    core.writeBigUInt64LE(BigInt(512 * 2 ** 20), one + 40);
    return core;
  }
  throw new Error('it has no writable area');
}
