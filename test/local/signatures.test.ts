// Owns the proof that each failure leaves its signature in the HTTP log, with real processes.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { type LocalAppService, startLocalAppService } from '../../scripts/local/index.ts';
import { waitFor } from '../support/wait.ts';
import { app, eventOf, rowOf, rows, withService } from './support.ts';

/** A limit no test may reach: whoever waits for it fails by the test's own limit. */
const NEVER_MS = 600_000;

/** Long against a hiccup of the machine between two drips, short against the 2 s that all of them take. */
const LIMIT_MS = 1_500;

const status = async (service: LocalAppService, path: string): Promise<number> => (await fetch(service.siteUrl + path)).status;
const kept = async (service: LocalAppService): Promise<Record<string, number>> =>
  (await (await fetch(`${service.siteUrl}/kept`)).json()) as Record<string, number>;

/** Sends a request and breaks it off as soon as `when` says so. */
function abortWhen(url: string, when: 'sent' | 'answered', method = 'GET'): void {
  const sent = request(url, { method });
  sent.on('error', () => undefined);
  sent.on('response', (answer) => {
    answer.on('error', () => undefined);
    answer.once('data', () => { if (when === 'answered') sent.destroy(); });
  });
  if (method === 'GET') sent.end();
  else sent.write('the first half');
  if (when === 'sent') sent.once('socket', (socket) => socket.once('connect', () => setImmediate(() => sent.destroy())));
}

describe('with a worker that lives', () => {
  let service: LocalAppService;
  before(async () => { service = await startLocalAppService({ app: app('odd'), limits: { handlerLimitMs: LIMIT_MS } }); });
  after(() => service.stop());

  test('a worker that says nothing is 502.3/12002 at the handler limit, and its request is cut off', async () => {
    const seenBefore = (await kept(service))['aborted'] ?? 0;
    assert.equal(await status(service, '/hang'), 502);
    const row = await rowOf(service.home, '/hang');
    assert.equal(row.signature, '502.3/12002');
    assert.ok(Number(row['time-taken']) >= LIMIT_MS, `time-taken ${row['time-taken']}`);
    await waitFor('the worker to see its request cut off', async () => ((await kept(service))['aborted'] ?? 0) > seenBefore);
  });

  test('a worker that stops in mid-answer is cut off with the status that was sent and 12002', async () => {
    const answer = await fetch(`${service.siteUrl}/hang-after-head`);
    await assert.rejects(answer.text());
    assert.equal((await rowOf(service.home, '/hang-after-head')).signature, '200.0/12002');
  });

  test('an answer that is not HTTP is 502.3/12152', async () => {
    assert.equal(await status(service, '/garbled'), 502);
    assert.equal((await rowOf(service.home, '/garbled')).signature, '502.3/12152');
  });

  test('a head larger than the handler takes is 502.3/12152', async () => {
    assert.equal(await status(service, '/big-head'), 502);
    assert.equal((await rowOf(service.home, '/big-head')).signature, '502.3/12152');
  });

  test('a body that breaks its own framing is cut off with the status that was sent and 12152', async () => {
    await assert.rejects(async () => (await fetch(`${service.siteUrl}/bad-chunk`)).text());
    assert.equal((await rowOf(service.home, '/bad-chunk')).signature, '200.0/12152');
  });

  test('a client that leaves before the answer is 400.604/64', async () => {
    abortWhen(`${service.siteUrl}/hang?left`, 'sent');
    const row = await waitFor('the row of the client that left', async () =>
      (await rows(service.home)).find((candidate) => candidate['cs-uri-query']?.startsWith('left')));
    assert.deepEqual([row['sc-status'], row['sc-substatus'], row['sc-win32-status']], ['400', '604', '64']);
  });

  test('a client that leaves in mid-answer keeps the status that was sent, with win32 64', async () => {
    abortWhen(`${service.siteUrl}/gate`, 'answered');
    assert.equal((await rowOf(service.home, '/gate')).signature, '200.0/64');
  });

  test('a client that breaks off its upload is 400.604/64', async () => {
    abortWhen(`${service.siteUrl}/hang?upload`, 'sent', 'POST');
    const row = await waitFor('the row of the upload', async () =>
      (await rows(service.home)).find((candidate) => candidate['cs-uri-query']?.startsWith('upload')));
    assert.deepEqual([row['sc-status'], row['sc-substatus'], row['sc-win32-status']], ['400', '604', '64']);
  });

  test('the keep-alive race is real: a kept connection that the worker closes is 502.3/12030 at once, and is not tried again', async () => {
    const asked = async (path: string): Promise<string> => (await fetch(service.siteUrl + path)).text();
    assert.equal(await asked('/connection'), await asked('/connection'));
    assert.equal(await status(service, '/only-on-a-new-connection'), 502);
    assert.equal((await rowOf(service.home, '/only-on-a-new-connection')).signature, '502.3/12030');
    assert.ok(service.pid() !== undefined);
  });

  test('an answer that keeps moving may take longer than the handler limit', async () => {
    assert.equal(await (await fetch(`${service.siteUrl}/drip`)).text(), '.'.repeat(20));
    assert.equal((await rowOf(service.home, '/drip')).signature, '200.0/0');
  });
});

