// Owns the tables of causes: for each what must name it, and what looks like it and must not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CauseId } from '../../../src/shared/cause.ts';
import type { ArtifactReader } from '../../../src/analyze/contracts.ts';
import { at, changes, crashedEvent, eventLog, metrics, reader, startedEvent, stderr, uncaught } from '../artifacts.ts';
import { QUIET, appLog, found, line, log, nginxError, nginxRow, traffic } from './scenes.ts';

interface Row { readonly cause: CauseId; readonly of: string; readonly given: readonly ArtifactReader[]; readonly rows?: number; readonly words?: RegExp }

const EXIT = (clock: string, pid: number, code: number | undefined, signal?: string) => ({ id: `exit:${pid}:${at('02:10:00')}`, at: at(clock), kind: 'exit' as const, level: 'critical' as const, title: `Node ${pid} exited`, pid, ...(code === undefined ? {} : { exitCode: code }), ...(signal === undefined ? {} : { signal }) });
const DEPLOYED = (clock: string) => ({ id: 'd1', at: at(clock), kind: 'deployment' as const, level: 'neutral' as const, title: 'Deployment 4f2a1c' });
const INSIDE = (app: object): ArtifactReader => reader('app-inside', 'app-inside.json', JSON.stringify({ version: 1, at: at('02:25:00'), apps: [{ pid: 7, startedAt: at('02:10:00'), node: 'v20', preload: '1', state: 'connected', coversMs: 60_000, oldest: [], routes: [], dependencies: [], lookups: [], stalls: [], gc: [], spaces: [], resources: [], failures: [], lost: [], answersAsks: true, ...app }] }));
const DEPENDENCY = (more: object): object => ({ host: 'db.example:5432', by: 'socket', inFlight: 0, statuses: [], errors: [], count: 0, ...more });
/** Visitors who leave after six seconds at a route that takes 60 ms. */
const KEPT_WAITING = log(traffic('02:10:00', '02:24:10'), traffic('02:10:01', '02:24:10', 'GET /orders 200 60', 3), traffic('02:24:12', '02:25:00', 'GET /orders 400.604.64 6000', 4));
const crashRows = '02:14:07 GET /cart 502.3.12030 40 x3\n02:14:07 GET / 502.3.12029 0 x2';
const THREADS = `2026-11-21 02:14:30
Full thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode, sharing):

"http-nio-8080-exec-1" #20 daemon prio=5 os_prio=0 cpu=5.00ms elapsed=60.00s tid=0x00007f1 nid=0x1a waiting for monitor entry  [0x00007f]
   java.lang.Thread.State: BLOCKED (on object monitor)
	at com.example.Accounts.move(Accounts.java:31)
	- waiting to lock <0x000000071a> (a java.lang.Object)
	- locked <0x000000071b> (a java.lang.Object)

"http-nio-8080-exec-2" #21 daemon prio=5 os_prio=0 cpu=5.00ms elapsed=60.00s tid=0x00007f2 nid=0x1b waiting for monitor entry  [0x00007f]
   java.lang.Thread.State: BLOCKED (on object monitor)
	at com.example.Accounts.move(Accounts.java:32)
	- waiting to lock <0x000000071b> (a java.lang.Object)
	- locked <0x000000071a> (a java.lang.Object)
`;
/** A whole core busy from 02:14:00 on, by the second. */
const cpu = (percents: readonly number[], id = 'process.cpu'): ArtifactReader => metrics(1_000, at('02:13:55'), [{ metric: id, values: percents, ...(id.startsWith('process') ? { process: { pid: 7, startedAt: at('02:10:00') } } : {}) }], `metrics-${id}.json`);
const ramp = (from: number, to: number, n: number): number[] => Array.from({ length: n }, (_, i) => (from + ((to - from) * i) / (n - 1)) * 1_048_576);

const privateBytes = (values: readonly number[]): ArtifactReader => metrics(10_000, at('02:10:00'), [{ metric: 'process.private-bytes', values, process: { pid: 7, startedAt: at('02:10:00') } }], 'metrics-7.json');
const heapUsed = (values: readonly number[]): ArtifactReader => metrics(10_000, at('02:10:00'), [{ metric: 'app.heap-used', values }], 'metrics-heap.json');
/** So many threads at one place; the lock is held by one that sleeps. */
const atOneLock = (threads: number, state: string): string => `2026-11-21 02:17:30
Full thread dump OpenJDK 64-Bit Server VM (17.0.9+9 mixed mode, sharing):

"ledger" #11 prio=5 os_prio=0 tid=0x00007f0 nid=0x19 waiting on condition  [0x00007f]
   java.lang.Thread.State: TIMED_WAITING (sleeping)
	at java.lang.Thread.sleep(java.base@17.0.9/Native Method)
	at com.example.Ledger.settle(Ledger.java:12)
	- locked <0x000000071a> (a java.lang.Object)

${Array.from({ length: threads }, (_, i) => `"http-nio-8080-exec-${i + 1}" #${20 + i} daemon prio=5 os_prio=0 tid=0x00007f${i} nid=0x${i}a waiting for monitor entry  [0x00007f]
   java.lang.Thread.State: ${state}
	at ${state.startsWith('BLOCKED') ? 'com.example.Ledger.post(Ledger.java:31)\n\t- waiting to lock <0x000000071a> (a java.lang.Object)' : 'java.util.concurrent.ThreadPoolExecutor.getTask(ThreadPoolExecutor.java:1062)'}
