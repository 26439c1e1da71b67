// Owns the walk through a heap snapshot and a profile in a browser over a real agent: suspects, growth, parts, the flame graph by keys; nothing for axe, nothing in the console.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { agentUnderTest, type AgentUnderTest } from '../support/agent.ts';
import { noBrowser, openBrowser, openTab, type Tab } from '../support/browser.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
const skip = noBrowser() ?? false;
let given: AgentUnderTest;
let server: Server;
let browser: Browser;
let tab: Tab;
let base = '';
let session = '';
let instance = '';
let folder = '';

/** A leak with its two snapshots, and its own profile while it grew. */
async function recorded(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'look-into-'));
  await promisify(execFile)(process.execPath, ['--cpu-prof', '--cpu-prof-dir', folder, join(root, 'test/zoo/leaks/map.cjs'), folder, '2']);
  ({ session } = await given.agent.diagnose({ diagnosers: [{ id: 'changes' }], minutes: 1 }, 'test'));
  await waitFor('the session to end', async () => (await given.agent.store.sessions.get(session)).state !== 'running');
  const writer = given.agent.store.artifacts.writer(session);
  for (const name of (await readdir(folder)).sort()) {
    const draft = await writer.draft(name.endsWith('.cpuprofile') ? 'cpu-profile' : 'heap-snapshot', name.endsWith('.cpuprofile') ? 'app.cpuprofile' : name);
    draft.stream().end(await readFile(join(folder, name)));
    ({ instance } = await draft.commit());
  }
}

before(async () => {
  if (skip !== false) return;
  assert.ok(existsSync(join(root, 'public/assets/app.js')), 'the page is built: npm run build');
  given = await agentUnderTest();
  await recorded();
  server = createServer(given.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/diag/`;
  browser = await openBrowser();
  tab = await openTab(browser);
  await tab.page.goto(`${base}?once=${given.guard.once()}`);
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  server.closeAllConnections();
  server.close();
  await given.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The page has no script that may evaluate, so axe is put in by the browser's own hand. */
async function axe(page: Page): Promise<string[]> {
  const source = readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');
  const found = await page.evaluate(`${source}; axe.run(document, { resultTypes: ['violations'] })`) as { violations: readonly { id: string; nodes: readonly { target: readonly string[] }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}
/** No socket: this agent has only its app. */
const faults = (): string[] => tab.faults.filter((fault) => !/WebSocket|\/live/.test(fault));

test('a heap: the leak is the headline once an earlier snapshot is named, each part opens, and the address restores it', { skip }, async () => {
  const { page } = tab;
  await page.goto(`${base}analyze/${session}/heap/${instance}/2.heapsnapshot?with=1.heapsnapshot`);
  await page.getByRole('heading', { level: 1, name: /sessions in leaks\/map\.cjs:4 holds 20,000 Session and grew by/ }).waitFor({ timeout: 60_000 });
  for (const part of ['Largest', /^Collections/, 'Texts', 'Timers and listeners', /^Classes/]) {
    await page.getByRole('navigation', { name: 'Parts of the heap' }).getByRole('link', { name: part }).click();
    await page.locator('nav[aria-label="Parts of the heap"] a[aria-current]', { hasText: part }).waitFor();
    if (part === 'Texts') assert.deepEqual(await axe(page), []);
  }
  assert.deepEqual(await axe(page), []);
  await page.reload();
  await page.getByRole('heading', { level: 1, name: /and grew by/ }).waitFor({ timeout: 60_000 });
  await tab.shot('heap');
  assert.deepEqual(faults(), []);
});

test('a profile: the flame graph goes from call to call by keys and says each, zooms, finds, and hides nothing from axe', { skip }, async () => {
  const { page } = tab;
  await page.goto(`${base}analyze/${session}/profile/${instance}/app.cpuprofile`);
  const flame = page.getByRole('application', { name: /^Flame graph/ });
  await flame.waitFor({ timeout: 60_000 });
  const said = page.locator('#flame-said');
  await flame.focus();
  // Rounded, a focused canvas costs ten milliseconds of the browser's at every frame.
  assert.equal(await flame.evaluate((canvas) => getComputedStyle(canvas).borderRadius), '0px');
  await page.keyboard.press('ArrowDown');
  await said.getByText('(root)').waitFor();
  await page.keyboard.press('ArrowDown');
  await waitFor('the heaviest call below to be said', async () => !(await said.innerText()).startsWith('(root)'));
  assert.match(await said.innerText(), / · total .* · self /);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await said.getByText('garbage collector').waitFor();
  await page.getByRole('searchbox', { name: 'Search functions and files' }).fill('map.cjs');
  await page.getByText(/ in what matches$/).waitFor();
  await page.getByRole('button', { name: 'In order of time' }).click();
  await page.getByRole('application', { name: /In order of time/ }).waitFor();
  for (const part of [/^Modules/, /^Functions/, /^Long stretches/]) {
    await page.getByRole('navigation', { name: 'Parts of the profile' }).getByRole('link', { name: part }).click();
    await page.locator('nav[aria-label="Parts of the profile"] a[aria-current]', { hasText: part }).waitFor();
  }
  assert.deepEqual(await axe(page), []);
  await tab.shot('profile');
  assert.deepEqual(faults(), []);
});
