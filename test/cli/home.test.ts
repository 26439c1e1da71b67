// Owns the tests of commands on a home: one raises an agent for itself and leaves nothing, or talks to the one that runs; serve.
import assert from 'node:assert/strict';
import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { api } from '../../src/shared/api.ts';
import { layHome } from '../support/agent.ts';
import { victim, type Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';
import { CTRL_C, diag, lives, noTerminal, start, startOnTerminal, withFolder, type Started } from './support.ts';

/** Only this process is looked at: never what else runs on the machine. */
let worker: Victim;
before(async () => { worker = await victim(); });
after(async () => { await worker.stop(); });
const own = (): Record<string, string> => ({ DIAG_PROCESSES: String(worker.pid) });
const OWN = ['data', 'DaaS', 'diag'];
const isThere = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

const Serving = z.object({ url: z.string(), link: z.string(), home: z.string() });
async function serve(home: string, port = 0): Promise<Started & { url: string; link: string }> {
  const started = start(['serve', '--home', home, '--port', String(port), '--json'], own());
  const { url, link } = await waitFor('the agent to listen', () => Serving.parse(JSON.parse(started.stdout())), 60_000);
  return { ...started, url, link };
}

test('without a running agent one is raised for the command and ended with it: no process, no address file, no temp file', async () => {
  await withFolder(async (folder) => {
    const home = join(folder, 'home');
    await layHome(home, Date.now());
    const ran = await diag(['logs', '--home', home, '--json'], own());
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stderr, '');
    assert.equal(api.logs.answers[200].parse(JSON.parse(ran.stdout)).sources.length, 3);
    const files = await readdir(join(home, ...OWN), { recursive: true });
    assert.ok(files.includes('token'));
    assert.deepEqual(files.filter((f) => f.endsWith('agent.json') || f.endsWith('.tmp')), []);
    const diagnosed = await diag(['diagnose', '--home', home, '--only', 'http-logs,application-logs,event-log', '--out', join(folder, 'out')], own());
    assert.equal(diagnosed.code, 1, diagnosed.stderr);
    const again = await diag(['sessions', '--home', home, '--json'], own());
    assert.equal(api.sessions.answers[200].parse(JSON.parse(again.stdout)).sessions.length, 1, 'the session is kept in the home');
    const top = await diag(['top', '--home', home, '--json'], own());
    const { processes } = z.object({ processes: api.processes.answers[200].shape.processes }).parse(JSON.parse(top.stdout));
    assert.ok(processes.some((p) => p.info.pid === worker.pid && p.sample?.values['process.cpu'] !== undefined), 'a fresh agent has a rate');
  });
});

test('with a running agent the command talks to it, by its address file and token; serve ends in order', async () => {
  await withFolder(async (home) => {
    const serving = await serve(home);
    assert.match(serving.link, /\/diag\/\?once=[\w-]{20,}$/);
    const address = (): Promise<string> => readFile(join(home, ...OWN, 'agent.json'), 'utf8');
    const before = await address();
    assert.deepEqual(z.object({ url: z.string(), pid: z.number() }).parse(JSON.parse(before)), { url: serving.url, pid: serving.child.pid });
    assert.equal((await diag(['sessions', '--home', home], own())).code, 0);
    assert.equal(await address(), before, 'no second agent was raised: it would have left its own address, and taken it away');
    assert.equal((await diag(['sessions'], { ...own(), DIAG_HOME: home })).code, 0);
    assert.equal((await diag(['sessions', '--url', serving.url, '--home', home])).code, 0, 'the token of the home serves its address too');
    assert.match((await diag(['sessions', '--home', home, '--token', 'wrong'])).stderr, /TOKEN_MISSING/);
    serving.child.kill('SIGINT');
    assert.equal((await serving.ended).code, 0);
    assert.ok(!await isThere(join(home, ...OWN, 'agent.json')));
  });
});

