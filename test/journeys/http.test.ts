// Owns the journey of the HTTP log: a crash behind real traffic, seen in the heat map, opened, filtered by keyboard, and one row in full.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { noBrowser, openBrowser, type Tab } from '../support/browser.ts';
import { crashOf } from '../support/crash.ts';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

const KEY = '502.3.12030';
let system: System;
let browser: Browser | undefined;

before(async () => {
  system = await startSystem({ traffic: true, limits: { backOffMs: 100 } });
  if (noBrowser() === undefined) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await system.stop();
});

test('the report counts the crash by status, route and time, and its counts add up', { timeout: 240_000 }, async () => {
  await crashOf(system);
  await crashOf(system);
  const report = await waitFor('four rows of the crashes', async () => {
    const answer = await system.diag.http();
    return (answer.byStatus[KEY] ?? 0) >= 4 ? answer : undefined;
  }, 120_000);
  assert.equal(report.lines, report.rows + report.comments + report.malformed + report.leftOut + report.outside + report.filteredOut);
  assert.equal(Object.values(report.byStatus).reduce((a, b) => a + b, 0), report.rows);
  const heat = report.heat.rows.filter((r) => r.key === KEY);
  assert.ok(heat.some((r) => r.method === 'POST' && r.route === '/cart/apply'), JSON.stringify(heat));
  for (const row of report.heat.rows) assert.equal(row.counts.reduce((a, b) => a + b, 0), row.count, `${row.key} ${row.route}`);
  const rows = await system.diag.requests({ query: { filter: `status:${KEY}`, limit: 1_000 } });
  assert.ok(rows.rows.length >= 4 && rows.rows.every((r) => `${r.status}.${r.sub}.${r.win32}` === KEY));
});

test('Observe → HTTP: the crash is in the heat map; its cell opens its rows; a filter is written, applied and a row read by keyboard', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const tab: Tab = await system.signIn(browser);
  const { page } = tab;
  await page.goto(`${system.diagUrl}/observe`);
  await page.getByRole('link', { name: 'HTTP', exact: true }).click();
  const line = page.locator('.heat-row', { hasText: 'POST /cart/apply' }).filter({ hasText: '502.3 · 12030' });
  await line.waitFor({ timeout: 30_000 });
  await tab.shot('http');
  const cell = line.locator('.cell').first();
  const told = Number.parseInt(await cell.innerText(), 10);
  await cell.click();
  await page.waitForURL(/part=requests/);
  const rows = page.locator('.vt-body .vt-row');
  await waitFor(`the ${told} rows of the cell`, async () => await rows.count() === told, 20_000);
  for (const text of await rows.allInnerTexts()) assert.match(text, /502\.3 · 12030[^]*\/cart\/apply/);
  await tab.shot('http-rows');
  await page.keyboard.press('f');
  await page.keyboard.type('status:200 path:/cart*');
  await page.keyboard.press('Enter');
  await page.waitForURL(/filter=status/);
  await onlyOk(page);
  for (const key of ['j', 'j', 'k', 'Enter']) await page.keyboard.press(key);
  const dialog = page.locator('dialog[open]');
  assert.match(await dialog.innerText(), /Win32 status\s+0[^]*In the log at\s+byte [\d,]+ of/);
  await page.keyboard.press('Escape');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

/** The range of the cell held failures and what was answered around them, or nothing more: then the whole range is looked at. */
async function onlyOk(page: Page): Promise<void> {
  if (await page.getByText('No requests fit the filter.').or(page.locator('.vt-body .vt-row').first()).first().innerText() === 'No requests fit the filter.') {
    const url = new URL(page.url());
    url.searchParams.delete('range');
    await page.goto(url.href);
  }
  await waitFor('rows with status 200 below /cart', async () => {
    const texts = await page.locator('.vt-body .vt-row').allInnerTexts();
    return texts.length > 0 && texts.every((t) => /\b200\b[^]*\/cart/.test(t));
  }, 30_000);
}
