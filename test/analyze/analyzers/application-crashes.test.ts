// Owns the proof that a crash is told with its exception and the requests it ended, and that none is told where none was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applicationCrashes } from '../../../src/analyze/analyzers/application-crashes.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { Finding } from '../../../src/shared/model.ts';
import type { Change } from '../../../src/shared/model.ts';
import { HOSTILE, WINDOW, at, changes, crashedEvent, eventLog, given, httpLog, never, reader, startedEvent, stderr, uncaught } from '../artifacts.ts';

const run = async (...readers: ArtifactReader[]): Promise<readonly Finding[]> =>
  (await applicationCrashes.analyze(given(...readers), { window: WINDOW }, never)).map((f) => Finding.parse(f));
const ids = (found: readonly Finding[]): unknown => found.map((f) => [f.id, f.severity]);
const exit = (clock: string, pid: number, more: Partial<Change> = {}): Change => ({ id: `e${pid}`, at: at(clock), kind: 'exit', level: 'critical', title: `Worker ${pid} exited`, pid, ...more });
const CRASHES = [crashedEvent('02:14:07.115', 4712), startedEvent('02:14:09', 5044), crashedEvent('02:16:21.3', 5044), startedEvent('02:16:23', 5512)];
const REQUESTS = `02:11:00 GET / 200 34 x500
  02:14:07 POST /cart/apply 502.3.12030 61
  02:14:07 GET /products/7 502.3.12030 124
  02:14:08 GET / 502.3.12029 2 x3
  02:16:21 POST /cart/apply 502.3.12030 58
  02:16:21 GET /search 502.3.12030 340
  02:16:22 GET / 502.3.12029 2
  02:20:00 GET /other 500 20`;

test('the crash is told with count, exit code, exception and place; the failed requests it explains; the route that was always running', async () => {
  const found = await run(eventLog(...CRASHES), stderr(4712, uncaught()), stderr(5044, uncaught()), httpLog(REQUESTS));
  assert.deepEqual(ids(found), [['worker-crashes', 'critical']]);
  const [crash] = found;
  assert.equal(crash?.title, 'The worker crashed twice with exit code 1: TypeError: Cannot read properties of undefined (reading \'percent\') at lib/cart.js:41');
  assert.equal(crash?.why, 'The crashes ended 4 requests in flight and left 4 requests without a worker: 8 of 9 failed requests, 1.57 % of all 509. POST /cart/apply is the only request that was running each time. The first was at 02:14:07 UTC, the last at 02:16:21 UTC.');
  assert.deepEqual(crash?.mitigations, [], 'a restart does not help: the platform has started the next worker already');
  const [chain, stack, exits] = crash?.evidence ?? [];
  assert.deepEqual(chain?.kind === 'table' && [chain.drawn, chain.rows.map((r) => [r[1], r[3]])], ['chain', [
    ['POST /cart/apply throws', 'root'], ['Worker 4712 exits with code 1', 'effect'],
    ['2 requests in flight end as 502.3 · 12030', 'effect'], ['3 requests find no worker: 502.3 · 12029', 'effect'],
  ]]);
  assert.deepEqual(stack?.kind === 'stack' && stack.frames.map((f) => f.ours === true), [true, false, false], 'own code is marked, express and node are not');
  assert.deepEqual(exits?.kind === 'table' && exits.rows.map((r) => r.slice(0, 5)), [[at('02:14:07.115'), '4712', 'exit code 1', 2, 3], [at('02:16:21.3'), '5044', 'exit code 1', 2, 1]]);
});

test('an exit seen in the event log and in the process list is one exit', async () => {
  const found = await run(eventLog(CRASHES[0] as (typeof CRASHES)[0]), changes(exit('02:14:09', 4712)), httpLog(REQUESTS));
  assert.equal(found.find((f) => f.id === 'worker-crashes')?.title, 'The worker crashed once with exit code 1');
  assert.match(found[0]?.why ?? '', /what ended the process is not told here/);
});

test('two causes are two findings, the more frequent first, each with its own requests', async () => {
  const other = `RangeError: Invalid array length\n    at grow (D:\\home\\site\\wwwroot\\lib\\grow.js:9:3)\n\nNode.js v20.20.2\n`;
  const found = await run(
    eventLog(...CRASHES, crashedEvent('02:18:11', 5512)), stderr(4712, uncaught()), stderr(5044, uncaught()), stderr(5512, other),
    httpLog(`${REQUESTS}\n02:18:11 GET /grow 502.3.12030 61`),
  );
  assert.deepEqual(found.map((f) => [f.id, f.title]), [
    ['worker-crashes', 'The worker crashed twice with exit code 1: TypeError: Cannot read properties of undefined (reading \'percent\') at lib/cart.js:41'],
    ['worker-crashes-2', 'The worker crashed once with exit code 1: RangeError: Invalid array length at lib/grow.js:9'],
  ]);
});

