// Owns the tests of running programs, with real programs that end, fail, flood, hang and refuse to die.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { lastLine, run, type RunOptions } from '../../src/platform/run.ts';
import { lives } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
const options = (more: Partial<RunOptions> = {}): RunOptions => ({ signal: never, limitMs: 60_000, maxOutputBytes: 64 * 1024, ...more });
const node = (code: string, more?: Partial<RunOptions>): ReturnType<typeof run> => run(process.execPath, ['-e', code], options(more));

async function noteFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'run-'));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, 'pid');
}

test('output and exit code come back, arguments are never read by a shell', async () => {
  const hostile = '$(id); `id` | > /tmp/x "\'\n*';
  const ran = await run(process.execPath, ['-e', 'process.stdout.write(process.argv[1]); process.stderr.write("no"); process.exitCode = 3', hostile], options());
  assert.deepEqual(ran, { stdout: hostile, stderr: 'no', exitCode: 3 });
});

test('folder and environment are the given ones', async () => {
  const ran = await node('console.log(process.cwd(), process.env.A, process.env.PATH)', { cwd: '/', env: { A: 'b' } });
  assert.equal(ran.stdout, '/ b undefined\n');
});

test('a program that is not there, or dies by a signal, fails with its reason', async () => {
  await assert.rejects(run('no-such-program', [], options()), { code: 'PROGRAM_FAILED', message: /no-such-program ended with no start: .*ENOENT/ });
  await assert.rejects(node('console.error("last words"); process.kill(process.pid, "SIGABRT")'), { code: 'PROGRAM_FAILED', message: /ended with SIGABRT: last words/ });
});

test('a program that floods is ended, and so is its child', async (t) => {
  const note = await noteFile(t);
  const flood = run('/bin/sh', ['-c', 'sleep 1000 & echo $! > "$0"; yes', note], options({ maxOutputBytes: 10_000 }));
  await assert.rejects(flood, { code: 'PROGRAM_FAILED', message: /wrote more than 9.77 KiB/ });
  const child = Number(await readFile(note, 'utf8'));
  await waitFor('the end of the child', () => !lives(child));
});

test('a program that ignores TERM is killed with its child, at the limit and at a cancel', async (t) => {
  for (const [code, how] of [['TIMED_OUT', {}], ['CANCELLED', { signal: true }]] as const) {
    const note = await noteFile(t);
    const abort = new AbortController();
    // The child ignores TERM too: what the shell ignores is inherited.
    const running = run('/bin/sh', ['-c', 'trap "" TERM; sleep 1000 & echo $! > "$0"; wait', note], options({ signal: abort.signal, limitMs: 'signal' in how ? 60_000 : 1_000 }));
    const outcome = assert.rejects(running, { code });
    const child = await waitFor('the pid of the child', async () => Number(await readFile(note, 'utf8')));
    assert.equal(lives(child), true);
    if ('signal' in how) abort.abort();
    await outcome;
    await waitFor('the end of the child', () => !lives(child));
  }
});

test('a grandchild that left the group and holds the pipes does not keep us waiting', async () => {
  const ran = await run('/bin/sh', ['-c', 'setsid sleep 1000 & echo $!'], options());
  const pid = Number(ran.stdout);
  assert.equal(lives(pid), true);
  process.kill(pid, 'SIGKILL');
});

test('a run that is cancelled before it starts, starts nothing', async () => {
  await assert.rejects(run('no-such-program', [], options({ signal: AbortSignal.abort() })), { code: 'CANCELLED' });
});

test('the last line is for people', () => {
  assert.equal(lastLine('one\n  two  \n\n'), 'two');
  assert.equal(lastLine(' \n'), undefined);
});
