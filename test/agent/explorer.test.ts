// Owns the tests of the close look at processes: search with its losses, names of connections, the JavaScript stack, the revealed variable, the end.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { createExplorer, type Explorer } from '../../src/agent/explorer.ts';
import { searchProcesses } from '../../src/agent/process-search.ts';
import { createHostNames, type Lookup } from '../../src/platform/host-names.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { codeOf, type ErrorCode } from '../../src/shared/errors.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { fakePlatform } from '../support/fake-platform.ts';
import { realPlatform } from '../support/real-platform.ts';
import { waitFor } from '../support/wait.ts';

const NEVER = new AbortController().signal;
const as = (wanted: ErrorCode) => (error: unknown): boolean => { assert.equal(codeOf(error), wanted); return true; };
const mask = (text: string): string => text.replaceAll('hunter2hunter2', '***');

async function explore(platform: Platform, processes: () => readonly ProcessInfo[], env: Readonly<Record<string, string>> = {}): Promise<{ explorer: Explorer; audited: string[]; published: string[] }> {
  const audited: string[] = [];
  const published: string[] = [];
  const explorer = createExplorer({
    platform, audit: async (who, did, what, result) => { audited.push(`${who} | ${did} | ${what} | ${result}`); },
    observed: { processes, publish: ({ title }) => { published.push(title); }, inside: { apps: () => [], ask: async () => { throw new Error('nobody asks here'); } } },
  }, { env }, mask);
  return { explorer, audited, published };
}

test('a search tells what it found, what it left out, who refused and what cannot be searched here', async (t) => {
  const platform = await fakePlatform();
  t.after(() => platform.remove());
  platform.put({ pid: 5_000, role: 'php', path: '/opt/sharp/php' });
  platform.setOpenFiles(4120, [...Array.from({ length: 300 }, (_, i) => `/home/Sharp-${i}.log`), '/home/sharp-0.log', '/etc/passwd', '/home/hunter2hunter2']);
  const list = [...await platform.processes(NEVER), { pid: 9_999, startedAt: 1, name: 'gone', role: 'other' as const }];
  const wanted = { text: 'sharp', kinds: ['modules', 'files'] as const, limit: 250, mask };
  const found = await searchProcesses(platform, list, wanted, NEVER);
  assert.deepEqual([found.found.length, found.more, found.searched, found.of, found.complete], [201, 101, 4, 4, true]);
  assert.deepEqual(found.refused.map(({ pid, why }) => [pid, why]), [[9_999, 'Process 9999 is not running any more.']]);
  assert.deepEqual(found.found.filter(({ pid }) => pid === 5_000).map(({ kind, text, role }) => [kind, text, role]), [['modules', '/opt/sharp/php', 'php']]);
  assert.equal((await searchProcesses(platform, list, { ...wanted, text: 'hunter2' }, NEVER)).found.length, 0, 'a masked secret cannot be found by guessing');
  platform.refuse('open-files', 'the test took it away');
  const without = await searchProcesses(platform, list, wanted, NEVER);
  assert.deepEqual([without.found.length, without.missing], [1, [{ kind: 'files', because: 'the test took it away' }]]);
});

test('names of remote ends: what the app calls, what DNS says, this machine; asked once, bounded, and what is late is told as unasked', async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  let silent = false;
  const open = (): Lookup => {
    let end: (error: Error) => void = () => undefined;
    const cancelled = new Promise<never>((_, reject) => { end = reject; });
    cancelled.catch(() => undefined);
    const answer = async (what: string, known: string | undefined): Promise<string[]> => { asked.push(what); if (silent) return await cancelled; if (known === undefined) throw new Error('ENOTFOUND'); return [known]; };
    return { reverse: (address) => answer(address, address === '10.0.0.9' ? 'db.internal' : undefined), resolve4: (name) => answer(name, name === 'api.example' ? '10.0.0.7' : undefined), resolve6: (name) => answer(`6 ${name}`, undefined), cancel: () => { end(new Error('ECANCELLED')); } };
  };
  const names = createHostNames(clock, open);
  const first = await names.of(['10.0.0.9', '10.0.0.7', '127.0.0.1', '10.0.0.5', '10.0.0.9'], ['api.example:443', 'https://api.example', 'localhost:80', '10.1.1.1:80'], NEVER);
  assert.deepEqual([...first.names].map(([address, { name, by }]) => [address, name, by]), [['10.0.0.9', 'db.internal', 'dns'], ['10.0.0.7', 'api.example', 'app'], ['127.0.0.1', 'this machine', 'machine']]);
  assert.deepEqual([first.unasked, asked.length], [0, 5]);
  await names.of(['10.0.0.9', '10.0.0.5', '10.0.0.7'], ['api.example'], NEVER);
  assert.equal(asked.length, 5, 'what is known is not asked again');
  silent = true;
  const waiting = names.of(['10.0.0.9', '10.0.0.6', ...Array.from({ length: 40 }, (_, i) => `10.7.0.${i}`)], [], NEVER);
  await clock.advance(1_000);
  const late = await waiting;
  assert.deepEqual([late.names.size, late.unasked, asked.length], [1, 41, 5 + 32]);
});