`).join('\n')}`;
const CONNECTIONS = (ends: readonly object[]): ArtifactReader => reader('connections', 'connections.json', JSON.stringify({ version: 1, at: at('02:25:00'), ends }));
const SLOW_PHP = reader('http-log', 'access.log', [...Array.from({ length: 60 }, (_, i) => nginxRow(`02:1${Math.floor(i / 12)}:${String((i % 12) * 5).padStart(2, '0')}`, 'GET /', 200, 0.02)), ...Array.from({ length: 6 }, (_, i) => nginxRow(`02:24:3${i}`, 'GET /slow.php', 504, 10.001))].join('\n') + '\n');
const PHP_POOL = (status: object): ArtifactReader => reader('php-status', 'php-status.json', JSON.stringify({ version: 1, at: at('02:25:00'), processes: [], pools: [{ name: 'www', limit: 3, answered: 'yes', status: { accepted: 9, maxQueue: 4, maxActive: 3, limitReached: 1, slow: 0, ...status }, workers: [1, 2, 3].map((pid) => ({ pid, state: 'Running', forMs: 58_000, requests: 2, method: 'GET', uri: '/slow.php', script: '/site/slow.php' })) }] }));

/** Requests under way, with what each waits for. */
const FLIGHTS = (n: number, path: string, waits: object): object => ({ loop: { p50Ms: 1, p99Ms: 5, maxMs: 9, utilization: 0.02 }, inFlight: n, oldest: Array.from({ length: n }, (_, i) => ({ method: 'POST', path, ageMs: 9_000 - i * 500, waits: [waits] })) });
const HUNG = log(traffic('02:10:00', '02:25:00'), traffic('02:10:01', '02:16:00', 'POST /reserve 200 20', 4), traffic('02:18:05', '02:25:00', 'POST /reserve 502.3.12002 120004', 20));
const WARMUP = (seconds: readonly number[]): string => seconds.map((s) => `${new Date(at('02:12:00') + s * 1_000).toISOString()} INFO  - Waiting for response to warmup request for container shop_0. Elapsed time = ${s} sec`).join('\n');

