// Owns the tests of an observer that does not lead: it shows what the leading one writes, writes nothing itself, and goes on without a hole when the lead comes.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Logs } from '../../src/observe/observe.ts';
import { startObserver, type Observer } from '../../src/observe/observer.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { HEAD, row } from './http-log/support.ts';
import { fakePlatform, type FakePlatform } from '../support/fake-platform.ts';
import { waitFor } from '../support/wait.ts';

const noLogs: Logs = {
  catalog: async () => ({ sources: [], more: 0 }), path: async () => { throw new Error('no logs'); }, page: async () => { throw new Error('no logs'); }, since: async () => { throw new Error('no logs'); },
  follow: () => { throw new Error('no logs'); },
};
/** Timers of one observer: five samplers and the flushing. */
const LOOPS = 7;

interface Agent { readonly observer: Observer; readonly store: Store; leads: boolean; stop(): Promise<void> }

async function agent(t: TestContext, fake: FakePlatform, leads: boolean): Promise<Agent> {
  const state = { leads };
  const store = await openStore({ platform: fake, leads: () => state.leads });
  const ending = new AbortController();
  const observer = await startObserver({ platform: fake, store, logs: noLogs, signal: ending.signal, leads: () => state.leads });
  let over = false;
  const stop = async (): Promise<void> => { if (over) return; over = true; ending.abort(); await observer.stopped; await store.close(); };
  t.after(stop);
  return { observer, store, stop, get leads() { return state.leads; }, set leads(on) { state.leads = on; } };
}

test('one that does not lead shows samples, processes and changes of the other, and takes over without a hole', async (t) => {
  const fake = await fakePlatform();
  t.after(() => fake.remove());
  const first = await agent(t, fake, true);
  const second = await agent(t, fake, false);
  let waiting = 2 * LOOPS;
  const seconds = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      fake.setUsage(4120, { cpuMs: fake.clock.now() / 10 });
      await fake.clock.advance(1_000);
      await waitFor('every sampler to have done its reading', () => fake.clock.waiting >= waiting);
    }
  };
  await seconds(3);
  const logs = join(fake.host.folders.logs, 'http', 'RawLogs');
  await mkdir(logs, { recursive: true });
  const from = fake.clock.now();
  await writeFile(join(logs, 'a1b2c3-1.log'), `${HEAD}\r\n${row({ at: from - 2_000, status: 502, sub: 3 })}\r\n`);
  // The catalog of this test knows no file: its rows wait ten seconds for their name, then count without one.
  await seconds(12);
  await first.store.history.flush();
  await seconds(4);
  const worker = `4120:${second.observer.processes().find((p) => p.pid === 4120)?.startedAt}`;
  assert.ok((second.observer.latest().get(worker)?.values['process.cpu'] ?? 0) > 0, 'a sample of the worker');
  const seen = second.observer.samples.recent().filter((one) => one.process === undefined && one.values['site.processes'] !== undefined).map((one) => one.at);
  assert.equal(new Set(seen).size, seen.length, 'each instant once');
  assert.equal(second.observer.requests.recent().length, 1, 'rows of the log are followed by both');
  // Two of one instant stand in the order in which they came to each.
  const titles = ({ observer }: Pick<typeof first, 'observer'>): string[] => observer.changes.recent().map((c) => c.title).filter((title) => title.startsWith('Agent') || title.startsWith('Worker')).sort();
  assert.deepEqual(titles(second), titles(first));

  // The first is gone at once: neither a last word nor its last rows, those of the log among them.
  first.leads = false;
  await first.stop();
  waiting = LOOPS;
  second.leads = true;
  await second.store.history.reopen();
  await second.observer.lead();
  await seconds(5);
  await second.store.history.flush();
  const now = fake.clock.now();
  const read = async (metric: 'http.5xx' | 'site.processes'): Promise<(number | null)[]> => (await second.store.history.read({ metrics: [metric], from: from - 3_000, to: now, points: 100, now })).series[0]?.values ?? [];
  assert.equal((await read('http.5xx')).reduce<number>((sum, v) => sum + (v ?? 0), 0), 1, 'the failure that the first may not have written');
  assert.ok((await read('site.processes')).slice(-4).every((v) => v === 1), 'it samples itself now');
  assert.equal(second.observer.changes.recent().at(-1)?.title, 'This agent observes now: the other one ended');
  const { entries } = await second.store.changes.recent(100);
  assert.equal(entries.filter((c) => c.title === 'Worker 4120 started').length, 1, 'told once');
});
