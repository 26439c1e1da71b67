// The live path's own promises: entries at once, masked whole, one level wherever they are read, counted where they are left out, found without notices.
import assert from 'node:assert/strict';
import { appendFile, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { lineMaskOf } from '../../../src/agent/line-mask.ts';
import { makeMasker } from '../../../src/analyze/masker.ts';
import { judge, readEntries } from '../../../src/observe/logs/entries.ts';
import { followLog, type FollowOptions } from '../../../src/observe/logs/follow.ts';
import type { Log } from '../../../src/observe/logs/log.ts';
import { levelAt, quickLevel } from '../../../src/observe/logs/quick-level.ts';
import { Tails } from '../../../src/observe/logs/tails.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import type { LogItem } from '../../../src/shared/live.ts';
import { followed, takeText, TestSink } from '../../support/followed.ts';
import { waitFor } from '../../support/wait.ts';

interface Watched { readonly texts: string[]; readonly items: LogItem[]; passed: number; cursor: string }
const masker = makeMasker([{ name: 'API_KEY', value: 'known-value-1234' } as never]);

async function ground(t: TestContext): Promise<{ folder: string; log: Log; tails: Tails; watch(options?: Omit<FollowOptions, 'signal' | 'sink'>): Promise<Watched> }> {
  const folder = await mkdtemp(join(tmpdir(), 'live-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const log: Log = { source: 'abc', path: join(folder, 'app.log'), roots: [folder] };
  await writeFile(log.path, '');
  const tails = new Tails(systemClock, lineMaskOf(() => masker));
  const watch = async (options: Omit<FollowOptions, 'signal' | 'sink'> = {}): Promise<Watched> => {
    const end = new AbortController();
    const got: Watched = { texts: [], items: [], passed: 0, cursor: '' };
    const running = (async () => {
      for await (const batch of followed((sink) => followLog(log, { ...options, signal: end.signal, sink }, tails, systemClock), end.signal)) {
        got.passed += batch.passed;
        got.cursor = batch.cursor;
        got.items.push(...batch.items);
        takeText(batch.items, got.texts);
      }
    })();
    t.after(async () => { end.abort(); await running; });
    await waitFor('the first batch', () => got.cursor !== '');
    return got;
  };
  return { folder, log, tails, watch };
}

test('an entry is sent without waiting for its end; what goes on it is joined, with the level of the whole', async (t) => {
  const { log, watch } = await ground(t);
  const got = await watch();
  await appendFile(log.path, 'Something went wrong\n');
  await waitFor('the line', () => got.texts.length === 1);
  await appendFile(log.path, '    at a (/a.js:1:2)\n\n    at b (/b.js:1:2)\n');
  await appendFile(log.path, 'next\n');
  await waitFor('the next line', () => got.texts.includes('next'));
  assert.deepEqual(got.texts, ['Something went wrong\n    at a (/a.js:1:2)\n\n    at b (/b.js:1:2)', 'next']);
  assert.ok(got.items.some((item) => 'more' in item));
});

test('secrets are masked whole, whatever pieces the log is written in', async (t) => {
  const pem = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7', 'VJTUt9Us8cKjMzEfYyjiWA4R4ypbHqGC0H0+tG3hGbN3MCeP', '-----END PRIVATE KEY-----'];
  const text = ['INFO start', ...pem, 'INFO rawHeaders: [', "  'Host', 'x', 'Cookie',", "  'sid=topsecret1'", ']', 'INFO <password>', '  topsecret2', '  </password>', 'a Password=topsecret3; b', 'the value known-value-1234 here', '{"apiKey":12345678,"time":1795227247000,"level":30}', 'INFO end', ''].join('\n');
  for (const size of [1_000_000, 37, 7]) {
    const { log, watch } = await ground(t);
    const got = await watch();
    for (let at = 0; at < text.length; at += size) await appendFile(log.path, text.slice(at, at + size));
    await waitFor(`the end, written by ${size}`, () => got.texts.includes('INFO end'));
    const shown = got.texts.join('\n');
    for (const secret of ['MIIEvQ', 'VJTUt9', 'topsecret1', 'topsecret3', 'known-value', '12345678,']) assert.ok(!shown.includes(secret), `${secret} is shown, written by ${size}:\n${shown}`);
    if (size > 1_000) assert.ok(!shown.includes('topsecret2'), shown);
    const json = got.items.find((item) => 'line' in item && item.line.text.includes('"apiKey"'));
    assert.equal(json && 'line' in json ? json.line.at : undefined, 1_795_227_247_000, 'the instant of a line that is JSON no more');
  }
});

test('the quick look at a level says what the long one does', async () => {
  const stamps = ['2026-11-21T02:14:07.123Z', '2026-11-21 02:14:07,123', '2026-11-21T02:14:07+01:00', '2026-11-21 02:14:07', '{"level":30,"time":1}', '{"level":"warn","msg":"x"}', '{"level":55,"x":2}', 'plain'];
  const rests = [' INFO x', ' [main] WARN  c.Shop - slow', ' [ERROR] y', ' - shop - ERROR - z', ' DEBUG: q', ' PID[12] Error x', ' GET /x 200 0 0', ' nothing', ' Error: boom', ' [x] [y] INFO', ' Fatal error', ''];
  for (const text of stamps.flatMap((stamp) => rests.map((rest) => stamp + rest))) {
    const bytes = Buffer.from(text);
    const quick = quickLevel(bytes, 0, bytes.length);
    if (quick !== -1) assert.equal(levelAt(quick), judge(text).level, text);
    const read: string[] = [];
    for await (const line of readEntries((async function* () { yield Buffer.from(`${text}\n`); })(), 's')) read.push(line.level);
    assert.deepEqual(read, [judge(text).level]);
  }
});

test('two who ask for the same share a channel; each filter is answered by itself, to the entry', async (t) => {
  const { log, watch, tails } = await ground(t);
  const [all, again, errors, text, not] = [await watch(), await watch(), await watch({ filter: { levels: ['error', 'fatal'] } }), await watch({ filter: { text: 'CART', ignoreCase: true } }), await watch({ filter: { text: 'cart', not: true } })];
  assert.equal(tails.count, 1);
  const lines = Array.from({ length: 3_000 }, (_, i) => `2026-11-21T02:14:07.123Z ${i % 10 === 0 ? 'ERROR' : 'INFO'} ${i % 7 === 0 ? 'cart' : 'order'} ${i}`);
  for (let i = 0; i < lines.length; i += 500) await appendFile(log.path, `${lines.slice(i, i + 500).join('\n')}\n`);
  await waitFor('all lines', () => all.texts.length === 3_000 && again.texts.length === 3_000);
  await waitFor('all counts', () => [errors, text, not].every((one) => one.texts.length + one.passed === 3_000));
  assert.deepEqual([all.texts, again.texts], [lines, lines]);
  assert.deepEqual(errors.texts, lines.filter((_, i) => i % 10 === 0));
  assert.deepEqual(text.texts, lines.filter((_, i) => i % 7 === 0));
  assert.deepEqual(not.texts, lines.filter((_, i) => i % 7 !== 0));
});

test('where no notice comes, the log is looked at: written through another folder, every line arrives', async (t) => {
  const { folder, log, watch } = await ground(t);
  const got = await watch();
  await mkdir(join(folder, 'other'));
  const other = join(folder, 'other', 'same.log');
  await link(log.path, other);
  for (let i = 0; i < 6; i += 1) {
    await appendFile(other, `line ${i}\n`);
    await waitFor(`line ${i}`, () => got.texts.includes(`line ${i}`));
  }
  assert.equal(got.texts.length, 6);
});

test('who was idle for long and reads in time loses nothing when much comes at once', async (t) => {
  const { log, tails } = await ground(t);
  const end = new AbortController();
  const sink = new TestSink();
  sink.stalled = true;
  const clock = Object.create(systemClock, { monotonic: { value: () => systemClock.monotonic() + late } }) as typeof systemClock;
  let late = 0;
  const own = new Tails(clock, tails.mask);
  const running = followLog(log, { last: 0, signal: end.signal, sink }, own, clock);
  t.after(async () => { end.abort(); await running; });
  await waitFor('the first batch', () => sink.got.length > 0);
  late = 60_000;                                               // a minute later
  const lines = Array.from({ length: 120_000 }, (_, i) => `2026-11-21T02:14:07.123Z INFO order ${i} ${'x'.repeat(40)}`);
  const writing = (async () => { for (let i = 0; i < lines.length; i += 4_000) await appendFile(log.path, `${lines.slice(i, i + 4_000).join('\n')}\n`); })();
  let got = 0;
  await waitFor('every line', () => {
    sink.resume();
    sink.stalled = true;
    for (let batch = sink.got.shift(); batch !== undefined; batch = sink.got.shift()) { got += batch.items.length; assert.equal(batch.dropped, 0); }
    return got === lines.length;
  });
  await writing;
});

test('memory of frames that is used again is never that of a frame somebody still waits for', async (t) => {
  const { log, tails } = await ground(t);
  const end = new AbortController();
  const sinks = [new TestSink(), new TestSink()] as const;
  const running = sinks.map((sink) => followLog(log, { last: 0, signal: end.signal, sink }, tails, systemClock));
  t.after(async () => { end.abort(); await Promise.all(running); });
  await waitFor('both', () => sinks.every((sink) => sink.got.length > 0));
  const [quick, slow] = sinks;
  const numbers = ({ got }: TestSink): number[] => got.flatMap(({ items }) => items.flatMap((item) => ('line' in item && item.line.text === lineOf(Number(item.line.text.slice(0, 6))) ? [Number(item.line.text.slice(0, 6))] : [-1])));
  const lost = ({ got }: TestSink): number => got.reduce((sum, batch) => sum + (batch.droppedLines ?? 0), 0);
  slow.stalled = true;
  for (let round = 0; round < ROUNDS; round += 1) {
    await appendFile(log.path, Array.from({ length: ROUND_LINES }, (_, i) => `${lineOf(round * ROUND_LINES + i)}\n`).join(''));
    await waitFor('the quick one', () => numbers(quick).length >= (round + 1) * ROUND_LINES);
  }
  slow.resume();
  await appendFile(log.path, `${lineOf(ROUNDS * ROUND_LINES)}\n`);
  await waitFor('the slow one', () => numbers(slow).includes(ROUNDS * ROUND_LINES));
  assert.deepEqual(numbers(quick), Array.from({ length: numbers(quick).length }, (_, i) => i));
  const seen = numbers(slow);
  assert.ok(seen.every((n, i) => n >= 0 && (i === 0 || n > (seen[i - 1] as number))), 'each line once, whole and in order');
  assert.equal(seen.length + lost(slow), ROUNDS * ROUND_LINES + 1);
  assert.ok(lost(slow) > 0);
});

const ROUNDS = 12;
const ROUND_LINES = 5_000;
const lineOf = (n: number): string => `${String(n).padStart(6, '0')} ${'x'.repeat(120 + (n % 7))}`;
