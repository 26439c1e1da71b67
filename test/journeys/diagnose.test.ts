// Owns the second journey: a burst of crashes, Diagnose now by the CLI, report, bundle, the page; all with real processes.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { openPromise } from 'yauzl';
import { Report } from '../../src/shared/model.ts';
import { noBrowser, openBrowser, openTab } from '../support/browser.ts';
import { command, startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import { crashOf } from '../support/crash.ts';

let system: System;
let browser: Browser | undefined;
let out = '';
let report: Report;

before(async () => {
  system = await startSystem({ limits: { backOffMs: 100 } });
  out = await mkdtemp(join(tmpdir(), 'journey-diagnose-'));
  if (noBrowser() === undefined) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await system.stop();
  await rm(out, { recursive: true, force: true });
});

test('Diagnose now during a burst of crashes names 502.3/12030 with its count, the exit code, and the exception with its stack', { timeout: 240_000 }, async () => {
  for (let i = 0; i < 3; i += 1) await crashOf(system);
  await waitFor('the log to hold six rows of 502.3.12030', async () => ((await system.diag.http()).byStatus['502.3.12030'] ?? 0) >= 6);
  const ran = await system.cli('diagnose', '--json', '--out', out, '--skip', 'memory-dump', '--reason', 'journey');
  assert.equal(ran.code, 1, `critical findings exit with 1: ${ran.stderr}`);
  report = Report.parse(JSON.parse(ran.stdout));
  const text = JSON.stringify(report.findings);
  const http = report.findings.find((f) => f.id === 'http-502-3-12030');
  assert.match(http?.title ?? '', /\b6\b.*502\.3 · 12030/);
  const crashes = report.findings.find((f) => f.id === 'worker-crashes');
  assert.equal(crashes?.severity, 'critical');
  assert.match(crashes?.title ?? '', /3 times/);
  assert.match(`${crashes?.title} ${crashes?.why}`, /exit code 1/);
  assert.match(text, /Cannot read properties of undefined \(reading 'percent'\)/);
  assert.match(text, /cart\.js:\d+/);
  assert.match(report.headline.text, /crash/);
});

test('report.html opens from disk without network, shows the same, logs no error, and is readable without JavaScript', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const tab = await openTab(browser, { offline: true, width: 1200, height: 1760 });
  await tab.page.goto(pathToFileURL(join(out, 'report.html')).href);
  const shown = await tab.page.innerText('body');
  assert.ok(shown.includes(report.headline.text), 'the headline is on the page');
  for (const finding of report.findings) assert.ok(shown.includes(finding.title), `the page shows "${finding.title}"`);
  assert.match(shown, /cart\.js:\d+/);
  await tab.shot('report');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('the bundle holds report, artifacts and a manifest whose hashes are right; equal input gives equal bytes', { timeout: 120_000 }, async () => {
  const entries = await unzip(join(out, 'bundle.zip'));
  const manifest = JSON.parse(String(entries.get('manifest.json'))) as { session: string; files: { path: string; bytes: number; sha256: string }[] };
  assert.equal(manifest.session, report.session);
  for (const file of manifest.files) {
    const content = entries.get(file.path);
    assert.ok(content, `${file.path} is in the zip`);
    assert.equal(createHash('sha256').update(content).digest('hex'), file.sha256, file.path);
  }
  assert.ok(manifest.files.some((f) => f.path === 'report.html'));
  const again = await mkdtemp(join(out, 'again-'));
  const first = await command(['analyze', join(out, 'bundle.zip'), '--out', join(again, 'a'), '--fail-on', 'never', '--json']);
  const second = await command(['analyze', join(out, 'bundle.zip'), '--out', join(again, 'b'), '--fail-on', 'never', '--json']);
  assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
  assert.deepEqual(await readFile(join(again, 'a/report.html')), await readFile(join(again, 'b/report.html')));
  assert.deepEqual(Report.parse(JSON.parse(first.stdout)).findings, report.findings, 'offline analysis judges the same');
});

test('the page shows the session and its report', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const tab = await system.signIn(browser);
  await tab.page.goto(`${system.diagUrl}/analyze/${report.session}`);
  await tab.page.getByText(report.headline.text).first().waitFor();
  await tab.shot('analyze-session');
  await tab.page.goto(`${system.diagUrl}/`);
  await tab.page.getByRole('button', { name: /Diagnose now/ }).first().waitFor();
  await tab.page.getByText(/crashed/).first().waitFor();
  await tab.shot('now');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

async function unzip(path: string): Promise<Map<string, Buffer>> {
  const zip = await openPromise(path, { autoClose: false });
  const entries = new Map<string, Buffer>();
  try {
    for await (const entry of zip.eachEntry()) {
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      entries.set(entry.fileName, Buffer.concat(chunks));
    }
  } finally {
    zip.close();
  }
  return entries;
}
