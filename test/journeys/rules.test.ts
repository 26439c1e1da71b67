// Owns the journey of a rule on a whole system: a worker that leaks is dumped, then recycled, then told of, also when the agent is killed in between, and the site serves again.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'SKIPPED: dumps are written on Linux, x64';
let system: System;
const told: { readonly did: { readonly type: string; readonly result: string }[]; readonly id: string; readonly status: string }[] = [];
const hook = createServer((req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (chunk: Buffer) => parts.push(chunk)).on('end', () => { told.push(...(JSON.parse(Buffer.concat(parts).toString()) as { alerts: typeof told }).alerts); res.end(); });
});

before(async () => {
  if (skip !== false) return;
  await new Promise<void>((done) => { hook.listen(0, '127.0.0.1', done); });
  process.env['DIAG_ALLOW_LOOPBACK'] = '1';                     // the launcher hands settings of the agent on
  system = await startSystem();
});
after(async () => { if (skip !== false) return; await system.stop(); hook.close(); hook.closeAllConnections(); });

test('dumped, then recycled, then told of; a kill -9 of the agent between dump and recycle repeats nothing and loses nothing', { skip, timeout: 240_000 }, async () => {
  await waitFor('a worker that answers', async () => (await system.get('/cart')) === 200, 60_000);
  const old = system.pid();
  await system.diag.putAlert({ params: { channel: 'hook' }, body: { id: 'hook', type: 'webhook', url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` } });
  const { version } = await system.diag.rules();
  // Any worker is too large for it: what is tested is what follows. The pause between dump and recycle is a program's, for the kill to fall into.
  const rule = { id: 'leak', when: { type: 'metric' as const, metric: 'process.private-bytes' as const, above: 1 }, forMs: 1_000, do: [{ type: 'collect' as const, diagnosers: [{ id: 'memory-dump' }] }, { type: 'run' as const, program: '/bin/sleep', arguments: ['60'], limitMs: 120_000 }, { type: 'recycle' as const, evenIfFailed: true }, { type: 'notify' as const, evenIfFailed: true }], limits: { cooldownMs: 3_600_000, perDay: 1 } };
  await system.diag.putRule({ params: { rule: 'leak' }, body: { rule, version } });
  const history = async (): Promise<string[]> => [...(await system.diag.ruleHistory()).entries].reverse().flatMap((one) => (one.did === 'ended' ? [`${one.type} ${one.result}`] : one.did === 'begun' ? [`begun ${one.step}`] : []));
  await waitFor('the dump to be taken and the next step to run', async () => (await history()).includes('begun 1'), 120_000);
  assert.equal(system.pid(), old, 'the worker was ended before its evidence was whole');
  process.kill(system.agentPid() ?? 0, 'SIGKILL');
  await waitFor('the webhook', () => told.some(({ status }) => status === 'firing'), 120_000);
  const alert = told.find(({ status }) => status === 'firing');
  assert.deepEqual(alert?.did.map(({ type, result }) => `${type} ${result}`), ['collect done', 'run interrupted', 'recycle done']);
  await waitFor('another worker', () => system.pid() !== undefined && system.pid() !== old, 60_000);
  await waitFor('the site to serve again', async () => (await system.get('/cart')) === 200, 60_000);
  const did = await waitFor('the firing to be over', async () => { const all = await history(); return all.includes('notify done') ? all : undefined; }, 60_000);
  assert.deepEqual(did, ['begun 0', 'collect done', 'begun 1', 'run interrupted', 'begun 2', 'recycle done', 'begun 3', 'notify done']);
  const { sessions } = await system.diag.sessions();
  const mine = sessions.filter(({ askedBy }) => askedBy === 'rule leak');
  assert.equal(mine.length, 1);
  assert.ok(mine[0]?.artifacts.some(({ kind }) => kind === 'core-dump'));
  assert.equal(new Set(told.filter(({ status }) => status === 'firing').map(({ id }) => id)).size, 1);
});
