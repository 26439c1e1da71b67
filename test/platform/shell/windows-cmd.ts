// Owns the test of cmd on pipes, run on Windows (bundled and started by shell.test.ts): prompt without a doubled echo, dir, Ctrl+C of what runs, exit code, and the end with its children.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mkdir, writeFile } from 'node:fs/promises';
import { openPlatform } from '../../../src/platform/choose.ts';
import type { Platform } from '../../../src/platform/platform.ts';
import type { Shell } from '../../../src/platform/shell/shell.ts';
import { waitFor } from '../../support/wait.ts';

const never = new AbortController().signal;
const top = process.env['TOP'] ?? '';
const place = join(top, 'shell place');
let platform: Platform;
const open: Shell[] = [];

before(async () => {
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'seen by dir.txt'), 'x');
  await writeFile(join(place, 'wait.cjs'), 'console.log("waiting", process.pid); setInterval(() => undefined, 1000);');
  platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: process.env, processes: 'all' });
});
after(async () => { for (const shell of open) await shell.end(); platform.close(); });

async function opened(): Promise<{ shell: Shell; said(): string; shows(what: RegExp): Promise<RegExpExecArray>; type(keys: string): void }> {
  let text = '';
  const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const shell = await platform.shells.open({ shell: 'cmd', cwd: place, cols: 100, rows: 30, env, output: (bytes) => { text += bytes.toString(); } });
  open.push(shell);
  return {
    shell, said: () => text, type: (keys) => { assert.equal(shell.write(Buffer.from(keys)), 0); },
    shows: (what) => waitFor(`${what} on the screen`, () => { const found = what.exec(text); if (found === null) throw new Error(JSON.stringify(text.slice(-1_000))); return found; }, 60_000),
  };
}
const lives = async (pid: number): Promise<boolean> => (await platform.processes(never)).some((one) => one.pid === pid);

test('cmd is there, on pipes, with the reason', async () => {
  assert.ok(platform.shells.list().some(({ id }) => id === 'cmd'));
  const { shell, shows } = await opened();
  assert.deepEqual([shell.by, shell.why], ['pipes', 'on Windows there is no pseudo-terminal in the sandbox of App Service']);
  await shows(/shell place>/);
  await shell.end();
});

test('dir, echo with a correction, and exit: each line is shown once, the exit code arrives', async () => {
  const { shell, shows, type, said } = await opened();
  await shows(/shell place>$/);
  type('dir /b\r');
  await shows(/seen by dir\.txt[^]*shell place>$/);
  assert.equal(said().split('dir /b').length - 1, 1, `the echo of cmd is taken out: ${JSON.stringify(said())}`);
  type('echo wrong\x17right %CD%\r');
  await shows(/\r\nright .*shell place\r\n/);
  type('exit 7\r');
  assert.deepEqual(await shell.ended, { exitCode: 7 });
});

test('Ctrl+C ends what runs and leaves the shell; the end of the shell ends what runs', async () => {
  const { shell, shows, type } = await opened();
  await shows(/shell place>$/);
  assert.equal(await shell.busy(), false, 'the program that draws its console is none of its work');
  type(`"${process.execPath}" wait.cjs\r`);
  const pid = Number((await shows(/waiting (\d+)/))[1]);
  assert.equal(await shell.busy(), true);
  type('\x03');
  await waitFor('the end of the program', async () => !await lives(pid));
  type('echo still^-here\r');
  await shows(/\nstill-here/);
  type(`"${process.execPath}" wait.cjs\r`);
  const second = Number((await shows(/waiting \d+[^]*waiting (\d+)/))[1]);
  assert.ok(await lives(second));
  await shell.end();
  assert.deepEqual([await lives(second), await lives(shell.pid)], [false, false]);
});
