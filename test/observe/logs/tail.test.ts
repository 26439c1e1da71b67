// The live tail on real files with the real clock: joining, rotation, truncation, deletion, cursors, slow followers.
import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, mkdtemp, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import { followLog, type FollowOptions } from '../../../src/observe/logs/follow.ts';
import type { LogBatch } from '../../../src/observe/observe.ts';
import type { Log } from '../../../src/observe/logs/log.ts';
import { Tails } from '../../../src/observe/logs/tails.ts';
import { followed, TestSink } from '../../support/followed.ts';
import { waitFor } from '../../support/wait.ts';

interface Ground { readonly folder: string; readonly file: string; readonly log: Log; readonly tails: Tails }

async function ground(t: TestContext): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'tail-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'app.log');
  return { folder, file, log: { source: 'abc', path: file, roots: [folder] }, tails: new Tails(systemClock) };
}

interface Watching { readonly texts: string[]; readonly notices: string[]; readonly seen: string[]; dropped: number; passed: number; cursor: string; stop(): Promise<void> }

/** Follows and collects; `seen` is lines and notices (as `<kind>`) in their order. */
function watchLog(t: TestContext, g: Ground, options: Omit<FollowOptions, 'signal' | 'sink'> = {}): Watching {
  const end = new AbortController();
  const got: Watching = { texts: [], notices: [], seen: [], dropped: 0, passed: 0, cursor: '', stop: async () => { end.abort(); await running; } };
  const running = (async () => {
    for await (const batch of followed((sink) => followLog(g.log, { ...options, signal: end.signal, sink }, g.tails, systemClock), end.signal)) {
      got.dropped += batch.dropped;
      got.passed += batch.passed;
      got.cursor = batch.cursor;
      for (const item of batch.items) {
        if ('line' in item) { got.texts.push(item.line.text); got.seen.push(item.line.text); }
        else if ('more' in item) for (const list of [got.texts, got.seen]) list.push(`${list.pop() ?? ''}\n${item.more.text}`);
        else { got.notices.push(item.notice.kind); got.seen.push(`<${item.notice.kind}>`); }
      }
    }
  })();
  t.after(() => got.stop());
  return got;
}

const started = (got: Watching): Promise<unknown> => waitFor('the first batch', () => got.cursor !== '');
const has = (got: Watching, text: string): Promise<unknown> => waitFor(`the line ${text}`, () => got.texts.includes(text));

test('the last entries come first, then what is written', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\ntwo\nthree\n');
  const got = watchLog(t, g, { last: 2 });
  await started(got);
  await appendFile(g.file, 'four\nError: x\n    at a (/a.js:1:2)\nfive\n');
  await has(got, 'five');
  assert.deepEqual(got.seen, ['two', 'three', 'four', 'Error: x\n    at a (/a.js:1:2)', 'five']);
});

test('a line without an end is shown after a while, and its rest as it comes', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const got = watchLog(t, g, { last: 0 });
  await started(got);
  await appendFile(g.file, 'prompt € ');
  await has(got, 'prompt € ');
  await appendFile(g.file, 'answered\n');
  await has(got, 'answered');
  assert.deepEqual(got.seen, ['prompt € ', 'answered']);
});

test('UTF-8 written byte by byte arrives whole', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, '');
  const got = watchLog(t, g);
  await started(got);
  for (const byte of Buffer.from('grüße, €, 𝄞\n')) await appendFile(g.file, Buffer.from([byte]));
  // A machine that stands still for seconds would get it in parts: never within a character.
  await waitFor('the whole line', () => got.texts.join('') === 'grüße, €, 𝄞');
});

test('renamed and created anew: the rest of the old file, a notice, the new file', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const got = watchLog(t, g, { last: 5 });
  await started(got);
  await appendFile(g.file, 'two\n');
  await rename(g.file, `${g.file}.1`);
  await appendFile(`${g.file}.1`, 'three, written late\n');
  await writeFile(g.file, 'four\n');
  await has(got, 'four');
  assert.deepEqual(got.seen, ['one', 'two', 'three, written late', '<rotated>', 'four']);
});

test('two rotations between two looks: the file in the middle is read too', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const got = watchLog(t, g, { last: 5 });
  await started(got);
  await got.stop();
  await appendFile(g.file, 'two\n');
  await rename(g.file, `${g.file}.2`);
  await writeFile(g.file, 'three\n');
  await rename(g.file, `${g.file}.1`);
  await writeFile(g.file, 'four\n');
  const again = watchLog(t, g, { cursor: got.cursor });
  await has(again, 'four');
  assert.deepEqual(again.seen, ['two', '<rotated>', 'three', '<rotated>', 'four']);
});

