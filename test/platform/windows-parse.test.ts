// Owns the tests of reading what Windows says, on any machine: processes (recorded under wine 8, Windows 10, 2026-11-21), command lines, blocks of variables, counters, TCP tables, minidump headers.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parseCounters } from '../../src/platform/parse/counters.ts';
import { ENTRY_BYTES, HEADER_BYTES, memoryEnd, parseDirectory, parseHeader } from '../../src/platform/parse/minidump.ts';
import { parseNtProcesses, parseNtThreads } from '../../src/platform/parse/nt-processes.ts';
import { isLoopbackAddress, parseTcpTable } from '../../src/platform/parse/tcp-table.ts';
import { parseCommandLine, parseEnvironmentBlock, valueOf } from '../../src/platform/parse/windows-text.ts';
import { foldersOf } from '../../src/platform/runtimes.ts';
import { errorName } from '../../src/platform/windows/codes.ts';
import { owed } from '../../src/platform/windows/let-go.ts';
import { versionOf } from '../../src/platform/windows/versions.ts';

/** Where the recorded buffer lay: its names are told by address. */
const ADDRESS = 0x10000;
const recorded = await readFile(new URL('../fixtures/windows/processes.bin', import.meta.url));

test('the fixed version of a file is read; one without it, a cut one and rubbish have none', () => {
  const resource = Buffer.alloc(100);
  resource.writeUInt32LE(0xfeef_04bd, 40);
  resource.writeUInt32LE((10 << 16) + 3, 48);
  resource.writeUInt32LE(((20348 << 16) >>> 0) + 2582, 52);
  assert.equal(versionOf(resource), '10.3.20348.2582');
  for (const other of [Buffer.alloc(0), Buffer.alloc(100), resource.subarray(0, 60)]) assert.equal(versionOf(other), undefined);
});

test('a PATH is cut into its absolute folders, each once, quotes and all', () => {
  assert.deepEqual(foldersOf('/usr/bin::.:bin:/usr/bin:/opt/x', false), ['/usr/bin', '/opt/x']);
  assert.deepEqual(foldersOf('"/a b";/c', true), ['/a b', '/c']);
});

test('processes are read with parent, name, start and counters', () => {
  const found = parseNtProcesses(recorded, recorded.length, ADDRESS);
  assert.equal(found.length, 10);
  const nodes = found.filter((one) => one.name === 'node.exe');
  assert.equal(nodes.length, 3);
  const [host, ...others] = nodes;
  assert.ok(others.every((one) => one.parent === host?.pid));
  for (const one of nodes) {
    assert.equal(new Date(one.startedAt).toISOString().slice(0, 10), '2026-11-21');
    assert.ok(one.workingSetBytes > 30 * 2 ** 20 && one.workingSetBytes < 2 ** 30, String(one.workingSetBytes));
    assert.ok(one.privateBytes > 10 * 2 ** 20 && one.cpuMs > 0 && one.cpuMs < 60_000 && one.handles > 0);
    const threads = parseNtThreads(recorded, recorded.length, one);
    assert.equal(threads.length, one.threads);
    assert.ok(threads.every((thread) => thread.id > 0 && Math.abs(thread.startedAt - one.startedAt) < 5_000));
  }
});

test('a buffer that is cut anywhere, or names another place, gives what is whole and never throws', () => {
  for (let bytes = 0; bytes < recorded.length; bytes += 61) {
    const found = parseNtProcesses(recorded.subarray(0, bytes), bytes, ADDRESS);
    assert.ok(found.length <= 10);
    for (const one of found) assert.ok(parseNtThreads(recorded.subarray(0, bytes), bytes, one).length <= one.threads);
  }
  assert.ok(parseNtProcesses(recorded, recorded.length, 2 ** 40).every((one) => one.name === ''));
});

