// Tests the index of a log's blocks: it never denies a row that is there, parts put together are the whole, and what is on disk is trusted only as far as it fits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseHttpFilter } from '../../../src/shared/http-filter.ts';
import { compileHttpFilter } from '../../../src/observe/http-log/filter.ts';
import { BLOCK_BYTES, BlockIndex } from '../../../src/observe/http-log/index/block-index.ts';
import { decodeIndex, encodeIndex } from '../../../src/observe/http-log/index/codec.ts';
import { INDEX_BOUNDS, keepBlocks, openIndex } from '../../../src/observe/http-log/index/kept.ts';
import { BlockLearner, PieceLearner } from '../../../src/observe/http-log/index/learn.ts';
import { blockTest } from '../../../src/observe/http-log/index/needs.ts';
import { httpLog } from '../../../src/observe/http-log/read.ts';
import { iisW3c } from '../../../src/observe/http-log/w3c.ts';
import { openShelf } from '../../../src/store/shelf.ts';
import { HEAD, makeLog, row, seeded } from './support.ts';

const FROM = Date.UTC(2026, 10, 21, 0, 0, 0);
const FILTERS = ['', 'failed', '-failed', 'status:502.3', 'status:502.3.12030,404', '-status:200', 'status>=500 sub:121', 'win32>0', 'taken>60000', 'taken>=59000 -failed', 'failed route:/api/orders/{id}', 'failed route:"POST /api/orders/{id}"', 'status:5xx route:"get /static/app-1.js",/nowhere',
  'failed route:/nowhere', 'failed client:10.0.1.7', 'client:10.0.1.7', 'status:503 client:10.9.9.9,10.0.0.3', 'failed method:POST', 'route:/nowhere', '-route:/api/*'];

/** A log of some MiB whose second half is quieter, with all its blocks learned. */
function scene(): { log: Buffer; index: BlockIndex; read(sinkFrom: number, onBlock: (block: number, passes: Record<string, boolean>) => void): void } {
  const half = makeLog({ seed: 3, rows: 26_000, from: FROM, stepMs: 200 });
  const next = seeded(4);
  const quiet = Array.from({ length: 30_000 }, (_, i) => row({ at: FROM + 5_200_000 + i * 200, path: `/static/app-${Math.floor(next() * 3)}.js`, status: i % 4_000 === 1 ? 503 : 200, taken: 5 })).join('\r\n');
  const log = Buffer.from(`${half}${quiet}\r\n`);
  const index = new BlockIndex();
  const learner = new BlockLearner(index);
  learner.begin(0);
  const reader = iisW3c.reader({ sink: (columns) => learner.add(columns) });
  reader.write(log);
  reader.end();
  learner.seen(log.length, (block) => (block === 0 ? undefined : reader.head));
  return {
    log, index,
    read(from, onBlock) {
      const tests = FILTERS.map((text) => [text, compileHttpFilter(parseHttpFilter(text))] as const);
      const judge = iisW3c.reader({ sink: (columns) => { for (let i = 0; i < columns.rows; i += 1) onBlock(Math.floor((columns.offset[i] as number) / BLOCK_BYTES), Object.fromEntries(tests.map(([text, passes]) => [text, passes(columns, i)]))); } });
      judge.write(log.subarray(from));
      judge.end();
    },
  };
}

