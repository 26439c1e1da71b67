// Owns the tests of the command's pure parts: options, severities, names of logs, addresses, text made safe, lines of progress.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiProblem } from '../../src/shared/connect.ts';
import { DiagError } from '../../src/shared/errors.ts';
import type { LogSourceInfo, Severity, Step } from '../../src/shared/model.ts';
import { addressOf, unreachable } from '../../src/cli/address.ts';
import { chooseLog } from '../../src/cli/choose-log.ts';
import { filterOf } from '../../src/cli/commands/logs.ts';
import { faultOf } from '../../src/cli/fault.ts';
import { FAIL_ON, fails, list, number } from '../../src/cli/options.ts';
import { cut, json, safe, safeLine, table, wrap } from '../../src/cli/print.ts';
import { endedLine, runningLine } from '../../src/cli/progress.ts';
import { CONTROL } from './support.ts';

test('--fail-on: which severity ends with 1', () => {
  const severities: readonly Severity[] = ['critical', 'warning', 'info', 'good', 'cannot-tell'];
  const wanted = { critical: [true, false, false, false, false], warning: [true, true, false, false, false], info: [true, true, true, false, false], never: [false, false, false, false, false] };
  for (const failOn of FAIL_ON) assert.deepEqual(severities.map((severity) => fails([{ severity: 'good' }, { severity }], failOn)), wanted[failOn], failOn);
  assert.equal(fails([], 'info'), false);
});

test('numbers are whole, in bounds, and written as numbers', () => {
  const port = number(0, 65_535);
  assert.deepEqual(['0', '8081', '65535'].map(port), [0, 8_081, 65_535]);
  for (const text of ['', ' ', '-1', '1.5', '1e3', '0x10', '65536', 'x', '1 2', '99999999999999999999']) assert.throws(() => port(text), /whole number from 0 to 65535/, text);
  assert.deepEqual(list(' a, b,,c '), ['a', 'b', 'c']);
  assert.throws(() => list(' , '), /one or more names/);
});

test('a filter is what was said; --not alone and unknown levels are refused', () => {
  assert.deepEqual(filterOf({}), {});
  assert.deepEqual(filterOf({ text: 'a', not: true, level: ['error', 'fatal'] }), { text: 'a', not: true, levels: ['error', 'fatal'] });
  assert.throws(() => filterOf({ not: true }), /--not needs --text or --regex/);
  assert.throws(() => filterOf({ level: ['error', 'worse'] }), /worse is none of fatal, error/);
});

const log = (id: string, title: string): LogSourceInfo => ({ id, title, kind: 'application', sizeBytes: 1, changedAt: 1 });
const catalog = [log('a1', 'LogFiles/Application/app.log'), log('b2', 'LogFiles/Application/my-app.log'), log('c3', 'LogFiles/kudu/app.log.txt'), log('d4', 'LogFiles/other/x.txt'), log('e5', 'LogFiles/more/x.txt'), log('f6', 'LogFiles/app.log')];

test('a log is named by its id, its name, the end or a part of it; the better match wins', () => {
  const cases: Record<string, string> = { a1: 'a1', 'LogFiles/app.log': 'f6', 'Application/app.log': 'a1', 'my-app.log': 'b2', 'p.log.txt': 'c3', 'other/x.txt': 'd4', 'kudu/': 'c3' };
  for (const [word, id] of Object.entries(cases)) assert.equal(chooseLog(catalog, word).id, id, word);
});

test('a name of several logs is refused with their names and ids, an unknown or empty one too', () => {
  assert.throws(() => chooseLog(catalog, 'app.log'), { code: 'BAD_INPUT', message: /app\.log names 2 logs: LogFiles\/Application\/app\.log \(a1\), LogFiles\/app\.log \(f6\)/ });
  assert.throws(() => chooseLog(catalog, '.txt'), { code: 'BAD_INPUT', message: /names 3 logs/ });
  for (const word of ['nosuch', '']) assert.throws(() => chooseLog(catalog, word), { code: 'SOURCE_UNKNOWN' });
});

