// Owns the proof that artifacts are whole, hashed, found again, and never outside their folder or beyond the room.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import type { ArtifactRef } from '../../src/shared/model.ts';
import { session, storeAt, type Here } from './open-here.ts';

async function place(t: TestContext, here: Omit<Here, 'home'> = {}) {
  const top = await mkdtemp(join(tmpdir(), 'artifacts-'));
  t.after(() => rm(top, { recursive: true, force: true }));
  const home = join(top, 'home');
  const opened = await storeAt({ home, ...here });
  const id = await opened.store.sessions.nextId();
  await opened.store.sessions.save(session(id, opened.clock.now()));
  return { ...opened, top, home, id, folder: join(home, 'data/DaaS/Logs', id, 'a1b2c3'), writer: opened.store.artifacts.writer(id) };
}

const sha = (content: string): string => createHash('sha256').update(content).digest('hex');

test('a draft becomes an artifact: hashed, listed, readable whole and in part; before that there is nothing', async (t) => {
  const { store, writer, id, folder } = await place(t);
  const draft = await writer.draft('application-log', 'app.log');
  await writeFile(draft.path, '0123456789');
  assert.deepEqual([await store.artifacts.list(id), await readdir(folder).catch(() => [])], [[], []]);
  const ref = await draft.commit({ masked: 2, note: 'cut' });
  const expected: ArtifactRef = { session: id, instance: 'a1b2c3', kind: 'application-log', name: 'app.log', bytes: 10, sha256: sha('0123456789'), masked: 2, note: 'cut' };
  assert.deepEqual([ref, writer.refs, await store.artifacts.list(id)], [expected, [expected], [expected]]);
  assert.equal(await store.artifacts.path(ref), join(folder, 'app.log'));
  assert.equal(await text(await store.artifacts.open(ref)), '0123456789');
  assert.equal(await text(await store.artifacts.open(ref, { start: 3, end: 5 })), '345');
  await draft.discard();
  assert.equal((await store.artifacts.list(id)).length, 1);
});

test('a streamed draft is whole even when the writer did not end it, and may change its kind', async (t) => {
  const { store, writer } = await place(t);
  const draft = await writer.draft('core-dump', 'dump');
  const stream = draft.stream();
  for (let i = 0; i < 50; i += 1) if (!stream.write('x'.repeat(100_000))) await once(stream, 'drain');
  const ref = await draft.commit({ kind: 'minidump' });
  assert.deepEqual([ref.bytes, ref.kind, ref.sha256], [5_000_000, 'minidump', sha('x'.repeat(5_000_000))]);
  assert.equal((await store.artifacts.room()).usedBytes >= 5_000_000, true);
});

test('a discarded or failed draft leaves nothing, on the local disk neither', async (t) => {
  const { writer, store, id, top } = await place(t);
  const discarded = await writer.draft('php-log', 'a');
  discarded.stream().write('x');
  await discarded.discard();
  await discarded.discard();
  const empty = await writer.draft('php-log', 'b');
  await assert.rejects(empty.commit(), { code: 'ENOENT' });               // nobody wrote it
  await assert.rejects(empty.commit(), { code: 'INTERNAL' });
  assert.deepEqual([await store.artifacts.list(id), (await readdir(join(top, 'temp'), { recursive: true })).length], [[], 1]);
});

test('a taken name gets a number, also while both are drafts and where only case differs', async (t) => {
  const { writer } = await place(t);
  const drafts = [];
  for (const name of ['log.txt', 'log.txt', 'LOG.TXT', 'x.tar.gz', 'x.tar.gz']) {
    const draft = await writer.draft('php-log', name);
    await writeFile(draft.path, name);
    drafts.push(draft);
  }
  const names = [];
  for (const draft of drafts) names.push((await draft.commit()).name);
  assert.deepEqual(names, ['log.txt', 'log-2.txt', 'LOG-3.TXT', 'x.tar.gz', 'x-2.tar.gz']);
  const again = await writer.draft('php-log', 'log.txt');
  await writeFile(again.path, '');
  assert.equal((await again.commit()).name, 'log-3.txt'.replace('3', '4'));
});

