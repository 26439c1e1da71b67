// Owns the proof that the HTTP log is App Service's, that nothing a client sends can break a row, and that files rotate.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type LocalAppService, startLocalAppService } from '../../scripts/local/index.ts';
import { field, header, rowFileName, rowText } from '../../scripts/local/w3c.ts';
import { app, raw, rawLogNames, rowOf, rows, withService } from './support.ts';

const FIELDS = 'date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

describe('the text of a row', () => {
  const at = Date.UTC(2024, 2, 1, 2, 18, 11, 396);
  const row = {
    at, method: 'POST', stem: '/cart/apply', query: undefined, port: 443, client: '203.0.113.7', userAgent: 'Mozilla/5.0 (X11)', cookie: undefined,
    referer: 'https://a/b c', host: 'shop', arrLogId: '0f', status: 502, substatus: 3, win32: 12030, sentBytes: 10, receivedBytes: 20, takenMs: 61,
  };

  test('has every field in App Service\u2019s order', () => {
    assert.equal(header(at), `#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2024-03-01 02:18:11\r\n#Fields: ${FIELDS}\r\n`);
    assert.equal(rowText('contoso-shop', row),
      '2024-03-01 02:18:11 CONTOSO-SHOP POST /cart/apply X-ARR-LOG-ID=0f 443 - 203.0.113.7 Mozilla/5.0+(X11) - https://a/b+c shop 502 3 12030 10 20 61\r\n');
    assert.match(rowText('s', { ...row, query: 'a=1&b=2' }), / a=1&b=2&X-ARR-LOG-ID=0f /);
  });

  test('is one line of nineteen words whatever the fields hold', () => {
    const hostile = ['a\r\n#Fields: x\r\nb', '\u0000\u0001\u007f', 'tab\tspace here', '', '-', '\u00e9\u2713\ud800', 'x'.repeat(100_000), '\u2028\u2029\u0085'];
    for (const text of hostile) {
      const line = rowText('s', { ...row, stem: text, query: text, userAgent: text, cookie: text, referer: text, host: text, method: text, client: text });
      assert.match(line, /^[\u0020-\u007e]*\r\n$/);
      assert.equal(line.trimEnd().split(' ').length, 19, JSON.stringify(text.slice(0, 40)));
      assert.ok(line.length < 40_000, `${line.length} characters`);
    }
    assert.equal(field('x'.repeat(5000)), `${'x'.repeat(4093)}...`);
  });

  test('stands in a file named by instance and time, in the order of time', () => {
    assert.equal(rowFileName('4a1f9c77', at), '4a1f9c-20240301021811396.log');
  });
});

