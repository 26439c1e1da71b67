// Owns the proof of `npm start`: its lines, its flags, and that nothing is left running however it or its parts end.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, test } from 'node:test';
import { startLocalAppService } from '../../scripts/local/index.ts';
import { isFree } from '../../scripts/local/ports.ts';
import { waitFor } from '../support/wait.ts';
import { app, rows, watch } from './support.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const fakeAgent = fileURLToPath(new URL('./fake-agent.cjs', import.meta.url));

let home: string;
let running: Started[] = [];
beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'launcher-')); });
afterEach(async () => {
  for (const started of running) {
    started.child.kill('SIGKILL');
    await started.ended;
  }
  for (const started of running) for (const process of started.seen) await waitFor(`process ${process.pid} to end`, () => !process.alive());
  running = [];
  await rm(home, { recursive: true, force: true });
});

type Watched = ReturnType<typeof watch>;
interface Ready { readonly site: string; readonly diag: string; readonly front: Watched; readonly worker: Watched; readonly agent: Watched }
interface Started { readonly child: ChildProcess; readonly ended: Promise<number | null>; readonly seen: Watched[]; out(): string; err(): string }

function start(flags: readonly string[], variables: Record<string, string> = {}): Started {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(checkout, 'scripts/start.ts'), '--home', home, ...flags], {
    cwd: tmpdir(), env: { ...env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text; });
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const started = { child, ended, seen: [], out: () => out, err: () => err };
  running.push(started);
  return started;
}

/** Starts with the fake agent and waits for the ready line; every process of it is watched. */
async function startReady(flags: readonly string[] = [], variables: Record<string, string> = {}): Promise<{ started: Started; ready: Ready }> {
  const ports = ['--port', '0', '--scm-port', '0'];
  const started = start(['--agent', fakeAgent, '--no-traffic', ...ports, ...flags], variables);
  const line = await waitFor('the ready line', () => {
    assert.equal(started.child.exitCode, null, started.err());
    return /^ready site=(\S+) diag=(\S+)$/m.exec(started.out());
  });
  const [, site = '', diag = ''] = line;
  const ready = { site, diag, ...(await parts(diag)) };
  started.seen.push(ready.front, ready.worker, ready.agent);
  return { started, ready };
}

async function recorded(name: 'front' | 'worker'): Promise<Watched> {
  return watch((JSON.parse(await readFile(join(home, `.local/${name}.json`), 'utf8')) as { pid: number }).pid);
}

async function parts(diag: string): Promise<Pick<Ready, 'front' | 'worker' | 'agent'>> {
  const agent = (await (await fetch(diag)).json()) as { pid: number };
  return { front: await recorded('front'), worker: await recorded('worker'), agent: watch(agent.pid) };
}

const ok = (url: string): Promise<boolean> => fetch(url).then((answer) => answer.ok);

