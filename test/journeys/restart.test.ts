// Owns the fourth journey of this floor: restart of the worker from the page, marked everywhere, and the kills that must not hurt.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { noBrowser, openBrowser } from '../support/browser.ts';
import { ownIsRefused, restartByCommand } from '../support/steps.ts';
import { startSystem, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

let system: System;
let browser: Browser | undefined;
before(async () => {
  system = await startSystem();
  if (noBrowser() === undefined) browser = await openBrowser();
});
after(async () => { await browser?.close(); await system.stop(); });

async function worker(): Promise<{ pid: number; startedAt: number }> {
  return waitFor('the worker in the list', async () => (await system.diag.restartTargets()).targets.find((t) => t.info.role === 'worker' && t.offer.yes && t.info.pid === system.pid())?.info);
}

test('a restart by CLI ends exactly that process, names the next, and is in audit and changes', { timeout: 120_000 }, async () => {
  const old = await restartByCommand(system);
  const { entries } = await system.diag.audit();
  assert.ok(entries.some((e) => e.did === 'restart' && e.what.includes(String(old))));
  const kinds = await waitFor('exit, start and restart among the changes', async () => {
    const { changes } = await system.diag.changes();
    return ['exit', 'start', 'restart'].every((k) => changes.some((c) => c.kind === k)) ? changes : undefined;
  });
  assert.ok(kinds.length >= 3);
});

test('the agent, its parents and a reused pid are refused', { timeout: 60_000 }, async () => {
  await ownIsRefused(system);
  const current = await worker();
  await assert.rejects(system.diag.restart({ body: { pid: current.pid, startedAt: current.startedAt - 60_000 } }), { code: 'PROCESS_REUSED' });
});

test('from the page: the confirmation names pid and start time, the new worker appears', { timeout: 120_000, skip: noBrowser() }, async () => {
  assert.ok(browser);
  const old = await worker();
  const tab = await system.signIn(browser);
  await tab.page.goto(`${system.diagUrl}/mitigate`);
  await tab.page.getByRole('button', { name: new RegExp(`Restart.*${old.pid}`) }).click();
  const dialog = tab.page.getByRole('dialog');
  await dialog.getByText(String(old.pid)).first().waitFor();
  await tab.shot('restart-confirm');
  await dialog.getByRole('button', { name: /^Restart/ }).click();
  await waitFor('another worker', () => system.pid() !== undefined && system.pid() !== old.pid);
  await tab.page.getByText(new RegExp(`Restart.*${system.pid()}`)).first().waitFor();
  await tab.shot('restart-done');
  assert.deepEqual(tab.faults, []);
  await tab.close();
});

test('kill -9 of the front end: the agent keeps working; kill -9 of the agent in mid-session: the session is interrupted, no half file, history intact', { timeout: 240_000 }, async () => {
  const front = system.frontPid();
  assert.ok(front);
  process.kill(front, 'SIGKILL');
  await waitFor('the agent to answer while the front end is gone', async () => (await system.diag.alive()).name === 'diag');
  await waitFor('the site to answer again', async () => (await system.get('/cart')) === 200, 60_000);
  const before = await system.diag.metrics({ query: { metric: ['site.working-set'], points: 600 } });
  const { session } = await system.diag.startSession({ body: { diagnosers: [{ id: 'http-logs' }, { id: 'memory-dump' }] } });
  await waitFor('the session to be at work', async () => (await system.diag.session({ params: { session } })).steps.some((s) => s.state === 'running' || s.state === 'done'));
  process.kill(system.agentPid() ?? 0, 'SIGKILL');
  const ended = await waitFor('the session to be called interrupted', async () => {
    const answer = await system.diag.session({ params: { session } });
    return answer.state === 'running' ? undefined : answer;
  }, 60_000);
  assert.ok(['interrupted', 'done', 'partial'].includes(ended.state), ended.state);
  // The new agent may be writing its own at this very moment; those of the dead one are cleared away.
  await waitFor('no temp file to be left', async () => !(await readdir(join(system.home, 'data', 'DaaS'), { recursive: true })).some((f) => f.endsWith('.tmp')));
  const at = before.at.filter((_, i) => before.series[0]?.values[i] !== null);
  const later = await system.diag.metrics({ query: { metric: ['site.working-set'], points: 900 } });
  const kept = new Set(later.at.filter((_, i) => later.series[0]?.values[i] !== null));
  // What was in memory since the last flush (10 s) may be gone; everything before it is there.
  const lost = at.filter((t) => t < (at.at(-1) ?? 0) - 15_000 && !kept.has(t));
  assert.deepEqual(lost, []);
});
