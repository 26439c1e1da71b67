// Each diagnoser once on a real process and real files, and once where it must refuse.
import assert from 'node:assert/strict';
import { readFile, stat, utimes } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { ChangesFile, DeploymentsFile, EnvironmentFile, EventLogFile, MetricsFile, OpenFilesFile, ProcessListFile } from '../../src/shared/artifacts.ts';
import type { Session } from '../../src/shared/model.ts';
import { diagnosers } from '../../src/analyze/diagnosers/index.ts';
import { waitFor } from '../support/wait.ts';
import { FIELDS, MARKER, PASSWORD, eventXml, httpFile, httpRow, realWorld, type RealWorld } from './real-world.ts';
import { stepsOf } from './world.ts';

let here: RealWorld;
let nobody: RealWorld;
before(async () => { [here, nobody] = await Promise.all([realWorld(), realWorld({ noVictim: true })]); });
after(async () => { await Promise.all([here.close(), nobody.close()]); });

const NOW = Date.now();
const step = (session: Session, id: string): string => stepsOf(session)[`collect/${id}`] ?? '';
const note = (session: Session, id: string): string => session.steps.find((s) => s.stage === 'collect' && s.id === id)?.note ?? '';

test('process-list: the victim with its sample; nothing of the agent is a target', async () => {
  await waitFor('a sample of the victim', () => [...here.observed.latest().values()].some((s) => s.process?.pid === here.victim.pid && s.values['process.working-set'] !== undefined));
  const session = await here.diagnose([{ id: 'process-list' }]);
  const list = ProcessListFile.parse(JSON.parse(await here.read(session, 'processes.json')));
  const one = list.processes.find((p) => p.info.pid === here.victim.pid);
  assert.deepEqual([one?.info.role, one?.info.ours, session.target?.pid], ['worker', undefined, here.victim.pid]);
  assert.ok((one?.sample?.values['process.working-set'] ?? 0) > 1_000_000);
});

test('open-files: what the victim holds open', async () => {
  const file = await here.put('site/wwwroot/orders.dat', 'x');
  await here.victim.do('open-files', { count: 3, file });
  const list = OpenFilesFile.parse(JSON.parse(await here.read(await here.diagnose([{ id: 'open-files' }]), `open-files-${here.victim.pid}.json`)));
  assert.equal(list.files.filter((f) => f.includes('orders.dat')).length, 3);
  await here.victim.do('open-files', { close: true });
});

test('environment: names stay, secrets do not', async () => {
  const session = await here.diagnose([{ id: 'environment' }]);
  const text = await here.read(session, `environment-${here.victim.pid}.json`);
  const { variables } = EnvironmentFile.parse(JSON.parse(text));
  assert.deepEqual(variables.find((v) => v.name === 'GREETING'), { name: 'GREETING', value: 'hello', masked: false });
  assert.deepEqual(variables.find((v) => v.name === 'API_SECRET'), { name: 'API_SECRET', value: '[masked]', masked: true });
  assert.ok(!text.includes(MARKER));
  assert.equal(session.artifacts.find((a) => a.kind === 'environment')?.masked, 1);
});

test('metrics and changes are in every session', async () => {
  here.observed.publish({ id: 'restart:1', at: Date.now() - 1_000, kind: 'restart', level: 'neutral', title: `Restarted with ${MARKER}`, pid: 7 });
  const session = await here.diagnose([{ id: 'deployments' }]);
  const { series } = MetricsFile.parse(JSON.parse(await here.read(session, 'metrics-site.json')));
  assert.ok(series.series.some((s) => s.metric === 'site.working-set' && s.values.some((v) => (v ?? 0) > 0)));
  assert.ok(series.series.every((s) => s.values.length === series.at.length && s.values.some((v) => v !== null)));
  assert.ok(session.artifacts.some((a) => a.kind === 'metrics' && a.name.startsWith(`metrics-${here.victim.pid}-`)));
  const { changes } = ChangesFile.parse(JSON.parse(await here.read(session, 'changes.json')));
  assert.equal(changes.find((c) => c.id === 'restart:1')?.title, 'Restarted with [masked]');
});

