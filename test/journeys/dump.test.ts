// Owns the journey of a memory dump: taken of the worker by Diagnose now, opened on the page, read by the agent in a thread, looked through by pointer and keyboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

const skip = noBrowser() ?? (process.platform === 'linux' && process.arch === 'x64' ? false : 'SKIPPED: dumps are written on Linux, x64');
let system: System;
let browser: Browser;

before(async () => { if (skip === false) { system = await startSystem(); browser = await openBrowser(); } });
after(async () => { if (skip === false) { await browser.close(); await system.stop(); } });

test('a dump of the worker opens on the page: its threads with stacks, its memory, its modules', { skip, timeout: 180_000 }, async () => {
  await waitFor('a worker that answers', async () => (await system.get('/cart')) === 200);
  const pid = system.pid();
  const { session } = await system.diag.startSession({ body: { diagnosers: [{ id: 'memory-dump' }] } });
  const ended = await waitFor('the session to end', async () => { const now = await system.diag.session({ params: { session } }); return now.state === 'running' ? undefined : now; }, 120_000);
  assert.ok(ended.artifacts.some((one) => one.kind === 'core-dump'), JSON.stringify(ended.steps));
  const { page, faults, shot } = await system.signIn(browser);
  await page.goto(`${system.diagUrl}/analyze/${session}`);
  await page.click('.opens-dump');
  await page.waitForSelector('.dump-why', { timeout: 120_000 });
  assert.match(await page.innerText('.dump-why h1'), new RegExp(`^node \\(${pid}\\) was alive when the dump was taken$`));
  assert.match(await page.innerText('.dump-why'), /Node 20/);
  await page.waitForSelector('.dump-threads .vt-body .vt-row');
  assert.match(await page.innerText('.dump-stack'), new RegExp(`Thread ${pid} \\(main\\)`));
  assert.match(await page.innerText('.dump-stack .frames'), /uv_run/);
  await shot('dump');
  // The second thread by the keyboard alone.
  for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key);
  await waitFor('another thread\'s stack', async () => !(await page.innerText('.dump-stack h2')).includes(`Thread ${pid} `));
  await page.click('.parts >> text=Memory');
  await page.waitForSelector('text=JavaScript heap');
  await page.click('.parts >> text=Modules');
  await page.waitForSelector('.vt-body >> text=libc.so.6');
  // What was read is there at once the next time, without another job.
  await page.reload();
  await page.waitForSelector('.vt-body >> text=libc.so.6');
  assert.deepEqual(faults, []);
  assert.ok((await system.diag.operations()).operations.some((one) => one.kind === 'read-dump' && one.state === 'done'));
});
