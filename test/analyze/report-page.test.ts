// Owns the proof that report.html, opened from disk without network, reads in any browser window, with and without JavaScript.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { goldenFolder } from '../../scripts/golden.ts';
import { noBrowser, openBrowser, openTab } from '../support/browser.ts';

const file = pathToFileURL(join(goldenFolder, 'crash.report.html')).href;
const skip = noBrowser();
const options = skip === undefined ? {} : { skip };
let browser: Browser | undefined;
before(async () => { if (skip === undefined) browser = await openBrowser(); });
after(async () => { await browser?.close(); });

interface Violation { readonly id: string; readonly nodes: readonly { readonly html: string }[] }

for (const [width, dark] of [[1440, false], [1440, true], [360, false], [3840, false]] as const) {
  test(`${width} px ${dark ? 'dark' : 'light'}: no fault, nothing wider than the window, nothing for axe`, options, async () => {
    assert.ok(browser);
    const tab = await openTab(browser, { offline: true, width, dark });
    try {
      await tab.page.goto(file);
      assert.match(await tab.page.locator('h1').innerText(), /^The process crashed 4 times on TypeError/);
      assert.equal(await tab.page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), true);
      await tab.page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
      const { violations } = await tab.page.evaluate('axe.run()') as { violations: readonly Violation[] };
      assert.deepEqual(violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]), []);
      await tab.shot(`report-${width}${dark ? '-dark' : ''}`);
      assert.deepEqual(tab.faults, []);
    } finally {
      await tab.close();
    }
  });
}

test('without JavaScript every finding, table and time is there, times in UTC', options, async () => {
  assert.ok(browser);
  const context = await browser.newContext({ javaScriptEnabled: false, offline: true, timezoneId: 'Asia/Tokyo' });
  try {
    const page = await context.newPage();
    await page.goto(file);
    assert.equal(await page.locator('details:not([open])').count(), 0);
    assert.match(await page.locator('#finding-http-502-3-12030').innerText(), /15 requests ended as 502\.3 · 12030/);
    assert.match(await page.locator('#timeline').innerText(), /03:47:40\s+Worker 4175 exited with code 1/);
  } finally {
    await context.close();
  }
});

test('with JavaScript times are local with UTC on hover, and tables sort', options, async () => {
  assert.ok(browser);
  const context = await browser.newContext({ offline: true, timezoneId: 'Asia/Tokyo' });
  try {
    const page = await context.newPage();
    await page.goto(file);
    const first = page.locator('#timeline tbody time').nth(2);
    assert.deepEqual([await first.innerText(), await first.getAttribute('title')], ['12:47:40', '2026-11-21 03:47:40.113 UTC']);
    assert.equal(await page.locator('.head .zone').innerText(), 'UTC+9');
    const table = page.locator('#files table');
    await table.getByRole('button', { name: 'Size' }).click();
    assert.equal(await table.locator('thead th').nth(2).getAttribute('aria-sort'), 'descending');
    assert.match(await table.locator('tbody tr').first().innerText(), /^http-RawLogs/);
  } finally {
    await context.close();
  }
});
