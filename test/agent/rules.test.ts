// Owns the tests of the rules in a real agent with a real process: evidence, then the end of the process, then word of it; what an end of the agent leaves; who may be told.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { startAgent, type Agent } from '../../src/agent/agent.ts';
import { configOf } from '../../src/agent/config.ts';
import type { Alert } from '../../src/shared/alerts.ts';
import type { RuleEntry } from '../../src/shared/rules.ts';
import { victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
const SECRET = 'only-for-this-test';
const MIB = 2 ** 20;

interface Told { readonly alerts: readonly Alert[]; readonly signed: boolean; readonly at: number }

/** A receiver that refuses until it is told to take. */
async function receiver(): Promise<{ readonly url: string; readonly told: Told[]; takes: boolean; readonly asks: () => number; close(): Promise<void> }> {
  const told: Told[] = [];
  let asks = 0;
  const state = { takes: true };
  const server = createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (chunk: Buffer) => parts.push(chunk)).on('end', () => {
      asks += 1;
      if (!state.takes) { res.statusCode = 503; res.end('not now'); return; }
      const body = Buffer.concat(parts).toString();
      const [, seconds, given] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(req.headers['x-diag-signature'])) ?? [];
      told.push({ alerts: (JSON.parse(body) as { alerts: Alert[] }).alerts, signed: given === createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'), at: Date.now() });
      res.end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, told, asks: () => asks, get takes() { return state.takes; }, set takes(yes: boolean) { state.takes = yes; }, close: () => new Promise((done) => { server.close(() => { done(); }); server.closeAllConnections(); }) };
}

async function agentOf(home: string, pid: number, env: Record<string, string> = {}): Promise<Agent> {
  return startAgent(configOf({ DIAG_HOME: home, DIAG_TOKEN: 'a-token-for-tests-only', DIAG_PROCESSES: String(pid), PORT: '0', PATH: process.env['PATH'], DIAG_ALLOW_LOOPBACK: '1', ...env }), { reportCss: join(root, 'public/report.css') });
}

const entries = async (agent: Agent): Promise<readonly RuleEntry[]> => [...(await agent.rules.history(1_000)).entries].reverse();

test('a process that leaks is looked at, then ended, then told of, in this order; the history has every step', { timeout: 120_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'rules-test-'));
  const leaker = await victim({ env: { SECRET_KEY: 'marker-secret-value-1234' } });
  const hook = await receiver();
  const agent = await agentOf(home, leaker.pid);
  t.after(async () => { await agent.stop(); await leaker.stop(); await hook.close(); await rm(home, { recursive: true, force: true }); });
  await agent.rules.alerts.put({ id: 'hook', type: 'webhook', url: hook.url, secret: SECRET, enabled: true, recovery: true });
  const text = `{ "rules": [
    // refused alone
    { "id": "wild", "when": { "type": "exit" }, "do": [{ "type": "recycle" }] },
    { "id": "leak", "when": { "type": "metric", "metric": "process.private-bytes", "above": ${300 * MIB} }, "forMs": 2000, "overMs": 1000,
      "do": [{ "type": "collect", "diagnosers": [{ "id": "process-list" }, { "id": "environment" }] }, { "type": "run", "program": "/bin/echo", "arguments": ["seen; rm -rf $HOME", "marker-secret-value-1234"] }, { "type": "end-process", "evenIfFailed": true }, { "type": "notify", "evenIfFailed": true }],
      "limits": { "perHour": 1 } },
  ] }`;
  const put = await agent.rules.put(text, agent.rules.version, 'test');
  assert.deepEqual(put.refused.map(({ id }) => id), ['wild']);
  const quiet = await waitFor('the rule to be judged', async () => (await agent.rules.list()).rules.find(({ rule, phase }) => rule.id === 'leak' && phase === 'idle'));
  assert.match(quiet.measured[0]?.says ?? '', /^Private bytes [\d.]+ MiB/);
  await leaker.do('leak', { mb: 400, buffers: true });
  const [first] = await waitFor('the webhook', () => (hook.told.length > 0 ? hook.told : undefined), 60_000);
  await leaker.exited;
  assert.equal(first?.signed, true);
  const [alert] = first?.alerts ?? [];
  assert.deepEqual(alert?.did.map(({ type, result }) => [type, result]), [['collect', 'done'], ['run', 'done'], ['end-process', 'done']]);
  assert.match(alert?.session ?? '', /^\d{6}_\d{10}$/);
  assert.doesNotMatch(JSON.stringify(hook.told), /marker-secret-value/);
  const did = await waitFor('the firing to be closed', async () => { const all = await entries(agent); return all.some((one) => one.did === 'closed') ? all : undefined; });
  assert.deepEqual(did.filter((one) => one.did !== 'phase' && one.did !== 'over').map((one) => (one.did === 'ended' ? `${one.type} ${one.result}` : one.did)), ['fired', 'begun', 'collect done', 'begun', 'run done', 'begun', 'end-process done', 'begun', 'notify done', 'closed']);
  const ran = did.find((one) => one.did === 'ended' && one.type === 'run');
  assert.match(ran?.did === 'ended' ? ran.says ?? '' : '', /^exit code 0: seen; rm -rf \$HOME /);
  const session = await agent.store.sessions.get(alert?.session ?? '');
  assert.match(session.reason ?? '', /^rule leak: /);
  const audit = await agent.store.audit.recent(20);
  assert.ok(audit.entries.some((one) => one.who === 'rule leak' && one.did === 'restart'));
});

