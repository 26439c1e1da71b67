// Owns the test of limits over instances with two real agents on one home: what fires on both at once is done once.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { startAgent, type Agent } from '../../src/agent/agent.ts';
import { configOf } from '../../src/agent/config.ts';
import { outrun } from '../../src/mitigate/rules/limits.ts';
import { Rule } from '../../src/shared/rules.ts';
import { victim } from '../support/victim.ts';
import { waitFor } from '../support/wait.ts';

const root = resolve(import.meta.dirname, '../..');
const HOUR_MS = 3_600_000;

const agentOf = (home: string, pid: number, instance: string): Promise<Agent> => startAgent(configOf({ DIAG_HOME: home, DIAG_TOKEN: 'a-token-for-tests-only', DIAG_PROCESSES: String(pid), DIAG_STATUS_FEED: 'off', PORT: '0', PATH: process.env['PATH'], WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: instance.repeat(32) }), { reportCss: join(root, 'public/report.css') });

test('a rule that fires on two instances in the same second acts on one of them, and the other one says why it did not', { timeout: 120_000 }, async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'two-instances-'));
  const app = await victim();
  const agents = [await agentOf(home, app.pid, 'aa'), await agentOf(home, app.pid, 'bb')];
  t.after(async () => { await Promise.all(agents.map((one) => one.stop())); await app.stop(); await rm(home, { recursive: true, force: true }); });
  assert.deepEqual(agents.map(({ platform, lead }) => [platform.host.app.instance, lead.leads()]), [['aaaaaa', true], ['bbbbbb', true]]);
  const done = join(home, 'done');
  await agents[0]?.rules.put(JSON.stringify({ rules: [{ id: 'once', when: { type: 'metric', metric: 'process.threads', above: 1 }, do: [{ type: 'run', program: '/bin/sh', arguments: ['-c', `echo x >> '${done}'`] }], limits: { perHour: 1 } }] }), agents[0].rules.version, 'test');
  const said = await waitFor('both to be at their end or held back', async () => {
    const all = await Promise.all(agents.map(async ({ rules }) => ({ entries: (await rules.history(100)).entries, phase: (await rules.list()).rules[0]?.phase })));
    return all.every(({ entries, phase }) => phase === 'held' && entries.every((one) => one.did !== 'fired' || entries.some((other) => other.did === 'closed' && other.firing === one.firing))) ? all : undefined;
  }, 60_000);
  assert.equal(await readFile(done, 'utf8'), 'x\n');
  const ends = said.flatMap(({ entries }) => entries.flatMap((one) => (one.did === 'ended' ? [`${one.result}: ${one.result === 'done' ? '' : one.says}`] : [])));
  assert.equal(ends.filter((one) => one.startsWith('done')).length, 1);
  for (const one of ends) assert.match(one, /^(done: |skipped: another instance fired first: the limit per hour over all instances holds)$/);
});

const rule = (limits: object): Rule => Rule.parse({ id: 'r', when: { type: 'exit' }, do: [{ type: 'recycle' }], limits });
for (const [what, limits, at, earlier, others, leaves] of [
  ['nobody else', { perHour: 1 }, 10, [], [], false],
  ['another one was first', { perHour: 1 }, 10, [], [{ at: 9, instance: 'zz' }], true],
  ['another one came later', { perHour: 1 }, 10, [], [{ at: 11, instance: 'aa' }], false],
  ['in the same millisecond the name decides', { perHour: 1 }, 10, [], [{ at: 10, instance: 'aa' }], true],
  ['and lets the first one act', { perHour: 1 }, 10, [], [{ at: 10, instance: 'zz' }], false],
  ['two an hour are two', { perHour: 2 }, 10, [], [{ at: 9, instance: 'aa' }], false],
  ['its own count too', { perHour: 2 }, 10, [8], [{ at: 9, instance: 'aa' }], true],
  ['an hour ago is out of the hour', { perHour: 1 }, HOUR_MS + 9, [], [{ at: 9, instance: 'aa' }], false],
  ['but in the day', { perDay: 1 }, HOUR_MS + 9, [], [{ at: 9, instance: 'aa' }], true],
] as const) test(`who acts: ${what}`, () => { assert.equal(outrun(rule(limits), { at, instance: 'mm' }, earlier, others) !== undefined, leaves); });
