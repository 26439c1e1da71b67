// Diagnosers that ask the system and other runtimes: connections, PHP, Java, traces; each on the real thing, and where it must refuse.
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { ConnectionsFile, PhpStatusFile } from '../../src/shared/artifacts.ts';
import type { Session } from '../../src/shared/model.ts';
import { endsOf } from '../../src/analyze/parse/tcp-ends.ts';
import { connectionsOf } from '../../src/analyze/events/read-connections.ts';
import { askFastCgi } from '../../src/platform/fastcgi.ts';
import { phpPoolsOf } from '../../src/analyze/events/read-php.ts';
import { parseFpmText, poolsOf } from '../../src/analyze/parse/php-fpm-conf.ts';
import { ThreadDumpReading } from '../../src/analyze/events/thread-dump.ts';
import { readerOf } from '../../src/analyze/readers.ts';
import { parseHistogram } from '../../src/analyze/parse/java-histogram.ts';
import { traceOf } from '../../src/analyze/events/read-traces.ts';
import { diagnosers } from '../../src/analyze/diagnosers/index.ts';
import { createSessions } from '../../src/analyze/session.ts';
import { waitFor } from '../support/wait.ts';
import { realWorld, type RealWorld } from './real-world.ts';
import { stepsOf } from './world.ts';

let here: RealWorld;
before(async () => { here = await realWorld(); });
after(async () => { await here.close(); });

const never = new AbortController().signal;
const step = (session: Session, id: string): string => stepsOf(session)[`collect/${id}`] ?? '';