test('a firing that an end of the agent interrupted goes on: the evidence is not taken twice, the end not done twice, the word is told', { timeout: 120_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'rules-test-'));
  const leaker = await victim();
  const hook = await receiver();
  t.after(async () => { await leaker.stop(); await hook.close(); await rm(home, { recursive: true, force: true }); });
  hook.takes = false;
  const before = await agentOf(home, leaker.pid);
  await before.rules.alerts.put({ id: 'hook', type: 'webhook', url: hook.url, secret: SECRET, enabled: true, recovery: true });
  await before.rules.put(JSON.stringify({ rules: [{ id: 'always', when: { type: 'metric', metric: 'process.threads', above: 1 }, do: [{ type: 'collect', diagnosers: [{ id: 'process-list' }] }, { type: 'run', program: '/bin/sleep', arguments: ['100'], limitMs: 200_000 }, { type: 'notify', evenIfFailed: true }], limits: { cooldownMs: 3_600_000, perDay: 1 } }] }), before.rules.version, 'test');
  await waitFor('the program to run', async () => (await entries(before)).some((one) => one.did === 'begun' && one.step === 1), 60_000);
  await before.stop();
  const after = await agentOf(home, leaker.pid);
  t.after(async () => { await after.stop(); });
  const did = await waitFor('the firing to be closed', async () => { const all = await entries(after); return all.some((one) => one.did === 'closed') ? all : undefined; }, 60_000);
  assert.deepEqual(did.flatMap((one) => (one.did === 'ended' ? [`${one.type} ${one.result}`] : [])), ['collect done', 'run interrupted', 'notify done']);
  assert.equal((await after.store.sessions.list()).sessions.filter(({ askedBy }) => askedBy === 'rule always').length, 1);
  assert.equal((await after.rules.list()).rules[0]?.firedLastDay, 1);
  // The receiver was down: the alert waits on disk, and comes when it is up again.
  assert.equal(after.rules.alerts.channels()[0]?.waiting, 1);
  assert.match(after.rules.alerts.channels()[0]?.lastFailed ?? '', /answered 503/);
  hook.takes = true;
  await waitFor('the alert', () => hook.told.length > 0, 60_000);
  assert.equal(hook.told[0]?.alerts[0]?.rule, 'always');
  const held = await waitFor('the rule to be held back', async () => (await after.rules.list()).rules.find(({ phase }) => phase === 'held'));
  assert.deepEqual([held.heldBy, held.heldSays], ['cooldown', 'the cool-down lasts']);
});

