// Owns the tests of the command line itself: help, usage errors (exit 2), and what could not run (exit 3), each with its words.
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { diag, withFolder } from './support.ts';

interface ErrorAnswer { error: { code: string; detail: string; next?: string } }
/** Without a port that listens. */
const NOBODY = 'http://127.0.0.1:9/diag';

test('the help names every command, the exit codes and where the agent is looked for', async () => {
  const { code, stdout, stderr } = await diag(['--help']);
  assert.deepEqual([code, stderr], [0, '']);
  for (const word of ['top', 'logs', 'diagnose', 'analyze', 'sessions', 'bundle', 'restart', 'dump', 'http-log', 'doctor', 'serve', 'Exit codes: 0', '--url', '--home', 'Examples:']) assert.ok(stdout.includes(word), word);
  assert.ok(stdout.split('\n').every((line) => line.length <= 80), 'it fits 80 columns');
  const version = await diag(['--version']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('each command has help of its own; that of diagnose lists the diagnosers with their cost', async () => {
  for (const command of ['top', 'logs', 'diagnose', 'analyze', 'sessions', 'bundle', 'restart', 'dump', 'http-log', 'doctor', 'serve']) {
    const { code, stdout, stderr } = await diag([command, '--help']);
    assert.deepEqual([code, stderr], [0, ''], command);
    assert.match(stdout, new RegExp(`^Usage: diag ${command} `));
    assert.ok(stdout.split('\n').every((line) => line.length <= 80), command);
    assert.equal(stdout.includes('--url'), !['analyze', 'http-log', 'serve'].includes(command), command);
  }
  const { stdout } = await diag(['diagnose', '--help']);
  assert.match(stdout, /\* http-logs +HTTP logs\n/);
  assert.match(stdout, /\* memory-dump +Memory dump \(pauses the app\)\n/);
});

const usage: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no command', [], /Usage: diag/],
  ['an unknown command', ['nosuch'], /unknown command 'nosuch'/],
  ['an unknown option', ['top', '--nope'], /unknown option '--nope'/],
  ['an option of another command', ['sessions', '--once'], /unknown option '--once'/],
  ['too many arguments', ['sessions', 'extra'], /too many arguments/],
  ['a number that is none', ['logs', '-n', 'ten'], /'ten' is invalid\. It must be a whole number from 0 to 5000/],
  ['a number beyond its bounds', ['diagnose', '--minutes', '7201'], /whole number from 1 to 7200/],
  ['a negative number', ['diagnose', '--pid=-1'], /whole number/],
  ['an option without its value', ['logs', '--text'], /argument missing/],
  ['an empty value', ['logs', 'x', '--text', ''], /must not be empty/],
  ['a severity that is none', ['diagnose', '--fail-on', 'bad'], /Allowed choices are critical, warning, info, never/],
  ['a missing argument', ['analyze'], /missing required argument 'path'/],
  ['a missing file', ['doctor', 'xdt'], /missing required argument 'file'\n\(diag doctor xdt --help/],
  ['a bad session id', ['bundle', '../../etc/passwd', '--url', NOBODY], /not a session id such as 261121_0214071234/],
  ['a level that is none', ['logs', 'x', '--level', 'loud', '--url', NOBODY], /loud is none of fatal, error/],
  ['--not without a filter', ['logs', 'x', '--not', '--url', NOBODY], /--not needs --text or --regex/],
  ['--follow without a log', ['logs', '-f', '--url', NOBODY], /name the log to follow/],
  ['an address that is none', ['sessions', '--url', 'localhost:8081'], /starts with http/],
  ['a restart that nobody can confirm', ['restart', '--url', NOBODY], /confirm with --yes/],
  ['a restart in JSON without --yes', ['restart', '--json', '--url', NOBODY], /confirm with --yes/],
];
for (const [what, args, words] of usage) {
  test(`usage: ${what} ends with 2, its words on stderr, nothing on stdout`, async () => {
    const { code, stdout, stderr } = await diag(args);
    const plain = stdout === '' || args.includes('--json');
    assert.deepEqual([code, plain], [2, true], stdout + stderr);
    assert.match(stderr, words);
  });
}

test('with --json an error is JSON on stdout too, of usage as of running', async () => {
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [['bundle', 'x', '--json'], 2, 'BAD_INPUT'], [['logs', '--nope', '--json'], 2, 'BAD_INPUT'], [['sessions', '--json', '--url', NOBODY], 3, 'UNREACHABLE'], [['analyze', '--json', '/no/such/path'], 3, 'NOT_FOUND'],
  ];
  for (const [args, exit, code] of cases) {
    const ran = await diag(args);
    const { error } = JSON.parse(ran.stdout) as ErrorAnswer;
    assert.deepEqual([ran.code, error.code], [exit, code], ran.stdout);
    assert.ok(error.detail.length > 0);
  }
});

let server: Server;
let answer: RequestListener = (_req, res) => { res.end(); };
const seen: { url: string; headers: IncomingHttpHeaders }[] = [];
let url = '';
before(async () => {
  server = createServer((req, res) => { seen.push({ url: req.url ?? '', headers: req.headers }); answer(req, res); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => { await new Promise<void>((done) => { server.close(() => { done(); }); server.closeAllConnections(); }); });

test('could not run: nobody there, not an agent, a redirect, a sign-in page: 3, with why and a next step', async () => {
  const html = (status: number): RequestListener => (_req, res) => { res.writeHead(status, { 'content-type': 'text/html' }).end('<h1>hello</h1>'); };
  const cases: readonly (readonly [string, RequestListener, RegExp])[] = [
    ['another web server', html(200), /answers with text\/html instead of JSON; it may not be an agent/],
    ['a missing page of another server', html(404), /answered 404 without our problem format/],
    ['a front end without its app', html(502), /answered 502/],
    ['a sign-in page', html(401), /wants to know who we are \(401\); for an SCM site use https:\/\/user:password@…/],
    ['a redirect', (_req, res) => { res.writeHead(302, { location: 'https://login.example/' }).end(); }, /sends us to https:\/\/login\.example\//],
    ['a connection that is cut', (req) => { req.socket.destroy(); }, /does not answer: /],
  ];
  for (const [what, listener, words] of cases) {
    answer = listener;
    const ran = await diag(['sessions', '--url', `${url}/diag`, '--token', 'secret-token']);
    assert.deepEqual([ran.code, ran.stdout], [3, ''], what);
    assert.match(ran.stderr, words, what);
    assert.match(ran.stderr, /\[UNREACHABLE\]\n {6}Check the address/, what);
    assert.doesNotMatch(ran.stderr, /secret-token/);
  }
  const nobody = await diag(['sessions', '--url', NOBODY]);
  assert.deepEqual([nobody.code, nobody.stdout], [3, '']);
  assert.match(nobody.stderr, /The agent at http:\/\/127\.0\.0\.1:9\/diag does not answer: .*\[UNREACHABLE\]/);
});

test('credentials in the address go as Basic, to no other address, and stand in no message', async () => {
  seen.length = 0;
  answer = (_req, res) => { res.writeHead(302, { location: `${url}/elsewhere` }).end(); };
  const ran = await diag(['sessions', '--url', `${url.replace('//', '//%24shop:hunter2@')}/diag`]);
  assert.equal(ran.code, 3);
  assert.doesNotMatch(ran.stderr, /hunter2/);
  assert.deepEqual(seen.map((s) => s.url), ['/diag/api/sessions']);
  assert.equal(seen[0]?.headers.authorization, `Basic ${Buffer.from('$shop:hunter2').toString('base64')}`);
});

test('words of a hostile agent are made safe before they reach the terminal', async () => {
  answer = (_req, res) => { res.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ type: 't', title: 't', status: 409, code: 'SOME_CODE', detail: 'clear \u001b[2J the screen', next: 'and \u009b31m more' })); };
  const ran = await diag(['sessions', '--url', `${url}/diag`]);
  assert.equal(ran.code, 3);
  assert.equal(ran.stderr, 'diag: clear \\x1b[2J the screen [SOME_CODE]\n      and \\x9b31m more\n');
});

test('a home that is not there is not made', async () => {
  await withFolder(async (folder) => {
    const home = join(folder, 'typo');
    const ran = await diag(['sessions', '--home', home]);
    assert.equal(ran.code, 3);
    assert.match(ran.stderr, /The home .*typo cannot be used: there is no such folder\. \[HOME_UNUSABLE\]/);
    const again = await diag(['sessions'], { DIAG_HOME: home });
    assert.match(again.stderr, /HOME_UNUSABLE/);
  });
});
