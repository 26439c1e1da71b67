// Tests the observer as a whole: failing samplers, a synthetic day with 100 processes, restarts, and a real process tree.
import assert from 'node:assert/strict';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openLogs } from '../../src/observe/logs/index.ts';
import type { Logs } from '../../src/observe/observe.ts';
import { REQUESTS_KEPT, SAMPLES_KEPT, startObserver } from '../../src/observe/observer.ts';
import type { Observer } from '../../src/observe/observer.ts';
import { openPlatform } from '../../src/platform/choose.ts';
import type { Clock } from '../../src/platform/clock.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { HEAD, row } from './http-log/support.ts';
import { fakePlatform } from '../support/fake-platform.ts';
import type { FakePlatform } from '../support/fake-platform.ts';
import { victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

interface Under { readonly fake: FakePlatform; readonly store: Store; readonly observer: Observer; second(): Promise<void>; stop(): Promise<void> }

/** Six samplers and the flushing of the history wait for their ticks. */
const LOOPS = 7;

/** No logs: what concerns them is tested over real ones elsewhere. */
const noLogs: Logs = {
  catalog: async () => ({ sources: [], more: 0 }), path: async () => { throw new Error('no logs'); }, page: async () => { throw new Error('no logs'); }, since: async () => { throw new Error('no logs'); },
  follow: () => { throw new Error('no logs'); },
};

async function under(given?: FakePlatform, over: Partial<Platform> = {}, store?: Store): Promise<Under> {
  const fake = given ?? await fakePlatform();
  const platform: Platform = { ...fake, ...over };
  const kept = store ?? await openStore({ platform });
  const stop = new AbortController();
  const observer = await startObserver({ platform, store: kept, logs: noLogs, signal: stop.signal });
  return {
    fake, store: kept, observer,
    async second() {
      await fake.clock.advance(1_000);
      await waitFor('every sampler to have done its reading', () => fake.clock.waiting >= LOOPS);
    },
    async stop() { stop.abort(); await observer.stopped; await kept.close(); },
  };
}

test('one sample a second of each process and of the site; latest, processes and history agree', async () => {
  const one = await under();
  try {
    for (let i = 0; i < 12; i += 1) { one.fake.setUsage(4120, { cpuMs: 1_000 + i * 100 }); await one.second(); }
    const { observer } = one;
    const now = one.fake.clock.now();
    const worker = observer.processes().find((info) => info.pid === 4120);
    assert.ok(worker);
    const key = `4120:${worker.startedAt}`;
    assert.equal(observer.latest().get(key)?.values['process.cpu'], 10);
    assert.deepEqual([...observer.latest().keys()].sort(), [`300:${observer.processes().find((info) => info.pid === 300)?.startedAt}`, key, 'site']);
    const site = observer.samples.recent().filter((sample) => sample.process === undefined);
    assert.equal(site.length, 12);
    assert.deepEqual([site.at(-1)?.at, site.at(-1)?.values['site.cpu'], site.at(-1)?.values['site.processes'], site.at(-1)?.values['http.requests']], [now, 10, 1, undefined]);
    const history = await one.store.history.read({ metrics: ['site.cpu', 'agent.sampling', 'process.cpu'], from: now - 10_000, to: now, points: 100, now });
    const cpu = history.series.find((series) => series.metric === 'site.cpu');
    assert.equal(cpu?.values.at(-1), 10);
    const folded = await one.store.history.read({ metrics: ['site.cpu'], from: now - 12_000, to: now, points: 2, now });
    assert.ok(folded.stepMs >= 10_000 && folded.series[0]?.values.includes(10), JSON.stringify(folded));
    assert.match(observer.health().find((each) => each.id === 'requests')?.error ?? '', /HTTP logging is off/);
  } finally {
    await one.stop();
    await one.fake.remove();
  }
});

test('a sampler that throws costs a gap and a count, is seen, and stops nothing', async () => {
  const fake = await fakePlatform();
  let broken = false;
  const one = await under(fake, { usage: async (pids, signal) => { if (broken) throw new Error('/proc is not there'); return fake.usage(pids, signal); } });
  try {
    await one.second();
    await one.second();
    broken = true;
    for (let i = 0; i < 3; i += 1) { await fake.clock.advance(1_000); await waitFor('the failure', () => one.observer.lost().some((each) => each.what.includes('processes') && each.count === i + 1)); }
    const health = one.observer.health().find((each) => each.id === 'processes');
    assert.deepEqual([health?.state, health?.error], ['failing', '/proc is not there']);
    assert.equal(one.observer.health().find((each) => each.id === 'event-log')?.state, 'good');
    broken = false;
    await one.second();
    assert.equal(one.observer.health().find((each) => each.id === 'processes')?.state, 'good');
    const at = one.observer.samples.recent().filter((sample) => sample.process === undefined).map((sample) => (sample.at - fake.clock.now()) / 1_000);
    assert.deepEqual(at, [-5, -4, 0]);
  } finally {
    await one.stop();
    await fake.remove();
  }
});

test('a reading that hangs is shown and holds up no other sampler', async () => {
  const fake = await fakePlatform();
  const one = await under(fake, { eventLog: async (signal) => new Promise((_resolve, reject) => { signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }); }) });
  try {
    for (let i = 0; i < 20; i += 1) { await fake.clock.advance(1_000); await waitFor('the site\'s sample', () => one.observer.latest().get('site')?.at === fake.clock.now()); }
    const health = one.observer.health().find((each) => each.id === 'event-log');
    assert.equal(health?.state, 'failing');
    assert.match(health?.error ?? '', /has not ended for 1[89] s/);
  } finally {
    await one.stop();
    await fake.remove();
  }
});