test('http-logs: refuses with the remedy while HTTP logging is off; then the rows of the window with their columns', async () => {
  const off = await here.diagnose([{ id: 'http-logs' }]);
  assert.equal(off.state, 'failed');
  assert.match(step(off, 'http-logs'), /^failed: There is nothing to collect: there is no HTTP log: HTTP logging is off\. Turn it on: App Service logs → Web server logging/);
  const old = Array.from({ length: 5_000 }, (_, i) => httpRow(NOW - 3_600_000 + i * 100));
  const fresh = [httpRow(NOW - 60_000, { status: '502 3 12030' }), httpRow(NOW - 59_000, { query: `token=${MARKER}&page=1`, cookie: `s=${MARKER};+t=1`, path: `/x/${MARKER}` })];
  await here.put('LogFiles/http/RawLogs/a1b2c3-202611210200.log', httpFile([...old, ...fresh]));
  await here.put('LogFiles/http/RawLogs/ffffff-202611210200.log', httpFile([httpRow(NOW - 60_000, { path: '/another-instance' })]));
  const session = await here.diagnose([{ id: 'http-logs' }], { minutes: 15 });
  assert.equal(step(session, 'http-logs'), 'done');
  assert.equal(note(session, 'http-logs'), '2 requests');
  const lines = (await here.read(session, 'a1b2c3-202611210200.log')).trimEnd().split(/\r?\n/);
  assert.deepEqual(lines, [FIELDS, httpRow(NOW - 60_000, { status: '502 3 12030' }), httpRow(NOW - 59_000, { query: 'token=[masked]&page=1', cookie: 's=[masked];+t=[masked]', path: '/x/[masked]' })]);
  assert.deepEqual(session.artifacts.filter((a) => a.kind === 'http-log').map((a) => [a.name, a.masked]), [['a1b2c3-202611210200.log', 4]]);
});

test('http-logs: what does not fit the bound is cut at its old end, and says so', async () => {
  const rows = Array.from({ length: 600 }, (_, i) => httpRow(NOW - 600_000 + i * 900, { path: `/n/${i}` }));
  await here.put('LogFiles/http/RawLogs/a1b2c3-202611210200.log', httpFile(rows));
  const session = await here.diagnose([{ id: 'http-logs', options: { maxBytes: 50_000 } }]);
  const ref = session.artifacts.find((a) => a.kind === 'http-log');
  assert.ok((ref?.bytes ?? 0) > 40_000 && (ref?.bytes ?? 0) <= 51_000, String(ref?.bytes));
  assert.match(ref?.note ?? '', /^cut: the last /);
  const text = await here.read(session, ref?.name ?? '');
  assert.ok(text.startsWith('#Fields: ') && text.includes('/n/599 ') && !text.includes('/n/0 '));
  assert.match(note(session, 'http-logs'), /1 file cut or left out at 48\.8 KiB/);
});

test('event-log: refuses where there is none; then the events of the window, masked', async () => {
  const none = await here.diagnose([{ id: 'event-log' }]);
  assert.match(step(none, 'event-log'), /^skipped: there is no LogFiles\/eventlog\.xml/);
  await here.put('LogFiles/eventlog.xml', '<Events></Events>');
  assert.match(step(await here.diagnose([{ id: 'event-log' }]), 'event-log'), /^failed: .*holds no event/);
  await here.put('LogFiles/eventlog.xml', eventXml([{ at: NOW - 7_200_000, id: 1, text: 'long ago' }, { at: NOW - 30_000, id: 1002, text: `Process crashed with ${MARKER}` }]));
  const session = await here.diagnose([{ id: 'event-log' }]);
  const { rows } = EventLogFile.parse(JSON.parse(await here.read(session, 'eventlog.json')));
  assert.deepEqual(rows.map((r) => [r.id, r.text, r.level]), [[1002, 'Process crashed with [masked]', 'error']]);
});

