// Diagnosers that ask the system and other runtimes: connections, PHP, Java, traces; each on the real thing, and where it must refuse.
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ConnectionsFile } from '../../src/shared/artifacts.ts';
import type { Session } from '../../src/shared/model.ts';
import { endsOf } from '../../src/analyze/parse/tcp-ends.ts';
import { connectionsOf } from '../../src/analyze/events/read-connections.ts';
import { waitFor } from '../support/wait.ts';
import { realWorld, type RealWorld } from './real-world.ts';
import { stepsOf } from './world.ts';

let here: RealWorld;
before(async () => { here = await realWorld(); });
after(async () => { await here.close(); });

const never = new AbortController().signal;
const step = (session: Session, id: string): string => stepsOf(session)[`collect/${id}`] ?? '';

test('connections: what others have open to the victim is inbound, and leads to no port of theirs', async () => {
  const { port } = await here.victim.do('listen', { port: 0 }) as { port: number };
  const sockets = await Promise.all([1, 2, 3].map(async () => { const socket = connect(port, '127.0.0.1'); await once(socket, 'connect'); return socket; }));
  try {
    const read = async (): Promise<ConnectionsFile> => ConnectionsFile.parse(JSON.parse(await here.read(await here.diagnose([{ id: 'connections' }]), 'connections.json')));
    const file = await waitFor('three connections at the victim', async () => { const one = await read(); return one.ends.some((e) => e.count >= 3 && e.pid === here.victim.pid && e.state === 'ESTABLISHED') ? one : undefined; });
    const ends = file.ends.filter((e) => e.local.endsWith(`:${port}`) && e.pid === here.victim.pid);
    assert.deepEqual(ends.map((e) => `${e.count} ${e.remote} ${e.state}`).sort(), ['1 * LISTEN', '3 127.0.0.1:* ESTABLISHED']);
    assert.deepEqual(connectionsOf(file).byRemote.filter((r) => r.remote.includes(`:${port}`)), []);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

test('connections: what a process opened itself leads to the remote end, with its state', { skip: process.platform !== 'linux' }, async () => {
  const theirs: Socket[] = [];
  const server = createServer((socket) => { theirs.push(socket); });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const raw = (await here.platform.connections([process.pid], never)).filter((c) => c.remotePort === port);
    assert.deepEqual(raw.map((c) => [c.pid, c.remoteHost, c.state]), [[process.pid, '127.0.0.1', 'ESTABLISHED'], [process.pid, '127.0.0.1', 'ESTABLISHED']]);
    const told = connectionsOf({ version: 1, at: 0, ...endsOf(raw) });
    assert.deepEqual(told.byRemote, [{ remote: `127.0.0.1:${port}`, count: 2, waiting: 0, opening: 0, left: 0, open: 2 }]);
  } finally {
    for (const socket of [...sockets, ...theirs]) socket.destroy();
    server.close();
  }
  await assert.rejects(here.platform.connections([999_999_999], never), /not running any more/);
});

test('connections: counted by end and state; those that wait to close, are not answered or left by the other side are told apart', () => {
  const one = (state: string, n: number, remotePort = 5432) => Array.from({ length: n }, (_, i) => ({ pid: 7, localHost: '10.0.0.4', localPort: 40_000 + i, remoteHost: '10.0.0.9', remotePort, state }));
  const file: ConnectionsFile = { version: 1, at: 5, ...endsOf([...one('ESTABLISHED', 4), ...one('CLOSE_WAIT', 3), ...one('SYN_SENT', 2, 6379), { localHost: 'fe80::1', localPort: 80, remoteHost: '::', remotePort: 0, state: 'LISTEN' }]) };
  assert.deepEqual(file.ends.at(-1), { local: '[fe80::1]:80', remote: '*', state: 'LISTEN', count: 1 });
  assert.deepEqual(connectionsOf(file), { at: 5, total: 9, proof: { where: 'connections.json' }, byRemote: [
    { remote: '10.0.0.9:5432', count: 7, waiting: 3, opening: 0, left: 3, open: 4 }, { remote: '10.0.0.9:6379', count: 2, waiting: 2, opening: 2, left: 0, open: 0 },
  ] });
});

test('connections: refused with the reason where the system has no list', async () => {
  const { diagnosers } = await import('../../src/analyze/diagnosers/index.ts');
  const platform = { ...here.platform, can: () => ({ yes: false, because: 'not on this system' }) };
  assert.deepEqual(diagnosers.find((d) => d.id === 'connections')?.offered({ pid: 1, startedAt: 1, name: 'node', role: 'worker' }, platform), { yes: false, because: 'not on this system' });
  assert.match(step(await here.diagnose([{ id: 'connections' }]), 'connections'), /^done/);
});
