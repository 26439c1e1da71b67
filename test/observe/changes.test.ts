// Tests how changes are merged from processes, event log, error entries and callers that come in any order.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHANGES_KEPT, Changes } from '../../src/observe/changes.ts';
import { eventChange } from '../../src/observe/events.ts';
import { createFeed } from '../../src/observe/feed.ts';
import type { Change, ProcessInfo } from '../../src/shared/model.ts';
import type { Journal } from '../../src/store/store.ts';

const NOW = Date.UTC(2026, 10, 21, 2, 0, 0);

/** A journal in memory; `fails` makes every append fail. */
function journal(entries: Change[] = [], fails = false): Journal<Change> & { readonly all: Change[] } {
  const all = [...entries];
  return {
    all,
    append: async (entry) => { if (fails) throw new Error('the disk is full'); all.push(entry); },
    recent: async (limit) => ({ entries: [...all].reverse().slice(0, limit), unreadable: 0 }),
  };
}

function setup(kept = journal(), startsEarlyMs = 0): { changes: Changes; feed: ReturnType<typeof createFeed<Change>>; kept: ReturnType<typeof journal>; newest(id: string): Change | undefined; told(): Change[] } {
  const feed = createFeed<Change>(CHANGES_KEPT);
  const changes = new Changes({ feed, journal: kept, startsEarlyMs });
  return { changes, feed, kept, newest: (id) => feed.recent().filter((one) => one.id === id).at(-1), told: () => [...feed.recent()] };
}

const worker = (pid: number, startedAt = NOW - 60_000, role: ProcessInfo['role'] = 'worker'): ProcessInfo => ({ pid, startedAt, name: 'node', role });
const crash = (pid: number, at: number, code = 1) => eventChange({ at, id: 1002, provider: 'HttpPlatformHandler', level: 'error', text: `Process '${pid}' listening on port '4711' crashed with exit code '${code}'.` });

describe('an exit, told by processes, event log and stderr in any order, is one change', () => {
  const steps: Readonly<Record<'diff' | 'event' | 'stderr', (changes: Changes) => void>> = {
    diff: (changes) => changes.processes([], NOW),
    event: (changes) => { const event = crash(5988, NOW - 400); assert.ok(event); changes.event(event, '77'); },
    stderr: (changes) => changes.error(5988, NOW - 450, { detail: 'TypeError, lib/cart.js:41', sure: true }),
  };
  for (const order of [['diff', 'event', 'stderr'], ['event', 'diff', 'stderr'], ['stderr', 'diff', 'event'], ['stderr', 'event', 'diff'], ['diff', 'stderr', 'event'], ['event', 'stderr', 'diff']] as const) {
    test(order.join(', '), () => {
      const { changes, newest, told } = setup();
      changes.processes([worker(5988)], NOW - 2_000);
      for (const step of order) steps[step](changes);
      const id = `exit:5988:${NOW - 60_000}`;
      assert.deepEqual(newest(id), { id, at: NOW - 400, kind: 'exit', level: 'critical', title: 'Worker 5988 exited with code 1', detail: 'TypeError, lib/cart.js:41', pid: 5988, exitCode: 1 });
      assert.deepEqual([...new Set(told().map((one) => one.id))], [`start:5988:${NOW - 60_000}`, id]);
      assert.deepEqual(changes.exits(NOW - 1_000), [{ process: { pid: 5988, startedAt: NOW - 60_000 }, name: 'node', at: NOW - 400, exitCode: 1 }]);
    });
  }
});

test('a start stands after the exit that it follows, though the kernel tells starts too early, and at the same instant after a restart of ours', async () => {
  const { changes, newest, kept } = setup(journal(), 700);
  changes.processes([worker(1)], NOW - 2_000);
  const exit = crash(1, NOW - 400);
  assert.ok(exit);
  changes.event(exit, '77');
  changes.processes([worker(2, NOW - 700)], NOW + 300);
  assert.deepEqual([newest(`exit:1:${NOW - 60_000}`)?.at, newest(`start:2:${NOW - 700}`)?.at], [NOW - 400, NOW]);
  await changes.saved();
  const again = setup(kept, 710);
  await again.changes.load();
  again.changes.processes([worker(2, NOW - 700)], NOW + 60_000);
  assert.equal(again.newest(`start:2:${NOW - 700}`)?.at, NOW);
});

