// Owns the tests of the platform's status feed: read by the way, kept when it cannot be read, and hostile text that stays text.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ServiceHealthReader } from '../../src/mitigate/service-health.ts';
import { statusItems } from '../../src/mitigate/status-feed.ts';

const feed = (...items: string[]): string => `<?xml version="1.0" encoding="utf-8"?><rss xmlns:a10="http://www.w3.org/2005/Atom" version="2.0"><channel><title>Azure Status</title><link>https://status.azure.com/en-us/status/</link><description>Azure Status</description>${items.join('')}</channel></rss>`;
const item = (title: string, more = ''): string => `<item><guid isPermaLink="false">x</guid><title>${title}</title>${more}</item>`;

test('items come with their words, time and link, the newest first', () => {
  const found = statusItems(feed(item('Older', '<pubDate>Mon, 02 Nov 2026 10:00:00 Z</pubDate>'), item('App Service - West Europe &amp; North', '<link>https://azure.status.microsoft/x</link><description><![CDATA[<p>We are <b>aware</b> of it.</p><script>alert(1)</script>]]></description><pubDate>Sat, 21 Nov 2026 09:30:00 Z</pubDate>')));
  assert.deepEqual(found, [
    { title: 'App Service - West Europe & North', text: 'We are aware of it. alert(1)', at: Date.UTC(2026, 10, 21, 9, 30), link: 'https://azure.status.microsoft/x' },
    { title: 'Older', at: Date.UTC(2026, 10, 2, 10) },
  ]);
  assert.deepEqual(statusItems(feed()), []);
});

const HOSTILE: readonly (readonly [string, string, readonly string[] | undefined])[] = [
  ['a page of a proxy is no feed', '<html><body>Sign in</body></html>', undefined],
  ['nothing is no feed', '', undefined],
  ['entities of its own are not followed', `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${feed(item('&b;&b;'))}`, ['&b;&b;']],
  ['an item that is cut off is left out', feed(item('One'), '<item><title>Tw').slice(0, -16), ['One']],
  ['tags in a title are dropped, encoded ones too', feed(item('&lt;img src=x onerror=alert(1)&gt;Down')), ['Down']],
  ['signs that steer a terminal or turn the writing are dropped', feed(item('a\u001b[31mb\u202ec&#27;d&#xd800;e')), ['a [31mb c d e']],
  ['a link that runs is none', feed(item('x', '<link>javascript:alert(1)</link>')), ['x']],
  ['no more than twenty', feed(...Array.from({ length: 500 }, (_, i) => item(`n${i}`))), Array.from({ length: 20 }, (_, i) => `n${i}`)],
  ['a long title is cut', feed(item('x'.repeat(9_000))), ['x'.repeat(300)]],
];
for (const [what, xml, titles] of HOSTILE) test(`feed: ${what}`, () => { const found = statusItems(xml); assert.deepEqual(found?.map(({ title }) => title), titles); assert.ok((found ?? []).every(({ link }) => link === undefined)); });

test('a text without end and of nothing but openings is judged in its length', () => {
  assert.deepEqual(statusItems(feed('<item><title>'.repeat(20_000))), []);
});

test('it is read while somebody looks, at most every five minutes; what was read stays when it cannot be read any more', async (t) => {
  let asks = 0, status = 200, content = feed(item('App Service is degraded'));
  const server = createServer((_req, res) => { asks += 1; res.statusCode = status; res.end(content); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  t.after(() => { server.close(); server.closeAllConnections(); });
  let at = 1_000;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`;
  const reader = new ServiceHealthReader({ feed: url, policy: { allowLoopback: true }, now: () => at, monotonic: () => at }, new AbortController().signal);
  const look = async (): Promise<ReturnType<typeof reader.view>> => { reader.view(); await reader.settled(); return reader.view(); };
  assert.deepEqual([reader.view().state, asks], ['unknown', 0]);
  assert.deepEqual(await look().then(({ state, says, readAt }) => [state, says, readAt]), ['known', 'The platform reports an incident: App Service is degraded', 1_000]);
  at += 299_999;
  await look();
  assert.equal(asks, 1);
  at += 1;
  content = feed();
  assert.equal((await look()).says, 'The platform reports no incident.');
  [status, at] = [503, at + 300_000];
  const later = await look();
  assert.deepEqual([later.state, later.readAt, later.triedAt, later.failed, asks], ['known', 301_000, 601_000, 'it answered 503', 3]);
  [status, content, at] = [200, `${feed().slice(0, 200)}${' '.repeat(400_000)}`, at + 120_000];
  assert.equal((await look()).failed, undefined);              // bounded: the head was a feed, the rest is not read
});

test('off is off, and an address of the instance itself is not asked', async () => {
  const given = { policy: { allowLoopback: false }, now: () => 1, monotonic: () => 1 };
  const signal = new AbortController().signal;
  assert.equal(new ServiceHealthReader({ ...given, feed: undefined }, signal).view().state, 'off');
  const reader = new ServiceHealthReader({ ...given, feed: 'http://169.254.169.254/feed' }, signal);
  reader.view();
  await reader.settled();
  assert.match(reader.view().says, /never read from here: The address 169\.254\.169\.254 is not asked/);
});
