// Owns the tests of the site's environment: what is masked, what is kept, and that a comparison tells hidden values apart without a way back to them.
import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startEnvironment, type SiteEnvironment } from '../../src/agent/environment.ts';
import { compareEnvironments } from '../../src/agent/environment-compare.ts';
import { makeMasker } from '../../src/analyze/masker.ts';
import type { Variable } from '../../src/platform/platform.ts';
import type { Change } from '../../src/shared/model.ts';
import { Comparison, EnvironmentView, groupVariables, Snapshots } from '../../src/shared/environment.ts';
import { codeOf } from '../../src/shared/errors.ts';
import type { KeptEnvironment } from '../../src/store/environments.ts';
import { fakePlatform, type FakePlatform } from '../support/fake-platform.ts';
import { waitFor } from '../support/wait.ts';

const NEVER = new AbortController().signal;
const WORKER = 4120;
const SECRET = 'pa55-of-the-shop-Xyz';

interface One { readonly platform: FakePlatform; readonly environment: SiteEnvironment; readonly audited: string[]; readonly published: Change[]; minute(): Promise<void> }

/** An agent's environment on an instance of its own, over the home of another where one is given. */
async function instance(t: TestContext, name: string, variables: readonly Variable[], home?: string): Promise<One> {
  const platform = await fakePlatform({ app: { instance: name, machine: `RD-${name}` }, ...(home === undefined ? {} : { home }) });
  platform.setEnvironment(WORKER, variables);
  const processes = await platform.processes(NEVER);
  const audited: string[] = [], published: Change[] = [];
  const ending = new AbortController();
  const environment = startEnvironment({
    platform, observed: { processes: () => processes, publish: (change) => { published.push(change); } }, lead: { leads: () => true }, log: { error: (text, _facts, error) => { assert.fail(`${text}: ${String(error)}`); } },
    audit: async (who, did, what, result) => { audited.push(`${who} ${did} ${what}: ${result}`); },
  }, { env: { OWN: 'of the agent' } }, (text) => makeMasker(variables).text(text).text, ending.signal);
  t.after(async () => { ending.abort(); await environment.stopped; await platform.remove(); });
  return { platform, environment, audited, published, minute: () => platform.clock.advance(60_000) };
}

const base = (over: Readonly<Record<string, string>> = {}): Variable[] => Object.entries({
  APPSETTING_CartUrl: 'https://cart', CartUrl: 'https://cart', APPSETTING_PaymentKey: SECRET, SQLAZURECONNSTR_Shop: `Server=db;Password=${SECRET}`, NODE_ENV: 'production', ECHO: `uses ${SECRET}`, WEBSITE_INSTANCE_ID: 'i', ...over,
}).map(([name, value]) => ({ name, value }));

async function filesOf({ platform }: One): Promise<string> {
  const top = join(platform.host.folders.own, 'environment');
  const names = (await readdir(top, { recursive: true })).filter((name) => name.endsWith('.json'));
  return (await Promise.all(names.map((name) => readFile(join(top, name), 'utf8')))).join('\n');
}

test('variables stand in their groups; one that only repeats a setting is left out and counted, one that differs from it stays', () => {
  const { entries, repeated } = groupVariables([...base(), { name: 'PaymentKey', value: 'another' }]);
  assert.deepEqual(entries.map(({ group, name, type }) => [group, name, type]), [
    ['setting', 'CartUrl', undefined], ['setting', 'PaymentKey', undefined], ['connection', 'Shop', 'Azure SQL'],
    ['variable', 'ECHO', undefined], ['variable', 'NODE_ENV', undefined], ['variable', 'PaymentKey', undefined], ['variable', 'WEBSITE_INSTANCE_ID', undefined],
  ]);
  assert.equal(repeated, 1);
});

