// Owns the tests of the diagnosers that ask V8 itself, on a real process: whole files, what they cost, and a refusal in time.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ExceptionsFile } from '../../src/shared/artifacts.ts';
import { waitFor } from '../support/wait.ts';
import { realWorld, type RealWorld } from './real-world.ts';
import { stepsOf } from './world.ts';

let here: RealWorld;
let nobody: RealWorld;
before(async () => { [here, nobody] = await Promise.all([realWorld(), realWorld({ noVictim: true })]); });
after(async () => { await Promise.all([here.close(), nobody.close()]); });

test('profiles of a running process are whole, and it runs on', async () => {
  const session = await here.diagnose([{ id: 'node-cpu-profile', options: { seconds: 1 } }, { id: 'node-heap-profile', options: { seconds: 1 } }]);
  assert.deepEqual([stepsOf(session)['collect/node-cpu-profile'], stepsOf(session)['collect/node-heap-profile']], ['done', 'done']);
  const [cpu, heap] = ['cpu-profile', 'heap-profile'].map((kind) => session.artifacts.find((one) => one.kind === kind));
  assert.ok(Array.isArray((JSON.parse(await here.read(session, cpu?.name ?? '')) as { nodes: unknown }).nodes));
  assert.equal(typeof (JSON.parse(await here.read(session, heap?.name ?? '')) as { head: unknown }).head, 'object');
  assert.equal((await here.victim.do('print')).did, 'print');
});

test('a heap snapshot is whole and tells predicted against measured', async () => {
  const session = await here.diagnose([{ id: 'node-heap-snapshot' }]);
  assert.equal(stepsOf(session)['collect/node-heap-snapshot'], 'done');
  const made = session.artifacts.find((one) => one.kind === 'heap-snapshot');
  assert.match(made?.note ?? '', /^stopped the app for .* of .* predicted/);
  const { snapshot } = JSON.parse(await here.read(session, made?.name ?? '')) as { snapshot: { node_count: number } };
  assert.ok(snapshot.node_count > 10_000);
});

test('a heap snapshot that would stop the app for too long is refused, and nothing is kept', async () => {
  await here.victim.do('objects', { count: 150_000 });
  const session = await here.diagnose([{ id: 'node-heap-snapshot', options: { maxStopSeconds: 1 } }]);
  assert.match(stepsOf(session)['collect/node-heap-snapshot'] ?? '', /^failed: A heap snapshot would stop process \d+ for about .*; at most 1 s is allowed/);
  assert.equal(session.artifacts.some((one) => one.kind === 'heap-snapshot'), false);
});

test('without a preload the inspector counts what is thrown, handled too, and the process runs on; without a time there is no history', async () => {
  const running = here.diagnose([{ id: 'node-exceptions', options: { handledSeconds: 2 } }]);
  let over = false;
  void running.finally(() => { over = true; });
  await waitFor('the session to be over', async () => {
    await here.victim.do('catch', { message: 'the voucher is void', type: 'RangeError' });
    return over;
  });
  const session = await running;
  const made = session.artifacts.find((one) => one.kind === 'exceptions');
  assert.ok(made, JSON.stringify(stepsOf(session)));
  const { thrown } = ExceptionsFile.parse(JSON.parse(await here.read(session, made.name)));
  const caught = thrown?.failures.find(({ type }) => type === 'RangeError');
  assert.deepEqual([caught?.kind, caught?.message], ['caught', 'the voucher is void']);
  assert.match(caught?.frames[0] ?? '', /catch .*victim\.mjs:\d+:\d+\)/);
  const without = await here.diagnose([{ id: 'node-exceptions' }]);
  assert.match(stepsOf(without)['collect/node-exceptions'] ?? '', /^failed: There is nothing to collect: no process of the site carries the preload/);
});

test('without a process there is nothing to ask', async () => {
  const session = await nobody.diagnose([{ id: 'node-cpu-profile' }, { id: 'node-heap-profile' }, { id: 'node-heap-snapshot' }]);
  for (const id of ['node-cpu-profile', 'node-heap-profile', 'node-heap-snapshot']) assert.match(stepsOf(session)[`collect/${id}`] ?? '', /^skipped/);
});