test('command lines are cut as the C runtime cuts them', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    ['node server.js', ['node', 'server.js']],
    ['"D:\\Program Files\\node.exe" "a b" c', ['D:\\Program Files\\node.exe', 'a b', 'c']],
    ['x "a b c" d e', ['x', 'a b c', 'd', 'e']],
    ['x "ab\\"c" "\\\\" d', ['x', 'ab"c', '\\', 'd']],
    ['x a\\\\\\b d"e f"g h', ['x', 'a\\\\\\b', 'de fg', 'h']],
    ['x a\\\\\\"b c d', ['x', 'a\\"b', 'c', 'd']],
    ['x a\\\\\\\\"b c" d e', ['x', 'a\\\\b c', 'd', 'e']],
    ['x "a""b" ""', ['x', 'a"b', '']],
    ['"never closed', ['never closed']],
    ['x \t  y\t', ['x', 'y']],
  ];
  for (const [line, args] of cases) assert.deepEqual(parseCommandLine(line), args, line);
});

test('a block of variables ends at its empty one; names have no case, hidden ones are left out', () => {
  const block = Buffer.from('=C:=C:\\x\0Path=a=b\0Ünï=wert\0\0JUNK=1\0', 'utf16le');
  const variables = parseEnvironmentBlock(block);
  assert.deepEqual(variables, [{ name: 'Path', value: 'a=b' }, { name: 'Ünï', value: 'wert' }]);
  assert.equal(valueOf(variables, 'PATH'), 'a=b');
  assert.deepEqual(parseEnvironmentBlock(Buffer.alloc(1)), []);
});

test('counters have limits where these are above 0, and leftovers behind the end do not hurt', () => {
  const app = '{"processes":2,"processLimit":32,"threads":31,"threadLimit":0,"connections":11,"connectionLimit":-1,"remoteDirMonitors":1,"remoteDirMonitorLimit":500,"name":"x"}';
  const expected = [
    { group: 'app', name: 'processes', value: 2, limit: 32 }, { group: 'app', name: 'threads', value: 31 }, { group: 'app', name: 'connections', value: 11 },
    { group: 'app', name: 'remoteDirMonitors', value: 1, limit: 500 },
  ];
  for (const text of [app, `${app}garbage`, `${app}00}`, `${app}}}`]) assert.deepEqual(parseCounters(text, 'app'), expected, text);
  assert.deepEqual(parseCounters(`{"app":${app},"aspNet":{"requestsInQueue":1},"clr":{"gcHandles":7},"other":{"x":1}}`, 'all'), [...expected, { group: 'clr', name: 'gcHandles', value: 7 }, { group: 'aspnet', name: 'requestsInQueue', value: 1 }]);
  for (const text of ['', '}', '{', 'null', '[1]', '{"processes":"2"}', '{"processes":1e999}']) assert.deepEqual(parseCounters(text, 'app'), [], text);
});

test('TCP tables name state, port and owner of each row, and a cut table what is whole', () => {
  const table = Buffer.alloc(4 + 2 * 24);
  table.writeUInt32LE(2, 0);
  for (const [i, [state, port, pid]] of ([[2, 9229, 700], [5, 443, 800]] as const).entries()) {
    table.writeUInt32LE(state, 4 + i * 24);
    table.set([127, 0, 0, 1], 4 + i * 24 + 4);
    table.writeUInt16BE(port, 4 + i * 24 + 8);
    table.writeUInt32LE(pid, 4 + i * 24 + 20);
  }
  assert.deepEqual(parseTcpTable(table, 4), [{ state: 'LISTEN', localAddress: '7f000001', localPort: 9229, remoteAddress: '00000000', remotePort: 0, pid: 700 }, { state: 'ESTABLISHED', localAddress: '7f000001', localPort: 443, remoteAddress: '00000000', remotePort: 0, pid: 800 }]);
  assert.equal(parseTcpTable(table.subarray(0, 40), 4).length, 1);
  assert.deepEqual(['7f000001', '0a000001', '0'.repeat(31) + '1', '0'.repeat(20) + 'ffff7f000001', '0'.repeat(32)].map(isLoopbackAddress), [true, false, true, true, false]);
});

