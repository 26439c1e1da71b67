// Owns the tests of shells on pipes: on Linux where no terminal can be had, and of cmd under the Windows Node.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPlatform } from '../../../src/platform/choose.ts';
import type { Platform } from '../../../src/platform/platform.ts';
import { shellsOf } from '../../../src/platform/shell/index.ts';
import type { Shell, ShellId } from '../../../src/platform/shell/shell.ts';
import { below } from '../../../src/platform/roles.ts';
import { MAX_INPUT_BYTES } from '../../../src/platform/shell/shell.ts';
import { startWindowsHost } from '../../support/windows.ts';
import { testOnWindows } from '../../support/windows-tests.ts';
import { noWine } from '../../support/wine.ts';
import { waitFor } from '../../support/wait.ts';

const never = new AbortController().signal;
let top: string;
let platform: Platform;
before(async () => {
  top = await mkdtemp(join(tmpdir(), 'shell-test-'));
  platform = await openPlatform({ home: join(top, 'home'), env: { PATH: process.env['PATH'] }, processes: 'all' });
});
after(async () => { platform.close(); await rm(top, { recursive: true, force: true }); });

/** As on a system whose libc node-pty does not fit. */
async function piped(shell: ShellId): Promise<{ shell: Shell; shows(what: RegExp): Promise<RegExpExecArray>; type(keys: string): number; said(): string }> {
  let text = '';
  const everyone = async (): Promise<Map<number, { parent: number; startedAt: number }>> => new Map((await platform.processes(never)).map(({ pid, parent = 0, startedAt }) => [pid, { parent, startedAt }]));
  const shells = shellsOf({ self: process.pid, everyone, startOf: async (pid) => (await everyone()).get(pid)?.startedAt }, { PATH: process.env['PATH'] }, { windows: false, withoutTerminal: 'the test wants none' });
  const opened = await shells.open({ shell, cwd: top, cols: 60, rows: 20, env: { PATH: process.env['PATH'] ?? '', HOME: top, PS1: 'ready> ' }, output: (bytes) => { text += bytes.toString(); } });
  const type = (keys: string): number => opened.write(Buffer.from(keys));
  const shows = (what: RegExp): Promise<RegExpExecArray> => waitFor(`${what} on the screen`, () => { const found = what.exec(text); if (found === null) throw new Error(JSON.stringify(text.slice(-500))); return found; });
  if (shell === 'bash') {                                      // the system's own start file sets another prompt
    await shows(/[#$>] $/);
    type("PS1='ready> '\r");
  }
  return { shell: opened, said: () => text, type, shows };
}
const busy = (shell: Shell): Promise<boolean> => waitFor('it to be busy', () => shell.busy());
const childrenOf = async (pid: number): Promise<number[]> => [...below(new Map((await platform.processes(never)).map((one) => [one.pid, { parent: one.parent ?? 0 }])), [pid])];

for (const id of ['bash', 'sh'] as const) {
  test(`${id} without a terminal: prompt, lines edited by us, Ctrl+C, Ctrl+D`, async () => {
    const { shell, shows, type } = await piped(id);
    assert.deepEqual([shell.by, shell.why], ['pipes', 'the test wants none']);
    await shows(/ready> $/);
    type('echo two one\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[D\x1b[Donly \r');
    await shows(/\r\nonly two one\r\nready> $/);
    type('sleep 1000\r');
    await busy(shell);
    type('\x03');
    await waitFor('the end of sleep', async () => !await shell.busy());
    await shows(/\^C\r\n[^]*ready> $/);
    type('\x03');
    await shows(/\^C\r\nready> $/);
    type('\x04');
    assert.deepEqual(await shell.ended, { exitCode: 130 });
  });
}

test('output that comes while a line is typed stands above it, and the line after it', async () => {
  const { shell, shows, type, said } = await piped('bash');
  await shows(/ready> $/);
  type("(read -t 0.4 < <(sleep 9); echo 'from the background') &\r");
  await shows(/ready> $/);
  type('half a li');
  await shows(/from the background\r\nhalf a li$/);
  type('ne\x15echo done\r');
  await shows(/\r\ndone\r\n/);
  assert.ok(!said().includes('command not found'));
  await shell.end();
});

test('pause holds the output in the system; the end takes everything that it started', async () => {
  const { shell, shows, type, said } = await piped('sh');
  await shows(/ready> $/);
  type('sleep 1000 & (sleep 1000 &)\r yes\r');
  await waitFor('a flood', () => said().length > 500_000);
  shell.pause();
  await waitFor('what was on its way', async () => { const before = said().length; await childrenOf(shell.pid); return said().length === before; });
  const members = await childrenOf(shell.pid);
  assert.ok(members.length >= 3, members.join());
  await shell.end();
  assert.deepEqual((await platform.processes(never)).filter(({ pid }) => members.includes(pid)), []);
});

test('what nobody reads finds no room, and that is told', async () => {
  const { shell, shows, type } = await piped('sh');
  await shows(/ready> $/);
  type('sleep 1000\r');
  await busy(shell);
  let lost = 0;
  for (let sent = 0; sent < 2 * MAX_INPUT_BYTES; sent += 100_000) lost += type(`${'x'.repeat(999)}\r`.repeat(100));
  assert.ok(lost > 0 && lost < 2 * MAX_INPUT_BYTES, `${lost} bytes`);
  await shell.end();
});

test('a folder that is gone and a shell that is not there are refused', async () => {
  await assert.rejects(platform.shells.open({ shell: 'cmd', cwd: top, cols: 80, rows: 24, env: {}, output: () => undefined }), { code: 'SHELL_FAILED' });
  const shells = shellsOf({ self: process.pid, everyone: async () => new Map(), startOf: async () => undefined }, { PATH: process.env['PATH'] }, { windows: false, withoutTerminal: 'x' });
  await assert.rejects(shells.open({ shell: 'sh', cwd: join(top, 'gone'), cols: 80, rows: 24, env: {}, output: () => undefined }), { code: 'SHELL_FAILED' });
});

test('cmd under the Windows Node', { skip: noWine() ?? false, timeout: 270_000 }, async (t) => {
  const host = await startWindowsHost();
  try {
    await testOnWindows(t, host, 'test/platform/shell/windows-cmd.ts');
  } finally {
    await host.close();
  }
});