test('application-logs: refuses where there is none; then by time where lines carry it, the end where not, names kept', async () => {
  const none = await here.diagnose([{ id: 'application-logs' }]);
  assert.match(step(none, 'application-logs'), /^failed: .*application logging is off, or the app wrote nothing yet\. Turn it on/);
  const stamp = (at: number): string => new Date(at).toISOString().slice(0, 19);
  const long = Array.from({ length: 20_000 }, (_, i) => `${stamp(NOW - 7_200_000 + i * 100)}  PID[2432] Information old line ${i}`);
  const fresh = [`${stamp(NOW - 60_000)}  PID[2432] Error it failed with ${MARKER}`, '   at Shop.Cart.Apply()', `${stamp(NOW - 50_000)}  PID[2432] Information after`];
  await here.put('LogFiles/Application/diagnostics-20261121.txt', `${[...long, ...fresh].join('\n')}\n`);
  await here.put('LogFiles/Application/RD0003FF-4711-stderr-1700000000000.txt', `TypeError: boom ${encodeURIComponent(MARKER)}\n    at a (/home/site/wwwroot/a.js:1:1)\n`);
  const quiet = await here.put('LogFiles/Application/RD0003FF-4000-stdout-1600000000000.txt', 'of another day\n');
  await utimes(quiet, new Date(NOW - 86_400_000), new Date(NOW - 86_400_000));
  const session = await here.diagnose([{ id: 'application-logs' }]);
  const names = session.artifacts.filter((a) => a.kind === 'application-log').map((a) => a.name).sort();
  assert.deepEqual(names, ['Application_RD0003FF-4711-stderr-1700000000000.txt', 'Application_diagnostics-20261121.txt']);
  const timed = await here.read(session, names[1] ?? '');
  assert.equal(timed, `${fresh.join('\n').replace(MARKER, '[masked]')}\n`);
  const raw = session.artifacts.find((a) => a.name.includes('-4711-stderr-'));
  assert.equal(await here.read(session, raw?.name ?? ''), 'TypeError: boom [masked]\n    at a (/home/site/wwwroot/a.js:1:1)\n');
  assert.deepEqual([raw?.masked, raw?.note], [1, 'no times in it: all of it']);
});

test('php-error-log: not offered where the app is not PHP', async () => {
  const session = await here.diagnose([{ id: 'php-error-log' }]);
  assert.deepEqual([session.state, step(session, 'php-error-log')], ['failed', 'skipped: the app does not run PHP']);
});

test('php-error-log: a PHP app that does not log its errors gets the remedy, one that does its log', async () => {
  const php = diagnosers.find((d) => d.id === 'php-error-log');
  const platform = { ...here.platform, host: { ...here.platform.host, app: { ...here.platform.host.app, runtime: 'PHP 8.3' } } };
  assert.deepEqual(php?.offered(undefined, platform), { yes: true });
  const world = await realWorld();
  try {
    const { createSessions } = await import('../../src/analyze/session.ts');
    const sessions = createSessions({ ...world, platform: { ...world.platform, host: { ...world.platform.host, app: { ...world.platform.host.app, runtime: 'PHP 8.3' } } }, diagnosers, analyzers: [], toolVersion: '1', reportCss: '' });
    const run = async (): Promise<Session> => (await sessions.start({ askedBy: 't', diagnosers: [{ id: 'php-error-log' }] })).done;
    assert.match(step(await run(), 'php-error-log'), /^failed: .*PHP does not log its errors\. Put log_errors = On/);
    await world.put('LogFiles/php_errors.log', `[21-Nov-2026 02:00:00 UTC] PHP Fatal error: Uncaught Error: ${MARKER} in /home/site/wwwroot/i.php:3\n`);
    const session = await run();
    const ref = session.artifacts.find((a) => a.kind === 'php-log');
    assert.match(await world.read(session, ref?.name ?? ''), /Uncaught Error: \[masked\] in/);
  } finally {
    await world.close();
  }
});

test('deployments: none is a fact, not a failure; a torn file gives what is whole', async () => {
  const none = await nobody.diagnose([{ id: 'deployments' }]);
  assert.deepEqual([step(none, 'deployments'), note(none, 'deployments')], ['done', 'no deployment is recorded in site/deployments: the app came here by another way']);
  await here.put('site/deployments/active', 'abc\n');
  await here.put('site/deployments/abc/status.xml', `<?xml version="1.0"?><deployment><id>abc</id><author>N/A</author><deployer>ZipDeploy</deployer><message>new &amp; better, key ${MARKER}</message><status>Success</status><startTime>2026-11-21T01:00:00Z</startTime><endTime>2026-11-21T01:00:09.5Z</endTime></deployment>`);
  await here.put('site/deployments/abc/log.xml', '<entries><entry time="2026-11-21T01:00:01Z" id="1" type="0"><message>Building</message></entry><entry time="2026-11-21T01:00:02Z"><mess');
  await here.put('site/deployments/tmp/status.xml', '<deployment><id>tmp</id><is_temp>True</is_temp></deployment>');
  await here.put('site/deployments/def/status.xml', '<deployment><id>def</id><status>Failed</status><mess');
  const session = await here.diagnose([{ id: 'deployments' }]);
  const file = DeploymentsFile.parse(JSON.parse(await here.read(session, 'deployments.json')));
  assert.deepEqual(file, {
    version: 1, unreadable: file.unreadable,
    deployments: [
      { id: 'abc', status: 'Success', message: 'new & better, key [masked]', deployer: 'ZipDeploy', startedAt: Date.UTC(2026, 10, 21, 1), endedAt: Date.UTC(2026, 10, 21, 1, 0, 9, 500), active: true, log: [{ at: Date.UTC(2026, 10, 21, 1, 0, 1), text: 'Building' }] },
      { id: 'def', status: 'Failed', active: false },
    ],
  });
  assert.deepEqual([...file.unreadable].sort(), ['abc', 'def']);
});