describe('a site under hostile clients', () => {
  let service: LocalAppService;
  before(async () => { service = await startLocalAppService({ app: app('odd') }); });
  after(() => service.stop());

  test('a user agent of 64 KB is cut in the log, and the next row is whole', async () => {
    await raw(service.siteUrl, `GET /ua HTTP/1.1\r\nHost: a\r\nUser-Agent: ${'u'.repeat(65_536)}\r\nConnection: close\r\n\r\n`);
    const row = await rowOf(service.home, '/ua');
    assert.equal(row['cs(User-Agent)'], `${'u'.repeat(4093)}...`);
    assert.ok(Number(row['cs-bytes']) > 65_536);
    await fetch(`${service.siteUrl}/after`);
    assert.equal((await rowOf(service.home, '/after')).signature, '404.0/0');
  });

  test('controls, line ends and bytes above ASCII never reach a row', async () => {
    const heads: readonly Buffer[] = [
      'GET /enc%0d%0a%00oded?q=%0d%0a2024 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /latin HTTP/1.1\r\nHost: a b\r\nUser-Agent: caf\u00e9 \u00ff\tx\r\nCookie: a=1; b=2\r\nReferer: #Fields: date\r\nConnection: close\r\n\r\n',
      'GET /nul HTTP/1.1\r\nHost: a\r\nUser-Agent: x\u0000y\r\nConnection: close\r\n\r\n',
      'GET /bare HTTP/1.1\r\nHost: a\r\nUser-Agent: x\rGET /forged\r\nConnection: close\r\n\r\n',
      'GET /fold HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\n 2024-01-01 folded\r\nConnection: close\r\n\r\n',
      'nonsense\r\n\r\n',
    ].map((head) => Buffer.from(head, 'latin1'));
    for (const head of heads) await raw(service.siteUrl, head).catch(() => ''); // a reset is an answer too
    await fetch(`${service.siteUrl}/last`);
    await rowOf(service.home, '/last');
    const found = await rows(service.home); // throws where a row does not fit its fields
    assert.equal(found.find((row) => row['cs-uri-stem']?.startsWith('/enc'))?.['cs-uri-stem'], '/enc%0d%0a%00oded');
    const latin = found.find((row) => row['cs-uri-stem'] === '/latin');
    assert.deepEqual([latin?.['cs-host'], latin?.['cs(User-Agent)'], latin?.['cs(Referer)'], latin?.['cs(Cookie)']], ['a+b', 'caf?+?+x', '#Fields:+date', 'a=1;+b=2']);
    assert.deepEqual(found.filter((row) => row['cs-uri-stem']?.includes('forged')), []);
  });

  test('bytes are those on the wire, for each request of a kept connection alone', async () => {
    const one = 'GET /wire-one HTTP/1.1\r\nHost: a\r\n\r\n';
    const two = 'POST /wire-two HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello';
    const got = await raw(service.siteUrl, one + two);
    const [first, second] = [await rowOf(service.home, '/wire-one'), await rowOf(service.home, '/wire-two')];
    assert.equal(Number(first['cs-bytes']) + Number(second['cs-bytes']), one.length + two.length);
    assert.equal(Number(first['sc-bytes']) + Number(second['sc-bytes']), got.length);
    assert.equal(Number(first['sc-bytes']), got.indexOf('HTTP/1.1', 1));
  });

  test('a raw log that is emptied or deleted comes back with its header, and no row is lost', async () => {
    const folder = join(service.home, 'LogFiles/http/RawLogs');
    const [name = ''] = await rawLogNames(service.home);
    await truncate(join(folder, name), 0);
    await fetch(`${service.siteUrl}/after-truncation`);
    await rowOf(service.home, '/after-truncation');
    const last = (await rawLogNames(service.home)).at(-1) ?? '';
    await rm(join(folder, last));
    await fetch(`${service.siteUrl}/after-deletion`);
    await rowOf(service.home, '/after-deletion');
  });
});

test('a raw log of the set size is closed: each file has its header, each request one row', async () => {
  await withService({ app: app('odd'), limits: { rowFileBytes: 2_000 } }, async (service) => {
    const asked = Array.from({ length: 60 }, (_, i) => `/n${i}`);
    for (const path of asked) await (await fetch(service.siteUrl + path)).text();
    await rowOf(service.home, '/n59');
    const names = await rawLogNames(service.home);
    assert.ok(names.length > 3 && names.length <= 10, `${names.length} files`);
    for (const name of names) {
      assert.match(name, /^[0-9a-f]{6}-\d{17}\.log$/);
      assert.match(await readFile(join(service.home, 'LogFiles/http/RawLogs', name), 'latin1'), /^#Software: [^\r]*\r\n#Version: 1\.0\r\n/);
    }
    const found = (await rows(service.home)).map((row) => row['cs-uri-stem']);
    assert.deepEqual(found, asked.slice(-found.length)); // the oldest files aged out; what is left has no gap
  });
});

test('rows go on in a new file after a restart of the site, in the same home', async () => {
  const home = await mkdtemp(join(tmpdir(), 'local-app-service-rows-'));
  try {
    for (const path of ['/first', '/second']) {
      await withService({ app: app('odd'), home }, async (service) => {
        await fetch(service.siteUrl + path);
        await rowOf(home, path);
      });
    }
    const names = await rawLogNames(home);
    assert.equal(names.length, 2);
    assert.equal(names[0]?.slice(0, 6), names[1]?.slice(0, 6));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
