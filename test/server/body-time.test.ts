// Owns the tests of how long a body may take: a slow one of JSON is cut off, a file that keeps coming is not.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { Server } from 'node:http';
import { systemClock, type Clock } from '../../src/platform/clock.ts';
import { bodyTime } from '../../src/server/body-time.ts';
import { waitFor } from '../support/wait.ts';

const WHOLE_MS = 300;
const SILENT_MS = 1_500;
let server: Server;
before(async () => {
  const app = express();
  app.use(bodyTime(systemClock, WHOLE_MS, SILENT_MS));
  app.put('/file', async (req, res) => {
    let bytes = 0;
    for await (const chunk of req as AsyncIterable<Buffer>) bytes += chunk.length;
    res.json({ bytes });
  });
  app.post('/json', express.json(), (_req, res) => { res.json({}); });
  app.post('/refused', (_req, res) => { res.status(401).end(); });
  app.use((_error: unknown, _req: Request, _res: Response, _next: NextFunction) => { /* the client has gone */ });
  server = app.listen(0, '127.0.0.1');
  server.requestTimeout = 0;
  await once(server, 'listening');
});
after(() => { server.closeAllConnections(); server.close(); });

function open(head: string, at: Server = server): { socket: Socket; text(): string; closed: Promise<unknown> } {
  const socket = connect((at.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => { text += chunk.toString('utf8'); });
  socket.on('error', () => { /* the close tells */ });
  socket.write(`${head}\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n`);
  return { socket, text: () => text, closed: once(socket, 'close') };
}

/** A cut that does not come would be waited for for ever. */
const timeout = 20_000;

test('JSON that does not come to its end is cut off', { timeout }, async () => {
  const { socket, closed, text } = open('POST /json HTTP/1.1\r\nContent-Type: application/json');
  socket.write('{"a":');
  await closed;
  assert.equal(text(), '');
});

test('a file is taken for as long as it keeps coming, and cut off when it does not', { timeout }, async () => {
  const slow = open('PUT /file HTTP/1.1\r\nContent-Type: application/octet-stream');
  for (let i = 0; i < 10; i += 1) { slow.socket.write('ab'); await sleep(WHOLE_MS / 5); }
  await waitFor('the answer', () => /^HTTP\/1\.1 200[^]*\{"bytes":20\}$/.test(slow.text()));
  slow.socket.destroy();
  const silent = open('PUT /file HTTP/1.1\r\nContent-Type: application/octet-stream');
  silent.socket.write('ab');
  await silent.closed;
  assert.equal(silent.text(), '');
});

test('what is answered before its body came is let go of', { timeout }, async () => {
  const early = open('POST /refused HTTP/1.1\r\nContent-Type: text/plain');
  await waitFor('the answer', () => early.text().startsWith('HTTP/1.1 401'));
  await early.closed;
});

test('who was refused and leaves without having sent its body is waited for no longer', { timeout }, async (t) => {
  let waiting = 0;
  const counting: Clock = { ...systemClock, wait: async (ms, signal) => { waiting += 1; try { await systemClock.wait(ms, signal); } finally { waiting -= 1; } } };
  const app = express();
  app.use(bodyTime(counting));
  app.put('/refused', (_req, res) => { res.setHeader('connection', 'close').status(401).end(); });
  const patient = app.listen(0, '127.0.0.1');
  t.after(() => { patient.closeAllConnections(); patient.close(); });
  await once(patient, 'listening');
  const early = open('PUT /refused HTTP/1.1\r\nContent-Type: application/octet-stream', patient);
  await waitFor('the answer', () => early.text().startsWith('HTTP/1.1 401'));
  early.socket.destroy();
  await waitFor('nothing to be waited for', () => waiting === 0);
});