test('connections: what others have open to the victim is inbound, and leads to no port of theirs', async () => {
  const { port } = await here.victim.do('listen', { port: 0 }) as { port: number };
  const sockets = await Promise.all([1, 2, 3].map(async () => { const socket = connect(port, '127.0.0.1'); await once(socket, 'connect'); return socket; }));
  try {
    const read = async (): Promise<ConnectionsFile> => ConnectionsFile.parse(JSON.parse(await here.read(await here.diagnose([{ id: 'connections' }]), 'connections.json')));
    const file = await waitFor('three connections at the victim', async () => { const one = await read(); return one.ends.some((e) => e.count >= 3 && e.pid === here.victim.pid && e.state === 'ESTABLISHED') ? one : undefined; });
    const ends = file.ends.filter((e) => e.local.endsWith(`:${port}`) && e.pid === here.victim.pid);
    assert.deepEqual(ends.map((e) => `${e.count} ${e.remote} ${e.state}`).sort(), ['1 * LISTEN', '3 127.0.0.1:* ESTABLISHED']);
    assert.deepEqual(connectionsOf(file).byRemote.filter((r) => r.remote.includes(`:${port}`)), []);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

test('connections: what a process opened itself leads to the remote end, with its state', { skip: process.platform !== 'linux' }, async () => {
  const theirs: Socket[] = [];
  const server = createServer((socket) => { theirs.push(socket); });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  try {
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const raw = (await here.platform.connections([process.pid], never)).filter((c) => c.remotePort === port);
    assert.deepEqual(raw.map((c) => [c.pid, c.remoteHost, c.state]), [[process.pid, '127.0.0.1', 'ESTABLISHED'], [process.pid, '127.0.0.1', 'ESTABLISHED']]);
    const told = connectionsOf({ version: 1, at: 0, ...endsOf(raw) });
    assert.deepEqual(told.byRemote, [{ remote: `127.0.0.1:${port}`, count: 2, waiting: 0, opening: 0, left: 0, open: 2 }]);
  } finally {
    for (const socket of [...sockets, ...theirs]) socket.destroy();
    server.close();
  }
  await assert.rejects(here.platform.connections([999_999_999], never), /not running any more/);
});

test('connections: counted by end and state; those that wait to close, are not answered or left by the other side are told apart', () => {
  const one = (state: string, n: number, remotePort = 5432) => Array.from({ length: n }, (_, i) => ({ pid: 7, localHost: '10.0.0.4', localPort: 40_000 + i, remoteHost: '10.0.0.9', remotePort, state }));
  const file: ConnectionsFile = { version: 1, at: 5, ...endsOf([...one('ESTABLISHED', 4), ...one('CLOSE_WAIT', 3), ...one('SYN_SENT', 2, 6379), { localHost: 'fe80::1', localPort: 80, remoteHost: '::', remotePort: 0, state: 'LISTEN' }]) };
  assert.deepEqual(file.ends.at(-1), { local: '[fe80::1]:80', remote: '*', state: 'LISTEN', count: 1 });
  assert.deepEqual(connectionsOf(file), { at: 5, total: 9, proof: { where: 'connections.json' }, byRemote: [
    { remote: '10.0.0.9:5432', count: 7, waiting: 3, opening: 0, left: 3, open: 4 }, { remote: '10.0.0.9:6379', count: 2, waiting: 2, opening: 2, left: 0, open: 0 },
  ] });
});

test('connections: refused with the reason where the system has no list', async () => {
  const platform = { ...here.platform, can: () => ({ yes: false, because: 'not on this system' }) };
  assert.deepEqual(diagnosers.find((d) => d.id === 'connections')?.offered({ pid: 1, startedAt: 1, name: 'node', role: 'worker' }, platform), { yes: false, because: 'not on this system' });
  assert.match(step(await here.diagnose([{ id: 'connections' }]), 'connections'), /^done/);
});

const SBIN = '/usr/sbin';
const phpFpm = existsSync(SBIN) ? readdirSync(SBIN).filter((name) => /^php-fpm\d/.test(name)).map((name) => join(SBIN, name)).at(-1) : undefined;

test('php-process-report: a real pool with all of its processes at work says so, with the script, and its slow log comes along', { skip: phpFpm === undefined ? 'php-fpm is not installed' : false, timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fpm-'));
  const script = join(folder, 'busy.php');
  await writeFile(script, '<?php while (!file_exists(__DIR__ . "/go")) { usleep(50000); } echo "done";');
  await writeFile(join(folder, 'fpm.conf'), `[global]\npid = ${folder}/fpm.pid\nerror_log = ${folder}/fpm.log\ndaemonize = no\ninclude=${folder}/pool.d/*.conf\n`);
  await mkdir(join(folder, 'pool.d'));
  await writeFile(join(folder, 'pool.d', 'a.conf'), `; the pool\n[shop]\nuser = root\nlisten = ${folder}/$pool.sock\npm = static\npm.max_children = 2\npm.status_path = /fpm-status\npm.status_listen = ${folder}/status.sock\nslowlog = ${folder}/slow.log\nrequest_slowlog_timeout = 1s ; soon\n`);
  // By a parent that is gone: a process of the site is none of ours.
  await once(spawn('setsid', ['-f', phpFpm as string, '-R', '-F', '-y', join(folder, 'fpm.conf')], { stdio: 'ignore' }), 'exit');
  const away = new AbortController();
  let fpm = 0;
  try {
    await waitFor('php-fpm to listen', () => existsSync(join(folder, 'shop.sock')) && existsSync(join(folder, 'status.sock')));
    fpm = await waitFor('its pid', async () => Number(await readFile(join(folder, 'fpm.pid'), 'utf8')) || undefined);
    const world = await realWorld({ noVictim: true, also: [fpm] });
    try {
      const ask = () => askFastCgi({ path: join(folder, 'shop.sock') }, { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/busy.php', SCRIPT_FILENAME: script, REQUEST_URI: '/busy.php?token=hunter2', SERVER_PROTOCOL: 'HTTP/1.1' }, away.signal);
      const asked = Promise.allSettled([ask(), ask(), ask()]);
      await waitFor('the slow log', async () => existsSync(join(folder, 'slow.log')) && (await readFile(join(folder, 'slow.log'), 'utf8')).includes('busy.php'));
      const session = await waitFor('a full pool', async () => {
        const one = await world.diagnose([{ id: 'php-process-report' }]);
        assert.equal(step(one, 'php-process-report'), 'done');
        return /pool shop: 2 of 2 at work/.test(one.steps.find((s) => s.id === 'php-process-report')?.note ?? '') ? one : undefined;
      });
      const text = await world.read(session, 'php-status.json');
      const file = PhpStatusFile.parse(JSON.parse(text));
      assert.ok(!text.includes('hunter2'));
      assert.deepEqual(file.pools.map((p) => [p.name, p.manager, p.limit, p.answered, p.status?.active, p.workers.map((w) => w.script)]), [['shop', 'static', 2, 'yes', 2, [script, script]]]);
      assert.deepEqual(file.processes.map((p) => p.pool ?? 'master').sort(), ['master', 'shop', 'shop']);
      const [pool] = phpPoolsOf(file);
      assert.deepEqual([pool?.full, pool?.scripts.map((s) => [s.script, s.workers])], [true, [[script, 2]]]);
      assert.match(await world.read(session, 'php-slow-shop.log'), /\[pool shop\] pid \d+\nscript_filename = .*busy\.php/);
      await writeFile(join(folder, 'go'), '');
      assert.deepEqual(await asked, [1, 2, 3].map(() => ({ status: 'fulfilled', value: { status: 200, body: 'done' } })));
    } finally {
      await world.close();
    }
  } finally {
    away.abort();
    if (fpm > 0) process.kill(fpm, 'SIGTERM');
    await waitFor('php-fpm to end', () => fpm === 0 || !existsSync(`/proc/${fpm}`));
    await rm(folder, { recursive: true, force: true });
  }
});

test('php-process-report: refused where the app is not PHP; a pool without a status page tells how to get one', async () => {
  assert.equal(step(await here.diagnose([{ id: 'php-process-report' }]), 'php-process-report'), 'skipped: the app does not run PHP');
  const pools = poolsOf([parseFpmText('[www]\nlisten = 9000\npm.max_children = 5\n;pm.status_path = /status\nrequest_slowlog_timeout = 0\n'), parseFpmText('[www]\nlisten = [::]:9000\nslowlog = "/x/$pool.log"\n')]);
  assert.deepEqual(pools, [{ name: 'www', listen: { host: '::1', port: 9000 }, manager: undefined, limit: 5, statusPath: undefined, statusListen: undefined, slowAfter: undefined, slowLog: '/x/www.log' }]);
  const { askPool } = await import('../../src/analyze/php-pools.ts');
  const told = await askPool({} as never, pools[0] as never);
  assert.deepEqual([told.answered, told.workers], ['no', []]);
  assert.match(told.why ?? '', /pm\.status_path is not set .* Put pm\.status_path = /);
});

const STUCK = `import java.nio.file.*;
public class Stuck {
  static final Object A = new Object(), B = new Object();
  static final java.util.concurrent.CountDownLatch both = new java.util.concurrent.CountDownLatch(2);
  static final long[][] kept = new long[64][];
  static void take(Object one, Object other) { synchronized (one) { both.countDown(); try { both.await(); } catch (InterruptedException e) { return; } synchronized (other) { kept[0] = null; } } }
  public static void main(String[] args) throws Exception {
    for (int i = 0; i < kept.length; i++) kept[i] = new long[8192];
    new Thread(() -> take(A, B), "till-1").start();
    new Thread(() -> take(B, A), "till-2").start();
    Files.writeString(Path.of(args[0] + ".part"), Long.toString(ProcessHandle.current().pid()));
    Files.move(Path.of(args[0] + ".part"), Path.of(args[0]));
  }
}`;
const java = existsSync('/usr/bin/java') && existsSync('/usr/bin/jcmd');

test('java: a deadlock is in the thread dump, and what fills the heap in the histogram, both by the JDK of the process', { skip: java ? false : 'no JDK is installed', timeout: 180_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'stuck-'));
  await writeFile(join(folder, 'Stuck.java'), STUCK);
  await once(spawn('setsid', ['-f', 'java', '-Xmx64m', join(folder, 'Stuck.java'), join(folder, 'pid')], { stdio: 'ignore' }), 'exit');
  const pid = await waitFor('Java to run', async () => (existsSync(join(folder, 'pid')) ? Number(await readFile(join(folder, 'pid'), 'utf8')) : undefined), 60_000);
  const world = await realWorld({ noVictim: true, also: [pid] });
  try {
    const [session, threads] = await waitFor('the deadlock', async () => {
      const one = await world.diagnose([{ id: 'java-thread-dump' }, { id: 'java-heap-histogram' }]);
      const ref = one.artifacts.find((a) => a.kind === 'thread-dump');
      assert.ok(ref, step(one, 'java-thread-dump'));
      const [event] = await new ThreadDumpReading(ref.name).read(readerOf({ ref, path: await world.store.artifacts.path(ref) }), never);
      return event !== undefined && event.deadlock.length > 0 ? [one, event] as const : undefined;
    }, 60_000);
    assert.deepEqual([...threads.deadlock].sort(), ['till-1', 'till-2']);
    assert.match(session.steps.find((s) => s.id === 'java-thread-dump')?.note ?? '', /^\d+ threads, a deadlock among them$/);
    const recorded = await world.diagnose([{ id: 'java-flight-recording', options: { seconds: 2 } }]);
    const recording = recorded.artifacts.find((a) => a.kind === 'cpu-profile');
    assert.ok(recording, step(recorded, 'java-flight-recording'));
    const raw = await readFile(await world.store.artifacts.path(recording));
    assert.equal(raw.subarray(0, 4).toString('latin1'), 'FLR\0');
    assert.match(recording.note ?? '', /without the environment and the system properties/);
    assert.match(execFileSync('jcmd', [String(pid), 'JFR.check'], { encoding: 'utf8' }), /No available recordings/);
    const { classes, totalBytes } = parseHistogram(await world.read(session, `heap-histogram-${pid}.txt`));
    const longs = classes.find((one) => one.name === 'long[]');
    assert.ok((longs?.bytes ?? 0) >= 64 * 8_192 * 8 && totalBytes > (longs?.bytes ?? 0), JSON.stringify(classes.slice(0, 5)));
    assert.equal(session.report && session.artifacts.some((a) => a.kind === 'heap-histogram'), true);
  } finally {
    await world.close();
    process.kill(pid, 'SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});

test('java: refused for what is not Java, for a JRE and for a JVM that nothing may attach to, each with its reason', async () => {
  const { jdkOffer } = await import('../../src/platform/jdk.ts');
  const process = { pid: 7, startedAt: 1, name: 'java', role: 'java' as const };
  assert.match(jdkOffer({ ...process, path: '/nowhere/jre/bin/java' }).because ?? '', /no jcmd: it runs on a JRE/);
  assert.match(jdkOffer({ ...process, path: '/usr/bin/java', commandLine: 'java -XX:+DisableAttachMechanism -jar a.jar' }).because ?? '', /start it without/);
  const session = await here.diagnose([{ id: 'java-thread-dump' }, { id: 'java-heap-histogram' }]);
  for (const id of ['java-thread-dump', 'java-heap-histogram']) assert.match(step(session, id), /^skipped: .* is not Java$/);
});

const TRACE = (more: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<failedRequest url="https://shop:443/cart?token=hunter2&amp;x=1" siteId="1" appPoolId="shop" processId="7" verb="GET" authenticationType="NOT_AVAILABLE" failureReason="STATUS_CODE" statusCode="502.3" triggerStatusCode="502" timeTaken="1203" xmlns:freb="http://schemas.microsoft.com/win/2006/06/iis/freb"><Event><System><TimeCreated SystemTime="${new Date().toISOString()}"/></System><EventData><Data Name="Headers">Host: shop&#xD;&#xA;Cookie: sid=hunter2&#xD;&#xA;Authorization: Bearer hunter2hunter2&#xD;&#xA;Accept: */*</Data></EventData></Event><Event><EventData><Data Name="HeaderName">Cookie</Data><Data Name="HeaderValue">sid=hunter2</Data></EventData></Event><Event><EventData><Data Name="ModuleName">httpPlatformHandler</Data><Data Name="HttpStatus">502</Data><Data Name="HttpSubStatus">3</Data><Data Name="ErrorCode">The operation timed out. (0x80072ee2)</Data></EventData></Event>${more}</failedRequest>`;

test('failed-request-traces: refused elsewhere and where there is none; whole, readable, and without their secrets', async () => {
  assert.match(step(await here.diagnose([{ id: 'failed-request-traces' }]), 'failed-request-traces'), /^skipped: only IIS writes them/);
  const world = await realWorld();
  try {
    const platform = { ...world.platform, host: { ...world.platform.host, app: { ...world.platform.host.app, os: 'Windows Server 2022' } } };
    const sessions = createSessions({ ...world, platform, diagnosers, analyzers: [], toolVersion: '1', reportCss: '' });
    const run = async (): Promise<Session> => (await sessions.start({ askedBy: 't', diagnosers: [{ id: 'failed-request-traces' }] })).done;
    assert.match(step(await run(), 'failed-request-traces'), /^failed: .*tracing is off, or no request failed.* Turn it on: App Service logs/);
    await world.put('LogFiles/W3SVC1/fr000001.xml', TRACE(''));
    await world.put('LogFiles/W3SVC1/freb.xsl', '<xsl/>');
    const session = await run();
    const [ref, ...others] = session.artifacts.filter((a) => a.kind === 'failed-request-trace');
    assert.ok(ref && others.length === 0);
    const text = await world.read(session, ref.name);
    assert.ok(!text.includes('hunter2'), text);
    assert.ok(text.includes('Host: shop&#xD;&#xA;Cookie: [masked]&#xD;&#xA;Authorization: Bearer [masked]&#xD;&#xA;Accept: */*</Data>'), text);
    const told = await traceOf(readerOf({ ref, path: await world.store.artifacts.path(ref) }));
    assert.deepEqual([told?.route, told?.status, told?.sub, told?.module, told?.errorCode, told?.takenMs], ['/cart', 502, 3, 'httpPlatformHandler', 12002, 1203]);
  } finally {
    await world.close();
  }
});

test('application-logs: the error log of nginx comes along', async () => {
  await here.put('LogFiles/nginx/error.log', '2026/11/21 02:14:07 [error] 31#31: *12 upstream prematurely closed connection\n');
  const session = await here.diagnose([{ id: 'application-logs' }]);
  assert.ok(session.artifacts.some((a) => a.kind === 'application-log' && a.name === 'nginx_error.log'), session.artifacts.map((a) => a.name).join());
});
