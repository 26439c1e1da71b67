// Owns the tests of who may be asked and how alerts are written: metadata and link-local addresses in every clothing, redirects, groups, signs of others' languages.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Alert, Channel } from '../../../src/shared/alerts.ts';
import { historyCsv } from '../../../src/shared/rules-csv.ts';
import { written, type WebChannel } from '../../../src/mitigate/alerts/format.ts';
import { askWeb, checkedUrl, refusedAddress } from '../../../src/mitigate/web.ts';

const CLOSED = { allowLoopback: false }, LOCAL = { allowLoopback: true };
const never = new AbortController().signal;

test('addresses of metadata, link and nobody are refused in every clothing, those of hosts are not', () => {
  const refused = ['169.254.169.254', '169.254.0.1', '168.63.129.16', '0.0.0.0', '224.0.0.1', '255.255.255.255', '100.100.100.200', 'fe80::1', 'fe80::1%eth0', '[fe80::1]', '::', 'ff02::1', 'fd00:ec2::254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1', '::169.254.169.254'];
  for (const policy of [CLOSED, LOCAL]) for (const address of refused) assert.notEqual(refusedAddress(address, policy), undefined, address);
  for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
    assert.notEqual(refusedAddress(address, CLOSED), undefined, address);
    assert.equal(refusedAddress(address, LOCAL), undefined, address);
  }
  for (const address of ['10.0.0.4', '192.168.1.1', '20.50.2.1', '2603:1020::1', '64:ff9b::1401:203']) assert.equal(refusedAddress(address, CLOSED), undefined, address);
});

test('what is no plain web address is refused, and numbers that mean one are read as one', async () => {
  for (const text of ['file:///etc/passwd', 'ftp://a', 'https://user:word@a', 'no address', `https://a/${'x'.repeat(3_000)}`]) assert.throws(() => checkedUrl(text), { code: 'ADDRESS_REFUSED' }, text);
  for (const url of ['http://2130706433/', 'http://0x7f.1/', 'http://[::ffff:169.254.169.254]/', 'http://localhost:9/', 'http://0xa9fea9fe/latest']) await assert.rejects(askWeb({ method: 'GET', url, limitMs: 5_000 }, CLOSED, never), { code: 'ADDRESS_REFUSED' }, url);
});

test('a redirect is an answer, not a way; of a long answer the beginning is read; a silent one ends', async (t) => {
  let followed = 0;
  const server = createServer((req, res) => {
    if (req.url === '/away') { res.writeHead(302, { location: '/secret' }); res.end(); return; }
    if (req.url === '/secret') { followed += 1; res.end(); return; }
    if (req.url === '/long') { res.end('x'.repeat(1_000_000)); return; }
    // '/silent' gets no answer.
  });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  t.after(() => { server.close(); server.closeAllConnections(); });
  const at = (path: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  assert.equal((await askWeb({ method: 'GET', url: at('/away'), limitMs: 20_000 }, LOCAL, never)).status, 302);
  assert.equal(followed, 0);
  assert.equal((await askWeb({ method: 'GET', url: at('/long'), limitMs: 20_000 }, LOCAL, never)).text.length, 16_384);
  await assert.rejects(askWeb({ method: 'GET', url: at('/silent'), limitMs: 200 }, LOCAL, never), { code: 'TIMED_OUT' });
});

const ALERT: Alert = { id: 'w1-leak-1', status: 'firing', rule: 'leak', title: 'leak <b>', text: 'memory & more', at: Date.UTC(2026, 10, 21), site: 'shop', instance: 'w1', did: [{ type: 'collect', result: 'done' }], session: '261121_0000000000', link: 'https://shop.scm.azurewebsites.net/diag/analyze/261121_0000000000' };

test('each kind of channel gets its own form, all that waits in one request', () => {
  const of = (channel: Pick<Channel, 'type'>): { url: string; body: unknown } => { const { url, body } = written({ id: 'c', enabled: true, recovery: true, url: 'https://alerts.example/x/', ...channel } as WebChannel, [ALERT, { ...ALERT, id: 'over', status: 'resolved' }], ALERT.at); return { url, body: JSON.parse(body) }; };
  const slack = of({ type: 'slack' }).body as { text: string };
  assert.match(slack.text, /\*Fired: leak &lt;b&gt; \(shop, w1\)\*\nmemory &amp; more\n• collect: done/);
  assert.match(slack.text, /\*Over: leak/);
  const manager = of({ type: 'alertmanager' });
  assert.equal(manager.url, 'https://alerts.example/x/api/v2/alerts');
  const [firing, over] = manager.body as { labels: object; endsAt?: string }[];
  assert.deepEqual(firing?.labels, over?.labels);
  assert.deepEqual([firing?.endsAt, over?.endsAt], [undefined, '2026-11-21T00:00:00.000Z']);
  const teams = of({ type: 'teams' }).body as { attachments: { content: { type: string; body: unknown[] } }[] };
  assert.equal(teams.attachments[0]?.content.type, 'AdaptiveCard');
});

test('the history as a table runs nothing in a spreadsheet', () => {
  const csv = historyCsv([{ at: 0, instance: 'w1', rule: 'leak', did: 'ended', firing: 'leak-1', step: 0, type: 'run', result: 'done', says: '=cmd|"/c calc"!A1\r\nnext' }]);
  assert.equal(csv.split('\r\n')[0], 'time,instance,rule,did,firing,phase,heldBy,value,step,action,result,says,session,tookMs');
  assert.ok(csv.includes(`"'=cmd|""/c calc""!A1\r\nnext"`));
});
