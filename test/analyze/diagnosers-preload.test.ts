// Owns the tests of the diagnosers of Node through the preload: the same artifacts with neither signal nor inspector, and the inspector where the preload does not answer.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, test } from 'node:test';
import { ExceptionsFile, InFlightFile } from '../../src/shared/artifacts.ts';
import { openBench, type Bench } from '../preload/app.ts';
import { waitFor } from '../support/wait.ts';
import { MARKER, realWorld, type RealWorld } from './real-world.ts';
import { stepsOf } from './world.ts';

let bench: Bench;
let here: RealWorld;
let port: number;
before(async () => {
  bench = await openBench();
  here = await realWorld({ preload: bench.preload });
  ({ port } = await here.victim.do('listen') as { port: number });
  await waitFor('the preload to tell', () => here.observed.inside?.apps().some((app) => app.answersAsks && app.ticks.length > 0));
});
after(async () => { await here.close(); await bench.close(); });

test('profiles, report and snapshot come by the preload: whole, masked where they can be, and no debugger was opened', async () => {
  const session = await here.diagnose([{ id: 'node-cpu-profile', options: { seconds: 1 } }, { id: 'node-heap-profile', options: { seconds: 1 } }, { id: 'node-report' }, { id: 'node-heap-snapshot' }]);
  const of = (kind: string) => session.artifacts.find((one) => one.kind === kind);
  for (const kind of ['cpu-profile', 'heap-profile', 'node-report', 'heap-snapshot']) assert.match(of(kind)?.note ?? '', /by the preload/, `${kind}: ${JSON.stringify(stepsOf(session))}`);
  assert.ok(Array.isArray((JSON.parse(await here.read(session, of('cpu-profile')?.name ?? '')) as { nodes: unknown }).nodes));
  assert.equal(typeof (JSON.parse(await here.read(session, of('heap-profile')?.name ?? '')) as { head: unknown }).head, 'object');
  const report = await here.read(session, of('node-report')?.name ?? '');
  assert.equal((JSON.parse(report) as { header: { processId: number } }).header.processId, here.victim.pid);
  assert.ok(!report.includes(MARKER), 'a secret is in the report');
  const { snapshot } = JSON.parse(await here.read(session, of('heap-snapshot')?.name ?? '')) as { snapshot: { node_count: number } };
  assert.ok(snapshot.node_count > 10_000);
  assert.match(of('heap-snapshot')?.note ?? '', /^stopped the app for .* of .* predicted/);
  assert.doesNotMatch(here.victim.stderr(), /Debugger/);
});

test('handled exceptions are counted by the preload while they are asked for, each kind once', async () => {
  const running = here.diagnose([{ id: 'node-exceptions', options: { handledSeconds: 2 } }]);
  await waitFor('the preload to count', async () => {
    for (let i = 0; i < 3; i += 1) await here.victim.do('catch', { message: `voucher ${i} is void` });
    return here.observed.inside?.apps().some((app) => app.failures.some(({ kind }) => kind === 'caught'));
  });
  const session = await running;
  const made = session.artifacts.find((one) => one.kind === 'exceptions');
  assert.ok(made, JSON.stringify(stepsOf(session)));
  const { apps, thrown } = ExceptionsFile.parse(JSON.parse(await here.read(session, made.name)));
  assert.equal(thrown, undefined);
  const [caught, ...others] = apps.flatMap(({ failures }) => failures).filter(({ kind, message }) => kind === 'caught' && message.includes('voucher'));
  assert.equal(others.length, 0, 'numbers in a message make no other kind');
  assert.equal(caught?.type, 'TypeError');
  assert.ok((caught?.count ?? 0) >= 3);
  assert.match(caught?.frames[0] ?? '', /victim\.mjs/);
  assert.doesNotMatch(here.victim.stderr(), /Debugger/);
});

test('requests in flight come with what they wait for and where, and the report tells them', async () => {
  const running = here.diagnose([{ id: 'node-in-flight', options: { seconds: 4 } }]);
  const asked: ReturnType<typeof get>[] = [];
  try {
    // Those that came before it looks have only an age: one with each second in which it looks.
    let seq = -1;
    await waitFor('a followed request', () => {
      const tick = here.observed.inside?.apps().find((app) => app.process.pid === here.victim.pid)?.ticks.at(-1);
      if (tick?.following === undefined || tick.seq === seq) return false;
      seq = tick.seq;
      asked.push(get({ host: '127.0.0.1', port, path: `/slow/${seq}?key=${MARKER}`, agent: false }).on('error', () => undefined));
      return tick.oldest.some(({ waits }) => waits !== undefined);
    });
    const session = await running;
    const made = session.artifacts.find((one) => one.kind === 'in-flight');
    assert.ok(made, JSON.stringify(stepsOf(session)));
    const text = await here.read(session, made.name);
    assert.ok(!text.includes(MARKER), 'a query is in what is told');
    const { flights, inFlight } = InFlightFile.parse(JSON.parse(text));
    assert.ok(inFlight >= 1 && flights.length >= 1);
    assert.match(flights.flatMap(({ waits = [] }) => waits).flatMap(({ frames = [] }) => frames).join('\n'), /waitsForTheCart \(.*victim\.mjs:/);
    const finding = (await here.store.sessions.report(session.id)).findings.find(({ id }) => id === 'in-flight');
    assert.match(finding?.title ?? '', /^\d+ requests? in flight in process \d+, the oldest, GET \/slow\/\{id\}, for .*; \d+ of \d+ wait for timer 30000 ms$/);
    assert.deepEqual(finding?.evidence.map(({ kind }) => kind), ['table', 'stack']);
  } finally {
    for (const one of asked) one.destroy();
  }
});

test('an app whose loop stands still does not answer: the report comes by the inspector then', async () => {
  const blocked = here.victim.said('block');
  here.victim.send('block', { ms: 4_500 });
  await here.victim.said('blocking');
  const session = await here.diagnose([{ id: 'node-report' }]);
  assert.match(session.artifacts.find((one) => one.kind === 'node-report')?.note ?? JSON.stringify(stepsOf(session)), /by the inspector/);
  await blocked;
});
