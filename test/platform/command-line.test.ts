// Owns the tests of command lines that run through the shell: when they are ended, and what is kept of them.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPlatform } from '../../src/platform/choose.ts';
import { runCommandLine, type CommandEnd } from '../../src/platform/command-line.ts';
import { KeptText } from '../../src/platform/kept-text.ts';
import type { Platform } from '../../src/platform/platform.ts';
import { lives } from '../support/alive.ts';
import { waitFor } from '../support/wait.ts';

let home: string;
let platform: Platform;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'command-test-'));
  platform = await openPlatform({ home, env: {}, processes: { pids: [process.pid] } });
});
after(async () => { platform.close(); await rm(home, { recursive: true, force: true }); });

const run = (command: string, idleMs = 60_000, signal = new AbortController().signal): Promise<CommandEnd> => runCommandLine({ command, cwd: home, env: { PATH: process.env['PATH'] }, idleMs, headBytes: 1_000, tailBytes: 1_000, signal }, platform);

test('quotes, pipes and variables mean what the shell says; the exit code is told', async () => {
  assert.deepEqual(await run('A="x  y"; echo "$A" | tr x z; pwd; exit 7'), { output: `z  y\n${home}\n`, error: '', lostBytes: 0, how: 'exit', exitCode: 7 });
});

test('a command that works in silence goes on; one that does neither is ended with its children', async () => {
  const busy = await run('until [ $SECONDS -ge 2 ]; do :; done; echo done', 1_000);
  assert.deepEqual([busy.how, busy.output], ['exit', 'done\n']);
  const still = await run('sleep 600 & echo $!; wait', 400);
  assert.equal(still.how, 'idle');
  await waitFor('the child to be gone', () => !lives(Number(still.output)));
});

test('what a command leaves behind ends with it, and an abort ends all', async () => {
  const left = await run('sleep 600 >/dev/null 2>&1 & echo $!');
  assert.equal(left.how, 'exit');
  await waitFor('the child to be gone', () => !lives(Number(left.output)));
  const stop = new AbortController();
  const ended = run('echo begun; sleep 600', 60_000, stop.signal);
  stop.abort();
  assert.equal((await ended).how, 'cancelled');
});

test('of a long output the beginning and the end are kept, and the rest is counted', () => {
  const kept = new KeptText(4, 6);
  for (const part of ['ab', 'cdef', 'ghij', 'kl', 'mnop']) kept.take(Buffer.from(part));
  assert.equal(kept.lostBytes, 6);
  assert.equal(kept.text(), 'abcd\n[6 B of the output left out here]\nklmnop');
  const short = new KeptText(4, 6);
  short.take(Buffer.from('abcdefghij'));
  assert.deepEqual([short.text(), short.lostBytes], ['abcdefghij', 0]);
});
