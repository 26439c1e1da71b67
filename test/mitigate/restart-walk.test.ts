// Owns the tests of a restart over the instances: whose turn it is as a table, and whole walks of two and three instances on one home.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ProcessKey } from '../../src/shared/model.ts';
import type { WalkTurn } from '../../src/shared/restart.ts';
import { awaitHealthy } from '../../src/mitigate/restart-probe.ts';
import { SILENT_MS, moveOf, viewOf, type Move, type WalkFiles } from '../../src/mitigate/restart-walk.ts';
import { RestartWalker } from '../../src/mitigate/restart-walker.ts';
import { waitFor } from '../support/wait.ts';

const NEVER = new AbortController().signal;
const walk = { version: 1, id: 'w1', at: 1, who: 'somebody', overlapped: false, pauseMs: 90_000, path: '/' } as const;
const order = { walk: 'w1', instances: ['aa', 'bb', 'cc'] };
const turn = (instance: string, state: WalkTurn['state'], says?: string): WalkTurn => ({ walk: 'w1', instance, state, beat: 1, at: 2, targets: [], ...(says === undefined ? {} : { says }) });
const files = (...turns: WalkTurn[]): WalkFiles => ({ walk, order, turns, stop: undefined });
const calling: WalkFiles = { walk, order: undefined, turns: [], stop: undefined };
const stopped: WalkFiles = { ...files(turn('aa', 'done')), stop: { walk: 'w1', by: 'cancel', who: 'me', at: 3, says: 'x' } };

const TABLE: readonly (readonly [string, WalkFiles, string, number, boolean, Move])[] = [
  ['a call is answered once', calling, 'aa', 0, false, 'say-present'],
  ['and not again', calling, 'aa', 0, true, 'none'],
  ['a call that nobody closes ends after a minute', calling, 'aa', 60_000, true, 'call-silence'],
  ['the first begins at once', files(), 'aa', 0, true, 'take-turn'],
  ['the second waits for the first', files(), 'bb', 0, true, 'none'],
  ['and for the one at work', files(turn('aa', 'probing')), 'bb', 89_999, true, 'none'],
  ['and then for the pause, to its last millisecond', files(turn('aa', 'done')), 'bb', 89_999, true, 'none'],
  ['at the end of the pause it begins', files(turn('aa', 'done')), 'bb', 90_000, true, 'take-turn'],
  ['the third does not overtake', files(turn('aa', 'done')), 'cc', 90_000, true, 'none'],
  ['an agent that comes back goes on with its turn without a pause', files(turn('aa', 'done'), turn('bb', 'at-work')), 'bb', 0, true, 'take-turn'],
  ['one that has not begun in time is given up', files(turn('aa', 'done')), 'cc', 90_000 + SILENT_MS, true, 'call-silence'],
  ['one at work that shows no sign too', files(turn('aa', 'at-work')), 'cc', SILENT_MS, true, 'call-silence'],
  ['but not a moment earlier', files(turn('aa', 'at-work')), 'cc', SILENT_MS - 1, true, 'none'],
  ['nothing follows a failure', files(turn('aa', 'failed', 'it is down')), 'bb', 1e9, true, 'none'],
  ['nor a cancel', stopped, 'bb', 1e9, true, 'none'],
  ['who does not take part does nothing', files(), 'zz', 0, true, 'none'],
];
for (const [what, given, instance, quietMs, said, move] of TABLE) test(what, () => { assert.equal(moveOf(given, instance, { quietMs, said }), move); });

test('how it stands is said with its numbers', () => {
  assert.equal(viewOf(files(turn('aa', 'done'), turn('bb', 'failed', '/ answered 503'))).says, 'Stopped at instance bb, 1 of 3 restarted: / answered 503.');
  assert.equal(viewOf(stopped).says, 'Stopped by me, 1 of 3 instances restarted.');
  assert.equal(viewOf(files(turn('aa', 'done'))).says, 'Instance bb, 2 of 3, is next after a pause of 1 min 30 s.');
  assert.deepEqual([viewOf(files(turn('aa', 'done'), turn('bb', 'done'), turn('cc', 'done'))).state, viewOf(files()).state], ['done', 'running']);
});

interface World { readonly walkers: ReadonlyMap<string, RestartWalker>; readonly did: string[]; ill: string; dead: Set<string>; hold: Promise<void> | undefined; stepMs: number; until(what: string, seen: () => boolean): Promise<void> }

/** Agents of several instances on one home, in a time of their own: a round is a look of each of them. `did` is what happened in which order. */
async function world(t: TestContext, ...instances: string[]): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'walk-'));
  const state: Pick<World, 'did' | 'ill' | 'dead' | 'hold' | 'stepMs'> = { did: [], ill: '', dead: new Set(), hold: undefined, stepMs: 20 };
  let at = 0;
  const walkers = new Map(instances.map((instance, place) => [instance, new RestartWalker({
    folder, instance, lookEveryMs: 20, now: () => at, monotonic: () => at, leads: () => !state.dead.has(instance),
    workers: async (): Promise<ProcessKey[]> => [{ pid: place + 1, startedAt: 1 }],
    restart: async ({ pid }) => { state.did.push(`restart ${instance} ${pid}`); await state.hold; },
    healthy: async () => { state.did.push(`ask ${instance}`); if (state.ill === instance) throw new Error('it answered 503'); return '/ answered 200 in 3 ms'; },
  })]));
  t.after(async () => { await Promise.all([...walkers.values()].map((one) => one.end())); await rm(folder, { recursive: true, force: true }); });
  const until = async (what: string, seen: () => boolean): Promise<void> => {
    await waitFor(what, async () => { at += state.stepMs; for (const [instance, one] of walkers) if (!state.dead.has(instance)) await one.look(); return seen(); });
  };
  return Object.assign(state, { walkers, until });
}
const walkerOf = ({ walkers }: World, instance: string): RestartWalker => walkers.get(instance) as RestartWalker;
const stateOf = (it: World, instance: string): string | undefined => walkerOf(it, instance).view()?.state;
const CHOICE = { overlapped: false, pauseMs: 50, path: '/' };

