// Owns the tests of roles and kinship: who is the worker, who is ours, who comes first.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { below, inOrder, ourOwn, roleOf, runtimeOf, workerOf, type Seen } from '../../src/platform/roles.ts';

/** 'pid<parent name args' with `+` for a process that was given a port and `~` for one of the SCM site. */
function site(...rows: readonly string[]): Map<number, Seen> {
  return new Map(rows.map((row, i) => {
    const match = /^(\d+)<(\d+) (\S+?)([+~]*)( .*)?$/.exec(row);
    assert.ok(match !== null, row);
    const [, pid, parent, name = '', marks = '', args = ''] = match;
    return [Number(pid), { pid: Number(pid), parent: Number(parent), startedAt: 1000 + i, name, args: [name, ...args.trim().split(' ')].filter((arg) => arg !== ''), scm: marks.includes('~'), serves: marks.includes('+') }];
  }));
}

test('programs have a runtime', () => {
  const table = [['node', 'node'], ['nodejs', 'node'], ['node.exe', 'node'], ['php-fpm8.2', 'php'], ['php-cgi.exe', 'php'], ['java', 'java'], ['dotnet', 'dotnet'], ['python3.11', 'python'], ['gunicorn', 'python'], ['w3wp.exe', 'worker'], ['nginx', 'other'], ['nodemon', 'other'], ['javac', 'other']] as const;
  assert.deepEqual(table.map(([name]) => runtimeOf(name)), table.map(([, role]) => role));
});

test('the worker is the top-most process that is no wrapper', () => {
  const cases: readonly (readonly [number | undefined, readonly string[]])[] = [
    [10, ['10<1 node+ server.js', '11<10 node worker.js']],
    [12, ['10<1 sh -c npm-start', '11<10 node /usr/bin/npm start', '12<11 node server.js', '13<12 sleep 5']],
    [12, ['10<1 tini', '11<10 bash startup.sh', '12<11 dotnet app.dll']],
    [11, ['10<1 node /usr/lib/node_modules/npm/bin/npm-cli.js run start', '11<10 node --inspect server.js']],
    [11, ['10<1 sh', '11<10 node+ server.js', '12<10 python3 sidecar.py']],
    [12, ['10<1 cron', '11<1 node job.js', '12<1 node+ server.js']],
    [11, ['10<1 nginx', '11<1 php-fpm']],
    [10, ['10<1 node old.js', '11<1 node new.js']],
    [20, ['10<1 w3wp.exe~', '11<10 node.exe~ kudu.js', '20<1 w3wp.exe', '21<20 node.exe server.js']],
    [undefined, ['10<1 sh -c sleep']],
    [undefined, []],
  ];
  for (const [worker, rows] of cases) assert.equal(workerOf(site(...rows), new Set()), worker, rows.join(' | '));
});

test('the agent and its parents are never the worker', () => {
  const members = site('10<1 node+ launcher.js', '11<10 node+ agent.js', '12<10 node server.js');
  assert.equal(workerOf(members, ourOwn(members, 11)), 12);
});

test('ours are ourselves, all parents, all descendants, and the first process', () => {
  const all = site('1<0 init', '5<1 sh', '10<5 node launcher', '11<10 node agent', '12<11 gdb', '13<10 node server', '14<13 node child', '20<1 other');
  assert.deepEqual([...ourOwn(all, 11)].sort((a, b) => a - b), [1, 5, 10, 11, 12]);
  assert.deepEqual([...ourOwn(new Map(), 11)].sort((a, b) => a - b), [1, 11]);
  assert.deepEqual([...below(all, [10])].sort((a, b) => a - b), [10, 11, 12, 13, 14]);
});

test('a circle of parents does not hang', () => {
  const all = site('10<11 a', '11<10 b', '12<12 c');
  assert.deepEqual([...below(all, [10])].sort((a, b) => a - b), [10, 11]);
  assert.deepEqual([...ourOwn(all, 10)].sort((a, b) => a - b), [1, 10, 11]);
});

test('parents come before children, siblings by age', () => {
  const all = site('30<10 c', '20<10 b', '21<20 d', '10<1 a', '9<7 e');
  assert.deepEqual(inOrder(all).map((one) => one.pid), [10, 30, 20, 21, 9]);
});

test('roles: agent before scm before worker before runtime', () => {
  const all = site('10<1 node~', '11<1 node', '12<11 php-fpm', '13<11 sleep');
  assert.deepEqual([10, 11, 12, 13].map((pid) => roleOf(all.get(pid) as Seen, 11, new Set([10]))), ['agent', 'worker', 'php', 'other']);
  assert.equal(roleOf(all.get(10) as Seen, 11, new Set()), 'scm');
});
