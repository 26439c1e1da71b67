// Owns the proof that sessions are unique, survive, are told apart by their agent, and age as promised.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SessionId, type Session } from '../../src/shared/model.ts';
import { atOf } from '../../src/store/session-id.ts';
import { FakeClock, START_AT } from '../support/fake-clock.ts';
import { reportOf, session, storeAt, type Here } from './open-here.ts';

const DAY = 86_400_000;

async function place(t: TestContext, here: Omit<Here, 'home'> = {}) {
  const top = await mkdtemp(join(tmpdir(), 'sessions-'));
  t.after(() => rm(top, { recursive: true, force: true }));
  const home = join(top, 'home');
  const clock = here.clock ?? new FakeClock();
  const again = (more: Omit<Here, 'home'> = {}) => storeAt({ ...here, ...more, home, clock });
  return { top, home, again, ...await again() };
}

test('ids are of the form and the instant, and none is given twice, to two instances neither', async (t) => {
  const { store, again, clock, home } = await place(t);
  const other = (await again({ instance: 'ffff00' })).store;
  await mkdir(join(home, 'data/DaaS/Logs/261121_0200000003'), { recursive: true });          // the platform's DaaS was there
  const ids = await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? store : other).sessions.nextId()));
  assert.equal(new Set(ids).size, 60);
  assert.equal([...ids].sort()[0], '261121_0200000000');
  assert.ok(!ids.includes('261121_0200000003'));
  assert.ok(ids.every((id) => SessionId.safeParse(id).success && Math.abs((atOf(id) ?? 0) - clock.now()) < 10));
  await Promise.all(ids.map((id, i) => (i % 2 === 0 ? store : other).sessions.save(session(id, clock.now()))));
  const more = await other.sessions.nextId();
  assert.ok(!ids.includes(more));                                                            // its reservation is gone, its record is there
  assert.equal(atOf('nonsense'), undefined);
});

test('a session is saved, read, listed newest first; an unknown or hostile id is unknown', async (t) => {
  const { store, clock } = await place(t);
  const ids: SessionId[] = [];
  for (let i = 0; i < 3; i += 1) {
    const id = await store.sessions.nextId();
    await store.sessions.save(session(id, clock.now(), { reason: `r${i}` }));
    ids.push(id);
    await clock.advance(1_000);
  }
  assert.deepEqual(await store.sessions.get(ids[1] ?? ''), session(ids[1] ?? '', START_AT + 1_000, { reason: 'r1' }));
  assert.deepEqual((await store.sessions.list()).sessions.map((s) => s.id), [...ids].reverse());
  for (const id of ['260101_0000000000', '../../x', '', '260101_0000000000/..', 'x'.repeat(9_000)]) {
    for (const ask of [store.sessions.get, store.sessions.remove, store.sessions.report]) await assert.rejects(ask(id), { code: 'SESSION_UNKNOWN' });
    if (id !== '260101_0000000000') await assert.rejects(store.artifacts.list(id), { code: 'SESSION_UNKNOWN' });
  }
});

test('saves of one session do not overtake each other', async (t) => {
  const { store, clock } = await place(t);
  const id = await store.sessions.nextId();
  await Promise.all(Array.from({ length: 40 }, (_, i) => store.sessions.save(session(id, clock.now(), { reason: String(i) }))));
  assert.equal((await store.sessions.get(id)).reason, '39');
});