describe('what a block can hold', () => {
  const { log, index, read } = scene();
  const holds = new Map<string, Set<number>>(FILTERS.map((text) => [text, new Set()]));
  read(0, (block, passes) => { for (const text of FILTERS) if (passes[text] === true) holds.get(text)?.add(block); });
  const blocks = Math.floor(log.length / BLOCK_BYTES);

  test('no filter is denied a block that holds a row it lets through; rare ones are denied most', () => {
    assert.ok(blocks >= 4 && index.known === blocks, `${index.known} of ${blocks} blocks`);
    for (const text of FILTERS) {
      const may = blockTest(index, { filter: parseHttpFilter(text), from: 0, to: Infinity });
      for (const block of holds.get(text) ?? []) if (index.has(block)) assert.ok(may(block), `${text} in block ${block}`);
    }
    const allowed = (text: string): number => Array.from({ length: blocks }, (_, block) => block).filter(blockTest(index, { filter: parseHttpFilter(text), from: 0, to: Infinity })).length;
    for (const text of ['failed route:/nowhere', 'status:503 client:10.9.9.9', 'status:418', 'taken>60000000']) assert.ok(allowed(text) <= 1, `${text}: ${allowed(text)} of ${blocks}`);
    assert.ok(allowed('status:502.3') < blocks - 1);
    assert.equal(allowed(''), blocks);
  });

  test('the time of each block is known to the row', () => {
    const may = blockTest(index, { filter: parseHttpFilter(''), from: FROM + 9_000_000, to: FROM + 9_000_999 });
    assert.ok(Array.from({ length: blocks }, (_, block) => block).filter(may).length <= 1);
    assert.equal(blockTest(index, { filter: parseHttpFilter(''), from: 0, to: FROM - 1 })(0), false);
  });

  test('pieces read apart, in any order, teach what one reading teaches but for the blocks they share', () => {
    const whole = new BlockIndex();
    const cuts = [0, 700_000, 2_500_000, 2_600_000, log.length].map((at) => (at === 0 || at === log.length ? at : log.indexOf(10, at) + 1));
    const order = [2, 0, 3, 1];
    let head: string | undefined;
    for (const i of order) {
      const [from = 0, to = 0] = [cuts[i], cuts[i + 1]];
      const learner = new PieceLearner(from);
      const reader = iisW3c.reader({ sink: (columns) => learner.add(columns, reader.head), baseOffset: from, ...(from === 0 ? {} : { head: HEAD.split('\r\n').slice(-1).join() }) });
      for (let at = from; at < to; at += 100_000) reader.write(log.subarray(at, Math.min(to, at + 100_000)));
      reader.end();
      const learned = learner.learned(to, reader.head);
      head ??= reader.head;
      if (learned !== undefined) whole.merge(structuredClone(learned));
    }
    for (let block = 0; block < blocks; block += 1) {
      const shared = cuts.some((cut) => cut > block * BLOCK_BYTES && cut < (block + 1) * BLOCK_BYTES);
      assert.equal(whole.has(block), !shared, `block ${block}`);
      if (shared) continue;
      for (const text of FILTERS) {
        const filter = { filter: parseHttpFilter(text), from: 0, to: Infinity };
        assert.equal(blockTest(whole, filter)(block), blockTest(index, filter)(block), `${text} in ${block}`);
      }
    }
  });

  test('written and read back it is the same; anything else is not read', () => {
    const file = { path: '/x.log', ino: 7, format: 'iis-w3c', sizeBytes: log.length, headHash: 'a', tailHash: 'b' };
    const bytes = Buffer.from(encodeIndex(index, file));
    const back = decodeIndex(bytes);
    assert.deepEqual(back?.file, file);
    assert.deepEqual(back?.index.state(), index.state());
    for (const bad of [Buffer.alloc(0), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(8)]), bytes.subarray(1), Buffer.from('{}\n'), Buffer.from(bytes.toString('latin1').replace('"version":1', '"version":2'), 'latin1'), Buffer.from(bytes.toString('latin1').replace(`"blocks":${index.blocks}`, '"blocks":9'), 'latin1')]) assert.equal(decodeIndex(bad), undefined);
  });
});

test('status keys and columns without number end in shared places, which deny nothing', () => {
  const index = new BlockIndex();
  const learner = new BlockLearner(index);
  learner.begin(0);
  const lines = Array.from({ length: 300 }, (_, i) => row({ at: FROM + i, status: 400 + i % 200, sub: i, path: '/'.padEnd(4_000, 'x') }));
  const log = Buffer.from(`${HEAD}\n${lines.join('\n')}\n`);
  const reader = iisW3c.reader({ sink: (columns) => learner.add(columns) });
  reader.write(log);
  learner.seen(BLOCK_BYTES, () => undefined);
  assert.equal(index.known, 1);
  for (const filter of ['status:555.155', 'status:499', 'failed', 'status:411.11']) assert.equal(blockTest(index, { filter: parseHttpFilter(filter), from: 0, to: Infinity })(0), true, filter);
});

