// Owns the tests with clients that exist: npm's kudu-api unchanged, and curl as the documentation of Kudu and of `az webapp log tail` uses it.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { openPromise } from 'yauzl';
import { zipOf } from '../../../src/analyze/zip-stream.ts';
import { TOKEN } from '../../support/agent.ts';
import { called, clientOf, kuduUnderTest, type KuduApi, type KuduUnderTest } from '../../support/kudu.ts';
import { waitFor } from '../../support/wait.ts';

const never = new AbortController().signal;
const run = promisify(execFile);
const skip = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'curl'))) ? false : 'SKIPPED: no curl on this machine';
let kudu: KuduUnderTest;
let api: KuduApi;
let restore: () => void;
let local: string;

before(async () => {
  kudu = await kuduUnderTest();
  ({ api, restore } = clientOf(kudu));
  local = join(kudu.home, '..', 'client');
  await mkdir(local);
  await writeFile(join(kudu.home, 'LogFiles/Application/filtered.log'), 'before one\nbefore two\n');
  await waitFor('the worker and its settings', async () => ((await called(api.settings.list)).value)['COLOUR'] === 'green');
});
after(async () => { restore(); await kudu.stop(); });

const site = (name: string): string => join(kudu.home, 'site/wwwroot', name);

async function textIn(zip: string): Promise<string> {
  const file = await openPromise(zip, {});
  let all = '';
  for await (const entry of file.eachEntry()) all += (await buffer(await file.openReadStreamPromise(entry))).toString('utf8');
  return all;
}

async function namesIn(zip: string): Promise<string[]> {
  const file = await openPromise(zip, {});
  const names: string[] = [];
  for await (const entry of file.eachEntry()) names.push(entry.fileName);
  return names.sort();
}

test('kudu-api: a command runs in its folder and tells both outputs and its exit code', async () => {
  const { value, status } = await called<{ Output: string; Error: string; ExitCode: number }>((done) => { api.command.exec('pwd; echo oops >&2; exit 3', 'site/wwwroot', done); });
  assert.deepEqual([status, value], [200, { Output: `${site('').replace(/\/$/, '')}\n`, Error: 'oops\n', ExitCode: 3 }]);
  const missing = await called<{ Error: string; ExitCode: number }>((done) => { api.command.exec('pwd', 'no/such/folder', done); });
  assert.equal(missing.status, 200);
  assert.equal(missing.value.ExitCode, -1);
  assert.match(missing.value.Error, /no\/such\/folder is not there/);
});

test('kudu-api: files are sent, listed, read, changed by version, and removed', async () => {
  await writeFile(join(local, 'one.txt'), 'first');
  const put = (to: string, ...etag: string[]): Promise<{ status: number; value: unknown }> => new Promise((resolve) => {
    (api.vfs.uploadFile as (...all: unknown[]) => void)(join(local, 'one.txt'), to, ...etag, (error: unknown, response: { statusCode: number } | undefined) => { resolve({ status: response?.statusCode ?? 0, value: error }); });
  });
  assert.equal((await put('site/wwwroot/sent/one.txt')).status, 201);
  assert.equal((await put('site/wwwroot/sent/one.txt')).status, 204, 'it sends If-Match: * by itself');
  const stale = await put('site/wwwroot/sent/one.txt', '"stale"');
  assert.equal(stale.status, 412);
  assert.match((stale.value as { Message: string }).Message, /changed by somebody else/);
  assert.equal((await called<string>((done) => { api.vfs.getFile('site/wwwroot/sent/one.txt', done); })).value, 'first');
  const { value: listed } = await called<{ name: string; mime: string; size: number }[]>((done) => { api.vfs.listFiles('site/wwwroot/sent', done as never); });
  assert.deepEqual(listed.map(({ name, mime, size }) => [name, mime, size]), [['one.txt', 'text/plain', 5]]);
  assert.equal((await called<string>((done) => { api.vfs.createDirectory('site/wwwroot/sent/below', done); })).status, 201);
  assert.equal((await called<string>((done) => { api.vfs.deleteDirectory('site/wwwroot/sent', done); })).status, 409, 'it is not empty');
  assert.equal((await called<string>((done) => { api.vfs.deleteFile('site/wwwroot/sent/one.txt', '"stale"', done); })).status, 412);
  assert.equal((await called<string>((done) => { api.vfs.deleteFile('site/wwwroot/sent/one.txt', done); })).status, 200);
  assert.equal((await called<string>((done) => { api.vfs.deleteDirectory('site/wwwroot/sent/below', done); })).status, 200);
  assert.equal((await called<string>((done) => { api.vfs.deleteDirectory('site/wwwroot/sent', done); })).status, 200);
});

