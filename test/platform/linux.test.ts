// Owns the tests of what only Linux has: marks in environments, names in /proc, reused pids, foreign users, kept descriptors.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { after, before, test } from 'node:test';
import { ProcReader } from '../../src/platform/linux/read.ts';
import { ProcessTable } from '../../src/platform/linux/table.ts';
import { UsageReader } from '../../src/platform/linux/usage.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { stateOf } from '../support/alive.ts';
import { realPlatform, type RealPlatform } from '../support/real-platform.ts';
import { victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
const NOBODY = 65_534;
let real: RealPlatform;

before(async () => { real = await realPlatform(); });
after(() => real.close());

const list = (platform = real.platform): Promise<readonly ProcessInfo[]> => platform.processes(never);
async function found(pid: number, holds: (info: ProcessInfo) => boolean = () => true): Promise<ProcessInfo> {
  return await waitFor(`process ${pid} as expected`, async () => (await list()).find((one) => one.pid === pid && holds(one)));
}

test('the site is what carries its name and instance, with all descendants; another instance is not', async () => {
  const mine = await real.victim({ env: { PORT: '8080', API_KEY: 'never-shown' }, args: ['--password=hunter2hunter2'] });
  const child = Number((await mine.do('spawn-child', { program: 'sleep' })).pid);
  const other = await victim({ env: { ...real.env, WEBSITE_INSTANCE_ID: 'f'.repeat(64) } });
  const scm = await real.victim({ env: { APP_POOL_ID: '~1shop' } });
  try {
    await found(child);
    const listed = (await list()).filter((one) => one.ours !== true);
    assert.deepEqual(listed.map(({ pid, parent, name, role }) => ({ pid, parent: pid === child ? parent : 0, name, role })), [
      { pid: mine.pid, parent: 0, name: 'node', role: 'worker' },
      { pid: child, parent: mine.pid, name: 'sleep', role: 'other' },
      { pid: scm.pid, parent: 0, name: 'node', role: 'scm' },
    ]);
    const info = await found(mine.pid);
    assert.match(info.commandLine ?? '', /victim\.mjs/);
    assert.doesNotMatch(info.commandLine ?? '', /hunter2/);
    assert.equal(info.path, process.execPath.includes('/') ? info.path : undefined);
  } finally {
    await Promise.all([mine.stop(), other.stop(), scm.stop()]);
  }
});

test('an unchanged world gives the very same list', async () => {
  const one = await real.victim();
  await found(one.pid);
  const first = await waitFor('a list that stands', async () => { const seen = await list(); return seen === await list() ? seen : undefined; });
  assert.ok(first.some(({ pid }) => pid === one.pid));
  await one.stop();
});

test('a process that becomes another program under its pid is seen as that', async () => {
  const child = spawn('/bin/sh', ['-c', 'read line; exec sleep 1000'], { env: { PATH: process.env['PATH'], ...real.env }, stdio: ['pipe', 'ignore', 'ignore'] });
  try {
    const before = await found(child.pid as number, (info) => info.name !== 'node');
    child.stdin.end('go\n');
    const now = await found(child.pid as number, (info) => info.name === 'sleep');
    assert.equal(now.startedAt, before.startedAt);
    assert.equal(now.commandLine, 'sleep 1000');
  } finally {
    child.kill('SIGKILL');
  }
});

test('a name with parentheses, spaces and a newline does not shift the numbers', async () => {
  const one = await real.victim();
  await one.do('title', { title: 'x) R (1 2\n3' });
  await found(one.pid);
  const usage = (await real.platform.usage([one.pid], never)).get(one.pid);
  assert.equal(readFileSync(`/proc/${one.pid}/comm`, 'utf8'), 'x) R (1 2\n3\n');
  assert.equal(usage?.threads, readdirSync(`/proc/${one.pid}/task`).length);
  assert.equal(usage?.handles, readdirSync(`/proc/${one.pid}/fd`).length);
  await one.stop();
});

test('usage follows what the process does', async () => {
  const one = await real.victim();
  await found(one.pid);
  const usage = async (): Promise<Required<NonNullable<ReturnType<UsageReader['one']>>>> => (await real.platform.usage([one.pid], never)).get(one.pid) as never;
  const start = await usage();
  await one.do('leak', { mb: 64, buffers: true });
  await one.do('open-files', { count: 100 });
  await one.do('burn', { ms: 400 });
  const end = await usage();
  assert.ok(end.workingSetBytes - start.workingSetBytes > 60 * 2 ** 20);
  assert.ok(end.privateBytes - start.privateBytes > 60 * 2 ** 20);
  assert.ok(end.privateBytes < end.workingSetBytes);
  // libuv may open or close one of its own meanwhile.
  assert.ok(Math.abs(end.handles - start.handles - 100) <= 5, `${start.handles} -> ${end.handles}`);
  assert.ok(end.cpuMs - start.cpuMs > 0);
  await one.stop();
});

test('a zombie is not listed and has no usage', async () => {
  // The shell becomes a program that never waits for the child it has inherited.
  const parent = spawn('/bin/sh', ['-c', '(read line <&3) & echo $!; exec sleep 1000 3<&-'], { env: { PATH: process.env['PATH'], ...real.env }, stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  try {
    const pid = await new Promise<number>((resolve) => { parent.stdout?.once('data', (text: Buffer) => { resolve(Number(text.toString())); }); });
    await waitFor('the shell to become the other program', () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n');
    await found(pid);
    (parent.stdio[3] as Writable).end();
    await waitFor('the zombie', () => stateOf(pid) === 'Z');
    assert.equal((await list()).some((one) => one.pid === pid), false);
    assert.equal((await real.platform.usage([pid], never)).size, 0);
  } finally {
    parent.kill('SIGKILL');
  }
});

test('a reused pid is another process everywhere', async (t) => {
  if (!mayChoosePids()) { t.skip('needs root to choose the next pid'); return; }
  const old = await real.victim();
  const before = await found(old.pid);
  await real.platform.usage([old.pid], never);
  await old.stop();
  await waitFor('the number to be free', () => stateOf(old.pid) === undefined);
  const born = await reuse(old.pid);
  try {
    const now = await found(old.pid, (info) => info.name === 'sleep');
    assert.notEqual(now.startedAt, before.startedAt);
    assert.equal((await real.platform.usage([old.pid], never)).get(old.pid)?.startedAt, now.startedAt);
    await assert.rejects(real.platform.end(before, 0, never), { code: 'PROCESS_REUSED' });
    await assert.rejects(real.platform.dump(before, join(real.home, 'no.core'), never), { code: 'PROCESS_REUSED' });
    assert.equal(stateOf(old.pid), 'S');
  } finally {
    process.kill(old.pid, 'SIGKILL');
    born.kill('SIGKILL');
  }
});

const LAST_PID = '/proc/sys/kernel/ns_last_pid';

function mayChoosePids(): boolean {
  try {
    writeFileSync(LAST_PID, readFileSync(LAST_PID));
    return true;
  } catch {
    return false;
  }
}

/** Starts a `sleep` of the site, no child of ours, under this very pid; others start processes too, so it may take some tries. */
async function reuse(pid: number): Promise<ChildProcess> {
  return await waitFor(`a process with pid ${pid}`, async () => {
    // The shell takes one number and the sleep the next.
    writeFileSync(LAST_PID, String(pid - 2));
    const shell = spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!'], { env: { PATH: process.env['PATH'], ...real.env }, stdio: ['ignore', 'pipe', 'ignore'] });
    const born = await new Promise<number>((resolve) => { shell.stdout.once('data', (text: Buffer) => { resolve(Number(text.toString())); }); });
    if (born === pid) return shell;
    process.kill(born, 'SIGKILL');
    return undefined;
  });
}

test('what belongs to another user is absent or refused with the reason', async (t) => {
  if (process.geteuid?.() !== 0) { t.skip('needs root to become another user'); return; }
  const one = await real.victim();
  const key = await found(one.pid);
  chmodSync(real.home, 0o755);
  process.seteuid?.(NOBODY);
  try {
    const usage = (await real.platform.usage([one.pid], never)).get(one.pid);
    assert.ok((usage?.workingSetBytes ?? 0) > 0);
    await assert.rejects(real.platform.openFiles(one.pid, never), { code: 'PROCESS_DENIED', message: /list the open files/ });
    await assert.rejects(real.platform.environment(one.pid, never), { code: 'PROCESS_DENIED', message: /read the environment/ });
    await assert.rejects(real.platform.dumpEstimate(key, never), { code: 'PROCESS_DENIED' });
  } finally {
    process.seteuid?.(0);
  }
  assert.equal((await one.do('print')).did, 'print');
  await one.stop();
});

test('chosen pids are listed with their descendants, without them all of our user', async () => {
  const one = await real.victim();
  const child = Number((await one.do('spawn-child', { program: 'sleep' })).pid);
  const chosen = await realPlatform({ processes: { pids: [one.pid, 4_194_305] } });
  const everyone = await realPlatform({ env: { WEBSITE_SITE_NAME: '', WEBSITE_INSTANCE_ID: '' } });
  try {
    assert.deepEqual((await list(chosen.platform)).filter((info) => info.ours !== true).map((info) => info.pid), [one.pid, child]);
    const all = await list(everyone.platform);
    for (const pid of [one.pid, child, process.pid, process.ppid]) assert.ok(all.some((info) => info.pid === pid), String(pid));
    // One that ended while it was looked at tells none any more; a child of ours may have become another's (a test that runs at the same time has one).
    const strangers = all.filter(({ user, parent }) => user !== undefined && user !== all.find(({ pid }) => pid === process.pid)?.user && !all.some(({ pid }) => pid === parent));
    assert.deepEqual(strangers, []);
    assert.ok(all.filter((info) => info.pid === process.ppid).every((info) => info.ours === true));
    assert.equal(all.filter((info) => info.role === 'worker').length, 1);
  } finally {
    await chosen.close();
    await everyone.close();
    await one.stop();
  }
});

test('kept descriptors have a bound, go with their process, and without them everything still works', async () => {
  const before = readdirSync('/proc/self/fd').length;
  for (const bound of [0, 3, 1_000]) {
    const reader = new ProcReader(bound);
    const table = new ProcessTable(reader, { self: process.pid, uid: 0, bootAt: 0, mark: undefined, select: 'all' });
    const seen = table.scan().map((one) => one.pid);
    assert.equal(new UsageReader(reader, table).read(seen).size > 0, true);
    assert.ok(reader.keptDescriptors <= bound);
    const one = await real.victim();
    table.scan();
    await one.stop();
    table.scan();
    assert.ok(reader.keptDescriptors <= bound);
    reader.close();
    assert.equal(reader.keptDescriptors, 0);
  }
  assert.ok(Math.abs(readdirSync('/proc/self/fd').length - before) <= 5, 'no descriptor is left');
});

test('an older kernel without sizes gets the descriptors counted', async () => {
  const one = await real.victim();
  const reader = new ProcReader();
  const table = new ProcessTable(reader, { self: process.pid, uid: 0, bootAt: 0, mark: undefined, select: 'all' });
  assert.equal(new UsageReader(reader, table, false).one(one.pid)?.handles, readdirSync(`/proc/${one.pid}/fd`).length);
  reader.close();
  await one.stop();
});

test('open files name paths, listeners and connections', async () => {
  const one = await real.victim();
  const { port } = await one.do('listen');
  const file = join(real.home, 'LogFiles', 'with space.log');
  writeFileSync(file, '');
  await one.do('open-files', { count: 2, file });
  const files = await real.platform.openFiles(one.pid, never);
  assert.equal(files.filter((name) => name === file).length, 2);
  assert.ok(files.includes(`tcp 127.0.0.1:${String(port)} LISTEN`), files.join('\n'));
  assert.ok(existsSync(file));
  await one.stop();
});