const NAMED: readonly Row[] = [
  { cause: 'deadlock', of: 'requests that wait for nothing that is open, on a route that was answered until then', given: [HUNG, INSIDE(FLIGHTS(6, '/reserve', { for: 'nothing' }))], rows: 21, words: /wait inside the app \(POST \/reserve\)/ },
  { cause: 'thread-pool-exhausted', of: 'more reads of files under way than Node has threads', given: [HUNG, INSIDE(FLIGHTS(9, '/reserve', { for: 'file', forMs: 8_000 }))], rows: 21, words: /All threads of Node's pool/ },
  { cause: 'bad-configuration', of: 'a log that names the setting that is missing', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'POST /pay 500.0.0 12', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Config validation error: "PAYMENT_KEY" is required')).join('\n'))], words: /PAYMENT_KEY/ },
  { cause: 'startup-too-slow', of: 'a platform that waits for the first answer again and again', given: [appLog(WARMUP([18, 35, 51, 68, 84, 101, 118, 135]), '2026_11_21_RD1_docker.log')], words: /takes 1 min 57 s to start/ },
  { cause: 'dependency-down', of: 'lines that name their request, beside another trouble at the same time', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 12', 5), traffic('02:14:01', '02:15:00', 'GET /stock 500.0.0 12', 15)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR GET /orders failed: connect ECONNREFUSED 10.1.2.3:5432')).join('\n'))], rows: 12 },
  { cause: 'crash-uncaught-exception', of: 'an exit, the exception and the rows of its second', given: [log(QUIET, crashRows), eventLog(crashedEvent('02:14:07.5', 7)), stderr(7, uncaught())], rows: 5, words: /TypeError.*cart\.js:41/ },
  { cause: 'crash-uncaught-exception', of: 'nginx in front, times only in its own log', given: [reader('http-log', 'access.log', Array.from({ length: 60 }, (_, i) => nginxRow(`02:1${Math.floor(i / 12)}:${String((i % 12) * 5).padStart(2, '0')}`, 'GET /', 200, 0.02)).join('\n') + '\n' + nginxRow('02:14:07', 'GET /cart', 502, 0.3) + '\n'), appLog(nginxError('02:14:07', 'upstream prematurely closed connection while reading response header from upstream', 'GET /cart'), 'error.log'), changes(EXIT('02:14:07.4', 7, 1)), stderr(7, uncaught())], rows: 1 },
  { cause: 'crash-unhandled-rejection', of: 'the runtime names the rejection', given: [log(QUIET, crashRows), eventLog(crashedEvent('02:14:07.5', 7)), stderr(7, `node:internal/process/promises:288\n            triggerUncaughtException(err, true /* fromPromise */);\n            ^\n\n${uncaught()}`)], rows: 5 },
  { cause: 'crash-native', of: 'a signal of a fault', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGSEGV'))], rows: 5 },
  { cause: 'heap-limit-reached', of: 'V8\'s last words', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGABRT')), stderr(7, '<--- Last few GCs --->\n\n[7:0x5]  1000 ms: Mark-sweep 2040 (2080) -> 2039 (2081) MB, 900 / 0 ms  (average mu = 0.1) allocation failure; scavenge might not succeed\n\n<--- JS stacktrace --->\n\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n')], rows: 5 },
  { cause: 'memory-leak-js', of: 'a heap that rises until V8 ends it', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGABRT')), stderr(7, 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n'), metrics(10_000, at('02:10:00'), [{ metric: 'app.heap-used', values: ramp(60, 900, 25) }])], rows: 5 },
  { cause: 'memory-leak-native', of: 'a process that rises until the kernel ends it, its heap flat', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGKILL')), appLog(line('02:14:07', 'kernel: Out of memory: Killed process 7 (node) total-vm:9GB')), privateBytes(ramp(90, 900, 25)), heapUsed(Array.from({ length: 25 }, (_, i) => (60 + (i % 3)) * 1_048_576))], rows: 5, words: /heap stayed flat/ },
  { cause: 'deadlock', of: 'six threads at one lock, whose holder waits too, and no circle', given: [log(QUIET, '02:16:00 POST /move 502.3.12002 120011\n02:17:00 POST /move 502.3.12002 120102'), reader('thread-dump', 'jstack.txt', atOneLock(6, 'BLOCKED (on object monitor)'))], rows: 2, words: /6 threads wait for one lock at `?com\.example\.Ledger\.post/ },
  { cause: 'dependency-down', of: 'a remote end that answers no connection, by the list of connections alone', given: [log(QUIET, traffic('02:24:00', '02:25:00', 'GET /orders 500.0.0 3012', 5)), CONNECTIONS([{ local: '10.0.0.4:*', remote: '10.1.2.3:5432', state: 'SYN_SENT', count: 9 }])], words: /dependency PostgreSQL at 10\.1\.2\.3:5432 / },
  { cause: 'php-workers-exhausted', of: 'the pool\'s own status page', given: [SLOW_PHP, PHP_POOL({ idle: 0, active: 3, total: 3, queue: 4 })], words: /All PHP processes are at work/ },
  { cause: 'out-of-memory-killed', of: 'a kill beside the kernel\'s word', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGKILL')), appLog(line('02:14:07', 'kernel: Out of memory: Killed process 7 (node) total-vm:9GB'))], rows: 5 },
  { cause: 'exit-unexplained', of: 'an exit of which the app wrote an error shortly before', given: [log(QUIET, crashRows), changes({ ...EXIT('02:14:07.5', 7, 3), detail: '2026-11-21T02:14:07.490Z ERROR exiting with code 3 on request' })], words: /the last error that it wrote is "exiting with code 3 on request": 5 of/ },
  { cause: 'exit-unexplained', of: 'an exit and a log without a word', given: [log(QUIET, crashRows), eventLog(crashedEvent('02:14:07.5', 7, 3)), stderr(7, 'all is well\n')], rows: 5 },
  { cause: 'startup-failure', of: 'a module that is missing, before it listens', given: [log(traffic('02:10:00', '02:20:00', 'GET / 502.3.12029 1', 2)), eventLog({ at: at('02:10:02'), id: 1000, text: 'Process \'7\' failed to listen on port \'21453\'; it ended with exit code \'1\'.' }, { at: at('02:10:07'), id: 1000, text: 'Process \'8\' failed to listen on port \'21454\'; it ended with exit code \'1\'.' }), stderr(7, 'Error: Cannot find module \'express\'\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1140:15)\n    at Object.<anonymous> (/home/site/wwwroot/server.js:1:17)\n\nNode.js v20.1.0\n')], words: /Cannot find module/ },
  { cause: 'crash-loop', of: 'the same death at the same age, until the platform gives up', given: [log(traffic('02:10:00', '02:12:00'), traffic('02:13:00', '02:20:00', 'GET / 503.0.0 0', 3)), eventLog(...[10, 20, 30, 40].flatMap((s, i) => [startedEvent(`02:12:${s}`, 20 + i), crashedEvent(`02:12:${s + 6}`, 20 + i, 1)]), { at: at('02:12:50'), id: 1003, text: 'Application stopped: rapid-fail protection, too many failures.' })] },
  { cause: 'event-loop-blocked', of: 'requests of three routes end together after silence, one core busy', given: [log(traffic('02:10:00', '02:14:00'), traffic('02:10:01', '02:14:00', 'GET /api 200 30', 3), '02:14:06 POST /check 200 6200\n02:14:06 GET / 200 4100\n02:14:06 GET /api 200 2300\n02:14:06 GET / 200 1200', traffic('02:14:07', '02:25:00'), '02:16:26 POST /check 200 6100\n02:16:26 GET /api 200 3300'), cpu([3, 4, 3, 5, 4, 99, 100, 100, 100, 99, 98, 4, 3, 4])] },
  { cause: 'event-loop-blocked', of: 'what the app measured itself, with the stack', given: [log(traffic('02:10:00', '02:24:00'), '02:24:30 GET / 200 3000\n02:24:30 GET /a 200 2500\n02:24:30 POST /check 200 4000'), INSIDE({ stalls: [{ at: at('02:24:26'), forMs: 4_000, frames: ['RegExp.exec (native)', 'validate (/home/site/wwwroot/lib/check.js:12:5)'] }] })], words: /check\.js:12/ },
  { cause: 'cpu-saturated', of: 'a full machine while all routes wait', given: [log(traffic('02:10:00', '02:14:00'), traffic('02:10:01', '02:14:00', 'GET /api 200 30', 3), traffic('02:14:00', '02:14:20', 'GET / 200 3900', 2), traffic('02:14:01', '02:14:20', 'GET /api 200 3100', 3), traffic('02:14:24', '02:25:00')), cpu([20, 30, 20, 20, 30, ...Array.from({ length: 22 }, () => 99), 20, 20], 'host.cpu')] },
  { cause: 'slow-dependency', of: 'what the app measured of its calls', given: [log(traffic('02:10:00', '02:24:10'), traffic('02:10:01', '02:24:10', 'GET /orders 200 60', 3), traffic('02:24:12', '02:25:00', 'GET /orders 200 5100', 4)), INSIDE({ dependencies: [DEPENDENCY({ count: 40, p50Ms: 4_900, p95Ms: 5_050, maxMs: 5_200, inFlight: 6, oldestMs: 4_000 })] })], words: /wait for PostgreSQL at `?db\.example:5432`?, which takes/ },
  { cause: 'slow-dependency', of: 'connections that do not answer, of a driver that tells nothing, while visitors give up', given: [KEPT_WAITING, INSIDE({ dependencies: [DEPENDENCY({ open: 20, silent: 17, silentMs: 9_000 })] })], words: /db\.example:5432`?, which has not answered for up to 9 s.*12 of/ },
  { cause: 'connection-pool-exhausted', of: 'a pool of which the driver says what it leads to, on a port of the user\'s own', given: [KEPT_WAITING, INSIDE({ dependencies: [DEPENDENCY({ host: 'db.example:13306', by: 'driver', service: 'MySQL', waiting: 12, inFlight: 5 })] })], words: /connections to MySQL at db\.example:13306 is empty/ },
  { cause: 'slow-dependency', of: 'a service that Azure\'s name tells, by HTTP', given: [log(traffic('02:10:00', '02:24:10'), traffic('02:10:01', '02:24:10', 'GET /orders 200 60', 3), traffic('02:24:12', '02:25:00', 'GET /orders 200 5100', 4)), INSIDE({ dependencies: [DEPENDENCY({ host: 'https://shop.vault.azure.net', by: 'undici', count: 40, p50Ms: 4_900, p95Ms: 5_050, inFlight: 6, oldestMs: 4_000 })] })], words: /wait for Key Vault at `?https:\/\/shop\.vault\.azure\.net`?,/ },
  { cause: 'dependency-down', of: 'a web server on a port that another service has elsewhere', given: [log(QUIET, traffic('02:24:00', '02:25:00', 'GET /orders 500.0.0 12', 5)), INSIDE({ dependencies: [DEPENDENCY({ host: 'http://api.internal:6379', by: 'http', count: 12, errors: [['ECONNREFUSED', 12]] })] })], words: /dependency http:\/\/api\.internal:6379 refuses/ },
  { cause: 'slow-dependency', of: 'calls that run out of time, by the log', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 504.0.0 5010', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR GET /orders Error: timeout of 5000ms exceeded')).join('\n'))] },
  { cause: 'dependency-down', of: 'refused connections in the log, 500s at the same times', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 12', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Error: connect ECONNREFUSED 10.1.2.3:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)')).join('\n'))], words: /dependency PostgreSQL at 10\.1\.2\.3:5432 / },
  { cause: 'dns-failure', of: 'a name that does not resolve', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 12', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Error: getaddrinfo ENOTFOUND payments.internal')).join('\n'))], words: /payments\.internal/ },
  { cause: 'connection-pool-exhausted', of: 'what a driver tells of its queue', given: [KEPT_WAITING, INSIDE({ dependencies: [DEPENDENCY({ by: 'driver', count: 48, p50Ms: 300, p95Ms: 510, queued: { count: 48, p50Ms: 2_000, p95Ms: 5_600 } })] })], words: /connections to PostgreSQL at db\.example:5432 is empty/ },
  { cause: 'connection-pool-exhausted', of: 'the pool\'s own word', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 3010', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR KnexTimeoutError: Knex: Timeout acquiring a connection. The pool is probably full.')).join('\n'))] },
  { cause: 'socket-exhaustion', of: 'no port is left', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 10', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Error: connect EADDRNOTAVAIL 10.0.0.5:443 - Local (0.0.0.0:0)')).join('\n'))] },
  { cause: 'descriptor-exhaustion', of: 'too many open files', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 10', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Error: EMFILE: too many open files, open \'/tmp/x\'')).join('\n'))] },
  { cause: 'disk-full', of: 'no space left', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'POST /upload 500.0.0 10', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR Error: ENOSPC: no space left on device, write')).join('\n'))] },
  { cause: 'handler-time-limit', of: 'a spike at 120 s', given: [log(QUIET, '02:16:00 GET /export 502.3.12002 120011\n02:17:00 GET /export 502.3.12002 120102\n02:18:00 GET /export 502.3.12002 120050')], rows: 3, words: /GET \/export.*2 min/ },
  { cause: 'platform-time-limit', of: '500.121 at 230 s', given: [log(QUIET, '02:16:00 GET /export 500.121.0 230011\n02:17:00 GET /export 500.121.0 230102')], rows: 2 },
  { cause: 'keep-alive-race', of: 'single breaks at once on routes that are well, ends watched', given: [log(traffic('02:10:00', '02:25:00', 'GET / 200 20', 7), '02:13:04 GET / 502.3.12030 1\n02:17:08 GET / 502.3.12030 0\n02:21:03 GET / 502.3.12030 2'), eventLog(startedEvent('02:10:00', 7))], rows: 3 },
  { cause: 'php-fatal-error', of: 'PHP\'s log and 500s', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /shop.php 500.0.0 12', 5)), reader('php-log', 'php_errors.log', Array.from({ length: 12 }, (_, i) => `[21-Nov-2026 02:14:${String(i * 5).padStart(2, '0')} UTC] PHP Fatal error:  Uncaught TypeError: count(): Argument #1 must be of type Countable, null given in /home/site/wwwroot/shop.php:14`).join('\n'))], words: /shop\.php/ },
  { cause: 'php-workers-exhausted', of: 'php-fpm has as many children as it may', given: [reader('http-log', 'access.log', [...Array.from({ length: 40 }, (_, i) => nginxRow(`02:1${Math.floor(i / 12)}:${String((i % 12) * 5).padStart(2, '0')}`, 'GET /', 200, 0.02)), ...Array.from({ length: 6 }, (_, i) => nginxRow(`02:14:3${i}`, 'GET /slow.php', 504, 10.001))].join('\n') + '\n'), appLog('[21-Nov-2026 02:14:20] WARNING: [pool www] server reached pm.max_children setting (3), consider raising it\n', 'php-fpm.log'), appLog(Array.from({ length: 6 }, (_, i) => nginxError(`02:14:3${i}`, 'upstream timed out (110: Connection timed out) while reading response header from upstream', 'GET /slow.php', 'fastcgi://unix:/run/php.sock:')).join('\n'), 'error.log')] },
  { cause: 'java-deadlock', of: 'a circle of locks in a dump', given: [log(QUIET, '02:16:00 POST /move 502.3.12002 120011\n02:17:00 POST /move 502.3.12002 120102'), reader('thread-dump', 'jstack.txt', THREADS)], rows: 2, words: /http-nio-8080-exec-1/ },
  { cause: 'java-heap-exhausted', of: 'OutOfMemoryError beside 500s', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /report 500.0.0 900', 10)), appLog(Array.from({ length: 6 }, (_, i) => line(`02:14:${i}0`, 'ERROR java.lang.OutOfMemoryError: Java heap space\n\tat com.example.Report.rows(Report.java:40)')).join('\n'))] },
  { cause: 'thread-pool-exhausted', of: 'the pool\'s own word', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /report 503.3.0 900', 10)), appLog(line('02:14:00', 'WARN All threads (200) are currently busy, waiting. Increase maxThreads (200)'))] },
  { cause: 'response-header-invalid', of: '12152', given: [log(QUIET, '02:14:00 GET /download 502.3.12152 30 x4')], rows: 4 },
  { cause: 'bad-deployment', of: 'well before it, failing since', given: [log(traffic('02:10:00', '02:15:00'), traffic('02:15:20', '02:25:00', 'GET / 500.0.0 20', 2)), changes(DEPLOYED('02:15:05'))], words: /4f2a1c/ },
  { cause: 'dependency-down', of: 'a database that goes down three minutes after a deployment', given: [log(traffic('02:10:00', '02:14:00'), traffic('02:14:00', '02:16:00', 'GET / 500.0.0 12', 2)), changes(DEPLOYED('02:12:10')), appLog(Array.from({ length: 60 }, (_, i) => line(`02:1${4 + Math.floor(i / 30)}:${String((i % 30) * 2).padStart(2, '0')}`, 'ERROR Error: connect ECONNREFUSED 10.1.2.3:5432')).join('\n'))] },
  { cause: 'bad-configuration', of: 'web.config is invalid', given: [log(traffic('02:10:00', '02:12:00'), traffic('02:12:00', '02:25:00', 'GET / 500.19.0 1', 5))] },
  { cause: 'recycled-by-rule', of: 'auto-heal\'s row and the rows around it', given: [log(QUIET, crashRows), eventLog({ at: at('02:14:07'), id: 2299, provider: 'W3SVC-WP', level: 'warn', text: 'Worker process requested recycle due to \'Memory\' limit.' })], rows: 5 },
  { cause: 'recycled-by-user', of: 'a restart in the list of changes', given: [log(QUIET, crashRows), changes({ id: 'r1', at: at('02:14:06'), kind: 'restart', level: 'neutral', title: 'Restart asked for by admin' }, { ...EXIT('02:14:07', 7, undefined, 'SIGTERM'), level: 'neutral' })], rows: 5 },
  { cause: 'wrong-port', of: 'the app says another port than the one that is pinged', given: [appLog(`${line('02:10:01', 'INFO Listening on http://0.0.0.0:3000')}\n${line('02:13:50', 'ERROR Container shop_0 didn\'t respond to HTTP pings on port: 8080, failing site start.')}`, 'docker.log')] },
  { cause: 'startup-failure', of: 'the platform\'s log alone', given: [appLog(`${line('02:10:01', 'ERROR Error: Cannot find module \'dotenv\'')}\n${line('02:10:05', 'ERROR Container shop_0 for site shop has exited, failing site start')}`, 'docker.log')] },
  { cause: 'startup-too-slow', of: '40 s from start to listening', given: [log(traffic('02:10:00', '02:10:40', 'GET / 502.3.12029 1', 2), traffic('02:10:42', '02:25:00')), changes({ id: 's', at: at('02:10:00'), kind: 'start', level: 'good', title: 'Node 7 started', pid: 7 }), eventLog(startedEvent('02:10:41', 7))] },
  { cause: 'not-listening', of: 'refused for minutes while no process ended', given: [log(traffic('02:10:00', '02:14:00'), traffic('02:14:00', '02:16:00', 'GET / 502.3.12029 1', 2), traffic('02:16:00', '02:25:00')), eventLog(startedEvent('02:09:59', 7))] },
  { cause: 'not-listening', of: 'the platform waits for the port in vain and ends it, again and again', given: [log(traffic('02:10:00', '02:16:00', 'GET / 502.3.12029 1', 3)), eventLog(...[1, 2, 3].flatMap((m, i) => [{ at: at(`02:1${m}:00`), id: 1000, text: `Process '${20 + i}' failed to listen on port '2145${i}' within 60000 ms and is ended.` }, { at: at(`02:1${m}:00.2`), id: 1000, text: `Process '${20 + i}' failed to listen on port '2145${i}': it ended with exit code '137' (signal SIGKILL).` }])), stderr(20, 'migrating the database\n')] },
  { cause: 'traffic-spike', of: 'ten times the usual, and only then 503.2', given: [log(QUIET, Array.from({ length: 30 }, (_, i) => `02:18:${String(i).padStart(2, '0')} GET / 200 40 x12\n02:18:${String(i).padStart(2, '0')} GET / 503.2.0 1 x3`).join('\n'))] },
  { cause: 'one-sick-instance', of: 'one of two logs holds all failures', given: [{ ...log(QUIET), ref: { ...log(QUIET).ref, instance: 'aaaaaa', name: 'a.log' } }, { ...log(traffic('02:10:00', '02:25:00'), traffic('02:10:01', '02:25:00', 'GET /x 502.7.5 3', 9)), ref: { ...log(QUIET).ref, instance: 'bbbbbb', name: 'b.log' } }] },
  { cause: 'application-error', of: 'handled exceptions at the times of its 500s', given: [log(QUIET, traffic('02:14:00', '02:15:00', 'GET /orders 500.0.0 12', 5)), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'ERROR ReferenceError: totel is not defined\n    at sum (/home/site/wwwroot/lib/sum.js:9:3)')).join('\n'))], words: /sum\.js:9/ },
  { cause: 'developer-errors-hidden', of: 'crashes under iisnode without one failed request', given: [log(QUIET), changes(EXIT('02:14:07.5', 7, 1)), reader('application-log', 'iisnode/logging-errors.txt', uncaught())] },
];

