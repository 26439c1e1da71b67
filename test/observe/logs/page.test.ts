// Pages of a log: newest, before, after, at a time, filtered; what they cost on a huge file; cursors over a restart.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import { followLog } from '../../../src/observe/logs/follow.ts';
import { readPage, type PageQuery } from '../../../src/observe/logs/page.ts';
import type { Log } from '../../../src/observe/logs/log.ts';
import { Tails } from '../../../src/observe/logs/tails.ts';
import { followed } from '../../support/followed.ts';
import type { LogPage } from '../../../src/shared/model.ts';

const NO = new AbortController().signal;
const START = Date.UTC(2026, 10, 21);
const stamp = (i: number): string => new Date(START + i * 1_000).toISOString();

async function ground(t: TestContext): Promise<Log> {
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { source: 'abc', path: join(folder, 'app.log'), roots: [folder] };
}

const page = (log: Log, query: PageQuery): Promise<LogPage> => readPage(log, query, systemClock, NO);
const texts = (got: LogPage): string[] => got.lines.map((line) => line.text);

test('the newest page, then page by page to the beginning: each entry once', async (t) => {
  const log = await ground(t);
  const all = Array.from({ length: 1_000 }, (_, i) => (i % 10 === 3 ? `Error: ${i}\n    at a (/a.js:${i}:1)` : `line ${i} ${'x'.repeat(i % 300)}`));
  await writeFile(log.path, `${all.join('\n')}\n`);
  const seen: string[] = [];
  let before: string | undefined;
  do {
    const got = await page(log, { limit: 37, before });
    seen.unshift(...texts(got));
    ({ before } = got);
    assert.ok(got.complete);
  } while (before !== undefined);
  assert.deepEqual(seen, all);
});

test('after a cursor come the next ones, also what was written since, also over a rotation', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, 'a\nb\nc\n');
  const first = await page(log, { limit: 1 });
  assert.deepEqual(texts(first), ['c']);
  await appendFile(log.path, 'd\n');
  await rename(log.path, `${log.path}.1`);
  await writeFile(log.path, 'e\nf\ng\n');
  const next = await page(log, { after: first.after, limit: 3 });
  assert.deepEqual(texts(next), ['d', 'e', 'f']);
  const last = await page(log, { after: next.after, limit: 3 });
  // The last line has no line after it yet that shows its end, but the page does not hold it back.
  assert.deepEqual([texts(last), last.complete], [['g'], true]);
  assert.deepEqual(texts(await page(log, { after: last.after, limit: 3 })), []);
  assert.deepEqual(texts(await page(log, { before: next.after, limit: 2 })), ['e', 'f']);
});

test('a long search lets others have their turn after each piece it read', async (t) => {
  const log = await ground(t);
  const pieceBytes = 64 * 1_024;
  await writeFile(log.path, 'INFO first\n');
  const { after } = await page(log, { limit: 1 });
  await appendFile(log.path, `INFO ${'x'.repeat(94)}\n`.repeat(40_000));
  const { before } = await page(log, { limit: 1 });
  for (const query of [{ after }, { before }]) {
    let turns = 0;
    let over = false;
    const count = (): void => { turns += 1; if (!over) setImmediate(count); };
    setImmediate(count);
    const found = await page(log, { ...query, limit: 10, filter: { text: 'nowhere' } });
    over = true;
    assert.deepEqual([found.lines, found.complete], [[], true]);
    assert.ok('before' in query ? turns > 4e6 / (4 * pieceBytes) : turns > 4e6 / pieceBytes, `${turns} turns in ${found.scannedBytes} bytes`);
  }
});

