// Owns the journey through the files of a site in Chromium: looking, searching, editing against another, uploading, unzipping, deleting and back, what takes the room.
import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { listen, type Listening } from '../../src/server/listen.ts';
import { agentUnderTest, type AgentUnderTest } from '../support/agent.ts';
import { noBrowser, openBrowser, openTab, type Tab } from '../support/browser.ts';
import { zipBytes } from '../support/hostile-zip.ts';
import { waitFor } from '../support/wait.ts';

const skip = noBrowser() ?? false;
const root = resolve(import.meta.dirname, '../..');
const LIMIT_MS = 60_000;
const HOSTILE = '<img src=x onerror=alert(1)> %41 #1 ü.txt';
let under: AgentUnderTest;
let listening: Listening;
let browser: Browser;
let tab: Tab;
let page: Page;
let base = '';
const www = (path: string): string => join(under.home, 'site/wwwroot', path);

before(async () => {
  if (skip !== false) return;
  under = await agentUnderTest();
  await mkdir(www('public'), { recursive: true });
  await writeFile(www('server.js'), 'const port = 1;\r\nlisten(port);\r\n');
  await writeFile(www('appsettings.json'), '{"Name":"shop","ConnectionStrings":{"Db":"Server=x;Password=hunter2hunter2"}}');
  await writeFile(www(HOSTILE), 'nothing runs');
  await writeFile(www('public/logo.svg'), '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><script>document.title="taken"</script><rect width="40" height="40" fill="green"/></svg>');
  await writeFile(www('orders.csv'), 'id,name\n1,"a, b"\n2,"c ""d"""\n');
  await writeFile(www('pack.zip'), zipBytes([{ name: 'inner/file.txt', content: 'unpacked' }]));
  await writeFile(www('big.log'), `${'2026-11-21 info nothing to see\n'.repeat(20_000)}2026-11-21 error the needle Ü is here\n${'2026-11-21 info nothing to see\n'.repeat(9_000)}the very last line\n`);
  listening = await listen(under.agent, join(root, 'public'));
  base = listening.url.replace(/\/$/, '');
  browser = await openBrowser();
  tab = await openTab(browser);
  ({ page } = tab);
  page.setDefaultTimeout(LIMIT_MS);
  await page.goto(listening.link() ?? base);
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  await listening.close();
  await under.stop();
});

const row = (name: string) => page.locator('.vt-body .vt-row').filter({ has: page.locator(`.file-name:text-is("${name}"), bdi:text-is("${name}")`) });
const act = async (name: string, button: string): Promise<void> => { await page.click(`[aria-label="Actions on ${name}"]`); await page.click(`.dialog :text-is("${button}")`); };

test('folders and files are found by keys, addresses restore them, and no name or content runs', { skip, timeout: 120_000 }, async () => {
  await page.goto(`${base}/console?part=files&root=app`);
  await row('public/').waitFor();
  assert.equal(await page.locator('.vt-body bdi').filter({ hasText: '<img' }).textContent(), HOSTILE);
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await row('logo.svg').click();
  await page.waitForSelector('.picture img');
  assert.match(page.url(), /path=public/);
  assert.match(page.url(), /file=logo\.svg/);
  await page.reload();
  await page.waitForFunction(() => (document.querySelector('.picture img') as HTMLImageElement | null)?.naturalWidth === 40);
  assert.ok((await page.textContent('.file-text'))?.includes('<script>'), 'its source is shown as text');
  assert.notEqual(await page.title(), 'taken');
  await page.locator('.preview-head').click();
  await page.keyboard.press('Backspace');
  await row('orders.csv').click();
  await page.waitForSelector('.csv td');
  assert.deepEqual(await page.locator('.csv td').allTextContents(), ['1', 'a, b', '2', 'c "d"']);
});

