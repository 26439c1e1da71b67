// Owns the tests of every route over a real agent: success, bad input, missing token, wrong Origin, and what is refused besides.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import supertest from 'supertest';
import { api, type Problem, type Route, type RouteName } from '../../src/shared/api.ts';
import { address } from '../../src/shared/connect.ts';
import { smallCore } from '../analyze/dump/small-dumps.ts';
import { randomHeap } from '../analyze/heap/random-heap.ts';
import { agentUnderTest, TOKEN, type AgentUnderTest } from '../support/agent.ts';
import { waitFor } from '../support/wait.ts';
import { fileCalls } from './file-calls.ts';

let given: AgentUnderTest;
let session = '';
let operation = '';
let source = '';
let artifact = { instance: '', name: '' };
let core = { instance: '', name: '' };
let profile = { instance: '', name: '' };
let heap = { instance: '', name: '' };
let moment = '';
let shell = '';
const BASE = '/diag';
const HOST = '127.0.0.1';

type Sent = { params?: object; query?: object; body?: object };
function send(name: RouteName, call: Sent = {}, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }): supertest.Test {
  const method = (api[name] as Route).method.toLowerCase() as 'get' | 'post' | 'put' | 'delete';
  const request = supertest(given.app)[method](address(BASE, name, call.params, call.query)).set('host', HOST);
  for (const [key, value] of Object.entries(headers)) request.set(key, value);
  return call.body === undefined ? request : request.send(call.body);
}
const code = (answer: supertest.Response): string => (answer.body as Problem).code;

before(async () => {
  given = await agentUnderTest();
  await writeFile(join(given.home, 'site/wwwroot/web.config'), WEB_CONFIG);
  await waitFor('the observer to see the victim', () => given.agent.observed.processes().some((p) => p.pid === given.victim.pid));
  const logs = await send('logs');
  source = (logs.body as { sources: { id: string; title: string }[] }).sources.find((s) => s.title.includes('stderr'))?.id ?? '';
  const started = await send('startSession', { body: { diagnosers: [{ id: 'http-logs' }, { id: 'application-logs' }, { id: 'event-log' }, { id: 'environment' }], minutes: 15 } });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  ({ session, operation } = started.body as { session: string; operation: string });
  const ended = await waitFor('the session to end', async () => {
    const answer = await send('session', { params: { session } });
    return (answer.body as { state: string }).state === 'running' ? undefined : answer.body as { state: string; artifacts: { instance: string; name: string; kind: string }[] };
  }, 60_000);
  assert.equal(ended.state, 'done', JSON.stringify(ended));
  const [first] = ended.artifacts;
  artifact = { instance: first?.instance ?? '', name: first?.name ?? '' };
  ({ shell: { id: shell } } = (await send('openShell', { body: {} })).body as { shell: { id: string } });
  moment = ((await send('saveMoment', { body: { note: 'before' } })).body as { ref: string }).ref.replace('moment:', '');
  const draft = await given.agent.store.artifacts.writer(session).draft('core-dump', 'worker.core');
  draft.stream().end(smallCore());
  core = await draft.commit();
  profile = await kept('cpu-profile', 'node.cpuprofile', '{"nodes":[{"id":1,"callFrame":{"functionName":"work","url":"/app.js","lineNumber":0,"columnNumber":0}}],"samples":[1],"timeDeltas":[0],"startTime":0,"endTime":9}');
  heap = await kept('heap-snapshot', 'node.heapsnapshot', randomHeap(1, 60).text);
  for (const [name, params, query] of [['readDump', core, {}], ['readProfile', profile, {}], ['readHeap', heap, {}], ['readHeap', heap, { base: heap.name }]] as const) {
    const reading = await send(name, { params: { session, ...params }, query });
    await waitFor(`${name} to end`, async () => { const { state, note } = (await send('operation', { params: { operation: (reading.body as { id: string }).id } })).body as { state: string; note?: string }; assert.notEqual(state, 'failed', note); return state === 'done'; });
  }
});
after(async () => { await given.stop(); });