test('a restart: changes are back, the pause is a gap, and it is told that the agent started', async () => {
  const fake = await fakePlatform();
  try {
    const first = await under(fake);
    for (let i = 0; i < 3; i += 1) await first.second();
    fake.vanish(4120);
    await first.second();
    await first.stop();
    await fake.clock.advance(180_000);
    const second = await under(fake);
    await second.second();
    const titles = second.observer.changes.recent().map((change) => `${change.kind}: ${change.title}`);
    await second.stop();
    assert.deepEqual(titles.map((title) => title.replace(/\d+ min.*:/, 'N min:')), [
      'start: Worker 4120 started', 'agent: Agent started', 'exit: Worker 4120 exited', 'agent: Agent stopped', 'gap: No samples for N min: no agent was running', 'agent: Agent started',
    ]);
  } finally {
    await fake.remove();
  }
});

test('changes of others are merged and kept; rows of the event log become changes and errors', async () => {
  const one = await under();
  try {
    await one.second();
    const at = one.fake.clock.now();
    one.observer.publish({ id: 'session:1', at, kind: 'session', level: 'neutral', title: 'Diagnosed' });
    one.fake.setEventLog([{ at: at - 200, id: 1002, record: 7, provider: 'HttpPlatformHandler', level: 'error', text: 'Process \'4120\' listening on port \'1\' crashed with exit code \'3\'.' }]);
    one.fake.vanish(4120);
    await one.second();
    await waitFor('the exit with its code', () => one.observer.exits(at - 1_000).some((exit) => exit.exitCode === 3));
    assert.equal(one.observer.exits(at - 1_000).length, 1);
    assert.deepEqual(one.observer.errors.recent().map((line) => line.text), ['HttpPlatformHandler 1002: Process \'4120\' listening on port \'1\' crashed with exit code \'3\'.']);
    assert.ok(one.observer.changes.recent().some((change) => change.id === 'session:1'));
  } finally {
    await one.stop();
    await one.fake.remove();
  }
});

test('requests: rows, samples at their own time, and the window from the files', async () => {
  const fake = await fakePlatform();
  const folder = join(fake.host.folders.logs, 'http', 'RawLogs');
  const now = fake.clock.now();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'a1b2c3-1.log'), `${HEAD}\r\n${row({ at: now - 30_000, path: '/a' })}\r\n`);
  const one = await under(fake);
  try {
    // The catalog of this test knows no file: its rows wait ten seconds for their name, then count without one.
    for (let i = 0; i < 12; i += 1) await one.second();
    await appendFile(join(folder, 'a1b2c3-1.log'), `${row({ at: now + 5_000, path: '/b', status: 502, sub: 3, win32: 12030 })}\r\n`);
    await one.second();
    assert.deepEqual(one.observer.requests.recent().map((each) => [each.path, each.reason ?? '']), [['/a', ''], ['/b', 'connection ended (worker exited or recycled, or keep-alive race)']]);
    assert.ok(one.observer.samples.recent().some((sample) => sample.at === now + 5_000 && sample.values['http.5xx'] === 1));
    assert.equal(one.observer.latest().get('site')?.values['http.requests'] !== undefined, true);
    const never = new AbortController().signal;
    assert.equal((await one.observer.http({ from: now - 60_000, to: now + 60_000 }, never)).rows, 2);
    assert.equal((await one.observer.rows({ from: now - 60_000, to: now + 60_000, filter: 'failed', limit: 10 }, never)).rows.length, 1);
    const history = await one.store.history.read({ metrics: ['http.requests'], from: now - 30_000, to: now - 30_000, points: 10, now: now + 13_000 });
    assert.equal(history.series[0]?.values[0], 1);
  } finally {
    await one.stop();
    await fake.remove();
  }
});