for (const row of NAMED) {
  test(`${row.cause}: ${row.of}`, async () => {
    const causes = await found(...row.given);
    const [first] = causes;
    assert.equal(first?.id, row.cause, causes.map((c) => `${c.id} ${c.confidence?.score} ${c.failedRequests}+${c.slowRequests}: ${c.title}`).join('\n'));
    if (row.rows !== undefined) assert.equal(first.failedRequests, row.rows);
    if (row.words) assert.match(first.title, row.words);
    assert.ok(first.advice.length > 0 && first.for.length > 0 && first.chain.length > 0);
    assert.match(first.title, /^[^\n]{10,600}\.$/);
  });
}

const HEALTHY: readonly { readonly of: string; readonly given: readonly ArtifactReader[] }[] = [
  { of: 'a full core and fast answers', given: [log(QUIET), cpu(Array.from({ length: 60 }, () => 100))] },
  { of: 'a full machine and fast answers', given: [log(QUIET), cpu(Array.from({ length: 60 }, () => 100), 'host.cpu')] },
  { of: 'a route that is slow by design', given: [log(QUIET, traffic('02:10:00', '02:25:00', 'GET /report 200 4200', 10))] },
  { of: 'a storm of 404', given: [log(QUIET, Array.from({ length: 300 }, (_, i) => `02:14:${String(i % 60).padStart(2, '0')} GET /wp-login-${i}.php 404.0.2 1`).join('\n'))] },
  { of: 'clients that give up', given: [log(QUIET, traffic('02:12:00', '02:20:00', 'GET /video 400.604.64 800', 5))] },
  { of: 'a deployment and its own restart', given: [log(traffic('02:10:00', '02:15:05'), '02:15:06 GET / 502.3.12030 30\n02:15:07 GET / 502.3.12029 1', traffic('02:15:09', '02:25:00')), changes(DEPLOYED('02:15:05'), { ...EXIT('02:15:06', 7, undefined, 'SIGTERM'), level: 'neutral' }), eventLog(startedEvent('02:15:08', 8))] },
  { of: 'a large heap that is stable', given: [log(QUIET), metrics(10_000, at('02:10:00'), [{ metric: 'app.heap-used', values: Array.from({ length: 80 }, (_, i) => (1_500 + (i % 7) * 30) * 1_048_576) }])] },
  { of: 'error lines of calls that were tried again, and nothing failed', given: [log(QUIET), appLog(Array.from({ length: 12 }, (_, i) => line(`02:14:${String(i * 5).padStart(2, '0')}`, 'WARN retrying: connect ECONNREFUSED 10.1.2.3:5432')).join('\n'))] },
  { of: 'a spike of traffic that was served', given: [log(QUIET, Array.from({ length: 30 }, (_, i) => `02:18:${String(i).padStart(2, '0')} GET / 200 40 x15`).join('\n'))] },
];

