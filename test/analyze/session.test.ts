// The session runner: what each end of each step makes of the session, and what is left on disk.
import assert from 'node:assert/strict';
import { access, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as soon } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { DiagError } from '../../src/shared/errors.ts';
import type { Finding, Session } from '../../src/shared/model.ts';
import type { Analyzer, Diagnoser } from '../../src/analyze/contracts.ts';
import { waitFor } from '../support/wait.ts';
import { diagnoser, stepsOf, world, writes, type World } from './world.ts';

let here: World;
before(async () => { here = await world(); });
after(async () => { await here.close(); });

const good = (id: string): Diagnoser => diagnoser(id, (run) => writes(run, `${id}.log`));
const bad = (id: string): Diagnoser => diagnoser(id, async () => { throw new DiagError('NOTHING_TO_COLLECT', { why: 'the log is off', remedy: 'Turn it on.' }); });
const impossible = (id: string): Diagnoser => diagnoser(id, async () => { throw new Error('never called'); }, { offered: () => ({ yes: false, because: 'not on this system' }) });
const finding: Finding = { id: 'seen', area: 'application', severity: 'warning', title: '1 thing seen', why: 'because', advice: 'look', evidence: [], mitigations: [] };
const seer: Analyzer = { id: 'seer', title: 'Seer', needs: ['application-log'], async analyze(given) { return [{ ...finding, title: `${given['application-log']?.length ?? 0} things seen` }]; } };
const hungry: Analyzer = { id: 'hungry', title: 'Hungry', needs: ['http-log', 'event-log'], async analyze() { return []; } };
const broken: Analyzer = { id: 'broken', title: 'Broken', needs: [], async analyze() { throw new Error('a fault of ours'); } };

async function run(diagnosers: readonly Diagnoser[], analyzers: readonly Analyzer[] = []): Promise<Session> {
  const { done } = await here.sessions({ diagnosers, analyzers }).start({ askedBy: 'test', reason: 'a test' });
  return done;
}

const table: readonly (readonly [string, readonly Diagnoser[], Session['state'], Record<string, string>])[] = [
  ['all did it: done', [good('a'), good('b')], 'done', { 'collect/a': 'done', 'collect/b': 'done' }],
  ['some failed: partial, with reason and remedy', [good('a'), bad('b')], 'partial', { 'collect/a': 'done', 'collect/b': 'failed: There is nothing to collect: the log is off. Turn it on.' }],
  ['all failed: failed', [bad('a'), bad('b')], 'failed', { 'collect/a': 'failed: There is nothing to collect: the log is off. Turn it on.', 'collect/b': 'failed: There is nothing to collect: the log is off. Turn it on.' }],
  ['what is not possible here is skipped and is no failure', [good('a'), impossible('b')], 'done', { 'collect/a': 'done', 'collect/b': 'skipped: not on this system' }],
  ['nothing of what was asked for is possible: failed', [impossible('a')], 'failed', { 'collect/a': 'skipped: not on this system' }],
  ['what is always collected does not make a session successful', [{ ...good('metrics') }, bad('b')], 'failed', { 'collect/metrics': 'done', 'collect/b': 'failed: There is nothing to collect: the log is off. Turn it on.' }],
];
for (const [what, diagnosers, state, steps] of table) {
  test(`${what}; the record, the report and the page say so`, async () => {
    const session = await run(diagnosers);
    assert.deepEqual([session.state, stepsOf(session)], [state, steps]);
    assert.equal(session.report, true);
    assert.deepEqual(await here.store.sessions.get(session.id), session);
    const report = await here.store.sessions.report(session.id);
    assert.deepEqual([report.state, report.steps], [state, session.steps]);
    assert.equal(session.headline, report.headline.text);
    const page = await readFile(await here.store.sessions.reportPath(session.id, 'report.html'), 'utf8');
    for (const because of Object.values(steps).map((s) => s.split(': ')[1]).filter((s) => s !== undefined)) assert.ok(page.includes(because), because);
    assert.deepEqual(session.artifacts, await here.store.artifacts.list(session.id));
  });
}

test('analyzers: findings of all that could run; missing needs are skipped; a fault of one hurts no other and makes it partial', async () => {
  const session = await run([good('a'), good('b')], [broken, hungry, seer]);
  assert.deepEqual(stepsOf(session), { 'collect/a': 'done', 'collect/b': 'done', 'analyze/broken': 'failed: a fault of ours', 'analyze/hungry': 'skipped: needs http-log and event-log', 'analyze/seer': 'done' });
  assert.equal(session.state, 'partial');
  assert.ok((await here.store.sessions.report(session.id)).findings.some((f) => f.title === '2 things seen'));
});

