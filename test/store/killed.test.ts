// Owns the proof that an agent killed at any moment leaves no half file under a final name, no session that runs for ever, and its history.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { build } from 'esbuild';
import { openStore } from '../../src/store/open.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Store } from '../../src/store/store.ts';
import { platformAt } from './open-here.ts';

const KILLS = 36;
/** What the writer says; each kill comes after one of them, and while the other two kinds of work go on. */
const WORDS = ['session', 'draft', 'written', 'committed', 'report', 'done', 'removed', 'flushed', 'journal'];
const DAY = 86_400_000;
const INSTANCE = 'a1b2c3';

interface Victim { readonly pid: number; readonly committed: Map<string, string[]>; readonly finished: Set<string>; flushedAt: number; journaled: number }

/** Runs the writer and kills it right after it has said a word for the n-th time. */
async function killed(program: string, home: string, { after, times }: { after: string; times: number }, historyFrom: number): Promise<Victim> {
  const child = spawn(process.execPath, [program, home, INSTANCE, String(historyFrom)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const seen: Victim = { pid: child.pid ?? 0, committed: new Map(), finished: new Set(), flushedAt: 0, journaled: -1 };
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    note(seen, line.split(' '));
    if (line.split(' ')[0] === after) count += 1;
    if (count === times) child.kill('SIGKILL');
  }
  const [code, signal] = await ended as [number | null, string | null];
  assert.deepEqual([code, signal], [null, 'SIGKILL']);
  return seen;
}

function note(seen: Victim, [word, a = '', b = '']: string[]): void {
  if (word === 'committed') seen.committed.set(a, [...(seen.committed.get(a) ?? []), b]);
  if (word === 'done') seen.finished.add(a);
  if (word === 'flushed') seen.flushedAt = Number(a);
  if (word === 'journal') seen.journaled = Number(a);
}

test(`a store killed ${KILLS} times at its work`, async (t) => {
  const top = await mkdtemp(join(tmpdir(), 'killed-'));
  t.after(() => rm(top, { recursive: true, force: true }));
  const program = join(top, 'writer.mjs');
  await build({ entryPoints: [join(import.meta.dirname, 'killed-writer.ts')], outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning', banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" } });
  const home = join(top, 'home');
  await mkdir(home);
  let historyFrom = Math.floor(systemClock.now() / DAY - 20 * 365) * DAY;   // each run after the one before, all in the past
  const stages = new Set<string>();
  for (let n = 0; n < KILLS; n += 1) {
    const victim = await killed(program, home, { after: WORDS[n % WORDS.length] ?? '', times: 1 + Math.floor(n / WORDS.length) }, historyFrom);
    if (victim.flushedAt > 0) historyFrom = victim.flushedAt + DAY;
    const platform = { ...await platformAt({ home, instance: INSTANCE }), clock: systemClock };
    const store = await openStore({ platform });
    const now = systemClock.now();
    for (const id of await store.sessions.recover(now)) stages.add(`${(await store.sessions.get(id)).artifacts.length}`);
    await checkSessions(store, home, victim);
    await checkHistory(store, victim, now);
    await checkJournal(store, victim);
    await checkFolders(home);
    await store.close();
    assert.deepEqual(store.lost().filter((l) => !l.what.startsWith('histories of ended')), []);
  }
  assert.ok(stages.has('0') && stages.has('1'), `sessions were interrupted at too few stages: ${[...stages].join()}`);
});

async function checkSessions(store: Store, home: string, victim: Victim): Promise<void> {
  const { sessions, unreadable } = await store.sessions.list();
  assert.equal(unreadable, 0);
  for (const session of sessions) {
    assert.ok(session.state === 'interrupted' || session.state === 'done', `${session.id} is ${session.state}`);
    const listed = await store.artifacts.list(session.id);
    assert.deepEqual(session.artifacts, listed);
    for (const ref of listed) {
      const bytes = await readFile(await store.artifacts.path(ref));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), ref.sha256);
      assert.equal(bytes.subarray(-3).toString(), 'END');
    }
    const folder = join(home, 'data/DaaS/Logs', session.id, INSTANCE);
    const files = await readdir(folder).catch(() => []);
    assert.deepEqual(files.filter((f) => f !== 'artifacts.jsonl').sort(), listed.map((r) => r.name).sort(), 'every file under a final name is listed');
    const said = victim.committed.get(session.id) ?? [];
    assert.ok(said.every((name) => listed.some((r) => r.name === name)), 'what was committed is there');
    if (session.state === 'interrupted') assert.deepEqual(session.steps.map((s) => [s.state, s.because]), [['done', undefined], ['cancelled', 'the agent ended'], ['cancelled', 'the agent ended']]);
    if (!session.report) { await assert.rejects(store.sessions.report(session.id), { code: 'REPORT_NOT_READY' }); continue; }
    assert.equal((await store.sessions.report(session.id)).session, session.id);
    assert.match(await readFile(await store.sessions.reportPath(session.id, 'report.html'), 'utf8'), /^<html>x{200000}<\/html>$/);
  }
  for (const id of [...victim.finished].slice(-2)) assert.equal((await store.sessions.get(id)).state, 'done');
}

async function checkHistory(store: Store, victim: Victim, now: number): Promise<void> {
  if (victim.flushedAt === 0) return;
  const to = victim.flushedAt;
  const site = await store.history.read({ metrics: ['site.cpu', 'http.requests'], from: to - 99_000, to, points: 100, now: Math.min(now, to) });
  assert.deepEqual(site.series[0]?.values, site.at.map((at) => at % 9_973));
  assert.deepEqual(site.series[1]?.values, site.at.map((at) => at % 7_919));
  const process = { pid: victim.pid, startedAt: 1 };
  const own = await store.history.read({ metrics: ['process.cpu'], process, from: to - 3_599_000, to, points: 3_600, now: to });
  own.series[0]?.values.forEach((value, i) => { assert.ok(value === null || value === (own.at[i] ?? 0) % 9_973, `the row of ${own.at[i]} holds ${value}`); });
  assert.deepEqual(own.series[0]?.values.slice(-100), own.at.slice(-100).map((at) => at % 9_973));
  assert.ok((await store.history.tracks(to, to)).some((p) => p.pid === victim.pid));
}

async function checkJournal(store: Store, victim: Victim): Promise<void> {
  const { entries, unreadable } = await store.changes.recent(5_000);
  assert.equal(unreadable, 0);
  const numbers = entries.map((e) => e.id).filter((id) => id.startsWith(`${victim.pid}-`)).map((id) => Number(id.split('-')[1]));
  assert.ok(numbers.length === 0 ? victim.journaled < 0 : (numbers[0] ?? -1) >= victim.journaled);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => b - a));
}

async function checkFolders(home: string): Promise<void> {
  const names = await readdir(join(home, 'data/DaaS'), { recursive: true });
  assert.deepEqual(names.filter((name) => name.endsWith('.tmp') || name.endsWith('.damaged')), []);
  assert.deepEqual((await readdir(join(home, '../temp'))).filter((name) => name.startsWith('drafts-')), []);
  const records = (await readdir(join(home, 'data/DaaS/diag/sessions'))).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
  for (const folder of ['Logs', 'Reports']) assert.deepEqual((await readdir(join(home, 'data/DaaS', folder))).filter((id) => !records.includes(id)), [], 'files without a session');
  assert.ok(names.filter((name) => /diag\/sessions\/.*\.id$/.test(name)).length <= KILLS);
}
