// Level and instant of real-looking lines of each format.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../../src/observe/logs/entries.ts';

const AT = Date.UTC(2026, 10, 21, 2, 14, 7);
const NEAR = Date.UTC(2026, 10, 22);

const rows: readonly [name: string, text: string, level: string, at: number | undefined][] = [
  ['.NET trace', '2026-11-21T02:14:07  PID[2432] Information Order 7 shipped', 'info', AT],
  ['.NET trace, error', '2026-11-21T02:14:07  PID[2432] Error       Payment failed', 'error', AT],
  ['.NET trace, verbose', '2026-11-21T02:14:07  PID[2432] Verbose     cache miss', 'trace', AT],
  ['pino', '{"level":50,"time":1795227247000,"pid":1,"msg":"boom"}', 'error', AT],
  ['pino fatal', '{"level":60,"time":1795227247123,"msg":"bye"}', 'fatal', AT + 123],
  ['bunyan', '{"name":"shop","hostname":"a","pid":1,"level":40,"msg":"slow","time":"2026-11-21T02:14:07.000Z","v":0}', 'warn', AT],
  ['winston', '{"level":"info","message":"listening","timestamp":"2026-11-21T02:14:07.500Z"}', 'info', AT + 500],
  ['winston http', '{"level":"http","message":"GET /"}', 'info', undefined],
  ['zap', '{"level":"warn","ts":1795227247.25,"msg":"retry"}', 'warn', AT + 250],
  ['Serilog compact', '{"@t":"2026-11-21T02:14:07Z","@mt":"Started"}', 'info', AT],
  ['JSON without level', '{"msg":"error in the text is no level"}', 'unknown', undefined],
  ['JSON that is torn', '{"level":50,"msg":"bo', 'unknown', undefined],
  ['log4j', '2026-11-21 02:14:07,123 ERROR [http-nio-8080-exec-1] c.shop.Cart - failed', 'error', AT + 123],
  ['log4j, thread first', '2026-11-21 02:14:07,123 [main] WARN  c.shop.Cart - slow', 'warn', AT + 123],
  ['logback', '02:14:07.123 [main] INFO  c.shop.App - started', 'info', undefined],
  ['Spring Boot', '2026-11-21T02:14:07.123+01:00  INFO 1 --- [main] c.shop.App : Started', 'info', AT + 123 - 3_600_000],
  ['Java util logging', 'Nov 21, 2026 2:14:07 AM org.apache.catalina.startup.Catalina start', 'unknown', AT],
  ['Tomcat', '21-Nov-2026 02:14:07.123 SEVERE [main] org.apache.catalina.core.StandardContext.startInternal', 'error', AT + 123],
  ['PHP fatal', '[21-Nov-2026 02:14:07 UTC] PHP Fatal error:  Uncaught TypeError: x in /home/site/wwwroot/a.php:3', 'fatal', AT],
  ['PHP warning', '[21-Nov-2026 02:14:07 UTC] PHP Warning:  Undefined variable $x in /home/site/wwwroot/a.php on line 3', 'warn', AT],
  ['PHP notice, named zone', '[21-Nov-2026 03:14:07 Europe/Berlin] PHP Notice:  x', 'info', AT],
  ['PHP, no such zone', '[21-Nov-2026 03:14:07 Mars/Olympus] PHP Notice:  x', 'info', undefined],
  ['Docker platform', '2026-11-21T02:14:07.123456789Z ERROR - Container shop_0 has exited, failing site start', 'error', AT + 123],
  ['Docker around JSON', '2026-11-21T02:14:07.123456789Z {"level":50,"msg":"boom"}', 'error', AT + 123],
  ['Kubernetes style', '2026-11-21T02:14:07.123456789Z stderr F Error: boom', 'error', AT + 123],
  ['syslog', 'Nov 21 02:14:07 web01 nginx[123]: started', 'unknown', AT],
  ['syslog with priority', '<11>Nov 21 02:14:07 web01 app[1]: failed', 'error', AT],
  ['syslog of last year', 'Dec 31 23:59:59 web01 app[1]: late', 'unknown', Date.UTC(2025, 11, 31, 23, 59, 59)],
  ['syslog, new form', '<165>1 2026-11-21T02:14:07.003Z web01 app 1 ID47 - started', 'info', AT + 3],
  ['nginx error', '2026/11/21 02:14:07 [error] 31#31: *5 connect() failed (111: Connection refused)', 'error', AT],
  ['Apache error', '[Sat Nov 21 02:14:07.123456 2026] [php:error] [pid 19] [client 10.0.0.1:5] boom', 'error', AT + 123],
  ['NCSA 502', '10.0.0.1 - - [21/Nov/2026:02:14:07 +0000] "GET / HTTP/1.1" 502 150 "-" "curl"', 'error', AT],
  ['NCSA with a zone', '10.0.0.1 - - [21/Nov/2026:04:14:07 +0200] "GET / HTTP/1.1" 200 15', 'info', AT],
  ['W3C 502', '2026-11-21 02:14:07 SHOP GET /cart X-ARR-LOG-ID=1 443 - 1.2.3.4 Mozilla/5.0 - - shop.example 502 3 12030 1540 1120 312', 'error', AT],
  ['W3C 404', '2026-11-21 02:14:07 SHOP GET /favicon.ico - 443 - 1.2.3.4 - - - shop.example 404 0 2 1540 1120 3', 'warn', AT],
  ['W3C 200', '2026-11-21 02:14:07 SHOP GET /error - 443 - 1.2.3.4 - - - shop.example 200 0 0 1540 1120 3', 'info', AT],
  ['ASP.NET console', 'fail: Microsoft.AspNetCore.Server.Kestrel[13]\n      Connection id "0H" threw', 'error', undefined],
  ['Python logging', '2026-11-21 02:14:07,123 - shop.cart - CRITICAL - no database', 'fatal', AT + 123],
  ['Python default form', 'WARNING:root:low memory', 'warn', undefined],
  ['Python traceback', 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nValueError: x', 'error', undefined],
  ['logfmt', 'time="2026-11-21T02:14:07Z" level=warning msg="low"', 'warn', undefined],
  ['npm', 'npm ERR! code ELIFECYCLE', 'error', undefined],
  ['glog', 'E1121 02:14:07.123456 1 main.go:5] failed', 'error', undefined],
  ['iisnode, raw', 'Server listening on port 8080', 'unknown', undefined],
  ['raw, the word inside', 'Customer wrote: no error yet, information follows', 'unknown', undefined],
  ['raw, a capital word', '[worker 3] ERROR could not connect', 'error', undefined],
  ['Node error', "TypeError: Cannot read properties of undefined (reading 'id')\n    at a (/home/site/wwwroot/a.js:1:2)", 'error', undefined],
  ['Node uncaught', "/home/site/wwwroot/a.js:3\n    throw e\n    ^\n\nError: x\n    at a (/home/site/wwwroot/a.js:1:2)\n\nNode.js v20.20.2", 'fatal', undefined],
  ['Node out of memory', 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory', 'fatal', undefined],
  ['.NET unhandled', 'Unhandled exception. System.InvalidOperationException: x\n   at Shop.Main()', 'fatal', undefined],
  ['Java thread', 'Exception in thread "main" java.lang.IllegalStateException: x', 'fatal', undefined],
  ['American date cannot be told', '03/04/2026 02:14:07 INFO x', 'info', undefined],
  ['not a date', '2026-13-41 02:14:07 INFO x', 'info', undefined],
  ['empty', '', 'unknown', undefined],
];

for (const [name, text, level, at] of rows) {
  test(`level and instant: ${name}`, () => {
    assert.deepEqual(judge(text, NEAR), at === undefined ? { level } : { level, at });
  });
}

test('syslog without an instant near it has none: the year is not guessed', () => {
  assert.deepEqual(judge('Nov 21 02:14:07 web01 app[1]: x'), { level: 'unknown' });
});

test('a line of 256 KiB is judged without delay whatever it holds', () => {
  for (const unit of ['a', 'a.', ' ', '0 ', '[', '2026-11-21 02:14:07 ', '"', 'Error: ']) {
    const text = `2026-11-21 02:14:07 ${unit.repeat(Math.floor(262_144 / unit.length))}`;
    const started = process.cpuUsage().user;
    judge(text, NEAR);
    judge(text.slice(20), NEAR);
    // Generous by three orders of magnitude: this catches only a pattern that is not linear.
    assert.ok(process.cpuUsage().user - started < 5_000_000, `took too long on ${JSON.stringify(unit)}`);
  }
});
