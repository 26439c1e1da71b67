// Owns the tests of `diag dump` on real processes: each trigger with a case that must dump and one that must not, and what is left in every case.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { DumpRecord } from '../../src/agent/dump.ts';
import { dumpWords } from '../../src/cli/dump-words.ts';
import { stateOf } from '../support/alive.ts';
import { victim, type Victim, type VictimOptions } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';
import { start, type Ran, type Started } from './support.ts';

let top: string;
let folders = 0;
const victims: Victim[] = [];
const commands: Started[] = [];
before(async () => { top = await mkdtemp(join(tmpdir(), 'cli-dump-')); });
after(async () => {
  for (const { child } of commands) child.kill('SIGKILL');     // a watch that a failed test left
  await Promise.all(commands.map(({ ended }) => ended));
  await Promise.all(victims.map((one) => one.stop()));
  await rm(top, { recursive: true, force: true });
});

async function started(options: VictimOptions = {}): Promise<Victim> {
  const one = await victim({ ...options, nodeOptions: ['--inspect-port=0', ...options.nodeOptions ?? []] });
  victims.push(one);
  return one;
}

interface Dumping extends Started { readonly out: string }
function dumping(pid: number | string, ...args: readonly string[]): Dumping {
  folders += 1;
  const out = join(top, `out-${folders}`);
  const command = start(['dump', String(pid), '--out', out, ...args], { DIAG_HOME: join(top, 'no-home') });
  commands.push(command);
  return { ...command, out };
}

/** The watch is armed: what happens from now on counts. */
async function armed(one: Dumping): Promise<Dumping> {
  await Promise.race([waitFor('the watch to be armed', () => one.stderr().includes('Watching process')), one.ended.then((ran) => { throw new Error(`ended: ${ran.stdout}${ran.stderr}`); })]);
  return one;
}

async function records({ out }: Dumping): Promise<DumpRecord[]> {
  if (!existsSync(out)) return [];
  const names = (await readdir(out)).sort();
  const found = await Promise.all(names.filter((name) => existsSync(join(out, name.replace(/\.json$/, ''))) && name.endsWith('.json') && names.includes(`${name.replace(/\.json$/, '')}`)).map(async (name) => JSON.parse(await readFile(join(out, name), 'utf8')) as DumpRecord));
  for (const record of found) assert.equal((await stat(join(out, record.file))).size, record.bytes);
  assert.deepEqual(names.filter((name) => name.includes('.part') || name.endsWith('.tmp')), []);
  return found;
}

async function one(of: Dumping): Promise<DumpRecord> {
  const ran = await of.ended;
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  const found = await records(of);
  assert.equal(found.length, 1, ran.stdout + ran.stderr);
  return found[0] as DumpRecord;
}

/** Ended by the user: nothing was taken, nothing is left, the process runs on. */
async function nothing(of: Dumping, on: Victim): Promise<void> {
  of.child.kill('SIGINT');
  const ran = await of.ended;
  assert.equal(ran.code, 3, ran.stdout + ran.stderr);
  assert.deepEqual(existsSync(of.out) ? await readdir(of.out) : [], []);
  await unharmed(on);
}

async function unharmed(on: Victim): Promise<void> {
  assert.notEqual(stateOf(on.pid), 'T');
  assert.equal((await on.do('print', { text: 'alive' })).did, 'print');
}

test('without a trigger a dump is taken at once, with a record of what it cost; the process runs on', async () => {
  const on = await started();
  const record = await one(dumping(on.pid, '-ma', '-dc', 'before the release'));
  assert.deepEqual([record.trigger, record.kind, record.comment, record.target.pid], ['now', 'core-dump', 'before the release', on.pid]);
  assert.ok((record.pausedMs ?? 0) > 0 && record.engine !== '');
  await unharmed(on);
});

test('a caught TypeError is dumped by -e 1 with its filter, and others are not', async () => {
  const on = await started();
  const of = await armed(dumping(on.pid, '-e', '1', '-f', 'TypeError: the one'));
  for (let i = 0; i < 5; i += 1) assert.equal((await on.do('catch', { type: 'RangeError', message: 'not this' }))['caught'], 'RangeError');
  await on.do('catch', { message: 'another one' });
  assert.deepEqual(await records(of), []);
  await on.do('catch', { message: 'the one that counts' });
  const record = await one(of);
  assert.deepEqual([record.trigger, record.reason], ['exception', 'thrown: TypeError: the one that counts']);
  await unharmed(on);
});