async function kept(kind: 'cpu-profile' | 'heap-snapshot', name: string, content: string): Promise<{ instance: string; name: string }> {
  const draft = await given.agent.store.artifacts.writer(session).draft(kind, name);
  draft.stream().end(content);
  return await draft.commit();
}

const startedAt = (): number | undefined => given.agent.observed.processes().find((p) => p.pid === given.victim.pid)?.startedAt;
/** What every look at one process refuses alike. */
const NOT_THERE: readonly [Sent, number, string][] = [[{ params: { pid: 'one' } }, 400, 'BAD_INPUT'], [{ params: { pid: 999_999_999 } }, 404, 'PROCESS_GONE']];
const reused = (): [Sent, number, string] => [{ params: { pid: given.victim.pid }, query: { startedAt: 1 } }, 409, 'PROCESS_REUSED'];

const RULES = '{ "rules": [ /* ours */ { "id": "hot", "enabled": false, "when": { "type": "metric", "metric": "site.cpu", "above": 90 }, "do": [{ "type": "diagnose" }] } ] }';
const HOT = { id: 'hot', enabled: false, when: { type: 'metric', metric: 'site.cpu', above: 80 }, do: [{ type: 'diagnose' }] };
/** Link-local: set up it may be, asked it never is. */
const HOOK = { id: 'hook', type: 'webhook', url: 'http://169.254.169.254/latest' };

const WEB_CONFIG = '<configuration>\r\n  <system.webServer>\r\n  </system.webServer>\r\n</configuration>\r\n';
const HEAL = { triggers: { statusCodes: [{ status: 503, count: 5, timeInterval: '00:01:00' }] }, actions: { actionType: 'Recycle' } };
const healEtag = (): string => createHash('sha256').update(readFileSync(join(given.home, 'site/wwwroot/web.config'))).digest('hex').slice(0, 32);
const healBackup = (): string => readdirSync(join(given.home, 'data/DaaS/diag/auto-heal'))[0]?.split('.')[0] ?? '';