test('without leave for loopback neither alerts nor probes go to this machine, and a rule of a bad pattern is refused alone', { timeout: 60_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'rules-test-'));
  const app = await victim();
  const hook = await receiver();
  const agent = await agentOf(home, app.pid, { DIAG_ALLOW_LOOPBACK: '0', DIAG_SITE_URL: new URL(hook.url).origin });
  t.after(async () => { await agent.stop(); await app.stop(); await hook.close(); await rm(home, { recursive: true, force: true }); });
  await agent.rules.alerts.put({ id: 'hook', type: 'slack', url: hook.url, enabled: true, recovery: true });
  await assert.rejects(agent.rules.alerts.test('hook'), { code: 'ADDRESS_REFUSED' });
  const view = await agent.rules.put(JSON.stringify({ rules: [{ id: 'probe', when: { type: 'probe', failures: 1 }, do: [{ type: 'notify' }] }, { id: 'pattern', when: { type: 'log', pattern: '(a' }, do: [{ type: 'notify' }] }, { id: 'tool', when: { type: 'exit' }, do: [{ type: 'collect', diagnosers: [{ id: 'no-such' }] }] }] }), agent.rules.version, 'test');
  assert.deepEqual(view.refused.map(({ id }) => id), ['pattern', 'tool']);
  const probed = await waitFor('the probe to fail', async () => (await agent.rules.list()).rules.find(({ error }) => error !== undefined));
  assert.match(probed.error ?? '', /this machine itself/);
  const did = await waitFor('the firing to be closed', async () => { const all = await entries(agent); return all.some((one) => one.did === 'closed') ? all : undefined; });
  assert.deepEqual(did.flatMap((one) => (one.did === 'ended' ? [one.result] : [])), ['done']);
  assert.match(agent.rules.alerts.channels()[0]?.lastFailed ?? '', /this machine itself/);
  assert.equal(hook.asks(), 0);
});

test('a crash fires, a restart that was asked for does not; a line of a log that a rule names fires at any level; what is over is told', { timeout: 120_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'rules-test-'));
  const [crashing, restarted] = [await victim(), await victim()];
  const hook = await receiver();
  const agent = await agentOf(home, crashing.pid, { DIAG_PROCESSES: `${crashing.pid},${restarted.pid}` });
  t.after(async () => { await agent.stop(); await crashing.stop(); await restarted.stop(); await hook.close(); await rm(home, { recursive: true, force: true }); });
  await agent.rules.alerts.put({ id: 'hook', type: 'webhook', url: hook.url, secret: SECRET, enabled: true, recovery: true });
  await mkdir(join(home, 'LogFiles', 'Application'), { recursive: true });
  const log = join(home, 'LogFiles', 'Application', 'shop.txt');
  await writeFile(log, 'info: order 1 is late\n');
  const step = { do: [{ type: 'notify' }], limits: { cooldownMs: 0 }, overMs: 0 };
  await agent.rules.put(JSON.stringify({ rules: [{ id: 'crash', when: { type: 'exit', withinMs: 5_000 }, ...step }, { id: 'late', when: { type: 'log', source: 'shop.txt', pattern: 'order \\d+ is late', withinMs: 60_000 }, ...step, limits: { cooldownMs: 3_600_000 } }] }), agent.rules.version, 'test');
  await waitFor('the rules to be judged', async () => { const { rules } = await agent.rules.list(); return rules.length === 2 && rules.every(({ phase }) => phase === 'idle'); });
  const fired = async (rule: string): Promise<number> => (await entries(agent)).filter((one) => one.did === 'fired' && one.rule === rule).length;
  const first = async (rule: string): Promise<number | undefined> => { const one = (await entries(agent)).find((entry) => entry.did === 'fired' && entry.rule === rule); return one?.did === 'fired' ? one.value : undefined; };
  const target = await waitFor('the processes to be seen', () => agent.observed.processes().find(({ pid }) => pid === restarted.pid));
  agent.rules.asked(target);
  await agent.platform.end(target, 1_000, AbortSignal.timeout(20_000));
  await waitFor('its exit to be told', () => agent.observed.exits(0).find(({ process }) => process.pid === restarted.pid));
  await crashing.do('exit', { code: 3 }).catch(() => undefined);
  await waitFor('the crash to fire', async () => (await fired('crash')) > 0, 60_000);
  assert.deepEqual(await first('crash'), 1);
  await appendFile(log, 'info: order 2 is late\n');
  await waitFor('the line to fire', async () => (await fired('late')) > 0, 60_000);
  assert.deepEqual(await first('late'), 1);
  await waitFor('word that the crash is over', () => hook.told.some(({ alerts }) => alerts.some(({ status, rule }) => status === 'resolved' && rule === 'crash')), 60_000);
});
