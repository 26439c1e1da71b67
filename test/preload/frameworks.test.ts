// Tests what the agent sees of apps that are more than one process, or that have a framework: workers of a cluster and the one that follows a dead one; the routes as each framework tells them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AppLinks, type AppEnd } from '../../src/platform/app-link.ts';
import { routesOf } from '../../src/observe/samplers/app-sum.ts';
import { Announcement } from '../../src/shared/app-link.ts';
import { startOf } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';
import { ask, openBench, siteEnv, type Bench } from './app.ts';
import { root } from './nodes.ts';

let bench: Bench;
before(async () => { bench = await openBench(); });
after(async () => { await bench.close(); });

interface Running { readonly pid: number; readonly port: number; readonly links: AppLinks; readonly ends: AppEnd[]; look(): Promise<void>; close(): Promise<void> }

/** An app and the agent's end of its links: what runs is what has announced itself and is still there. */
async function running(args: readonly string[]): Promise<Running> {
  const home = await mkdtemp(join(tmpdir(), 'preload-many-'));
  const folder = join(home, 'data/DaaS/diag/apps/ababab');
  const child = spawn(process.execPath, [...args], { cwd: home, env: { ...siteEnv(home), PORT_FILE: join(home, 'port'), NODE_OPTIONS: `--require=${bench.preload}` }, stdio: 'ignore', detached: true });
  const port = await waitFor('the app to listen', async () => Number(await readFile(join(home, 'port'), 'utf8')), 60_000);
  const links = new AppLinks({ folder, now: () => Date.now(), mayRemove: () => true });
  const ends: AppEnd[] = [];
  const seen = new Map<number, number>();
  return {
    pid: child.pid as number, port, links, ends,
    look: async () => {
      for (const name of await readdir(folder).catch(() => [])) {
        if (!/^\d+-\d+\.json$/.test(name)) continue;
        const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
        if (text === undefined) continue;
        const { pid, startedAt } = Announcement.parse(JSON.parse(text));
        seen.set(pid, startedAt);
      }
      ends.push(...await links.look([...seen].filter(([pid]) => startOf(pid) !== undefined).map(([pid, startedAt]) => ({ pid, startedAt }))));
    },
    close: async () => {
      links.close();
      const ended = new Promise((resolve) => { child.on('exit', resolve); });
      process.kill(-(child.pid as number), 'SIGKILL');       // its workers too
      await ended;
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

describe('more than one process, and frameworks', { concurrency: 4 }, () => {
  test('each worker of a cluster is an app of its own; one that dies leaves its note, and the one after it is found', async () => {
    const one = await running([join(root, 'test/apps/preload-cluster.cjs')]);
    // The primary, which listens for all and hands connections on, is one too.
    const alive = () => one.links.apps().filter(({ state, ticks, process }) => state === 'connected' && ticks.length > 0 && process.pid !== one.pid).map(({ process }) => process.pid);
    try {
      const first = await waitFor('both workers', async () => { await one.look(); return alive().length === 2 ? alive() : undefined; }, 60_000);
      const died = Number((await ask(one.port, '/die')).body);
      assert.ok(first.includes(died));
      const second = await waitFor('the worker after it', async () => { await one.look(); return one.ends.length > 0 && alive().some((pid) => !first.includes(pid)) ? alive() : undefined; }, 60_000);
      assert.ok(second.includes(first.find((pid) => pid !== died) as number));
      const [end] = one.ends;
      assert.deepEqual([one.ends.length, end?.process.pid, end?.crash?.failure?.type, end?.crash?.failure?.message, end?.crash?.exitCode], [1, died, 'RangeError', 'this worker is done', 1]);
    } finally {
      await one.close();
    }
  });

  for (const [framework, path, pattern] of [['express', '/users/:id', true], ['fastify', '/users/:id', true], ['koa', '/users/{id}', false]] as const) {
    test(`routes of ${framework}: ${pattern ? 'its pattern' : 'paths with their ids folded, as it tells none'}`, async () => {
      const one = await running([join(root, 'test/apps/preload-app.cjs'), framework, 'none']);
      try {
        await waitFor('a tick', async () => { await one.look(); return (one.links.apps()[0]?.ticks.length ?? 0) > 0; }, 60_000);
        for (const id of [17, 18]) await ask(one.port, `/users/${id}?key=1`);
        const [route, ...others] = await waitFor('the requests to be told', () => { const routes = routesOf(one.links.apps()[0]?.ticks ?? []); return routes.reduce((sum, { count }) => sum + count, 0) === 2 ? routes : undefined; }, 60_000);
        assert.deepEqual([route?.method, route?.path, route?.pattern, others], ['GET', path, pattern, []]);
      } finally {
        await one.close();
      }
    });
  }
});
