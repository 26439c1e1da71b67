// Owns the journey of the package: installed on Windows as the platform does it, started from IIS's pipe, served below /diag; and behind real nginx on Linux.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { connect, type Diag } from '../../src/shared/connect.ts';
import { freePort } from '../support/free-port.ts';
import { installPackage } from '../support/installed.ts';
import { waitFor } from '../support/wait.ts';
import { startWindowsHost, type WindowsHost, type WindowsProgram } from '../support/windows.ts';
import { noWine, pipeName } from '../support/wine.ts';

const TOKEN = 'a-token-for-tests-only';
/** A cold start under wine on a busy machine. */
const START_MS = 60_000;

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
  await installPackage(folder);
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

let host: WindowsHost;
let folder: string;
let home: string;
before(async () => {
  if (noWine() !== undefined) return;
  host = await startWindowsHost();
  home = join(host.wine.driveD, 'home');
  folder = join(home, 'SiteExtensions', 'AppServiceDiag');
  await rm(home, { recursive: true, force: true });
  await installPackage(folder);
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

test('the native part is loaded from a copy on the local disk that was looked at, so that the package can be replaced while it runs', { skip: noWine(), timeout: 300_000 }, async () => {
  const temp = await host.wine.folder('temp');
  const source = await readFile(join(folder, 'dist/node_modules/@koromix/koffi-win32-x64/win32_x64/koffi.node'));
  const copy = join(temp.linux, 'app-service-diag-native', `koffi-${createHash('sha256').update(source).digest('hex').slice(0, 16)}.node`);
  await mkdir(dirname(copy));
  await writeFile(copy, 'not what its name says');
  const pipe = pipeName();
  const site = await startSite(pipe, { TEMP: temp.windows, TMP: temp.windows });
  try {
    await waitFor('the copy to be made anew', async () => (await readFile(copy)).equals(source), START_MS);
    await waitFor('the page\'s process to listen', () => site.stdout().includes('listening'), START_MS);
    assert.deepEqual(await readdir(dirname(copy)), [basename(copy)]);
    await rm(join(folder, 'dist/node_modules/@koromix/koffi-win32-x64/win32_x64/koffi.node'));
  } finally {
    await site.kill();
    await temp.remove();
    await installPackage(folder);
  }
});

const cmd = async (file: string, env: Readonly<Record<string, string>> = {}, of = host.wine.windows(folder)): Promise<{ code: number | null; said: string }> => {
  const run = await host.start(['/c', `${of}\\${file}`], { program: 'cmd.exe', env: { HOME: 'd:\\home', ...env }, cwd: of });
  return { code: await run.exited, said: run.stdout() };
};
const NODE_PATH = (): Record<string, string> => ({ PATH: `${host.wine.nodeExe.replace(/\\node\.exe$/, '')};c:\\windows\\system32` });

const APP = `require('node:http').createServer((req, res) => { res.end('hello'); }).listen(process.env.PORT, () => { console.log('listening'); });\n`;

interface MainSite { readonly started: boolean; readonly said: string; preloaded(): Promise<boolean>; kill(): Promise<void> }

/** An app of the main site with what the transform says, asked once as iisnode does; the preload announces a process that serves. */
async function mainSite(nodeOptions: string): Promise<MainSite> {
  await mkdir(join(home, 'site/wwwroot'), { recursive: true });
  await writeFile(join(home, 'site/wwwroot/server.js'), APP);
  const pipe = pipeName();
  const app = await host.start(['d:\\home\\site\\wwwroot\\server.js'], { env: { ...SITE, WEBSITE_IIS_SITE_NAME: 'shop', APP_POOL_ID: 'shop', PORT: pipe, NODE_OPTIONS: nodeOptions } });
  let ended = false;
  void app.exited.then(() => { ended = true; });
  await waitFor('the app to start or to end', () => ended || app.stdout().includes('listening'), START_MS);
  const proxy = ended ? undefined : await host.proxy({ to: pipe });
  if (proxy) assert.equal(await (await fetch(`http://127.0.0.1:${proxy.port}/`)).text(), 'hello');
  return {
    started: !ended, said: app.stderr(),
    preloaded: async () => existsSync(join(home, 'data/DaaS/diag/apps')) && (await readdir(join(home, 'data/DaaS/diag/apps'), { recursive: true })).some((name) => name.includes(`${app.pid}-`)),
    kill: async () => { await proxy?.close(); await app.kill(); },
  };
}

test('the preload is put into the main site by install.cmd, and the site starts with the package, without it, and with half of it', { skip: noWine(), timeout: 300_000 }, async () => {
  const beside = `${folder}.Preload`;
  const shipped = await readFile(join(folder, 'applicationHost.xdt'), 'utf8');
  assert.doesNotMatch(shipped, /NODE_OPTIONS/, 'what is unpacked names no file that may be missing');
  assert.equal((await cmd('install.cmd', { DIAG_PRELOAD: 'off' })).code, 0);
  assert.deepEqual([await readFile(join(folder, 'applicationHost.xdt'), 'utf8') === shipped, existsSync(beside)], [true, false], 'switched off it leaves the main site alone');
  for (const round of ['first', 'second']) assert.deepEqual((await cmd('install.cmd')).code, 0, round);
  const named = /value="--require=%XDT_EXTENSIONPATH%(\S+)" xdt/.exec(await readFile(join(folder, 'applicationHost.xdt'), 'utf8'))?.[1] ?? assert.fail('the transform names nothing');
  assert.deepEqual(await readdir(beside), ['preload-1.js']);
  const option = `--require=${host.wine.windows(folder)}${named}`;
  const away = `${folder}.away`;
  const starts = async (what: string, preload: boolean): Promise<void> => {
    const app = await mainSite(option);
    try {
      assert.deepEqual([app.started, app.said], [true, ''], what);
      if (preload) await waitFor(`the preload in an app ${what}`, app.preloaded, START_MS);
      else assert.equal(await app.preloaded(), false, what);
    } finally {
      await app.kill();
    }
  };
  await starts('with the package', true);
  assert.equal((await cmd('uninstall.cmd')).code, 0);
  await rename(folder, away);
  await starts('when the package is gone', false);
  await mkdir(join(folder, 'dist'), { recursive: true });
  await writeFile(join(folder, 'dist/preload.js'), '"use strict";var a=(');
  await starts('when an update has written half of it', false);
  await rm(folder, { recursive: true });
  await rename(away, folder);
  const without = await mainSite(`--require=${host.wine.windows(beside)}\\not-there.js`);
  assert.deepEqual([without.started, /Cannot find module/.test(without.said)], [false, true], 'a file that is named and missing ends it: so the one that is named stays');
});

test('install.cmd registers the WebJob, run.cmd takes over when the site is killed, uninstall.cmd removes it', { skip: noWine(), timeout: 300_000 }, async () => {
  const job = join(home, 'site/jobs/continuous/AppServiceDiag');
  assert.equal((await cmd('install.cmd')).code, 0);
  assert.deepEqual((await readdir(job)).sort(), ['run.cmd', 'settings.job']);
  const pipe = pipeName();
  const site = await startSite(pipe);
  await waitFor('the page\'s process to listen', () => site.stdout().includes('listening'), START_MS);
  const stopFile = join(home, 'stop-the-webjob');
  // The platform runs a copy of the folder, as here: the program is found by HOME.
  const copy = await host.wine.folder('jobs');
  await cp(job, copy.linux, { recursive: true });
  const env = { ...SITE, WEBJOBS_NAME: 'AppServiceDiag', WEBJOBS_SHUTDOWN_FILE: host.wine.windows(stopFile), DIAG_TOKEN: TOKEN, ...NODE_PATH() };
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
  assert.equal((await cmd('uninstall.cmd')).code, 0);
  assert.equal(existsSync(job), false);
});

test('the WebJob of a package that is gone looks a while, says so and takes itself away', { skip: noWine(), timeout: 300_000 }, async () => {
  const job = join(home, 'site/jobs/continuous/AppServiceDiag');
  assert.equal((await cmd('install.cmd')).code, 0);
  const copy = await host.wine.folder('jobs');
  await cp(job, copy.linux, { recursive: true });
  await rename(folder, `${folder}.away`);
  try {
    const { code, said } = await cmd('run.cmd', { DIAG_LOOK_EVERY_MS: '1', ...NODE_PATH() }, copy.windows);
    assert.deepEqual([code, said.match(/is not there/g)?.length, existsSync(job)], [0, 10, false], said);
    assert.match(said, /the package is gone without its uninstall\.cmd, so this WebJob removes itself/);
  } finally {
    await rename(`${folder}.away`, folder);
    await copy.remove();
  }
});