test('a minidump is whole, or what is wrong is said in words', () => {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('MDMP', 'latin1');
  header.writeUInt16LE(0xa793, 4);
  header.writeUInt32LE(2, 8);
  header.writeUInt32LE(HEADER_BYTES, 12);
  assert.deepEqual(parseHeader(header), { at: HEADER_BYTES, streams: 2 });
  assert.match(String(parseHeader(Buffer.from('\x7fELF'))), /does not begin with MDMP/);
  const directory = Buffer.alloc(2 * ENTRY_BYTES);
  for (const [i, type] of [3, 4].entries()) { directory.writeUInt32LE(type, i * ENTRY_BYTES); directory.writeUInt32LE(10, i * ENTRY_BYTES + 4); directory.writeUInt32LE(100, i * ENTRY_BYTES + 8); }
  assert.equal(parseDirectory(directory, 110).length, 2);
  assert.match(String(parseDirectory(directory, 109)), /cut: stream 3 ends at 110 of 109/);
  assert.match(String(parseDirectory(directory.subarray(ENTRY_BYTES), 110)), /no threads or no modules/);
  const list = Buffer.alloc(48);
  list.writeBigUInt64LE(2n, 0);
  list.writeBigUInt64LE(1_000n, 8);
  list.writeBigUInt64LE(4_096n, 24);
  list.writeBigUInt64LE(8_192n, 40);
  assert.equal(memoryEnd(list), 1_000 + 4_096 + 8_192);
  assert.match(String(memoryEnd(list.subarray(0, 40))), /cut/);
});

test('errors of Windows have their names, wrapped ones too', () => {
  assert.deepEqual([5, 0x8007_0006, 0x8007_0006 | 0, 4711, 0xc000_0005].map(errorName), ['ERROR_ACCESS_DENIED (5)', 'ERROR_INVALID_HANDLE (0x80070006)', 'ERROR_INVALID_HANDLE (0x80070006)', 'error 4711', 'error 0xc0000005']);
});

test('after a program that stopped the threads of a target died, each is resumed by what that program added', () => {
  type Rows = readonly (readonly [number, number])[];
  const rows: readonly (readonly [string, Rows, readonly Rows[], Rows])[] = [
    ['it held all', [[1, 0], [2, 0]], [[[1, 1], [2, 1]]], [[1, 1], [2, 1]]],
    ['a thread that the app keeps stopped stays so', [[1, 0], [2, 1]], [[[1, 1], [2, 2]]], [[1, 1], [2, 1]]],
    ['one that the app stopped since stays so', [[1, 0], [2, 0]], [[[1, 1], [2, 2]]], [[1, 1], [2, 1]]],
    ['one that the app let go since is let go', [[1, 0], [2, 1]], [[[1, 1], [2, 1]]], [[1, 1], [2, 1]]],
    ['one that came since', [[1, 0]], [[[1, 1], [2, 1]]], [[1, 1], [2, 1]]],
    ['a stop of the whole process by a debugger stays', [[1, 1], [2, 1]], [[[1, 2], [2, 2]]], [[1, 1], [2, 1]]],
    ['ProcDump stops twice', [[1, 0], [2, 1]], [[[1, 2], [2, 3]]], [[1, 2], [2, 2]]],
    ['it had stopped one of two', [[1, 0], [2, 0]], [[[1, 1], [2, 0]], [[1, 1], [2, 0]]], [[1, 1]]],
    ['the app stops one for a moment', [[1, 0], [2, 0], [3, 0]], [[[1, 1], [2, 1], [3, 0]], [[1, 1], [2, 0], [3, 0]]], [[1, 1]]],
    ['nothing was stopped', [[1, 0], [2, 3]], [[[1, 0], [2, 3]]], []],
    ['the target has gone', [[1, 0]], [[]], []],
  ];
  for (const [name, before, looks, expected] of rows) assert.deepEqual([...owed(new Map(before), looks.map((look) => new Map(look)))], expected, name);
});
