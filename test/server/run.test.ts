// Owns the tests of the start and the end of an agent in homes that are in trouble: a full disk, a second agent, too many guests.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { configOf } from '../../src/agent/config.ts';
import { run } from '../../src/server/run.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
const config = (home: string) => configOf({ DIAG_HOME: home, DIAG_PROCESSES: '1', PORT: '0', PATH: process.env['PATH'] });

/** A folder for the test; `end` is what must happen before it goes, the last first. */
async function folder(t: TestContext): Promise<{ path: string; end: (() => unknown)[] }> {
  const path = await mkdtemp(join(tmpdir(), 'run-test-'));
  const end: (() => unknown)[] = [];
  t.after(async () => {
    for (const one of end.reverse()) await one();
    await rm(path, { recursive: true, force: true });
  });
  return { path, end };
}

test('an agent starts and answers on a full disk: that may be the trouble to be looked at', async (t) => {
  const { path, end } = await folder(t);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', path]).status !== 0) { t.skip('no right to mount a small disk here'); return; }
  end.push(() => spawnSync('umount', ['--lazy', path]));
  const home = join(path, 'home');
  await mkdir(join(home, 'data/DaaS/diag'), { recursive: true });
  await assert.rejects(writeFile(join(path, 'fill'), Buffer.alloc(8 * 1024 * 1024)), { code: 'ENOSPC' });
  const running = await run(config(home), root);
  end.push(() => running.stop());
  const headers = { authorization: `Bearer ${running.agent.token}`, 'content-type': 'application/json' };
  assert.equal((await fetch(`${running.listening.url}/api/agent`, { headers })).status, 200);
  const refused = await fetch(`${running.listening.url}/api/sessions`, { method: 'POST', headers, body: '{}' });
  assert.equal((await refused.json() as { code: string }).code, 'NO_ROOM');
  await waitFor('a sample that the disk cannot take', () => running.agent.observed.samples.recent().length > 0);
});

test('who opens connections by the thousand is hung up on, and everybody else is served again when they are gone', async (t) => {
  const { path, end } = await folder(t);
  const running = await run(config(join(path, 'home')), root);
  end.push(() => running.stop());
  const { port } = running.listening.server.address() as AddressInfo;
  const sockets = new Set<Socket>();
  end.push(() => { for (const socket of sockets) socket.destroy(); });
  let hungUp = 0;
  for (let i = 0; i < 600; i += 1) {
    const socket = createConnection(port, '127.0.0.1', () => { socket.write('GET /diag/api/alive HTTP/1.1\r\nHost: 127.0.0.1\r\nSlow: '); });
    socket.on('error', () => { socket.destroy(); });
    socket.on('close', () => { hungUp += 1; sockets.delete(socket); });
    sockets.add(socket);
  }
  await waitFor('the surplus to be hung up on', () => hungUp === 600 - 512);
  for (const socket of sockets) socket.destroy();
  await waitFor('an answer', async () => (await fetch(`${running.listening.url}/api/alive`)).status === 200);
});

test('two agents of one home: the end of the older one leaves the word about the younger one', async (t) => {
  const home = join((await folder(t)).path, 'home');
  const address = join(home, 'data/DaaS/diag/agent.json');
  const older = await run(config(home), root);
  const younger = await run(config(home), root).catch(async (error: unknown) => { await older.stop(); throw error; });
  await older.stop();
  try {
    assert.equal((JSON.parse(await readFile(address, 'utf8')) as { url: string }).url, younger.listening.url);
  } finally {
    await younger.stop();
  }
  assert.equal(existsSync(address), false);
});
