// Owns the proof that a journal is bounded, newest first, and tells what it could not read.
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';
import { createJournal } from '../../src/store/journal.ts';

const Entry = z.object({ n: z.number(), text: z.string().optional() });

async function place(t: TestContext, maxBytes = 100_000) {
  const folder = await mkdtemp(join(tmpdir(), 'journal-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'sub', 'x.jsonl');
  return { path, folder, journal: createJournal({ path, schema: Entry, maxBytes, owner: 'i1' }) };
}

test('entries come back newest first, as many as wanted; none before the first', async (t) => {
  const { journal } = await place(t);
  assert.deepEqual(await journal.recent(5), { entries: [], unreadable: 0 });
  await Promise.all([1, 2, 3].map((n) => journal.append({ n })));
  assert.deepEqual(await journal.recent(5), { entries: [{ n: 3 }, { n: 2 }, { n: 1 }], unreadable: 0 });
  assert.deepEqual(await journal.recent(1), { entries: [{ n: 3 }], unreadable: 0 });
});

test('entries longer than one piece of reading, and texts with line ends, come back whole', async (t) => {
  const { journal } = await place(t, 3_000_000);
  const texts = ['a\nb\r\n\u2028é'.repeat(20_000), '', 'x'.repeat(65_536), 'y'];
  for (const [n, text] of texts.entries()) await journal.append({ n, text });
  assert.deepEqual((await journal.recent(9)).entries.map((e) => e.text), [...texts].reverse());
});

test('what cannot be read is counted; a torn last line does not take the next one with it', async (t) => {
  const { journal, path } = await place(t);
  await journal.append({ n: 1 });
  await appendFile(path, 'not json\n{"n":"wrong"}\n\n{"n":2}\n{"n":3,"te');
  await journal.append({ n: 4 });
  assert.deepEqual(await journal.recent(9), { entries: [{ n: 4 }, { n: 2 }, { n: 1 }], unreadable: 3 });
});

test('the file never outgrows its bound: the older half is left behind, the newest entries stay in order', async (t) => {
  const { journal, path, folder } = await place(t, 4_000);
  let most = 0;
  for (let n = 0; n < 1_000; n += 1) {
    await journal.append({ n, text: 'x'.repeat(n % 50) });
    most = Math.max(most, (await stat(path)).size);
    const { entries, unreadable } = await journal.recent(10_000);
    assert.equal(unreadable, 0);
    assert.deepEqual(entries.map((e) => e.n), Array.from({ length: entries.length }, (_, i) => n - i));
    assert.ok(n < 20 || entries.length >= 20, `${entries.length} entries left at ${n}`);
  }
  assert.ok(most <= 4_000, `${most} bytes`);
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), ['sub', join('sub', 'x.jsonl')]);
});

test('an entry that would push out the others is refused and leaves the file as it was', async (t) => {
  const { journal, path } = await place(t, 1_000);
  await journal.append({ n: 1 });
  await assert.rejects(journal.append({ n: 2, text: 'x'.repeat(200) }), { code: 'BAD_INPUT' });
  await journal.append({ n: 3 });
  assert.equal(await readFile(path, 'utf8'), '{"n":1}\n{"n":3}\n');
});

test('a file of nothing but one endless line is one unreadable line, and rotates away', async (t) => {
  const { journal, path } = await place(t, 1_000);
  await journal.append({ n: 1 });
  await writeFile(path, 'x'.repeat(999));
  assert.deepEqual(await journal.recent(9), { entries: [], unreadable: 1 });
  await journal.append({ n: 2 });
  assert.deepEqual(await journal.recent(9), { entries: [{ n: 2 }], unreadable: 0 });
});

test('of a file beyond its bound, which we cannot have written, only the end is read', async (t) => {
  const { journal, path } = await place(t, 4_000);
  await journal.append({ n: 1 });
  await truncate(path, 2 ** 34);
  await appendFile(path, '\n{"n":2}\n');
  assert.deepEqual((await journal.recent(9)).entries, [{ n: 2 }]);
  await journal.append({ n: 3 });
  assert.deepEqual((await journal.recent(9)).entries, [{ n: 3 }, { n: 2 }]);
  assert.ok((await stat(path)).size <= 4_000);
});