const HOSTILE = ['', '.', '..', '../x', 'a/b', 'a\\b', '/etc/passwd', 'C:\\x', 'C:x', 'x:stream', 'CON', 'con.txt', 'nul', 'LPT1.log', 'x.', 'x ', ' x', 'a b', '.hidden', '-rf', 'x\0', 'x\n', 'é', '%2e%2e', 'x.tmp', 'artifacts.jsonl', 'ARTIFACTS.JSONL', 'x'.repeat(121), '~1', '*', '?'];

test('hostile names are refused when writing and unknown when reading', async (t) => {
  const { writer, store, id } = await place(t);
  for (const name of HOSTILE) {
    await assert.rejects(writer.draft('php-log', name), { code: 'BAD_INPUT' }, JSON.stringify(name));
    await assert.rejects(store.artifacts.path({ session: id, instance: 'a1b2c3', name }), { code: 'ARTIFACT_UNKNOWN' });
    await assert.rejects(store.artifacts.open({ session: id, instance: name, name: 'x' }), { code: 'ARTIFACT_UNKNOWN' });
    await assert.rejects(store.artifacts.path({ session: name, instance: 'a1b2c3', name: 'x' }), { code: 'SESSION_UNKNOWN' });
  }
});

test('what we did not commit is not served: foreign files, links, a file that changed its size', async (t) => {
  const { writer, store, id, folder } = await place(t);
  for (const name of ['kept', 'changed', 'linked']) {
    const draft = await writer.draft('php-log', name);
    await writeFile(draft.path, name);
    await draft.commit();
  }
  await writeFile(join(folder, 'foreign'), 'x');
  await appendFile(join(folder, 'changed'), 'more');
  await rm(join(folder, 'linked'));
  await writeFile(join(folder, 'target'), 'secret');                      // of the size that the list says
  await symlink(join(folder, 'target'), join(folder, 'linked'));
  assert.deepEqual((await store.artifacts.list(id)).map((r) => r.name), ['kept']);
  for (const name of ['foreign', 'changed', 'linked']) await assert.rejects(store.artifacts.path({ session: id, instance: 'a1b2c3', name }), { code: 'ARTIFACT_UNKNOWN' });
});

test('a list that says more than there is (killed before the move) shows what is there', async (t) => {
  const { writer, store, id, folder } = await place(t);
  const draft = await writer.draft('php-log', 'x');
  await writeFile(draft.path, 'x');
  const ref = await draft.commit();
  await appendFile(join(folder, 'artifacts.jsonl'), `${JSON.stringify({ ...ref, name: 'never-moved' })}\n{"torn`);
  assert.deepEqual(await store.artifacts.list(id), [ref]);
  const next = await writer.draft('php-log', 'never-moved');
  await writeFile(next.path, 'y');
  const second = await next.commit();
  assert.deepEqual(await store.artifacts.list(id), [ref, second]);
});

test('the room: a fifth of a small disk, and a reserve for the site that depends on the disk', async (t) => {
  const GIB = 2 ** 30, MIB = 2 ** 20;
  const { store, platform } = await place(t, { limits: { artifactBytes: 300 * MIB } });     // small, so that the real local disk has it
  const host = (freeBytes: number, totalBytes: number): void => { platform.setHostUsage({ cores: 1, diskFreeBytes: freeBytes, diskTotalBytes: totalBytes }); };
  const table: readonly (readonly [string, number, number, number, number])[] = [
    // what, free, total → limit, most that fits
    ['a free plan\'s gigabyte, empty', GIB, GIB, Math.floor(GIB / 5), Math.floor(GIB / 5)],
    ['a gigabyte, nearly full', 150 * MIB, GIB, Math.floor(GIB / 5), Math.floor(150 * MIB - GIB * 0.1)],
    ['ten gigabytes', 9 * GIB, 10 * GIB, 300 * MIB, 300 * MIB],
    ['ten gigabytes, little left', 400 * MIB, 10 * GIB, 300 * MIB, 144 * MIB],
    ['250 gigabytes', 240 * GIB, 250 * GIB, 300 * MIB, 300 * MIB],
    ['250 gigabytes, 2 % and a little left', 5 * GIB + 100 * MIB, 250 * GIB, 300 * MIB, 100 * MIB],
    ['full', 0, 10 * GIB, 300 * MIB, -1],
  ];
  for (const [what, freeBytes, totalBytes, limitBytes, fits] of table) {
    host(freeBytes, totalBytes);
    assert.deepEqual(await store.artifacts.room(), { usedBytes: 0, limitBytes, freeBytes }, what);
    if (fits >= 0) await store.artifacts.demand('A dump', fits);
    await assert.rejects(store.artifacts.demand('A dump', fits + 1), (error: { code: string; message: string; facts: object }) => {
      assert.deepEqual([error.code, error.facts], ['NO_ROOM', { what: 'A dump', needBytes: fits + 1, freeBytes: Math.max(0, fits) }], what);
      return true;
    });
  }
});