/** For each route one good call and bad ones; a route without an entry does not compile. */
const calls: { readonly [N in RouteName]: () => { good: Sent; status?: number; bad: readonly [Sent, number, string][] } } = {
  login: () => ({ good: { body: { token: TOKEN } }, bad: [[{ body: {} }, 400, 'BAD_INPUT'], [{ body: { token: 'wrong-token' } }, 401, 'LOGIN_REFUSED']] }),
  logout: () => ({ good: { body: {} }, bad: [] }),
  alive: () => ({ good: {}, bad: [] }),
  agent: () => ({ good: {}, bad: [] }),
  doctor: () => ({ good: {}, bad: [] }),
  now: () => ({ good: { query: { minutes: 5 } }, bad: [[{ query: { minutes: 0 } }, 400, 'BAD_INPUT'], [{ query: { minutes: 'x' } }, 400, 'BAD_INPUT']] }),
  metrics: () => ({ good: { query: { metric: ['site.cpu', 'http.requests'] } }, bad: [[{ query: { metric: ['no.such'] } }, 400, 'BAD_INPUT'], [{}, 400, 'BAD_INPUT'], [{ query: { metric: ['site.cpu'], from: 2, to: 1 } }, 400, 'BAD_INPUT']] }),
  processes: () => ({ good: {}, bad: [] }),
  process: () => ({ good: { params: { pid: given.victim.pid } }, bad: [[{ params: { pid: 'one' } }, 400, 'BAD_INPUT'], [{ params: { pid: 999_999_999 } }, 404, 'PROCESS_GONE']] }),
  searchProcesses: () => ({ good: { query: { text: 'node' } }, bad: [[{ query: { text: 'x' } }, 400, 'BAD_INPUT'], [{ query: { text: 'node', in: ['sockets'] } }, 400, 'BAD_INPUT']] }),
  processModules: () => ({ good: { params: { pid: given.victim.pid }, query: { startedAt: startedAt() } }, bad: [...NOT_THERE, reused()] }),
  processThreads: () => ({ good: { params: { pid: given.victim.pid } }, bad: [...NOT_THERE, reused()] }),
  processConnections: () => ({ good: { params: { pid: given.victim.pid } }, bad: [...NOT_THERE, reused()] }),
  processStack: () => ({ good: { params: { pid: given.victim.pid }, body: { startedAt: startedAt() } }, bad: [[{ params: { pid: given.victim.pid }, body: {} }, 400, 'BAD_INPUT'], [{ params: { pid: given.victim.pid }, body: { startedAt: 1 } }, 409, 'PROCESS_REUSED'], [{ params: { pid: 999_999_999 }, body: { startedAt: 1 } }, 404, 'PROCESS_GONE']] }),
  revealVariable: () => ({ good: { params: { pid: given.victim.pid }, body: { startedAt: startedAt(), name: 'GREETING' } }, bad: [[{ params: { pid: given.victim.pid }, body: { startedAt: startedAt(), name: 'NO_SUCH' } }, 404, 'VARIABLE_UNKNOWN'], [{ params: { pid: given.victim.pid }, body: { startedAt: 1, name: 'GREETING' } }, 409, 'PROCESS_REUSED'], [{ params: { pid: given.victim.pid }, body: { name: 'GREETING' } }, 400, 'BAD_INPUT']] }),
  endProcess: () => ({ good: { params: { pid: process.pid }, body: { startedAt: given.agent.observed.processes().find((p) => p.pid === process.pid)?.startedAt } }, status: 403, bad: [[{ params: { pid: given.victim.pid }, body: { startedAt: 1 } }, 409, 'PROCESS_REUSED'], [{ params: { pid: given.victim.pid }, body: {} }, 400, 'BAD_INPUT'], [{ params: { pid: 999_999_999 }, body: { startedAt: 1 } }, 404, 'PROCESS_GONE']] }),
  environment: () => ({ good: {}, bad: [[{ query: { of: 'other' } }, 400, 'BAD_INPUT']] }),
  surroundings: () => ({ good: {}, bad: [[{ query: { fresh: 'often' } }, 400, 'BAD_INPUT']] }),
  snapshots: () => ({ good: {}, bad: [] }),
  compareEnvironments: () => ({ good: { query: { left: `moment:${moment}`, all: true } }, bad: [[{}, 400, 'BAD_INPUT'], [{ query: { left: 'moment:../../key' } }, 400, 'BAD_INPUT'], [{ query: { left: 'moment:260101-000000-000-none' } }, 404, 'SNAPSHOT_UNKNOWN'], [{ query: { left: 'instance:none' } }, 404, 'SNAPSHOT_UNKNOWN']] }),
  saveMoment: () => ({ good: { body: { note: 'after' } }, bad: [[{ body: { note: 'x'.repeat(201) } }, 400, 'BAD_INPUT']] }),
  deleteMoment: () => ({ good: { params: { moment } }, bad: [[{ params: { moment: '../key' } }, 400, 'BAD_INPUT'], [{ params: { moment: '260101-000000-000-none' } }, 404, 'SNAPSHOT_UNKNOWN']] }),
  app: () => ({ good: {}, bad: [[{ query: { pid: 'one' } }, 400, 'BAD_INPUT'], [{ query: { pid: given.victim.pid } }, 503, 'APP_UNREACHABLE']] }),
  askApp: () => ({ good: { params: { pid: given.victim.pid }, body: { what: 'follow', forSeconds: 1 } }, status: 503, bad: [[{ params: { pid: given.victim.pid }, body: { what: 'follow', forSeconds: 3_600 } }, 400, 'BAD_INPUT'], [{ params: { pid: 1 }, body: { what: 'kill' } }, 400, 'BAD_INPUT']] }),
  requests: () => ({ good: { query: { failed: true, filter: '-path:/health', limit: 1 } }, bad: [[{ query: { filter: 'colour:red' } }, 400, 'HTTP_FILTER_BAD'], [{ query: { status: 'bad' } }, 400, 'HTTP_FILTER_BAD'], [{ query: { after: 'x' } }, 400, 'CURSOR_BAD'], [{ query: { limit: 0 } }, 400, 'BAD_INPUT'], [{ query: { limit: 10_001 } }, 400, 'BAD_INPUT']] }),
  http: () => ({ good: { query: { filter: 'failed' } }, bad: [[{ query: { filter: '"open' } }, 400, 'HTTP_FILTER_BAD'], [{ query: { from: -1 } }, 400, 'BAD_INPUT']] }),
  changes: () => ({ good: {}, bad: [[{ query: { limit: 'all' } }, 400, 'BAD_INPUT']] }),
  logs: () => ({ good: {}, bad: [] }),
  logLines: () => ({ good: { params: { source } }, bad: [[{ params: { source: 'nosuchlog' } }, 404, 'SOURCE_UNKNOWN'], [{ params: { source: '..%2F..' } }, 400, 'BAD_INPUT'], [{ params: { source }, query: { before: 'junk' } }, 400, 'CURSOR_BAD'], [{ params: { source }, query: { regex: '(?<=a)b' } }, 400, 'FILTER_BAD']] }),
  logFile: () => ({ good: { params: { source } }, bad: [[{ params: { source: 'nosuchlog' } }, 404, 'SOURCE_UNKNOWN']] }),
  logProviders: () => ({ good: {}, bad: [] }),
  logBundle: () => ({ good: { query: { providers: ['event-log', 'deployments'], from: 0, maxBytes: 1_000_000 } }, bad: [[{ query: { providers: ['secrets'] } }, 400, 'BAD_INPUT'], [{ query: { from: 2, to: 1 } }, 400, 'BAD_INPUT'], [{ query: { maxBytes: 1 } }, 400, 'BAD_INPUT']] }),
  diagnosers: () => ({ good: { query: { pid: given.victim.pid } }, bad: [[{ query: { pid: 'one' } }, 400, 'BAD_INPUT']] }),
  startSession: () => ({ good: { body: { diagnosers: [{ id: 'event-log' }] } }, status: 202, bad: [[{ body: { diagnosers: [] } }, 400, 'BAD_INPUT'], [{ body: { diagnosers: [{ id: 'no-such' }] } }, 400, 'DIAGNOSER_UNKNOWN'], [{ body: { minutes: 0 } }, 400, 'BAD_INPUT']] }),
  sessions: () => ({ good: {}, bad: [] }),
  session: () => ({ good: { params: { session } }, bad: [[{ params: { session: '../../etc' } }, 400, 'BAD_INPUT'], [{ params: { session: '010101_0000000000' } }, 404, 'SESSION_UNKNOWN']] }),
  pinSession: () => ({ good: { params: { session }, body: { pinned: true } }, bad: [[{ params: { session }, body: { pinned: 'yes' } }, 400, 'BAD_INPUT'], [{ params: { session: '010101_0000000000' }, body: { pinned: true } }, 404, 'SESSION_UNKNOWN']] }),
  sessionReport: () => ({ good: { params: { session } }, bad: [[{ params: { session: '010101_0000000000' } }, 404, 'SESSION_UNKNOWN']] }),
  sessionPage: () => ({ good: { params: { session } }, bad: [[{ params: { session: 'x' } }, 400, 'BAD_INPUT']] }),
  sessionBundle: () => ({ good: { params: { session } }, bad: [[{ params: { session: '010101_0000000000' } }, 404, 'SESSION_UNKNOWN']] }),
  sessionArtifact: () => ({ good: { params: { session, ...artifact } }, bad: [[{ params: { session, instance: artifact.instance, name: '../../secret' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, instance: '..', name: 'x' } }, 404, 'ARTIFACT_UNKNOWN']] }),
  readDump: () => ({ good: { params: { session, ...core } }, status: 202, bad: [[{ params: { session, instance: core.instance, name: 'other.core' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, ...artifact } }, 400, 'BAD_INPUT']] }),
  dump: () => ({ good: { params: { session, ...core } }, bad: [[{ params: { session, instance: '..', name: 'x' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, ...artifact } }, 400, 'BAD_INPUT']] }),
  readProfile: () => ({ good: { params: { session, ...profile } }, status: 202, bad: [[{ params: { session, instance: core.instance, name: 'other.cpuprofile' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, ...core } }, 400, 'BAD_INPUT']] }),
  profile: () => ({ good: { params: { session, ...profile } }, bad: [[{ params: { session, instance: '..', name: 'x' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, ...core } }, 400, 'BAD_INPUT']] }),
  readHeap: () => ({ good: { params: { session, ...heap }, query: { base: heap.name } }, status: 202, bad: [[{ params: { session, ...heap }, query: { base: 'other.heapsnapshot' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, ...profile } }, 400, 'BAD_INPUT']] }),
  heap: () => ({ good: { params: { session, ...heap } }, bad: [[{ params: { session, ...heap }, query: { base: '../x' } }, 404, 'ARTIFACT_UNKNOWN'], [{ params: { session, ...core } }, 400, 'BAD_INPUT']] }),
  operations: () => ({ good: {}, bad: [] }),
  operation: () => ({ good: { params: { operation } }, bad: [[{ params: { operation: 'NO' } }, 400, 'BAD_INPUT'], [{ params: { operation: 'none' } }, 404, 'OPERATION_UNKNOWN']] }),
  cancelOperation: () => ({ good: { params: { operation } }, status: 202, bad: [[{ params: { operation: 'none' } }, 404, 'OPERATION_UNKNOWN']] }),
  enoughOperation: () => ({ good: { params: { operation }, body: {} }, status: 202, bad: [[{ params: { operation: 'none' } }, 404, 'OPERATION_UNKNOWN']] }),
  siteRestart: () => ({ good: {}, bad: [] }),
  stopWalk: () => ({ good: {}, status: 404, bad: [] }),
  management: () => ({ good: {}, bad: [] }),
  serviceHealth: () => ({ good: {}, bad: [] }),
  judgeScale: () => ({ good: { body: { instances: 2 } }, status: 501, bad: [[{ body: {} }, 400, 'BAD_INPUT'], [{ body: { instances: 0 } }, 400, 'BAD_INPUT'], [{ body: { sku: '../x' } }, 400, 'BAD_INPUT']] }),
  scale: () => ({ good: { body: { change: { instances: 2 } } }, status: 501, bad: [[{ body: { instances: 2 } }, 400, 'BAD_INPUT']] }),
  restartTargets: () => ({ good: {}, bad: [] }),
  restart: () => ({ good: { body: { pid: given.victim.pid, startedAt: given.agent.observed.processes().find((p) => p.pid === given.victim.pid)?.startedAt } }, bad: [[{ body: { pid: 1 } }, 400, 'BAD_INPUT'], [{ body: { pid: given.victim.pid, startedAt: 1 } }, 409, 'PROCESS_REUSED'], [{ body: { pid: 999_999_999, startedAt: 1 } }, 404, 'PROCESS_GONE']] }),
  restartSite: () => ({ good: { body: { way: 'instance', reason: 'a test' } }, status: 202, bad: [[{ body: {} }, 400, 'BAD_INPUT'], [{ body: { way: 'instances', pauseMs: -1 } }, 400, 'BAD_INPUT'], [{ body: { way: 'instances', path: 'no path' } }, 400, 'BAD_INPUT'], [{ body: { way: 'instance', overlapped: true } }, 501, 'CAPABILITY_MISSING'], [{ body: { way: 'platform' } }, 501, 'CAPABILITY_MISSING']] }),
  rules: () => ({ good: {}, bad: [] }),
  putRules: () => ({ good: { body: { text: RULES, version: given.agent.rules.version } }, bad: [[{ body: { text: RULES, version: 'older' } }, 409, 'RULES_CHANGED'], [{ body: { text: '{"rules": 1}', version: given.agent.rules.version } }, 400, 'BAD_INPUT'], [{ body: {} }, 400, 'BAD_INPUT']] }),
  checkRules: () => ({ good: { body: { text: RULES } }, bad: [[{ body: {} }, 400, 'BAD_INPUT']] }),
  putRule: () => ({ good: { params: { rule: 'hot' }, body: { rule: HOT, version: given.agent.rules.version } }, bad: [[{ params: { rule: 'other' }, body: { rule: HOT, version: given.agent.rules.version } }, 400, 'BAD_INPUT'], [{ params: { rule: 'hot' }, body: { rule: HOT, version: 'older' } }, 409, 'RULES_CHANGED'], [{ params: { rule: 'hot' }, body: { rule: { ...HOT, do: [{ type: 'collect', diagnosers: [{ id: 'no-such' }] }] }, version: given.agent.rules.version } }, 400, 'BAD_INPUT']] }),
  tryRule: () => ({ good: { params: { rule: 'hot' }, body: { hours: 1 } }, bad: [[{ params: { rule: 'no-such' }, body: {} }, 404, 'RULE_UNKNOWN'], [{ params: { rule: 'hot' }, body: { rule: { id: 'hot', when: { type: 'exit' }, do: [{ type: 'recycle' }] } } }, 400, 'BAD_INPUT'], [{ params: { rule: 'hot' }, body: { hours: 1_000 } }, 400, 'BAD_INPUT']] }),
  deleteRule: () => ({ good: { params: { rule: 'hot' }, query: { version: given.agent.rules.version } }, bad: [[{ params: { rule: 'no-such' }, query: { version: given.agent.rules.version } }, 404, 'RULE_UNKNOWN'], [{ params: { rule: 'hot' }, query: { version: 'older' } }, 409, 'RULES_CHANGED'], [{ params: { rule: 'hot' } }, 400, 'BAD_INPUT']] }),
  rulePresets: () => ({ good: {}, bad: [] }),
  ruleHistory: () => ({ good: {}, bad: [[{ query: { limit: 0 } }, 400, 'BAD_INPUT']] }),
  ruleHistoryCsv: () => ({ good: {}, bad: [[{ query: { limit: 20_001 } }, 400, 'BAD_INPUT']] }),
  alerts: () => ({ good: {}, bad: [] }),
  putAlert: () => ({ good: { params: { channel: 'hook' }, body: HOOK }, bad: [[{ params: { channel: 'hook' }, body: { ...HOOK, url: 'file:///etc/passwd' } }, 400, 'BAD_INPUT'], [{ params: { channel: 'hook' }, body: { ...HOOK, url: 'https://user:word@alerts.example' } }, 400, 'ADDRESS_REFUSED'], [{ params: { channel: 'other' }, body: HOOK }, 400, 'BAD_INPUT']] }),
  testAlert: () => ({ good: { params: { channel: 'hook' } }, status: 400, bad: [[{ params: { channel: 'no-such' } }, 404, 'CHANNEL_UNKNOWN']] }),
  deleteAlert: () => ({ good: { params: { channel: 'hook' } }, bad: [[{ params: { channel: 'no-such' } }, 404, 'CHANNEL_UNKNOWN']] }),
  shells: () => ({ good: {}, bad: [] }),
  openShell: () => ({ good: { body: { shell: 'sh', title: 'one' } }, bad: [[{ body: { shell: 'fish' } }, 400, 'BAD_INPUT'], [{ body: { cwd: 'relative' } }, 400, 'BAD_INPUT'], [{ body: { cwd: '/no/such/folder' } }, 400, 'BAD_INPUT'], [{ body: { title: 'a\u001b[2Jb' } }, 400, 'BAD_INPUT'], [{ body: { shell: 'cmd' } }, 500, 'SHELL_FAILED']] }),
  renameShell: () => ({ good: { params: { shell }, body: { title: 'Ärger' } }, bad: [[{ params: { shell: '0123456789ab' }, body: { title: 'x' } }, 404, 'SHELL_UNKNOWN'], [{ params: { shell }, body: { title: ' ' } }, 400, 'BAD_INPUT']] }),
  endShell: () => ({ good: { params: { shell } }, bad: [[{ params: { shell: '../../etc' } }, 400, 'BAD_INPUT'], [{ params: { shell: '0123456789ab' } }, 404, 'SHELL_UNKNOWN']] }),
  autoHeal: () => ({ good: {}, bad: [] }),
  checkAutoHeal: () => ({ good: { body: { rules: HEAL } }, bad: [[{ body: { rules: { triggers: { statusCodes: [{ status: 'all' }] } } } }, 400, 'BAD_INPUT'], [{ body: {} }, 400, 'BAD_INPUT']] }),
  putAutoHeal: () => ({ good: { body: { rules: HEAL, etag: healEtag() } }, bad: [[{ body: { rules: HEAL, etag: 'older' } }, 409, 'AUTO_HEAL_CHANGED'], [{ body: { rules: { ...HEAL, triggers: { privateBytesInKB: 5 } }, etag: healEtag() } }, 400, 'AUTO_HEAL_BAD'], [{ body: { rules: { ...HEAL, triggers: { statusCodesRange: [{ statusCodes: '500-503', count: 5, timeInterval: '00:01:00' }] } }, etag: healEtag() } }, 400, 'AUTO_HEAL_UNSAID'], [{ body: { rules: HEAL } }, 400, 'BAD_INPUT']] }),
  autoHealBackup: () => ({ good: { params: { backup: healBackup() } }, bad: [[{ params: { backup: 'x' } }, 400, 'BAD_INPUT'], [{ params: { backup: '20200101T000000000-00000000' } }, 404, 'BACKUP_UNKNOWN']] }),
  restoreAutoHeal: () => ({ good: { body: { backup: healBackup(), etag: healEtag() } }, bad: [[{ body: { backup: healBackup(), etag: 'older' } }, 409, 'AUTO_HEAL_CHANGED'], [{ body: { backup: '20200101T000000000-00000000', etag: healEtag() } }, 404, 'BACKUP_UNKNOWN']] }),
  tryAutoHeal: () => ({ good: { body: { rules: HEAL, hours: 24 } }, bad: [[{ body: { hours: 1_000 } }, 400, 'BAD_INPUT']] }),
  platformAutoHeal: () => ({ good: {}, bad: [] }),
  checkPlatformAutoHeal: () => ({ good: { body: { rules: HEAL } }, status: 501, bad: [[{ body: { rules: { triggers: { statusCodes: [{ status: 'all' }] } } } }, 400, 'BAD_INPUT']] }),
  putPlatformAutoHeal: () => ({ good: { body: { rules: HEAL, etag: 'x' } }, status: 501, bad: [[{ body: { rules: HEAL } }, 400, 'BAD_INPUT'], [{ body: { rules: { ...HEAL, triggers: { privateBytesInKB: 5 } }, etag: 'x' } }, 400, 'AUTO_HEAL_BAD'], [{ body: { rules: HEAL, etag: 'x' } }, 501, 'CAPABILITY_MISSING']] }),
  convertAutoHeal: () => ({ good: { body: { autoHeal: HEAL } }, bad: [[{ body: {} }, 400, 'BAD_INPUT'], [{ body: { rules: [] } }, 400, 'BAD_INPUT']] }),
  ...fileCalls,
  audit: () => ({ good: {}, bad: [[{ query: { limit: 0 } }, 400, 'BAD_INPUT']] }),
  deleteSession: () => ({ good: { params: { session } }, bad: [[{ params: { session: '010101_0000000000' } }, 404, 'SESSION_UNKNOWN']] }),
};
const LAST: readonly RouteName[] = ['restart', 'restartSite', 'deleteSession'];   // what others need is taken away last
const names = [...(Object.keys(calls) as RouteName[]).filter((n) => !LAST.includes(n)), ...LAST];

