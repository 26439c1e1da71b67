// Owns the tests of Kudu's addresses as its documentation and its own tests tell them: files, zips, processes, dumps and profiles of a real agent.
import assert from 'node:assert/strict';
import { mkdir, readdir, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import supertest from 'supertest';
import { createApp } from '../../../src/server/app.ts';
import { createGuard } from '../../../src/server/guard.ts';
import { TOKEN } from '../../support/agent.ts';
import { kuduUnderTest, type Asked, type KuduUnderTest } from '../../support/kudu.ts';
import { waitFor } from '../../support/wait.ts';

let kudu: KuduUnderTest;
let root: string;
const VFS = '/api/vfs/site/wwwroot';

before(async () => {
  kudu = await kuduUnderTest({ nodeOptions: ['--inspect-port=0'], variables: { SCM_COMMAND_IDLE_TIMEOUT: '1' } });
  root = join(kudu.home, 'site/wwwroot');
  await mkdir(join(root, 'full/below'), { recursive: true });
  await mkdir(join(root, 'empty'));
  await writeFile(join(root, 'file.txt'), '0123456789');
  await writeFile(join(root, 'full/one.json'), '{}');
  await utimes(join(root, 'file.txt'), new Date(1_700_000_000_000), new Date(1_700_000_000_000));
  await symlink('/etc/passwd', join(root, 'link.txt'));
});
after(async () => { await kudu.stop(); });

const etagOf = async (path: string): Promise<string> => (await kudu.ask(path, { method: 'HEAD' })).headers.get('etag') ?? '';

interface Row {
  readonly says: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string> | (() => Promise<Record<string, string>>);
  readonly body?: string;
  readonly status: number;
  readonly see?: (answer: Asked) => void | Promise<void>;
}
const location = (to: string) => (answer: Asked): void => { assert.equal(answer.headers.get('location'), `${kudu.origin}${to}`); };
const text = (wanted: string) => (answer: Asked): void => { assert.equal(answer.text, wanted); };
const fault = (type: string) => (answer: Asked): void => {
  const body = answer.json() as Record<string, string>;
  assert.deepEqual(Object.keys(body), ['Message', 'ExceptionMessage', 'ExceptionType']);
  assert.equal(body['ExceptionType'], type, answer.text);
  assert.ok(!/\bat .*\.ts:\d+/.test(answer.text), answer.text);
};
const current = async (): Promise<Record<string, string>> => ({ 'if-match': await etagOf(`${VFS}/file.txt`) });

/** In order: a row may change what the next one meets. */
const ROWS: readonly Row[] = [
  { says: 'what is not there', path: `${VFS}/nothing.txt`, status: 404, see: fault('FILE_UNKNOWN') },
  { says: 'a folder without its slash', path: `${VFS}/full?x=1`, status: 307, see: location(`${VFS}/full/?x=1`) },
  { says: 'a file with a slash', path: `${VFS}/file.txt/`, status: 307, see: location(`${VFS}/file.txt`) },
  { says: 'a folder', path: `${VFS}/full/`, status: 200, see: (answer) => {
    const listed = answer.json() as Record<string, unknown>[];
    assert.deepEqual(listed.map(({ name, size, mime, href, path }) => ({ name, size, mime, href, path })), [
      { name: 'below', size: 0, mime: 'inode/directory', href: `${kudu.origin}${VFS}/full/below/`, path: join(root, 'full/below') },
      { name: 'one.json', size: 2, mime: 'application/json', href: `${kudu.origin}${VFS}/full/one.json`, path: join(root, 'full/one.json') },
    ]);
    for (const one of listed) for (const time of ['mtime', 'crtime']) assert.ok(Number.isFinite(Date.parse(String(one[time]))), time);
  } },
  { says: 'a file, with a strong ETag and its time', path: `${VFS}/file.txt`, status: 200, see: (answer) => {
    assert.equal(answer.text, '0123456789');
    assert.match(answer.headers.get('etag') ?? '', /^"[^"]+"$/);
    assert.equal(answer.headers.get('last-modified'), new Date(1_700_000_000_000).toUTCString());
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.match(answer.headers.get('content-security-policy') ?? '', /^sandbox/);
  } },
  { says: 'HEAD has no body', method: 'HEAD', path: `${VFS}/file.txt`, status: 200, see: (answer) => { assert.equal(answer.headers.get('content-length'), '10'); assert.equal(answer.text, ''); } },
  { says: 'the version that one has', path: `${VFS}/file.txt`, headers: async () => ({ 'if-none-match': await etagOf(`${VFS}/file.txt`) }), status: 304, see: text('') },
  { says: 'another version', path: `${VFS}/file.txt`, headers: { 'if-none-match': '"other"' }, status: 200 },
  { says: 'a part of the version that is there', path: `${VFS}/file.txt`, headers: async () => ({ range: 'bytes=2-4', 'if-range': await etagOf(`${VFS}/file.txt`) }), status: 206, see: (answer) => { assert.equal(answer.text, '234'); assert.equal(answer.headers.get('content-range'), 'bytes 2-4/10'); } },
  { says: 'a part of another version is the whole', path: `${VFS}/file.txt`, headers: { range: 'bytes=2-4', 'if-range': '"other"' }, status: 200, see: text('0123456789') },
  { says: 'the end of a file', path: `${VFS}/file.txt`, headers: { range: 'bytes=-3' }, status: 206, see: text('789') },
  { says: 'from a place on, beyond the end', path: `${VFS}/file.txt`, headers: { range: 'bytes=8-99' }, status: 206, see: text('89') },
  { says: 'a part outside', path: `${VFS}/file.txt`, headers: { range: 'bytes=10-' }, status: 416, see: (answer) => { fault('RANGE_BAD')(answer); assert.equal(answer.headers.get('content-range'), 'bytes */10'); } },
  { says: 'a part that is none', path: `${VFS}/file.txt`, headers: { range: 'bytes=4-2' }, status: 416 },
  { says: 'several parts at once are the whole', path: `${VFS}/file.txt`, headers: { range: 'bytes=0-1,3-4' }, status: 200 },
  { says: 'a new file, with the folders above it', method: 'PUT', path: `${VFS}/made/here/new.txt`, body: 'new', status: 201, see: (answer) => { assert.match(answer.headers.get('etag') ?? '', /^"/); } },
  { says: 'a new file although a version was named', method: 'PUT', path: `${VFS}/made/here/other.txt`, headers: { 'if-match': '"any"' }, body: '', status: 201 },
  { says: 'a new folder', method: 'PUT', path: `${VFS}/made/folder/`, status: 201, see: async () => { assert.ok((await stat(join(root, 'made/folder'))).isDirectory()); } },
  { says: 'a folder that is there', method: 'PUT', path: `${VFS}/made/folder/`, status: 409, see: fault('FILE_KIND') },
  { says: 'a file over a folder', method: 'PUT', path: `${VFS}/made/folder`, body: 'x', status: 409 },
  { says: 'over a file without a version', method: 'PUT', path: `${VFS}/file.txt`, body: 'x', status: 412, see: async (answer) => { fault('FILE_CHANGED')(answer); assert.equal(answer.headers.get('etag'), await etagOf(`${VFS}/file.txt`)); } },
  { says: 'over a file with a stale version', method: 'PUT', path: `${VFS}/file.txt`, headers: { 'if-match': '"stale"' }, body: 'x', status: 412, see: async (answer) => { assert.equal(answer.headers.get('etag'), await etagOf(`${VFS}/file.txt`)); } },
  { says: 'over a file with a weak version', method: 'PUT', path: `${VFS}/file.txt`, headers: async () => ({ 'if-match': `W/${await etagOf(`${VFS}/file.txt`)}` }), body: 'x', status: 412 },
  { says: 'over the version that is there', method: 'PUT', path: `${VFS}/file.txt`, headers: async () => ({ 'if-match': `"a", ${(await current())['if-match'] ?? ''}` }), body: 'second', status: 204 },
  { says: 'it is the second', path: `${VFS}/file.txt`, status: 200, see: text('second') },
  { says: 'over any version', method: 'PUT', path: `${VFS}/file.txt`, headers: { 'if-match': '*' }, body: 'third', status: 204, see: async (answer) => { assert.equal(answer.headers.get('etag'), await etagOf(`${VFS}/file.txt`)); } },
  { says: 'deleting a file without a version', method: 'DELETE', path: `${VFS}/file.txt`, status: 412, see: fault('FILE_CHANGED') },
  { says: 'deleting a stale version', method: 'DELETE', path: `${VFS}/file.txt`, headers: { 'if-match': '"stale"' }, status: 412 },
  { says: 'deleting a file named with a slash', method: 'DELETE', path: `${VFS}/file.txt/`, headers: { 'if-match': '*' }, status: 307 },
  { says: 'deleting the version that is there', method: 'DELETE', path: `${VFS}/file.txt`, headers: current, status: 200 },
  { says: 'deleting it again', method: 'DELETE', path: `${VFS}/file.txt`, headers: { 'if-match': '*' }, status: 404 },
  { says: 'deleting an empty folder', method: 'DELETE', path: `${VFS}/empty/`, status: 200 },
  { says: 'deleting a full folder', method: 'DELETE', path: `${VFS}/full/`, status: 409, see: fault('FOLDER_NOT_EMPTY') },
  { says: 'deleting all of a folder', method: 'DELETE', path: `${VFS}/full?recursive=true`, status: 200, see: async () => { assert.ok(!(await readdir(root)).includes('full')); } },
  { says: 'another method', method: 'POST', path: `${VFS}/x`, status: 405, see: fault('METHOD_REFUSED') },
  { says: 'a link is shown and not followed', path: `${VFS}/link.txt`, status: 403, see: fault('PATH_LINK') },
  { says: 'out of the home', path: '/api/vfs/..%2f..%2fetc/passwd', status: 400, see: fault('PATH_REFUSED') },
  { says: 'out of the home, encoded twice, is but a name', path: '/api/vfs/%252e%252e%252fetc', status: 404 },
  { says: 'what is the agent\'s own', path: '/api/vfs/data/DaaS/diag/token', status: 403, see: fault('FILE_PRIVATE') },
  { says: 'an address that is not well encoded', path: '/api/vfs/%E0%A4%A', status: 400 },
  { says: 'the home itself stays', method: 'DELETE', path: '/api/vfs/?recursive=true', status: 409 },
  { says: 'zip of what is not there', path: '/api/zip/nothing/', status: 404 },
  { says: 'zip of a folder without its slash', path: '/api/zip/site', status: 307, see: location('/api/zip/site/') },
  { says: 'zip of a folder', path: '/api/zip/site/wwwroot/', status: 200, see: (answer) => { assert.equal(answer.bytes.subarray(0, 2).toString(), 'PK'); assert.equal(answer.headers.get('content-disposition'), 'attachment; filename=wwwroot.zip'); } },
  { says: 'a zip into a file', method: 'PUT', path: '/api/zip/site/wwwroot/made/here/new.txt', body: 'x', status: 404 },
  { says: 'a zip that is none', method: 'PUT', path: '/api/zip/site/wwwroot/made/', body: 'PK nonsense', status: 400, see: fault('ZIP_UNREADABLE') },
  { says: 'a zip out of the home', method: 'PUT', path: '/api/zip/..%2f../', body: 'x', status: 400 },
  { says: 'an address that Kudu does not have', path: '/diag/kudu/api/nothing', status: 404, see: fault('NOT_FOUND') },
  { says: 'a setting that is not there', path: '/api/settings/NO_SUCH', status: 404, see: fault('NOT_FOUND') },
  { says: 'settings that are none', method: 'POST', path: '/api/settings', headers: { 'content-type': 'application/json' }, body: '[1]', status: 400 },
  { says: 'a command of a form', method: 'POST', path: '/api/command', headers: { 'content-type': 'text/plain' }, body: '{"command":"id"}', status: 400, see: fault('BAD_INPUT') },
  { says: 'too many log entries', path: '/api/logs/recent?top=5000', status: 400 },
  { says: 'a process that is not', path: '/api/processes/999999999', status: 404, see: (answer) => { assert.match((answer.json() as { Message: string }).Message, /is not running/); } },
  { says: 'a process that is none', path: '/api/processes/one', status: 400 },
  { says: 'our own process is not ended', method: 'DELETE', path: '/api/processes/0', status: 403, see: fault('PROCESS_OURS') },
  { says: 'a dump in no known form', path: '/api/processes/-1/dump?format=rar', status: 400 },
  { says: 'a dump by HEAD', method: 'HEAD', path: '/api/processes/-1/dump', status: 405 },
  { says: 'a dump that was never taken', path: '/api/processes/-1/dump?job=dump-0', status: 404 },
  { says: 'a profile that was never begun', path: '/api/processes/-1/profile/stop', status: 404 },
];

test('each address answers as the table of Kudu says', async (t) => {
  await waitFor('the worker', async () => (await kudu.ask('/api/processes/-1')).status === 200);
  for (const { says, method = 'GET', path, headers = {}, body, status, see } of ROWS) {
    await t.test(`${method} ${says}: ${status}`, async () => {
      const answer = await kudu.ask(path, { method, headers: typeof headers === 'function' ? await headers() : headers, ...(body === undefined ? {} : { body }) });
      assert.equal(answer.status, status, answer.text.slice(0, 500));
      await see?.(answer);
    });
  }
});

test('who has no token, or comes from another page, gets nothing; a browser is never asked for a password', async () => {
  const wrong = { authorization: `Basic ${Buffer.from('x:wrong').toString('base64')}` };
  const refused = await kudu.ask('/api/environment', { headers: wrong });
  assert.equal(refused.status, 401);
  fault('TOKEN_MISSING')(refused);
  assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="diag"', 'fetch says Sec-Fetch-Mode, as a browser does');
  const { app, host } = { app: createApp({ agent: kudu.agent, guard: createGuard({ auth: 'token', token: TOKEN, hosts: [], base: '/diag' }), base: '/diag', publicDir: root }), host: '127.0.0.1' };
  assert.equal((await supertest(app).get('/api/environment').set({ host })).headers['www-authenticate'], 'Basic realm="diag", charset="UTF-8"');
  assert.equal((await supertest(app).get('/api/environment').set({ host, 'user-agent': 'Mozilla/5.0 (X11)' })).headers['www-authenticate'], 'Bearer realm="diag"');
  const basic = { host, authorization: kudu.authorization };
  assert.equal((await supertest(app).get('/diag/api/agent').set(basic)).status, 401, 'only at Kudu\'s addresses');
  for (const foreign of [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, { 'sec-fetch-site': 'same-site' }]) {
    for (const [method, path] of [['get', '/api/processes/-1/dump'], ['post', '/api/processes/-1/stop'], ['post', '/api/command'], ['put', '/api/vfs/x.txt'], ['delete', '/api/vfs/x.txt']] as const) {
      const answer = await supertest(app)[method](path).set({ ...basic, ...foreign });
      assert.deepEqual([answer.status, (answer.body as { ExceptionType: string }).ExceptionType], [403, 'ORIGIN_REFUSED'], `${method} ${path} ${JSON.stringify(foreign)}`);
    }
  }
});

test('one setting switches it off; on App Service the root is the real Kudu\'s', async () => {
  const appOf = (config: object): ReturnType<typeof createApp> => createApp({ agent: { ...kudu.agent, config: { ...kudu.agent.config, ...config } }, guard: createGuard({ auth: 'token', token: TOKEN, hosts: [], base: '/diag' }), base: '/diag', publicDir: root });
  const status = async (app: ReturnType<typeof createApp>, path: string): Promise<number> => (await supertest(app).get(path).set({ host: '127.0.0.1', authorization: kudu.authorization })).status;
  assert.deepEqual(await Promise.all(['/api/environment', '/diag/kudu/api/environment'].map((path) => status(appOf({ kuduApi: false }), path))), [404, 404]);
  assert.deepEqual(await Promise.all(['/api/environment', '/diag/kudu/api/environment'].map((path) => status(appOf({ auth: 'platform' }), path))), [404, 200]);
});

test('names with signs, other letters and 255 bytes come back as they were sent', async () => {
  const names = ['a b.txt', '100%.txt', 'x%20y.txt', '#1.txt', 'what?.txt', 'a&b=c+d.txt', 'ümläut.txt', '日本語.txt', '🚀.txt', `${'n'.repeat(251)}.txt`, "it's \"quoted\".txt"];
  await kudu.ask(`${VFS}/names/`, { method: 'PUT' });
  for (const name of names) assert.equal((await kudu.ask(`${VFS}/names/${encodeURIComponent(name)}`, { method: 'PUT', body: name })).status, 201, name);
  assert.deepEqual((await readdir(join(root, 'names'))).sort(), [...names].sort());
  const listed = (await kudu.ask(`${VFS}/names/`)).json() as { name: string; href: string }[];
  assert.deepEqual(listed.map(({ name }) => name).sort(), [...names].sort());
  for (const { name, href } of listed) assert.equal((await kudu.ask(href.slice(kudu.origin.length))).text, name, href);
  assert.equal((await kudu.ask(`${VFS}/names/${'n'.repeat(256)}`, { method: 'PUT', body: '' })).status, 400, 'one byte more than a name has');
});

test('a process is described as Kudu does, with its secrets masked but for one that is asked for by name', async () => {
  const { pid } = kudu.victim;
  const all = (await kudu.ask('/processes')).json() as { id: number; name: string }[];
  assert.deepEqual(all.map(({ name }) => name), [...all].map(({ name }) => name).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
  assert.ok(all.some(({ id }) => id === pid));
  const one = (await kudu.ask('/api/processes/-1')).json() as Record<string, unknown> & { threads: { id: number; href: string }[]; modules: { file_name: string; href: string }[]; environment_variables: Record<string, string> };
  assert.deepEqual([one['id'], one['href'], one['minidump']], [pid, `${kudu.origin}/api/processes/${pid}`, `${kudu.origin}/api/processes/${pid}/dump`]);
  for (const member of ['total_cpu_time', 'user_cpu_time']) assert.match(String(one[member]), /^\d\d:\d\d:\d\d\.\d{7}$/, member);
  for (const member of ['handle_count', 'thread_count', 'module_count', 'working_set', 'peak_working_set', 'private_memory', 'virtual_memory', 'peak_virtual_memory']) assert.ok(Number(one[member]) > 0, member);
  assert.ok(Object.values(one).every((value) => value !== null && value !== 0 && value !== false), 'what is zero, false or nothing is absent');
  assert.equal(one.environment_variables['GREETING'], 'hello');
  assert.equal(one.environment_variables['SECRET_KEY'], '[masked]');
  assert.deepEqual((await kudu.ask('/api/processes/-1/environments/secret_')).json(), { SECRET_KEY: '[masked]' });
  assert.deepEqual((await kudu.ask('/api/processes/-1/environments/SECRET_KEY?reveal=1')).json(), { SECRET_KEY: 'marker-secret-value-1234' });
  assert.ok((await kudu.agent.store.audit.recent(20)).entries.some(({ did, what }) => did === 'reveal variable' && what.includes('SECRET_KEY')));
  const thread = (await kudu.ask((one.threads[0]?.href ?? '').slice(kudu.origin.length))).json() as Record<string, unknown>;
  assert.equal(thread['process'], one['href']);
  assert.match(String(thread['priviledged_processor_time'] ?? '00:00:00.0000000'), /^\d\d:\d\d:\d\d\.\d{7}$/);
  assert.ok(one.modules.every(({ href }) => /\/modules\/[0-9a-f]+$/.test(href)));
  const module = (await kudu.ask((one.modules.find(({ file_name }) => file_name === 'node')?.href ?? '').slice(kudu.origin.length))).json() as { file_path: string; module_memory_size: number };
  assert.match(module.file_path, /node$/);
  assert.ok(module.module_memory_size > 0);
});

test('a command is ended when it neither writes nor works, and what it wrote is kept', async () => {
  const order = (command: string): Promise<Asked> => kudu.ask('/api/command', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command, dir: '' }) });
  const { Output, Error: said, ExitCode } = (await order('echo begun; sleep 600')).json() as { Output: string; Error: string; ExitCode: number };
  assert.deepEqual([Output, ExitCode], ['begun\n', -1]);
  assert.match(said, /written nothing and used no CPU for 1 s.*SCM_COMMAND_IDLE_TIMEOUT/);
  const flood = (await order('head -c 20000000 /dev/zero | tr "\\0" x; echo end')).json() as { Output: string; ExitCode: number };
  assert.equal(flood.ExitCode, 0);
  assert.ok(flood.Output.length < 4_300_000 && flood.Output.endsWith('xend\n'), 'its end is kept');
  assert.match(flood.Output, /\n\[15\.1 MiB of the output left out here\]\n/);
});

const jobOf = (location: string): string | null => new URL(location, kudu.origin).searchParams.get('job');

test('a dump is a job behind its address: answered 202 where that is preferred, joined, and fetched in parts', async (t) => {
  const { yes, because } = kudu.agent.platform.can('memory-dump');
  if (!yes) { t.skip(`SKIPPED: ${because}`); return; }
  const address = '/api/processes/-1/dump?dumpType=2';
  const [sent, accepted] = await Promise.all([kudu.ask(address, { headers: { prefer: 'wait=0' } }), kudu.ask(address, { headers: { prefer: 'respond-async' } })]);
  assert.equal(sent.status, 307, 'who waits too long is sent to the same address once more');
  assert.match(sent.headers.get('location') ?? '', /\/api\/processes\/-1\/dump\?dumpType=2&job=dump-[0-9a-f]+$/);
  assert.equal(accepted.status, 202, accepted.text);
  assert.equal(accepted.headers.get('preference-applied'), 'respond-async');
  const path = (accepted.headers.get('location') ?? '').slice(kudu.origin.length);
  assert.equal(jobOf(path), jobOf(sent.headers.get('location') ?? ''), 'both are one job');
  assert.match(path, /^\/api\/processes\/-1\/dump\?dumpType=2&job=dump-[0-9a-f]+&async=1$/);
  const done = await waitFor('the dump', async () => { const answer = await kudu.ask(path, { headers: { range: 'bytes=0-3' } }); return answer.status === 202 ? undefined : answer; }, 60_000);
  assert.equal(done.status, 206, done.text.slice(0, 300));
  assert.equal(done.bytes.toString('latin1'), '\u007fELF');
  assert.match(done.headers.get('content-disposition') ?? '', /filename="?node-[0-9a-z]{1,6}-\d\d-\d\d-\d\d-\d\d-\d\d\.dmp"?$/);
});

test('a profile is begun by one request and fetched by another', async () => {
  assert.equal((await kudu.ask('/api/processes/-1/profile/start', { method: 'POST' })).status, 200);
  assert.equal((await kudu.ask('/api/processes/-1/profile/start', { method: 'POST' })).status, 409, 'one at a time');
  assert.equal(((await kudu.ask('/api/processes/-1')).json() as { is_profile_running?: boolean }).is_profile_running, true);
  const profile = await kudu.ask('/api/processes/-1/profile/stop');
  assert.equal(profile.status, 200, profile.text.slice(0, 300));
  assert.ok(Array.isArray((profile.json() as { nodes: unknown }).nodes));
});

test('a process is ended with 204, and is not running then', async () => {
  const { pid } = kudu.victim;
  assert.equal((await kudu.ask(`/api/processes/${pid}`, { method: 'DELETE' })).status, 204);
  await kudu.victim.exited;
  const gone = await kudu.ask(`/api/processes/${pid}/stop`, { method: 'POST' });
  assert.equal(gone.status, 404);
  assert.match(gone.text, /is not running/);
});
