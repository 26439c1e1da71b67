// Owns the tests of who may do what at Kudu's addresses, of the guard alone.
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { codeOf } from '../../src/shared/errors.ts';
import { createGuard } from '../../src/server/guard.ts';

const TOKEN = 'a-token-for:tests-only';
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const req = (method: string, headers: Record<string, string> = {}): IncomingMessage => ({ method, headers: { host: 'localhost:8081', ...headers } }) as unknown as IncomingMessage;
const guard = createGuard({ auth: 'token', token: TOKEN, hosts: [], base: '/diag' });
const platform = createGuard({ auth: 'platform', token: '', hosts: [], base: '/diag' });
const cookie = (): string => guard.login(TOKEN, false).split(';')[0] ?? '';
const outcome = (work: () => unknown): unknown => { try { return work() ?? 'good'; } catch (error) { return codeOf(error); } };

test('the token is the password, with any name; nothing else is', () => {
  for (const [given, wanted] of [
    [basic(`$shop:${TOKEN}`), 'token'], [basic(`:${TOKEN}`), 'token'], [`basic ${Buffer.from(`x:${TOKEN}`).toString('base64')}`, 'token'], [`Bearer ${TOKEN}`, 'token'],
    [basic(`${TOKEN}:`), 'TOKEN_MISSING'], [basic('x:wrong'), 'TOKEN_MISSING'], [basic('x:'), 'TOKEN_MISSING'], ['Basic', 'TOKEN_MISSING'], ['Basic ???', 'TOKEN_MISSING'], [`Digest ${TOKEN}`, 'TOKEN_MISSING'],
  ] as const) assert.equal(outcome(() => guard.whoAtKudu(req('GET', { authorization: given }))), wanted, given);
  assert.equal(outcome(() => guard.whoAtKudu(req('GET', { cookie: cookie() }))), 'browser');
  assert.equal(outcome(() => guard.whoAtKudu(req('GET', { cookie: cookie(), authorization: basic('x:wrong') }))), 'TOKEN_MISSING', 'a wrong password is not helped by a cookie');
  assert.equal(outcome(() => guard.who(req('GET', { authorization: basic(`x:${TOKEN}`) }))), 'TOKEN_MISSING', 'our own API does not take it');
});

test('a change wants what another site\'s page cannot give; reading is refused to it too', () => {
  const own = { authorization: basic(`x:${TOKEN}`) };
  for (const [says, method, headers, wanted] of [
    ['a program', 'PUT', own, 'good'],
    ['the page itself', 'PUT', { ...own, origin: 'http://localhost:8081', 'sec-fetch-site': 'same-origin' }, 'good'],
    ['another page', 'PUT', { ...own, origin: 'http://evil.example' }, 'ORIGIN_REFUSED'],
    ['a page without an origin', 'POST', { ...own, origin: 'null' }, 'ORIGIN_REFUSED'],
    ['a form elsewhere that tells no origin', 'POST', { ...own, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, 'ORIGIN_REFUSED'],
    ['a link elsewhere', 'GET', { ...own, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, 'ORIGIN_REFUSED'],
    ['an image elsewhere', 'GET', { ...own, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }, 'ORIGIN_REFUSED'],
    ['a typed address', 'GET', { ...own, 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' }, 'good'],
    ['a browser with its cookie alone', 'DELETE', { cookie: cookie() }, 'HEADER_MISSING'],
    ['a browser with its cookie and our header', 'DELETE', { cookie: cookie(), 'x-diag': '1' }, 'good'],
    ['a browser with its cookie that reads', 'GET', { cookie: cookie() }, 'good'],
  ] as const) assert.equal(outcome(() => guard.checkAtKudu(req(method, headers))), wanted, says);
  assert.equal(outcome(() => platform.checkAtKudu(req('PUT'))), 'good', 'behind the SCM site Kudu\'s clients send no header of ours');
  assert.equal(outcome(() => platform.checkAtKudu(req('PUT', { origin: 'http://evil.example' }))), 'ORIGIN_REFUSED');
});
