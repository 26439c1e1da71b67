// Owns the proof that a deployment is told as what came before, not as the cause, and that a heap near its limit is seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployments } from '../../../src/analyze/analyzers/deployments.ts';
import { nodeReport } from '../../../src/analyze/analyzers/node-report.ts';
import type { Analyzer, ArtifactReader } from '../../../src/analyze/contracts.ts';
import { Finding } from '../../../src/shared/model.ts';
import { HOSTILE, WINDOW, at, changes, given, httpLog, never, reader } from '../artifacts.ts';

const run = async (analyzer: Analyzer, ...readers: ArtifactReader[]): Promise<readonly Finding[]> =>
  (await analyzer.analyze(given(...readers), { window: WINDOW }, never)).map((f) => Finding.parse(f));
const deployed = (...list: readonly object[]): ArtifactReader => reader('deployments', 'deployments.json', JSON.stringify({ version: 1, deployments: list, unreadable: [] }));
const ZIP = { id: '7f3a2c1e55aa77bb99cc00dd11ee22ff33445566', status: 'Success', message: 'apply vouchers', deployer: 'ZipDeploy', startedAt: at('02:13:20'), endedAt: at('02:13:29'), active: true };

test('the first failure after a deployment is told with the time between, and that this is no proof', async () => {
  const [found, ...rest] = await run(deployments, deployed(ZIP), httpLog('02:11:00 GET / 200 34 x50\n02:14:07 GET / 502.3.12030 9 x5'));
  assert.deepEqual(rest, []);
  assert.deepEqual([found?.id, found?.severity, found?.title], ['deployment-before-failures', 'warning', 'The first failure came 38 s after Deployment 7f3a2c1e55 "apply vouchers" by ZipDeploy']);
  assert.match(found?.why ?? '', /Before it 50 requests of the window went well and none failed\. That they follow each other is no proof/);
});

test('a deployment after the first failure, or one without failures, is only a fact', async () => {
  const later = await run(deployments, deployed(ZIP), httpLog('02:12:00 GET / 502.3.12030 9 x5'));
  assert.deepEqual(later.map((f) => [f.id, f.severity, f.why]), [['deployments-seen', 'info', 'The first failed request of the window came before it.']]);
  const fine = await run(deployments, deployed(ZIP), httpLog('02:14:00 GET / 200 9 x5'));
  assert.deepEqual(fine.map((f) => f.why), ['No request failed after it.']);
  const alone = await run(deployments, deployed(ZIP));
  assert.match(alone[0]?.why ?? '', /cannot be told whether requests failed/);
});

test('the same deployment seen by Kudu and by us is one; a configuration change counts too', async () => {
  const seen = { id: 'd', at: at('02:13:30'), kind: 'deployment' as const, level: 'neutral' as const, title: 'Deployment 7f3a2c1e55' };
  const both = await run(deployments, deployed(ZIP), changes(seen), httpLog('02:14:00 GET / 200 9'));
  assert.match(both[0]?.title ?? '', /^1 change in the window/);
  const setting = await run(deployments, changes({ ...seen, kind: 'configuration', title: 'web.config changed' }), httpLog('02:14:07 GET / 500.19 9 x3'));
  assert.deepEqual(setting.map((f) => [f.id, f.title]), [['configuration-before-failures', 'The first failure came 37 s after web.config changed']]);
});

test('nothing deployed is good; nothing collected says nothing; an old deployment is history', async () => {
  assert.deepEqual((await run(deployments, deployed())).map((f) => [f.id, f.severity]), [['no-deployment', 'good']]);
  assert.deepEqual((await run(deployments, deployed({ ...ZIP, startedAt: at('00:00:00'), endedAt: at('00:00:09') }), httpLog('02:14:07 GET / 500 9'))).map((f) => f.id), ['no-deployment']);
  assert.deepEqual(await run(deployments, httpLog('02:14:07 GET / 500 9')), []);
});

test('a failed deployment is a finding of its own; hostile messages stay one safe line', async () => {
  const found = await run(deployments, deployed({ ...ZIP, status: 'Failed' }, ...HOSTILE.map((message) => ({ ...ZIP, id: message, message, deployer: message }))));
  assert.equal(found.find((f) => f.id === 'deployment-failed')?.title, '1 deployment failed: Deployment 7f3a2c1e55 "apply vouchers" by ZipDeploy');
  for (const finding of found) assert.doesNotMatch(JSON.stringify(finding), /\\u001b|\\u0007|\u202e/);
});

const heap = (usedMemory: number, heapSizeLimit: number, more: object = {}): ArtifactReader => reader('node-report', 'node-report-7.json', JSON.stringify({ header: { nodejsVersion: 'v20.20.2', processId: 7, extra: 1 }, javascriptHeap: { usedMemory, heapSizeLimit }, ...more }));
const MIB = 1024 ** 2;