test('an exit without a code is a warning; one after a restart that was asked for is neutral', () => {
  const { changes, newest } = setup();
  changes.processes([worker(1, NOW), worker(2, NOW)], NOW);
  changes.publish({ id: 'restart:2', at: NOW + 1_000, kind: 'restart', level: 'neutral', title: 'Restarted by someone', pid: 2 });
  changes.processes([], NOW + 2_000);
  assert.deepEqual([newest(`exit:1:${NOW}`)?.level, newest(`exit:1:${NOW}`)?.exitCode], ['warning', undefined]);
  assert.deepEqual([newest(`exit:2:${NOW}`)?.level, newest(`exit:2:${NOW}`)?.detail], ['neutral', 'restart asked for']);
});

test('a process too short-lived to be seen still has its exit, once', () => {
  const { changes, told } = setup();
  changes.processes([], NOW);
  const event = crash(99, NOW + 500, 134);
  assert.ok(event);
  changes.event(event, '5');
  changes.event(event, '5');
  changes.error(99, NOW + 600, { detail: 'Error, boot.js:3', sure: true });
  changes.error(99, NOW + 700, { detail: 'shutting down', sure: false });
  assert.deepEqual(told().map((one) => [one.id, one.title, one.detail]), [[`exit:99:${NOW + 500}`, 'Worker 99 exited with code 134', undefined], [`exit:99:${NOW + 500}`, 'Worker 99 exited with code 134', 'Error, boot.js:3']]);
});

test('a reused pid: the row of the event log belongs to the process that has the pid now', () => {
  const { changes, newest } = setup();
  changes.processes([worker(7, NOW - 60_000)], NOW - 10_000);
  changes.processes([worker(7, NOW - 8_000)], NOW - 8_000);
  const event = crash(7, NOW);
  assert.ok(event);
  changes.event(event, '1');
  assert.deepEqual([newest(`exit:7:${NOW - 60_000}`)?.exitCode, newest(`exit:7:${NOW - 8_000}`)?.exitCode], [undefined, 1]);
});

test('ours, the SCM site\'s and helpers of the app are not told', () => {
  const { changes, told } = setup();
  changes.processes([{ ...worker(1), ours: true }, worker(2, NOW, 'scm'), worker(3, NOW, 'other'), worker(4, NOW, 'php')], NOW);
  changes.processes([], NOW + 1_000);
  assert.deepEqual(told().map((one) => one.title), ['PHP 4 started', 'PHP 4 exited']);
});

test('a flood of children is bounded and counted; workers are always told', () => {
  const { changes, told } = setup();
  for (let i = 0; i < 500; i += 1) changes.processes([worker(1_000 + i, NOW + i, 'php')], NOW + i);
  changes.processes([worker(1, NOW)], NOW + 600);
  assert.ok(told().length <= 62, String(told().length));
  assert.ok((changes.lost()[0]?.count ?? 0) > 900);
  assert.equal(told().at(-1)?.title, 'Worker 1 started');
});

test('changes survive a restart: the last word of each, no start or exit told again, late explanations still join', async () => {
  const kept = journal();
  const first = setup(kept);
  first.changes.processes([worker(5988), worker(5)], NOW - 2_000);
  first.changes.processes([worker(5)], NOW);
  await first.changes.saved();
  const second = setup(kept);
  await second.changes.load();
  const before = second.told().length;
  second.changes.processes([worker(5)], NOW + 5_000);
  assert.equal(second.told().length, before);
  const event = crash(5988, NOW - 300);
  assert.ok(event);
  second.changes.event(event, '1');
  assert.deepEqual([second.newest(`exit:5988:${NOW - 60_000}`)?.exitCode, second.told().length], [1, before + 1]);
});

test('what cannot be saved is counted and still told', async () => {
  const { changes, told } = setup(journal([], true));
  changes.publish({ id: 'a', at: NOW, kind: 'agent', level: 'neutral', title: 'x' });
  await changes.saved();
  assert.deepEqual([told().length, changes.saveError, changes.lost()], [1, 'the disk is full', [{ what: 'changes that could not be saved', count: 1 }]]);
});

