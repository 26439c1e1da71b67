// Owns the tests of alerts by e-mail, against a mail server with STARTTLS, TLS and AUTH over real sockets.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Alerts } from '../../../src/mitigate/alerts/alerts.ts';
import type { FiringContext } from '../../../src/mitigate/rules/firing.ts';
import { Channel } from '../../../src/shared/alerts.ts';
import { CA, mailServer, type MailServer } from '../../support/smtp.ts';

const PASSWORD = 'let-me-in-1234';
const ON = { fired: { instance: 'a1b2c3', rule: 'leak', firing: 'leak-1', at: 1_790_000_000_000, condition: 'Private bytes 1.6 GiB\r\nBcc: everybody@shop.example', steps: [] }, before: [{ type: 'recycle', result: 'done', says: `with ${PASSWORD}` }], signal: new AbortController().signal } as unknown as FiringContext;

interface Given { readonly alerts: Alerts; readonly server: MailServer; readonly own: string; clock: { now: number } }

async function given(t: TestContext, options: { readonly tls?: boolean; readonly channel?: object; readonly allowLoopback?: boolean; readonly ca?: string | undefined } = {}): Promise<Given> {
  const server = await mailServer({ tls: options.tls === true });
  const own = await mkdtemp(join(tmpdir(), 'mail-'));
  const ending = new AbortController();
  t.after(async () => { ending.abort(); await server.close(); await rm(own, { recursive: true, force: true }); });
  const clock = { now: 1_790_000_000_000 };
  const alerts = new Alerts({ own, queue: join(own, 'queue'), site: 'shop', instance: 'a1b2c3', page: 'https://shop.scm.azurewebsites.net/diag', policy: { allowLoopback: options.allowLoopback !== false }, mailCa: 'ca' in options ? options.ca : CA, now: () => clock.now, mask: (text) => text.replaceAll(PASSWORD, '***') }, ending.signal);
  await alerts.put(Channel.parse({ id: 'ops', type: 'email', host: 'localhost', port: server.port, security: options.tls === true ? 'tls' : 'starttls', user: 'ops', password: PASSWORD, from: 'diag@shop.example', to: ['ops@shop.example', 'boss@shop.example'], ...options.channel }));
  return { alerts, server, own, clock };
}
const notify = ({ alerts }: Given): ReturnType<ReturnType<Alerts['hand']>['run']> => alerts.hand().run({ type: 'notify' }, ON);

for (const tls of [false, true]) {
  test(`a firing is told by ${tls ? 'TLS' : 'STARTTLS'}, signed in, in one plain message; no password before TLS or in the text`, async (t) => {
    const it = await given(t, { tls });
    assert.deepEqual(await notify(it), { result: 'done', says: 'told to ops' });
    const [mail] = it.server.taken;
    assert.deepEqual([it.server.taken.length, mail?.encrypted, mail?.user, mail?.from, mail?.to], [1, true, 'ops', 'MAIL FROM:<diag@shop.example>', ['RCPT TO:<ops@shop.example>', 'RCPT TO:<boss@shop.example>']]);
    assert.match(mail?.text ?? '', /^Subject: Fired: leak \(shop, a1b2c3\)$/m);
    assert.match(mail?.text ?? '', /^- recycle: done, with \*\*\*$/m);
    assert.match(mail?.text ?? '', /^Auto-Submitted: auto-generated$/m);
    const [head = ''] = (mail?.text ?? '').split('\n\n');
    assert.doesNotMatch(head, /^Bcc:/mi);
    for (const text of [mail?.text ?? '', it.server.plain.join('\n'), JSON.stringify(it.alerts.channels())]) assert.ok(!text.includes(PASSWORD) && !text.includes(Buffer.from(`\u0000ops\u0000${PASSWORD}`).toString('base64')));
    assert.match(await readFile(join(it.own, 'alerts.json'), 'utf8'), /let-me-in/);   // kept for the site's user only, as other secrets
  });
}

test('what the server does not take waits on disk and goes later, all in one message, the recovery with it', async (t) => {
  const it = await given(t);
  it.server.takes = false;
  assert.match((await notify(it)).says ?? '', /ops did not take it yet \(.*451.*\) and is tried again/);
  it.server.takes = true;
  it.clock.now += 5_000;
  await it.alerts.over({ did: 'over', at: it.clock.now, instance: 'a1b2c3', rule: 'leak', firing: 'leak-1' }, 'leak', undefined);
  await it.alerts.flush();
  assert.equal(it.server.taken.length, 1);
  assert.match(it.server.taken[0]?.text ?? '', /^Subject: Fired: leak \(shop, a1b2c3\) and 1 more$/m);
  assert.match(it.server.taken[0]?.text ?? '', /^Over: leak/m);
  assert.deepEqual(it.alerts.channels().map(({ waiting, host, to }) => [waiting, host, to?.length]), [[0, `localhost:${it.server.port}`, 2]]);
});

test('the test button sends now, and a wrong password is told without it', async (t) => {
  const it = await given(t, { channel: { password: 'wrong-secret-99' } });
  await assert.rejects(it.alerts.test('ops'), (error: Error & { code: string }) => {
    assert.equal(error.code, 'WEB_FAILED');
    assert.match(error.message, /^localhost could not be asked: .*535/);
    assert.ok(!error.message.includes('wrong-secret-99') && !error.message.includes(Buffer.from('\u0000ops\u0000wrong-secret-99').toString('base64')), error.message);
    assert.equal(error.cause, undefined);
    return true;
  });
  assert.equal(it.server.taken.length, 0);
});

test('without STARTTLS on offer nothing is said; a certificate that nobody vouches for is refused', async (t) => {
  const bare = await given(t);
  bare.server.starttls = false;
  await assert.rejects(bare.alerts.test('ops'), { code: 'WEB_FAILED' });
  assert.ok(!bare.server.plain.some((line) => /AUTH|MAIL|let-me-in/.test(line)));
  const stranger = await given(t, { ca: undefined });
  await assert.rejects(stranger.alerts.test('ops'), { code: 'WEB_FAILED', message: /self.signed/ });
});

test('addresses are guarded as those of other channels, and a channel must make sense', async (t) => {
  const it = await given(t, { allowLoopback: false });
  await assert.rejects(it.alerts.test('ops'), { code: 'ADDRESS_REFUSED' });
  const metadata = await given(t, { channel: { host: '169.254.169.254', port: 25 } });
  await assert.rejects(metadata.alerts.test('ops'), { code: 'ADDRESS_REFUSED' });
  const good = { id: 'a', type: 'email', host: 'smtp.shop.example', from: 'a@b.example', to: ['c@d.example'] };
  assert.equal(Channel.safeParse(good).success, true);
  for (const bad of [{ to: [] }, { to: ['a@b.example, c@d.example'] }, { from: 'a@b.example\r\nBcc: x@y.example' }, { from: 'Name <a@b.example>' }, { host: 'smtp.shop.example/x' }, { user: 'a' }, { security: 'none', user: 'a', password: 'b' }, { port: 0 }]) assert.equal(Channel.safeParse({ ...good, ...bad }).success, false, JSON.stringify(bad));
});
