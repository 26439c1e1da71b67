// Owns the tests of the lease: one of many has it, in every order of ends, hangs and interruptions.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SILENT_MS, createLease, type Lease } from '../../src/agent/lease.ts';
import type { Owner } from '../../src/store/owner.ts';
import { fakePlatform, type FakePlatform } from '../support/fake-platform.ts';

async function world(t: TestContext): Promise<{ platform: FakePlatform; path: string; agent(pid: number): Lease; die(pid: number): void; hide(pid: number): void }> {
  const platform = await fakePlatform();
  t.after(() => platform.remove());
  const hidden = new Set<number>();
  const agent = (pid: number): Lease => {
    const { startedAt } = platform.put({ pid, role: 'agent', ours: true });
    const own: Owner = { pid, startedAt, run: pid.toString(16).padStart(8, '0') };
    return createLease(platform, own, (asked) => hidden.has(asked));
  };
  return { platform, agent, path: join(platform.host.folders.temp, 'lease-a1b2c3'), die: (pid) => { platform.vanish(pid); }, hide: (pid) => { hidden.add(pid); platform.vanish(pid); } };
}

/** Looks of both, `times` times with two seconds between: who held it each time. */
async function looks(platform: FakePlatform, times: number, ...leases: readonly Lease[]): Promise<string[]> {
  const held: string[] = [];
  for (let i = 0; i < times; i += 1) {
    for (const lease of leases) await lease.look();
    held.push(leases.map((lease) => (lease.held() ? 'x' : '-')).join(''));
    await platform.clock.advance(2_000);
  }
  return held;
}

test('the first has it, the second waits and knows who has it', async (t) => {
  const { platform, agent } = await world(t);
  const [a, b] = [agent(101), agent(102)];
  assert.deepEqual(await looks(platform, 10, a, b), Array<string>(10).fill('x-'));
  assert.deepEqual([b.holder()?.pid, a.followed(), b.followed()], [101, true, false]);
});

test('a holder that nobody follows any more knows that after a while', async (t) => {
  const { platform, agent } = await world(t);
  const [a, b] = [agent(101), agent(102)];
  await looks(platform, 3, a, b);
  assert.equal(a.followed(), true);
  await looks(platform, 6, a);
  assert.equal(a.followed(), false);
});

test('one that is released is free at the next look, one whose holder died too', async (t) => {
  const { platform, agent, die } = await world(t);
  const [a, b, c] = [agent(101), agent(102), agent(103)];
  await looks(platform, 2, a, b, c);
  await a.release();
  assert.equal(a.held(), false);
  assert.deepEqual(await looks(platform, 2, b, c), ['x-', 'x-']);
  die(102);
  assert.deepEqual(await looks(platform, 2, c), ['x', 'x']);
  assert.deepEqual(await readdir(platform.host.folders.temp), ['lease-a1b2c3', 'lease-a1b2c3.waiting'], 'nothing else is left');
});

test('a holder that is there and not shown by the platform keeps it as long as it renews', async (t) => {
  const { platform, agent, hide } = await world(t);
  const [a, b] = [agent(101), agent(102)];
  await looks(platform, 2, a, b);
  hide(101);
  assert.deepEqual(await looks(platform, 10, a, b), Array<string>(10).fill('x-'));
  assert.deepEqual(await looks(platform, 7, b), ['-', '-', '-', '-', 'x', 'x', 'x'], 'until it is silent');
});

test('a pid that another process has by now holds nothing', async (t) => {
  const { platform, agent } = await world(t);
  const [a, b] = [agent(101), agent(102)];
  await a.look();
  platform.put({ pid: 101, startedAt: platform.clock.now() + 60_000 });
  assert.equal(await b.look(), true);
});

test('a holder that hangs loses it, and knows before it writes again', async (t) => {
  const { platform, agent } = await world(t);
  const [a, b] = [agent(101), agent(102)];
  await looks(platform, 2, a, b);
  const taken = await looks(platform, 6, b);                   // a says nothing meanwhile
  assert.deepEqual(taken, ['-', '-', '-', '-', 'x', 'x']);
  assert.ok(taken.indexOf('x') * 2_000 <= SILENT_MS);
  assert.equal(a.held(), false, 'its own clock tells it without a look');
  assert.deepEqual(await looks(platform, 3, a, b), ['-x', '-x', '-x']);
});

test('a holder that was held up while nobody else waited goes on', async (t) => {
  const { platform, agent } = await world(t);
  const a = agent(101);
  await a.look();
  await platform.clock.advance(SILENT_MS * 3);
  assert.equal(a.held(), false);
  assert.equal(await a.look(), true);
});

test('a torn file and a half-born one are waited for, then taken', async (t) => {
  for (const text of ['', '{"pid":1', '{"pid":-1,"startedAt":0,"run":"zz"}']) {
    const { platform, agent, path } = await world(t);
    await writeFile(path, text);
    assert.deepEqual(await looks(platform, 7, agent(101)), ['-', '-', '-', '-', '-', 'x', 'x'], text);
  }
});

test('of many that see a dead holder at once exactly one takes over', async (t) => {
  const { platform, agent, die } = await world(t);
  const dead = agent(100);
  await dead.look();
  die(100);
  const waiting = Array.from({ length: 12 }, (_, i) => agent(200 + i));
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(waiting.map((lease) => lease.look()));
    await platform.clock.advance(2_000);
  }
  assert.equal(waiting.filter((lease) => lease.held()).length, 1);
  assert.deepEqual((await readdir(platform.host.folders.temp)).filter((name) => name.endsWith('.left')), []);
});

test('a fresh lease renamed away by mistake goes back to its place', async (t) => {
  const { platform, agent, die, path } = await world(t);
  const dead = agent(100);
  await dead.look();
  die(100);
  const [slow, fast] = [agent(201), agent(202)];
  // Both judge the dead one at the same time: whoever comes second to the rename meets the other's file.
  for (let round = 0; round < 20; round += 1) {
    await Promise.all([slow.look(), fast.look()]);
    const holders = [slow, fast].filter((lease) => lease.held());
    assert.equal(holders.length, 1);
    const owner = JSON.parse(await readFile(path, 'utf8')) as Owner;
    assert.equal(owner.pid, holders[0] === slow ? 201 : 202);
    await rm(path);
    await writeFile(path, JSON.stringify({ ...owner, pid: 100, run: 'deadbeef' }));            // one that died, as the first did
    await platform.clock.advance(2_000);
  }
});

test('where no file can be made the agent observes all the same, and says why', async (t) => {
  const { platform, agent, path } = await world(t);
  await mkdir(path);                                           // stands for a disk that refuses; root may write everywhere
  const a = agent(101);
  assert.deepEqual(await looks(platform, 7, a), ['-', '-', '-', '-', '-', 'x', 'x']);
  assert.match(a.fault() ?? '', /EISDIR/);
});

for (const [what, lay] of [
  ['a pipe that nobody writes', (path: string) => { execFileSync('mkfifo', [path]); }],
  ['a file of a gigabyte', (path: string) => { writeFileSync(path, ''); truncateSync(path, 2 ** 30); }],
] as const) {
  test(`${what} in its place is not read, and is taken away when it is silent`, { timeout: 20_000 }, async (t) => {
    const { platform, agent, path } = await world(t);
    lay(path);
    const a = agent(101);
    const held = await looks(platform, 1 + SILENT_MS / 2_000 + 1, a);
    assert.deepEqual([held[0], held.at(-1)], ['-', 'x']);
    assert.equal((JSON.parse(await readFile(path, 'utf8')) as Owner).pid, 101);
  });
}
