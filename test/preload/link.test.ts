// Tests the link as a whole: a real app with the preload, the agent's end, and that the numbers are those a client measures.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AppLinks, type AppEnd, type LinkedApp } from '../../src/platform/app-link.ts';
import { appView } from '../../src/observe/samplers/app-views.ts';
import type { AppView } from '../../src/shared/app-view.ts';
import { startOf } from '../support/alive.ts';
import { limitOf } from '../../src/preload/heap-room.ts';
import { waitFor } from '../support/wait.ts';
import { ask, openBench, siteEnv, type Bench } from './app.ts';
import { root } from './nodes.ts';

const SERVER = join(root, 'test/apps/preload-server.cjs');
let bench: Bench;
before(async () => { bench = await openBench(); });
after(async () => { await bench.close(); });

interface Linked { readonly child: ChildProcess; readonly port: number; readonly folder: string; readonly crashes: AppEnd[]; app(): Promise<LinkedApp>; view(): Promise<AppView>; ended: Promise<void>; close(): Promise<void> }

async function linked(): Promise<Linked> {
  const home = await mkdtemp(join(tmpdir(), 'preload-link-'));
  const portFile = join(home, 'port');
  const child = spawn(process.execPath, [SERVER], { env: { ...siteEnv(home), PORT_FILE: portFile, NODE_OPTIONS: `--require=${bench.preload}` }, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => { child.on('exit', () => { resolve(); }); });
  const port = await waitFor('the app to listen', async () => Number(await readFile(portFile, 'utf8')));
  const folder = join(home, 'data/DaaS/diag/apps/ababab');
  const links = new AppLinks({ folder, now: () => Date.now(), mayRemove: () => true });
  const crashes: AppEnd[] = [];
  const process_ = { pid: child.pid as number, startedAt: await startedAt(child.pid as number) };
  const app = async (): Promise<LinkedApp> => {
    crashes.push(...await links.look(child.exitCode === null && child.signalCode === null ? [process_] : []));
    const [one] = links.apps();
    if (one === undefined) throw new Error('no app is known');
    return one;
  };
  return {
    child, port, folder, crashes, app, ended, view: async () => appView(await app(), (text) => text),
    close: async () => { links.close(); child.kill('SIGKILL'); await ended; await rm(home, { recursive: true, force: true }); },
  };
}

async function startedAt(pid: number): Promise<number> {
  const [announced] = await waitFor('the app to be known to the system', () => (startOf(pid) === undefined ? undefined : [Date.now()]));
  return announced as number;
}

function timed(port: number, path: string): Promise<number> {
  const from = performance.now();
  return ask(port, path).then(() => performance.now() - from);
}

/** Ends its connection before the answer is complete. */
function leave(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false }, (answer) => { answer.once('data', () => { asked.destroy(); }); });
    asked.on('close', () => { resolve(); }).on('error', () => undefined).end();
  });
}

const connected = (one: Linked): Promise<unknown> => waitFor('a tick of the app', async () => (await one.app()).ticks.length > 0);

