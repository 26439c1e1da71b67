// Owns the proof that bodies, heads and sockets pass the front end as they are: streamed, bounded, unchanged.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { WebSocket } from 'ws';
import { type LocalAppService, startLocalAppService } from '../../scripts/local/index.ts';
import { waitFor } from '../support/wait.ts';
import { app, raw, rowOf, rows, withService } from './support.ts';

interface Seen { readonly url: string; readonly method: string; readonly headers: Record<string, string>; readonly raw: readonly string[] }

describe('through the front end', () => {
  let service: LocalAppService;
  before(async () => { service = await startLocalAppService({ app: app('odd'), limits: { handlerLimitMs: 20_000, requestLimitMs: 30_000 } }); });
  after(() => service.stop());

  test('the first chunk of an answer arrives before the last is sent', async () => {
    const answer = await fetch(`${service.siteUrl}/gate`);
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    assert.equal(new TextDecoder().decode(first?.value), 'first ');
    assert.equal(await (await fetch(`${service.siteUrl}/open-gate`)).text(), 'opened'); // only now the app sends the rest
    const last = await reader?.read();
    assert.equal(new TextDecoder().decode(last?.value), 'last');
  });

  test('an upload streams too: each piece comes back before the next is sent', async () => {
    const sent = request(`${service.siteUrl}/echo`, { method: 'POST' });
    sent.flushHeaders();
    const answer = await new Promise<NodeJS.ReadableStream>((resolve) => sent.on('response', resolve));
    for (const piece of ['one', 'two', 'three']) {
      const back = new Promise<string>((resolve) => answer.once('data', (bytes: Buffer) => resolve(String(bytes))));
      sent.write(piece);
      assert.equal(await back, piece);
    }
    sent.end();
    await new Promise((resolve) => answer.once('end', resolve).resume());
  });

  test('20 MB go through both ways unchanged, and the row counts them', async () => {
    const body = randomBytes(20 * 1024 * 1024);
    const answer = await fetch(`${service.siteUrl}/echo?large`, { method: 'POST', body });
    const back = Buffer.from(await answer.arrayBuffer());
    assert.equal(createHash('sha256').update(back).digest('hex'), createHash('sha256').update(body).digest('hex'));
    const row = await waitFor('its row', async () => (await rows(service.home)).find((candidate) => candidate['cs-uri-query']?.startsWith('large')));
    assert.ok(Number(row['cs-bytes']) > body.length && Number(row['sc-bytes']) > body.length, `${row['cs-bytes']} in, ${row['sc-bytes']} out`);
  });

  test('a client that does not read stops the app from writing, and gets everything later', async () => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${service.siteUrl}/flood`, (found) => resolve(found.pause())).on('error', reject).end();
    });
    const total = Number(answer.headers['content-length']);
    const state = async (): Promise<{ flooded: number; blocked: boolean; floodDone: boolean }> =>
      (await (await fetch(`${service.siteUrl}/kept`)).json()) as { flooded: number; blocked: boolean; floodDone: boolean };
    await waitFor('the app to be blocked or done', async () => { const now = await state(); return now.blocked || now.floodDone; });
    const { flooded, floodDone } = await state();
    assert.equal(floodDone, false);
    assert.ok(flooded < total, `${flooded} of ${total} bytes written`);
    let got = 0;
    answer.on('data', (bytes: Buffer) => { got += bytes.length; });
    answer.resume();
    await new Promise((resolve) => answer.once('end', resolve));
    assert.equal(got, total);
  });

  test('the worker sees who asked, and nothing that belongs to one connection', async () => {
    const answer = await raw(service.siteUrl, [
      'GET http://elsewhere.example/seen?a=1 HTTP/1.1', 'Host: shop.example', 'Connection: close, X-Mine', 'X-Mine: dropped', 'X-Kept: kept',
      'X-Forwarded-For: 203.0.113.9', 'X-ARR-LOG-ID: forged', 'TE: trailers', '', '',
    ].join('\r\n'));
    const seen = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Seen;
    const { headers } = seen;
    const row = await rowOf(service.home, '/seen');
    assert.equal(seen.url, '/seen?a=1');
    assert.equal(headers['host'], 'shop.example');
    assert.match(headers['x-forwarded-for'] ?? '', /^203\.0\.113\.9, 127\.0\.0\.1:\d+$/);
    assert.equal(headers['x-forwarded-proto'], 'http');
    assert.equal(row['cs-uri-query'], `a=1&X-ARR-LOG-ID=${headers['x-arr-log-id']}`);
    assert.deepEqual([headers['x-mine'], headers['te'], headers['x-kept']], [undefined, undefined, 'kept']);
  });

  test('status text, repeated and odd header lines come back as they were; hop-by-hop ones do not', async () => {
    const answer = await raw(service.siteUrl, 'GET /odd-heads HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const [head = '', body] = answer.split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 299 Oddly Fine\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
    assert.match(head, /X-Latin: caf\u00e9/);
    assert.doesNotMatch(head, /x-hop|timeout=3/i);
    assert.match(body ?? '', /odd/);
  });

  test('a POST without a body stays one, and Expect: 100-continue is answered by the front end', async () => {
    const bare = await raw(service.siteUrl, 'POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(bare, /^HTTP\/1\.1 200/);
    const expecting = await raw(service.siteUrl, 'POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc');
    assert.match(expecting, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200[^]*abc/);
  });

  test('an app that answers before the upload is over is heard', async () => {
    const answer = await fetch(`${service.siteUrl}/early`, { method: 'POST', body: 'x'.repeat(100) });
    assert.equal(answer.status, 413);
    assert.equal(await answer.text(), 'too much');
    assert.equal((await rowOf(service.home, '/early')).signature, '413.0/0');
  });

  test('an upgrade passes with the bytes behind it, and its row counts them', async () => {
    const { port } = new URL(service.siteUrl);
    const got = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1');
      let text = '';
      socket.on('error', reject);
      socket.on('data', (bytes: Buffer) => {
        text += String(bytes);
        if (text.endsWith('hello;early')) socket.write('later');
        if (text.endsWith('later')) socket.end();
      });
      socket.on('close', () => resolve(text));
      socket.write('GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly');
    });
    assert.match(got, /^HTTP\/1\.1 101 Switching Protocols\r\n[^]*\r\n\r\nhello;earlylater$/);
    const row = await rowOf(service.home, '/socket');
    assert.equal(row.signature, '101.0/0');
    assert.equal(Number(row['sc-bytes']), got.length);
  });

  test('an upgrade that the app refuses is an ordinary answer', async () => {
    const answer = await raw(service.siteUrl, 'GET /refused HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n[^]*no$/);
    assert.equal((await rowOf(service.home, '/refused')).signature, '403.0/0');
  });

  test('an upgrade to something else than a WebSocket is passed on as a plain request', async () => {
    const answer = await raw(service.siteUrl, 'GET /seen?h2c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n');
    assert.match(answer, /^HTTP\/1\.1 200/);
    assert.doesNotMatch(answer, /"upgrade"|http2-settings/i);
    const refused = await raw(service.siteUrl, 'POST /seen?body HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc');
    assert.match(refused, /^HTTP\/1\.1 501/);
  });

  test('a worker that resets an upgraded connection is 101 with 12030', async () => {
    const socket = connect(Number(new URL(service.siteUrl).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET /reset HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.on('data', (bytes: Buffer) => { if (String(bytes).endsWith('hello;')) socket.write('reset'); });
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal((await rowOf(service.home, '/reset')).signature, '101.0/12030');
  });
});

test('a real WebSocket client echoes through to the demo app, pings included', async () => {
  await withService({}, async (service) => {
    const socket = new WebSocket(`${service.siteUrl.replace('http', 'ws')}/ws`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    for (const message of ['short', 'x'.repeat(30_000), '\u00e4\u2713']) {
      const back = new Promise<string>((resolve) => socket.once('message', (bytes: Buffer) => resolve(String(bytes))));
      socket.send(message);
      assert.equal(await back, message);
    }
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping('are you there');
    assert.equal(String(await pong), 'are you there');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close(1000);
    assert.equal(await closed, 1000);
    assert.equal((await rowOf(service.home, '/ws')).signature, '101.0/0');
  });
});

test('a quiet WebSocket is dropped at the request limit', async () => {
  await withService({ limits: { requestLimitMs: 400 } }, async (service) => {
    const socket = new WebSocket(`${service.siteUrl.replace('http', 'ws')}/ws`);
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal((await rowOf(service.home, '/ws')).signature, '101.0/121');
  });
});