test('-e does not dump what is caught, and dumps what kills the process', async () => {
  const on = await started();
  const of = await armed(dumping(on.pid, '-e'));
  await on.do('catch');
  assert.equal((await on.do('overflow', { caught: true }))['caught'], 'RangeError');
  assert.deepEqual(await records(of), []);
  on.send('throw', { message: 'nobody catches it' });
  const record = await one(of);
  assert.match(record.reason, /thrown and not caught: TypeError: nobody catches it/);
  assert.deepEqual(await on.exited, { code: 1, signal: null });
});

test('a stack overflow that nobody catches is dumped before the process ends', async () => {
  const on = await started();
  const of = await armed(dumping(on.pid, '-e', '-f', 'RangeError*stack'));
  assert.equal((await on.do('overflow', { caught: true }))['caught'], 'RangeError');
  on.send('overflow');
  assert.match((await one(of)).reason, /not caught: RangeError: Maximum call stack size exceeded/);
  assert.notEqual((await on.exited).code, 0);
});

for (const [what, how, options] of [['native-fault', /^SIGSEGV/, {}], ['abort', /^SIGABRT/, {}], ['out-of-memory', /^SIG(ABRT|TRAP|ILL)/, { nodeOptions: ['--max-old-space-size=32'] }]] as const) {
  test(`${what} is dumped by -e`, async () => {
    const on = await started(options);
    const of = await armed(dumping(on.pid, '-e'));
    on.send(what);
    const record = await one(of);
    assert.equal(record.trigger, 'fault');
    assert.match(record.reason, how);
    assert.notEqual((await on.exited).signal, null);
  });
}

test('-t dumps the last moment of a process, and its end ends a watch that waits for something else', async () => {
  const [on, other] = await Promise.all([started(), started()]);
  const [of, none] = await Promise.all([armed(dumping(on.pid, '-t')), armed(dumping(other.pid, '-e'))]);
  on.send('exit', { code: 3 });
  other.send('exit', { code: 0 });
  assert.equal((await one(of)).reason, 'the process ends with exit code 3');
  const ran = await none.ended;
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /The process has ended; nothing was taken/);
});

test('an event loop that hangs is dumped, one that is only busy is not', async () => {
  const on = await started();
  const of = await armed(dumping(on.pid, '-h', '-s', '2'));
  await on.do('burn', { ms: 3_000 });
  assert.deepEqual(await records(of), []);
  const over = on.said('block');
  on.send('block', { ms: 5_000 });
  const record = await one(of);
  assert.equal(record.trigger, 'hang');
  assert.match(record.reason, /^no answer for 2\.\d* s|^no answer for [3-5]/);
  await over;
  await unharmed(on);
});

test('an address that does not answer is a hang too', async () => {
  const on = await started();
  const { port } = await on.do('listen');
  const of = await armed(dumping(on.pid, '--probe', `http://127.0.0.1:${String(port)}/`, '-s', '2'));
  on.send('block', { ms: 5_000 });
  assert.equal((await one(of)).trigger, 'hang');
});

test('a leak is dumped at its limit, and not below', async () => {
  const on = await started();
  const of = await armed(dumping(on.pid, '-m', '250', '-s', '0'));
  await on.do('leak', { mb: 40, buffers: true });
  assert.deepEqual(await records(of), []);
  await on.do('leak', { mb: 250, buffers: true });
  const record = await one(of);
  assert.equal(record.trigger, 'memory');
  assert.ok(record.bytes > 250 * 2 ** 20);
});

test('CPU and threads fire at their limits; a quiet process never does', async () => {
  const [on, quiet] = await Promise.all([started(), started()]);
  const [cpu, threads, none] = await Promise.all([armed(dumping(on.pid, '-c', '30', '-s', '1')), one(dumping(on.pid, '-tc', '3', '-s', '0')), armed(dumping(quiet.pid, '-c', '95', '-tc', '500', '-m', '4g', '-s', '1'))]);
  assert.equal(threads.trigger, 'threads');
  on.send('burn', { ms: 20_000 });
  assert.equal((await one(cpu)).trigger, 'cpu');
  await nothing(none, quiet);
});

test('-n takes several, -at ends the collection, -w waits for the start', async () => {
  const on = await started();
  const several = dumping(on.pid, '-n', '2', '-s', '0', '--report', '--json');
  const ran = await several.ended;
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual((JSON.parse(ran.stdout) as { dumps: DumpRecord[] }).dumps.map(({ kind }) => kind), ['node-report', 'node-report']);
  const short = await dumping(on.pid, '-c', '90', '-at', '2', '--json').ended;
  assert.deepEqual([short.code, (JSON.parse(short.stdout) as { ended: string }).ended], [0, 'until']);
  const waiting = dumping('a-name-of-its-own', '-w', '--report');
  const late = await started();
  await late.do('title', { title: 'a-name-of-its-own' });
  assert.equal((await one(waiting)).target.pid, late.pid);
});