test('a page from a place in the file begins with the line that lies there, whatever its time', async (t) => {
  const log = await ground(t);
  const lines = Array.from({ length: 50 }, (_, i) => `${stamp(7)} INFO row ${i} é`); // all of one second
  await writeFile(log.path, `${lines.join('\n')}\n`);
  const lineBytes = Buffer.byteLength(`${lines[0]}\n`);
  const sizeBytes = (await readFile(log.path)).length;
  const offsetOf = (i: number): number => Buffer.byteLength(lines.slice(0, i).map((line) => `${line}\n`).join(''));
  for (const [offset, first] of [[offsetOf(20), 20], [offsetOf(20) + 5, 20], [offsetOf(21) - 1, 20], [0, 0], [sizeBytes + lineBytes, 50]] as const) {
    const got = await page(log, { offset, limit: 3 });
    assert.deepEqual([offset, texts(got)], [offset, lines.slice(first, first + 3)]);
    assert.deepEqual(texts(await page(log, { before: got.before, limit: 2 })), first === 0 ? lines.slice(48) : lines.slice(Math.max(0, first - 2), first));
  }
});

test('a page joins the tail without a seam', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, 'a\nb\n');
  const got = await page(log, { limit: 5 });
  await appendFile(log.path, 'c\n');
  const end = new AbortController();
  t.after(() => end.abort());
  for await (const batch of followed((sink) => followLog(log, { cursor: got.after, signal: end.signal, sink }, new Tails(systemClock), systemClock), end.signal)) {
    if (batch.items.length === 0) continue;
    assert.deepEqual(batch.items.map((item) => 'line' in item && item.line.text), ['c']);
    break;
  }
});

test('a filter searches back until the page is full, and says how far it looked', async (t) => {
  const log = await ground(t);
  const lines = Array.from({ length: 20_000 }, (_, i) => `${stamp(i)} ${i % 1_000 === 7 ? 'ERROR' : 'INFO'} order ${i}`);
  await writeFile(log.path, `${lines.join('\n')}\n`);
  const got = await page(log, { limit: 3, filter: { levels: ['error'] } });
  assert.deepEqual(texts(got), [17_007, 18_007, 19_007].map((i) => lines[i]));
  const size = (await readFile(log.path)).length;
  assert.ok(got.complete && got.scannedBytes < size, `${got.scannedBytes} of ${size} bytes`);
  const none = await page(log, { limit: 3, filter: { text: 'no such text' } });
  assert.deepEqual([none.lines, none.complete, none.before], [[], true, undefined]);
});

test('jump to a time: the first entry of it or later, found without reading the file', async (t) => {
  const log = await ground(t);
  const lines = Array.from({ length: 100_000 }, (_, i) => `${stamp(i)} INFO order ${i} ${'x'.repeat(i % 90)}${i % 50 === 0 ? '\n    at a (/a.js:1:2)' : ''}`);
  await writeFile(log.path, `${lines.join('\n')}\n`);
  const size = (await readFile(log.path)).length;
  for (const i of [0, 1, 49_999, 50_000, 77_777, 99_999]) {
    const got = await page(log, { at: START + i * 1_000 - 500, limit: 2 });
    assert.deepEqual(texts(got), lines.slice(i, i + 2), `entry ${i}`);
    assert.ok(got.scannedBytes < size / 2, `${got.scannedBytes} of ${size} bytes for entry ${i}`);
    if (got.before !== undefined) assert.deepEqual(texts(await page(log, { before: got.before, limit: 1 })), lines.slice(i - 1, i));
  }
  const late = await page(log, { at: START + 1e9, limit: 2 });
  assert.deepEqual(texts(late), lines.slice(-2), 'after the last entry the newest are shown');
  const filtered = await page(log, { at: START + 500_000, limit: 1, filter: { regex: 'order \\d*777 ' } });
  assert.deepEqual(texts(filtered), [lines[777]]);
});

test('the last lines of 10 GB cost a few blocks, and the limit of a search is said with a cursor to go on', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, 'first\n');
  await truncate(log.path, 10 * 2 ** 30); // sparse: the hole is one line of NULs
  await appendFile(log.path, `\n${Array.from({ length: 500 }, (_, i) => `line ${i}`).join('\n')}\n`);
  const got = await page(log, { limit: 100 });
  assert.deepEqual(texts(got), Array.from({ length: 100 }, (_, i) => `line ${400 + i}`));
  assert.ok(got.scannedBytes < 256 * 1_024, `${got.scannedBytes} bytes were read`);
  const hole = await page(log, { limit: 1_000 });
  assert.equal(hole.lines.length, 500);
  assert.equal(hole.complete, false);
  assert.ok(hole.scannedBytes < 80 * 2 ** 20, `${hole.scannedBytes} bytes were read`);
  const on = await page(log, { limit: 10, before: hole.before });
  assert.deepEqual([on.lines.length, on.complete], [0, false]);
  assert.notEqual(on.before, hole.before, 'the search moves on');
});