test('an unreadable record is counted, left where it is, and does not hide the others', async (t) => {
  const { store, home, clock } = await place(t);
  const id = await store.sessions.nextId();
  await store.sessions.save(session(id, clock.now(), { state: 'done' }));
  const folder = join(home, 'data/DaaS/diag/sessions');
  const bad = { '260101_0000000001': '{"version":1,', '260101_0000000002': '{"version":2}', '260101_0000000003': await readFile(join(folder, `${id}.json`), 'utf8'), '260101_0000000004': '' };
  for (const [name, content] of Object.entries(bad)) await writeFile(join(folder, `${name}.json`), content);
  await writeFile(join(folder, 'notes.json'), 'not a record at all');
  const { sessions, unreadable } = await store.sessions.list();
  assert.deepEqual([sessions.map((s) => s.id), unreadable], [[id], 4]);
  await assert.rejects(store.sessions.get('260101_0000000001'), { code: 'SESSION_UNREADABLE' });
  await store.sessions.recover(clock.now());
  await store.sessions.sweep(clock.now() + 100 * DAY);
  for (const [name, content] of Object.entries(bad)) assert.equal(await readFile(join(folder, `${name}.json`), 'utf8'), content);
});

test('a report is there as a whole or not ready', async (t) => {
  const { store, platform, clock, home } = await place(t);
  const id = await store.sessions.nextId();
  await store.sessions.save(session(id, clock.now()));
  await assert.rejects(store.sessions.report(id), { code: 'REPORT_NOT_READY', facts: { session: id, state: 'running' } });
  await assert.rejects(store.sessions.reportPath(id, 'report.html'), { code: 'REPORT_NOT_READY' });
  const report = reportOf(id, clock.now(), platform);
  await store.sessions.saveReport(report, '<html></html>');
  assert.deepEqual(await store.sessions.report(id), report);
  assert.equal(await store.sessions.reportPath(id, 'report.html'), join(home, 'data/DaaS/Reports', id, 'report.html'));
  assert.deepEqual((await readdir(join(home, 'data/DaaS/Reports', id))).sort(), ['report.html', 'report.json']);
  await writeFile(join(home, 'data/DaaS/Reports', id, 'report.json'), '{}');
  await assert.rejects(store.sessions.report(id), { code: 'SESSION_UNREADABLE' });
});

test('removing takes record, artifacts and report; a running session is not removed', async (t) => {
  const { store, platform, clock, home } = await place(t);
  const id = await store.sessions.nextId();
  await store.sessions.save(session(id, clock.now()));
  await assert.rejects(store.sessions.remove(id), { code: 'SESSION_RUNNING' });
  const draft = await store.artifacts.writer(id).draft('php-log', 'x');
  await writeFile(draft.path, 'x');
  await draft.commit();
  await store.sessions.saveReport(reportOf(id, clock.now(), platform), '');
  await store.sessions.save(session(id, clock.now(), { state: 'done' }));
  assert.ok((await store.artifacts.room()).usedBytes > 0);
  await store.sessions.remove(id);
  await assert.rejects(store.sessions.get(id), { code: 'SESSION_UNKNOWN' });
  assert.deepEqual((await readdir(join(home, 'data/DaaS'), { recursive: true })).filter((name) => name.includes(id)), []);
  assert.equal((await store.artifacts.room()).usedBytes, 0);
});

for (const by of ['recover', 'sweep'] as const) {
  test(`a removal that a kill interrupted is not listed and is ended by ${by}`, async (t) => {
    const { store, platform, clock, home } = await place(t);
    const id = await store.sessions.nextId();
    await store.sessions.save(session(id, clock.now(), { state: 'done', report: true }));
    await store.sessions.saveReport(reportOf(id, clock.now(), platform), '');
    const records = join(home, 'data/DaaS/diag/sessions');
    await rename(join(records, `${id}.json`), join(records, `${id}.leaving`));
    assert.deepEqual(await store.sessions.list(), { sessions: [], unreadable: 0 });
    assert.deepEqual(await store.sessions[by](clock.now()), []);
    assert.deepEqual((await readdir(join(home, 'data/DaaS'), { recursive: true })).filter((name) => name.includes(id)), []);
  });
}

