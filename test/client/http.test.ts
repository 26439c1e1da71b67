// Owns the tests of Observe → HTTP: where its numbers lead, how the heat map is walked, and the page in a browser by keyboard alone.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { neighbour } from '../../src/client/pages/observe/http-heat-walk.ts';
import { gridOf, linesOf } from '../../src/shared/http-heat.ts';
import { MAX_FILTER_CHARS, parseHttpFilter } from '../../src/shared/http-filter.ts';
import { noBrowser, openBrowser, openTab, type Tab } from '../support/browser.ts';
import { T } from '../support/stage-data.ts';
import { httpReport } from '../support/stage-http.ts';
import { openStage, type Scene, type Stage } from '../support/stage.ts';

const root = resolve(import.meta.dirname, '../..');
const assetsDir = process.env['PAGE_ASSETS'] ?? join(root, 'public/assets');
const skip = noBrowser();
const options = { timeout: 60_000, ...(skip === undefined ? {} : { skip }) };
let browser: Browser | undefined;
before(async () => {
  if (skip !== undefined) return;
  assert.ok(existsSync(join(assetsDir, 'app.js')), 'the page is built: npm run build');
  browser = await openBrowser();
});
after(async () => { await browser?.close(); });

const report = httpReport({ from: T - 3_600_000, to: T, bad: true, many: false });
const lines = linesOf(report.heat, gridOf(report.heat, 24), undefined);

test('arrows walk from number to number, never to an empty cell, never out of the map', () => {
  const at = { line: 1, column: lines[1]?.cells[0]?.column ?? 0 };
  const has = (place: { line: number; column: number } | undefined): boolean => place === undefined || lines[place.line]?.cells.some((c) => c.column === place.column) === true;
  for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'x']) assert.ok(has(neighbour(lines, at, key)), key);
  assert.equal(neighbour(lines, at, 'ArrowLeft'), undefined, 'nothing before the first');
  const cells = lines[1]?.cells ?? [];
  assert.deepEqual(neighbour(lines, at, 'End'), { line: 1, column: cells.at(-1)?.column });
  assert.deepEqual(neighbour(lines, at, 'ArrowRight'), { line: 1, column: cells[1]?.column });
  assert.equal(neighbour(lines, { line: 0, column: lines[0]?.cells[0]?.column ?? 0 }, 'ArrowUp'), undefined);
  const up = neighbour(lines, { line: 1, column: cells.at(-1)?.column ?? 0 }, 'ArrowUp');
  const nearest = Math.min(...(lines[0]?.cells ?? []).map((c) => Math.abs(c.column - (cells.at(-1)?.column ?? 0))));
  assert.equal(Math.abs((up?.column ?? NaN) - (cells.at(-1)?.column ?? 0)), nearest);
});

async function onStage(scene: Scene, path: string, run: (page: Page, tab: Tab, stage: Stage) => Promise<void>, window: { width?: number; height?: number } = {}): Promise<void> {
  assert.ok(browser);
  const stage = await openStage({ publicDir: join(root, 'public'), assetsDir, scene });
  const tab = await openTab(browser, window);
  try {
    await tab.page.goto(stage.url + path);
    await run(tab.page, tab, stage);
    assert.deepEqual(tab.faults, []);
  } finally {
    await tab.close();
    await stage.close();
  }
}
const word = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name);

test('by keyboard: into the heat map, along it, into the rows, into a row, back out, and a filter', options, () => onStage('failing', 'observe?part=http&range=1h', async (page) => {
  const active = page.locator('.heat .cell[tabindex="0"]');
  await active.focus();
  const first = await active.getAttribute('aria-label');
  await page.keyboard.press('ArrowDown');
  const told = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  assert.notEqual(told, first, 'the focus has moved');
  assert.match(told ?? '', /^\d+ × 500\.121, GET \/export\/\{id\}/);
  assert.match(await page.locator('.heat-tip').innerText(), /500\.121/, 'what has the focus is told');
  await page.keyboard.press('Enter');
  await page.waitForURL(/part=requests/);
  assert.deepEqual(parseHttpFilter(word(page, 'filter') ?? '').terms.map((t) => t.field), ['is', 'route']);
  assert.match(word(page, 'range') ?? '', /^\d+-\d+$/, 'the cell\'s own time');
  await page.keyboard.press('f');
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'INPUT');
  await page.keyboard.type('status:5zz');
  await page.getByText('a status is 5xx, 502, 502.3 or 502.3.12030').waitFor();
  await page.keyboard.press('Enter');
  assert.notEqual(word(page, 'filter'), 'status:5zz', 'what cannot be read is not applied');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('failed');
  await page.keyboard.press('Enter');
  await page.waitForURL(/filter=failed/);
  await page.locator('.vt-body .vt-row').first().waitFor();
  for (const key of ['j', 'j', 'k', 'Enter']) await page.keyboard.press(key);
  const dialog = page.locator('dialog[open]');
  await dialog.getByText('connection ended, worker exited').first().waitFor();
  assert.match(await dialog.innerText(), /In the log at\s+byte 999,\d+ of (http1|http\/RawLogs)/);
  assert.match(await dialog.getByRole('link', { name: 'Show in the log' }).getAttribute('href') ?? '', /logs\?.*source=http1/);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.goBack();
  await page.goBack();
  await page.locator('.heat .cell').first().waitFor();
}));