test('without a setting the limit is 4 GiB, on a small disk a fifth of it', async (t) => {
  const { store, platform } = await place(t);
  for (const [totalGib, limitGib] of [[10, 2], [20, 4], [500, 4]] as const) {
    platform.setHostUsage({ cores: 1, diskFreeBytes: 2 ** 30, diskTotalBytes: totalGib * 2 ** 30 });
    assert.equal((await store.artifacts.room()).limitBytes, limitGib * 2 ** 30);
  }
});

test('the quota refuses before the work where the need is known, and at the end where it was not', async (t) => {
  const { store, writer, id, top } = await place(t, { limits: { artifactBytes: 1_000 } });
  await assert.rejects(writer.draft('core-dump', 'dump', 1_001), { code: 'NO_ROOM' });
  const first = await writer.draft('php-log', 'a', 600);
  await writeFile(first.path, 'x'.repeat(600));
  await first.commit();
  assert.deepEqual(await store.artifacts.room().then((r) => [r.usedBytes >= 600, r.limitBytes]), [true, 1_000]);
  const second = await writer.draft('php-log', 'b');
  await writeFile(second.path, 'x'.repeat(600));
  await assert.rejects(second.commit(), { code: 'NO_ROOM' });
  assert.deepEqual((await store.artifacts.list(id)).map((r) => r.name), ['a']);
  assert.deepEqual((await readdir(join(top, 'temp'), { recursive: true })).length, 1);
});

test('used bytes count our sessions only, those of other instances too, and what changed meanwhile after a while', async (t) => {
  const { store, home, id, clock } = await place(t);
  const used = async (): Promise<number> => (await store.artifacts.room()).usedBytes;
  assert.equal(await used(), 0);
  await mkdir(join(home, 'data/DaaS/Logs/230101_0000000000/RD000'), { recursive: true });
  await writeFile(join(home, 'data/DaaS/Logs/230101_0000000000/RD000/other.dmp'), 'x'.repeat(5_000));     // the platform's DaaS
  await mkdir(join(home, 'data/DaaS/Logs', id, 'other1'), { recursive: true });
  await writeFile(join(home, 'data/DaaS/Logs', id, 'other1', 'x'), 'x'.repeat(700));
  assert.equal(await used(), 0);
  await clock.advance(61_000);
  assert.equal(await used(), 700);
  assert.equal((await readFile(join(home, 'data/DaaS/Logs/230101_0000000000/RD000/other.dmp'))).length, 5_000);
});

test('a stray file, or a link to a folder elsewhere, among the instances of a session is no instance', async (t) => {
  const { store, writer, id, top, home } = await place(t);
  const draft = await writer.draft('application-log', 'app.log');
  await writeFile(draft.path, 'x');
  const ref = await draft.commit();
  const logs = join(home, 'data/DaaS/Logs', id);
  await writeFile(join(logs, 'notes.txt'), 'by hand');
  const elsewhere = join(top, 'elsewhere');
  await mkdir(elsewhere);
  await writeFile(join(elsewhere, 'secret'), 'y');
  await writeFile(join(elsewhere, 'artifacts.jsonl'), `${JSON.stringify({ ...ref, instance: 'linked', name: 'secret' })}\n`);
  await symlink(elsewhere, join(logs, 'linked'));
  assert.deepEqual(await store.artifacts.list(id), [ref]);
  await assert.rejects(store.artifacts.path({ session: id, instance: 'linked', name: 'secret' }), { code: 'ARTIFACT_UNKNOWN' });
  await assert.rejects(store.artifacts.path({ session: id, instance: 'notes.txt', name: 'x' }), { code: 'ARTIFACT_UNKNOWN' });
});

test('a file where a session keeps its folder does not hide the room', async (t) => {
  const { store, id, home } = await place(t);
  await mkdir(join(home, 'data/DaaS/Reports'), { recursive: true });
  await writeFile(join(home, 'data/DaaS/Reports', id), 'by hand');
  assert.ok((await store.artifacts.room()).usedBytes >= 0);
});
