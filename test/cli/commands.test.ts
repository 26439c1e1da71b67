// Owns the tests of every command against a running agent: its answer for people, its answer as JSON, its exit code, and its end.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPromise } from 'yauzl';
import { z } from 'zod';
import { api } from '../../src/shared/api.ts';
import { LogLine, Now, Report } from '../../src/shared/model.ts';
import { TOKEN } from '../support/agent.ts';
import { waitFor } from '../support/wait.ts';
import { CLI, CONTROL, CTRL_C, diag, noTerminal, runningAgent, startOnTerminal, startProgram, withFolder, type Ran, type Running } from './support.ts';

let given: Running;
before(async () => { given = await runningAgent(); });
after(async () => { await given.stop(); });

/** The whole of stdout is one JSON value of this form. */
function jsonOf<T>(ran: Ran, schema: z.ZodType<T>, exit = 0): T {
  assert.equal(ran.code, exit, ran.stderr);
  return schema.parse(JSON.parse(ran.stdout));
}
async function log(name: string, text: string): Promise<string> {
  const file = join(given.home, 'LogFiles', 'Application', name);
  await writeFile(file, text);
  await waitFor(`${name} in the catalog`, async () => (await given.agent.observed.logs.catalog(AbortSignal.timeout(10_000), { fresh: true })).sources.some((s) => s.title.endsWith(name)));
  return file;
}
const RUN = ['--only', 'http-logs,application-logs,event-log,environment', '--minutes', '15'];

test('top: verdict, the five metrics and the processes, once when piped', async () => {
  const ran = await given.diag('top');
  assert.equal(ran.code, 0, ran.stderr);
  for (const title of ['Requests', 'Average response time', 'CPU time', 'Memory working set', 'Average memory working set']) assert.ok(ran.stdout.includes(`${title}: `), title);
  assert.match(ran.stdout, new RegExp(`\\n *${given.victim.pid}  (worker|node) `));
  assert.ok(!ran.stdout.includes('\u001b'), 'no colours into a pipe');
  const { now, processes } = jsonOf(await given.diag('top', '--json'), z.object({ now: Now, processes: api.processes.answers[200].shape.processes }));
  assert.ok(processes.some((p) => p.info.pid === given.victim.pid && p.sample?.values['process.cpu'] !== undefined));
  assert.ok(now.tiles.length === 5);
});

test('env: of the app, masked; saved as a moment and compared with it; as JSON; an unknown moment is refused', async () => {
  const ran = await given.diag('env');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, new RegExp(`^Of the app, process ${given.victim.pid} `));
  assert.match(ran.stdout, /\nSECRET_KEY +\[masked\]/);
  assert.ok(!ran.stdout.includes('marker-secret-value'));
  const saved = jsonOf(await given.diag('env', '--save', 'from the test', '--json'), api.saveMoment.answers[200]);
  const compared = jsonOf(await given.diag('env', '--compare', saved.ref.replace('moment:', ''), '--json'), api.compareEnvironments.answers[200]);
  assert.deepEqual([compared.left.note, compared.entries, compared.differing], ['from the test', [], 0]);
  const unknown = await given.diag('env', '--compare', 'no-such-instance');
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /\[SNAPSHOT_UNKNOWN\]/);
});

test('app: where no preload runs it says how to get it; the same as JSON; a process without one is refused', async () => {
  const ran = await given.diag('app');
  assert.deepEqual([ran.code, ran.stdout], [0, '']);
  assert.match(ran.stderr, /carries the preload/);
  assert.deepEqual(jsonOf(await given.diag('app', '--json'), api.app.answers[200]).apps, []);
  const refused = await given.diag('app', '--pid', String(given.victim.pid));
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /\[APP_UNREACHABLE\]/);
});