for (const { of, given } of HEALTHY) {
  test(`healthy: ${of}`, async () => {
    const causes = await found(...given);
    assert.equal(causes[0]?.id, 'healthy', causes.map((c) => `${c.id} ${c.confidence?.score} ${c.failedRequests}+${c.slowRequests}: ${c.title}`).join('\n'));
  });
}

const BEGAN = (clock: string) => ({ id: `agent:${at(clock)}`, at: at(clock), kind: 'agent' as const, level: 'neutral' as const, title: 'Agent started' });
const STARTED = (clock: string, pid: number) => ({ id: `start:${pid}:${at(clock)}`, at: at(clock), kind: 'start' as const, level: 'neutral' as const, title: `Worker ${pid} started`, pid });
const BREAKS = '02:13:04 GET / 502.3.12030 1\n02:17:08 GET / 502.3.12030 0\n02:21:03 GET / 502.3.12030 2';

test('nobody is said to have watched before the agent began', async () => {
  const sure = async (...more: readonly ArtifactReader[]): Promise<string | undefined> => (await found(log(traffic('02:10:00', '02:25:00', 'GET / 200 20', 7), BREAKS), ...more)).find((c) => c.id === 'keep-alive-race')?.confidence?.word;
  assert.deepEqual([await sure(changes(STARTED('02:09:00', 7))), await sure(changes(STARTED('02:24:00', 7), BEGAN('02:24:01'))), await sure(changes(STARTED('02:09:00', 7), BEGAN('02:24:01')))], ['certain', 'likely', 'certain']);
});

