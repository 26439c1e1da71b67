// Owns the tests of taking a shell's echo out of its output.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expect, noEcho, strip, type Echo } from '../../../src/platform/shell/echo.ts';

const rows: readonly (readonly [name: string, sent: readonly string[], output: readonly string[], shown: string])[] = [
  ['the echo after a prompt is taken out', ['dir'], ['C:\\>dir\r\n Volume'], 'C:\\>\r\n Volume'],
  ['in pieces too', ['dir /b'], ['C:\\', '>d', 'ir ', '/b\r\n'], 'C:\\>\r\n'],
  ['after a prompt with a space', ['ls'], ['PS D:\\home> ls\r\n'], 'PS D:\\home> \r\n'],
  ['two lines sent ahead', ['a', 'b'], ['C:\\>a\r\nx\r\nC:\\>b\r\n'], 'C:\\>\r\nx\r\nC:\\>\r\n'],
  ['a shell that repeats nothing keeps its output', ['dir'], ['C:\\>', ' Volume dir\r\nC:\\>'], 'C:\\> Volume dir\r\nC:\\>'],
  ['what begins like the echo and is none is shown whole', ['dirty'], ['C:\\>dir\r\n'], 'C:\\>dir\r\n'],
  ['a program that repeats the line is no echo', ['hello'], ['working\r\nhello\r\n'], 'working\r\nhello\r\n'],
  ['nothing sent, nothing taken', [], ['C:\\>dir'], 'C:\\>dir'],
];
for (const [name, sent, output, shown] of rows) {
  test(name, () => {
    let echo: Echo = sent.reduce(expect, noEcho);
    let text = '';
    for (const piece of output) {
      const one = strip(echo, piece);
      ({ echo } = one);
      text += one.output;
    }
    assert.equal(text, shown);
  });
}

test('the prompt may have come before the line was sent', () => {
  const { echo } = strip(noEcho, 'C:\\>');
  assert.equal(strip(expect(echo, 'exit'), 'exit\r\nbye').output, '\r\nbye');
});

test('of lines beyond the bound the echo is shown', () => {
  const echo = Array.from({ length: 150 }, () => 'x').reduce(expect, noEcho);
  assert.equal(echo.expected.length, 100);
});