test('node-report: the victim\'s own words, its environment masked; and the victim runs on', async () => {
  const session = await here.diagnose([{ id: 'node-report' }]);
  assert.equal(step(session, 'node-report'), 'done');
  const text = await here.read(session, `node-report-${here.victim.pid}.json`);
  const report = JSON.parse(text) as { header: { processId: number }; environmentVariables: Record<string, string> };
  assert.deepEqual([report.header.processId, report.environmentVariables['API_SECRET'], report.environmentVariables['GREETING']], [here.victim.pid, '[masked]', 'hello']);
  assert.match(text, /--password \[masked\]/);
  assert.ok(!text.includes(MARKER) && !text.includes(PASSWORD));
  assert.deepEqual(await here.victim.do('print', { text: 'alive' }), { did: 'print' });
});

test('the target in the report has its command line masked, also by the values its variables hold', async () => {
  const session = await here.diagnose([{ id: 'process-list' }]);
  const { target } = await here.store.sessions.report(session.id);
  assert.match(target?.commandLine ?? '', /--label \[masked\] --password \[masked\]/);
  assert.ok(!(await readFile(await here.store.sessions.reportPath(session.id, 'report.html'), 'utf8')).includes(MARKER));
});

test('memory-dump: a core of the victim with its engine and pause in the record; and the victim runs on', async (t) => {
  const offer = here.platform.can('memory-dump');
  if (!offer.yes) { t.skip(offer.because); return; }
  const session = await here.diagnose([{ id: 'memory-dump' }]);
  assert.equal(step(session, 'memory-dump'), 'done');
  const ref = session.artifacts.find((a) => a.kind === 'core-dump');
  assert.match(ref?.note ?? '', /^[\w -]+; paused [\d.]+ m?s; (.+; )?not masked/);
  const path = await here.store.artifacts.path(ref ?? { session: '', instance: '', name: '' });
  assert.equal((await stat(path)).size, ref?.bytes);
  assert.equal((await stat(path)).mode & 0o777, process.platform === 'win32' ? 0o666 : 0o600, 'what a process has in memory is for its owner only');
  assert.equal((await readFile(path)).subarray(0, 4).toString('latin1'), '\x7fELF');
  assert.deepEqual(await here.victim.do('print', { text: 'alive' }), { did: 'print' });
});

test('memory-dump: a kind that this system does not have is refused by name', async (t) => {
  if (!here.platform.can('memory-dump').yes || here.platform.dumpKinds.includes('mini')) { t.skip('every kind can be had here'); return; }
  const session = await here.diagnose([{ id: 'memory-dump', options: { kind: 'mini' } }]);
  assert.match(step(session, 'memory-dump'), /^failed: A mini dump is not possible here: it is one of full/);
});

test('memory-dump: refused where it would not fit, before the process is touched', async () => {
  const small = await realWorld({ artifactBytes: 20 * 1024 * 1024 });
  try {
    const session = await small.diagnose([{ id: 'memory-dump' }]);
    if (!small.platform.can('memory-dump').yes) { assert.match(step(session, 'memory-dump'), /^skipped/); return; }
    assert.match(step(session, 'memory-dump'), /^failed: A memory dump needs about .* are free\. Delete old sessions/);
    assert.equal(session.steps.find((s) => s.id === 'memory-dump')?.code, 'NO_ROOM');
  } finally {
    await small.close();
  }
});

test('without a process of the site: what needs one is skipped with the reason, the rest goes on', async () => {
  const session = await nobody.diagnose([{ id: 'process-list' }, { id: 'open-files' }, { id: 'environment' }, { id: 'node-report' }, { id: 'memory-dump' }]);
  const reason = 'skipped: no process of the site is running';
  assert.deepEqual(Object.fromEntries(['process-list', 'open-files', 'environment', 'node-report', 'memory-dump'].map((id) => [id, step(session, id)])), { 'process-list': 'done', 'open-files': reason, environment: reason, 'node-report': reason, 'memory-dump': reason });
});