test('what is shown is masked by name, by form and where one repeats the secret of another; limits near their end are told', async (t) => {
  const { platform, environment } = await instance(t, 'aaaaaa', base());
  platform.setCounters([{ group: 'app', name: 'activeConnections', value: 1_600, limit: 2_000 }, { group: 'app', name: 'threads', value: 12 }, { group: 'app', name: 'namedPipes', value: 79, limit: 100 }]);
  const view = EnvironmentView.parse(await environment.view('app', NEVER));
  assert.deepEqual(view.of, { kind: 'app', process: { pid: WORKER, startedAt: view.of.process?.startedAt, name: 'node' } });
  assert.ok(!JSON.stringify(view).includes(SECRET));
  assert.deepEqual(view.entries.filter((one) => one.masked).map((one) => one.name), ['PaymentKey', 'Shop', 'ECHO']);
  assert.deepEqual(view.limits.filter(({ group }) => group === 'app').map(({ title, share, near }) => [title, share, near]), [['Active connections', 0.8, true], ['Threads', undefined, false], ['Named pipes', 0.79, false]]);
  assert.deepEqual((await environment.view('agent', NEVER)).entries.map(({ name, value }) => [name, value]), [['OWN', 'of the agent']]);
  platform.refuse('environment', 'the test took it away');
  const own = await environment.view('app', NEVER);
  assert.deepEqual([own.of.kind, own.of.because], ['agent', 'the test took it away']);
});

test('two instances are compared over their home: hidden values are told equal and different, and no file or answer holds one', async (t) => {
  const a = await instance(t, 'aaaaaa', base());
  const b = await instance(t, 'bbbbbb', base({ APPSETTING_PaymentKey: 'another-key-Abc123', NODE_ENV: 'staging', EXTRA: '1', WEBSITE_INSTANCE_ID: 'j' }), a.platform.host.folders.home);
  for (const one of [a, b]) await one.minute();
  const list = await waitFor('both instances to be kept', async () => { const found = await a.environment.snapshots(); return found.instances.length === 2 ? found : undefined; });
  Snapshots.parse(list);
  const compared = Comparison.parse(await a.environment.compare('instance:bbbbbb', 'now', true, NEVER));
  assert.deepEqual(compared.entries.map(({ name, difference, expected }) => [name, difference, expected]), [
    ['PaymentKey', 'differs', false], ['ECHO', 'equal', false], ['NODE_ENV', 'differs', false], ['EXTRA', 'only-left', false],
    ['CartUrl', 'equal', false], ['Shop', 'equal', false], ['WEBSITE_INSTANCE_ID', 'differs', true],
  ].sort((x, y) => compared.entries.findIndex(({ name }) => name === x[0]) - compared.entries.findIndex(({ name }) => name === y[0])));
  assert.deepEqual([compared.differing, compared.equal, compared.notes], [3, 3, []]);
  assert.deepEqual(compared.entries.find(({ name }) => name === 'Shop')?.left?.masked, true);
  const everything = `${await filesOf(a)}${JSON.stringify(compared)}${JSON.stringify(list)}`;
  for (const secret of [SECRET, 'another-key-Abc123']) assert.ok(!everything.includes(secret));
  const marks = [...(await filesOf(a)).matchAll(/"mark":"(\w+)"/g)].map(([, mark]) => mark);
  assert.ok(marks.length >= 6 && !JSON.stringify(compared).includes(String(marks[0])), 'marks stay on the disk');
  // The same secret under two names, or under another key, has other marks: nobody can look one up.
  assert.equal(new Set(JSON.parse((await readFile(join(a.platform.host.folders.own, 'environment/instances/aaaaaa.json'), 'utf8'))).entries.flatMap((one: { mark?: string }) => one.mark ?? [])).size, 3);
});