describe('the link', { concurrency: 1 }, () => {
  test('counts agree exactly, times with what the client measured; aborted, in flight and calls are told', async () => {
    const one = await linked();
    try {
      await connected(one);
      const times: number[] = [];
      for (let i = 0; i < 60; i += 1) times.push(await timed(one.port, `/orders/${i}?ms=${20 + i}&key=secret`));
      for (let i = 0; i < 5; i += 1) await ask(one.port, '/bad');
      await leave(one.port, '/hang');
      await ask(one.port, '/call?to=http://127.0.0.1:1/x');
      await ask(one.port, `/call?to=http://127.0.0.1:${one.port}/orders/7`);
      void ask(one.port, '/hang').catch(() => undefined);
      const view = await waitFor('all to be told', async () => { const seen = await one.view(); return seen.oldest.some(({ path }) => path === '/hang') && seen.routes.some(({ aborted }) => aborted > 0) && seen.dependencies.length === 2 ? seen : undefined; });
      const route = (path: string) => view.routes.find((r) => r.path === path);
      assert.equal(route('/orders/{id}')?.count, 61);
      const [p50, p95] = [0.5, 0.95].map((share) => times.sort((a, b) => a - b)[Math.ceil(share * times.length) - 1] as number) as [number, number];
      // The client's time has the connection in it, which the app cannot see: never longer than the client's, and a few ms at most shorter on a loaded machine.
      const told = route('/orders/{id}') as { p50Ms?: number; p95Ms?: number };
      assert.ok((told.p50Ms ?? 0) <= p50 * 1.01 && (told.p50Ms ?? 0) >= 20 && (told.p95Ms ?? 0) <= p95 * 1.01 && (told.p95Ms ?? 0) > (told.p50Ms ?? 0), `${JSON.stringify(told)} against ${p50} and ${p95}`);
      assert.deepEqual(route('/bad')?.statuses, [[500, 5]]);
      assert.equal(route('/bad')?.failed, 5);
      assert.equal(route('/hang')?.aborted, 1);
      assert.equal(route('/orders/{id}')?.bytesOut, 61 * 'answer'.length);
      assert.equal(view.inFlight, 1);
      assert.deepEqual(view.dependencies.find((d) => d.host === 'http://127.0.0.1:1')?.errors, [['ECONNREFUSED', 1]]);
      assert.deepEqual(view.dependencies.find((d) => d.host === `http://127.0.0.1:${one.port}`)?.statuses, [[200, 1]]);
      assert.ok(!JSON.stringify(view).includes('secret'), 'a query is in what is told');
      assert.deepEqual(view.lost, []);
    } finally {
      await one.close();
    }
  });

  test('a blocked loop is told with its length and the function, once the loop was late before', async () => {
    const one = await linked();
    try {
      await connected(one);
      await ask(one.port, '/block?ms=150');
      await waitFor('the watchdog', async () => (await one.app()).ticks.at(-1)?.watching === true);
      const took = await timed(one.port, '/block?ms=800');
      const { stall, loop, gc, heap } = await waitFor('the stall', async () => { const seen = await one.view(); const stall = seen.stalls.find(({ forMs }) => forMs >= 750); return stall === undefined ? undefined : { ...seen, stall }; });
      assert.ok(stall.forMs <= Math.max(850, took + 50), `a stall of ${stall.forMs} ms`);
      assert.match(stall.frames.join('\n'), /blocksTheLoop \(.*preload-server\.cjs:8\)/);
      assert.ok((loop?.maxMs ?? 0) >= 750);
      assert.ok(Array.isArray(gc) && (heap?.used ?? 0) > 0 && heap?.limit === limitOf([], '', (JSON.parse((await ask(one.port, '/memory')).body) as number[])[1] ?? 0, Number(process.versions.node.split('.', 1)[0])));
    } finally {
      await one.close();
    }
  });

  test('an exception leaves a note with type, message, place and request; the files are gone then', async () => {
    const one = await linked();
    try {
      await connected(one);
      await ask(one.port, '/throw').catch(() => undefined);
      await one.ended;
      await waitFor('the note to be read', async () => { await one.app().catch(() => undefined); return one.crashes.length > 0; });
      const crash = one.crashes[0]?.crash;
      assert.equal(crash?.failure?.type, 'TypeError');
      assert.equal(crash?.failure?.message, 'the cart is gone');
      assert.match(crash?.failure?.frames[0] ?? '', /preload-server\.cjs:/);
      assert.equal(crash?.failure?.route, 'GET /throw');
      assert.equal(crash?.exitCode, 1);
      assert.deepEqual((await readdir(one.folder)).filter((name) => !name.endsWith('.crash')), []);
    } finally {
      await one.close();
    }
  });
});