test('logs: the catalog; the last entries as they were written, secrets masked; the same as JSON', async () => {
  const list = await given.diag('logs');
  assert.match(list.stdout, /^Id +Log +Kind +Size +Changed\n/);
  assert.match(list.stdout, /[0-9a-f]+ +Application\/RD0001-4711-stderr-1700000000000\.txt +application/);
  const { sources } = jsonOf(await given.diag('logs', '--json'), api.logs.answers[200]);
  assert.equal(list.stdout.split('\n').length, sources.length + 2);

  const text = await given.diag('logs', 'stderr-1700000000000.txt');
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^\S+Z error payment failed password=(?!hunter2)\S+\nTypeError: Cannot read properties of undefined \(reading 'percent'\)\n {4}at applyVoucher /);
  const { lines } = jsonOf(await given.diag('logs', 'stderr-1700000000000.txt', '--json'), api.logLines.answers[200]);
  assert.deepEqual([lines.length, lines[0]?.level], [1, 'error']);
  assert.equal(text.stdout, `${lines[0]?.text}\n`);
});

test('logs: -n, --text, --regex, --not and --level choose entries', async () => {
  await log('choose.txt', Array.from({ length: 10 }, (_, i) => `2026-11-21T02:00:00Z ${i % 2 === 0 ? 'INFO' : 'ERROR'} entry ${i}\n`).join(''));
  const entries = async (...args: string[]): Promise<string> => { const ran = await given.diag('logs', 'choose.txt', ...args); assert.equal(ran.code, 0, ran.stderr); return ran.stdout.trimEnd().split('\n').map((l) => l.split(' ').at(-1)).join(''); };
  assert.equal(await entries('-n', '3'), '789');
  assert.equal(await entries('-n', '0'), '');
  assert.equal(await entries('--text', 'entry 4'), '4');
  assert.equal(await entries('--regex', 'entry [2-4]$'), '234');
  assert.equal(await entries('--regex', 'entry [2-8]', '--not'), '019');
  assert.equal(await entries('--level', 'error,fatal'), '13579');
  const bad = await given.diag('logs', 'choose.txt', '--regex', '(?<=a)b');
  assert.deepEqual([bad.code, bad.stdout], [2, '']);
  assert.match(bad.stderr, /The filter cannot be used: .*\[FILTER_BAD\]\n {6}Use RE2 syntax/);
});

test('logs: an ambiguous name lists the candidates (2), an unknown one says where to look (3)', async () => {
  await log('one-twin.txt', 'a\n');
  await log('two-twin.txt', 'b\n');
  const both = await given.diag('logs', 'twin.txt');
  assert.deepEqual([both.code, both.stdout], [2, '']);
  assert.match(both.stderr, /twin\.txt names 2 logs: .*one-twin\.txt \([0-9a-f]+\)/);
  const [, id = ''] = /one-twin\.txt \(([0-9a-f]+)\)/.exec(both.stderr) ?? [];
  assert.equal((await given.diag('logs', id)).stdout, 'a\n');
  const none = await given.diag('logs', 'nosuch.txt');
  assert.deepEqual([none.code, none.stdout], [3, '']);
  assert.match(none.stderr, /There is no log nosuch\.txt\. \[SOURCE_UNKNOWN\]\n {6}diag logs lists the logs\./);
});

test('logs --follow: the last entries, then what comes, until Ctrl+C; as JSON one line each', async () => {
  const file = await log('follow.txt', 'INFO one\nINFO two\n');
  const text = given.start('logs', 'follow.txt', '--follow', '-n', '1');
  const asJson = given.start('logs', 'follow.txt', '--follow', '-n', '1', '--json');
  for (const one of [text, asJson]) await waitFor('the last entry', () => one.stdout().includes('two'));
  await appendFile(file, 'ERROR three\nINFO four\n');
  for (const one of [text, asJson]) await waitFor('what came', () => one.stdout().includes('four'));
  for (const one of [text, asJson]) one.child.kill('SIGINT');
  const [a, b] = [await text.ended, await asJson.ended];
  assert.deepEqual([a.code, a.stdout, a.stderr], [0, 'INFO two\nERROR three\nINFO four\n', '']);
  assert.deepEqual([b.code, b.stderr], [0, '']);
  assert.deepEqual(b.stdout.trimEnd().split('\n').map((l) => LogLine.parse(JSON.parse(l)).text), ['INFO two', 'ERROR three', 'INFO four']);
});

