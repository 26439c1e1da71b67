// Owns the tests of the agent's process: what it does when its output is not read, and what is left to read when it falls.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');

async function start(t: TestContext, ...nodeOptions: string[]): Promise<{ child: ChildProcess; own: string; exited: Promise<unknown[]> }> {
  const home = await mkdtemp(join(tmpdir(), 'main-test-'));
  const env = { PATH: process.env['PATH'], PORT: '0', DIAG_HOME: home, DIAG_PROCESSES: '1', DIAG_TOKEN: 'a-token-for-tests-only' };
  const child = spawn(process.execPath, ['--import', 'tsx', ...nodeOptions, join(root, 'src/main.ts')], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(home, { recursive: true, force: true });
  });
  return { child, own: join(home, 'data/DaaS/diag'), exited };
}

const urlIn = async (own: string): Promise<string> => (JSON.parse(await readFile(join(own, 'agent.json'), 'utf8')) as { url: string }).url;

test('an agent whose output nobody reads goes on', async (t) => {
  const { child, own } = await start(t);
  child.stdout?.destroy();
  const url = await waitFor('the address', () => urlIn(own));
  // It is written down before it is printed: the second answer comes after that.
  for (let i = 0; i < 2; i += 1) assert.equal((await fetch(`${url}/api/alive`)).status, 200);
  await waitFor('the process list', async () => (await fetch(`${url}/api/restart`, { headers: { authorization: 'Bearer a-token-for-tests-only' } })).status === 200);
  assert.equal(child.exitCode, null);
});

test('a fault that nobody caught ends the agent and stands in its log', async (t) => {
  const { child, own, exited } = await start(t, '--import', 'data:text/javascript,process.on("SIGUSR2",()=>{void Promise.reject(new Error("nobody caught me"))})');
  const url = await waitFor('the address', () => urlIn(own));
  assert.equal((await fetch(`${url}/api/alive`)).status, 200);
  child.kill('SIGUSR2');
  assert.deepEqual(await exited, [1, null]);
  const logs = join(own, 'logs');
  const [instance = ''] = await readdir(logs);
  assert.match(await readFile(join(logs, instance, 'agent.log'), 'utf8'), /ended by a fault of its own.*nobody caught me/);
});