test('copied and emptied: the copy has the rest, live and after a disconnect', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const got = watchLog(t, g, { last: 5 });
  await has(got, 'one');
  const away = got.cursor;
  const rotate = async (): Promise<void> => { await copyFile(g.file, `${g.file}.1`); await truncate(g.file, 0); };
  await appendFile(g.file, 'two\n');
  await rotate();
  await appendFile(g.file, 'three\n');
  await has(got, 'three');
  assert.deepEqual(got.seen, ['one', 'two', '<rotated>', 'three']);
  const again = watchLog(t, g, { cursor: away });
  await has(again, 'three');
  assert.deepEqual(again.seen, ['two', '<rotated>', 'three']);
});

test('emptied, and grown beyond the old place before anybody looked: found out, and said', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'old line 1\nold line 2\n');
  const got = watchLog(t, g, { last: 5 });
  await has(got, 'old line 2');
  const away = got.cursor;
  await writeFile(g.file, 'new line 1\nnew line 2\nnew line 3\n');
  await has(got, 'new line 3');
  assert.deepEqual(got.seen, ['old line 1', 'old line 2', '<truncated>', 'new line 1', 'new line 2', 'new line 3']);
  const again = watchLog(t, g, { cursor: away });
  await has(again, 'new line 3');
  assert.deepEqual(again.seen, ['<lost>', 'new line 1', 'new line 2', 'new line 3']);
});

test('deleted and created again: both are said, and the tail goes on', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const got = watchLog(t, g, { last: 5 });
  await has(got, 'one');
  await rm(g.file);
  await waitFor('the notice of deletion', () => got.notices.includes('deleted'));
  await writeFile(g.file, 'two\n');
  await has(got, 'two');
  assert.deepEqual(got.seen, ['one', '<deleted>', '<created>', 'two']);
});

test('a log that is not there yet is waited for', async (t) => {
  const g = await ground(t);
  const got = watchLog(t, g, { last: 5 });
  await waitFor('the notice', () => got.notices.includes('deleted'));
  const away = got.cursor;
  await writeFile(g.file, 'one\n');
  await has(got, 'one');
  assert.deepEqual(got.seen, ['<deleted>', '<created>', 'one']);
  const again = watchLog(t, g, { cursor: away });
  await has(again, 'one');
  assert.deepEqual(again.seen, ['<created>', 'one']);
});

test('a cursor whose file is gone gives a gap that is said, then what is there', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const got = watchLog(t, g, { last: 5 });
  await has(got, 'one');
  await got.stop();
  await rm(g.file);
  await writeFile(g.file, 'two\n');
  const again = watchLog(t, g, { cursor: got.cursor });
  await has(again, 'two');
  assert.deepEqual(again.seen, ['<lost>', 'two']);
});

test('the filter works here: what it leaves out is counted, and the cursor moves past it', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'INFO a\nERROR b\nINFO c\n');
  const got = watchLog(t, g, { last: 5, filter: { levels: ['error'] } });
  await started(got);
  await appendFile(g.file, 'INFO d\nERROR e\nINFO f\n');
  await waitFor('all six lines', () => got.texts.length + got.passed === 6);
  assert.deepEqual(got.texts, ['ERROR b', 'ERROR e']);
  await got.stop();
  await appendFile(g.file, 'INFO g\n');
  const again = watchLog(t, g, { cursor: got.cursor });
  await has(again, 'INFO g');
  assert.deepEqual(again.seen, ['INFO g']);
});

