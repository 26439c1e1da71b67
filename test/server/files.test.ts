// Owns the proof of the routes of files over a real agent: pages, windows, conflicts, ranges, uploads that go on, zips, and who did what.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import request from 'supertest';
import { agentUnderTest, TOKEN, type AgentUnderTest } from '../support/agent.ts';
import { waitFor } from '../support/wait.ts';
import { zipBytes } from '../support/hostile-zip.ts';

let under: AgentUnderTest;
before(async () => { under = await agentUnderTest(); await mkdir(join(under.home, 'site/wwwroot'), { recursive: true }); });
after(async () => { await under.stop(); });

const auth = { authorization: `Bearer ${TOKEN}` };
const get = (path: string, query: object = {}) => request(under.app).get(`/diag/api/files${path}`).set(auth).query(query);
const post = (path: string, body: object = {}) => request(under.app).post(`/diag/api/files${path}`).set(auth).send(body);
const del = (path: string, query: object = {}) => request(under.app).delete(`/diag/api/files${path}`).set(auth).query(query);
const save = (body: object) => request(under.app).put('/diag/api/files/content').set(auth).send(body);
const lay = (path: string, content: string | Buffer) => writeFile(join(under.home, path), content);
const ended = (operation: string) => waitFor('the job to end', async () => { const { body } = await request(under.app).get(`/diag/api/operations/${operation}`).set(auth); return body.state === 'running' ? undefined : body as { state: string; note: string }; });

test('a folder is given in pages by name, and each name once', async () => {
  await mkdir(join(under.home, 'many'));
  await Promise.all(Array.from({ length: 25 }, (_, i) => lay(`many/f${String(i).padStart(2, '0')}.txt`, 'x')));
  const seen: string[] = [];
  for (let next: string | undefined, first = true; first || next !== undefined; first = false) {
    const { body } = await get('', { path: 'many', limit: 10, ...(next === undefined ? {} : { after: next }) });
    assert.equal(body.total, 25);
    seen.push(...body.entries.map((e: { name: string }) => e.name));
    next = body.next;
  }
  assert.deepEqual(seen, [...seen].sort());
  assert.equal(new Set(seen).size, 25);
  const { body } = await get('/roots');
  assert.deepEqual(body.roots.map((r: { name: string }) => r.name), ['home', 'app']);
});

test('windows cut between characters, from either end, in every encoding', async () => {
  const text = 'Zeile eins äöü\nzwei 🎉 drei\n'.repeat(50);
  const cases = { 'u8.log': Buffer.from(text), 'u8bom.log': Buffer.from(`\ufeff${text}`), 'u16.log': Buffer.from(`\ufeff${text}`, 'utf16le'), 'be.log': Buffer.from(`\ufeff${text}`, 'utf16le').swap16() };
  for (const [name, bytes] of Object.entries(cases)) {
    await lay(`many/${name}`, bytes);
    let all = '', offset = 0;
    while (offset < bytes.length) {
      const { body } = await get('/window', { path: `many/${name}`, offset, length: 37 });
      assert.equal(body.from, offset, name);
      assert.ok(body.to > offset);
      all += body.text;
      offset = body.to;
    }
    assert.equal(all, text, name);
    const { body: last } = await get('/window', { path: `many/${name}`, last: 1, length: 41 });
    assert.ok(text.endsWith(last.text) && last.text.length > 8 && last.to === bytes.length, name);
    const { body: found } = await get('/search', { path: `many/${name}`, text: '🎉 drei', offset: 30 });
    const { body: there } = await get('/window', { path: `many/${name}`, offset: found.at, length: 60 });
    assert.ok(there.text.startsWith('🎉 drei'), name);
  }
  await lay('many/latin.log', Buffer.from('Gr\u00fc\u00dfe '.repeat(20), 'latin1'));
  assert.deepEqual((({ encoding, text: t }) => [encoding, t.slice(0, 5)])((await get('/window', { path: 'many/latin.log' })).body), ['latin1', 'Grüße']);
  await lay('many/picture.bin', randomBytes(5_000));
  assert.equal((await get('/window', { path: 'many/picture.bin' })).body.encoding, 'binary');
});

