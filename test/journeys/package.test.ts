// Owns the journey of the package: installed on Windows as the platform does it, started from IIS's pipe, served below /diag; and behind real nginx on Linux.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { contentOf } from '../../scripts/pack/content.ts';
import { connect, type Diag } from '../../src/shared/connect.ts';
import { waitFor } from '../support/wait.ts';
import { startWindowsHost, type WindowsHost, type WindowsProgram } from '../support/windows.ts';
import { noWine, pipeName } from '../support/wine.ts';

const root = resolve(import.meta.dirname, '../..');
const TOKEN = 'a-token-for-tests-only';
/** A cold start under wine on a busy machine. */
const START_MS = 60_000;

/** The package's files in a folder, as an installation leaves them. */
async function install(folder: string): Promise<void> {
  for (const { name, content } of await contentOf(root, '0.0.0-test', false)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

const client = (url: string, headers: Record<string, string> = {}): Diag => connect(url, fetch as Parameters<typeof connect>[1], headers);

/** Opens the live socket, follows the samples, and answers with the first two kinds of message. */
async function firstWords(url: string, headers: Record<string, string>): Promise<string[]> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/live`, { headers: { ...headers, origin: new URL(url).origin } });
  const seen: string[] = [];
  socket.on('message', (data: Buffer) => {
    const { type } = JSON.parse(data.toString('utf8')) as { type: string };
    if (!seen.includes(type)) seen.push(type);
  });
  try {
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'follow', id: 'one', topic: 'samples' }));
    await waitFor('hello and samples on the socket', () => seen.includes('hello') && seen.includes('samples'), START_MS);
    return seen;
  } finally {
    socket.terminate();
  }
}

test('behind nginx with the sub-path page, API and live socket answer', { skip: nginxProgram() === undefined && process.env['CI'] !== 'true' ? 'SKIPPED: no nginx on this machine (Debian: apt-get install nginx-light)' : false, timeout: 120_000 }, async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'behind-nginx-'));
  const folder = join(top, 'AppServiceDiag');
  await install(folder);
  const [agentPort, frontPort] = [await freePort(), await freePort()];
  const agent = spawn(process.execPath, [join(folder, 'server.js')], { env: { PATH: process.env['PATH'], TMPDIR: top, HOME: top, DIAG_HOME: join(top, 'home'), DIAG_TOKEN: TOKEN, DIAG_HOSTS: 'diag.example', PORT: String(agentPort) }, stdio: ['ignore', 'ignore', 'inherit'] });
  const conf = join(top, 'nginx.conf');
  await writeFile(conf, nginxConf(top, frontPort, agentPort));
  const nginx = spawn(nginxProgram() ?? 'nginx', ['-c', conf, '-e', join(top, 'error.log')], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(async () => {
    for (const child of [nginx, agent]) { child.kill('SIGTERM'); await once(child, 'exit'); }
    await rm(top, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${frontPort}/diag`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  await waitFor('the agent behind nginx', async () => (await client(url).alive()).name === 'diag', START_MS);
  const page = await fetch(`${url}/`);
  assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
  const asset = /src="([^"]+app\.js)"/.exec(await page.text())?.[1] ?? assert.fail('the page names no program');
  assert.equal((await fetch(new URL(asset, `${url}/`))).status, 200, 'what the page names is found below the sub-path');
  await waitFor('the agent itself in its list', async () => (await client(url, headers).processes()).processes.some((one) => one.info.ours === true));
  assert.ok((await firstWords(url, headers)).includes('samples'));
});

function nginxProgram(): string | undefined {
  return ['/usr/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path));
}

function nginxConf(top: string, frontPort: number, agentPort: number): string {
  return `daemon off; pid ${top}/nginx.pid; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off; client_body_temp_path ${top}/body; proxy_temp_path ${top}/proxy; fastcgi_temp_path ${top}/fastcgi; uwsgi_temp_path ${top}/uwsgi; scgi_temp_path ${top}/scgi;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream agent { server 127.0.0.1:${agentPort}; keepalive 4; }
  keepalive_timeout 75s;
  server {
    listen 127.0.0.1:${frontPort};
    location /diag/ { proxy_pass http://agent; proxy_http_version 1.1; proxy_set_header Host $host:$server_port; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_read_timeout 1h; proxy_buffering off; }
    location / { return 404; }
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((done) => { server.close(() => { done(); }); });
  return port;
}

let host: WindowsHost;
let folder: string;
let home: string;
before(async () => {
  if (noWine() !== undefined) return;
  host = await startWindowsHost();
  home = join(host.wine.driveD, 'home');
  folder = join(home, 'SiteExtensions', 'AppServiceDiag');
  await rm(home, { recursive: true, force: true });
  await install(folder);
}, { timeout: 300_000 });
after(async () => {
  if (noWine() !== undefined) return;
  await host.close();
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

const SITE = { HOME: 'd:\\home', WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: 'a1b2c3'.padEnd(64, '0'), WEBSITE_IIS_SITE_NAME: '~1shop', WEBSITE_HTTPLOGGING_ENABLED: '1', IISNODE_VERSION: '0.2.26' };

/** As iisnode does it: the pipe in PORT, the extension's folder as the current one. */
async function startSite(pipe: string, more: Readonly<Record<string, string>> = {}): Promise<WindowsProgram> {
  return host.start(['server.js'], { cwd: host.wine.windows(folder), env: { ...SITE, ...more, PORT: pipe } });
}

test('installed under d:\\home it starts from a pipe and serves /diag with its live socket through the proxy', { skip: noWine(), timeout: 300_000 }, async () => {
  const pipe = pipeName();
  const site = await startSite(pipe);
  const proxy = await host.proxy({ to: pipe, below: '/diag' });
  const url = `http://127.0.0.1:${proxy.port}/diag`;
  // The platform signs users in, and says who they are.
  const headers = { 'x-ms-client-principal-name': 'someone@example.com' };
  const diag = client(url, headers);
  try {
    await waitFor('the page', async () => (await fetch(`${url}/`)).status === 200, START_MS);
    const info = await diag.agent();
    assert.match(info.app.os, /Windows/);
    assert.deepEqual([info.app.site, info.app.instance], ['shop', 'a1b2c3']);
    assert.ok((await firstWords(url, headers)).includes('samples'));
    for (const id of ['processes', 'usage', 'modules', 'threads'] as const) assert.deepEqual(info.capabilities.find((one) => one.id === id)?.offer, { yes: true }, `${id}: koffi was loaded from the package`);
    const { checks } = await diag.doctor();
    assert.equal(checks.find((one) => one.id === 'web-job')?.severity, 'warning', 'a private upload has not run install.cmd');
    assert.equal(checks.find((one) => one.id === 'node')?.severity, 'good');
    assert.equal((await fetch(`http://127.0.0.1:${proxy.port}/other`)).status, 404);
  } catch (error) {
    throw new Error(`${String(error)}\n${site.stdout()}${site.stderr()}`, { cause: error });
  } finally {
    await proxy.close();
    await site.kill();
  }
});