test('a restart, exit code 0 and SIGTERM are no crashes', async () => {
  const restart: Change = { id: 'r', at: at('02:12:00'), kind: 'restart', level: 'neutral', title: 'Restart asked for' };
  const found = await run(changes(restart, exit('02:12:03', 1, { exitCode: 137, signal: 'SIGKILL' }), exit('02:13:00', 2, { exitCode: 0 }), exit('02:14:00', 3, { signal: 'SIGTERM' })), httpLog('02:11:00 GET / 200 34 x50'));
  assert.deepEqual(ids(found), [['worker-exits-planned', 'info'], ['no-crashes', 'good']]);
  assert.equal(found[0]?.title, 'The worker ended 3 times as asked');
});

test('a process that vanished with an unknown code is no crash, unless a request broke with it', async () => {
  assert.deepEqual(ids(await run(changes(exit('02:14:08', 9)), httpLog('02:11:00 GET / 200 34 x50'))), [['no-crashes', 'good']]);
  assert.deepEqual(ids(await run(changes(exit('02:14:08', 9)), httpLog('02:11:00 GET / 200 34 x50\n02:14:07 GET / 502.3.12030 5'))), [['worker-crashes', 'critical']]);
});

test('exceptions without an exit are a warning and no crash; error entries that are none are told apart', async () => {
  const log = Array.from({ length: 3 }, (_, i) => `2026-11-21T02:14:0${i}.000Z ERROR order ${i}7 failed\nTypeError: x is not a function\n    at pay (/home/site/wwwroot/lib/pay.js:12:7)\n`).join('')
    + '2026-11-21T02:15:00.000Z ERROR database says no\n2026-11-21T02:15:01.000Z INFO fine\n';
  const found = await run(reader('application-log', 'app.txt', log));
  assert.deepEqual(found.map((f) => [f.id, f.severity, f.title]), [
    ['application-exceptions', 'warning', '3 exceptions of 1 kind in the application log, most often TypeError: x is not a function at lib/pay.js:12'],
    ['application-errors', 'warning', '1 error entry in the application log, most often: 2026-11-21T02:15:00.000Z ERROR database says no'],
  ]);
});

test('exceptions without time and process are matched by count alone, and the report says so', async () => {
  const log = `${uncaught()}${uncaught()}`;
  const [found] = await run(eventLog(...CRASHES), reader('application-log', 'all.txt', log), httpLog(REQUESTS));
  assert.match(found?.title ?? '', /^The worker crashed twice .*TypeError/);
  assert.match(found?.why ?? '', /matched because there are as many of the one as of the other/);
  const [unsure] = await run(eventLog(...CRASHES), reader('application-log', 'all.txt', uncaught()), httpLog(REQUESTS));
  assert.equal(unsure?.title, 'The worker crashed twice with exit code 1', 'one exception for two exits is not matched');
});

test('a stale exception of another process does not become the cause', async () => {
  const found = await run(eventLog(...CRASHES), stderr(1, uncaught()), httpLog(REQUESTS));
  assert.equal(found[0]?.title, 'The worker crashed twice with exit code 1');
});

test('the only common route is named only when there are two groups', async () => {
  const [found] = await run(eventLog(CRASHES[0] as (typeof CRASHES)[0]), httpLog('02:14:07 POST /a 502.3.12030 5\n02:14:07 GET /b 502.3.12030 5'));
  assert.doesNotMatch(found?.why ?? '', /only request/);
  const [single] = await run(eventLog(CRASHES[0] as (typeof CRASHES)[0]), httpLog('02:14:07 POST /a 502.3.12030 5'));
  assert.match(single?.why ?? '', /POST \/a is the only request that was running/);
});

test('a crash with a native signal and one before listening say so', async () => {
  const native = { at: at('02:14:07'), id: 1002, text: 'Process \'7\' listening on port \'1\' crashed with exit code \'139\' (signal SIGSEGV).' };
  assert.equal((await run(eventLog(native)))[0]?.title, 'The worker crashed once with signal SIGSEGV');
  const boot = { at: at('02:14:07'), id: 1000, text: 'Process \'7\' failed to listen on port \'1\': it ended with exit code \'3\'.' };
  assert.equal((await run(eventLog(boot)))[0]?.title, 'The worker crashed once with exit code 3 while it started');
});

test('nothing wrong and nothing collected are told apart', async () => {
  assert.deepEqual(ids(await run(eventLog(), changes(), reader('application-log', 'a.txt', 'all is well\n'))), [['no-crashes', 'good']]);
  assert.deepEqual(ids(await run(httpLog('02:11:00 GET / 200 34'))), [['crashes-unknown', 'cannot-tell']]);
});

test('hostile log text: control characters, markup and a line of 1 MB stay bounded and harmless', async () => {
  const log = HOSTILE.map((text) => `2026-11-21T02:14:06.000Z ERROR ${text}\nError: ${text}\n    at ${text} (/home/site/wwwroot/${text.slice(0, 50)}.js:1:1)\n`).join('') + `2026-11-21T02:14:07.000Z ERROR ${'y'.repeat(1_000_000)}\n`;
  const found = await run(eventLog(...CRASHES), reader('application-log', 'app.txt', log), httpLog(REQUESTS));
  for (const finding of found) {
    assert.doesNotMatch(finding.title + finding.why, /[\u0000-\u0009\u000b-\u001f\u202e]/, finding.id);
    assert.ok(finding.title.length < 700, `${finding.id}: ${finding.title.length}`);
  }
  assert.ok(JSON.stringify(found).length < 60_000, `${JSON.stringify(found).length}`);
});