test('the first and the last window of a log of 5 GB come at once', async () => {
  await lay('many/huge.log', 'first line\n'.repeat(500));
  const file = await open(join(under.home, 'many/huge.log'), 'r+');
  await file.write('the last line\n', 5 * 1024 ** 3);
  await file.close();
  const sizeBytes = 5 * 1024 ** 3 + 14;
  const { body } = await get('/window', { path: 'many/huge.log', last: 1, length: 1_000 });
  assert.deepEqual([body.to, body.sizeBytes, body.text.endsWith('\0the last line\n')], [sizeBytes, sizeBytes, true]);
  assert.ok((await get('/window', { path: 'many/huge.log' })).body.text.startsWith('first line\n'));
  assert.equal((await del('', { path: 'many/huge.log', mode: 'undo' })).body.code, 'UNDO_IMPOSSIBLE');
  assert.equal((await del('', { path: 'many/huge.log', mode: 'forever' })).body.files, 1);
});

test('a save over another version is a conflict, and names the version that is there', async () => {
  const made = await save({ path: 'many/edit.txt', text: 'one' });
  assert.deepEqual([made.status, made.body.created], [200, true]);
  assert.equal((await save({ path: 'many/edit.txt', text: 'again' })).body.code, 'FILE_EXISTS');
  const second = await save({ path: 'many/edit.txt', text: 'two', etag: made.body.etag });
  const stale = await save({ path: 'many/edit.txt', text: 'three', etag: made.body.etag });
  assert.deepEqual([stale.status, stale.body.code, stale.body.detail.includes(second.body.etag)], [412, 'FILE_CHANGED', true]);
  assert.equal(await readFile(join(under.home, 'many/edit.txt'), 'utf8'), 'two');
  const utf16 = await save({ path: 'many/u16.txt', text: 'ä', encoding: 'utf-16le', bom: true });
  assert.equal(utf16.body.sizeBytes, 4);
  assert.equal((await save({ path: 'many/l1.txt', text: '日', encoding: 'latin1' })).body.code, 'BAD_INPUT');
});

test('a file of secrets is masked in its preview until it is revealed, which is written down', async () => {
  await lay('site/wwwroot/appsettings.json', JSON.stringify({ ConnectionStrings: { Db: 'Server=x;Password=hunter2hunter2' }, ApiKey: 'abcdefgh12345678', Name: 'shop' }, undefined, 1));
  const { body } = await get('/window', { root: 'app', path: 'appsettings.json' });
  assert.ok(body.secret && body.masked >= 2 && body.text.includes('shop') && !body.text.includes('hunter2') && !body.text.includes('abcdefgh'), body.text);
  const { body: shown } = await get('/window', { root: 'app', path: 'appsettings.json', reveal: 1 });
  assert.ok(shown.text.includes('hunter2hunter2'));
  const { body: audit } = await request(under.app).get('/diag/api/audit').set(auth);
  assert.deepEqual((({ who, did, what }) => ({ who, did, what }))(audit.entries[0]), { who: 'token', did: 'reveal file', what: 'app:appsettings.json' });
});

test('a download is resumable, is never a page of ours, and the agent\'s own files are not given', async () => {
  await lay('many/page.html', '<script>alert(1)</script>');
  const whole = await get('/content', { path: 'many/page.html' });
  assert.deepEqual([whole.status, whole.headers['content-type'], whole.headers['content-security-policy'], whole.headers['content-disposition']], [200, 'application/octet-stream', "default-src 'none'; sandbox", 'attachment; filename=page.html']);
  const part = await get('/content', { path: 'many/page.html' }).set('range', 'bytes=8-').set('if-range', whole.headers['etag']!);
  assert.deepEqual([part.status, String(part.body), part.headers['content-range']], [206, 'alert(1)</script>', 'bytes 8-24/25'], String(part.headers['content-range']));
  assert.equal((await get('/content', { path: 'many/page.html' }).set('range', 'bytes=8-').set('if-range', '"other"')).status, 200);
  assert.equal((await get('/content', { path: 'many/page.html' }).set('range', 'bytes=900-')).status, 416);
  assert.equal((await get('/content', { path: 'many/page.html' }).set('if-none-match', whole.headers['etag']!)).status, 304);
  for (const path of ['data/DaaS/diag/token', 'data/DaaS/diag/alerts.json']) assert.equal((await get('/content', { path })).body.code, 'FILE_PRIVATE');
  assert.equal((await get('/content', { path: '../etc/passwd' })).body.code, 'PATH_REFUSED');
  assert.equal((await get('/content', { path: '%2e%2e/x' })).body.code, 'FILE_UNKNOWN', 'decoded once, then it is a name');
});