const NEVER: readonly { readonly cause: CauseId; readonly of: string; readonly given: readonly ArtifactReader[] }[] = [
  { cause: 'deadlock', of: 'a route that never answered anybody', given: [log(traffic('02:10:00', '02:25:00'), traffic('02:10:05', '02:25:00', 'POST /reserve 502.3.12002 120004', 20)), INSIDE(FLIGHTS(6, '/reserve', { for: 'nothing' }))] },
  { cause: 'deadlock', of: 'requests that wait for a call', given: [HUNG, INSIDE(FLIGHTS(6, '/reserve', { for: 'call', on: 'http://stock:80', forMs: 8_000 }))] },
  { cause: 'thread-pool-exhausted', of: 'three reads of files under way', given: [HUNG, INSIDE(FLIGHTS(3, '/reserve', { for: 'file', forMs: 8_000 }))] },
  { cause: 'dependency-down', of: 'a refused call that is answered, beside requests that get no answer', given: [log(QUIET, '02:16:00 GET /export 502.3.12002 120011'), appLog(line('02:12:00', 'WARN the cache is gone: connect ECONNREFUSED 10.1.2.3:6379'))] },
  { cause: 'startup-too-slow', of: 'a container that answers after a quarter of a minute', given: [appLog(WARMUP([3, 15]), '2026_11_21_RD1_docker.log')] },
  { cause: 'traffic-spike', of: 'many visitors, of whom one route of few is answered with an error', given: [log(QUIET, Array.from({ length: 30 }, (_, i) => `02:18:${String(i).padStart(2, '0')} GET / 200 40 x15`).join('\n'), '02:18:05 GET /orders 500.0.0 9 x2\n02:18:15 GET /orders 500.0.0 9 x2')] },
  { cause: 'memory-leak-native', of: 'a process that rises with its heap', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGKILL')), privateBytes(ramp(90, 900, 25)), heapUsed(ramp(60, 860, 25))] },
  { cause: 'memory-leak-native', of: 'a process that rises and is never ended', given: [log(QUIET), privateBytes(ramp(90, 900, 25)), heapUsed(Array.from({ length: 25 }, () => 60 * 1_048_576))] },
  { cause: 'memory-leak-native', of: 'one jump at a cache that is filled', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, undefined, 'SIGKILL')), privateBytes([...Array.from({ length: 12 }, () => 90 * 1_048_576), ...Array.from({ length: 12 }, () => 600 * 1_048_576)]), heapUsed(Array.from({ length: 25 }, () => 60 * 1_048_576))] },
  { cause: 'deadlock', of: 'threads that wait for work', given: [log(QUIET, '02:16:00 POST /move 502.3.12002 120011'), reader('thread-dump', 'jstack.txt', atOneLock(40, 'WAITING (parking)'))] },
  { cause: 'deadlock', of: 'threads at a lock while every request is answered', given: [log(QUIET), reader('thread-dump', 'jstack.txt', atOneLock(6, 'BLOCKED (on object monitor)'))] },
  { cause: 'client-aborts', of: 'visitors who gave up after a hundred times the usual', given: [KEPT_WAITING] },
  { cause: 'slow-dependency', of: 'subscriptions that nobody tells anything', given: [log(QUIET), INSIDE({ dependencies: [DEPENDENCY({ open: 4, silent: 4, silentMs: 50_000 })] })] },
  { cause: 'connection-pool-exhausted', of: 'a pool that opens its first connections', given: [KEPT_WAITING, INSIDE({ dependencies: [DEPENDENCY({ by: 'driver', count: 48, p50Ms: 300, p95Ms: 510, queued: { count: 48, p50Ms: 2, p95Ms: 90 } })] })] },
  { cause: 'client-aborts', of: 'four that went away, among hundreds', given: [log(QUIET, '02:12:00 GET /video 400.604.64 800 x4')] },
  { cause: 'client-aborts', of: 'connections that the app broke off', given: [log(QUIET, crashRows), changes(EXIT('02:14:07.5', 7, 1)), stderr(7, uncaught())] },
  { cause: 'socket-exhaustion', of: 'two thousand visitors', given: [log(QUIET, traffic('02:24:00', '02:25:00', 'GET /orders 500.0.0 12', 5)), CONNECTIONS([{ local: '10.0.0.4:8080', remote: '10.0.0.1:*', state: 'ESTABLISHED', count: 2_000 }])] },
  { cause: 'dependency-down', of: 'one connection that is being opened, beside open ones', given: [log(QUIET, traffic('02:24:00', '02:25:00', 'GET /orders 500.0.0 12', 5)), CONNECTIONS([{ local: '10.0.0.4:*', remote: '10.1.2.3:5432', state: 'SYN_SENT', count: 3 }, { local: '10.0.0.4:*', remote: '10.1.2.3:5432', state: 'ESTABLISHED', count: 4 }])] },
  { cause: 'keep-alive-race', of: 'breaks just before the start of a worker whose forerunner nobody watched', given: [log(traffic('02:10:00', '02:25:00', 'GET / 200 20', 7), '02:21:03 GET / 502.3.12030 1\n02:21:20 GET / 502.3.12030 0\n02:21:40 GET / 502.3.12030 2'), changes(STARTED('02:21:52', 7), BEGAN('02:21:53'))] },
  { cause: 'php-workers-exhausted', of: 'a pool that reached its limit once and has processes free', given: [SLOW_PHP, PHP_POOL({ idle: 2, active: 1, total: 3, queue: 0 })] },
];

for (const { cause, of, given } of NEVER) {
  test(`not ${cause}: ${of}`, async () => {
    const causes = await found(...given);
    assert.ok(!causes.some((c) => c.id === cause), causes.map((c) => `${c.id} ${c.confidence?.score}: ${c.title}`).join('\n'));
  });
}
