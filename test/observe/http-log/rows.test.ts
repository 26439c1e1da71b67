// Tests the way from columns to a row as it is shown: masking, cutting, absent parts, and which rows are not the site's own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newColumns } from '../../../src/observe/http-log/columns.ts';
import { leftOut, requestRow } from '../../../src/observe/http-log/rows.ts';
import { maskQuery } from '../../../src/shared/mask.ts';
import { columnsOf } from './columns-of.ts';
import { seeded } from './support.ts';

const AT = Date.UTC(2026, 10, 21, 9);

test('a row of columns is shown with what it has, secrets masked, and no more', () => {
  const columns = columnsOf([
    { at: AT, offset: 0, status: 200, method: 'GET', path: '/' },
    {
      at: AT, offset: 90, status: 502, sub: 3, win32: 12030, taken: 230_000.5, sent: 1, received: 2, method: 'POST', path: '/api/orders/17', client: '10.0.0.4', host: 'shop.example',
      query: 'a=1&sig=abcdefgh12345&X-ARR-LOG-ID=0d3f', agent: 'Mozilla/5.0+(X11)', referrer: 'https://shop.example/start?token=abcdefgh12345', upstream: '127.0.0.1:3000',
    },
  ]);
  assert.deepEqual(requestRow(columns, 0, 's'), { at: AT, method: 'GET', path: '/', route: '/', status: 200, source: 's', offset: 0 });
  assert.deepEqual(requestRow(columns, 1, 's'), {
    at: AT, method: 'POST', path: '/api/orders/17', route: '/api/orders/{id}', status: 502, sub: 3, win32: 12030, takenMs: 230_000.5, sentBytes: 1, receivedBytes: 2,
    query: 'a=1&sig=[masked]', client: '10.0.0.4', userAgent: 'Mozilla/5.0 (X11)', host: 'shop.example', referrer: 'https://shop.example/start?token=[masked]', upstream: '127.0.0.1:3000',
    reason: 'connection ended (worker exited or recycled, or keep-alive race)', source: 's', offset: 90,
  });
});

test('a plus is a space only where IIS wrote it; bytes that are not UTF-8 are Latin-1; long texts are cut', () => {
  const columns = columnsOf([{ at: AT, status: 200, path: `/${'x'.repeat(5_000)}`, agent: 'a+b' }, { at: AT, status: 200, path: Buffer.from('/größe', 'latin1'), agent: 'größe' }]);
  assert.equal(requestRow(columns, 0, 's', 'nginx').userAgent, 'a+b');
  assert.equal(requestRow(columns, 0, 's', 'iis-w3c').userAgent, 'a b');
  assert.equal(requestRow(columns, 0, 's').path.length, 1_000);
  assert.equal(requestRow(columns, 1, 's').path, '/größe');
  assert.equal(requestRow(columns, 1, 's').userAgent, 'größe');
});

test('rows of the SCM site and our own requests are left out, others are not', () => {
  const columns = columnsOf([
    { at: AT, status: 200, path: '/', site: '~1SHOP' }, { at: AT, status: 200, path: '/', agent: 'app-service-diag/1.0' },
    { at: AT, status: 200, path: '/~1', site: 'SHOP', agent: 'x app-service-diag/1.0' }, { at: AT, status: 200, path: '/' }, { at: AT, status: 200, path: '/', site: '~' },
  ]);
  assert.deepEqual([0, 1, 2, 3, 4].map((row) => leftOut(columns, row)), [true, true, false, false, false]);
});

test('a query is shown as maskQuery() says, whether its names were seen before or not', () => {
  const next = seeded(12);
  const names = ['id', 'page', 'q', 'token', 'code', 'sig', 'key', 'password', 'pwd', 'access_token', 'user', 'session', 'api_key', 'sv', 'state', 'auth', 'x'];
  const values = ['', '1', 'abc', 'aB3dE5fG7hI9jK1lM3n', '12345678901234567890', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln', 'a+b', '%41', 'Bearer+abcdef0123456789', 'true'];
  const pick = (from: readonly string[]): string => from[Math.floor(next() * from.length)] ?? '';
  for (let i = 0; i < 3_000; i += 1) {
    const query = Array.from({ length: 1 + Math.floor(next() * 4) }, () => `${pick(names)}=${pick(values)}`).join('&');
    const columns = newColumns(Buffer.from(`/p${query}`), 1);
    columns.rows = 1;
    columns.text.path.to[0] = 2;
    columns.text.query.from[0] = 2;
    columns.text.query.to[0] = 2 + query.length;
    assert.equal(requestRow(columns, 0, 'x').query, maskQuery(query).query, query);
  }
});