/** A diagnoser that waits until it is told to stop, in the way it is told. */
function waits(id: string, how: 'politely' | 'deaf', seen: { started: boolean }): Diagnoser {
  return diagnoser(id, async (run) => {
    await writes(run, `${id}-whole.log`);
    const half = await run.artifacts.draft('application-log', `${id}-half.log`);
    half.stream().write('half of it');
    seen.started = true;
    if (how === 'deaf') { await new Promise((resolve) => { release.push(() => { resolve(undefined); }); }); await half.commit(); return; }
    await new Promise((_, reject) => {
      for (const signal of [run.cancel, run.enough]) { signal.throwIfAborted(); signal.addEventListener('abort', () => { reject(signal.reason as Error); }, { once: true }); }
    });
  });
}
const release: (() => void)[] = [];

async function filesOf(id: string): Promise<string[]> {
  const names: string[] = [];
  for (const top of ['Logs', 'Reports']) {
    try {
      names.push(...(await readdir(join(here.platform.host.folders.data, top, id), { recursive: true })));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return names.sort();
}
const drafts = async (): Promise<string[]> => (await readdir(here.platform.host.folders.temp, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => e.name);

test('cancel leaves nothing but a record that says cancelled', async () => {
  const seen = { started: false };
  const running = await here.sessions({ diagnosers: [good('a'), waits('b', 'politely', seen), good('c')], analyzers: [seer] }).start({ askedBy: 'test' });
  await waitFor('the second diagnoser', () => seen.started);
  assert.ok((await filesOf(running.session.id)).length > 0);
  running.cancel();
  const session = await running.done;
  assert.deepEqual([session.state, session.artifacts, session.report], ['cancelled', [], false]);
  assert.deepEqual(stepsOf(session), { 'collect/a': 'done', 'collect/b': 'cancelled: cancelled', 'collect/c': 'cancelled: cancelled', 'analyze/seer': 'cancelled: cancelled' });
  assert.deepEqual(await here.store.sessions.get(session.id), session);
  assert.deepEqual([await filesOf(session.id), await drafts()], [[], []]);
});

test('enough keeps what is whole, skips the rest, and makes the report', async () => {
  const seen = { started: false };
  const running = await here.sessions({ diagnosers: [good('a'), waits('b', 'politely', seen), good('c')], analyzers: [seer] }).start({ askedBy: 'test' });
  await waitFor('the second diagnoser', () => seen.started);
  running.enough();
  const session = await running.done;
  assert.deepEqual([session.state, session.report], ['done', true]);
  assert.deepEqual(session.artifacts.map((a) => a.name), ['a.log', 'b-whole.log']);
  assert.deepEqual(stepsOf(session), {
    'collect/a': 'done', 'collect/b': 'cancelled: you said that there is enough before it was whole', 'collect/c': 'skipped: you said that there is enough', 'analyze/seer': 'done',
  });
  assert.deepEqual(await drafts(), []);
});

test('a diagnoser that takes too long fails with its limit; one that does not even stop is abandoned, and what it writes later is refused', async () => {
  const seen = { started: false };
  const running = await here.sessions({ diagnosers: [waits('b', 'deaf', seen), good('c')] }).start({ askedBy: 'test' });
  await waitFor('the diagnoser', () => seen.started);
  await here.platform.clock.advance(300_000 + 5_000);
  const session = await running.done;
  assert.deepEqual(stepsOf(session), { 'collect/b': 'failed: Title of b took longer than 5 min. Try again, or with a longer limit.', 'collect/c': 'done' });
  assert.equal(session.steps[0]?.code, 'TIMED_OUT');
  assert.equal(session.state, 'partial');
  for (const go of release.splice(0)) go();
  await soon(1);
  assert.deepEqual(session.artifacts.map((a) => a.name), ['b-whole.log', 'c.log']);
  assert.deepEqual(await here.store.artifacts.list(session.id), session.artifacts);
  assert.deepEqual(await drafts(), []);
});

test('the session has a limit of its own: what runs then fails, what comes after is skipped, the report is made', async () => {
  const seen = { started: false };
  const running = await here.sessions({ diagnosers: [waits('b', 'politely', seen), good('c')], limits: { sessionMs: 1_000 } }).start({ askedBy: 'test' });
  await waitFor('the diagnoser', () => seen.started);
  await here.platform.clock.advance(1_000);
  const session = await running.done;
  assert.deepEqual(stepsOf(session), { 'collect/b': 'failed: The session took longer than 1 s. Try again, or with a longer limit.', 'collect/c': 'skipped: the session\'s limit of 1 s was reached' });
  assert.equal(session.report, true);
});

test('one session at a time; the next may start when it is over', async () => {
  const seen = { started: false };
  const sessions = here.sessions({ diagnosers: [waits('b', 'politely', seen)] });
  const [first, second] = await Promise.allSettled([sessions.start({ askedBy: 'one' }), sessions.start({ askedBy: 'two' })]);
  assert.equal(first.status, 'fulfilled');
  assert.ok(second.status === 'rejected' && (second.reason as DiagError).code === 'OPERATION_BUSY');
  await waitFor('the diagnoser', () => seen.started);
  await assert.rejects(sessions.start({ askedBy: 'three' }), (e) => e instanceof DiagError && e.code === 'OPERATION_BUSY' && e.facts['operation'] === sessions.active()?.session.id);
  sessions.active()?.cancel();
  await sessions.idle();
  assert.equal(sessions.active(), undefined);
  const next = await sessions.start({ askedBy: 'four' });
  next.cancel();
  assert.equal((await next.done).state, 'cancelled');
});

const refusals: readonly (readonly [string, Parameters<ReturnType<World['sessions']>['start']>[0], string, RegExp])[] = [
  ['an unknown diagnoser', { askedBy: 't', diagnosers: [{ id: 'nope' }] }, 'DIAGNOSER_UNKNOWN', /nope/],
  ['one chosen twice', { askedBy: 't', diagnosers: [{ id: 'a' }, { id: 'a' }] }, 'BAD_INPUT', /diagnosers\.1\.id: a is chosen twice/],
  ['options that do not parse', { askedBy: 't', diagnosers: [{ id: 'b' }, { id: 'a', options: { times: 'many' } }] }, 'BAD_INPUT', /diagnosers\.1\.options\.times: /],
  ['options nobody knows', { askedBy: 't', diagnosers: [{ id: 'b', options: { x: 1 } }] }, 'BAD_INPUT', /diagnosers\.0\.options: .*x/],
  ['a process that is gone', { askedBy: 't', target: { pid: 999_999, startedAt: 1 } }, 'PROCESS_GONE', /999999/],
  ['a reused pid', { askedBy: 't', target: { pid: 4120, startedAt: 1 } }, 'PROCESS_REUSED', /4120/],
];
for (const [what, choice, code, says] of refusals) {
  test(`refused before anything is started: ${what}`, async () => {
    const before = (await here.store.sessions.list()).sessions.length;
    const sessions = here.sessions({ diagnosers: [{ ...good('a'), options: z.strictObject({ times: z.number().default(1) }) }, good('b')] });
    await assert.rejects(sessions.start(choice), (e) => e instanceof DiagError && e.code === code && says.test(e.message));
    assert.equal((await here.store.sessions.list()).sessions.length, before);
    assert.equal(sessions.active(), undefined);
  });
}

test('the agent itself is never the target', async () => {
  const own = (await here.platform.processes(new AbortController().signal)).find((p) => p.ours);
  await assert.rejects(here.sessions({ diagnosers: [good('a')] }).start({ askedBy: 't', target: { pid: own?.pid ?? 0, startedAt: own?.startedAt ?? 0 } }), (e) => e instanceof DiagError && e.code === 'PROCESS_OURS');
});

test('nothing is started that would not fit', async () => {
  const small = await world({ artifactBytes: 1_000_000 });
  try {
    await assert.rejects(small.sessions({ diagnosers: [good('a')] }).start({ askedBy: 't' }), (e) => e instanceof DiagError && e.code === 'NO_ROOM');
    assert.deepEqual((await small.store.sessions.list()).sessions, []);
  } finally {
    await small.close();
  }
});

test('each change is told: first the whole list waiting, then every transition in order, the end last', async () => {
  const sessions = here.sessions({ diagnosers: [good('a'), bad('b')], analyzers: [seer] });
  const told: string[] = [];
  const leave = sessions.onChange((s) => { const line = `${s.state} ${s.steps.map((step) => step.state).join(' ')}`; if (told.at(-1) !== line) told.push(line); });
  const session = await (await sessions.start({ askedBy: 't' })).done;
  leave();
  assert.deepEqual(told, [
    'running waiting waiting waiting', 'running running waiting waiting', 'running done waiting waiting', 'running done running waiting', 'running done failed waiting',
    'running done failed running', 'running done failed done', 'partial done failed done',
  ]);
  assert.ok(session.steps.every((s) => s.startedAt !== undefined && s.tookMs !== undefined));
});

test('while it runs the record on disk says running, with the step it is at: so a kill leaves the truth', async () => {
  const seen = { started: false };
  const running = await here.sessions({ diagnosers: [good('a'), waits('b', 'politely', seen)] }).start({ askedBy: 't' });
  await waitFor('the second diagnoser', () => seen.started);
  const saved = await waitFor('the record', async () => { const s = await here.store.sessions.get(running.session.id); return s.steps[1]?.state === 'running' ? s : undefined; });
  assert.deepEqual([saved.state, saved.artifacts.map((a) => a.name)], ['running', ['a.log']]);
  running.cancel();
  await running.done;
});

test('a session whose end the disk does not take is over all the same: its record is written when it can be, and it can be deleted before', async () => {
  const records = join(here.platform.host.folders.own, 'sessions');
  // A save that is under way may make the folder again in between.
  const away = async (): Promise<void> => {
    await rename(records, `${records}.away`);
    await waitFor('a file in the place of the folder', async () => { await rm(records, { recursive: true, force: true }); await writeFile(records, 'no folder', { flag: 'wx' }); return true; });
  };
  const back = async (): Promise<void> => { await rm(records); await rename(`${records}.away`, records); };
  const sessions = here.sessions({ diagnosers: [diagnoser('a', async (run) => { await writes(run, 'a.log'); await away(); })] });
  for (const deleted of [false, true]) {
    const running = await sessions.start({ askedBy: 'test' });
    const { id } = running.session;
    assert.equal(sessions.isOver(id), false);
    assert.match((await running.done).headline ?? '', /could not be written/);
    await back();
    assert.equal((await here.store.sessions.get(id)).state, 'running');
    await assert.rejects(here.store.sessions.remove(id), { code: 'SESSION_RUNNING' });
    if (deleted) {
      await here.store.sessions.remove(id, sessions.isOver(id));
      for (let i = 0; i < 3; i += 1) { await here.platform.clock.advance(10_000); await here.store.sessions.nextId(); }   // in turn with every write
      await assert.rejects(here.store.sessions.get(id), { code: 'SESSION_UNKNOWN' });
      continue;
    }
    await waitFor('the record to be written', async () => { await here.platform.clock.advance(10_000); return (await here.store.sessions.get(id)).state === 'failed'; });
  }
});

test('a crash loop replaces the worker: the next diagnoser studies the new one, unless this very process was asked for', async () => {
  const studied: (number | undefined)[] = [];
  const notes = (id: string, then?: () => void): Diagnoser => diagnoser(id, async (run) => { studied.push(run.target?.pid); await writes(run, `${id}.log`); then?.(); });
  const replace = (): void => { here.platform.vanish(4120); here.platform.put({ pid: 4200, startedAt: here.platform.clock.now(), role: 'worker' }); };
  const old = (await here.platform.processes(new AbortController().signal)).find((p) => p.pid === 4120);
  const followed = await (await here.sessions({ diagnosers: [notes('a', replace), notes('b')] }).start({ askedBy: 't' })).done;
  assert.deepEqual([studied, followed.target?.pid], [[4120, 4200], 4120]);
  here.platform.vanish(4200);
  if (old) here.platform.put(old);
  studied.length = 0;
  await (await here.sessions({ diagnosers: [notes('a', replace), notes('b')] }).start({ askedBy: 't', target: { pid: 4120, startedAt: old?.startedAt ?? 0 } })).done;
  assert.deepEqual(studied, [4120, 4120]);
});

test('no file of a session lies outside its folders', async () => {
  const session = await run([good('a')]);
  await access(await here.store.sessions.reportPath(session.id, 'report.json'));
  assert.deepEqual(await filesOf(session.id), ['a.log', 'a1b2c3', 'artifacts.jsonl', 'report.html', 'report.json'].map((n) => (n === 'a.log' || n === 'artifacts.jsonl' ? `a1b2c3/${n}` : n)).sort());
});