test('following 10 GB reads its end, not all of it', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, '');
  await truncate(log.path, 10 * 2 ** 30);
  await appendFile(log.path, `\n${Array.from({ length: 300 }, (_, i) => `line ${i}`).join('\n')}\n`);
  const before = await bytesRead();
  const end = new AbortController();
  t.after(() => end.abort());
  const follow = followed((sink) => followLog(log, { last: 10, signal: end.signal, sink }, new Tails(systemClock), systemClock), end.signal);
  const { value }: IteratorResult<{ items: readonly unknown[] }> = await follow.next();
  assert.equal(value?.items.length, 10);
  assert.ok(await bytesRead() - before < 4 * 2 ** 20);
});

/** What this process has read, as the system counts it. */
async function bytesRead(): Promise<number> {
  return Number(/rchar: (\d+)/.exec(await readFile('/proc/self/io', 'utf8'))?.[1]);
}

test('a line of many megabytes is one entry, cut and marked, read back and read on', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, `before\n${'x'.repeat(12_000_000)}\nafter\n`);
  const got = await page(log, { limit: 3 });
  const expected = [[6, undefined], [262_144, 12_000_000 - 262_144], [5, undefined]];
  assert.deepEqual(got.lines.map((line) => [line.text.length, line.cutBytes]), expected);
  const on = await page(log, { at: 0, limit: 3 });
  assert.deepEqual(on.lines.map((line) => [line.text.length, line.cutBytes]), expected);
  const next = await page(log, { after: got.lines[0]?.cursor ?? '', limit: 3 });
  assert.deepEqual(next.lines.map((line) => [line.text.length, line.cutBytes]), expected.slice(1));
});

test('a last line without an end is shown when the file rests, and not while it is written', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, 'a\nhalf');
  assert.deepEqual(texts(await page(log, { limit: 5 })), ['a']);
  const file = await open(log.path, 'r+');
  const past = new Date(Date.now() - 60_000);
  await file.utimes(past, past);
  await file.close();
  const got = await page(log, { limit: 5 });
  assert.deepEqual(texts(got), ['a', 'half']);
  await appendFile(log.path, ' and the rest\nb\n');
  assert.deepEqual(texts(await page(log, { after: got.after, limit: 5 })), [' and the rest', 'b']);
});

test('cursors outlive the process: nothing about them is kept here', async (t) => {
  const log = await ground(t);
  await writeFile(log.path, 'a\nb\n');
  const { after } = await page(log, { limit: 1 });
  await appendFile(log.path, 'c\n');
  const script = `import { readPage } from ${JSON.stringify(new URL('../../../src/observe/logs/page.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../../src/platform/clock.ts', import.meta.url).href)};
    const page = await readPage(${JSON.stringify(log)}, { after: ${JSON.stringify(after)}, limit: 9 }, systemClock, new AbortController().signal);
    process.stdout.write(JSON.stringify(page.lines.map((line) => line.text)));`;
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
  assert.deepEqual(JSON.parse(stdout), ['c']);
});

test('bad input is refused with its code; a log that is gone is unknown', async (t) => {
  const log = await ground(t);
  await assert.rejects(page(log, { limit: 5 }), { code: 'SOURCE_UNKNOWN' });
  await writeFile(log.path, 'a\n');
  await assert.rejects(page(log, { limit: 5, before: 'x' }), { code: 'CURSOR_BAD' });
  await assert.rejects(page(log, { limit: 5, after: 'x' }), { code: 'CURSOR_BAD' });
  await assert.rejects(page(log, { limit: 5, filter: { regex: '(' } }), { code: 'FILTER_BAD' });
});