test('control characters of logs and of their names are made visible, everywhere', async () => {
  const evil = 'INFO clear \u001b[2J\u001b]0;title\u0007 back\rover \u009b31m red \u202egnp.exe\n';
  const file = await log('evil\u001b[31m\nname.txt', evil);
  const following = given.start('logs', 'name.txt', '-f');
  await waitFor('the entry', () => following.stdout().includes('red'));
  await appendFile(file, `${evil}INFO end\n`);
  await waitFor('the last entry', () => following.stdout().includes('INFO end'));
  following.child.kill('SIGINT');
  const rans = [await following.ended, await given.diag('logs'), await given.diag('logs', '--json'), await given.diag('logs', 'name.txt'), await given.diag('logs', 'name.txt', '--json'), await given.diag('logs', '.txt')];
  for (const ran of rans) assert.doesNotMatch(ran.stdout + ran.stderr, CONTROL);
  assert.match(rans[0]?.stdout ?? '', /clear \\x1b\[2J\\x1b\]0;title\\x07 back\\x0dover \\x9b31m red \\u202egnp\.exe\n/);
  assert.match(rans[1]?.stdout ?? '', /evil\\x1b\[31m\\nname\.txt/);
  assert.match(rans[5]?.stderr ?? '', /names \d+ logs/);
});

test('a reader that leaves ends the command quietly: | head -1, once and following', async () => {
  const file = await log('pipe.txt', Array.from({ length: 5_000 }, (_, i) => `INFO entry ${i} ${'x'.repeat(60)}\n`).join(''));
  const command = (args: string): string => `"${process.execPath}" "${CLI}" ${args} --url ${given.url} --token ${TOKEN} | head -1; echo "ended \${PIPESTATUS[0]}"`;
  for (const args of ['logs pipe.txt -n 5000', 'logs pipe.txt -n 5000 --json', 'logs', 'top --json', '--help']) {
    const ran = await startProgram('bash', ['-c', command(args)]).ended;
    assert.deepEqual([ran.stdout.split('\n').at(-2), ran.stderr], ['ended 0', ''], args);
  }
  const following = startProgram('bash', ['-c', command('logs pipe.txt -n 1 -f')]);
  await waitFor('the follower to notice that nobody reads', async () => { await appendFile(file, 'INFO more\n'); return following.stdout().includes('ended'); });
  const ran = await following.ended;
  assert.deepEqual([ran.stdout.split('\n').at(-2), ran.stderr], ['ended 0', '']);
});

test('an output that cannot be written is no success', async () => {
  const ran = await startProgram('bash', ['-c', `"${process.execPath}" "${CLI}" logs --url ${given.url} --token ${TOKEN} > /dev/full`]).ended;
  assert.equal(ran.code, 3);
  assert.match(ran.stderr, /the output could not be written: .*ENOSPC/);
});

test('a missing and a wrong token are refused with code and next step; DIAG_TOKEN is as good as --token', async () => {
  for (const args of [[], ['--token', 'wrong']]) {
    const ran = await diag(['sessions', '--url', given.url, ...args]);
    assert.deepEqual([ran.code, ran.stdout], [3, '']);
    assert.match(ran.stderr, /This agent wants its token\. \[TOKEN_MISSING\]\n {6}Give it with --token or in DIAG_TOKEN\./);
  }
  const follow = await diag(['logs', 'x', '-f', '--url', given.url, '--token', 'wrong']);
  assert.deepEqual([follow.code, follow.stdout], [3, '']);
  assert.equal((await diag(['sessions', '--url', given.url], { DIAG_TOKEN: TOKEN })).code, 0);
  const lost = await diag(['sessions', '--url', given.url.replace('/diag', '/nowhere'), '--token', TOKEN]);
  assert.equal(lost.code, 3);
  assert.match(lost.stderr, /There is nothing at \/nowhere\/api\/sessions\. \[NOT_FOUND\]/);
});

let session = '';
test('diagnose: the report for people, quiet where it is piped; exit 1 for a critical finding, 0 with --fail-on never', async () => {
  const ran = await given.diag('diagnose', ...RUN, '--reason', 'a test of the command');
  assert.equal(ran.code, 1, ran.stderr);
  assert.equal(ran.stderr, '');
  assert.match(ran.stdout, /^\S.*\n/);
  assert.match(ran.stdout, /\nCRITICAL {2}\S/);
  assert.match(ran.stdout, /\n {6}at applyVoucher \(/);
  assert.match(ran.stdout, /session (\d{6}_\d{10}) \(done\); fetch it with: diag bundle \1\n$/);
  session = /session (\S+)/.exec(ran.stdout)?.[1] ?? '';
  const never = await given.diag('diagnose', ...RUN, '--fail-on', 'never', '--json');
  const report = jsonOf(never, Report);
  assert.equal(never.stderr, '');
  assert.ok(report.findings.some((f) => f.severity === 'critical'));
  assert.deepEqual(new Set(report.steps.filter((s) => s.stage === 'collect').map((s) => s.id)), new Set(['http-logs', 'application-logs', 'event-log', 'environment', 'metrics', 'changes']));
});

test('diagnose --out: report.json, report.html and bundle.zip, whole, nothing else', async () => {
  await withFolder(async (folder) => {
    const out = join(folder, 'deep', 'out');
    const ran = await given.diag('diagnose', ...RUN, '--out', out, '--json');
    const report = jsonOf(ran, Report, 1);
    assert.deepEqual((await readdir(out)).sort(), ['bundle.zip', 'report.html', 'report.json']);
    assert.deepEqual(Report.parse(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))), report);
    assert.match(await readFile(join(out, 'report.html'), 'utf8'), /<\/html>\s*$/);
    assert.equal((await readFile(join(out, 'bundle.zip'))).subarray(0, 2).toString(), 'PK');
  });
});

