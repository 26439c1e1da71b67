// Owns the third journey: a line written by the app reaches the page, filtered on the server, and a broken connection loses none.
import assert from 'node:assert/strict';
import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

let system: System;
let browser: Browser | undefined;
let file = '';
before(async () => {
  system = await startSystem();
  file = join(system.home, 'LogFiles', 'Application', 'journey.txt');
  await writeFile(file, line(1));
  if (noBrowser() === undefined) browser = await openBrowser();
});
after(async () => { await browser?.close(); await system.stop(); });

const line = (n: number): string => `${new Date().toISOString()} ${n % 5 === 0 ? 'ERROR' : 'INFO'} journey line ${n}\n`;

async function source(): Promise<string> {
  return waitFor('the log in the catalog', async () => (await system.diag.logs()).sources.find((s) => s.title.endsWith('journey.txt'))?.id);
}

test('the CLI follows a log over three rotations: each line once, in order', { timeout: 120_000 }, async () => {
  await source();
  const following = system.cliStart('logs', 'journey.txt', '--follow', '--json', '--last', '1');
  const numbers = (): number[] => following.lines().flatMap((l) => { const n = /journey line (\d+)/.exec(l)?.[1]; return n === undefined ? [] : [Number(n)]; });
  await waitFor('the last line that was there', () => numbers().length === 1);
  let n = 1;
  for (let round = 0; round < 3; round += 1) {
    for (let i = 0; i < 50; i += 1) await appendFile(file, line(n += 1));
    await rename(file, `${file}.${round}`);
    await writeFile(file, line(n += 1));
    await waitFor(`line ${n}, the first after a rotation`, () => numbers().at(-1) === n);
  }
  assert.deepEqual(numbers(), Array.from({ length: n }, (_, i) => i + 1));
  const levels = following.lines().flatMap((l) => { const { level, text } = JSON.parse(l) as { level?: string; text?: string }; return text === undefined ? [] : [level]; });
  assert.deepEqual([levels[3], levels[4]], ['info', 'error']);
  assert.equal(await following.stop(), 0);
});

test('the page shows lines as they are written, filters by level on the server, and keeps a stack together', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const tab = await system.signIn(browser);
  const id = await source();
  await tab.page.goto(`${system.diagUrl}/logs?source=${id}`);
  await tab.page.getByText('journey.txt').first().waitFor();
  for (let n = 1001; n <= 1020; n += 1) await appendFile(file, line(n));
  await tab.page.getByText('journey line 1020').first().waitFor();
  await appendFile(file, `${new Date().toISOString()} ERROR TypeError: journey stack\n    at pay (/home/site/wwwroot/lib/pay.js:7:3)\n    at /home/site/wwwroot/server.js:9:1\n`);
  await tab.page.getByText('TypeError: journey stack').first().waitFor();
  await tab.shot('logs');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});