test('sessions of a dead agent are interrupted; those of a living one, of another instance, and the ended ones are not', async (t) => {
  const { store, again, clock } = await place(t);
  const steps: Session['steps'] = [
    { id: 'a', stage: 'collect', title: 'A', state: 'done', note: 'n' }, { id: 'b', stage: 'collect', title: 'B', state: 'failed', because: 'x' },
    { id: 'c', stage: 'collect', title: 'C', state: 'running', fraction: 0.5 }, { id: 'd', stage: 'analyze', title: 'D', state: 'waiting' },
  ];
  const make = async (more: Partial<Session>): Promise<SessionId> => { const id = await store.sessions.nextId(); await store.sessions.save(session(id, clock.now(), more)); return id; };
  const [running, done, foreign] = [await make({ steps }), await make({ state: 'done', steps }), await make({ instance: 'ffff00' })];
  const draft = await store.artifacts.writer(running).draft('php-log', 'late');
  await writeFile(draft.path, 'committed after the last save');
  const ref = await draft.commit();
  const open = await store.artifacts.writer(running).draft('php-log', 'open');
  await writeFile(open.path, 'half');
  assert.deepEqual(await store.sessions.recover(clock.now()), [], 'our own are running indeed');
  await clock.advance(5_000);

  const next = (await again()).store;                                      // the same pid, another run
  assert.deepEqual(await next.sessions.recover(clock.now()), [running]);
  assert.deepEqual(await next.sessions.get(running), session(running, START_AT, {
    state: 'interrupted', endedAt: START_AT + 5_000, artifacts: [ref],
    steps: steps.map((s) => (s.state === 'running' || s.state === 'waiting' ? { ...s, state: 'cancelled', because: 'the agent ended' } : s)),
  }));
  assert.deepEqual([(await next.sessions.get(done)).state, (await next.sessions.get(foreign)).state], ['done', 'running']);
  await assert.rejects(readFile(open.path), { code: 'ENOENT' });
  assert.deepEqual(await next.sessions.recover(clock.now()), []);
});

test('a session of another agent that lives is left to it: the pid and the start say so', async (t) => {
  const { store, clock, platform } = await place(t);
  const id = await store.sessions.nextId();
  await store.sessions.save(session(id, clock.now()));
  const path = join(platform.host.folders.own, 'sessions', `${id}.json`);
  const record = JSON.parse(await readFile(path, 'utf8')) as { owner: { pid: number; startedAt: number; run: string } };
  const worker = platform.put({ pid: 777, startedAt: START_AT - 60_000 });
  const owned = async (startedAt: number): Promise<void> => { await writeFile(path, JSON.stringify({ ...record, owner: { pid: worker.pid, startedAt, run: 'deadbeef' } })); };
  await owned(worker.startedAt + 900);
  assert.deepEqual(await store.sessions.recover(clock.now()), []);
  await owned(worker.startedAt - 3_600_000);                               // the pid is another process now
  assert.deepEqual(await store.sessions.recover(clock.now()), [id]);
});

test('a session whose report was ready when the agent ended keeps it', async (t) => {
  const { store, again, clock, platform } = await place(t);
  const id = await store.sessions.nextId();
  await store.sessions.save(session(id, clock.now()));
  await store.sessions.saveReport(reportOf(id, clock.now(), platform), '<p>');
  const next = (await again()).store;
  await next.sessions.recover(clock.now());
  assert.deepEqual([(await next.sessions.get(id)).state, (await next.sessions.get(id)).report, (await next.sessions.report(id)).session], ['interrupted', true, id]);
});

