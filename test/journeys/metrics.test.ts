// Owns the first journey: a process that works is sampled, its numbers reach history and socket, and the chart draws them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { chartMoves, workShows } from '../support/steps.ts';
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

test('a spin shows as CPU of the worker in history, a leak as private bytes', { timeout: 120_000 }, () => workShows(system));

test('the chart draws what the socket brings, without reload', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const tab = await system.signIn(browser);
  await chartMoves(tab, system);
  await tab.shot('observe');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});
