// Owns the main job on Windows: the built agent under the real Windows Node, on a pipe below /diag: metrics, tail, Diagnose now with a minidump, restart, the page.
import assert from 'node:assert/strict';
import { appendFile, open, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { w3cRow } from '../support/agent.ts';
import { noBrowser, openBrowser, openTab } from '../support/browser.ts';
import { chartMoves, ownIsRefused, restartByCommand, workShows } from '../support/steps.ts';
import { commandStart } from '../support/system.ts';
import { startWindowsSystem, type WindowsSystem } from '../support/windows-system.ts';
import { waitFor } from '../support/wait.ts';
import { noWine } from '../support/wine.ts';

const skip = noWine() ?? false;
const page = skip === false ? noBrowser() ?? false : skip;
const timeout = 180_000;
/** Under wine each KiB of a dump is a stop of the target: a busy machine takes its time with some thousands of them. */
const DUMP_MS = 240_000;
let system: WindowsSystem;
let browser: Browser | undefined;

before(async () => {
  if (skip !== false) return;
  system = await startWindowsSystem();
  if (noBrowser() === undefined) browser = await openBrowser();
});
after(async () => { await browser?.close(); if (skip === false) await system.stop(); });

const FIELDS = '#Fields: date time s-sitename cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken';

/** A minute of HTTP log, as IIS would have flushed it just now. */
async function writeHttpLog(): Promise<void> {
  const now = Date.now();
  const rows = Array.from({ length: 60 }, (_, i) => w3cRow(now - 60_000 + i * 1_000, `/products/${i}`, i % 20 === 7 ? '502.3.12030' : '200.0.0', 20 + i));
  await writeFile(join(system.home, 'LogFiles/http/RawLogs', `${system.instance.slice(0, 6)}-202611210200.log`), `${FIELDS}\r\n${rows.join('\r\n')}\r\n`);
}

test('the agent says where it runs, what it can do, and why it cannot do the rest', { skip, timeout }, async () => {
  const info = await system.diag.agent();
  assert.match(info.app.os, /Windows/);
  assert.equal(info.app.site, 'shop');
  const missing = info.capabilities.filter((one) => !one.offer.yes);
  assert.deepEqual(missing.map((one) => one.id), ['open-files', 'overlapped-restart'], JSON.stringify(missing));
  assert.match(missing[0]?.offer.because ?? '', /hang/);
  assert.match(missing[1]?.offer.because ?? '', /only the platform starts workers/);
});

test('the five metrics of the article, and process, host and sandbox figures, are measured', { skip, timeout }, async () => {
  await writeHttpLog();
  assert.equal(await system.get('/cart'), 200);
  await waitFor('all five metrics', async () => (await system.diag.now({ query: { minutes: 5 } })).tiles.every((tile) => tile.value !== undefined), 60_000);
  const worker = await waitFor('the worker with its sample', async () => (await system.diag.processes()).processes.find((one) => one.info.role === 'worker' && one.sample?.values['process.cpu'] !== undefined));
  assert.equal(worker.info.pid, system.pid());
  assert.match(worker.info.commandLine ?? '', /server\.js/);
  assert.equal(worker.info.bits, 64);
  for (const metric of ['process.working-set', 'process.private-bytes', 'process.threads', 'process.handles'] as const) assert.equal(typeof worker.sample?.values[metric], 'number', metric);
  const { series } = await system.diag.metrics({ query: { metric: ['host.cpu', 'host.memory-used', 'host.disk-free', 'sandbox.connections', 'sandbox.connection-limit', 'sandbox.active-connection-limit'], points: 60 } });
  const last = series.map(({ values }) => values.filter((value) => value !== null).at(-1));
  assert.ok(last.slice(0, 3).every((value) => typeof value === 'number'), JSON.stringify(last));
  assert.deepEqual(last.slice(3), [11, 300, undefined], 'a limit of 0 is none');
});

test('work of the worker shows as its CPU time and private bytes', { skip, timeout }, () => workShows(system));

test('the worker is seen from inside, over its pipe: each request is counted once, and a profile of it comes', { skip, timeout }, async () => {
  const worker = await waitFor('the preload of the worker to tell', async () => (await system.diag.app()).apps.find((one) => one.pid === system.pid() && one.state === 'connected' && one.answersAsks && one.at !== undefined), 60_000);
  const counted = async (): Promise<number> => (await system.diag.app({ query: { pid: worker.pid } })).apps[0]?.routes.find(({ path }) => path === '/shop.css')?.count ?? 0;
  const paid = await Promise.all(Array.from({ length: 7 }, () => system.get('/shop.css')));
  assert.deepEqual(paid, Array.from({ length: 7 }, () => 200));
  await waitFor('seven requests counted', async () => await counted() >= 7);
  const { session } = await system.diag.startSession({ body: { diagnosers: [{ id: 'node-cpu-profile', options: { seconds: 1 } }] } });
  const ended = await waitFor('the profile', async () => { const now = await system.diag.session({ params: { session } }); return now.state === 'running' ? undefined : now; }, 60_000);
  const profile = ended.artifacts.find((one) => one.kind === 'cpu-profile');
  assert.match(profile?.note ?? JSON.stringify(ended.steps), /by the preload/);
  const { nodes } = JSON.parse(await readFile(await find(profile?.name ?? ''), 'utf8')) as { nodes: readonly { callFrame: { functionName: string } }[] };
  assert.ok(nodes.some(({ callFrame }) => callFrame.functionName === '(root)'));
  assert.equal(await counted(), 7, 'and none twice');
});

test('a log is followed through the proxy over rotations: each line once, in order', { skip, timeout }, async () => {
  const file = join(system.home, 'LogFiles/Application/journey.txt');
  const line = (n: number): string => `${new Date().toISOString()} ${n % 5 === 0 ? 'ERROR' : 'INFO'} journey line ${n}\n`;
  await writeFile(file, line(1));
  await waitFor('the log in the catalog', async () => (await system.diag.logs()).sources.some((one) => one.title.endsWith('journey.txt')));
  const following = commandStart('logs', 'journey.txt', '--follow', '--json', '--last', '1', '--url', system.diagUrl);
  const numbers = (): number[] => following.lines().flatMap((text) => { const n = /journey line (\d+)/.exec(text)?.[1]; return n === undefined ? [] : [Number(n)]; });
  await waitFor('the last line that was there', () => numbers().length === 1);
  let n = 1;
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 30; i += 1) await appendFile(file, line(n += 1));
    await waitFor(`line ${n}, the last before a rotation`, () => numbers().at(-1) === n);
    await rename(file, `${file}.${round}`);
    await writeFile(file, line(n += 1));
    await waitFor(`line ${n}, the first after a rotation`, () => numbers().at(-1) === n);
  }
  assert.deepEqual(numbers(), Array.from({ length: n }, (_, i) => i + 1));
  assert.equal(await following.stop(), 0);
});