/** Sessions as 'age in days' + flags: p pinned, r running; bytes behind a colon. Newest first. */
const SWEEPS: readonly { readonly what: string; readonly there: string; readonly gone: string; readonly limitBytes?: number }[] = [
  { what: 'nothing to do', there: '0 1 2', gone: '' },
  { what: 'no session at all', there: '', gone: '' },
  { what: 'ten stay, the oldest of more go', there: '0 1 2 3 4 5 6 7 8 9 10 11', gone: '10 11' },
  { what: 'twenty days stay, more go', there: '1 20 21 300', gone: '21 300' },
  { what: 'pinned ones stay and do not take the place of others', there: '0 1p 2 3 4 5 6 7 8 9 10 11 300p', gone: '11' },
  { what: 'running ones stay', there: '0 1 2 3 4 5 6 7 8 9 10r 11', gone: '11' },
  { what: 'a running one of three weeks is nobody\'s any more', there: '0 21r', gone: '21r' },
  { what: 'the quota takes the oldest until the rest fits', there: '0:400 1:400 2:400 3:400', gone: '2:400 3:400', limitBytes: 1_000 },
  { what: 'the quota spares pinned, running and the newest', there: '0:2000 1:400p 2:400r 3:400', gone: '3:400', limitBytes: 1_000 },
  { what: 'age first, then what is still too much', there: '0:400 1:400 2:400 30:4000', gone: '2:400 30:4000', limitBytes: 1_000 },
];

for (const { what, there, gone, limitBytes } of SWEEPS) {
  test(`sweep: ${what}`, async (t) => {
    const { store, clock, home } = await place(t, { clock: new FakeClock(START_AT - 400 * DAY), ...(limitBytes ? { limits: { artifactBytes: limitBytes } } : {}) });
    const now = START_AT;
    const words = there.split(' ').filter(Boolean);
    const ids = new Map<string, SessionId>();
    for (const word of [...words].reverse()) {
      const [, days = '0', flag, bytes] = /^(\d+)([pr])?(?::(\d+))?([pr])?$/.exec(word) ?? [];
      const flags = flag ?? /[pr]$/.exec(word)?.[0];
      await clock.advance(now - Number(days) * DAY - clock.now());
      const id = await store.sessions.nextId();
      await store.sessions.save(session(id, clock.now(), { state: flags === 'r' ? 'running' : 'done', pinned: flags === 'p' }));
      ids.set(word, id);
      if (bytes) {
        await mkdir(join(home, 'data/DaaS/Logs', id, 'a1b2c3'), { recursive: true });
        await writeFile(join(home, 'data/DaaS/Logs', id, 'a1b2c3', 'x'), 'x'.repeat(Number(bytes)));
      }
    }
    const goneIds = gone.split(' ').filter(Boolean).map((word) => ids.get(word));
    assert.deepEqual(new Set(await store.sessions.sweep(now)), new Set(goneIds));
    assert.deepEqual((await store.sessions.list()).sessions.map((s) => s.id), words.map((w) => ids.get(w)).filter((id) => !goneIds.includes(id)));
    assert.deepEqual(await store.sessions.sweep(now), [], 'once is enough');
    for (const id of goneIds) assert.deepEqual((await readdir(join(home, 'data/DaaS'), { recursive: true })).filter((name) => name.includes(String(id))), []);
  });
}

test('a reservation that never became a session goes, after an hour', async (t) => {
  const { store, home, clock } = await place(t);
  await store.sessions.nextId();
  const left = async (): Promise<number> => (await readdir(join(home, 'data/DaaS/diag/sessions'))).length;
  await store.sessions.sweep(clock.now() + 3_000_000);
  assert.equal(await left(), 1);
  await store.sessions.sweep(clock.now() + 4_000_000);
  assert.equal(await left(), 0);
});

