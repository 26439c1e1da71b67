// Owns the tests of a conversation with an inspector that ends while the other side talks.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { connectInspector, inspectorPath } from '../../src/platform/inspector.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
/** Each turn compiles new scripts, of which a debugger is told. */
const TALKS = "let n = 0; (function turn() { for (let i = 0; i < 20; i += 1) new (require('vm').Script)('var a' + (n += 1)); setImmediate(turn); })();";

test('a process that talks to us without end runs on when we hang up', async () => {
  const target = spawn(process.execPath, ['--inspect=127.0.0.1:0', '-e', TALKS], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(target, 'exit');
  try {
    let said = '';
    target.stderr.setEncoding('utf8').on('data', (text: string) => { said += text; });
    const port = Number(await waitFor('the port of the inspector', () => /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said)?.[1]));
    for (let round = 0; round < 10; round += 1) {
      const path = await inspectorPath(port, never);
      assert.ok(path !== undefined, `round ${round}: it ended with ${target.signalCode}`);
      const inspector = await connectInspector(port, path, never);
      let heard = 0;
      inspector.on('Debugger.scriptParsed', () => { heard += 1; });
      await inspector.send('Debugger.enable');
      await waitFor('it to talk', () => heard > 50);
      await inspector.hangUp();
    }
    assert.equal(target.exitCode ?? target.signalCode, null);
  } finally {
    target.kill('SIGKILL');
    await ended;
  }
});
