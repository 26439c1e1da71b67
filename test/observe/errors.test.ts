// Tests the feed of errors over real logs, and the words that explain an exit.
import assert from 'node:assert/strict';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ErrorFollower, FOLLOWED_LOGS, eventLine, explain } from '../../src/observe/errors.ts';
import { openLogs } from '../../src/observe/logs/index.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { fakePlatform } from '../support/fake-platform.ts';
import { waitFor } from '../support/wait.ts';

test('what explains an exit: type and place of an exception, else the first line, masked and bounded', () => {
  const table: readonly (readonly [string, string])[] = [
    ['TypeError: Cannot read properties of undefined (reading \'percent\')\n    at applyVoucher (/home/site/wwwroot/lib/cart.js:41:27)\n    at /home/site/wwwroot/server.js:8:5', 'TypeError, lib/cart.js:41'],
    ['Error: x\n    at Module._compile (node:internal/modules/cjs/loader:1:1)\n    at Object.<anonymous> (C:\\home\\site\\wwwroot\\boot.js:3:9)', 'Error, boot.js:3'],
    ['out of memory', 'out of memory'],
    ['connecting with Password=hunter2hunter2; failed', 'connecting with Password=[masked]; failed'],
  ];
  for (const [text, want] of table) assert.equal(explain(text).detail.replace(/Password=[^;]+;/, 'Password=[masked];'), want);
  assert.deepEqual([explain(table[0]?.[0] ?? '').sure, explain('out of memory').sure], [true, false]);
  assert.ok(!explain('Password=hunter2hunter2;').detail.includes('hunter2'));
  assert.ok(explain('x'.repeat(5_000)).detail.length <= 120);
});

test('a row of the event log is a line of its source', () => {
  assert.deepEqual(eventLine({ at: 5, id: 1002, provider: 'HttpPlatformHandler', level: 'error', text: 'Process crashed' }, 'abc'), { at: 5, source: 'abc', offset: 0, cursor: '', level: 'error', text: 'HttpPlatformHandler 1002: Process crashed' });
});

test('errors of the newest logs come to the feed, of old and of new files; stderr names its process', async () => {
  const fake = await fakePlatform();
  const stop = new AbortController();
  // Real files are polled with real time; everything else of the platform is the fake's.
  const platform = { ...fake, clock: systemClock };
  const folder = join(platform.host.folders.logs, 'Application');
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < FOLLOWED_LOGS + 3; i += 1) await writeFile(join(folder, `trace-${i}.txt`), '2026-11-21T01:00:00  PID[1] Information fine\n');
  const errors: string[] = [];
  const exits: [number, string][] = [];
  const follower = new ErrorFollower({
    logs: openLogs({ platform }), now: () => systemClock.now(), monotonic: () => systemClock.monotonic(),
    onError: (line) => errors.push(line.text), onProcessError: (pid, _at, error) => exits.push([pid, error.detail]),
  });
  const looking = (async () => { for await (const at of systemClock.every(100, stop.signal)) await follower.tick(at, stop.signal); })();
  try {
    await waitFor('logs to be followed', () => follower.following === FOLLOWED_LOGS);
    await writeFile(join(folder, 'LW0SDWK0001-5988-stderr-1795226407000.txt'), 'server listening\nTypeError: boom\n    at f (/home/site/wwwroot/lib/cart.js:41:27)\n');
    follower.soon();
    await waitFor('the error of the new file', () => exits.length > 0);
    assert.deepEqual(exits, [[5988, 'TypeError, lib/cart.js:41']]);
    assert.equal(follower.following, FOLLOWED_LOGS, 'the new file in place of the oldest');
    await appendFile(join(folder, 'LW0SDWK0001-5988-stderr-1795226407000.txt'), 'RangeError: again\n    at g (/home/site/wwwroot/lib/cart.js:50:1)\n');
    await waitFor('the next error of the same file', () => errors.some((text) => text.startsWith('RangeError')));
    // Older logs grow until the file is not among the newest any more; when it is again, nothing of it is told twice.
    for (let i = 0; i < FOLLOWED_LOGS; i += 1) await appendFile(join(folder, `trace-${i}.txt`), `2026-11-21T01:00:0${i}  PID[1] Error number ${i}\n`);
    follower.soon();
    await waitFor('the errors of the older logs', () => errors.filter((text) => text.includes('Error number')).length >= FOLLOWED_LOGS);
    await appendFile(join(folder, 'LW0SDWK0001-5988-stderr-1795226407000.txt'), 'SyntaxError: last\n');
    follower.soon();
    await waitFor('the last error', () => errors.some((text) => text.startsWith('SyntaxError')));
    assert.equal(errors.length, new Set(errors).size, JSON.stringify(errors));
  } finally {
    stop.abort();
    await looking.catch((error: unknown) => { if ((error as Error).name !== 'AbortError') throw error; });
    await fake.remove();
  }
});
