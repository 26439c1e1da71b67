// Owns the journey of the WebJob: two agents of one instance, each killed in turn; the samples go on and are taken once.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { connect, type Diag } from '../../src/shared/connect.ts';
import { layHome } from '../support/agent.ts';
import { victim, type Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
const TOKEN = 'a-token-for-tests-only';
/** The most that may be missing in the history, whoever ends however. */
const GAP_MS = 15_000;

interface Running { readonly name: string; readonly pid: number; readonly diag: Diag; kill(signal: NodeJS.Signals): Promise<void> }

let top: string;
let home: string;
let worker: Victim;
const started = new Set<ChildProcess>();

before(async () => {
  top = await mkdtemp(join(tmpdir(), 'webjob-'));
  home = join(top, 'home');
  await layHome(home, Date.now());
  worker = await victim();
});
afterEach(async () => {
  await Promise.all([...started].map(async (child) => { child.kill('SIGKILL'); await once(child, 'exit'); }));
  started.clear();
});
after(async () => {
  await worker.stop();
  await rm(top, { recursive: true, force: true });
});

/** The built agent, as the page's process or as the platform starts a continuous WebJob. */
async function start(name: 'site' | 'webjob'): Promise<Running> {
  const env = { PATH: process.env['PATH'], TMPDIR: top, DIAG_HOME: home, DIAG_TOKEN: TOKEN, DIAG_PROCESSES: String(worker.pid), PORT: '0', ...(name === 'webjob' ? { WEBJOBS_NAME: 'AppServiceDiag' } : {}) };
  const child = spawn(process.execPath, [join(root, 'dist/main.js')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  started.add(child);
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text; });
  const url = await waitFor(`${name} to listen`, () => /^listening (\S+)$/m.exec(out)?.[1]);
  const exited = once(child, 'exit');
  return {
    name, pid: child.pid ?? 0,
    diag: connect(url, fetch as Parameters<typeof connect>[1], { authorization: `Bearer ${TOKEN}` }),
    async kill(signal) { child.kill(signal); await exited; started.delete(child); },
  };
}

/** Whoever has a file of the history open for writing: the kernel says it. */
function writes({ pid }: Running): boolean {
  return readdirSync(`/proc/${pid}/fd`).some((fd) => {
    try {
      const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0', 8);
      return readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith('site.history') && (flags & constants.O_RDWR) !== 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;   // closed between the two looks
      throw error;
    }
  });
}

/** Instants of samples of the agent's own memory, one a second, since the beginning. */
async function instants(of: Running, since: number): Promise<number[]> {
  const series = await of.diag.metrics({ query: { metric: ['agent.working-set'], from: since, to: Date.now(), points: 3_000 } });
  assert.equal(series.stepMs, 1_000);
  return series.at.filter((_, i) => series.series[0]?.values[i] !== null);
}

const gaps = (at: readonly number[]): number[] => at.slice(1).map((one, i) => one - (at[i] ?? one));

test('each is killed in turn: the other goes on, nothing is seen twice, and no gap is longer than 15 s', { timeout: 240_000 }, async () => {
  const since = Date.now();
  let leading = await start('site');
  await waitFor('the first sample', async () => (await instants(leading, since)).length > 0);
  let reading = await start('webjob');
  await waitFor('the first to have its history open', () => writes(leading), 30_000);
  for (const signal of ['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const) {
    // The one without the lease shows what the other wrote, in the feed of its page too.
    const known = await waitFor(`${reading.name} to read what ${leading.name} wrote`, async () => { const at = await instants(reading, since); return at.length > 3 ? at : undefined; }, 30_000);
    const { processes } = await waitFor('a sample of the worker', async () => { const now = await reading.diag.processes(); return now.processes.some((p) => p.info.pid === worker.pid && p.sample) ? now : undefined; });
    assert.ok(processes.some((p) => p.info.pid === worker.pid));
    assert.equal(writes(reading), false, `${reading.name} only reads`);
    await leading.kill(signal);
    const at = Date.now();
    await waitFor(`${reading.name} to observe after ${leading.name} ended by ${signal}`, async () => (await instants(reading, since)).some((one) => one > at), GAP_MS);
    assert.ok((await instants(reading, since)).length > known.length);
    const next = await start(leading.name as 'site' | 'webjob');
    await waitFor('the taker to have its history open', () => writes(reading), 30_000);
    assert.equal(writes(next), false, 'the one that comes back does not observe too');
    [leading, reading] = [reading, next];
  }
  const seen = await instants(leading, since);
  const longest = Math.max(...gaps(seen));
  assert.ok(longest <= GAP_MS, `the longest gap is ${longest} ms`);
  assert.ok(gaps(seen).every((gap) => gap >= 1_000), 'one sample an instant');
  const { changes } = await leading.diag.changes({ query: { from: since } });
  const told = changes.filter((c) => c.kind === 'agent').map((c) => c.title).reverse();
  const taken = 'This agent observes now: the other one ended';
  assert.deepEqual(told, ['Agent started', taken, taken, 'Agent stopped', taken, taken]);
  const journals = join(home, 'data/DaaS/diag/journals');
  const lines = (await readFile(join(journals, (await readdir(journals))[0] ?? '', 'changes.jsonl'), 'utf8')).split('\n');
  assert.equal(lines.filter((line) => line.includes(`"start:${worker.pid}:`)).length, 1, 'a change is told once');
  process.stdout.write(`# longest gap ${longest} ms over ${seen.length} samples and four ends\n`);
});

test('a holder that hangs is followed by the other, and only reads when it comes back', { timeout: 120_000 }, async () => {
  const [first, second] = [await start('site'), await start('webjob')];
  const since = Date.now();
  await waitFor('the first to observe', () => writes(first), 30_000);
  process.kill(first.pid, 'SIGSTOP');
  await waitFor('the second to observe', () => writes(second), 40_000);
  process.kill(first.pid, 'SIGCONT');
  await waitFor('the first to let go of the history', () => !writes(first), 20_000);
  const seen = await waitFor('samples after it came back', async () => { const at = await instants(first, since); return (at.at(-1) ?? 0) > Date.now() - 3_000 ? at : undefined; });
  const longest = Math.max(...gaps(seen));
  assert.ok(longest <= GAP_MS, `the longest gap is ${longest} ms`);
});