/** One victim for what needs a real process. */
async function living(t: TestContext): Promise<{ platform: Platform; info(): ProcessInfo; processes(): readonly ProcessInfo[]; made: Awaited<ReturnType<Awaited<ReturnType<typeof realPlatform>>['victim']>> }> {
  const real = await realPlatform();
  t.after(() => real.close());
  const made = await real.victim({ env: { SECRET_KEY: 'hunter2hunter2', PLAIN: 'hello' } });
  let list: readonly ProcessInfo[] = [];
  await waitFor('the victim in the list', async () => { list = await real.platform.processes(NEVER); return list.some(({ pid }) => pid === made.pid); });
  return { platform: real.platform, made, processes: () => list, info: () => list.find(({ pid }) => pid === made.pid) as ProcessInfo };
}

test('a real process: threads, modules, connections, the stack of a busy and of an idle loop, one variable, its end; each deed in the audit, none for a pid that is another\'s by now', async (t) => {
  const { platform, made, info, processes } = await living(t);
  const { explorer, audited, published } = await explore(platform, processes, { OWN_KEY: 'of the agent' });
  const target = info();
  const other = { pid: target.pid, startedAt: target.startedAt - 60_000 };
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.close(); });

  assert.ok((await explorer.threads(target, NEVER)).threads.some(({ state, name }) => state !== undefined && name !== undefined));
  assert.ok((await explorer.modules(target, true, NEVER)).modules.some(({ path }) => path.endsWith('/node')));
  const own = await explorer.connections({ pid: process.pid }, NEVER);
  assert.ok(own.connections.some(({ localPort, state }) => state === 'LISTEN' && localPort === (server.address() as { port: number }).port));
  await assert.rejects(explorer.threads(other, NEVER), as('PROCESS_REUSED'));

  const idle = await explorer.stack(target, 'me', NEVER);
  assert.deepEqual([idle.idle, idle.frames], [true, []]);
  made.send('block', { ms: 60_000 });
  await made.said('blocking');
  const busy = await explorer.stack(target, 'me', NEVER);
  assert.equal(busy.idle, false);
  assert.deepEqual(busy.frames.filter(({ text }) => /^block \(.*victim\.mjs:\d+:\d+\)$/.test(text)).map(({ ours }) => ours), [true], JSON.stringify(busy));

  assert.deepEqual(await explorer.reveal(target, 'SECRET_KEY', 'me', NEVER), { name: 'SECRET_KEY', value: 'hunter2hunter2' });
  assert.deepEqual(await explorer.reveal({ pid: process.pid, startedAt: processes().find(({ pid }) => pid === process.pid)?.startedAt ?? 0 }, 'OWN_KEY', 'me', NEVER), { name: 'OWN_KEY', value: 'of the agent' });
  await assert.rejects(explorer.reveal(target, 'NO_SUCH', 'me', NEVER), as('VARIABLE_UNKNOWN'));
  await assert.rejects(explorer.reveal(other, 'SECRET_KEY', 'me', NEVER), as('PROCESS_REUSED'));

  await assert.rejects(explorer.end(other, undefined, 'me'), as('PROCESS_REUSED'));
  await assert.rejects(explorer.end({ pid: process.pid, startedAt: processes().find(({ pid }) => pid === process.pid)?.startedAt ?? 0 }, undefined, 'me'), as('PROCESS_OURS'));
  assert.equal(explorer.offers(processes().find(({ pid }) => pid === process.pid) as ProcessInfo).end.yes, false);
  assert.equal(explorer.offers(target).end.yes, true);
  await explorer.end(target, 'it hangs', 'me');
  await waitFor('its end', async () => !(await platform.processes(NEVER)).some(({ pid }) => pid === target.pid));
  await assert.rejects(explorer.end(target, undefined, 'me'), as('PROCESS_GONE'));
  assert.deepEqual(published, [`Process ${target.pid} ended by me`]);
  assert.deepEqual(audited.map((line) => line.split(' | ')).map(([, did, , result]) => `${did}: ${result?.split(' ')[0]}`), [
    'look at: it', 'look at: told', 'reveal: shown', 'reveal: shown', 'end process: failed:', 'end process: failed:', 'end process: ended', 'end process: failed:',
  ]);
  assert.ok(!audited.join('\n').includes('hunter2hunter2') && audited[2]?.includes('SECRET_KEY'));
});