test('Kudu\'s API: cmd runs a command in its folder, files come and go by Windows names, processes are described', { skip, timeout }, async () => {
  const kudu = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${system.diagUrl}/kudu/api${path}`, init);
  const answer = await kudu('/command', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command: 'echo "%HOME%" & cd & echo oops 1>&2 & exit /b 3', dir: 'site\\wwwroot' }) });
  assert.equal(answer.status, 200);
  const { Output, Error: said, ExitCode } = await answer.json() as { Output: string; Error: string; ExitCode: number };
  assert.match(Output, /^"[a-z]:\\[^"]*"\s+[a-z]:\\.*\\site\\wwwroot\s*$/i);
  assert.match(said, /^oops\s*$/);
  assert.equal(ExitCode, 3);
  const name = 'ümläut 100% #1.txt';
  assert.equal((await kudu(`/vfs/site/wwwroot/${encodeURIComponent(name)}`, { method: 'PUT', body: name })).status, 201);
  assert.equal(await readFile(join(system.home, 'site/wwwroot', name), 'utf8'), name);
  assert.equal(await (await kudu(`/vfs/site/wwwroot/${encodeURIComponent(name)}`)).text(), name);
  for (const bad of ['NUL.txt', 'a.txt%3Astream', 'x.', '..%5C..%5Cout.txt', 'PROGRA~1']) assert.equal((await kudu(`/vfs/site/wwwroot/${bad}`, { method: 'PUT', body: 'x' })).status, 400, bad);
  assert.equal((await kudu(`/vfs/site/wwwroot/${encodeURIComponent(name)}`, { method: 'DELETE', headers: { 'if-match': '*' } })).status, 200);
  const worker = await (await kudu('/processes/-1')).json() as { id: number; name: string; module_count: number; total_cpu_time: string; working_set: number; peak_working_set: number; virtual_memory: number };
  assert.deepEqual([worker.id, worker.name], [system.pid(), 'node']);
  assert.ok(worker.module_count > 10 && /^\d\d:/.test(worker.total_cpu_time));
  assert.ok(worker.peak_working_set >= worker.working_set / 2 && worker.virtual_memory > worker.working_set, JSON.stringify(worker).slice(0, 500));
});

test('Diagnose now writes a minidump of the worker, which runs on, and a report', { skip, timeout: DUMP_MS + 30_000 }, async () => {
  const pid = system.pid();
  const { session } = await system.diag.startSession({ body: { diagnosers: [{ id: 'http-logs' }, { id: 'process-list' }, { id: 'memory-dump', options: { kind: 'mini-plus' } }] } });
  const ended = await waitFor('the session to end', async () => { const now = await system.diag.session({ params: { session } }); return now.state === 'running' ? undefined : now; }, DUMP_MS);
  assert.equal(ended.state, 'done', JSON.stringify(ended.steps));
  const dump = ended.artifacts.find((one) => one.kind === 'minidump');
  assert.ok(dump, JSON.stringify(ended.artifacts));
  assert.match(dump.note ?? '', /^MiniDumpWriteDump; paused/);
  assert.deepEqual(await head(await find(dump.name)), 'MDMP');
  assert.equal(system.pid(), pid);
  assert.equal(await system.get('/cart'), 200);
  const report = await system.diag.sessionReport({ params: { session } });
  assert.ok(report.findings.some((one) => one.id === 'http-502-3-12030'), report.findings.map((one) => one.id).join(' '));
  if (browser === undefined) return;
  const tab = await openTab(browser);
  await tab.page.goto(`${system.diagUrl}/analyze/${session}`);
  await tab.page.getByText(report.headline.text).first().waitFor();
  await tab.page.getByText((report.findings[0]?.advice ?? '').split('\n')[0]?.slice(0, 60) ?? '').first().waitFor();
  await tab.shot('windows-session');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

async function find(name: string): Promise<string> {
  const top = join(system.home, 'data/DaaS/Logs');
  const found = (await readdir(top, { recursive: true })).find((one) => one.endsWith(name));
  assert.ok(found, name);
  return join(top, found);
}

async function head(path: string): Promise<string> {
  const file = await open(path);
  try {
    return (await file.read(Buffer.alloc(4), 0, 4, 0)).buffer.toString('latin1');
  } finally {
    await file.close();
  }
}

test('the page works through the proxy: chart by socket, capabilities with reasons', { skip: page, timeout }, async () => {
  assert.ok(browser);
  const tab = await openTab(browser);
  await tab.page.goto(`${system.diagUrl}/`);
  await tab.page.getByRole('button', { name: /Diagnose now/ }).first().waitFor();
  await tab.page.getByText('The process stands still while it is written: 1 to 7 s per GiB.').first().waitFor();
  await tab.shot('windows-now');
  await tab.page.getByRole('button', { name: /^Agent/ }).click();
  await tab.page.getByText(/only through calls that can hang/).first().waitFor();
  await tab.shot('windows-agent');
  await tab.page.keyboard.press('Escape');
  await chartMoves(tab, system);
  await tab.shot('windows-observe');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('a restart ends exactly the worker and names the next', { skip, timeout }, async () => {
  await restartByCommand(system);
  await ownIsRefused(system);
});
