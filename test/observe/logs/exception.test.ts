import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exceptionOf } from '../../../src/observe/logs/exception.ts';

/** Type, message, then each frame as `file:line`, with `*` where it is the app's own. */
function brief(text: string): unknown {
  const found = exceptionOf(text);
  return found && [found.type, found.message, ...found.frames.map((f) => `${f.file ?? f.text}${f.line === undefined ? '' : `:${f.line}`}${f.ours ? ' *' : ''}`)];
}

const NODE = "TypeError: Cannot read properties of undefined (reading 'items')\n    at total (/home/site/wwwroot/lib/cart.js:41:15)\n    at async Server.get (file:///home/site/wwwroot/server.mjs:9:3)\n    at Layer.handle (/home/site/wwwroot/node_modules/express/lib/layer.js:95:5)\n    at node:internal/main/run_main:23:47\n    at new Promise (<anonymous>)";
const NODE_FRAMES = ['/home/site/wwwroot/lib/cart.js:41 *', '/home/site/wwwroot/server.mjs:9 *', '/home/site/wwwroot/node_modules/express/lib/layer.js:95', 'node:internal/main/run_main:23', 'at new Promise (<anonymous>)'];
const MESSAGE = "Cannot read properties of undefined (reading 'items')";

const rows: readonly [name: string, text: string, expected: unknown][] = [
  ['Node', NODE, ['TypeError', MESSAGE, ...NODE_FRAMES]],
  ['Node, uncaught', `/home/site/wwwroot/lib/cart.js:41\n  return cart.items.length;\n              ^\n\n${NODE}\n\nNode.js v20.20.2`, ['TypeError', MESSAGE, ...NODE_FRAMES]],
  ['Node, behind a log line', `2026-11-21T02:14:07.123Z ERROR order failed ${NODE}`, ['TypeError', MESSAGE, ...NODE_FRAMES]],
  ['Node, behind Docker', NODE.split('\n').map((line) => `2026-11-21T02:14:07.123456789Z ${line}`).join('\n'), ['TypeError', MESSAGE, ...NODE_FRAMES]],
  ['Node, with a code and a message of two lines', 'Error [ERR_X]: one\ntwo\n    at a (C:\\home\\site\\wwwroot\\a.js:3:1)', ['Error', 'one\ntwo', 'C:\\home\\site\\wwwroot\\a.js:3 *']],
  ['Node, a class of its own', 'CartEmpty: nothing to sell\n    at a (/app/a.js:3:1)', ['CartEmpty', 'nothing to sell', '/app/a.js:3 *']],
  ['Node, its cause stays out', 'Error: outer\n    at a (/app/a.js:3:1)\n  [cause]: Error: inner\n      at b (/app/b.js:1:1)', ['Error', 'outer', '/app/a.js:3 *']],
  ['Node, a thrown string', "/app/a.js:3\nthrow 'no cart'\n^\nUncaught 'no cart'\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n\nNode.js v20.20.2", ['Uncaught', "'no cart'", '/app/a.js:3 *']],
  ['pino', JSON.stringify({ level: 50, msg: 'x', err: { type: 'TypeError', message: MESSAGE, stack: NODE } }), ['TypeError', MESSAGE, ...NODE_FRAMES]],
  ['winston', JSON.stringify({ level: 'error', message: 'x', stack: NODE }), ['TypeError', MESSAGE, ...NODE_FRAMES]],
  ['JSON without stack', JSON.stringify({ level: 50, error: { name: 'Gone', message: 'no row' } }), ['Gone', 'no row']],
  ['Java', '2026-11-21 02:14:07,123 ERROR [main] c.shop.Cart - failed\njava.lang.IllegalStateException: no cart\n\tat com.shop.Cart.total(Cart.java:41)\n\tat java.base/java.lang.Thread.run(Thread.java:829)\n\tat org.springframework.web.Foo.get(Foo.java:9)\n\tat com.shop.Native.x(Native Method)\nCaused by: java.sql.SQLException: gone\n\tat com.shop.Db.get(Db.java:3)', ['java.lang.IllegalStateException', 'no cart', 'Cart.java:41 *', 'Thread.java:829', 'Foo.java:9', 'at com.shop.Native.x(Native Method) *']],
  ['Java, main thread', 'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n\tat com.shop.App.main(App.java:3)', ['java.lang.OutOfMemoryError', 'Java heap space', 'App.java:3 *']],
  ['.NET', 'Unhandled exception. System.InvalidOperationException: no cart\n ---> System.Net.Http.HttpRequestException: refused\n   at System.Net.Http.HttpClient.Send(HttpRequestMessage request)\n   --- End of inner exception stack trace ---\n   at Shop.Cart.Total(Int32 id) in C:\\shop\\Cart.cs:line 41\n   at Microsoft.AspNetCore.Mvc.Run()', ['System.InvalidOperationException', 'no cart', 'at System.Net.Http.HttpClient.Send(HttpRequestMessage request)', 'C:\\shop\\Cart.cs:41 *', 'at Microsoft.AspNetCore.Mvc.Run()']],
  ['Python', 'Traceback (most recent call last):\n  File "/home/site/wwwroot/app.py", line 9, in get\n    return total()\n  File "/home/site/wwwroot/cart.py", line 41, in total\n    return cart["items"]\n  File "/opt/python/3.11/lib/python3.11/site-packages/flask/app.py", line 2, in x\nKeyError: \'items\'', ['KeyError', "'items'", '/opt/python/3.11/lib/python3.11/site-packages/flask/app.py:2', '/home/site/wwwroot/cart.py:41 *', '/home/site/wwwroot/app.py:9 *']],
  ['PHP, uncaught', '[21-Nov-2026 02:14:07 UTC] PHP Fatal error:  Uncaught TypeError: total(): Argument #1 must be of type array, null given, called in /home/site/wwwroot/a.php on line 7 and defined in /home/site/wwwroot/a.php:3\nStack trace:\n#0 /home/site/wwwroot/vendor/slim/App.php(7): total(NULL)\n#1 /home/site/wwwroot/index.php(7): total(NULL)\n#2 {main}\n  thrown in /home/site/wwwroot/a.php on line 3', ['TypeError', 'total(): Argument #1 must be of type array, null given, called in /home/site/wwwroot/a.php on line 7 and defined', '/home/site/wwwroot/a.php:3 *', '/home/site/wwwroot/vendor/slim/App.php:7', '/home/site/wwwroot/index.php:7 *', '#2 {main}']],
  ['PHP, memory', '[21-Nov-2026 02:14:07 UTC] PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /home/site/wwwroot/a.php on line 12', ['Fatal error', 'Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)', '/home/site/wwwroot/a.php:12 *']],
  ['PHP, only a warning', '[21-Nov-2026 02:14:07 UTC] PHP Warning:  Undefined variable $x in /a.php on line 3', undefined],
  ['no exception', 'listening on 8080', undefined],
  ['the word alone', 'no Error: was seen', undefined],
];

for (const [name, text, expected] of rows) {
  test(`exception: ${name}`, () => { assert.deepEqual(brief(text), expected); });
}

test('a hostile entry is read without delay', () => {
  for (const unit of ['    at a (', 'a.', 'Error: ', '   at A(', ' File "', '(((', '#0 /a(', 'x:1:']) {
    const started = process.cpuUsage().user;
    exceptionOf(`Error: x\n    at ${unit.repeat(Math.floor(262_144 / unit.length))}`);
    assert.ok(process.cpuUsage().user - started < 5_000_000, `took too long on ${JSON.stringify(unit)}`);
  }
});