test('the native part is loaded from the local disk, so that the package can be replaced while it runs', { skip: noWine(), timeout: 300_000 }, async () => {
  const temp = await host.wine.folder('temp');
  const pipe = pipeName();
  const site = await startSite(pipe, { TEMP: temp.windows, TMP: temp.windows });
  try {
    const copies = await waitFor('the copy', async () => { const found = await readdir(join(temp.linux, 'app-service-diag-native')); return found.some((one) => one.endsWith('.node')) ? found : undefined; }, START_MS);
    assert.match(copies.join(), /^koffi-[0-9a-f]{16}\.node$/);
    await rm(join(folder, 'dist/node_modules/@koromix/koffi-win32-x64/win32_x64/koffi.node'));
  } finally {
    await site.kill();
    await temp.remove();
    await install(folder);
  }
});

test('install.cmd registers the WebJob, run.cmd takes over when the site is killed, uninstall.cmd removes it', { skip: noWine(), timeout: 300_000 }, async () => {
  const cmd = async (file: string): Promise<number | null> => (await host.start(['/c', `${host.wine.windows(folder)}\\${file}`], { program: 'cmd.exe', env: { HOME: 'd:\\home' }, cwd: host.wine.windows(folder) })).exited;
  const job = join(home, 'site/jobs/continuous/AppServiceDiag');
  assert.equal(await cmd('install.cmd'), 0);
  assert.deepEqual((await readdir(job)).sort(), ['run.cmd', 'settings.job']);
  const pipe = pipeName();
  const site = await startSite(pipe);
  await waitFor('the page\'s process to listen', () => site.stdout().includes('listening'), START_MS);
  const stopFile = join(home, 'stop-the-webjob');
  // The platform runs a copy of the folder, as here: the program is found by HOME.
  const copy = await host.wine.folder('jobs');
  await cp(job, copy.linux, { recursive: true });
  const env = { ...SITE, WEBJOBS_NAME: 'AppServiceDiag', WEBJOBS_SHUTDOWN_FILE: host.wine.windows(stopFile), DIAG_TOKEN: TOKEN, PATH: `${host.wine.nodeExe.replace(/\\node\.exe$/, '')};c:\\windows\\system32` };
  let said: (() => Promise<{ severity: string; says: string } | undefined>) | undefined;
  const webjob = await host.start(['/c', `${copy.windows}\\run.cmd`], { program: 'cmd.exe', env, cwd: copy.windows });
  try {
    // The one that a program on this machine can reach is told, not the pipe.
    const url = await waitFor('the web address of the WebJob', async () => { const told = JSON.parse(await readFile(join(home, 'data/DaaS/diag/agent.json'), 'utf8')) as { url: string }; return told.url.startsWith('http://127') ? told.url : undefined; }, START_MS);
    const diag = client(url, { authorization: `Bearer ${TOKEN}` });
    said = async () => (await diag.doctor()).checks.find((one) => one.id === 'observer');
    const observer = async (): Promise<string | undefined> => (await said?.())?.severity;
    assert.equal(await observer(), 'info', 'the page\'s process observes, the WebJob waits');
    await site.kill();
    await waitFor('the WebJob to observe', async () => await observer() === 'good', 15_000);
    await writeFile(stopFile, '');
    assert.equal(await webjob.exited, 0, 'it ends in order when the platform asks');
  } catch (error) {
    throw new Error(`${String(error)}\n${JSON.stringify(await said?.().catch(String))}\n${site.stderr()}${webjob.stdout()}${webjob.stderr()}`, { cause: error });
  } finally {
    // run.cmd's node is no child of ours to be killed: it ends when it is asked.
    await writeFile(stopFile, '');
    await Promise.all([webjob.exited, site.kill()]);
    await copy.remove();
  }
  assert.equal(await cmd('uninstall.cmd'), 0);
  assert.equal(existsSync(job), false);
});