test('every number of the figures leads to rows with a filter that can be read', options, () => onStage('failing', 'observe?part=http&range=1h&filter=host%3Ashop', async (page) => {
  await page.locator('.heat .cell').first().waitFor();
  const found = await page.locator('main a[href*="part=requests"]').evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).search));
  const filters = [...new Set(found.map((search) => new URLSearchParams(search).get('filter') ?? ''))];
  assert.ok(filters.length > 40, `only ${filters.length} different questions`);
  for (const filter of filters) {
    assert.ok(filter.length <= MAX_FILTER_CHARS);
    assert.equal(parseHttpFilter(filter).terms[0]?.field, 'host', `${filter}: what the page was filtered by stays`);
  }
  const fields = new Set(filters.flatMap((f) => parseHttpFilter(f).terms.map((t) => t.field)));
  for (const field of ['failed', 'is', 'route', 'method', 'client', 'instance', 'family', 'refhost', 'taken']) assert.ok(fields.has(field as 'failed'), field);
}));

test('the screen reader\'s table has every row of the heat map, and its counts add up', options, () => onStage('failing', 'observe?part=http&range=1h', async (page) => {
  await page.locator('.heat .cell').first().waitFor();
  const rows = await page.locator('.heat-part .sr tbody tr').evaluateAll((all) => all.map((tr) => Array.from(tr.children, (cell) => cell.textContent ?? '')));
  assert.equal(rows.length, await page.locator('.heat-row').count());
  for (const [status, request, total, , , , when] of rows) assert.equal((when ?? '').split(', ').reduce((n, one) => n + Number(one.split(': ').at(-1)), 0), Number(total), `${status} ${request}`);
}));

test('older addresses still say what they said', options, () => onStage('failing', 'observe?part=requests&failed=1&status=502.3', async (page) => {
  await page.locator('.vt-body .vt-row').first().waitFor();
  assert.equal(await page.locator('.http-filter input').inputValue(), 'failed status:502.3');
  const statuses = await page.locator('.vt-body .vt-row .code').allInnerTexts();
  assert.ok(statuses.length > 0 && statuses.every((s) => s.startsWith('502.3')), statuses.join());
}));

test('drag over the lane above the heat map chooses the range', options, () => onStage('failing', 'observe?part=http&range=1h', async (page) => {
  await page.locator('.heat .cell').first().waitFor();
  const box = await page.locator('.heat-axis').boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width * 0.5, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.7, box.y + 10, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/range=\d+-\d+/);
  const [from = 0, to = 0] = (word(page, 'range') ?? '').split('-').map(Number);
  assert.ok(to - from > 300_000 && to - from < 1_500_000, `${to - from} ms`);
}));

test('ten thousand rows are a few dozen elements, and the end is reached by keyboard', options, () => onStage('many', 'observe?part=requests', async (page) => {
  await page.getByText('10,000 rows').waitFor();
  assert.ok(await page.locator('.vt-body .vt-row').count() < 80);
  await page.locator('.vt-box').focus();
  await page.keyboard.press('End');
  await page.locator('.vt-body .vt-row[aria-rowindex="10001"]').waitFor();
}));

test('what is above does not move when the figures come, and when they are read again nothing moves', options, () => onStage('failing', 'observe?part=http&range=1h', async (page) => {
  await page.locator('.heat .cell').first().waitFor();
  const shifts = await page.evaluate(() => new Promise<number>((done) => {
    let sum = 0;
    new PerformanceObserver((list) => { for (const e of list.getEntries() as unknown as { value: number; startTime: number }[]) sum += e.value; }).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
  }));
  assert.ok(shifts < 0.1, `cumulative layout shift of ${shifts}`);
}));

test('without a log the page says why and how to get one; a filter that fits nothing says how to lose it', options, async () => {
  await onStage('empty', 'observe?part=http', async (page) => { await page.getByText('az webapp log config --web-server-logging filesystem').waitFor(); });
  await onStage('failing', 'observe?part=requests&filter=status%3A418', async (page) => {
    await page.getByRole('button', { name: 'Show all requests' }).click();
    await page.locator('.vt-body .vt-row').first().waitFor();
  });
});
