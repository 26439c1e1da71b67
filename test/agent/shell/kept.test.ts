// Owns the tests of what is kept of a shell's output, of which shell gives way, and of a shell's environment.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellEnvironment } from '../../../src/agent/shell/environment.ts';
import { givesWay } from '../../../src/agent/shell/give-way.ts';
import { Scrollback } from '../../../src/agent/shell/scrollback.ts';

const KIB64 = 64 * 1024;
const all = (kept: Scrollback, from = kept.begin): Buffer => {
  const parts: Buffer[] = [];
  for (let at = from; at < kept.end;) { const piece = kept.read(at, 1_000); parts.push(piece); at += piece.length; }
  return Buffer.concat(parts);
};

test('every byte written is either kept, in order, or counted as lost; whatever the pieces', () => {
  for (const piece of [1, 999, 4_096, 70_000, 300_000]) {
    const kept = new Scrollback(4 * KIB64);
    const whole = Buffer.from(Array.from({ length: 700_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    for (let at = 0; at < whole.length; at += piece) kept.add(whole.subarray(at, at + piece));
    assert.equal(kept.end, whole.length);
    assert.ok(kept.end - kept.begin > 3 * KIB64 && kept.end - kept.begin <= 4 * KIB64, `${kept.end - kept.begin} kept`);
    assert.ok(all(kept).equals(whole.subarray(kept.begin)), `pieces of ${piece}`);
  }
});

test('a terminal begins after a line end, or at least at a whole sign', () => {
  const lines = new Scrollback(KIB64);
  assert.equal(lines.start(), 0);
  lines.add(Buffer.from('0123456789abcde\n'.repeat(9_000)));
  assert.deepEqual([lines.begin > 0, all(lines, lines.start()).subarray(0, 16).toString()], [true, '0123456789abcde\n']);
  const signs = new Scrollback(KIB64);
  signs.add(Buffer.from('日'.repeat(50_000)));
  assert.ok(signs.begin % 3 !== 0, 'the beginning lies inside a sign');
  assert.equal(all(signs, signs.start()).toString().includes('\ufffd'), false);
});

const modes: readonly (readonly [name: string, lost: string, wanted: string, isDrawn: boolean])[] = [
  ['nothing', 'plain text', '', false],
  ['the other screen and its cursor', '\x1b[?1049h\x1b[?25l', '\x1b[?1049h\x1b[?25l', true],
  ['several in one sequence, one switched off again', '\x1b[?1;2004;1006h\x1b[?2004l', '\x1b[?1h\x1b[?1006h', false],
  ['a reset', '\x1b[?1049h\x1b[?25l\x1bc', '', false],
  ['modes that no screen needs', '\x1b[?12h\x1b[?7l', '', false],
];
for (const [name, lost, wanted, isDrawn] of modes) {
  for (const before of [0, KIB64 - 3]) {
    test(`modes set in the lost part are known: ${name}, ${before} bytes into it`, () => {
      const kept = new Scrollback(KIB64);
      kept.add(Buffer.from(`${'.'.repeat(before)}${lost}`));
      kept.add(Buffer.alloc(3 * KIB64, 0x2e));
      assert.deepEqual([kept.modes(), kept.isDrawn], [wanted, isDrawn]);
    });
  }
}

const shell = (id: string, usedAt: number, busy: boolean | undefined): { id: string; usedAt: number; busy: boolean | undefined } => ({ id, usedAt, busy });
const ways: readonly (readonly [name: string, running: ReturnType<typeof shell>[], wanted: object])[] = [
  ['there is room', [shell('a', 1, false), shell('b', 2, false)], { room: true }],
  ['the least recently used of those at their prompt', [shell('a', 3, false), shell('b', 1, false), shell('c', 2, false)], { ends: 'b' }],
  ['one that runs something stays, however old', [shell('a', 1, true), shell('b', 3, false), shell('c', 2, false)], { ends: 'c' }],
  ['one of which nobody can tell counts as busy', [shell('a', 1, undefined), shell('b', 2, true), shell('c', 9, false)], { ends: 'c' }],
  ['all busy', [shell('a', 1, true), shell('b', 2, true), shell('c', 3, undefined)], { full: true }],
];
for (const [name, running, wanted] of ways) test(`who gives way: ${name}`, () => { assert.deepEqual(givesWay(running, 3), wanted); });

test('a shell has the variables of the app, and none that belong to the agent or to one process', () => {
  const own = { PATH: '/usr/bin', HOME: '/root', DIAG_TOKEN: 'secret', PORT: '\\\\.\\pipe\\x', NODE_OPTIONS: '--require=x', iisnode_version: '1', IISNODE_VERSION: '1', WEBJOBS_NAME: 'w', Path2: undefined };
  const app = [{ name: 'DATABASE_URL', value: 'postgres://db' }, { name: 'PATH', value: '/app/bin:/usr/bin' }, { name: 'PORT', value: '8080' }, { name: 'NODE_OPTIONS', value: '--require=preload' }, { name: 'home', value: '/home' }];
  assert.deepEqual(shellEnvironment(own, app, { home: '/h' }), { PATH: '/app/bin:/usr/bin', DATABASE_URL: 'postgres://db', home: '/home', LANG: 'C.UTF-8', HOME: '/h' });
  assert.deepEqual(shellEnvironment({ LC_ALL: 'de_DE.UTF-8' }, [], { home: '/h' }), { LC_ALL: 'de_DE.UTF-8', HOME: '/h' });
});
