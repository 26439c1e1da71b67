// Owns the tests of what several agents of one instance share: one history that one of them writes, and journals that all append to.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';
import { openHistoryOf } from '../../src/store/history.ts';
import { createJournal } from '../../src/store/journal.ts';
import { createLosses } from '../../src/store/losses.ts';
import type { History } from '../../src/store/store.ts';
import { FakeClock, START_AT } from '../support/fake-clock.ts';

interface Agents { readonly folder: string; readonly clock: FakeClock; open(leads: () => boolean): Promise<History> }

async function agents(t: TestContext): Promise<Agents> {
  const folder = await mkdtemp(join(tmpdir(), 'shared-'));
  const clock = new FakeClock();
  const opened: History[] = [];
  t.after(async () => { for (const one of opened) await one.close(); await rm(folder, { recursive: true, force: true }); });
  return { folder, clock, async open(leads) { const one = await openHistoryOf({ folder, instance: 'a1b2c3', clock, losses: createLosses(), keptTracks: 24, leads }); opened.push(one); return one; } };
}

const WORKER = { pid: 4120, startedAt: START_AT - 60_000 };
const cpu = async (history: History, now: number): Promise<(number | null)[]> => (await history.read({ metrics: ['site.cpu'], from: START_AT, to: START_AT + 3_000, points: 10, now })).series[0]?.values ?? [];

test('who does not lead reads what is flushed, with processes that came since, and writes nothing', async (t) => {
  const { folder, clock, open } = await agents(t);
  const leading = await open(() => true);
  const reading = await open(() => false);
  leading.write(1_000, { at: START_AT, values: { 'site.cpu': 10 } });
  leading.write(1_000, { at: START_AT, process: WORKER, values: { 'process.cpu': 7 } });
  reading.write(1_000, { at: START_AT + 1_000, values: { 'site.cpu': 99 } });
  await reading.flush();
  assert.deepEqual(await readdir(folder), [], 'it made no file');
  await leading.flush();
  await clock.advance(3_000);
  assert.deepEqual(await reading.tracks(START_AT - 1, START_AT + 1), []);
  await reading.look();
  assert.deepEqual(await cpu(reading, clock.now()), [10, null, null, null]);
  assert.deepEqual(await reading.tracks(START_AT - 1, START_AT + 1), [WORKER]);
  leading.write(1_000, { at: START_AT + 2_000, values: { 'site.cpu': 30 } });
  await leading.flush();
  assert.deepEqual(await cpu(reading, clock.now()), [10, null, 30, null], 'without another look');
});

test('who only reads removes nothing that the other is making, and sets nothing aside', async (t) => {
  const { folder, open } = await agents(t);
  const leading = await open(() => true);
  leading.write(1_000, { at: START_AT, values: { 'site.cpu': 10 } });
  await leading.flush();
  await writeFile(join(folder, 'p1-2.history.tmp'), 'half made');
  await writeFile(join(folder, 'p3-4.history'), 'torn');
  const reading = await open(() => false);
  await reading.look();
  assert.deepEqual((await readdir(folder)).sort(), ['p1-2.history.tmp', 'p3-4.history', 'site.history']);
});

test('after the lead has changed the new one goes on in the same files, and what the old one still held is dropped', async (t) => {
  const { folder, clock, open } = await agents(t);
  let first = true;
  const [a, b] = [await open(() => first), await open(() => !first)];
  a.write(1_000, { at: START_AT, values: { 'site.cpu': 1 } });
  await a.flush();
  a.write(1_000, { at: START_AT + 1_000, values: { 'site.cpu': 2 } });
  first = false;                                               // a hung; b took over
  await b.reopen();
  b.write(1_000, { at: START_AT + 2_000, values: { 'site.cpu': 3 } });
  await b.flush();
  await a.flush();
  await a.reopen();
  await clock.advance(3_000);
  for (const one of [a, b]) assert.deepEqual(await cpu(one, clock.now()), [1, null, 3, null]);
  assert.deepEqual(await readdir(folder), ['site.history']);
});

test('two agents append to one journal, and the leading one shortens it: nothing is torn, the order of each is kept, the last of both is there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'journals-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'x.jsonl');
  const Entry = z.object({ by: z.string(), n: z.number() });
  const open = (owner: string) => createJournal({ path, schema: Entry, maxBytes: 4_000, owner, leads: () => owner === 'a' });
  const both = { a: open('a'), b: open('b') };
  await Promise.all((['a', 'b'] as const).map(async (by) => { for (let n = 0; n < 400; n += 1) await both[by].append({ by, n }); }));
  for (const by of ['b', 'a'] as const) await both[by].append({ by, n: 1_000 });
  const { entries, unreadable } = await both.b.recent(1_000);
  assert.equal(unreadable, 0);
  assert.deepEqual(entries.slice(0, 2), [{ by: 'a', n: 1_000 }, { by: 'b', n: 1_000 }]);
  for (const by of ['a', 'b']) {
    const numbers = entries.filter((one) => one.by === by).map((one) => one.n);
    assert.deepEqual(numbers, [...numbers].sort((x, y) => y - x), by);
  }
  assert.ok((await stat(path)).size <= 4_000);
  assert.deepEqual(await readdir(folder), ['x.jsonl'], 'nothing half made is left');
});
