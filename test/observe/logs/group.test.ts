// What belongs together: continuations of each language, and the bounds of an entry.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEntries } from '../../../src/observe/logs/entries.ts';
import { MAX_ENTRY_BYTES, MAX_ENTRY_LINES } from '../../../src/observe/logs/group.ts';

async function entries(text: string | Buffer, step = Infinity): Promise<string[]> {
  const bytes = Buffer.from(text);
  const list: string[] = [];
  for await (const line of readEntries(chunks(bytes, step), 's')) list.push(line.text);
  return list;
}

async function* chunks(bytes: Buffer, step: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, Math.min(bytes.length, at + step));
}

/** Each element is one entry; the file is all of them. */
const whole: readonly [name: string, parts: readonly string[]][] = [
  ['raw lines stand alone', ['listening on 8080', 'GET /', 'GET /cart']],
  ['Node: an error and its frames', ['before', "TypeError: x is not a function\n    at a (/home/site/wwwroot/a.js:1:2)\n    at node:internal/main:3:4 {\n  code: 'X'\n}", 'after']],
  ['Node: an uncaught error with preamble and trailer', [
    'listening on 8080',
    "/home/site/wwwroot/lib/cart.js:41\nreturn cart.items.length;\n            ^\n\nTypeError: Cannot read properties of undefined (reading 'items')\n    at total (/home/site/wwwroot/lib/cart.js:41:15)\n    at Server.<anonymous> (/home/site/wwwroot/server.js:9:3)\n\nNode.js v20.20.2",
    'listening on 8080',
  ]],
  ['Node: an older one without trailer', ["/app/a.js:1\nthrow new Error('x')\n^\n\nError: x\n    at Object.<anonymous> (/app/a.js:1:7)", 'listening on 8080']],
  ['Node: a thrown string', ["node:internal/process/promises:288\n            triggerUncaughtException(err, true /* fromPromise */);\n            ^\n\n[UnhandledPromiseRejection: This error originated either by throwing inside of an async function]\n\nNode.js v20.20.2"]],
  ['Node: a missing module', ["node:internal/modules/cjs/loader:1143\n  throw err;\n  ^\n\nError: Cannot find module './x'\nRequire stack:\n- /home/site/wwwroot/server.js\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1140:15)\n  requireStack: [ '/home/site/wwwroot/server.js' ]\n}\n\nNode.js v20.20.2", 'next']],
  ['Node: a cause', ['Error: outer\n    at a (/a.js:1:2)\n  [cause]: Error: inner\n      at b (/b.js:1:2)', 'next']],
  ['Java: causes and common frames', ['2026-11-21 02:14:07,123 ERROR [main] c.shop.Cart - failed\njava.lang.IllegalStateException: no cart\n\tat com.shop.Cart.total(Cart.java:41)\n\tat com.shop.Api.get(Api.java:9)\nCaused by: java.sql.SQLException: gone\n\tat com.shop.Db.get(Db.java:3)\n\t... 2 more', '2026-11-21 02:14:08,000 INFO [main] c.shop.Cart - on']],
  ['.NET: inner exception', ['Unhandled exception. System.InvalidOperationException: no cart\n ---> System.Net.Http.HttpRequestException: refused\n   at Shop.Api.Get()\n   --- End of inner exception stack trace ---\n   at Shop.Cart.Total() in C:\\shop\\Cart.cs:line 41\n--- End of stack trace from previous location ---\n   at Shop.Main()', 'next']],
  ['.NET trace: a line without the prefix belongs to the one above', ['2026-11-21T02:14:07  PID[2432] Error       System.Exception: x\r\nat Shop.Cart.Total()\r\nmore of it'.replaceAll('\r', ''), '2026-11-21T02:14:08  PID[2432] Information next']],
  ['ASP.NET console', ['fail: Shop.Cart[0]\n      no cart\n      System.Exception: x\n         at Shop.Cart.Total()', 'info: Shop.Cart[0]\n      on']],
  ['Python: a traceback, chained', ['starting', 'Traceback (most recent call last):\n  File "/app/a.py", line 3, in total\n    return cart.items\nKeyError: \'items\'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File "/app/b.py", line 9, in get\n    total()\nValueError: no cart', 'next']],
  ['Python: a traceback under its log line', ['2026-11-21 02:14:07,123 - shop - ERROR - failed\nTraceback (most recent call last):\n  File "/app/a.py", line 3, in total\nKeyError: 1', 'next']],
  ['PHP: a fatal error with its stack', ["[21-Nov-2026 02:14:07 UTC] PHP Fatal error:  Uncaught TypeError: x in /home/site/wwwroot/a.php:3\nStack trace:\n#0 /home/site/wwwroot/index.php(7): total(NULL)\n#1 {main}\n  thrown in /home/site/wwwroot/a.php on line 3", '[21-Nov-2026 02:14:08 UTC] PHP Warning:  y in /a.php on line 1']],
  ['PHP: a stack whose lines carry the time', ['[21-Nov-2026 02:14:07 UTC] PHP Warning:  x in /a.php on line 3\n[21-Nov-2026 02:14:07 UTC] PHP Stack trace:\n[21-Nov-2026 02:14:07 UTC] PHP   1. {main}() /a.php:0\n[21-Nov-2026 02:14:07 UTC] PHP   2. total() /a.php:7', '[21-Nov-2026 02:14:07 UTC] PHP Warning:  y in /a.php on line 3']],
  ['Docker puts its time before each line', ['2026-11-21T02:14:07.100000000Z Error: x\n2026-11-21T02:14:07.100000001Z     at a (/app/a.js:1:2)', '2026-11-21T02:14:08.100000000Z next']],
  ['JSON lines', ['{"level":30,"msg":"a"}', '{"level":50,"msg":"b"}']],
  ['printed JSON', ['{\n  "a": 1,\n  "b": [\n    2\n  ]\n}', 'next']],
  ['W3C rows and comments', ['#Fields: date time', '2026-11-21 02:14:07 a', '2026-11-21 02:14:08 b']],
];