for (const name of names) {
  test(`${name}: refuses bad input, a missing or wrong token, and another site's Origin; then answers`, async () => {
    const { good, bad, status = 200 } = calls[name]();
    for (const [call, wanted, wantedCode] of bad) {
      const answer = await send(name, call);
      assert.deepEqual([answer.status, code(answer)], [wanted, wantedCode], `${name} ${JSON.stringify(call)}: ${answer.text}`);
      assert.match(answer.headers['content-type'] ?? '', /application\/problem\+json/);
    }
    if (!(api[name] as Route).open) {
      for (const headers of [{ 'x-diag': '1' }, { 'x-diag': '1', authorization: 'Bearer not-the-token' }, { 'x-diag': '1', cookie: 'diag=forged' }]) {
        const answer = await send(name, good, headers as Record<string, string>);
        assert.deepEqual([answer.status, code(answer)], [401, 'TOKEN_MISSING'], `${name} ${JSON.stringify(headers)}`);
      }
    }
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1.evil.example']) {
      const answer = await send(name, good, { authorization: `Bearer ${TOKEN}`, 'x-diag': '1', origin });
      assert.deepEqual([answer.status, code(answer)], [403, 'ORIGIN_REFUSED'], `${name} from ${origin}`);
    }
    const answer = await send(name, good);
    assert.equal(answer.status, status, `${name}: ${answer.text?.slice(0, 500)}`);
  });
}