test('memory is bounded over many restarts of workers', () => {
  const { changes } = setup();
  for (let i = 0; i < 5_000; i += 1) {
    changes.processes([worker(i + 1, NOW + i * 1_000)], NOW + i * 1_000);
    changes.error(i + 1, NOW + i * 1_000, { detail: 'e', sure: false });
  }
  assert.ok(changes.size <= 2 * CHANGES_KEPT + 200, String(changes.size));
});

const events: readonly (readonly [string, number, string, Partial<Change> | undefined])[] = [
  ['HttpPlatformHandler', 1002, 'Process \'31\' listening on port \'1\' crashed with exit code \'137\' (signal SIGKILL).', { kind: 'exit', pid: 31, exitCode: 137, signal: 'SIGKILL', title: 'Worker 31 was ended by SIGKILL' }],
  ['HttpPlatformHandler', 1000, 'Process \'31\' failed to listen on port \'1\': it ended with exit code \'78\'.', { kind: 'exit', pid: 31, exitCode: 78, title: 'Worker 31 did not start listening with code 78' }],
  ['HttpPlatformHandler', 1000, 'The worker process could not be started: spawn ENOENT', { kind: 'exit', title: 'The app\'s process could not be started' }],
  ['HttpPlatformHandler', 1001, 'Process \'31\' started successfully and is listening on port \'1\'.', undefined],
  ['HttpPlatformHandler', 1003, 'Maximum rapid fail count of \'10\' within 60000 ms exceeded: process \'31\' was the last to end, with exit code \'1\'.', { kind: 'stopped', level: 'critical' }],
  ['W3SVC-WP', 2299, 'Worker process requested recycle due to \'Status Code\' limit.', { kind: 'restart', level: 'warning', title: 'Auto-heal recycled the worker: limit "Status Code"' }],
  ['.NET Runtime', 1026, 'Application: w3wp.exe\nDescription: The process was terminated due to an unhandled exception.\nException Info: System.InvalidOperationException: no cart\n   at Shop.Cart.Apply()', { kind: 'exit', level: 'critical', detail: 'System.InvalidOperationException: no cart' }],
  ['Application Error', 1000, 'Faulting application name: w3wp.exe, version: 10.0\nFaulting module name: KERNELBASE.dll, version: 10\nException code: 0xe0434352\nFaulting process id: 0x1a2c\n', { kind: 'exit', pid: 0x1a2c, title: 'w3wp.exe crashed', detail: 'exception 0xe0434352 in KERNELBASE.dll' }],
  ['IIS AspNetCore Module V2', 1018, 'Application \'/LM/W3SVC/1/ROOT\' with physical root \'C:\\home\\site\\wwwroot\\\' has exited from Program.Main with exit code = \'0\'.', { kind: 'exit', level: 'critical' }],
  ['ASP.NET 4.0.30319.0', 1309, 'Event code: 3005 An unhandled exception has occurred.', undefined],
  ['Somebody', 1, 'password=hunter2hunter2', undefined],
];

test('rows of the event log as changes', () => {
  for (const [provider, id, text, want] of events) {
    const found = eventChange({ at: NOW, id, provider, level: 'error', text });
    if (want === undefined) { assert.equal(found, undefined, `${provider} ${id}`); continue; }
    for (const [key, value] of Object.entries(want)) assert.deepEqual((found as unknown as Record<string, unknown> | undefined)?.[key], value, `${provider} ${id} ${key}`);
  }
});

test('.NET\'s row without a pid explains the exit beside it, else stands alone', () => {
  const { changes, newest, told } = setup();
  const dotnet = eventChange({ at: NOW, id: 1026, provider: '.NET Runtime', level: 'error', text: 'Exception Info: System.Exception: x' });
  assert.ok(dotnet);
  changes.event(dotnet, '9');
  assert.equal(told().at(-1)?.id, 'event:9');
  changes.processes([worker(5)], NOW);
  changes.processes([], NOW + 1_000);
  changes.event(dotnet, '10');
  assert.deepEqual([newest(`exit:5:${NOW - 60_000}`)?.detail, newest(`exit:5:${NOW - 60_000}`)?.level], ['System.Exception: x', 'critical']);
});