test('a process that is held at an exception goes on when the command is killed', async () => {
  const on = await started();
  await on.do('leak', { mb: 200, buffers: true });
  const of = await armed(dumping(on.pid, '-e', '1'));
  const caught = on.do('catch');
  await waitFor('the dump to begin', async () => existsSync(of.out) && (await readdir(of.out)).some((name) => name.includes('.part')));
  of.child.kill('SIGKILL');
  await caught;
  await unharmed(on);
});

test('Ctrl+C in the middle of a dump ends it within a second or so, leaves nothing, and the process runs', async () => {
  const on = await started();
  await on.do('leak', { mb: 600, buffers: true });
  const of = dumping(on.pid);
  await waitFor('the dump to begin', async () => existsSync(of.out) && (await readdir(of.out)).some((name) => name.includes('.part')));
  await nothing(of, on);
});

test('a heap snapshot is whole, predicted and measured; too long a pause is refused before anything is touched', async () => {
  const on = await started();
  const refused = await dumping(on.pid, '--heap', '--max-pause', '5', '--json').ended;
  assert.equal(refused.code, 3);
  assert.equal((JSON.parse(refused.stdout) as { error: { code: string } }).error.code, 'PAUSE_TOO_LONG');
  const of = dumping(on.pid, '--heap');
  const record = await one(of);
  const { snapshot } = JSON.parse(await readFile(join(of.out, record.file), 'utf8')) as { snapshot: { node_count: number } };
  assert.equal(record.snapshot?.nodes, snapshot.node_count);
  assert.ok((record.snapshot?.actual.stopMs ?? 0) > 0 && (record.snapshot?.predicted.stopMs ?? 0) > 0);
  await unharmed(on);
});

test('profiles and the report are what Node\'s own tools read', async () => {
  const on = await started();
  const of = dumping(on.pid, '--cpu-profile', '1', '--heap-profile', '1', '--report');
  assert.equal((await of.ended).code, 0);
  const found = await records(of);
  const [cpu, heap, report] = await Promise.all(['cpu-profile', 'heap-profile', 'node-report'].map(async (kind) => JSON.parse(await readFile(join(of.out, found.find((record) => record.kind === kind)?.file ?? ''), 'utf8')) as Record<string, unknown>));
  assert.ok(Array.isArray(cpu?.['nodes']) && Array.isArray(cpu['samples']));
  assert.ok(typeof heap?.['head'] === 'object' && Array.isArray(heap['samples']));
  assert.equal((report?.['header'] as { processId: number } | undefined)?.processId, on.pid);
});

test('what cannot be done is refused in words, with exit 2 or 3', async () => {
  const on = await started();
  const table: readonly [string[], number, string][] = [
    [['-mm'], 3, 'CAPABILITY_MISSING'], [['-ma', '-mm'], 2, 'BAD_INPUT'], [['-f', 'x'], 2, 'BAD_INPUT'], [['-w'], 2, 'BAD_INPUT'],
    [['-c', 'many'], 2, 'BAD_INPUT'], [['-p', 'nonsense>1'], 2, 'BAD_INPUT'], [['--signal', 'KILL'], 2, 'BAD_INPUT'], [['-at', 'yesterday'], 2, 'BAD_INPUT'], [['--probe', 'file:///etc/passwd'], 2, 'BAD_INPUT'],
  ];
  const rans = await Promise.all(table.map(async ([args]): Promise<Ran> => await dumping(on.pid, ...args, '--json').ended));
  assert.deepEqual(rans.map((ran) => [ran.code, (JSON.parse(ran.stdout) as { error: { code: string } }).error.code]), table.map(([, exit, code]) => [exit, code]));
  assert.equal((await dumping(4_000_000).ended).code, 3);
  assert.equal((await dumping('no-such-program').ended).code, 2);
  await unharmed(on);
});

test('ProcDump\'s words become ours only after dump', () => {
  const words = (text: string): string => dumpWords(['node', 'cli', ...text.split(' ')]).slice(2).join(' ');
  assert.equal(words('dump -ma -e 1 -f a,b 4711'), 'dump --full --exceptions=first -f a,b 4711');
  assert.equal(words('dump -e 4711 -h -cl 5 -ml 10 -tc 3 -at 60 -dc why'), 'dump --exceptions=unhandled 4711 --hang --cpu-below 5 --memory-below 10 --threads 3 --until 60 --comment why');
  assert.equal(words('logs dump -h'), 'logs dump -h');
  assert.equal(words('dump -- -e 1'), 'dump -- -e 1');
});