test('an index on the shelf serves the same file only, and a report teaches the searches after it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'http-index-'));
  try {
    const lines = Array.from({ length: 300_000 }, (_, i) => row({ at: FROM + i * 50, status: i === 70_000 ? 502 : 200, sub: i === 70_000 ? 3 : 0 }));
    const path = join(folder, 'a1-202611210000.log');
    await writeFile(path, `${HEAD}\n${lines.join('\n')}\n`);
    const shelf = openShelf(join(folder, 'index'), INDEX_BOUNDS, () => Date.now());
    const log = httpLog({ folder, instance: 'a1', now: () => FROM, shelf, sourceOf: async (name) => name });
    const never = new AbortController().signal;
    const window = { from: FROM - 1, to: FROM + 15_000_000 };
    assert.equal((await log.report(window, never)).failures, 1);
    assert.equal((await readdir(join(folder, 'index'))).length, 1);
    const file = await open(path, 'r');
    try {
      const { size, ino } = await file.stat();
      const is = { path, ino, sizeBytes: size, format: 'iis-w3c' };
      const kept = { ...shelf, unkept: assert.fail };
      const { index } = await openIndex(kept, file, is);
      const blocks = Math.floor(size / BLOCK_BYTES);
      assert.ok(index.known <= blocks && index.known >= blocks - 4, `${index.known} of ${blocks}: all but those that two pieces share`);
      for (const other of [{ ...is, ino: ino + 1 }, { ...is, path: `${path}x` }, { ...is, format: 'nginx' }, { ...is, sizeBytes: BLOCK_BYTES }]) assert.equal((await openIndex(kept, file, other)).index.known, 0);
      await keepBlocks(kept, { path, ino: ino + 1, format: 'iis-w3c' }, [index.state()]);
      await writeFile(path, `${HEAD}\n${lines.map((line) => line.replace(' 200 ', ' 503 ')).join('\n')}\n`);
      assert.equal((await openIndex(kept, file, { ...is, sizeBytes: (await stat(path)).size })).index.known, 0, 'the same inode, rewritten');
    } finally {
      await file.close();
    }
    assert.equal((await log.rows({ ...window, filter: 'status:503', limit: 5 }, never)).rows.length, 5);
    assert.equal(log.unkept, 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the shelf keeps the newest within its bounds, and what is too large or too old not at all', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shelf-'));
  try {
    let now = Date.now();
    const shelf = openShelf(folder, { files: 3, bytes: 250, oneBytes: 100, ageMs: 1_000_000 }, () => now);
    for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
      await shelf.write(name, Buffer.alloc(60, name));
      await utimes(join(folder, name), new Date(now - 10_000 + i), new Date(now - 10_000 + i));
    }
    await shelf.write('large', Buffer.alloc(101));
    assert.deepEqual((await readdir(folder)).sort(), ['b', 'c', 'd']);
    await shelf.write('e', Buffer.alloc(100, 'e'));
    assert.deepEqual((await readdir(folder)).sort(), ['c', 'd', 'e']);
    assert.equal((await shelf.read('d'))?.toString(), 'd'.repeat(60));
    assert.equal(await shelf.read('a'), undefined);
    now += 2_000_000;
    await utimes(join(folder, 'e'), new Date(now), new Date(now));
    await shelf.write('f', Buffer.alloc(1));
    assert.deepEqual(await readdir(folder), ['e']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a search works where the index cannot be read: what lies in its place is counted and ends nothing', { timeout: 20_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'index-odd-'));
  try {
    const path = join(folder, 'a1b2c3.log');
    await writeFile(path, `${HEAD}\n${Array.from({ length: 50 }, (_, i) => row({ at: FROM + i * 1_000, status: i === 7 ? 503 : 200 })).join('\n')}\n`);
    const name = `${createHash('sha256').update(path).digest('hex').slice(0, 32)}.idx`;
    const odd = join(folder, 'index', name);
    const search = async (): Promise<readonly [number, number]> => {
      const log = httpLog({ folder, instance: '', now: () => FROM, shelf: openShelf(join(folder, 'index'), INDEX_BOUNDS, () => FROM), sourceOf: async () => 'x' });
      const { rows } = await log.rows({ from: FROM, to: FROM + 60_000, filter: 'failed', limit: 5 }, AbortSignal.timeout(5_000));
      return [rows.length, log.unkept];
    };
    await mkdir(odd, { recursive: true });
    assert.deepEqual(await search(), [1, 0], 'a folder');
    await rm(odd, { recursive: true });
    execFileSync('mkfifo', [odd]);
    assert.deepEqual(await search(), [1, 0], 'a pipe');
    await rm(odd);
    await symlink(odd, odd);
    assert.deepEqual(await search(), [1, 1], 'a link to itself');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