test('the address of an agent that was killed is passed over, also when another program has its port now', async () => {
  await withFolder(async (home) => {
    const serving = await serve(home);
    serving.child.kill('SIGKILL');
    await serving.ended;
    assert.ok(await isThere(join(home, ...OWN, 'agent.json')), 'it is left');
    assert.equal((await diag(['sessions', '--home', home], own())).code, 0);

    const asked: (string | undefined)[] = [];
    const other = createServer((req, res) => { asked.push(req.headers.authorization); res.setHeader('content-type', 'application/json').end('{"name":"something else"}'); });
    await new Promise<void>((done) => { other.listen(0, '127.0.0.1', done); });
    await writeFile(join(home, ...OWN, 'agent.json'), JSON.stringify({ url: `http://127.0.0.1:${(other.address() as AddressInfo).port}/diag`, pid: serving.child.pid, startedAt: 1 }));
    const ran = await diag(['sessions', '--home', home], own());
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(asked, [undefined], 'it never saw the token');
    await writeFile(join(home, ...OWN, 'agent.json'), '{"torn');
    assert.equal((await diag(['sessions', '--home', home], own())).code, 0);
    other.closeAllConnections();
    await new Promise<void>((done) => { other.close(() => { done(); }); });
  });
});

test('an agent that listens on a pipe of the platform is named, not doubled', async () => {
  await withFolder(async (home) => {
    await mkdir(join(home, ...OWN), { recursive: true });
    await writeFile(join(home, ...OWN, 'agent.json'), JSON.stringify({ url: '\\\\.\\pipe\\abc', pid: process.pid, startedAt: 1 }));
    const ran = await diag(['sessions', '--home', home], own());
    assert.equal(ran.code, 3);
    assert.match(ran.stderr, /listens on a pipe of the platform; name its web address with --url/);
  });
});

test('Ctrl+C on a command that raised its agent ends both and leaves no address file', { skip: noTerminal }, async () => {
  await withFolder(async (home) => {
    const running = startOnTerminal(['top', '--home', home], own());
    await waitFor('the second picture', () => running.stdout().split('\u001b[H').length > 2, 60_000);
    const { pid } = z.object({ pid: z.number() }).parse(JSON.parse(await readFile(join(home, ...OWN, 'agent.json'), 'utf8')));
    assert.ok(lives(pid));
    running.type(CTRL_C);
    assert.equal((await running.ended).code, 0);
    assert.ok(!lives(pid));
    assert.ok(!await isThere(join(home, ...OWN, 'agent.json')));
  });
});

test('serve: a port that is taken ends with 3 and says what to do; settings that are none with 2', async () => {
  await withFolder(async (home) => {
    const other = createServer();
    await new Promise<void>((done) => { other.listen(0, '127.0.0.1', done); });
    const { port } = other.address() as AddressInfo;
    const ran = await diag(['serve', '--home', home, '--port', String(port)], own());
    assert.deepEqual([ran.code, ran.stdout], [3, '']);
    assert.match(ran.stderr, /EADDRINUSE.*\n {6}Another program listens there: choose another with --port\./);
    await new Promise<void>((done) => { other.close(() => { done(); }); });
    const bad = await diag(['serve', '--home', home], { DIAG_BASE: 'no slash' });
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /DIAG_BASE: a path such as \/diag/);
  });
});

test('serve for people: the one-time link, then where it listens; a second Ctrl+C is not needed', async () => {
  await withFolder(async (home) => {
    const serving = start(['serve', '--home', home, '--port', '0'], own());
    const [, link = '', url = ''] = await waitFor('both lines', () => /^open (\S+)\nlistening (\S+)\n$/.exec(serving.stdout()), 60_000);
    assert.ok(link.startsWith(`${url}/?once=`));
    const first = await fetch(link, { redirect: 'manual' });
    assert.deepEqual([first.status, first.headers.get('set-cookie')?.startsWith('diag=')], [303, true]);
    serving.child.kill('SIGTERM');
    assert.equal((await serving.ended).code, 0);
  });
});