describe('a day of synthetic time', () => {
  test('100 processes that come and go: every buffer stays within its bound', async () => {
    const fake = await fakePlatform();
    for (let i = 0; i < 98; i += 1) fake.put({ pid: 10_000 + i, startedAt: 1_000, role: 'php' }, { cpuMs: 0, workingSetBytes: 2 ** 20, threads: 1 });
    // A history that only counts: the store's own bounds are the store's tests.
    const store = await openStore({ platform: fake });
    let writes = 0;
    const counting: Store = {
      ...store, history: { ...store.history, write: () => { writes += 1; }, flush: async () => undefined }, changes: { append: async () => undefined, recent: async () => ({ entries: [], unreadable: 0 }) },
    };
    // Each tick stands for ten seconds: 8,640 readings of 100 processes fill every buffer many times over.
    const { clock } = fake;
    const slow: Clock = { now: () => clock.now(), monotonic: () => clock.monotonic(), wait: (ms, signal) => clock.wait(ms, signal), every: (ms, signal) => clock.every(ms * 10, signal) };
    const one = await under(fake, { clock: slow }, counting);
    const start = clock.now();
    try {
      for (let tick = 0; tick < 8_640; tick += 1) {
        if (tick % 10 === 0) fake.put({ pid: 10_000 + tick / 10 % 98, startedAt: clock.now(), role: 'php' }, { cpuMs: tick, workingSetBytes: 2 ** 20 });
        await clock.advance(10_000);
        if (tick % 500 !== 0) continue;
        await waitFor('every sampler to have done its reading', () => clock.waiting >= LOOPS);
        assert.ok(one.observer.samples.recent().length <= SAMPLES_KEPT);
        assert.ok(one.observer.latest().size <= 101, `latest holds ${one.observer.latest().size}`);
        assert.ok(one.observer.changes.recent().length <= 1_000);
        assert.ok(one.observer.requests.recent().length <= REQUESTS_KEPT);
        assert.ok(one.observer.exits(0).length <= 1_000);
      }
      assert.equal(one.observer.samples.recent().length, SAMPLES_KEPT, 'the bound was reached');
      assert.ok(fake.clock.now() - start >= 86_400_000);
      assert.ok(writes > 8_000 * 100, `${writes} writes`);
      assert.ok(fake.clock.waiting <= LOOPS, 'one timer for each sampler');
    } finally {
      await one.stop();
      await fake.remove();
    }
    assert.equal(fake.clock.waiting, 0, 'nothing waits any more');
  });
});

test('a real process tree: its samples, its end, and what the log says of it', { skip: process.platform !== 'linux' && 'a tree of /proc' }, async () => {
  const top = await mkdtemp(join(tmpdir(), 'observer-'));
  const worker = await victim();
  const stop = new AbortController();
  const platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: {}, processes: { pids: [worker.pid] } });
  const store = await openStore({ platform });
  const logs = join(platform.host.folders.logs, 'Application');
  await mkdir(logs, { recursive: true });
  const observer = await startObserver({ platform, store, logs: openLogs({ platform }), signal: stop.signal });
  try {
    await waitFor('a rate of the worker', () => [...observer.latest().values()].some((sample) => sample.process?.pid === worker.pid && sample.values['process.cpu'] !== undefined && (sample.values['process.working-set'] ?? 0) > 2 ** 20));
    assert.ok((observer.latest().get('site')?.values['site.processes'] ?? 0) >= 1);
    assert.ok((observer.latest().get('site')?.values['agent.working-set'] ?? 0) > 2 ** 20);
    await worker.stop();
    await writeFile(join(logs, `HOST-${worker.pid}-stderr-1795226407000.txt`), 'TypeError: boom\n    at f (/home/site/wwwroot/lib/cart.js:41:27)\n');
    const exit = await waitFor('the exit with its cause', () => observer.changes.recent().filter((change) => change.kind === 'exit' && change.pid === worker.pid && change.detail !== undefined).at(-1));
    assert.equal(exit.detail, 'TypeError, lib/cart.js:41');
    assert.deepEqual(observer.lost(), []);
  } finally {
    stop.abort();
    await observer.stopped;
    await store.close();
    platform.close();
    await worker.stop();
    await rm(top, { recursive: true, force: true });
  }
});
