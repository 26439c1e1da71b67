// Owns the tests of the parsers of /proc, on recorded files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { endpoint, isLoopback, parseTcp, parseUnix } from '../../src/platform/parse/proc-net.ts';
import { memoryGroups, memoryRow, parseCpu, parseLimit, parseMemory, parseOsRelease } from '../../src/platform/parse/proc-host.ts';
import { parseStat, parseStatm } from '../../src/platform/parse/proc-stat.ts';
import { catches, coreBytes, findVariable, hasCapability, innerPid, parseArguments, parseEnviron, parsePasswd } from '../../src/platform/parse/proc-text.ts';

const bytes = (name: string): Buffer => readFileSync(new URL(`../fixtures/proc/${name}`, import.meta.url));
const text = (name: string): string => bytes(name).toString('utf8');

test('a stat line is read whole, also with spaces and parentheses in the name', () => {
  const line = bytes('node-stat');
  assert.deepEqual(parseStat(line, line.length), {
    pid: 21643, comm: 'a b) R (c', state: 'S', parent: 21637, kernelThread: false, cpuTicks: 3, threads: 7, startTicks: 278647, residentPages: 10627,
  });
});

test('a name with a newline, a line in a larger buffer, and a kernel thread are read', () => {
  const kernel = bytes('kthread-stat');
  assert.deepEqual(parseStat(kernel, kernel.length), { pid: 2, comm: 'kthreadd', state: 'S', parent: 0, kernelThread: true, cpuTicks: 0, threads: 1, startTicks: 11, residentPages: 0 });
  const line = text('node-stat').replace('a b) R (c', 'x\n) Z (');
  const scratch = Buffer.concat([Buffer.from(line), Buffer.from(') old rest 1 2 3')]);
  assert.equal(parseStat(scratch, line.length)?.comm, 'x\n) Z (');
  assert.equal(parseStat(scratch, line.length)?.state, 'S');
});

test('a torn stat line gives nothing instead of wrong numbers', () => {
  const line = bytes('node-stat');
  for (const length of [0, 1, 5, 12, 20, 60, 90]) assert.equal(parseStat(line, length), undefined, `cut at ${length}`);
});

test('statm gives resident and shared pages', () => {
  const line = bytes('node-statm');
  const [, resident, shared] = text('node-statm').split(' ').map(Number);
  assert.deepEqual(parseStatm(line, line.length), { residentPages: resident, sharedPages: shared });
  assert.equal(parseStatm(Buffer.from('12 3'), 4), undefined);
});

test('the environment is read with values of several lines and empty ones', () => {
  assert.deepEqual(parseEnviron(bytes('node-environ')).map(({ name, value }) => [name, value]), [
    ['PATH', '/usr/local/bin:/usr/bin:/bin'], ['HOME', '/root'], ['WEBSITE_SITE_NAME', 'shop'],
    ['WEBSITE_INSTANCE_ID', `a1b2c3${'0'.repeat(58)}`], ['PORT', '8080'], ['MULTI', 'line one\nline two'], ['APP_PASSWORD', 'not-a-real-one'], ['EMPTY', ''],
  ]);
  assert.deepEqual(parseEnviron(Buffer.from('nginx: worker\0=x\0\0A=1')), [{ name: 'A', value: '1' }]);
});

test('one variable is found by its whole name only', () => {
  const block = Buffer.from('XPORT=1\0TEXT=PORT=2\0PORT=3\0PORT2=4');
  assert.equal(findVariable(block, 'PORT'), '3');
  assert.equal(findVariable(block, 'PORT2'), '4');
  assert.equal(findVariable(block, 'ORT'), undefined);
  assert.equal(findVariable(bytes('node-environ'), 'WEBSITE_SITE_NAME'), 'shop');
});

test('arguments are read, padding after a title is not one', () => {
  assert.deepEqual(parseArguments(bytes('node-cmdline')), ['node', '--max-old-space-size=256', '-e', 'setInterval(()=>{},1e9)']);
  assert.deepEqual(parseArguments(bytes('titled-cmdline')), ['node']);
  assert.deepEqual(parseArguments(Buffer.from('npm start\0\0\0 \0')), ['npm start']);
  assert.deepEqual(parseArguments(Buffer.alloc(0)), []);
});

test('status says who catches SIGUSR1, its pid inside and what it may', () => {
  assert.equal(catches(text('node-status'), 10), true);
  assert.equal(catches(text('node-status'), 12), false);
  assert.equal(catches(text('sleep-status'), 10), false);
  assert.equal(catches('', 10), undefined);
  assert.equal(innerPid(text('node-status')), 21643);
  assert.equal(innerPid('NSpid:\t4711\t12'), 12);
  assert.equal(hasCapability('CapEff:\t0000000000080000', 19), true);
  assert.equal(hasCapability('CapEff:\t00000000a80425fb', 19), false);
  assert.equal(hasCapability('', 19), false);
});

