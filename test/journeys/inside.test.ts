// Owns the journey of apps that die while they carry the preload: each of four ends leaves what it allows, and the agent shows it as the reason of the exit.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startAgent, type Agent } from '../../src/agent/agent.ts';
import { askOfApp } from '../../src/agent/app-asks.ts';
import { configOf } from '../../src/agent/config.ts';
import { eventXml } from '../analyze/real-world.ts';
import { openBench, type Bench } from '../preload/app.ts';
import { victim, type Victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const HEAP_MB = 32;
const ENDS = ['throw', 'abort', 'kill', 'heap', 'runs-on'] as const;
type End = (typeof ENDS)[number];
const victims = new Map<End, Victim>();
const of = (end: End): Victim => victims.get(end) as Victim;
let bench: Bench;
let top: string;
let agent: Agent | undefined;

before(async () => {
  bench = await openBench();
  top = await mkdtemp(join(tmpdir(), 'inside-'));
  const site = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: `a1b2c3${'0'.repeat(58)}`, DIAG_HOME: join(top, 'home') };
  for (const end of ENDS) victims.set(end, await victim({ env: { ...site, NODE_OPTIONS: `--require=${bench.preload}` }, nodeOptions: end === 'heap' ? [`--max-old-space-size=${HEAP_MB}`, '--max-semi-space-size=1'] : [] }));
  agent = await startAgent(configOf({ ...site, DIAG_TOKEN: 'a-token-for-tests-only', DIAG_PROCESSES: ENDS.map((end) => of(end).pid).join(), PORT: '0', PATH: process.env['PATH'] }), { reportCss: join(import.meta.dirname, '../../public/report.css') });
  for (const end of ENDS) await of(end).do('listen');
  await waitFor('all apps to tell', () => told().filter(({ ticks }) => ticks.length > 1).length === ENDS.length, 60_000);
});
after(async () => {
  await agent?.stop();
  for (const one of victims.values()) await one.stop();
  await rm(top, { recursive: true, force: true });
  await bench.close();
});

const told = () => agent?.observed.inside?.apps() ?? [];

/** Fills the heap, giving the loop its turns, as an app does that leaks: a seventh of its limit each second. */
async function fillHeap(leaking: Victim): Promise<void> {
  let over = false;
  void leaking.exited.then(() => { over = true; });
  const newest = () => told().find(({ process }) => process.pid === leaking.pid)?.ticks.at(-1);
  while (!over) {
    const seen = newest();
    await Promise.race([leaking.do('objects', { count: 36_000 }).catch(() => undefined), leaking.exited]);
    await waitFor('the heap after it, or the end', () => over || newest()?.seq !== seen?.seq);
  }
}

test('exception, abort, SIGKILL and heap exhaustion are told as the reasons of their exits: in the changes, in the list of apps, in the report', { timeout: 120_000 }, async () => {
  assert.ok(agent);
  const { observed, store } = agent;
  of('throw').send('throw', { message: 'the cart is gone' });
  of('abort').send('abort');
  process.kill(of('kill').pid, 'SIGKILL');
  await askOfApp(agent, of('heap').pid, { what: 'watch', artifact: 'report', atShare: 0.7 }, 'test', AbortSignal.timeout(10_000));
  await fillHeap(of('heap'));
  const reasons = await waitFor('all four exits with their reasons', () => {
    const exits = new Map(observed.changes.recent().filter(({ kind, detail }) => kind === 'exit' && detail !== undefined).map(({ pid, detail }) => [pid, detail]));
    const all = ENDS.map((end) => exits.get(of(end).pid));
    return all.filter((detail) => detail !== undefined).length === 4 ? all : undefined;
  }, 60_000);
  assert.match(reasons[0] ?? '', /^TypeError: the cart is gone, at .*victim\.mjs:\d+/);
  for (const i of [1, 2]) assert.match(reasons[i] ?? '', /^it ended from one moment to the next: killed, aborted or a crash of native code, heap [\d.]+ MiB of [\d.]+ [MG]iB shortly before$/);
  assert.match(reasons[3] ?? '', /^most likely the JavaScript heap was exhausted: [\d.]+ MiB of [\d.]+ MiB were used shortly before/);
  assert.equal(reasons[4], undefined, 'who runs on has not ended');
  assert.deepEqual(ENDS.map((end) => told().find(({ process }) => process.pid === of(end).pid)?.state), ['ended', 'ended', 'ended', 'ended', 'connected']);

  // As the platform writes it, later than we look at the processes.
  const codes = new Map<End, number>([['throw', 1], ['abort', 134], ['kill', 137], ['heap', 134]]);
  await mkdir(join(top, 'home/LogFiles'), { recursive: true });
  await writeFile(join(top, 'home/LogFiles/eventlog.xml'), eventXml([...codes].map(([end, code]) => ({ at: Date.now(), id: 1002, text: `Process '${of(end).pid}' listening on port '21453' crashed with exit code '${code}'.` }))));
  const exits = () => observed.changes.recent().filter(({ kind, exitCode, detail }) => kind === 'exit' && exitCode !== undefined && detail !== undefined);
  await waitFor('codes beside the reasons', () => new Set(exits().map(({ pid }) => pid)).size === 4, 60_000);

  const { session } = await agent.diagnose({ diagnosers: [{ id: 'changes' }, { id: 'event-log' }, { id: 'node-heap-watch' }], minutes: 15 }, 'test');
  await waitFor('the report', async () => (await store.sessions.get(session)).report, 60_000);
  const { findings, artifacts } = await store.sessions.report(session);
  assert.ok(artifacts.some(({ kind, note }) => kind === 'node-report' && note?.includes(`process ${of('heap').pid}`)), 'what the watch took before the end');
  const crashed = findings.find(({ id }) => id === 'worker-crashes');
  assert.match(crashed?.why ?? JSON.stringify(findings.map(({ id }) => id)), /left their reason: .*TypeError: the cart is gone/);
  assert.match(crashed?.title ?? '', /^The worker crashed 4 times/);
  const evidence = JSON.stringify(crashed?.evidence);
  for (const reason of [/the cart is gone/, /JavaScript heap was exhausted/, /killed, aborted or a crash of native code/]) assert.match(evidence, reason);
  assert.ok((await agent.now(15)).changes.some(({ detail }) => detail?.includes('the cart is gone') === true), 'the Now page says it too');
});