for (const [name, parts] of whole) {
  test(`grouping: ${name}`, async () => {
    assert.deepEqual(await entries(`${parts.join('\n')}\n`), parts);
  });
}

test('the same entries come out wherever the bytes are cut', async () => {
  const text = whole.map(([, parts]) => parts.join('\n')).join('\n').concat('\näöü €𝄞 end\r\n');
  const expected = await entries(text);
  assert.equal(expected.at(-1), 'äöü €𝄞 end');
  for (const step of [1, 2, 3, 5, 7, 64]) assert.deepEqual(await entries(text, step), expected, `chunks of ${step} bytes`);
});

test('CRLF, byte order mark and NULs do not show; bytes that are no UTF-8 show as U+FFFD', async () => {
  const bytes = Buffer.concat([Buffer.from('\ufeffone\r\n\0t\0w\0o\r\n'), Buffer.from([0x63, 0x61, 0x66, 0xe9, 0x0a])]);
  assert.deepEqual(await entries(bytes), ['one', 'two', 'caf\ufffd']);
});

test('blank lines are no entries and move the offsets of what follows', async () => {
  const read: [number, string][] = [];
  for await (const line of readEntries(chunks(Buffer.from('\n\na\n\n\nb\n\n'), 2), 's')) read.push([line.offset, line.text]);
  assert.deepEqual(read, [[2, 'a'], [6, 'b']]);
});

test('an entry of only indented lines is closed at its bound and goes on as the next', async () => {
  const lines = Array.from({ length: MAX_ENTRY_LINES * 2 + 10 }, (_, i) => `  ${i}`);
  const got = await entries(`head\n${lines.join('\n')}\n`);
  assert.deepEqual(got.map((text) => text.split('\n').length), [MAX_ENTRY_LINES, MAX_ENTRY_LINES, 11]);
  assert.equal(got.join('\n'), `head\n${lines.join('\n')}`);
});

test('an entry holds at most its bytes, and a line of a megabyte is cut and marked', async () => {
  const long = 'x'.repeat(1_000_000);
  const got: [number, number | undefined][] = [];
  for await (const line of readEntries(chunks(Buffer.from(`a\n${long}\nb\n  ${'y'.repeat(200_000)}\n  ${'z'.repeat(200_000)}\n`), 65_536), 's')) got.push([line.text.length, line.cutBytes]);
  assert.deepEqual(got, [[1, undefined], [MAX_ENTRY_BYTES, 1_000_000 - MAX_ENTRY_BYTES], [200_004, undefined], [200_002, undefined]]);
});