test('an upload goes on after a break, is checked, and comes to its place whole', async () => {
  const content = randomBytes(300_000);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const wish = { path: 'many/up/loaded.bin', sizeBytes: content.length, sha256, onlyNew: true };
  const { body: upload } = await post('/uploads', wish);
  const part = (offset: number, bytes: Buffer) => request(under.app).put(`/diag/api/files/uploads/${upload.id}`).set(auth).set('content-type', 'application/octet-stream').query({ offset }).send(bytes);
  assert.equal((await part(0, content.subarray(0, 100_000))).body.haveBytes, 100_000);
  assert.equal((await part(0, content.subarray(0, 100))).body.code, 'UPLOAD_OFFSET');
  assert.equal((await post(`/uploads/${upload.id}/finish`)).status, 202);
  const again = await post('/uploads', wish);
  assert.deepEqual([again.body.id, again.body.haveBytes], [upload.id, 100_000], 'the same begin goes on');
  await part(100_000, content.subarray(100_000));
  assert.equal((await part(300_000, Buffer.alloc(10))).body.code, 'UPLOAD_DIFFERS');
  const { body: { operation } } = await post(`/uploads/${upload.id}/finish`);
  assert.equal((await ended(operation)).state, 'done');
  assert.deepEqual(await readFile(join(under.home, 'many/up/loaded.bin')), content);
  assert.equal((await get(`/uploads/${upload.id}`)).body.code, 'UPLOAD_UNKNOWN');
  for (const [path, code] of [['../x', 'PATH_REFUSED'], ['many', 'FILE_EXISTS'], ['data/DaaS/diag/token', 'FILE_PRIVATE']] as const) assert.equal((await post('/uploads', { path, sizeBytes: 1, onlyNew: true })).body.code, code, 'refused before the bytes travel');
  const { body: wrong } = await post('/uploads', { path: 'many/w.bin', sizeBytes: 3, sha256 });
  await request(under.app).put(`/diag/api/files/uploads/${wrong.id}`).set(auth).set('content-type', 'application/octet-stream').query({ offset: 0 }).send(Buffer.from('abc'));
  const { body: bad } = await post(`/uploads/${wrong.id}/finish`);
  assert.match((await ended(bad.operation)).note, /SHA-256/);
  await del(`/uploads/${wrong.id}`);
  assert.deepEqual((await get('/uploads')).body.uploads, []);
});

test('folders, moves, the bin, zips and the use of the disk over the API', async () => {
  await post('/folder', { path: 'many/made' });
  await lay('many/made/a.txt', 'a');
  await post('/move', { path: 'many/made/a.txt', to: 'many/made/b.txt' });
  const { body: gone } = await del('', { path: 'many/made', recursive: 1 });
  assert.equal((await get('/bin')).body.binned[0].path, 'many/made');
  assert.equal((await post(`/bin/${gone.undo}`)).body.path, 'many/made');
  await lay('many/pack.zip', zipBytes([{ name: 'x/y.txt', content: 'y' }]));
  assert.equal((await ended((await post('/unzip', { path: 'many/pack.zip', to: 'many/made' })).body.operation)).note, '1 file, 1 B');
  assert.match((await ended((await post('/unzip', { path: 'many/pack.zip', to: 'many/made' })).body.operation)).note, /is there already/);
  assert.equal((await ended((await post('/copy', { path: 'many/made', to: 'many/made2' })).body.operation)).state, 'done');
  const zip = await get('/zip', { path: 'many/made2' }).buffer(true).parse((res, done) => { const all: Buffer[] = []; res.on('data', (piece: Buffer) => { all.push(piece); }); res.on('end', () => { done(null, Buffer.concat(all)); }); });
  assert.deepEqual([zip.headers['content-disposition'], (zip.body as Buffer).subarray(0, 2).toString()], ['attachment; filename=made2.zip', 'PK']);
  const { body: { operation } } = await post('/use', { path: 'many' });
  await ended(operation);
  const { body: use } = await get(`/use/${operation}`);
  assert.ok(use.whole && use.folders.some((f: { path: string }) => f.path === 'made2') && use.largest[0].path === 'up/loaded.bin', JSON.stringify(use).slice(0, 500));
});

test('further roots are named by a setting, and nothing else is', async () => {
  const { configOf } = await import('../../src/agent/config.ts');
  assert.deepEqual(configOf({ DIAG_HOME: '/x', DIAG_FILE_ROOTS: 'logs=/var/log; data = /srv/my data' }).fileRoots.map(({ name, path }) => [name, path]), [['logs', '/var/log'], ['data', '/srv/my data']]);
  for (const bad of ['logs', 'logs=relative', 'home=/x', 'Über=/x', '../x=/x']) assert.throws(() => configOf({ DIAG_HOME: '/x', DIAG_FILE_ROOTS: bad }), { code: 'BAD_INPUT' }, bad);
});