test('a heap with room is good, one near its limit a warning, at its limit critical with a restart', async () => {
  assert.deepEqual((await run(nodeReport, heap(34 * MIB, 2048 * MIB))).map((f) => [f.id, f.severity, f.title]), [['node-heap-has-room', 'good', 'The JavaScript heap holds 34 MiB of its limit of 2 GiB (1.66 %)']]);
  assert.deepEqual((await run(nodeReport, heap(90, 100))).map((f) => [f.id, f.severity]), [['node-heap-near-limit', 'warning']]);
  assert.deepEqual((await run(nodeReport, heap(97, 100))).map((f) => [f.severity, f.mitigations]), [['critical', ['restart']]]);
});

test('handles are counted by kind, own frames of the stack marked', async () => {
  const [found] = await run(nodeReport, heap(1, 100, { libuv: [{ type: 'tcp', is_active: true, fd: 3 }, { type: 'tcp', is_active: false }, { type: 'timer', is_active: true }], javascriptStack: { message: 'Error', stack: ['at work (/home/site/wwwroot/lib/work.js:3:1)', 'at process.processTimers (node:internal/timers:519:7)'] } }));
  const [handles, stack] = found?.evidence ?? [];
  assert.deepEqual(handles?.kind === 'table' && handles.rows, [['tcp', 2, 1], ['timer', 1, 1]]);
  assert.deepEqual(stack?.kind === 'stack' && stack.frames.map((f) => f.ours === true), [true, false]);
});

test('a report without its heap, or none at all, cannot tell', async () => {
  assert.deepEqual((await run(nodeReport, reader('node-report', 'r.json', '{"header":{}}'))).map((f) => [f.id, f.severity]), [['node-heap-unknown', 'cannot-tell']]);
  assert.deepEqual((await run(nodeReport, reader('node-report', 'r.json', 'null'))).map((f) => [f.id, f.severity]), [['node-report-unreadable', 'cannot-tell']]);
});

const limits = (open: number | string, more: object = {}): object => ({ userLimits: { open_files: { soft: open, hard: 1_048_576 }, core_file_size_blocks: { soft: 'unlimited', hard: 'unlimited' }, stack_size_bytes: { soft: 8_388_608, hard: 'unlimited' }, ...more } });
const sockets = (from: number, to: number): object => ({ libuv: Array.from({ length: to - from }, (_, i) => ({ type: 'tcp', is_active: true, fd: from + i })) });

test('limits of the process: open files near theirs, few of them, a small stack, no core; with room nothing is said', async () => {
  const said = async (more: object): Promise<(readonly [string, string, string])[]> => (await run(nodeReport, heap(1, 100, more))).slice(1).map((f) => [f.id, f.severity, f.title] as const);
  assert.deepEqual(await said({ ...limits(1_024), ...sockets(20, 500) }), []);
  assert.deepEqual(await said({ ...limits('unlimited'), ...sockets(20, 5_000) }), []);
  assert.deepEqual(await said({ ...limits(1_024), ...sockets(20, 900) }), [['node-open-files-near-limit', 'warning', 'The process uses file numbers up to 900 of 1,024 (87.9 %)']]);
  assert.deepEqual((await said({ ...limits(1_024), ...sockets(20, 1_020) })).map(([, severity]) => severity), ['critical']);
  assert.deepEqual((await said(limits(256))).map(([id]) => id), ['node-few-open-files']);
  assert.deepEqual((await said(limits(4_096, { stack_size_bytes: { soft: 65_536, hard: 65_536 }, core_file_size_blocks: { soft: 0, hard: 0 } }))).map(([id]) => id), ['node-small-stack', 'node-no-core']);
  assert.deepEqual(await said({ userLimits: { open_files: { soft: '', hard: null } } }), []);
});

test('what waits to be written is told, and the native stack stands beside that of JavaScript', async () => {
  const found = await run(nodeReport, heap(1, 100, { libuv: [{ type: 'tcp', writeQueueSize: 20 * MIB }, { type: 'pipe', writeQueueSize: 4 }], nativeStack: [{ pc: '0x1', symbol: ' ' }, { pc: '0x2', symbol: 'node::Start(int, char**) [node]' }] }));
  assert.deepEqual(found.map((f) => [f.id, f.title])[1], ['node-writes-waiting', '20 MiB wait to be written in 1 handle']);
  const native = found[0]?.evidence.find((one) => one.kind === 'stack' && one.title?.startsWith('Native stack') === true);
  assert.deepEqual(native?.kind === 'stack' && native.frames, [{ text: 'node::Start(int, char**) [node]' }]);
});