test('a change by cookie needs the header X-Diag; with it and the own Origin it is accepted', async () => {
  const login = await send('login', { body: { token: TOKEN } }, { 'x-diag': '1' });
  const cookie = String(login.headers['set-cookie']).split(';')[0] ?? '';
  assert.match(String(login.headers['set-cookie']), /HttpOnly; SameSite=Strict/);
  assert.ok(!cookie.includes(TOKEN), 'the cookie holds no token');
  const without = await send('pinSession', { params: { session: '010101_0000000000' }, body: { pinned: true } }, { cookie });
  assert.deepEqual([without.status, code(without)], [403, 'HEADER_MISSING']);
  const cross = await send('pinSession', { params: { session: '010101_0000000000' }, body: { pinned: true } }, { cookie, 'x-diag': '1', 'sec-fetch-site': 'cross-site' });
  assert.deepEqual([cross.status, code(cross)], [403, 'ORIGIN_REFUSED']);
  const own = await send('pinSession', { params: { session: '010101_0000000000' }, body: { pinned: true } }, { cookie, 'x-diag': '1', origin: `http://${HOST}` });
  assert.deepEqual([own.status, code(own)], [404, 'SESSION_UNKNOWN']);
});

test('a one-time link works once', async () => {
  const key = given.guard.once();
  const first = await supertest(given.app).get(`${BASE}/?once=${key}`).set('host', HOST);
  assert.deepEqual([first.status, first.headers['location']], [303, `${BASE}/`]);
  const again = await supertest(given.app).get(`${BASE}/?once=${key}`).set('host', HOST);
  assert.deepEqual([again.status, code(again)], [401, 'LOGIN_REFUSED']);
});