test('two instances in one home: each has its files, both see all sessions, neither touches what is another program\'s', async (t) => {
  const { store: one, again, clock, home } = await place(t);
  const foreign = { 'data/DaaS/Sessions/x.json': 'a', 'data/DaaS/Monitoring/y': 'b', 'data/DaaS/PrivateSettings.json': 'c', 'data/DaaS/Logs/230101_0000000000/RD00/z.dmp': 'd' };
  for (const [name, content] of Object.entries(foreign)) { await mkdir(join(home, name, '..'), { recursive: true }); await writeFile(join(home, name), content); }
  const { store: two } = await again({ instance: 'ffff00' });
  const ids: SessionId[] = [];
  for (const [store, instance] of [[one, 'a1b2c3'], [two, 'ffff00']] as const) {
    const id = await store.sessions.nextId();
    ids.push(id);
    await store.sessions.save(session(id, clock.now(), { instance }));
    for (const other of [one, two]) {                                      // both put a file of one name into one session
      const draft = await other.artifacts.writer(id).draft('php-log', 'same.log');
      await writeFile(draft.path, other === one ? 'one' : 'two');
      await draft.commit();
    }
    store.history.write(1_000, { at: clock.now(), values: { 'site.cpu': instance === 'a1b2c3' ? 1 : 2 } });
    store.history.write(1_000, { at: clock.now(), process: { pid: 5, startedAt: 1 }, values: { 'process.cpu': 3 } });
    await store.audit.append({ at: clock.now(), who: 'x', did: 'y', what: instance, result: 'ok' });
    await store.changes.append({ id: instance, at: clock.now(), kind: 'agent', level: 'neutral', title: 'started' });
  }
  await Promise.all([one.history.flush(), two.history.flush()]);
  for (const [store, value, instance] of [[one, 1, 'a1b2c3'], [two, 2, 'ffff00']] as const) {
    assert.deepEqual((await store.sessions.list()).sessions.map((s) => s.id), [...ids].reverse());
    for (const id of ids) assert.deepEqual((await store.artifacts.list(id)).map((r) => [r.instance, r.name, r.bytes]), [['a1b2c3', 'same.log', 3], ['ffff00', 'same.log', 3]]);
    assert.deepEqual((await store.history.read({ metrics: ['site.cpu'], from: clock.now(), to: clock.now(), points: 1, now: clock.now() })).series[0]?.values, [value]);
    assert.deepEqual((await store.audit.recent(9)).entries.map((e) => e.what), [instance]);
    assert.deepEqual((await store.changes.recent(9)).entries.map((e) => e.id), [instance]);
  }
  await Promise.all([one.close(), two.close()]);
  const { store: later } = await again();
  assert.deepEqual(await later.sessions.recover(clock.now()), [ids[0]]);
  assert.equal((await later.sessions.get(ids[1] ?? '')).state, 'running');
  await later.sessions.sweep(clock.now() + 30 * DAY);
  for (const [name, content] of Object.entries(foreign)) assert.equal(await readFile(join(home, name), 'utf8'), content);
  assert.deepEqual((await readdir(join(home, 'data/DaaS'))).sort(), ['Logs', 'Monitoring', 'PrivateSettings.json', 'Reports', 'Sessions', 'diag']);
});

test('an instance whose name is no folder name gets one, and its history stays below its folder', async (t) => {
  const { store, home } = await place(t, { instance: '../../evil host' });
  store.history.write(1_000, { at: START_AT, values: { 'site.cpu': 1 } });
  await store.close();
  assert.deepEqual(await readdir(join(home, 'data/DaaS/diag/history')), ['______evil_host']);
});

test('a record that is no plain file is counted and left: it hides no other, and recovery ends', async (t) => {
  const { store, clock, home } = await place(t);
  const id = await store.sessions.nextId();
  await store.sessions.save(session(id, clock.now()));
  const folder = join(home, 'data/DaaS/diag/sessions');
  await mkdir(join(folder, '261121_0100000000.json'));
  await symlink('261121_0100000001.json', join(folder, '261121_0100000001.json'));
  await symlink('/etc/hostname', join(folder, '261121_0100000002.json'));
  execFileSync('mkfifo', [join(folder, '261121_0100000003.json')]);
  const { sessions, unreadable } = await store.sessions.list();
  assert.deepEqual([sessions.map((s) => s.id), unreadable], [[id], 4]);
  assert.deepEqual(await store.sessions.recover(clock.now()), []);
  await assert.rejects(store.sessions.get('261121_0100000000'), { code: 'SESSION_UNREADABLE' });
});