test('kudu-api: a zip is unpacked over a folder and nothing is deleted; a folder comes as a zip', async () => {
  const zip = new PassThrough();
  const packed = buffer(zip);
  await zipOf(zip, never, async (add) => { await add('new/ümläut 1.txt', Readable.from(['neu']), new Date(0)); await add('kept.txt', Readable.from(['changed']), new Date(0)); });
  await writeFile(join(local, 'up.zip'), await packed);
  await mkdir(site('unzipped'));
  await writeFile(site('unzipped/kept.txt'), 'old');
  await writeFile(site('unzipped/other.txt'), 'other');
  const { status } = await called<string>((done) => { api.zip.upload(join(local, 'up.zip'), 'site/wwwroot/unzipped/', done); });
  assert.equal(status, 200);
  assert.deepEqual(await Promise.all(['kept.txt', 'other.txt', 'new/ümläut 1.txt'].map((name) => readFile(site(`unzipped/${name}`), 'utf8'))), ['changed', 'other', 'neu']);
  await writeFile(join(local, 'bad.zip'), 'this is no zip');
  const bad = await called<string>((done) => { api.zip.upload(join(local, 'bad.zip'), 'site/wwwroot/unzipped/', done); });
  assert.equal(bad.status, 400);
  const down = join(local, 'down.zip');
  await new Promise<void>((resolve, reject) => { api.zip.download('site/wwwroot/unzipped/', down, (error) => { if (error) reject(error as Error); else resolve(); }); });
  const names = await waitFor('the zip to be written', () => namesIn(down));
  assert.deepEqual(names.filter((name) => !name.endsWith('/')), ['kept.txt', 'new/ümläut 1.txt', 'other.txt']);
});

test('kudu-api: version, settings of both kinds, the newest log entries', async () => {
  const { value: environment } = await called(api.environment.get);
  assert.equal(environment.version, kudu.agent.version);
  assert.ok(Number.isFinite(Date.parse(environment.siteLastModified)));
  assert.equal((await called<string>((done) => { api.settings.set({ branch: 'main & "co"' }, done); })).status, 204);
  assert.equal((await called<string>((done) => { api.settings.get('branch', done); })).value, 'main & "co"');
  assert.match(await readFile(join(kudu.home, 'site/deployments/settings.xml'), 'utf8'), /<add key="branch" value="main &#38; &#34;co&#34;" \/>/, 'where Kudu keeps them');
  assert.equal((await called<string>((done) => { api.settings.del('BRANCH', done); })).status, 204);
  assert.equal((await called<unknown>((done) => { api.settings.get('branch', done as never); })).status, 404);
  assert.equal((await called<string>((done) => { api.diagnostics.set({ AzureDriveEnabled: true, mine: 'x' }, done); })).status, 204);
  assert.deepEqual((await called(api.diagnostics.list)).value, { AzureDriveEnabled: true, AzureDriveTraceLevel: 'Error', AzureTableEnabled: false, AzureTableTraceLevel: 'Error', AzureBlobEnabled: false, AzureBlobTraceLevel: 'Error', mine: 'x' });
  assert.equal((await called<unknown>((done) => { api.diagnostics.get('mine', done); })).value, 'x');
  assert.equal((await called<string>((done) => { api.diagnostics.del('mine', done); })).status, 204);
  const gone = await called<{ Message: string }>((done) => { api.diagnostics.get('mine', done as never); });
  assert.match(gone.value.Message, /'mine'/, 'the client gives the body of a 404 as its error');
  await writeFile(join(kudu.home, 'LogFiles/Application/trace-1.txt'), '2026-11-20T22:17:06  PID[2432] Warning first password=hunter2hunter2\nsecond line\n2026-11-20T22:17:07  PID[2432] Information newest\n');
  const entries = await waitFor('the log in the catalog', async () => { const { value } = await called<{ message: string }[]>((done) => { api.logs.recent({ top: 50 }, done as never); }); return value.some(({ message }) => message === 'newest') ? value : undefined; });
  assert.deepEqual(entries.filter((one) => (one as { pid?: number }).pid === 2432), [
    { timestamp: '2026-11-20T22:17:07.000Z', level: 'Information', pid: 2432, message: 'newest' },
    { timestamp: '2026-11-20T22:17:06.000Z', level: 'Warning', pid: 2432, message: 'first password=[masked]\r\nsecond line' },
  ]);
});

