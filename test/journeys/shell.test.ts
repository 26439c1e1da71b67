// Owns the journey of the shell in Chromium: a program that draws the screen, a reload in mid-command, a lost connection, floods with flat memory, Ctrl+C, the end, and what a screen reader finds.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser, openTab, type Tab } from '../support/browser.ts';
import { waitFor } from '../support/wait.ts';

const skip = noBrowser() ?? false;
const timeout = 200_000;
const root = resolve(import.meta.dirname, '../..');
const FLOOD_BYTES = 50_000_000;
/** xterm.js keeps some MB for 3,000 lines; 50 MB of output leave no more than that. */
const GROWTH_BYTES = 16 * 2 ** 20;
const AGENT_GROWTH_BYTES = 48 * 2 ** 20;
let home: string;
let agent: ChildProcess;
let browser: Browser;
let tab: Tab;
let page: Page;
let way: Server;
const onTheWay = new Set<Socket>();

/** The built agent, and a way to it that can be cut. */
before(async () => {
  if (skip !== false) return;
  home = await mkdtemp(join(tmpdir(), 'shell-journey-'));
  agent = spawn(process.execPath, [join(root, 'dist/main.js')], { env: { DIAG_HOME: home, DIAG_TOKEN: 'a-token-for-tests-only', PORT: '0', PATH: process.env['PATH'], HOME: home, PS1: '$ ' }, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  agent.stdout?.on('data', (bytes: Buffer) => { said += String(bytes); });
  const link = new URL(await waitFor('the agent to listen', () => (said.includes('listening ') ? /open (\S+)/.exec(said)?.[1] : undefined), 60_000));
  const agentPort = Number(link.port);
  way = createServer((from) => {
    const to = connect(agentPort, '127.0.0.1');
    for (const [one, other] of [[from, to], [to, from]] as const) {
      onTheWay.add(one);
      one.pipe(other);
      one.on('error', () => { /* cut: 'close' follows */ });
      one.on('close', () => { onTheWay.delete(one); other.destroy(); });
    }
  });
  await new Promise<void>((done) => { way.listen(0, '127.0.0.1', done); });
  link.port = String((way.address() as AddressInfo).port);
  browser = await openBrowser();
  tab = await openTab(browser, { width: 1_200, height: 800 });
  ({ page } = tab);
  await page.goto(link.href);
  await page.goto(new URL('console?part=shell', link).href);
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  way.close();
  for (const one of onTheWay) one.destroy();
  const exited = new Promise((done) => { agent.once('exit', done); });
  agent.kill('SIGTERM');
  await exited;
  await rm(home, { recursive: true, force: true });
});

/** Rows of the screen, one a line. */
const screen = async (): Promise<string> => (await page.locator('.xterm-rows > div').allInnerTexts()).join('\n').replaceAll('\u00a0', ' ');
const shows = async (what: RegExp): Promise<string> => await waitFor(`${what} on the screen`, async () => { const text = await screen(); return what.test(text) ? text : undefined; }, 150_000);
const isAttached = async (): Promise<void> => { await page.locator('.shell-box[data-state=open] [data-replayed]').waitFor(); };
const heapBytes = async (): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
};

const agentBytes = async (): Promise<number> => 1_024 * Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${agent.pid}/status`, 'utf8'))?.[1]);

test('a shell is opened, top draws its screen, and after a reload in the middle of it the screen is there again', { skip, timeout }, async () => {
  await page.getByRole('button', { name: 'Open bash' }).click();
  await isAttached();
  assert.match(page.url(), /part=shell&shell=[a-f0-9]{12}$/);
  await page.keyboard.type('top\n');
  await shows(/load average[^]*PID USER/);
  await tab.shot('shell-top');
  await page.reload();
  await isAttached();
  await shows(/load average[^]*PID USER/);
  await page.keyboard.type('q');
  await page.keyboard.type("echo 'as $((6*7)) columns:' $((6*7)) $(tput cols)\n");
  const [, cols = '0'] = /columns: 42 (\d+)/.exec(await shows(/columns: 42 \d+/)) ?? [];
  assert.ok(Number(cols) > 100, `${cols} columns in 1,200 px`);
});

test('a lost connection is said, and the shell is attached again by itself with what came meanwhile', { skip, timeout }, async () => {
  const port = (way.address() as AddressInfo).port;
  await page.keyboard.type("sleep 1; echo mean'while'\n");
  const closed = new Promise<void>((done) => { way.close(() => { done(); }); });
  for (const one of onTheWay) one.destroy();
  await closed;
  await page.getByText('Disconnected').waitFor();
  await new Promise<void>((done) => { way.listen(port, '127.0.0.1', done); });
  await isAttached();
  await shows(/meanwhile/);
});

test('50 MB of output are shown to the end, and the page has grown by nothing that counts', { skip, timeout }, async () => {
  const before = await heapBytes();
  const agentBefore = await agentBytes();
  await page.keyboard.type(`head -c ${FLOOD_BYTES} /dev/zero | tr '\\0' x; echo; echo flood'-is-over'\n`);
  await shows(/flood-is-over/);
  const agentGrown = await agentBytes() - agentBefore;
  assert.ok(agentGrown < AGENT_GROWTH_BYTES, `the agent: ${(agentGrown / 2 ** 20).toFixed(1)} MiB more`);
  const grown = await heapBytes() - before;
  assert.ok(grown < GROWTH_BYTES, `${(grown / 2 ** 20).toFixed(1)} MiB more after ${FLOOD_BYTES / 1e6} MB of output`);
});

test('Ctrl+C ends an endless flood; the keyboard gets out; nothing of it is a fault for assistive technology', { skip, timeout }, async () => {
  await page.keyboard.type('yes an-endless-flood\n');
  await shows(/an-endless-flood\nan-endless-flood/);
  await page.keyboard.press('Control+c');
  await page.keyboard.type("clear; echo calm'-again'\n");
  await shows(/calm-again/);
  await page.keyboard.press('Control+F6');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('role')), 'tab');
  await page.getByRole('button', { name: 'Screen reader' }).click();
  await page.evaluate(await readFile(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'));
  const violations = await page.evaluate(async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`));
  assert.deepEqual(violations, []);
});

test('exit shows its code; in 360 px everything has its place; the policy of the page was never broken', { skip, timeout }, async () => {
  await page.locator('.shell-screen').click();
  await page.keyboard.type('exit 3\n');
  await page.getByText('It ended by itself with exit code 3.').waitFor();
  await page.setViewportSize({ width: 360, height: 740 });
  await waitFor('no sideways scrolling', () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await tab.shot('shell-360');
  const before = page.url();
  await page.getByRole('button', { name: 'New shell' }).click();
  await page.getByRole('menuitemradio', { name: 'sh', exact: true }).click();
  await page.getByRole('tab', { name: /^sh 1/, selected: true }).waitFor();
  assert.notEqual(page.url(), before);
  await isAttached();
  await page.getByRole('button', { name: 'End', exact: true }).click();
  await page.getByRole('tab', { name: /^bash 1/, selected: true }).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByText('No shell is open').waitFor();
  assert.deepEqual(tab.faults.filter((fault) => !/Failed to load resource|WebSocket connection/.test(fault)), []);
});