test('the request limit is 500.121 for the client, while the app keeps working', async () => {
  await withService({ app: app('odd'), limits: { requestLimitMs: 300, handlerLimitMs: NEVER_MS } }, async (service) => {
    const answer = await fetch(`${service.siteUrl}/work`);
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /timed out/);
    const row = await rowOf(service.home, '/work');
    assert.equal(row.signature, '500.121/0');
    await waitFor('the app to finish its orphan', async () => (await kept(service))['worked'] === 1);
  });
});

test('a client that stops sending its body is not taken for a slow app', async () => {
  await withService({ app: app('odd'), limits: { handlerLimitMs: 300, requestLimitMs: 2_000 } }, async (service) => {
    const sent = request(`${service.siteUrl}/kept`, { method: 'POST', headers: { 'Content-Length': 100 } });
    const answered = new Promise<number | undefined>((resolve, reject) => {
      sent.on('response', (answer) => resolve(answer.resume().statusCode));
      sent.on('error', reject);
    });
    sent.write('only this');
    assert.equal(await answered, 200, 'an app that answers without the body is heard');
    sent.destroy();
    const stalled = request(`${service.siteUrl}/echo`, { method: 'POST', headers: { 'Content-Length': 100 } });
    stalled.on('error', () => undefined);
    stalled.on('response', (answer) => answer.on('error', () => undefined).resume());
    stalled.write('only this');
    assert.equal((await rowOf(service.home, '/echo')).signature, '200.0/121');
    stalled.destroy();
  });
});

test('a crash in mid-request is 502.3/12030 for it and 502.3/12029 for who comes before the restart', async () => {
  await withService({ limits: { backOffMs: NEVER_MS / 10 } }, async (service) => {
    const pid = service.pid();
    assert.equal(await status(service, '/crash?code=7'), 502);
    const crash = await rowOf(service.home, '/crash');
    assert.equal(crash.signature, '502.3/12030');
    assert.match((await eventOf(service.home, 1002)).text, new RegExp(`^Process '${pid}' listening on port '\\d+' crashed with exit code '7'\\.$`));
    assert.equal(await status(service, '/cart'), 502);
    assert.equal((await rowOf(service.home, '/cart')).signature, '502.3/12029');
  });
});

test('a crash after the head is the status that was sent with 12030', async () => {
  await withService({ app: app('odd') }, async (service) => {
    await assert.rejects(async () => (await fetch(`${service.siteUrl}/half-then-die`)).text());
    assert.equal((await rowOf(service.home, '/half-then-die')).signature, '200.0/12030');
  });
});

test('as many failures as allowed stop the worker: 503.0 for all, event 1003, until a start request', async () => {
  await withService({ limits: { rapidFailCount: 3, backOffMs: 1 } }, async (service) => {
    for (let crashes = 0; crashes < 3; crashes += 1) {
      await waitFor('the worker to answer', async () => (await status(service, '/cart')) === 200);
      await status(service, '/crash');
    }
    await waitFor('503', async () => (await status(service, '/products/1')) === 503);
    assert.equal(await status(service, '/search'), 503);
    assert.equal((await rowOf(service.home, '/search')).signature, '503.0/0');
    assert.match((await eventOf(service.home, 1003)).text, /Maximum rapid fail count of '3'.*exit code '1'/);
    assert.equal(service.pid(), undefined);
    await waitFor('the launcher to have said so', () => service.said.some((line) => line.startsWith('worker stopped after 3 failures')));
    service.startWorker();
    await waitFor('the worker to answer again', async () => (await status(service, '/cart')) === 200);
  });
});