test('kudu-api: the diagnostic dump is a zip of logs, failed request traces and deployments, masked, with its manifest', async () => {
  await mkdir(join(kudu.home, 'LogFiles/W3SVC1234'), { recursive: true });
  await writeFile(join(kudu.home, 'LogFiles/W3SVC1234/fr000001.xml'), '<failedRequest><Data Name="HeaderName">Authorization</Data><Data Name="HeaderValue">Bearer tracesecret123</Data></failedRequest>');
  const to = join(local, 'dump.zip');
  await new Promise<void>((resolve, reject) => { api.dump.download(to, (error) => { if (error) reject(error as Error); else resolve(); }); });
  const names = await waitFor('the dump to be written', async () => { const all = await namesIn(to); return all.includes('manifest.json') ? all : undefined; });
  for (const name of ['LogFiles/W3SVC1234/fr000001.xml', 'LogFiles/eventlog.xml', 'LogFiles/http/RawLogs/a1b2c3-202611210200.log', 'deployments/abc123/status.xml', 'manifest.json']) assert.ok(names.includes(name), `${name} of ${names.join(' ')}`);
  const all = await textIn(to);
  assert.ok(all.includes('Authorization') && all.includes('payment failed') && !all.includes('tracesecret123') && !all.includes('hunter2hunter2'), all);
});

test('curl as in Kudu\'s wiki: with and without /api, by Basic authentication, a redirect followed, an upload by -T', { skip }, async () => {
  const curl = async (...args: string[]): Promise<string> => (await run('curl', ['-sS', '-u', `anyone:${TOKEN}`, ...args])).stdout;
  await writeFile(join(local, 'curl.txt'), 'by curl');
  assert.equal(await curl('-o', '/dev/null', '-w', '%{http_code}', '-T', join(local, 'curl.txt'), `${kudu.origin}/api/vfs/site/wwwroot/`), '201', 'curl adds the name');
  assert.equal(await curl('-L', `${kudu.origin}/vfs/site/wwwroot/curl.txt/`), 'by curl');
  for (const path of ['/api/environment', '/environment', '/diag/kudu/api/environment', '/diag/kudu/environment']) assert.match(await curl(`${kudu.origin}${path}`), /"version"/, path);
  assert.equal(JSON.parse(await curl('-H', 'Content-Type: application/json', '-d', '{"command":"echo 7","dir":"/"}', `${kudu.origin}/api/command`)).Output, '7\n');
  assert.equal(await curl('-o', '/dev/null', '-w', '%{http_code}', '-X', 'DELETE', '-H', 'If-Match: *', `${kudu.origin}/api/vfs/site/wwwroot/curl.txt`), '200');
});

test('the log stream as `az webapp log tail` asks for it: the welcome, then each line as it is written, masked, also of a log that is new', { skip }, async () => {
  const stream = spawn('curl', ['-sSN', '-u', `x:${TOKEN}`, `${kudu.origin}/logstream`], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let text = '';
    stream.stdout.on('data', (chunk: Buffer) => { text += chunk.toString('utf8'); });
    await waitFor('the welcome', () => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d  Welcome, you are now connected to log-streaming service\./.test(text));
    const log = join(kudu.home, 'LogFiles/Application/RD0001-4711-stderr-1700000000000.txt');
    for (let n = 1; n <= 20; n += 1) await appendFile(log, `${new Date().toISOString()} info streamed line ${n} token=abcdef0123456789\n`);
    await waitFor('the last line', () => text.includes('streamed line 20 '));
    await writeFile(join(kudu.home, 'LogFiles/Application/brand-new.log'), 'new file, first line\n');
    await waitFor('the line of the new log', () => text.includes('new file, first line'), 30_000);
    assert.deepEqual([...text.matchAll(/streamed line (\d+) /g)].map(([, n]) => Number(n)), Array.from({ length: 20 }, (_, i) => i + 1));
    assert.ok(!text.includes('abcdef0123456789'));
  } finally {
    stream.kill();
    await once(stream, 'close');
  }
});

test('the log stream below a folder, filtered, with file names and the last lines; a mistyped folder is refused and not made', async () => {
  const log = join(kudu.home, 'LogFiles/Application/filtered.log');
  await waitFor('the log in the catalog', async () => (await kudu.agent.observed.logs.catalog(never)).sources.some(({ title }) => title === 'Application/filtered.log'));
  const leaving = new AbortController();
  const answer = await fetch(`${kudu.origin}/api/logstream/application/?filter=WANTED&files=1`, { headers: { authorization: kudu.authorization }, signal: leaving.signal });
  let text = '';
  const reading = (async () => { for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString('utf8'); })();
  await waitFor('the welcome', () => text.includes('Welcome'));
  await appendFile(log, 'not this\nthis is wanted\n');
  await waitFor('the line', () => text.includes('Application/filtered.log: this is wanted\n'));
  assert.ok(!text.includes('not this'));
  leaving.abort();
  await assert.rejects(reading);
  const refused = await kudu.ask('/api/logstream/Aplication');
  assert.equal(refused.status, 404);
  assert.equal((await kudu.ask('/api/vfs/LogFiles/Aplication/')).status, 404);
  assert.equal((await kudu.ask('/api/logstream/..%2F..%2Fetc')).status, 400);
});