test('now is compared with a saved moment; moments are bounded, listed, deleted, and survive a file that is none', async (t) => {
  const one = await instance(t, 'aaaaaa', base());
  const saved = await one.environment.save(`before ${SECRET}`, 'somebody', NEVER);
  assert.ok(!JSON.stringify(saved).includes(SECRET), 'a note is masked too');
  one.platform.setEnvironment(WORKER, base({ NODE_ENV: 'development', APPSETTING_PaymentKey: 'rotated-key-77' }));
  const compared = await one.environment.compare(saved.ref, 'now', false, NEVER);
  assert.deepEqual(compared.entries.map(({ name, difference }) => [name, difference]), [['PaymentKey', 'differs'], ['NODE_ENV', 'differs']]);
  await writeFile(join(one.platform.host.folders.own, 'environment/moments/261121-000000-000-torn.json'), '{"version":1,');
  for (let i = 1; i < 29; i += 1) { await one.platform.clock.advance(1); await one.environment.save(undefined, 'somebody', NEVER); }
  await assert.rejects(one.environment.save('one more', 'somebody', NEVER), (error) => codeOf(error) === 'TOO_MANY');
  const list = await one.environment.snapshots();
  assert.deepEqual([list.moments.length, list.unreadable, list.moments.at(-1)?.ref], [29, 1, saved.ref]);
  await one.environment.remove(saved.ref.replace('moment:', ''), 'somebody');
  for (const ref of [saved.ref, 'moment:261121-000000-000-torn', 'instance:none']) await assert.rejects(one.environment.compare(ref, 'now', false, NEVER), (error) => codeOf(error) === 'SNAPSHOT_UNKNOWN');
  assert.deepEqual(one.audited.length, 30);
});

test('an instance that wrote nothing for a week is forgotten by the others', async (t) => {
  const a = await instance(t, 'aaaaaa', base());
  const b = await instance(t, 'bbbbbb', base(), a.platform.host.folders.home);
  await b.minute();
  await waitFor('the other instance to be kept', async () => (await a.environment.snapshots()).instances.length === 1);
  const old = (a.platform.clock.now() - 8 * 86_400_000) / 1_000;
  await utimes(join(a.platform.host.folders.own, 'environment/instances/bbbbbb.json'), old, old);
  await a.minute();
  await waitFor('only ours to be left', async () => (await a.environment.snapshots()).instances.map(({ instance: name }) => name).join() === 'aaaaaa');
});

test('marks of different keys cannot be told; a value that is hidden on one side only differs', () => {
  const kept = (keyId: string, entries: KeptEnvironment['entries']): KeptEnvironment => ({ version: 1, at: 1, instance: 'a', machine: 'm', of: 'app', keyId, entries });
  const hidden = { group: 'setting', name: 'K', value: '***', masked: true, mark: 'm1' } as const;
  const open = { group: 'setting', name: 'K', value: 'x', masked: false } as const;
  const told = (left: KeptEnvironment, right: KeptEnvironment): string | undefined => compareEnvironments(left, right, true).entries[0]?.difference;
  assert.equal(told(kept('1', [hidden]), kept('2', [hidden])), 'cannot-tell');
  assert.equal(told(kept('1', [hidden]), kept('1', [hidden])), 'equal');
  assert.equal(told(kept('1', [hidden]), kept('1', [open])), 'differs');
  assert.equal(compareEnvironments(kept('1', [hidden]), { ...kept('2', []), of: 'agent' }, false).notes.length, 2);
});

test('what a new worker has otherwise than the one before is a change of the configuration, by names alone, also over a restart of the agent; an equal one is none', async (t) => {
  const before = await instance(t, 'aaaaaa', base());
  await before.minute();
  await waitFor('the first to be kept', async () => (await before.environment.snapshots()).instances.length === 1);
  const { home } = before.platform.host.folders;
  const same = await instance(t, 'aaaaaa', base({ WEBSITE_INSTANCE_ID: 'k' }), home);
  const other = await instance(t, 'aaaaaa', base({ APPSETTING_PaymentKey: 'another-key-Abc123', APPSETTING_New: '1', NODE_ENV: 'staging' }), home);
  await same.minute();
  await other.minute();
  const [change] = await waitFor('the change', () => (other.published.length > 0 ? other.published : undefined));
  assert.deepEqual([change?.kind, change?.level, change?.pid, change?.title], ['configuration', 'warning', WORKER, '2 settings were changed: PaymentKey, New']);
  assert.ok(!JSON.stringify(other.published).includes('another-key'));
  assert.deepEqual([before.published, same.published, other.published.length], [[], [], 1]);
});
