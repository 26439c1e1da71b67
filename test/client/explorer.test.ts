// Owns the walk through processes and environment in a browser over a real agent: look closely, reveal, search, compare, end; nothing for axe, nothing in the console.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { agentUnderTest, type AgentUnderTest } from '../support/agent.ts';
import { noBrowser, openBrowser, openTab, type Tab } from '../support/browser.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
const skip = noBrowser() ?? false;
const SECRET = 'marker-secret-value-1234';
let given: AgentUnderTest;
let server: Server;
let browser: Browser;
let tab: Tab;
let base = '';

before(async () => {
  if (skip !== false) return;
  assert.ok(existsSync(join(root, 'public/assets/app.js')), 'the page is built: npm run build');
  given = await agentUnderTest({ nodeOptions: ['--inspect-port=0'], env: { APPSETTING_Greeting: 'hello' } });
  await waitFor('the observer to see the victim', () => given.agent.observed.processes().some((p) => p.pid === given.victim.pid));
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
});

async function axe(page: Page): Promise<string[]> {
  const source = readFileSync(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8');
  const found = await page.evaluate(`${source}; axe.run(document, { resultTypes: ['violations'] })`) as { violations: readonly { id: string; nodes: readonly { target: readonly string[] }[] }[] };
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** Files below the home that hold a text: logs, audit, kept environments and all. */
function filesWith(text: string): string[] {
  return readdirSync(given.home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name)).filter((path) => readFileSync(path, 'utf8').includes(text));
}

/** The page has no script that may evaluate, so axe is put in by the browser's own hand. No socket: this agent has only its app. */
const known = (fault: string): boolean => /WebSocket|\/live/.test(fault);

test('a process is opened, looked at from all sides, one variable revealed and hidden again, and searched for; the address restores it', { skip }, async () => {
  const { page } = tab;
  const dialog = page.getByRole('dialog', { name: `Process ${given.victim.pid}` });
  await page.goto(`${base}observe?part=processes`);
  await page.getByRole('cell', { name: String(given.victim.pid), exact: true }).click();
  await dialog.getByText('victim.mjs').first().waitFor();
  await dialog.getByRole('link', { name: 'Environment' }).click();
  await dialog.getByRole('button', { name: 'Reveal the value of SECRET_KEY' }).waitFor();
  assert.ok(!(await page.content()).includes(SECRET));
  await dialog.getByRole('button', { name: 'Reveal the value of SECRET_KEY' }).click();
  await dialog.getByText(SECRET).waitFor();
  assert.deepEqual(await axe(page), []);
  await dialog.getByRole('button', { name: 'Hide the value of SECRET_KEY' }).click();
  await waitFor('the value to be gone', async () => !(await page.content()).includes(SECRET));
  const { entries } = await given.agent.store.audit.recent(10);
  assert.deepEqual(entries.filter(({ did }) => did === 'reveal').map(({ what }) => what.split(' ').slice(0, 5).join(' ')), [`variable SECRET_KEY of process ${given.victim.pid}`]);
  assert.deepEqual(filesWith(SECRET), [], 'what was revealed is in no file of ours');
  await dialog.getByRole('link', { name: 'Modules' }).click();
  await dialog.getByRole('cell', { name: /\/node$/ }).first().waitFor();
  await dialog.getByRole('link', { name: 'Connections' }).click();
  await dialog.getByRole('link', { name: 'Threads' }).click();
  given.victim.send('block', { ms: 60_000 });
  await given.victim.said('blocking');
  await dialog.getByRole('button', { name: 'JavaScript stack' }).click();
  await dialog.getByText(/^block \(/).waitFor();
  assert.match(page.url(), /process=\d+.*tab=threads/);
  await page.reload();
  await dialog.getByRole('table', { name: 'Threads' }).waitFor();
  await page.setViewportSize({ width: 360, height: 780 });
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the page');
  await page.setViewportSize({ width: 1440, height: 1060 });
  await page.keyboard.press('Escape');
  await page.getByRole('textbox', { name: 'Find' }).fill('victim');
  await page.getByRole('textbox', { name: 'Find' }).fill('libc');
  await page.getByRole('button', { name: 'Search modules and files' }).click();
  await page.getByText(/hits? in \d+ processes/).waitFor();
  assert.match(page.url(), /find=libc/);
  assert.deepEqual(tab.faults.filter((fault) => !known(fault)), []);
});

test('the environment is shown in groups, a moment is saved and compared with now, limits and machine are there; small and dark as well', { skip }, async () => {
  const { page } = tab;
  await page.goto(`${base}console`);
  await page.getByText('Greeting', { exact: true }).waitFor();
  assert.ok(!(await page.content()).includes(SECRET));
  const parts = page.getByRole('navigation', { name: 'Parts of Environment' });
  await parts.getByRole('link', { name: 'Limits' }).click();
  await page.getByRole('cell', { name: 'Memory', exact: true }).waitFor();
  await parts.getByRole('link', { name: 'Machine' }).click();
  await page.getByRole('cell', { name: 'Node.js', exact: true }).waitFor();
  await parts.getByRole('link', { name: 'Compare' }).click();
  await page.getByRole('textbox', { name: 'Note' }).fill('from the test');
  await page.getByRole('button', { name: 'Save this moment' }).click();
  await page.getByText(/^Nothing differs between .* and now/).waitFor();
  assert.match(page.url(), /sub=compare/);
  await page.setViewportSize({ width: 360, height: 780 });
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is wider than the page');
  await page.setViewportSize({ width: 1440, height: 1060 });
  assert.deepEqual(tab.faults.filter((fault) => !known(fault)), []);
});

test('a process is ended after its cost was told and the click confirmed', { skip }, async () => {
  const { page } = tab;
  await page.goto(`${base}observe?part=processes&process=${given.victim.pid}`);
  await page.getByRole('button', { name: 'End process …' }).click();
  const sure = page.getByRole('dialog', { name: `End process ${given.victim.pid}` });
  await sure.getByText(/ends|Restarts|lost/).first().waitFor();
  await sure.getByRole('textbox', { name: 'Reason' }).fill('from the test');
  await sure.getByRole('button', { name: `End process ${given.victim.pid}` }).click();
  await given.victim.exited;
  await waitFor('the end in the audit', async () => (await given.agent.store.audit.recent(10)).entries.some(({ did, what, result }) => did === 'end process' && what.endsWith('from the test') && result === 'ended'));
  assert.deepEqual(tab.faults.filter((fault) => !known(fault)), []);
});

test('a diagnostic dump is narrowed and fetched as a zip that its manifest describes', { skip }, async () => {
  const { page } = tab;
  await page.goto(`${base}console?part=dump`);
  await page.getByRole('checkbox', { name: 'Application log' }).uncheck();
  await page.getByLabel('Since').selectOption({ label: 'a day ago' });
  const [fetched] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Fetch the zip' }).click()]);
  assert.match(fetched.url(), /providers=(?!.*application-log).*http-log.*&from=\d{13}$/);
  assert.deepEqual(await axe(page), []);
  const zip = readFileSync(await fetched.path());
  for (const [name, there] of [['a1b2c3-202611210200.log', true], ['manifest.json', true], ['stderr-1700000000000.txt', false]] as const) assert.equal(zip.includes(name), there, name);
});
