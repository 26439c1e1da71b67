// Which logs there are: ids, kinds, bounds, links; and the event log as one of them.
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { EventLogRow } from '../../../src/platform/platform.ts';
import { openLogs } from '../../../src/observe/logs/index.ts';
import { fakePlatform, type FakePlatform } from '../../support/fake-platform.ts';
import { waitFor } from '../../support/wait.ts';
import { followed, TestSink } from '../../support/followed.ts';

const NO = new AbortController().signal;

async function site(t: TestContext): Promise<FakePlatform> {
  const platform = await fakePlatform();
  t.after(() => platform.remove());
  return platform;
}

async function put(path: string, text = 'x\n'): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

test('every log by its kind, and nothing that is none', async (t) => {
  const platform = await site(t);
  const { logs, site: wwwroot } = platform.host.folders;
  const expected: Record<string, string> = {
    'http/RawLogs/a1b2c3-202611210200.log': 'http', 'eventlog.xml': 'event', 'Application/LW0-4120-stdout-1.txt': 'application', 'stdout_4120_20261121.log': 'application',
    'php_errors.log': 'php', '2026_11_21_LW0SDWK0001_docker.log': 'docker', '2026_11_21_LW0SDWK0001_default_docker.log': 'docker', '2026_11_21_LW0SDWK0001_default_docker.1.log': 'docker',
    'kudu/trace/trace.xml': 'platform', 'Transform/scm.log': 'platform', 'DetailedErrors/ErrorPage000001.htm': 'other', 'W3SVC123/fr000001.xml': 'other',
    'site/wwwroot/app.log': 'application', 'site/wwwroot/app.log.1': 'application', 'site/wwwroot/logs/out.txt': 'application', 'site/wwwroot/iisnode/LW0-1-stderr-1.txt': 'application', 'site/wwwroot/php_errors.log': 'php', 'site/wwwroot/error_log': 'php',
  };
  for (const title of Object.keys(expected)) await put(title.startsWith('site/') ? join(wwwroot, title.slice(13)) : join(logs, title));
  for (const none of ['crashdumps/w3wp.dmp', 'networktrace/a.cap', 'old.zip', 'http/RawLogs/a.log.gz', '.hidden']) await put(join(logs, none));
  for (const none of ['server.js', 'node_modules/x/debug.log', '.git/x.log', 'readme.txt', 'a/b/c/deep.log', 'catalog.txt']) await put(join(wwwroot, none));
  const { sources, more } = await openLogs({ platform }).catalog(NO);
  assert.deepEqual(Object.fromEntries(sources.map((one) => [one.title, one.kind])), expected);
  assert.equal(more, 0);
  assert.ok(sources.every((one) => /^[a-z0-9]{1,40}$/.test(one.id)), 'ids are words');
  assert.equal(new Set(sources.map((one) => one.id)).size, sources.length);
});

test('an id is the same after a restart, leads to its path, and any other leads nowhere', async (t) => {
  const platform = await site(t);
  const path = join(platform.host.folders.logs, 'Application', 'app.txt');
  await put(path, 'one\ntwo\n');
  const [first] = (await openLogs({ platform }).catalog(NO)).sources;
  assert.ok(first);
  const logs = openLogs({ platform });
  assert.equal(await logs.path(first.id), path);
  assert.deepEqual((await logs.page(first.id, { limit: 5 }, NO)).lines.map((line) => line.text), ['one', 'two']);
  for (const id of ['nosuch', '../../../etc/passwd', 'Application/app.txt', '']) {
    await assert.rejects(logs.path(id), { code: 'SOURCE_UNKNOWN' });
    await assert.rejects(logs.page(id, { limit: 5 }, NO), { code: 'SOURCE_UNKNOWN' });
    await assert.rejects(logs.follow(id, { signal: NO, sink: new TestSink() }), { code: 'SOURCE_UNKNOWN' });
  }
  await rm(path);
  await assert.rejects(logs.path(first.id), { code: 'SOURCE_UNKNOWN' });
});

test('links lead where they lead only within the folders', async (t) => {
  const platform = await site(t);
  const { logs } = platform.host.folders;
  const outside = await mkdtemp(join(tmpdir(), 'outside-'));
  t.after(() => rm(outside, { recursive: true, force: true }));
  await put(join(outside, 'secret.log'));
  await put(join(logs, 'days', 'monday.txt'), 'monday\n');
  await symlink(join(outside, 'secret.log'), join(logs, 'out.log'));
  await symlink(outside, join(logs, 'folder'));
  await symlink(logs, join(logs, 'round'));
  await symlink(join(logs, 'days', 'monday.txt'), join(logs, 'today.log'));
  await symlink(join(logs, 'nothing'), join(logs, 'broken.log'));
  const source = openLogs({ platform });
  const { sources } = await source.catalog(NO);
  assert.deepEqual(sources.map((one) => one.title).sort(), ['days/monday.txt', 'today.log']);
  const today = sources.find((one) => one.title === 'today.log')?.id ?? '';
  assert.deepEqual((await source.page(today, { limit: 5 }, NO)).lines.map((line) => line.text), ['monday']);
  await rm(join(logs, 'today.log'));
  await symlink(join(outside, 'secret.log'), join(logs, 'today.log'));
  await assert.rejects(source.path(today), { code: 'SOURCE_UNKNOWN' });
  await assert.rejects(source.page(today, { limit: 5 }, NO), { code: 'SOURCE_UNKNOWN' });
});

