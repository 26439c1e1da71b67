// Owns the proof that the offline page of an HTTP log, opened from disk without network, reads in any window, with and without JavaScript, and that hostile rows stay text.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { HTTP_CSS, httpHtml } from '../../src/analyze/http-html.ts';
import type { HttpReport } from '../../src/shared/http-report.ts';
import { noBrowser, openBrowser, openTab } from '../support/browser.ts';
import { T } from '../support/stage-data.ts';
import { httpReport, noHttpLog } from '../support/stage-http.ts';

const skip = noBrowser();
const options = skip === undefined ? {} : { skip };
const frame = { madeAt: T, tool: { name: 'diag', version: '0.1.0' } };
const bad = httpReport({ from: T - 3_600_000, to: T, bad: true, many: false });
let browser: Browser | undefined;
let folder = '';
let css = '';

before(async () => {
  css = (await Promise.all(HTTP_CSS.map((name) => readFile(resolve(import.meta.dirname, '../../public', name), 'utf8')))).join('\n');
  folder = await mkdtemp(join(tmpdir(), 'http-page-'));
  if (skip === undefined) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(report: HttpReport, name: string): Promise<string> {
  const file = join(folder, `${name}.html`);
  await writeFile(file, httpHtml(report, frame, css));
  return pathToFileURL(file).href;
}

interface Violation { readonly id: string; readonly nodes: readonly { readonly html: string }[] }
const CASES = [['bad', 1440, false], ['bad', 360, false], ['many', 1440, true], ['none', 360, true], ['quiet', 1440, false]] as const;
const reports: Readonly<Record<(typeof CASES)[number][0], HttpReport>> = {
  bad, many: httpReport({ from: T - 86_400_000, to: T, bad: true, many: true }), none: noHttpLog(T - 1, T), quiet: httpReport({ from: T - 300_000, to: T, bad: false, many: false }),
};

for (const [name, width, dark] of CASES) {
  test(`${name}, ${width} px ${dark ? 'dark' : 'light'}: no fault, nothing wider than the window, nothing for axe`, options, async () => {
    assert.ok(browser);
    const tab = await openTab(browser, { offline: true, width, dark });
    try {
      await tab.page.goto(await fileOf(reports[name], name));
      assert.equal(await tab.page.evaluate('document.documentElement.scrollWidth <= window.innerWidth'), true);
      await tab.page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
      const { violations } = await tab.page.evaluate('axe.run()') as { violations: readonly Violation[] };
      assert.deepEqual(violations.map((v) => [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200))]), []);
      await tab.shot(`http-file-${name}-${width}${dark ? '-dark' : ''}`);
      assert.deepEqual(tab.faults, []);
    } finally {
      await tab.close();
    }
  });
}

test('without JavaScript the heat map is a table whose rows add up, and every part is there', options, async () => {
  assert.ok(browser);
  const context = await browser.newContext({ javaScriptEnabled: false, offline: true, timezoneId: 'Asia/Tokyo' });
  try {
    const page = await context.newPage();
    await page.goto(await fileOf(bad, 'plain'));
    const rows = await page.locator('table.heat tbody tr').evaluateAll((all) => all.map((tr) => Array.from(tr.children, (cell) => cell.textContent ?? '')));
    assert.equal(rows.length, bad.heat.rows.length);
    for (const [n, [, total, ...cells]] of rows.entries()) {
      assert.equal(Number(total), bad.heat.rows[n]?.count);
      assert.equal(cells.reduce((sum, c) => sum + Number(c), 0), bad.heat.rows[n]?.count, 'the numbers in the cells add up to the row');
    }
    assert.deepEqual(await page.locator('.card').evaluateAll((all) => all.map((c) => c.id)), ['failures', 'bursts', 'statuses', 'latency', 'routes', 'limits', 'slowest', 'traffic', 'dimensions', 'failed', 'sources']);
    assert.equal(await page.locator('#failed tbody tr').count(), bad.failed.length);
    assert.match(await page.locator('#limits').innerText(), /12 requests took about 230 s/);
    assert.match(await page.locator('#failures thead').innerText(), /01:18/, 'times are UTC');
  } finally {
    await context.close();
  }
});

test('what a client sent stays text: no element, attribute or style of the page comes from a row', options, async () => {
  assert.ok(browser);
  const evil = '"><img src=x onerror=document.title="owned"></script><script>document.title="owned"</script></style><style>*{display:none}';
  const row = { ...bad.failed[0], path: evil, route: evil, client: evil, userAgent: evil, reason: evil, source: evil } as HttpReport['failed'][number];
  const hostile: HttpReport = {
    ...bad, failed: [row], slowest: [row], routes: [{ method: evil, route: evil, count: 1, failures: 1, clientErrors: 0 }], heat: { ...bad.heat, rows: bad.heat.rows.map((r) => ({ ...r, method: evil, route: `${evil}${r.route}` })) },
    statuses: bad.statuses.map((s) => ({ ...s, reason: evil })), agents: { ...bad.agents, top: [{ name: evil, count: 1, failures: 1 }] }, sources: bad.sources.map((s) => ({ ...s, source: evil, format: evil, note: evil })),
    bursts: bad.bursts.map((b) => ({ ...b, shares: [{ dimension: 'agent' as const, value: evil, share: 1, ofAll: 0 }] })), limits: bad.limits.map((l) => ({ ...l, says: evil })),
  };
  const tab = await openTab(browser, { offline: true });
  try {
    const file = await fileOf(hostile, 'hostile');
    await tab.page.goto(file);
    assert.match(await tab.page.title(), /^HTTP log: 124 of/);
    assert.equal(await tab.page.locator('img, iframe, object, link[href], [onerror]').count(), 0);
    assert.deepEqual([await tab.page.locator('script').count(), await tab.page.locator('style').count()], [1, 1]);
    assert.ok((await tab.page.locator('#failed tbody').innerText()).includes(evil), 'and it is shown as it was sent');
    assert.deepEqual(tab.faults, []);
  } finally {
    await tab.close();
  }
});

test('the same report gives the same bytes', () => {
  assert.equal(httpHtml(bad, frame, css), httpHtml(httpReport({ from: T - 3_600_000, to: T, bad: true, many: false }), frame, css));
});
