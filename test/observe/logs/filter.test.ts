import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFilter } from '../../../src/observe/logs/filter.ts';
import type { LogFilter, LogLine } from '../../../src/shared/model.ts';

const line = (text: string, more: Partial<LogLine> = {}): LogLine => ({ source: 's', offset: 0, cursor: '', level: 'info', text, ...more });
const STACK = 'Error: boom\n    at total (/app/cart.js:41:15)\n    at get (/app/server.js:9:3)';

const rows: readonly [name: string, filter: LogFilter | undefined, line: LogLine, passes: boolean][] = [
  ['nothing asked', undefined, line('x'), true],
  ['an empty filter', { text: '', regex: '', levels: [] }, line('x'), true],
  ['text', { text: 'ECONN' }, line('connect ECONNREFUSED'), true],
  ['text, other case', { text: 'econn' }, line('connect ECONNREFUSED'), false],
  ['text, case ignored', { text: 'econn', ignoreCase: true }, line('connect ECONNREFUSED'), true],
  ['text is no pattern', { text: 'a.c' }, line('abc'), false],
  ['regex', { regex: 'ECONN(REFUSED|RESET)' }, line('connect ECONNRESET'), true],
  ['regex, case ignored', { regex: 'econn', ignoreCase: true }, line('connect ECONNRESET'), true],
  ['regex in a later line of the entry', { regex: '^\\s+at get' }, line(STACK), true],
  ['text in a later line of the entry', { text: 'cart.js:41' }, line(STACK), true],
  ['not', { text: 'health', not: true }, line('GET /health'), false],
  ['not, other', { text: 'health', not: true }, line('GET /cart'), true],
  ['text and regex both', { text: 'GET', regex: '/cart$' }, line('GET /'), false],
  ['levels', { levels: ['error', 'fatal'] }, line('x', { level: 'error' }), true],
  ['levels, other', { levels: ['error', 'fatal'] }, line('x'), false],
  ['not turns the text, never the levels', { text: 'x', not: true, levels: ['error'] }, line('y'), false],
  ['from', { from: 100 }, line('x', { at: 100 }), true],
  ['before from', { from: 100 }, line('x', { at: 99 }), false],
  ['after to', { to: 100 }, line('x', { at: 101 }), false],
  ['no instant lies in no window', { from: 100 }, line('x'), false],
];

for (const [name, filter, given, passes] of rows) {
  test(`filter: ${name}`, () => { assert.equal(compileFilter(filter)(given), passes); });
}

const bad: readonly [LogFilter, RegExp][] = [
  [{ regex: '(' }, /missing closing/],
  [{ regex: '(?=a)b' }, /\(\?=/],
  [{ regex: '(a)\\1' }, /\\1/],
  [{ regex: '((a{30}){30}){30}' }, /repeat/],
  [{ regex: '\\pL{1000}'.repeat(40) }, /too large/],
  [{ regex: 'a'.repeat(501) }, /501 characters/],
  [{ text: 'a'.repeat(501) }, /501 characters/],
];

for (const [filter, why] of bad) {
  test(`a filter that cannot be used says why: ${why.source}`, () => {
    assert.throws(() => compileFilter(filter), (error: { code?: string; message?: string }) => error.code === 'FILTER_BAD' && why.test(error.message ?? ''));
  });
}

test('patterns that hang other engines do not hang this one', () => {
  const text = line('a'.repeat(262_144));
  const started = process.cpuUsage().user;
  for (const regex of ['(a+)+$', '(a*)*b', '(a|aa)+b', '(x+x+)+y', '(.*a){20}b', '([a-zA-Z]+)*c']) compileFilter({ regex })(text);
  assert.ok(process.cpuUsage().user - started < 20_000_000, 'six patterns over 256 KiB took more than 20 s of CPU');
});