test('a foreign Host is refused: DNS rebinding reaches nothing', async () => {
  const answer = await supertest(given.app).get(`${BASE}/api/alive`).set('host', 'rebound.example');
  assert.deepEqual([answer.status, code(answer)], [403, 'HOST_REFUSED']);
});

test('unknown addresses, methods and bodies are problems too', async () => {
  const cases: readonly [supertest.Test, number, string][] = [
    [supertest(given.app).get(`${BASE}/api/nothing`), 404, 'NOT_FOUND'],
    [supertest(given.app).get('/elsewhere'), 404, 'NOT_FOUND'],
    [supertest(given.app).put(`${BASE}/api/sessions`), 405, 'METHOD_REFUSED'],
    [supertest(given.app).post(`${BASE}/api/sessions`).set('content-type', 'application/json').send('{"broken'), 400, 'BAD_INPUT'],
    [supertest(given.app).post(`${BASE}/api/sessions`).set('content-type', 'application/json').send(JSON.stringify({ reason: 'x'.repeat(100_000) })), 413, 'BODY_TOO_LARGE'],
    [supertest(given.app).get(`${BASE}/api/logs/%E0%A4%A`), 400, 'BAD_INPUT'],
  ];
  for (const [request, status, wanted] of cases) {
    const answer = await request.set('host', HOST).set('authorization', `Bearer ${TOKEN}`);
    assert.deepEqual([answer.status, code(answer)], [status, wanted], answer.text);
    assert.ok(!/at .*\.ts:\d+/.test(answer.text), 'no stack leaves the agent');
  }
});

test('every answer carries the closed headers, the page a policy without inline script', async () => {
  const answer = await supertest(given.app).get(`${BASE}/`).set('host', HOST);
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-security-policy'] ?? '', /default-src 'none'; script-src 'self';/);
  assert.equal(answer.headers['x-content-type-options'], 'nosniff');
  assert.equal(answer.headers['access-control-allow-origin'], undefined);
  assert.match(answer.text, /<base href="\/diag\/">/);
  assert.ok(!/<script(?![^>]*src=)/.test(answer.text));
});
