// Owns the journeys of a cure with real processes: a leak is dumped, replaced and told of without one failed request; a spin is profiled and replaced; a crash leaves its evidence; a next worker that does not start costs nothing.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { z } from 'zod';
import type { Alert } from '../../src/shared/alerts.ts';
import type { Rule } from '../../src/shared/rules.ts';
import { loadOn } from '../support/load.ts';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

const skip = process.platform === 'linux' && process.arch === 'x64' ? false : 'SKIPPED: dumps are written on Linux, x64';
const MIB = 2 ** 20;
let system: System;
let told: Alert[] = [];
const hook = createServer((req, res) => {
  const parts: Buffer[] = [];
  req.on('data', (chunk: Buffer) => parts.push(chunk)).on('end', () => { told.push(...(JSON.parse(Buffer.concat(parts).toString()) as { alerts: Alert[] }).alerts); res.end(); });
});

before(async () => {
  if (skip !== false) return;
  await new Promise<void>((done) => { hook.listen(0, '127.0.0.1', done); });
  system = await startSystem({ app: resolve(import.meta.dirname, '../apps/moody'), limits: { backOffMs: 1 } });
  await system.diag.putAlert({ params: { channel: 'hook' }, body: { id: 'hook', type: 'webhook', url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` } });
});
after(async () => { if (skip !== false) return; await system.stop(); hook.close(); hook.closeAllConnections(); });

/** The one rule there is, from now on. */
async function only(rule: Omit<z.input<typeof Rule>, 'limits'>): Promise<void> {
  told = [];
  const { version } = await system.diag.rules();
  const { refused } = await system.diag.putRules({ body: { version, text: JSON.stringify({ rules: [{ ...rule, limits: { perHour: 1 } }] }) } });
  assert.deepEqual(refused, []);
}

const firing = (): Promise<Alert> => waitFor('the webhook', () => told.find(({ status }) => status === 'firing'), 120_000);
const did = (alert: Alert): string[] => alert.did.map(({ type, result }) => `${type} ${result}`);

test('a leaking app is dumped, then replaced, then told of, and not one request fails', { skip, timeout: 240_000 }, async (t) => {
  const old = await waitFor('a sample of the worker', async () => (await system.diag.processes()).processes.find(({ info, sample }) => info.pid === system.pid() && sample?.values['process.private-bytes'] !== undefined), 60_000);
  const load = loadOn(`${system.siteUrl}/?ms=25`, 8);
  t.after(() => load.stop());
  await only({ id: 'leak', when: { type: 'metric', metric: 'process.private-bytes', above: (old.sample?.values['process.private-bytes'] ?? 0) + 80 * MIB }, forMs: 1_000, do: [{ type: 'collect', diagnosers: [{ id: 'memory-dump' }] }, { type: 'recycle', overlapped: true }, { type: 'notify', evenIfFailed: true }] });
  assert.equal(await system.get('/leak'), 200);
  const alert = await firing();
  assert.deepEqual(did(alert), ['collect done', 'recycle done']);
  const next = system.pid();
  assert.equal(alert.did[1]?.says, `process ${old.info.pid} was ended after ${next} had taken over`);
  await waitFor('the next worker to answer', () => load.pids.has(String(next)));
  await load.stop();
  assert.deepEqual(load.failed, []);
  assert.deepEqual([...load.pids], [String(old.info.pid), String(next)]);
  const { artifacts } = await system.diag.session({ params: { session: alert.session ?? '' } });
  assert.ok(artifacts.some(({ kind, bytes }) => kind === 'core-dump' && bytes > 80 * MIB));
});

test('a spinning app is profiled, then replaced', { skip, timeout: 240_000 }, async () => {
  const old = system.pid();
  assert.equal(await system.get('/spin'), 200);
  // Only now: a worker that has just started may be as busy.
  await only({ id: 'spin', when: { type: 'metric', metric: 'process.cpu', above: 25 }, forMs: 2_000, do: [{ type: 'collect', diagnosers: [{ id: 'node-cpu-profile', options: { seconds: 1 } }] }, { type: 'recycle' }, { type: 'notify', evenIfFailed: true }] });
  const alert = await firing();
  assert.deepEqual(did(alert), ['collect done', 'recycle done']);
  assert.notEqual(system.pid(), old);
  const { session = '' } = alert;
  const profile = (await system.diag.session({ params: { session } })).artifacts.find(({ kind }) => kind === 'cpu-profile');
  const text = await readFile(join(system.home, 'data/DaaS/Logs', session, profile?.instance ?? '', profile?.name ?? ''), 'utf8');
  assert.match(text, /"functionName":"spin"/);
});

test('a crashing app leaves its evidence: the stack is in the session, and somebody is told', { skip, timeout: 240_000 }, async () => {
  const old = system.pid();
  await only({ id: 'crash', when: { type: 'exit' }, do: [{ type: 'collect', diagnosers: [{ id: 'application-logs' }, { id: 'event-log' }] }, { type: 'notify', evenIfFailed: true }] });
  await waitFor('the rule to be judged', async () => (await system.diag.rules()).rules.some(({ phase }) => phase === 'idle' || phase === 'unknown'));
  await system.get('/crash');
  const alert = await firing();
  assert.deepEqual(did(alert), ['collect done']);
  const report = await system.diag.sessionReport({ params: { session: alert.session ?? '' } });
  assert.match(JSON.stringify(report), /the voucher of the cart is undefined/);
  await waitFor('the site to serve again', async () => system.pid() !== old && (await system.get('/')) === 200, 60_000);
});

test('a next worker that does not start is given up, and the old one serves on without a failed request', { skip, timeout: 120_000 }, async (t) => {
  const worker = await waitFor('the worker in the list', async () => (await system.diag.restartTargets()).targets.find(({ info, offer }) => info.pid === system.pid() && offer.yes)?.info);
  await writeFile(join(system.home, 'start-fails'), '');
  const load = loadOn(`${system.siteUrl}/?ms=5`, 2);
  t.after(() => load.stop());
  const { pid, startedAt } = worker;
  await assert.rejects(system.diag.restart({ body: { pid, startedAt, overlapped: true } }), { code: 'RESTART_REFUSED', message: /ended before it answered/ });
  await rm(join(system.home, 'start-fails'));
  const done = await system.diag.restart({ body: { pid, startedAt, overlapped: true } });
  assert.deepEqual([done.ended.pid, done.next?.pid, done.overlapped], [pid, system.pid(), true]);
  await waitFor('the next worker to answer', () => load.pids.has(String(system.pid())));
  await load.stop();
  assert.deepEqual(load.failed, []);
});
