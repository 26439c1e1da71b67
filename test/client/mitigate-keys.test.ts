// Owns the test that the whole Mitigate page works by keyboard: everything that can be pressed is reached in order, dialogs hold the focus and give it back, a plan is judged without a mouse.
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { noBrowser, openBrowser, openTab } from '../support/browser.ts';
import { openStage } from '../support/stage.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
/** In the page: numbers what can be pressed, in the order of the document. */
const MARK = `(() => { let n = 0; for (const one of document.querySelectorAll('#main :is(a[href], button, input, select, textarea, summary, [tabindex="0"])')) if (!one.disabled && one.tabIndex >= 0 && one.checkVisibility() && !one.closest('[inert]')) one.dataset.key = String(n++); return n; })()`;
const FOCUSED = `(() => { const one = document.activeElement; return { key: one?.dataset?.key === undefined ? -1 : Number(one.dataset.key), name: (one?.getAttribute('aria-label') ?? one?.textContent ?? '').trim(), seen: one === null || one === document.body ? true : getComputedStyle(one).outlineStyle !== 'none' || getComputedStyle(one).boxShadow !== 'none' }; })()`;
interface Focus { readonly key: number; readonly name: string; readonly seen: boolean }

test('the whole Mitigate page works by keyboard', { skip: noBrowser(), timeout: 120_000 }, async (t) => {
  const stage = await openStage({ publicDir: join(root, 'public'), assetsDir: join(root, 'public/assets'), scene: 'failing' });
  const browser = await openBrowser();
  t.after(async () => { await browser.close(); await stage.close(); });
  const tab = await openTab(browser);
  const { page } = tab;
  await page.goto(`${stage.url}/mitigate`);
  for (const name of ['Restart all instances in turn', 'Scale the plan', 'New channel', 'New rule']) await page.getByRole('button', { name, exact: true }).first().waitFor();
  await page.locator('#main').focus();
  const count = await page.evaluate<number>(MARK);
  assert.ok(count > 10, `${count} things can be pressed`);
  const reached: number[] = [], unseen: string[] = [];
  for (let presses = 0; presses < count + 20 && reached.length < count; presses += 1) {
    await page.keyboard.press('Tab');
    const { key, name, seen } = await page.evaluate<Focus>(FOCUSED);
    if (key >= 0 && !reached.includes(key)) reached.push(key);
    if (key >= 0 && !seen) unseen.push(name);
  }
  assert.deepEqual(reached, Array.from({ length: count }, (_, i) => i), 'in the order of the page');
  assert.deepEqual(unseen, [], 'what has the focus is seen');

  await page.getByRole('button', { name: 'Restart all instances in turn' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.getByText(/each must answer before the next one/).waitFor();
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate<boolean>('document.activeElement === document.body || document.activeElement.closest("dialog") !== null'), 'the focus stays in the dialog');
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await waitFor('the focus to be back', async () => (await page.evaluate<Focus>(FOCUSED)).name === 'Restart all instances in turn');

  await page.getByRole('button', { name: 'Scale the plan' }).focus();
  await page.keyboard.press('Space');
  await dialog.getByLabel('Instances').waitFor();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await dialog.getByText(/it then costs 1.5 times/).waitFor();
  await tab.shot('mitigate-scale');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual(tab.faults, []);
});
