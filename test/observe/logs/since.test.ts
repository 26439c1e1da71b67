// What a log has more: the entries of some levels are those that pages of all have, and the newest entry can be begun anew.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../src/platform/clock.ts';
import type { Log } from '../../../src/observe/logs/log.ts';
import { readPage } from '../../../src/observe/logs/page.ts';
import { readSince } from '../../../src/observe/logs/since.ts';
import type { LogSince } from '../../../src/observe/observe.ts';
import type { LogLine } from '../../../src/shared/model.ts';

const NO = new AbortController().signal;
const LEVELS = ['error', 'fatal'] as const;

async function ground(t: TestContext): Promise<Log> {
  const folder = await mkdtemp(join(tmpdir(), 'since-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const log = { source: 'abc', path: join(folder, 'app.log'), roots: [folder] };
  await writeFile(log.path, 'begun\n');
  return log;
}

const since = (log: Log, after: string, maxBytes = 1e9): Promise<LogSince> => readSince(log, { after, levels: LEVELS, maxBytes, forMs: 60_000 }, systemClock, NO);
const end = async (log: Log): Promise<string> => (await readPage(log, { limit: 1 }, systemClock, NO)).after;
/** Without the fingerprint of the bytes before the place, of which there are fewer where a read begins. */
const placeOf = (cursor: string): string => cursor.split('.').slice(0, -2).join('.');
const SHAPES: readonly ((i: number) => string)[] = [
  (i) => `2026-11-21T02:14:07.123Z INFO [http-${i}] paid ${'x'.repeat(i * 7 % 400)}`, (i) => `2026-11-21T02:14:07.123Z ERROR [http-${i}] not paid`,
  (i) => `{"level":50,"time":1795226407000,"msg":"${i}"}`, (i) => `{"level":30,"time":1795226407000,"msg":"${i}"}`, (i) => `plain ${i}\r`,
  (i) => `TypeError: ${i}\n    at f (/a.js:1:${i})\n\n    at g (/a.js:2:1)`, (i) => `2026-11-21T02:14:07 WARN ${i}\n  more of it`, (i) => `fatal error: ${i}`,
  () => '', (i) => `{\n  "level": "error",\n  "n": ${i}\n}`, (i) => `2026-11-21 02:14:07 W3SVC1 GET /${i} - 80 - 10.0.0.1 - - 502 3 12030 15`,
];

test('the errors since a cursor are those of the pages, over many reads, with their cursors', async (t) => {
  const log = await ground(t);
  const after = await end(log);
  // Every shape after every other, and some thousand in an order of no pattern.
  const order = Array.from({ length: 3_000 }, (_, i) => (i < 121 ? (i % 2 === 0 ? Math.floor(i / 11) : i % 11) : (i * i * 31 + i * 7) % 1_009 % SHAPES.length));
  await appendFile(log.path, `${order.map((shape, i) => (SHAPES[shape] as (i: number) => string)(i)).join('\n')}\nlast\n`);
  const all = await readPage(log, { after, limit: 10_000 }, systemClock, NO);
  const wanted = all.lines.filter((line) => line.level === 'error' || line.level === 'fatal');
  const got = await since(log, after);
  assert.ok(wanted.length > 500);
  const placed = (line: LogLine): LogLine => ({ ...line, cursor: placeOf(line.cursor) });
  assert.deepEqual(got.lines.map(placed), wanted.map(placed));
  assert.deepEqual([got.complete, placeOf(got.after)], [true, placeOf(all.after)]);
  assert.deepEqual([placeOf(got.newest?.before ?? ''), got.newest?.isWanted], [placeOf(all.lines.at(-2)?.cursor ?? ''), false]);
});

test('in steps of few bytes nothing is told twice and nothing is left out, also over a rotation', async (t) => {
  const log = await ground(t);
  let after = await end(log);
  await appendFile(log.path, Array.from({ length: 800 }, (_, i) => `2026-11-21T02:14:07.123Z ${i % 9 === 0 ? 'ERROR' : 'INFO'} ${i} ${'y'.repeat(200)}\n`).join(''));
  await rename(log.path, `${log.path}.1`);
  await writeFile(log.path, Array.from({ length: 400 }, (_, i) => `2026-11-21T02:14:08.123Z ${i % 9 === 0 ? 'ERROR' : 'INFO'} ${i + 900} ${'y'.repeat(200)}\n`).join(''));
  const seen: string[] = [];
  let steps = 0;
  for (let complete = false; !complete && steps < 100; steps += 1) {
    const got = await since(log, after, 1);
    seen.push(...got.lines.map((line) => line.text.split(' ')[2] as string));
    ({ after, complete } = got);
  }
  assert.ok(steps > 3, `${steps}`);
  assert.deepEqual(seen.map(Number), [...Array.from({ length: 89 }, (_, i) => i * 9), ...Array.from({ length: 45 }, (_, i) => i * 9 + 900)]);
});

test('the newest entry is read again from its beginning, with what it has become', async (t) => {
  const log = await ground(t);
  const after = await end(log);
  await appendFile(log.path, 'hello\nTypeError: boom\n');
  const first = await since(log, after);
  assert.deepEqual([first.lines.map((line) => line.text), first.newest?.isWanted], [['TypeError: boom'], true]);
  await appendFile(log.path, '    at f (/a.js:1:1)\n');
  const next = await since(log, first.newest?.before ?? '');
  assert.deepEqual(next.lines.map((line) => line.text), ['TypeError: boom\n    at f (/a.js:1:1)']);
  const rest = await since(log, next.after);
  assert.deepEqual([rest.lines, rest.after, rest.newest, rest.complete], [[], next.after, undefined, true]);
});