test('addresses lose slash, query and credentials; credentials become a Basic header', () => {
  assert.deepEqual(addressOf('http://127.0.0.1:8081/diag/'), { url: 'http://127.0.0.1:8081/diag' });
  assert.deepEqual(addressOf('https://shop.scm.azurewebsites.net/diag/?once=KEY#x'), { url: 'https://shop.scm.azurewebsites.net/diag' });
  assert.deepEqual(addressOf('http://host'), { url: 'http://host' });
  assert.deepEqual(addressOf('https://%24shop:p%40ss%25@host/diag'), { url: 'https://host/diag', authorization: `Basic ${Buffer.from('$shop:p@ss%').toString('base64')}` });
  assert.deepEqual(addressOf('https://user:100%@host/diag').authorization, `Basic ${Buffer.from('user:100%').toString('base64')}`);
  for (const bad of ['', 'foo', 'localhost:8081/diag', 'file:///etc/passwd', '/diag']) assert.throws(() => addressOf(bad), { code: 'BAD_INPUT' }, bad);
  assert.throws(() => addressOf('ftp://user:hunter2@host/'), (error: Error) => !error.message.includes('hunter2'));
});

test('why nobody answered is said by the innermost reason', () => {
  const inner = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]);
  assert.match((unreachable('http://x', new TypeError('fetch failed', { cause: inner })) as Error).message, /http:\/\/x does not answer: connect ECONNREFUSED ::1:1/);
  const abort = new DOMException('stopped', 'AbortError');
  assert.equal(unreachable('http://x', abort), abort);
});

test('an error becomes exit code, code, sentence and next step', () => {
  const problem = new ApiProblem({ type: 't', title: 't', status: 401, code: 'TOKEN_MISSING', detail: 'This agent wants its token.', next: 'Open the one-time link' });
  assert.deepEqual(faultOf(problem), { exit: 3, code: 'TOKEN_MISSING', detail: 'This agent wants its token.', next: faultOf(problem).next });
  assert.match(faultOf(problem).next ?? '', /--token or in DIAG_TOKEN/);
  assert.equal(faultOf(new DiagError('FILTER_BAD', { why: 'x' })).exit, 2);
  assert.equal(faultOf(new DiagError('BAD_INPUT', { why: 'x' })).exit, 2);
  assert.deepEqual(faultOf(new DiagError('NOT_FOUND', { path: '/x' })), { exit: 3, code: 'NOT_FOUND', detail: 'There is nothing at /x.' });
  assert.deepEqual(faultOf(Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })), { exit: 3, code: 'EADDRINUSE', detail: 'listen EADDRINUSE', next: 'Another program listens there: choose another with --port.' });
  assert.deepEqual(faultOf(new Error('odd')), { exit: 3, code: 'INTERNAL', detail: 'odd' });
});

test('text from outside has no power over the terminal', () => {
  const hostile = 'a\u001b[2Jb\rc\u0007d\u009b31me\u202ef\u2066g\u0000h\u007f\ti\nj';
  assert.equal(safe(hostile), 'a\\x1b[2Jb\\x0dc\\x07d\\x9b31me\\u202ef\\u2066g\\x00h\\x7f\ti\nj');
  assert.equal(safeLine('a\nb\tc\u001b'), 'a\\nb c\\x1b');
  assert.doesNotMatch(json({ hostile }), CONTROL);
  assert.deepEqual(JSON.parse(json({ hostile })), { hostile });
  assert.equal(safe('Grüße, 世界 🙂'), 'Grüße, 世界 🙂');
});

test('tables are aligned, numbers to the right; long lines wrap only on a terminal', () => {
  assert.equal(table(['Id', 'Size'], [['a', '1'], ['bbb', '22 MiB']], [1]), 'Id     Size\na         1\nbbb  22 MiB');
  assert.equal(wrap('one two\nthree', '    ', '  → '), '  → one two\n    three');
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('abcd', 4), 'abcd');
});

test('progress: a line for each step that ended, one for the step at work', () => {
  const step = (more: Partial<Step>): Step => ({ id: 'x', stage: 'collect', title: 'HTTP logs', state: 'done', ...more });
  assert.equal(endedLine(step({ tookMs: 2_400 })), 'done      HTTP logs, 2.4 s');
  assert.equal(endedLine(step({ state: 'skipped', because: 'not here' })), 'skipped   HTTP logs: not here');
  const running = step({ state: 'running', note: '3 of 7 files', fraction: 0.428 });
  assert.equal(runningLine(running, [step({}), running, step({ state: 'waiting' })]), '2 of 3    HTTP logs: 3 of 7 files, 43 %');
});
