// Tests what is seen of an app by whom the agent asks: waits, HTTP/2, upgrades, sockets, handled exceptions, artifacts; and what is left by one that could say nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { connect as connect2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endingOf } from '../../src/observe/samplers/app-end.ts';
import { AppFlights, AppState, type Announcement, type AppTick } from '../../src/shared/app-link.ts';
import { waitFor } from '../support/wait.ts';
import { announced, listenTo, question, type Heard } from './asking.ts';
import { openBench, siteEnv, type Bench } from './app.ts';
import { nodeOf, root } from './nodes.ts';

const SERVER = join(root, 'test/apps/preload-waits.cjs');
let bench: Bench;
before(async () => { bench = await openBench(); });
after(async () => { await bench.close(); });

interface Seen { readonly child: ChildProcess; readonly ports: readonly [number, number, number]; readonly folder: string; readonly app: Announcement; readonly heard: Heard; readonly ended: Promise<void>; tick(what: string, is: (tick: AppTick) => boolean): Promise<AppTick>; close(): Promise<void> }

async function seen(program = process.execPath, flags: readonly string[] = []): Promise<Seen> {
  const home = await mkdtemp(join(tmpdir(), 'preload-seen-'));
  execFileSync('mkfifo', [join(home, 'fifo')]);
  const child = spawn(program, [...flags, SERVER], { cwd: home, env: { ...siteEnv(home), PORT_FILE: join(home, 'port'), FIFO: join(home, 'fifo'), NODE_OPTIONS: `--require=${bench.preload}` }, stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => { child.on('exit', () => { resolve(); }); });
  const ports = await waitFor('the app to listen', async () => JSON.parse(await readFile(join(home, 'port'), 'utf8')) as [number, number, number], 60_000);
  const folder = join(home, 'data/DaaS/diag/apps/ababab');
  const app = await waitFor('the app to announce itself', () => announced(folder), 60_000);
  const heard = listenTo(app);
  await waitFor('a tick', () => heard.ticks.length > 0, 60_000);
  return {
    child, ports, folder, app, heard, ended,
    tick: (what, is) => waitFor(what, () => heard.ticks.find(is), 60_000),
    close: async () => { heard.close(); child.kill('SIGKILL'); await ended; await rm(home, { recursive: true, force: true }); },
  };
}

async function leftBy({ folder, app }: Seen): Promise<AppState> {
  return AppState.parse(JSON.parse(await readFile(join(folder, `${app.pid}-${app.startedAt}.state`), 'utf8')));
}

const ask = (port: number, path: string): void => { get({ host: '127.0.0.1', port, path, agent: false }, (answer) => { answer.resume(); }).on('error', () => undefined); };
const answered = (port: number, path: string): Promise<void> => new Promise((resolve, reject) => { get({ host: '127.0.0.1', port, path, agent: false }, (answer) => { answer.resume().on('end', resolve); }).on('error', reject); });

/** A request by HTTP/2 on a connection of its own; one that hangs stays open until the app ends. */
function ask2(port: number, path: string): Promise<void> {
  const session = connect2(`http://127.0.0.1:${port}`).on('error', () => undefined);
  session.unref();
  return new Promise((resolve) => { session.request({ ':path': path }).on('error', () => undefined).on('end', () => { session.close(); resolve(); }).resume(); });
}

function upgrade(port: number): void {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.unref();
  socket.write('GET /socket HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
}

async function waits(one: Seen): Promise<void> {
  const [port, , silent] = one.ports;
  await question(one.app, { what: 'follow', forS: 60 });
  const paths = ['/call', '/queue', '/fetch', '/pipe', '/timer', '/socket', '/nothing'];
  for (const path of paths) ask(port, path);
  const { oldest } = await one.tick('all to be in flight', ({ following, oldest: flights }) => following !== undefined && paths.every((path) => flights.some((flight) => flight.path === path && flight.waits?.every(({ for: what }) => what !== 'connection' && what !== 'dns') === true)));
  const waitOf = (path: string): string | undefined => oldest.find((flight) => flight.path === path)?.waits?.map(({ for: what, on = '' }) => `${what} ${on}`.trim()).join(', ');
  assert.equal(waitOf('/call'), `call http://127.0.0.1:${silent}`);
  assert.match(waitOf('/fetch') ?? '', new RegExp(`call http://127\\.0\\.0\\.1:${silent}`));
  assert.equal(waitOf('/pipe'), 'file');
  assert.equal(waitOf('/timer'), 'timer 60000 ms');
  assert.equal(waitOf('/socket'), `socket 127.0.0.1:${silent}`);
  assert.equal(waitOf('/nothing'), 'nothing');
  ask(port, '/queue');
  await one.tick('a request in the queue of the agent', ({ oldest: flights, dependencies }) => dependencies.some(({ by, waiting, open = 0 }) => by === 'http' && waiting === 1 && open >= 2) && flights.some(({ path, waits: what }) => path === '/queue' && what?.some(({ for: kind }) => kind === 'connection') === true));
}

async function streams(one: Seen, tellsPaths: boolean): Promise<void> {
  const [, port] = one.ports;
  for (let i = 0; i < 3; i += 1) await ask2(port, `/orders/${i}?key=secret`);
  void ask2(port, '/hang');
  const sum = (): number => one.heard.ticks.flatMap(({ routes }) => routes).filter(({ protocol }) => protocol === 'http2').reduce((all, { latency }) => all + latency.count, 0);
  await waitFor('the HTTP/2 requests to be counted', () => sum() === 3, 60_000);
  if (!tellsPaths) return;
  assert.deepEqual([...new Set(one.heard.ticks.flatMap(({ routes }) => routes).filter(({ protocol }) => protocol === 'http2').map(({ path }) => path))], ['/orders/{id}']);
  await one.tick('the one in flight', ({ oldest }) => oldest.some(({ path, protocol }) => path === '/hang' && protocol === 'http2'));
}

/** V8 gives up near the first; the limit that it tells holds the young generation too, on Node 24 three times 64 MiB where nothing is said. */
const SMALL_HEAP = ['--max-old-space-size=96', '--max-semi-space-size=1'];

describe('what is seen', { concurrency: 3 }, () => {
  for (const line of ['20', '24'] as const) {
    test(`waits, HTTP/2, upgrades, sockets and look-ups under Node ${line}`, async (t) => {
      const node = await nodeOf(line);
      if ('because' in node) { t.skip(node.because); return; }
      const one = await seen(node.program);
      try {
        await waits(one);
        await streams(one, line === '24');
        upgrade(one.ports[0]);
        await one.tick('the upgraded connection', ({ connections }) => connections?.upgraded === 1);
        await answered(one.ports[0], '/lookup');
        await one.tick('the look-up', ({ lookups }) => lookups?.some(({ name, latency }) => name === 'localhost' && latency.count === 1) === true);
        assert.deepEqual(one.heard.ticks.at(-1)?.lost, []);
      } finally {
        await one.close();
      }
    });
  }

  test('what is asked is answered: flights with their places, report, profiles, snapshot; a stranger is not', async () => {
    const one = await seen();
    try {
      const flights = await question(one.app, { what: 'flights', forS: 1 }, { onBegun: () => { ask(one.ports[0], '/timer'); } });
      const [flight] = AppFlights.parse(JSON.parse(flights.artifact.toString())).flights;
      assert.match(flight?.waits?.[0]?.frames?.join('\n') ?? '', /looksUpTheCart \(.*preload-waits\.cjs:\d+:\d+\)\nwaitsForTheCart \(/);
      const report = JSON.parse((await question(one.app, { what: 'report' })).artifact.toString()) as { header: { processId: number }; environmentVariables: object };
      assert.deepEqual([report.header.processId, report.environmentVariables], [one.child.pid, {}]);
      const profile = JSON.parse((await question(one.app, { what: 'cpu-profile', forS: 1 })).artifact.toString()) as { nodes: unknown[]; endTime: number; startTime: number };
      assert.ok(profile.nodes.length > 1 && profile.endTime - profile.startTime > 900_000);
      assert.ok('head' in (JSON.parse((await question(one.app, { what: 'heap-profile', forS: 1 })).artifact.toString()) as object));
      const snapshot = await question(one.app, { what: 'heap-snapshot' });
      assert.deepEqual(snapshot.states.map(({ state }) => state), ['begun', 'done']);
      assert.equal(snapshot.states[1]?.sizeBytes, snapshot.artifact.length);
      assert.ok((JSON.parse(snapshot.artifact.toString()) as { nodes: unknown[] }).nodes.length > 1_000);
      assert.deepEqual((await question(one.app, { what: 'the-password' })).states, [{ type: 'answer', state: 'refused', because: 'this question is not understood' }]);
      assert.deepEqual((await question(one.app, { what: 'report' }, { withKey: 'f'.repeat(32) }).catch(() => ({ states: [] }))).states, []);
    } finally {
      await one.close();
    }
  });

  test('exceptions that the app handles are counted with place and request while somebody asked, and no longer', async () => {
    const one = await seen();
    try {
      const of = (tick: AppTick) => tick.failures.find(({ kind }) => kind === 'caught');
      await answered(one.ports[0], '/caught');
      await question(one.app, { what: 'exceptions', forS: 60 });
      // The looking thread takes a moment to come up.
      const first = await waitFor('an exception', async () => { await answered(one.ports[0], '/caught'); return one.heard.ticks.map(of).find((failure) => failure !== undefined); }, 60_000);
      assert.equal(first.type, 'SyntaxError');
      assert.match(first.frames.join('\n'), /throwsOften \(.*preload-waits\.cjs:\d+:\d+\)/);
      assert.equal(first.route, 'GET /caught');
      await question(one.app, { what: 'exceptions', forS: 0 });
      const { seq } = await one.tick('the end of looking', (tick) => tick.catching === undefined && of(tick) === undefined && tick.seq > 1);
      await answered(one.ports[0], '/caught');
      await one.tick('a later tick', (tick) => tick.seq > seq + 1);
      assert.deepEqual(one.heard.ticks.filter((tick) => tick.seq > seq + 1).map(of).filter((failure) => failure !== undefined), []);
    } finally {
      await one.close();
    }
  });

  test('one that dies of its heap while somebody watches leaves what the watch took', async () => {
    const one = await seen(process.execPath, SMALL_HEAP);
    try {
      await question(one.app, { what: 'watch', artifact: 'heap-profile', atShare: 0.5 });
      await one.tick('the watch to be told', ({ watch }) => watch?.artifact === 'heap-profile');
      // Six of them are more than half of the limit, and less than makes V8 give up.
      for (let i = 0; i < 6; i += 1) await answered(one.ports[0], '/fill');
      await one.tick('the artifact', ({ watch }) => watch?.taken === true);
      let over = false;
      void one.ended.then(() => { over = true; });
      while (!over) await answered(one.ports[0], '/fill').catch(() => undefined);
      assert.match(await readFile(join(one.folder, `${one.app.pid}-${one.app.startedAt}.heapprofile`), 'utf8'), /preload-waits\.cjs/);
      assert.ok((await leftBy(one)).heap.limit < 256 * 2 ** 20);
    } finally {
      await one.close();
    }
  });

  test('one that fills its heap in one go, hangs in a loop and is killed, or aborts: each leaves how it stood, and that is told as its reason', async () => {
    const [full, hung, aborted] = await Promise.all([seen(process.execPath, SMALL_HEAP), seen(), seen()]);
    const reasonOf = async (one: Seen): Promise<string> => endingOf({ process: { pid: one.app.pid, startedAt: one.app.startedAt }, at: Date.now(), state: await leftBy(one) })?.detail ?? '';
    try {
      for (const one of [full, hung]) await question(one.app, { what: 'follow', forS: 300 });
      for (const one of [full, hung, aborted]) await waitFor('its state', () => leftBy(one), 60_000);
      for (const one of [full, hung]) await one.tick('the watchdog', ({ watching }) => watching === true);
      ask(full.ports[0], '/all');
      ask(hung.ports[0], '/loop');
      ask(aborted.ports[0], '/abort');
      await waitFor('the loop to be told', async () => (await leftBy(hung)).stall?.frames.join().includes('neverEnds'), 60_000);
      hung.child.kill('SIGKILL');
      await Promise.all([full.ended, hung.ended, aborted.ended]);
      assert.match(await reasonOf(full), /heap was exhausted: .* its event loop had been blocked for .* in readsItAll \(.*preload-waits\.cjs:\d+\)/);
      assert.match(await reasonOf(hung), /killed, aborted or a crash of native code.* its event loop had been blocked for .* in neverEnds \(.*preload-waits\.cjs:\d+\)/);
      assert.match(await reasonOf(aborted), /killed, aborted or a crash of native code/);
      assert.equal(aborted.child.signalCode, 'SIGABRT');
    } finally {
      await Promise.all([full.close(), hung.close(), aborted.close()]);
    }
  });
});