test('a log is read from both ends and searched', { skip, timeout: 120_000 }, async () => {
  await row('big.log').click();
  await page.waitForSelector('.text-tools');
  await page.fill('[name=find]', 'needle Ü');
  await page.press('[name=find]', 'Enter');
  await page.waitForSelector('.file-text mark');
  assert.equal(await page.textContent('.file-text mark'), 'needle Ü');
  await page.click('.text-tools button:text-is("End")');
  await page.waitForFunction(() => document.querySelector('.file-text')?.textContent?.endsWith('the very last line\n'));
});

test('secrets are hidden until they are revealed', { skip, timeout: 120_000 }, async () => {
  await row('appsettings.json').click();
  await page.waitForSelector('.preview-note');
  assert.ok(!(await page.textContent('.preview'))?.includes('hunter2'));
  await page.click('.preview-note .link');
  await page.waitForFunction(() => document.querySelector('.file-text')?.textContent?.includes('hunter2hunter2'));
});

test('an edit over somebody else\'s shows both, and line ends stay', { skip, timeout: 120_000 }, async () => {
  await row('server.js').click();
  await page.click('.preview-tools :text-is("Edit")');
  await page.fill('.edit textarea', 'const port = 2;\nlisten(port);\n');
  await writeFile(www('server.js'), 'const port = 3; // theirs\r\n');
  await page.click('.edit .go');
  await page.waitForSelector('.edit-panes.two');
  assert.equal(await page.inputValue('.edit-panes label:nth-child(2) textarea'), 'const port = 3; // theirs\n');
  await tab.shot('files-conflict');
  await page.click('.edit .go:text-is("Save yours over it")');
  await page.waitForSelector('.file-text');
  assert.equal(await readFile(www('server.js'), 'utf8'), 'const port = 2;\r\nlisten(port);\r\n');
});

test('files are uploaded in parts, unzipped, deleted and brought back', { skip, timeout: 120_000 }, async () => {
  await page.click('[aria-label="Close the file"]');
  await page.setInputFiles('.files-tools input[type=file]', { name: 'large ü.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(9 * 1024 * 1024, 7) });
  await row('large ü.bin').waitFor();
  await waitFor('the upload to be whole', async () => (await stat(www('large ü.bin'))).size === 9 * 1024 * 1024);
  await act('pack.zip', 'Unzip into pack');
  await page.waitForSelector('.files-did:has-text("Unpacked pack.zip")');
  assert.equal(await readFile(www('pack/inner/file.txt'), 'utf8'), 'unpacked');
  await act('pack', 'Delete');
  await page.click('.files-did :text-is("Undo")');
  await row('pack/').waitFor();
  assert.equal(await readFile(www('pack/inner/file.txt'), 'utf8'), 'unpacked');
  await page.click('.files-head :text-is("Disk use")');
  await page.waitForSelector('.largest li');
  assert.match((await page.textContent('.largest li')) ?? '', /9\.0 MiB\s*large ü\.bin|large ü\.bin/);
  await page.click('.files-head :text-is("Disk use")');
});

test('nothing is wrong for a screen reader, in the dark, or on a phone', { skip, timeout: 120_000 }, async () => {
  for (const [scheme, width, name] of [['light', 1440, 'files'], ['dark', 1440, 'files-dark'], ['light', 360, 'files-phone']] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.goto(`${base}/console?part=files&root=app&file=server.js`);
    await page.waitForSelector('.file-text');
    await tab.shot(name);
    if (width === 360) {
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the phone');
      await page.click('[aria-label="Close the file"]');
      await row('public/').waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the folder is wider than the phone');
      await tab.shot('files-phone-folder');
    }
    await page.evaluate(await readFile(join(root, 'node_modules/axe-core/axe.min.js'), 'utf8'));
    const violations = await page.evaluate(async () => (await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(' | ')}`));
    assert.deepEqual(violations, [], name);
  }
  // The conflict that was provoked is an answer of 412, which a browser notes.
  assert.deepEqual(tab.faults.filter((fault) => !/status of 412/.test(fault)), []);
});