test('a slow follower loses exactly what it is told, in order, is bounded, and resumes after it', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, '');
  const end = new AbortController();
  t.after(() => end.abort());
  const slow = new TestSink();
  slow.stalled = true;
  const running = followLog(g.log, { signal: end.signal, sink: slow }, g.tails, systemClock);
  await waitFor('the slow one to be there', () => slow.got.length > 0);
  const quick = watchLog(t, g, { last: 0 });
  await started(quick);
  const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i} ${'x'.repeat(40)}`);
  for (let i = 0; i < lines.length; i += 2_000) await appendFile(g.file, `${lines.slice(i, i + 2_000).join('\n')}\n`);
  await has(quick, lines.at(-1) ?? '');
  assert.deepEqual(quick.texts, lines);
  assert.ok(slow.mostBytes < 2 * 1_024 * 1_024, `${slow.mostBytes} bytes were given to it`);
  slow.resume();
  await waitFor('the end to come', () => slow.waitingBytes === 0);
  const texts = slow.got.flatMap((batch) => batch.items.flatMap((item) => ('line' in item ? [item.line.text] : [])));
  const lost = slow.got.reduce((sum, batch) => sum + batch.dropped, 0);
  assert.equal(slow.got.reduce((sum, batch) => sum + (batch.droppedLines ?? 0), 0), lost);
  assert.ok(lost > 50_000, `${lost} lines lost`);
  const gap = slow.got.findIndex((batch) => batch.dropped > 0);
  const before = slow.got.slice(0, gap).reduce((sum, batch) => sum + batch.items.length, 0);
  assert.deepEqual(texts, [...lines.slice(0, before), ...lines.slice(before + lost)]);
  const again = watchLog(t, g, { cursor: slow.got.at(-1)?.cursor });
  await started(again);
  await appendFile(g.file, 'after\n');
  await has(again, 'after');
  assert.deepEqual(again.seen, ['after']);
  end.abort();
  await running;
});

test('a line of a megabyte is cut and marked, and what follows it arrives', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, '');
  const end = new AbortController();
  t.after(() => end.abort());
  const follow = followed((sink) => followLog(g.log, { signal: end.signal, sink }, g.tails, systemClock), end.signal);
  await follow.next();
  await appendFile(g.file, `${'x'.repeat(3_000_000)}\nnext\n`);
  const lines: [number, number | undefined][] = [];
  while (lines.length < 2) {
    const { value }: IteratorResult<LogBatch> = await follow.next();
    assert.ok(value);
    for (const item of value.items) if ('line' in item) lines.push([item.line.text.length, item.line.cutBytes]);
  }
  assert.deepEqual(lines, [[262_144, 3_000_000 - 262_144], [4, undefined]]);
});

test('one reader however many follow, closed by the last', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const all = Array.from({ length: 20 }, () => watchLog(t, g, { last: 1 }));
  for (const one of all) await started(one);
  assert.equal(g.tails.count, 1);
  await appendFile(g.file, 'two\n');
  for (const one of all) await has(one, 'two');
  for (const one of all.slice(1)) await one.stop();
  assert.equal(g.tails.count, 1);
  await all[0]?.stop();
  await waitFor('the last to let go', () => g.tails.count === 0);
});

test('an abort gives back what a follower holds whenever it comes', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const end = new AbortController();
  const running = followLog(g.log, { signal: end.signal, sink: new TestSink() }, g.tails, systemClock);
  assert.equal(g.tails.count, 1);
  end.abort();
  await running;
  assert.equal(g.tails.count, 0);
});

test('a hostile cursor is refused', async (t) => {
  const g = await ground(t);
  await writeFile(g.file, 'one\n');
  const good = watchLog(t, g);
  await started(good);
  const parts = good.cursor.split('.');
  const bad = ['', 'x', 'a1', good.cursor.replace('.abc.', '.other.'), `${good.cursor}.1`, good.cursor.toUpperCase(), good.cursor.replace(parts[5] as string, '-1'), [...parts.slice(0, 5), 'zzzzzzzzzzz', ...parts.slice(5 + 1)].join('.'), [...parts.slice(0, 6), 'zzz', ...parts.slice(6 + 1)].join('.'), [...parts.slice(0, 8), '9zz', ...parts.slice(8 + 1)].join('.'), `${'a'.repeat(200)}`, '../../etc/passwd', 'a1.abc.0.0.0.0.0.0.0\u0000.0'];
  for (const cursor of bad) {
    await assert.rejects(followLog(g.log, { cursor, signal: new AbortController().signal, sink: new TestSink() }, g.tails, systemClock), { code: 'CURSOR_BAD' }, JSON.stringify(cursor));
  }
});

test('a link within the folders is followed to its new end; one that leads out shows nothing', async (t) => {
  const g = await ground(t);
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  t.after(() => rm(outside, { recursive: true, force: true }));
  await writeFile(join(outside, 'secret'), 'secret\n');
  await mkdir(join(g.folder, 'days'));
  await writeFile(join(g.folder, 'days', 'monday.txt'), 'monday\n');
  await symlink(join(g.folder, 'days', 'monday.txt'), g.file);
  const got = watchLog(t, g, { last: 5 });
  await has(got, 'monday');
  await writeFile(join(g.folder, 'days', 'tuesday.txt'), 'tuesday\n');
  await rm(g.file);
  await symlink(join(g.folder, 'days', 'tuesday.txt'), g.file);
  await has(got, 'tuesday');
  await rm(g.file);
  await symlink(join(outside, 'secret'), g.file);
  await appendFile(join(g.folder, 'days', 'tuesday.txt'), 'late\n');
  await has(got, 'late');
  const fresh = watchLog(t, g, { last: 5 });
  await started(fresh);
  await appendFile(join(outside, 'secret'), 'secret\n');
  await rm(g.file);
  await writeFile(g.file, 'own\n');
  await has(got, 'own');
  await has(fresh, 'own');
  assert.ok(![...got.texts, ...fresh.texts].includes('secret'));
});
