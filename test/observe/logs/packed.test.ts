// Rotations that were compressed: paged back into, jumped to, found again by a cursor, followed on; torn ones and bombs are bounded and said.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rename, rm, utimes, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../../src/platform/clock.ts';
import { followLog } from '../../../src/observe/logs/follow.ts';
import { PackedText, type PackedLimits } from '../../../src/observe/logs/packed.ts';
import { readPage, type PageQuery } from '../../../src/observe/logs/page.ts';
import type { Log } from '../../../src/observe/logs/log.ts';
import { Tails } from '../../../src/observe/logs/tails.ts';
import { followed } from '../../support/followed.ts';
import type { LogPage } from '../../../src/shared/model.ts';

const NO = new AbortController().signal;
const START = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;
const line = (i: number): string => `${new Date(START + i * 1_000).toISOString()} INFO order ${i} ${'x'.repeat(i % 90)}`;
const linesOf = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => line(from + i));
const textOf = (from: number, to: number): string => `${linesOf(from, to).join('\n')}\n`;

async function ground(t: TestContext): Promise<Log> {
  const folder = await mkdtemp(join(tmpdir(), 'packed-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { source: 'abc', path: join(folder, 'app.log'), roots: [folder] };
}

const page = (log: Log, query: PageQuery): Promise<LogPage> => readPage(log, query, systemClock, NO);
const texts = (got: LogPage): string[] => got.lines.map((one) => one.text);

async function write(path: string, text: string, atMs: number): Promise<void> {
  await writeFile(path, path.endsWith('.gz') ? gzipSync(text) : text);
  await utimes(path, atMs / 1_000, atMs / 1_000);
}

/** As gzip does it: the original's time is kept, and the original goes. */
async function pack(from: string, to: string): Promise<void> {
  const { mtime } = await stat(from);
  await writeFile(to, gzipSync(await readFile(from)));
  await utimes(to, mtime, mtime);
  await rm(from);
}

/** Four files of one log; the packed ones as gzip leaves them, or all written just now, as rotators inside programs do. */
async function family(log: Log, keepsTimes: boolean): Promise<void> {
  const now = Date.now();
  await write(`${log.path}.1`, textOf(40_000, 60_000), now - 2 * MINUTE);
  await write(`${log.path}.3.gz`, textOf(0, 20_000), keepsTimes ? now - 4 * MINUTE : now);
  await write(`${log.path}.2.gz`, textOf(20_000, 40_000), keepsTimes ? now - 3 * MINUTE : now);
  await write(log.path, textOf(60_000, 61_000), now - MINUTE);
}

async function back(log: Log, limit: number): Promise<string[]> {
  const seen: string[][] = [];
  let before: string | undefined;
  do {
    const got = await page(log, { limit, before });
    seen.unshift(texts(got));
    ({ before } = got);
  } while (before !== undefined);
  return seen.flat();
}

for (const keepsTimes of [true, false]) {
  test(`page by page through plain and packed rotations to the beginning: each entry once (times ${keepsTimes ? 'kept' : 'of the packing'})`, async (t) => {
    const log = await ground(t);
    await family(log, keepsTimes);
    assert.deepEqual(await back(log, 3_000), linesOf(0, 61_000));
  });

  test(`a time in a packed rotation is jumped to, and read on from over the files (times ${keepsTimes ? 'kept' : 'of the packing'})`, async (t) => {
    const log = await ground(t);
    await family(log, keepsTimes);
    for (const first of [0, 1, 19_999, 20_000, 31_234, 39_990, 40_000, 60_500]) {
      const got = await page(log, { at: START + first * 1_000, limit: 40 });
      assert.deepEqual(texts(got), linesOf(first, Math.min(61_000, first + 40)), `from ${first}`);
      if (first === 0) { assert.equal(got.before, undefined); continue; }
      const older = await page(log, { before: got.before, limit: 5 });
      assert.equal(texts(older).at(-1), line(first - 1));
      assert.deepEqual(texts(await page(log, { after: got.after, limit: 5 })), linesOf(first + 40, Math.min(61_000, first + 45)));
    }
  });
}

test('rotations named by dates are in order of their dates, packed or not', async (t) => {
  const log = await ground(t);
  const now = Date.now();
  await write(`${log.path}-20261120.gz`, textOf(100, 200), now);
  await write(`${log.path}-20261119.gz`, textOf(0, 100), now);
  await write(`${log.path}-20261121`, textOf(200, 300), now - 2 * MINUTE);
  await write(log.path, textOf(300, 320), now - MINUTE);
  assert.deepEqual(await back(log, 60), linesOf(0, 320));
});

test('a packed file that is being written beside its plain form is not read', async (t) => {
  const log = await ground(t);
  const now = Date.now();
  await write(`${log.path}.1`, textOf(0, 100), now - 2 * MINUTE);
  await writeFile(`${log.path}.1.gz`, gzipSync(textOf(0, 60)).subarray(0, 200));
  await write(log.path, textOf(100, 110), now - MINUTE);
  assert.deepEqual(await back(log, 30), linesOf(0, 110));
});

test('who comes back after his file was packed reads its rest, then what followed: each line once', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, textOf(0, 1_000));
  const { after } = await page(log, { limit: 1 });
  await appendFile(log.path, textOf(1_000, 1_500));
  await rename(log.path, `${log.path}.1`);
  await writeFile(log.path, textOf(1_500, 1_700));
  await pack(`${log.path}.1`, `${log.path}.2.gz`);
  await rename(log.path, `${log.path}.1`);
  await writeFile(log.path, textOf(1_700, 1_800));
  assert.deepEqual(texts(await page(log, { after, limit: 5_000 })), linesOf(1_000, 1_800));
  const end = new AbortController();
  t.after(() => end.abort());
  const got: string[] = [];
  for await (const batch of followed((sink) => followLog(log, { cursor: after, signal: end.signal, sink }, new Tails(systemClock), systemClock), end.signal)) {
    for (const item of batch.items) {
      if ('line' in item) got.push(item.line.text);
      else if ('notice' in item) assert.equal(item.notice.kind, 'rotated');
    }
    if (got.at(-1) === line(1_799)) break;
  }
  assert.deepEqual(got, linesOf(1_000, 1_800));
});