test('diagnose: unknown diagnosers and processes are refused; when nothing could be collected it is 3', async () => {
  const unknown = await given.diag('diagnose', '--only', 'http-logs,nosuch');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /There is no diagnoser nosuch\. \[DIAGNOSER_UNKNOWN\]\n {6}diag diagnose --help lists/);
  assert.equal((await given.diag('diagnose', '--skip', 'nosuch')).code, 2);
  const none = await given.diag('diagnose', '--only', 'http-logs', '--skip', 'http-logs');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /leaves no diagnoser/);
  const gone = await given.diag('diagnose', '--pid', '4194304');
  assert.equal(gone.code, 3);
  assert.match(gone.stderr, /\[PROCESS_GONE\]\n {6}diag top --once lists/);
  const failed = await given.diag('diagnose', '--only', 'php-error-log', '--fail-on', 'never');
  assert.equal(failed.code, 3);
  assert.match(failed.stdout, /\n(failed|skipped): PHP error logs: /);
});

test('diagnose on a terminal shows each step as it ends, and one line for the step at work', { skip: noTerminal }, async () => {
  const ran = await startOnTerminal(['diagnose', ...RUN, '--fail-on', 'never', ...given.remote]).ended;
  assert.equal(ran.code, 0, ran.stdout);
  const shown = ran.stdout.replaceAll('\r\n', '\n');
  assert.match(shown, /session \d{6}_\d{10} started; Ctrl\+C cancels it\n/);
  for (const title of ['HTTP logs', 'Application logs', 'Event Viewer logs', 'Environment']) assert.match(shown, new RegExp(`(^|\\n|\\u001b\\[K)done {6}${title}, `), title);
  assert.ok(shown.includes('\u001b[31mCRITICAL\u001b[0m'), 'severities have colours');
});