test('at most 2,000 are listed, the newest, and the rest is counted; a refresh is shared for a while', async (t) => {
  const platform = await site(t);
  const { logs } = platform.host.folders;
  await mkdir(join(logs, 'Application'), { recursive: true });
  for (let i = 0; i < 2_005; i += 1) await writeFile(join(logs, 'Application', `${i}.txt`), '');
  const write = async (name: string, laterMs: number): Promise<void> => {
    await writeFile(join(logs, name), 'x\n');
    const at = new Date(Date.now() + laterMs);
    await utimes(join(logs, name), at, at);
  };
  await write('newest.log', 10_000);
  const source = openLogs({ platform });
  const first = await source.catalog(NO);
  assert.deepEqual([first.sources.length, first.more, first.sources[0]?.title], [2_000, 6, 'newest.log']);
  await write('later.log', 20_000);
  assert.equal((await source.catalog(NO)).sources[0]?.title, 'newest.log');
  await platform.clock.advance(5_000);
  assert.equal((await source.catalog(NO)).sources[0]?.title, 'later.log');
});

const row = (n: number, level: EventLogRow['level'] = 'error'): EventLogRow => ({ at: 1_000 * n, id: 1309, record: n, provider: 'ASP.NET 4.0', level, text: `event ${n}` });

test('the event log is read as one entry per event, paged and searched', async (t) => {
  const platform = await site(t);
  await put(join(platform.host.folders.logs, 'eventlog.xml'), '<Events/>');
  platform.setEventLog([row(1), row(2, 'info'), row(3), row(4), row(5)]);
  const logs = openLogs({ platform });
  const id = (await logs.catalog(NO)).sources[0]?.id ?? '';
  const page = async (query: Omit<Parameters<typeof logs.page>[1], 'limit'>, limit = 2): Promise<[string[], string | undefined, string]> => {
    const got = await logs.page(id, { ...query, limit }, NO);
    return [got.lines.map((line) => `${line.level} ${line.text}`), got.before, got.after];
  };
  const [newest, before, after] = await page({});
  assert.deepEqual(newest, ['error ASP.NET 4.0 1309: event 4', 'error ASP.NET 4.0 1309: event 5']);
  const [older, first] = await page({ before: before ?? '' }, 9);
  assert.deepEqual([older.length, older.at(-1), first], [3, 'error ASP.NET 4.0 1309: event 3', undefined]);
  assert.deepEqual((await page({ at: 1_500 }))[0], ['info ASP.NET 4.0 1309: event 2', 'error ASP.NET 4.0 1309: event 3']);
  assert.deepEqual((await page({ filter: { levels: ['info'] } }))[0], ['info ASP.NET 4.0 1309: event 2']);
  platform.setEventLog([row(3), row(4), row(5), row(6)]);
  assert.deepEqual((await page({ after }))[0], ['error ASP.NET 4.0 1309: event 6']);
  await assert.rejects(page({ after: 'e1.other.1.1' }), { code: 'CURSOR_BAD' });
});

test('the event log is followed: each event once, a torn file changes nothing, an overrun is said', async (t) => {
  const platform = await site(t);
  const file = join(platform.host.folders.logs, 'eventlog.xml');
  await put(file, '<Events/>');
  platform.setEventLog([row(1), row(2)]);
  const logs = openLogs({ platform });
  const id = (await logs.catalog(NO)).sources[0]?.id ?? '';
  const seen: string[] = [];
  const end = new AbortController();
  let cursor = '';
  const running = (async () => {
    for await (const batch of followed((sink) => logs.follow(id, { last: 1, signal: end.signal, sink }), end.signal)) {
      ({ cursor } = batch);
      for (const item of batch.items) seen.push('line' in item ? item.line.text.slice(-1) : 'notice' in item ? `<${item.notice.kind}>` : '…');
    }
  })();
  t.after(async () => { end.abort(); await running; });
  const change = async (rows: readonly EventLogRow[], until: () => boolean): Promise<void> => {
    platform.setEventLog(rows);
    await appendFile(file, ' ');
    await waitFor('the event', async () => { await platform.clock.advance(1_100); return until(); });
  };
  await waitFor('the last event', () => seen.length === 1);
  await change([row(1), row(2), row(3)], () => seen.length === 2);
  platform.setEventLog([row(1)]); // torn while it was written
  await appendFile(file, ' ');
  for (let i = 0; i < 3; i += 1) await platform.clock.advance(1_100);
  await change([row(1), row(2), row(3), row(4)], () => seen.length === 3);
  await change([row(8), row(9)], () => seen.length === 6);
  assert.deepEqual(seen, ['2', '3', '4', '<lost>', '8', '9']);
  const again = await followed((sink) => logs.follow(id, { cursor, signal: end.signal, sink }), end.signal).next();
  assert.deepEqual(again.value, { items: [], dropped: 0, passed: 0, cursor });
});

test('a log is followed through the catalog', async (t) => {
  const platform = await site(t);
  const file = join(platform.host.folders.logs, 'Application', 'app.txt');
  await put(file, 'one\n');
  const logs = openLogs({ platform });
  const id = (await logs.catalog(NO)).sources[0]?.id ?? '';
  const seen: string[] = [];
  const end = new AbortController();
  const running = (async () => {
    for await (const batch of followed((sink) => logs.follow(id, { last: 1, signal: end.signal, sink }), end.signal)) for (const item of batch.items) if ('line' in item) seen.push(item.line.text);
  })();
  await waitFor('the last line', () => seen.length === 1);
  await appendFile(file, 'two\n');
  await waitFor('the new line', async () => { await platform.clock.advance(250); return seen.length === 2; });
  end.abort();
  await running;
  assert.deepEqual(seen, ['one', 'two']);
});