test('a torn packed file gives what came before the tear, says so, and what is older and younger is read all the same', async (t) => {
  const log = await ground(t);
  const now = Date.now();
  const whole = gzipSync(textOf(100, 5_000), { level: 1 });
  await write(`${log.path}.2.gz`, textOf(0, 100), now - 3 * MINUTE);
  await writeFile(`${log.path}.1.gz`, whole.subarray(0, Math.floor(whole.length / 2)));
  await utimes(`${log.path}.1.gz`, now / 1_000 - 120, now / 1_000 - 120);
  await write(log.path, textOf(5_000, 5_010), now - MINUTE);
  const newest = await page(log, { limit: 100 });
  const torn = await page(log, { before: newest.before, limit: 10_000 });
  assert.match(torn.cut ?? '', /^app\.log\.1\.gz: .*middle of the compressed text/);
  const kept = texts(torn);
  assert.ok(kept.length > 1_000 && kept.length < 4_900);
  assert.deepEqual(kept.slice(0, -1), linesOf(100, 100 + kept.length - 1)); // the last may be half a line
  assert.deepEqual(texts(await page(log, { before: torn.before, limit: 1_000 })), linesOf(0, 100));
});

const LIMITS: PackedLimits = { textBytes: 40 * 2 ** 20, ratio: 400, freeBytes: 2 ** 20 };
function packed(text: Buffer, limits = LIMITS): PackedText {
  const stored = gzipSync(text);
  return new PackedText(async function* () { yield stored; }, stored.length, limits);
}

test('a bomb is read up to the bound and no further, and says why', async () => {
  const bomb = packed(Buffer.alloc(64 * 2 ** 20));
  const size = await bomb.size();
  assert.ok(size < 28 * 2 ** 20, `${size} bytes came out`);
  assert.match(bomb.cut ?? '', /400 times/);
  assert.equal((await bomb.read(Buffer.alloc(100), 50 * 2 ** 20)).length, 0);
  const long = packed(Buffer.from(Array.from({ length: 200_000 }, (_, i) => line(i)).join('\n')), { ...LIMITS, textBytes: 2 ** 20 });
  assert.ok(await long.size() <= 2 ** 20);
  assert.match(long.cut ?? '', /longer than 1.00 MiB|longer than 1 MiB/);
  await Promise.all([bomb.close(), long.close()]);
});

test('any place of a packed text reads as of the plain one, forwards and back', async () => {
  const text = Buffer.from(textOf(0, 250_000));
  const one = packed(text);
  assert.equal(await one.size(), text.length);
  for (const [at, size] of [[text.length - 10, 100], [0, 100], [60_000, 10_000], [text.length / 2 | 0, 4_000_000], [1, 5], [text.length - 9_000_000, 500], [text.length, 5]] as const) {
    assert.ok((await one.read(Buffer.alloc(size), at)).equals(text.subarray(at, at + size)), `at ${at}`);
  }
  assert.equal(one.cut, undefined);
  await one.close();
});
