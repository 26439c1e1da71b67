// Owns the first journey: a process that works is sampled, its numbers reach history and socket, and the chart draws them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

let system: System;
let browser: Browser | undefined;
before(async () => {
  system = await startSystem({ traffic: true });
  if (noBrowser() === undefined) browser = await openBrowser();
});
after(async () => { await browser?.close(); await system.stop(); });

test('the five metrics of the article are measured for the worker and its requests', { timeout: 120_000 }, async () => {
  const now = await waitFor('all five metrics', async () => {
    const answer = await system.diag.now({ query: { minutes: 5 } });
    return answer.tiles.every((t) => t.value !== undefined) ? answer : undefined;
  }, 60_000);
  assert.deepEqual(now.tiles.map((t) => t.metric), ['http.requests', 'http.response-average', 'site.cpu-time', 'site.working-set', 'site.average-working-set']);
  const { processes } = await system.diag.processes();
  const worker = processes.find((p) => p.info.role === 'worker');
  assert.equal(worker?.info.pid, system.pid());
  for (const metric of ['process.cpu', 'process.working-set', 'process.private-bytes', 'process.threads', 'process.handles'] as const) assert.equal(typeof worker?.sample?.values[metric], 'number', metric);
  assert.ok(processes.some((p) => p.info.ours), 'the agent is listed and marked as ours');
});

test('a spin shows as CPU of the worker in history, a leak as private bytes', { timeout: 120_000 }, async () => {
  const pid = system.pid() ?? 0;
  const before = await valueOf('process.private-bytes', pid);
  await system.get('/leak?mb=64');
  const sum = async (): Promise<number> => (await values('process.cpu-time', pid)).reduce((a, b) => a + b, 0);
  const idle = await sum();
  // A busy machine gives a spin less CPU than it asks for: spin until a second of it was measured.
  await waitFor('a second of CPU time more', async () => { await system.get('/spin?ms=500'); return await sum() > idle + 1_000; }, 60_000);
  await waitFor('64 MiB more', async () => await valueOf('process.private-bytes', pid) > before + 50 * 1024 * 1024, 30_000);
});

test('the chart draws what the socket brings, without reload', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const tab = await system.signIn(browser);
  await tab.page.goto(`${system.diagUrl}/observe`);
  await tab.page.locator('.uplot canvas').first().waitFor();
  const picture = (): Promise<string> => tab.page.locator('.uplot canvas').first().evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const first = await picture();
  await waitFor('the first chart to move', async () => (await picture()) !== first, 20_000);
  await tab.page.getByText(String(system.pid())).first().waitFor();
  await tab.shot('observe');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

async function values(metric: 'process.cpu-time' | 'process.private-bytes', pid: number): Promise<number[]> {
  const series = await system.diag.metrics({ query: { metric: [metric], pid, from: Date.now() - 300_000, points: 300 } });
  return (series.series[0]?.values ?? []).filter((v): v is number => v !== null);
}

async function valueOf(metric: 'process.private-bytes', pid: number): Promise<number> {
  return waitFor(`a value of ${metric}`, async () => (await values(metric, pid)).at(-1));
}