test('the size of a core counts what gcore writes: private and anonymous memory, reserved too, files only where written', () => {
  const maps = [
    '00400000-00500000 r--p 00000000 08:01 11 /usr/bin/node',
    '00500000-00600000 rw-p 00100000 08:01 11 /usr/bin/node',
    '01000000-01100000 rw-p 00000000 00:00 0 [heap]',
    '7f0000000000-7f0000400000 ---p 00000000 00:00 0 ',
    '7f1000000000-7f1000100000 rw-s 00000000 00:01 99 /dev/shm/x (deleted)',
    '7f2000000000-7f2000100000 rw-s 00000000 08:01 12 /data/file.db',
    '7fff00000000-7fff00004000 r--p 00000000 00:00 0 [vvar]',
    'not a mapping',
  ].join('\n');
  assert.equal(coreBytes(maps), 0x10_0000 * 3 + 0x40_0000);
  assert.ok(coreBytes(text('node-maps')) > 600 * 2 ** 20, 'the recorded Node process reserves over 600 MiB');
});

test('the host says processor time, cores, boot and memory', () => {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = (/^cpu +(.*)$/m.exec(text('host-stat'))?.[1] ?? '').split(' ').map(Number);
  const busy = user + nice + system + irq + soft + steal;
  assert.deepEqual(parseCpu(text('host-stat')), { busy, total: busy + idle + wait, cores: 2, bootAtSeconds: Number(/^btime (\d+)$/m.exec(text('host-stat'))?.[1]) });
  assert.ok(busy > 0);
  assert.equal(parseCpu('nothing'), undefined);
  assert.deepEqual(parseMemory('MemTotal:        2048 kB\nMemFree: 5 kB\nMemAvailable:    512 kB\n'), { totalBytes: 2048 * 1024, usedBytes: 1536 * 1024 });
  assert.equal(parseMemory('MemTotal: 2048 kB'), undefined);
  assert.equal(parseMemory(text('host-meminfo'))?.totalBytes, 24_684_096 * 1024);
  assert.equal(parseOsRelease(text('os-release')), 'Debian GNU/Linux 12 (bookworm)');
});

test('memory groups: version 2 and 1, in a container and nested, nearest first', () => {
  const v2 = '31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
  assert.deepEqual(memoryGroups('0::/\n', v2).map((group) => group.limit), ['/sys/fs/cgroup/memory.max']);
  assert.deepEqual(memoryGroups('0::/app.slice/shop\n', v2).map((group) => group.limit), ['/sys/fs/cgroup/app.slice/shop/memory.max', '/sys/fs/cgroup/app.slice/memory.max', '/sys/fs/cgroup/memory.max']);
  const v1 = '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,relatime master:15 - cgroup cgroup rw,memory\n36 31 0:33 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu';
  assert.deepEqual(memoryGroups('4:memory:/docker/abc\n1:cpu:/docker/abc\n', v1).map((group) => group.used), ['/sys/fs/cgroup/memory/memory.usage_in_bytes']);
  assert.deepEqual(memoryGroups('', ''), []);
});

test('a limit that means none is none', () => {
  assert.equal(parseLimit('max\n'), undefined);
  assert.equal(parseLimit('9223372036854771712\n'), undefined);
  assert.equal(parseLimit(''), undefined);
  assert.equal(parseLimit('1073741824\n'), 2 ** 30);
  assert.equal(memoryRow('cache 5\ninactive_file 4096\ntotal_inactive_file 8192\n', 'inactive_file'), 4096);
});

test('connections are read with both ends, state and inode', () => {
  const rows = parseTcp(text('net-tcp'));
  assert.equal(rows.length, 7);
  assert.deepEqual(rows[3], { localAddress: '127.0.0.1', localPort: 8080, remoteAddress: '0.0.0.0', remotePort: 0, state: 'LISTEN', inode: 41588 });
  assert.deepEqual(rows[5], { localAddress: '127.0.0.10', localPort: 0x8d23, remoteAddress: '127.0.0.1', remotePort: 0x82b5, state: 'ESTABLISHED', inode: 39475 });
  assert.deepEqual(parseTcp(text('net-tcp6')), [{ localAddress: '::', localPort: 8081, remoteAddress: '::', remotePort: 0, state: 'LISTEN', inode: 41589 }]);
  assert.deepEqual(parseTcp('   0: 0100007F:1F90 0000'), []);
});

test('IPv6 addresses are written short', () => {
  const address = (hex: string): string | undefined => parseTcp(`   0: ${hex}:0050 ${'0'.repeat(32)}:0000 0A 0:0 00:0 0     0        0 7 1 x`)[0]?.localAddress;
  assert.equal(address('00000000000000000000000001000000'), '::1');
  assert.equal(address('0000000000000000FFFF00000100007F'), '127.0.0.1');
  assert.equal(address('B80D0120000000000000000001000000'), '2001:db8::1');
  assert.equal(address('000080FE00000000FFB30002015E1AFE'), 'fe80::200:b3ff:fe1a:5e01');
  assert.equal(endpoint('::1', 80), '[::1]:80');
  assert.equal(endpoint('10.0.0.4', 443), '10.0.0.4:443');
  assert.deepEqual(['127.0.0.1', '127.9.9.9', '::1', '10.0.0.1', '0.0.0.0', '::'].map(isLoopback), [true, true, true, false, false, false]);
});

test('named Unix sockets and users are found', () => {
  assert.deepEqual([...parseUnix(text('net-unix'))], [[41590, '/tmp/shop.sock']]);
  assert.deepEqual([...parsePasswd(text('passwd'))].slice(0, 2), [[0, 'root'], [1, 'daemon']]);
  assert.deepEqual([...parsePasswd('bad line\n:x:5\nwww:x:33:33::/:\nother:x:33:')], [[33, 'www']]);
});
