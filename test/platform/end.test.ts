// Owns the tests of ending processes: asked before killed, with their children, and nobody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { endTree, type Living } from '../../src/platform/end.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { lives } from '../support/alive.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
let real: RealPlatform;

before(async () => { real = await realPlatform(); });
after(() => real.close());

async function targetOf(pid: number): Promise<ProcessInfo> {
  return await waitFor(`process ${pid} in the list`, async () => (await real.platform.processes(never)).find((one) => one.pid === pid));
}

test('a process that obeys is asked, not killed', async () => {
  const victim = await real.victim();
  await real.platform.end(await targetOf(victim.pid), 60_000, never);
  assert.deepEqual(await victim.exited, { code: null, signal: 'SIGTERM' });
});

test('a deaf process is killed after the grace, with a deaf child', async () => {
  const victim = await real.victim();
  await victim.do('deaf');
  const child = Number((await victim.do('spawn-child', { deaf: true })).pid);
  await real.platform.end(await targetOf(victim.pid), 100, never);
  assert.deepEqual(await victim.exited, { code: null, signal: 'SIGKILL' });
  assert.equal(lives(child), false);
});

test('a child of a child ends too, a brother does not', async () => {
  const [victim, brother] = [await real.victim(), await real.victim()];
  const child = Number((await victim.do('spawn-child', { program: 'sleep' })).pid);
  await targetOf(child);
  await real.platform.end(await targetOf(victim.pid), 5_000, never);
  await waitFor('the end of the child', () => !lives(child));
  assert.equal(lives(brother.pid), true);
});

test('an abort in the grace kills nobody', async () => {
  const victim = await real.victim();
  await victim.do('deaf');
  const abort = new AbortController();
  const outcome = assert.rejects(real.platform.end(await targetOf(victim.pid), 60_000, abort.signal), { name: 'AbortError' });
  setImmediate(() => { abort.abort(); });
  await outcome;
  assert.equal((await victim.do('print')).did, 'print');
});

test('our parents are refused', async () => {
  const startedAt = (await real.platform.usage([process.ppid], never)).get(process.ppid)?.startedAt;
  assert.ok(startedAt !== undefined);
  await assert.rejects(real.platform.end({ pid: process.ppid, startedAt }, 0, never), { code: 'PROCESS_OURS' });
});

test('a pid that changes hands between the list and the signal gets no signal', async () => {
  const victim = await real.victim();
  const { startedAt } = await targetOf(victim.pid);
  const listed = new Map<number, Living>([[victim.pid, { parent: 1, startedAt }]]);
  let asked = 0;
  const population = { self: process.pid, everyone: async () => (asked++ === 0 ? listed : new Map<number, Living>()), startOf: async () => startedAt + 10 };
  await endTree(population, { pid: victim.pid, startedAt }, 0, never);
  assert.equal((await victim.do('print')).did, 'print');
});