test('NO_COLOR switches colours off on a terminal, an empty one does not', { skip: noTerminal }, async () => {
  const command = ['logs', ...given.remote];
  assert.match((await startOnTerminal(command).ended).stdout, /\u001b\[90m/);
  assert.match((await startOnTerminal(command, { NO_COLOR: '' }).ended).stdout, /\u001b\[90m/);
  assert.doesNotMatch((await startOnTerminal(command, { NO_COLOR: '1' }).ended).stdout, /\u001b/);
});

test('top on a terminal redraws until Ctrl+C, within its height', { skip: noTerminal }, async () => {
  const running = startOnTerminal(['top', ...given.remote]);
  await waitFor('the second picture', () => running.stdout().split('\u001b[H').length > 2);
  running.type(CTRL_C);
  const ran = await running.ended;
  assert.equal(ran.code, 0);
  const [, first = ''] = ran.stdout.split('\u001b[H');
  assert.match(first, /Memory working set: /);
  assert.ok(first.split('\r\n').length <= 30, 'one screen');
});

test('Ctrl+C during diagnose cancels the session: nothing of it is left, and the command says so', { timeout: 120_000 }, async () => {
  // A worker that is stopped gives no Node report: the step waits for it.
  process.kill(given.victim.pid, 'SIGSTOP');
  try {
    const before = (await given.agent.store.sessions.list()).sessions.length;
    const running = given.start('diagnose', '--only', 'node-report');
    const job = await waitFor('the step to be at work', () => given.agent.operations.list().find((o) => o.state === 'running' && o.note?.startsWith('Node')));
    running.child.kill('SIGINT');
    const ran = await running.ended;
    assert.deepEqual([ran.code, ran.stdout], [3, '']);
    assert.match(ran.stderr, /Session \d{6}_\d{10} was cancelled\. \[CANCELLED\]/);
    assert.equal(given.agent.operations.get(job.id).state, 'cancelled');
    const kept = (await given.agent.store.sessions.list()).sessions.filter((s) => s.id === job.session);
    assert.ok(kept.every((s) => s.state === 'cancelled' && s.artifacts.length === 0), JSON.stringify(kept));
    assert.ok((await given.agent.store.sessions.list()).sessions.length <= before + 1);
  } finally {
    process.kill(given.victim.pid, 'SIGCONT');
  }
});

test('sessions: newest first, with state and headline', async () => {
  const ran = await given.diag('sessions');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^Session +Started +State +Size +What it found\n/);
  assert.match(ran.stdout, new RegExp(`\\n${session}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC  done `));
  const { sessions } = jsonOf(await given.diag('sessions', '--json'), api.sessions.answers[200]);
  const headline = sessions.find((s) => s.id === session)?.headline;
  assert.ok(headline !== undefined && headline !== '' && ran.stdout.includes(`  ${headline}\n`), headline);
  assert.deepEqual(sessions.map((s) => s.madeAt), sessions.map((s) => s.madeAt).sort((a, b) => b - a));
  assert.ok(sessions.some((s) => s.id === session && s.reason === 'a test of the command'));
});

test('bundle: into the current folder, a file, or a folder; the very bytes of the agent', async () => {
  await withFolder(async (folder) => {
    const direct = Buffer.from(await (await fetch(`${given.url}/api/sessions/${session}/bundle`, { headers: { authorization: `Bearer ${TOKEN}` } })).arrayBuffer());
    const sum = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
    const here = await diag(['bundle', session, ...given.remote], {}, folder);
    assert.equal(here.code, 0, here.stderr);
    assert.ok(here.stdout.startsWith(`${join(folder, `${session}.zip`)}  `));
    const named = jsonOf(await given.diag('bundle', session, '--out', join(folder, 'new', 'mine.zip'), '--json'), z.object({ file: z.string(), bytes: z.number() }));
    assert.deepEqual(named, { file: join(folder, 'new', 'mine.zip'), bytes: direct.length });
    assert.equal((await given.diag('bundle', session, '--out', join(folder, 'new'))).code, 0);
    for (const file of [`${session}.zip`, 'new/mine.zip', `new/${session}.zip`]) assert.equal(sum(await readFile(join(folder, file))), sum(direct), file);
    assert.deepEqual((await readdir(folder, { recursive: true })).filter((f) => f.endsWith('.part')), []);
    const judged = jsonOf(await diag(['analyze', join(folder, 'new', 'mine.zip'), '--json', '--fail-on', 'never']), Report);
    const report = await given.agent.store.sessions.report(session);
    assert.deepEqual(judged.findings.map((f) => [f.id, f.severity, f.title]), report.findings.map((f) => [f.id, f.severity, f.title]), 'judged again offline it says the same');
    const none = await given.diag('bundle', '010101_0000000000', '--out', folder);
    assert.equal(none.code, 3);
    assert.match(none.stderr, /There is no session 010101_0000000000\. \[SESSION_UNKNOWN\]\n {6}diag sessions lists/);
  });
});

test('bundle --logs: the logs of the site instead of a session, some of them, with their manifest', async () => {
  await withFolder(async (folder) => {
    const { file } = jsonOf(await given.diag('bundle', '--logs=event-log,deployments', '--from', '1d ago', '--max-mb', '10', '--out', folder, '--json'), z.object({ file: z.string(), bytes: z.number() }));
    assert.equal(file, join(folder, 'logs.zip'));
    const names: string[] = [];
    for await (const entry of (await openPromise(file, {})).eachEntry()) names.push(entry.fileName);
    assert.deepEqual(names.sort(), ['LogFiles/eventlog.xml', 'deployments/abc123/status.xml', 'manifest.json']);
    for (const wrong of [['bundle'], ['bundle', '--logs=secrets'], ['bundle', session, '--logs'], ['bundle', session, '--max-mb', '1']]) assert.equal((await given.diag(...wrong)).code, 2, wrong.join(' '));
  });
});

test('restart: asks on a terminal and does nothing without a yes; --yes ends exactly that process', { timeout: 120_000 }, async (t) => {
  const wrong = await given.diag('restart', '--yes', '--pid', String(process.pid));
  assert.equal(wrong.code, 3);
  assert.match(wrong.stderr, /\[(CAPABILITY_MISSING|PROCESS_GONE|PROCESS_OURS)\]/);
  if (noTerminal === undefined) {
    for (const [keys, code, words] of [['\r', 0, /Nothing was done\./], ['no\r', 0, /Nothing was done\./], ['\u0004', 0, /Nothing was done\./], [CTRL_C, 3, /Interrupted\. \[CANCELLED\]/]] as const) {
      const asked = startOnTerminal(['restart', '--pid', String(given.victim.pid), ...given.remote]);
      await waitFor('the question', () => asked.stdout().includes('[y/N]'));
      asked.type(keys);
      const ran = await asked.ended;
      assert.match(ran.stdout, new RegExp(`Restart \\S+ ${given.victim.pid}, started \\d{4}-[^?]* UTC\\? `));
      assert.deepEqual([ran.code, words.test(ran.stdout)], [code, true], ran.stdout);
    }
  } else t.diagnostic(noTerminal);
  const ran = await given.diag('restart', '--yes', '--json', '--pid', String(given.victim.pid), '--reason', 'test');
  const done = jsonOf(ran, api.restart.answers[200]);
  assert.equal(done.ended.pid, given.victim.pid);
  await given.victim.exited;
  const gone = await given.diag('restart', '--yes', '--pid', String(given.victim.pid));
  assert.equal(gone.code, 3);
});