test('each instance has its turn in order, after the one before answered; everybody sees the same', async (t) => {
  const it = await world(t, 'aa', 'bb', 'cc');
  await walkerOf(it, 'bb').begin(CHOICE, 'somebody');
  await assert.rejects(walkerOf(it, 'cc').begin(CHOICE, 'another'), { code: 'OPERATION_BUSY' });
  await it.until('the end of the walk', () => [...it.walkers.keys()].every((one) => stateOf(it, one) === 'done'));
  assert.deepEqual(it.did, ['restart aa 1', 'ask aa', 'restart bb 2', 'ask bb', 'restart cc 3', 'ask cc']);
  assert.equal(walkerOf(it, 'aa').view()?.says, 'All 3 instances were restarted, and each answered before the next one.');
});

test('an instance that does not answer stops the walk, and says so', async (t) => {
  const it = await world(t, 'aa', 'bb');
  it.ill = 'aa';
  await walkerOf(it, 'bb').begin(CHOICE, 'somebody');
  await it.until('the end of the walk', () => stateOf(it, 'bb') === 'failed');
  assert.equal(walkerOf(it, 'bb').view()?.says, 'Stopped at instance aa, 0 of 2 restarted: it answered 503.');
  assert.deepEqual(it.did, ['restart aa 1', 'ask aa']);
});

test('a cancel from another instance: who has begun ends its restart, nobody follows, and a new walk may begin', async (t) => {
  const it = await world(t, 'aa', 'bb');
  let go = (): void => undefined;
  it.hold = new Promise<void>((done) => { go = done; });
  await walkerOf(it, 'aa').begin(CHOICE, 'somebody');
  await it.until('the first to be at work', () => it.did.length === 1);
  await walkerOf(it, 'bb').stop('another');
  await it.until('everybody to see it', () => stateOf(it, 'aa') === 'cancelled' && stateOf(it, 'bb') === 'cancelled');
  go();
  await walkerOf(it, 'aa').end();
  assert.match(walkerOf(it, 'bb').view()?.says ?? '', /^Stopped by another, 0 of 2 instances restarted\.$/);
  assert.ok(!it.did.includes('restart bb 2'));
  it.hold = undefined;
  await walkerOf(it, 'bb').begin(CHOICE, 'somebody');
  await it.until('the end of the second walk', () => stateOf(it, 'bb') === 'done');
  assert.ok(it.did.includes('restart bb 2'));
});

test('an instance whose agent does not act takes no part; one that goes in its turn stops the walk', async (t) => {
  const it = await world(t, 'aa', 'bb', 'cc');
  it.dead.add('aa');
  await walkerOf(it, 'bb').begin(CHOICE, 'somebody');
  await it.until('the order', () => stateOf(it, 'bb') === 'running');
  assert.deepEqual(walkerOf(it, 'bb').view()?.instances.map(({ instance }) => instance), ['bb', 'cc']);
  it.dead.add('cc');
  it.stepMs = 10_000;
  let looks = 0;
  await it.until('the silence to be heard', () => { looks += 1; return stateOf(it, 'bb') === 'failed'; });
  assert.ok(looks * it.stepMs >= SILENT_MS);
  assert.match(walkerOf(it, 'bb').view()?.says ?? '', /^Stopped: cc has given no sign for too long, 1 of 2 instances restarted\.$/);
});

test('the probe names the instance in the cookie, waits for two good answers, and gives up with the last one', async (t) => {
  const asked: (string | undefined)[] = [];
  const server = createServer((req, res) => { asked.push(req.headers.cookie); res.statusCode = asked.length < 2 || req.url === '/ill' ? 503 : 200; res.end(); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  t.after(() => { server.close(); server.closeAllConnections(); });
  const given = { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, affinity: 'a1b2c3d4', policy: { allowLoopback: true }, clock: { monotonic: () => performance.now(), wait: async () => undefined } };
  assert.match(await awaitHealthy(given, '/well', NEVER), /^\/well answered 200 in \d+ ms$/);
  assert.deepEqual(asked, Array.from({ length: 3 }, () => 'ARRAffinity=a1b2c3d4; ARRAffinitySameSite=a1b2c3d4'));
  await assert.rejects(awaitHealthy({ ...given, limitMs: 1 }, '/ill', NEVER), { code: 'WEB_FAILED', message: /\/ill answered 503/ });
  await assert.rejects(awaitHealthy({ ...given, policy: { allowLoopback: false } }, '/well', NEVER), { code: 'ADDRESS_REFUSED' });
});