test('the ready line comes once, after the agent\u2019s link, when both answer; the agent is on the SCM side of the same site', async () => {
  const { started, ready } = await startReady([], { DIAG_TOKEN: 'given' });
  assert.match(started.out(), /^open http:\/\/127\.0\.0\.1:\d+\/diag\?once=abc\nready site=http:\/\/127\.0\.0\.1:\d+ diag=http:\/\/127\.0\.0\.1:\d+\/diag\n$/);
  assert.equal(await ok(`${ready.site}/cart`), true);
  const seen = (await (await fetch(ready.diag)).json()) as Record<string, string>;
  const { id } = JSON.parse(await readFile(join(home, '.local/instance.json'), 'utf8')) as { id: string };
  assert.deepEqual(
    ['HOME', 'DIAG_TOKEN', 'WEBSITE_IIS_SITE_NAME', 'APP_POOL_ID', 'WEBSITE_INSTANCE_ID', 'WEBSITE_SITE_NAME'].map((name) => seen[name]),
    [home, 'given', '~1contoso-shop', '~1contoso-shop', id, 'contoso-shop'],
  );
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends everything with code 0 and leaves no process`, async () => {
    const { started, ready } = await startReady();
    started.child.kill(signal);
    started.child.kill(signal); // npm passes on what the terminal has sent already: still one press
    assert.equal(await started.ended, 0, started.err());
    assert.deepEqual([ready.front.alive(), ready.worker.alive(), ready.agent.alive()], [false, false, false]);
  });
}

test('Ctrl+C while it is still starting ends it as cleanly', async () => {
  const started = start(['--agent', fakeAgent, '--port', '0', '--scm-port', '0']);
  started.seen.push(await waitFor('the front end', () => recorded('front')));
  started.child.kill('SIGINT');
  assert.equal(await started.ended, 0, started.err());
  assert.deepEqual(started.seen.map((part) => part.alive()), [false]);
});

test('a launcher that is killed takes everything with it', async () => {
  const { started, ready } = await startReady();
  started.child.kill('SIGKILL');
  for (const name of ['front', 'worker', 'agent'] as const) await waitFor(`the ${name} to end`, () => !ready[name].alive());
});

test('a front end that is killed comes back with a new worker, and the agent never notices', async () => {
  const { started, ready } = await startReady();
  process.kill(ready.front.pid, 'SIGKILL');
  await waitFor('the site to answer again', () => ok(`${ready.site}/cart`));
  assert.equal(ready.worker.alive(), false);
  assert.equal(ready.agent.alive(), true);
  const again = await parts(ready.diag);
  started.seen.push(again.front, again.worker);
  assert.notEqual(again.front.pid, ready.front.pid);
  assert.match(started.out(), new RegExp(`^front end ${ready.front.pid} ended by SIGKILL, its worker ${ready.worker.pid} was ended after it; starting it again$`, 'm'));
  assert.equal(started.out().match(/^ready /gm)?.length, 1);
  started.child.kill('SIGINT');
  assert.equal(await started.ended, 0);
});

test('an agent that dies comes back, and its new link is said', async () => {
  const { started, ready } = await startReady();
  await fetch(`${ready.diag}/die`).catch(() => undefined);
  await waitFor('the new agent', () => ok(ready.diag));
  started.seen.push((await parts(ready.diag)).agent);
  assert.match(started.out(), new RegExp(`^agent ${ready.agent.pid} ended with code 7; starting it again$`, 'm'));
  await waitFor('its link', () => started.out().match(/^open /gm)?.length === 2);
});

test('an agent that dies again and again ends the launch with code 3 and leaves nothing', async () => {
  const started = start(['--agent', fakeAgent, '--no-traffic', '--port', '0', '--scm-port', '0'], { FAKE_AGENT_DIES: '1' });
  started.seen.push(await waitFor('the front end', () => recorded('front')));
  assert.equal(await started.ended, 3, started.out());
  assert.match(started.out(), /^agent \d+ ended with code 9: 6 times within a minute, given up$/m);
  assert.doesNotMatch(started.out(), /^ready /m);
  assert.deepEqual(started.seen.map((part) => part.alive()), [false]);
});

test('an app that cannot start is said, and the page is there all the same', async () => {
  const { started, ready } = await startReadyWithoutWorker();
  assert.match(started.out(), /^worker stopped after 2 failures: .*kill -USR2 \d+/m);
  assert.equal((await fetch(ready.site)).status, 503);
});

async function startReadyWithoutWorker(): Promise<{ started: Started; ready: { site: string } }> {
  const started = start(['--agent', fakeAgent, '--app', app('boot-crash'), '--rapid-fail-count', '2', '--back-off-ms', '1', '--port', '0', '--scm-port', '0']);
  const [, site = ''] = await waitFor('the ready line', () => /^ready site=(\S+) /m.exec(started.out()));
  started.seen.push(await recorded('front'));
  return { started, ready: { site } };
}

test('SIGUSR2 starts a worker that was stopped', async () => {
  const { started, ready } = await startReady(['--rapid-fail-count', '1']);
  assert.equal((await fetch(`${ready.site}/crash?code=4`)).status, 502);
  await waitFor('503', async () => (await fetch(`${ready.site}/cart`)).status === 503);
  await waitFor('the line', () => started.out().includes('worker stopped after 1 failures'));
  started.child.kill('SIGUSR2');
  await waitFor('the site to answer', () => ok(`${ready.site}/cart`));
  started.seen.push(await recorded('worker'));
});

test('limits come from flags, and from variables below them', async () => {
  const { ready } = await startReady(['--handler-limit-ms', '300'], { LOCAL_HANDLER_LIMIT_MS: '600000', LOCAL_ROW_FILE_BYTES: '5000' });
  assert.equal((await fetch(`${ready.site}/hang`)).status, 502);
  await waitFor('the row', async () => (await rows(home)).some((row) => row['sc-win32-status'] === '12002'));
});

const usage: readonly [name: string, flags: readonly string[], says: RegExp][] = [
  ['an unknown flag', ['--wat'], /'--wat'/],
  ['a word that is no flag', ['wat'], /wat/],
  ['a port that is none', ['--port', '70000'], /--port wants a port/],
  ['a limit that is no number', ['--back-off-ms', '-1'], /back-off-ms/],
  ['an app that is not there', ['--app', '/nowhere/at/all'], /--app \/nowhere\/at\/all is not a folder/],
  ['a limit of zero', ['--handler-limit-ms', '0'], /--handler-limit-ms wants a whole number/],
];
for (const [name, flags, says] of usage) {
  test(`${name} is code 2 with the usage`, async () => {
    const started = start([...flags, '--agent', fakeAgent]);
    assert.equal(await started.ended, 2);
    assert.match(started.err(), says);
    assert.match(started.err(), /^npm start -- \[flags\]$/m);
    assert.equal(started.out(), '');
  });
}

test('a port that was asked for and is busy is code 3; a busy default gives way', async () => {
  const holder = createServer();
  const busy = await new Promise<number>((resolve, reject) => {
    holder.once('error', reject);
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port));
  });
  try {
    const started = start(['--agent', fakeAgent, '--port', String(busy)]);
    assert.equal(await started.ended, 3);
    assert.match(started.err(), new RegExp(`^port ${busy} is in use: give --port another one$`, 'm'));
  } finally {
    await new Promise((resolve) => holder.close(resolve));
  }
  const defaults = [createServer(), createServer()]; // whoever else holds them is as good
  await Promise.all(defaults.map((server, i) => new Promise<void>((resolve) => {
    server.once('error', () => resolve());
    server.listen(8080 + i, '127.0.0.1', () => resolve());
  })));
  try {
    const started = start(['--agent', fakeAgent, '--no-traffic']);
    const line = await waitFor('the ready line', () => /^ready site=http:\/\/127\.0\.0\.1:(\d+) diag=http:\/\/127\.0\.0\.1:(\d+)\/diag$/m.exec(started.out()));
    assert.ok(![8080, 8081].includes(Number(line[1])) && ![8080, 8081].includes(Number(line[2])), line[0]);
    started.seen.push(await recorded('front'), await recorded('worker'));
  } finally {
    await Promise.all(defaults.map((server) => new Promise((resolve) => server.close(resolve))));
  }
});

test('as a function it raises the agent too, and hands over address, token and link', async () => {
  const service = await startLocalAppService({ home, agent: true, agentFile: fakeAgent });
  try {
    const seen = (await (await fetch(service.diagUrl)).json()) as Record<string, unknown>;
    assert.equal(seen['DIAG_TOKEN'], service.token);
    assert.equal(seen['pid'], service.agentPid());
    assert.equal(service.openLink(), `${service.diagUrl}?once=abc`);
    const all = [watch(service.agentPid()), watch(service.frontPid()), watch(service.pid())];
    await service.stop();
    assert.deepEqual(all.map((part) => part.alive()), [false, false, false]);
    assert.equal(await isFree(Number(new URL(service.siteUrl).port)), true);
  } finally {
    await service.stop();
  }
});
