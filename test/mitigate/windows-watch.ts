// Owns the watch that dumps when a trigger fires, on Windows (bundled and started by windows-watch.test.ts): limits of CPU and memory, and a probed address that hangs; each with a case that must dump and one that must not.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readDumpFile } from '../../src/analyze/dump/read-dump.ts';
import type { DumpRecord } from '../../src/mitigate/dump-record.ts';
import { watchAndDump, type WatchOrder } from '../../src/mitigate/dump-watch.ts';
import { openPlatform } from '../../src/platform/choose.ts';
import type { Platform } from '../../src/platform/platform.ts';
import type { ProcessInfo } from '../../src/shared/model.ts';
import { openSteer, type Steer, type WindowsVictim } from '../support/windows-steer.ts';
import { waitFor } from '../support/wait.ts';

const never = new AbortController().signal;
const top = process.env['TOP'] ?? '';
const marks = { WEBSITE_SITE_NAME: 'shop', WEBSITE_INSTANCE_ID: randomBytes(32).toString('hex') };
let platform: Platform;
let steer: Steer;
let victim: WindowsVictim;
let target: ProcessInfo;

before(async () => {
  steer = await openSteer();
  platform = await openPlatform({ home: join(top, 'home'), temp: join(top, 'temp'), env: { ...process.env, ...marks } });
  // A small program: under wine each KiB of a dump goes through its server.
  victim = await steer.victim({ env: marks, program: 'cmd.exe' });
  target = await waitFor(`process ${victim.pid}`, async () => (await platform.processes(never)).find((one) => one.pid === victim.pid));
});
after(() => { platform.close(); steer.close(); });

interface Watched { readonly end: string; readonly records: readonly DumpRecord[] }

/** `watchMs` where nothing may fire; without it until a dump is there. */
async function watched(order: Pick<WatchOrder, 'conditions'> & Partial<WatchOrder>, watchMs?: number): Promise<Watched> {
  const records: DumpRecord[] = [];
  const folder = join(top, randomBytes(4).toString('hex'));
  const end = await watchAndDump({
    platform, target, folder, takes: { memory: { kind: 'mini' } }, forMs: 1_000, count: 1, signal: never, progress: () => undefined, kept: (one) => { records.push(one); },
    ...(watchMs === undefined ? {} : { untilAt: platform.clock.now() + watchMs }), ...order,
  });
  return { end, records };
}

test('-m: memory above the limit dumps, and the dump is of this process', async () => {
  const folder = join(top, 'memory');
  const fired = await watched({ conditions: [{ type: 'memory', limit: 65_536, below: false }], folder });
  assert.deepEqual([fired.end, fired.records.map((one) => one.trigger)], ['count', ['memory']]);
  const file = join(folder, fired.records[0]?.file ?? '');
  assert.equal(statSync(file).size, fired.records[0]?.bytes);
  assert.equal((await readDumpFile(file, { files: false, signal: never })).process.pid, target.pid);
});

test('-h: an address that hangs dumps; one that answers, an idle processor and little memory do not', async () => {
  let hangs = true;
  const server = createServer((_, answer) => { if (!hangs) answer.end('ok'); });
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done); });
  const probe = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  try {
    const fired = await watched({ conditions: [{ type: 'hang', forMs: 1_000 }], probe, folder: join(top, 'hang') });
    assert.deepEqual([fired.end, fired.records.map((one) => one.trigger)], ['count', ['hang']]);
    hangs = false;
    const quiet = await watched({ conditions: [{ type: 'hang', forMs: 10_000 }, { type: 'cpu', limit: 90, below: false }, { type: 'memory', limit: 2 ** 33, below: false }], probe }, 3_000);
    assert.deepEqual([quiet.end, quiet.records], ['until', []]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('-c: processor time above the limit dumps', async () => {
  const folder = join(top, 'cpu');
  await victim.type('for /l %i in (0,0,1) do @rem');
  // A busy machine gives a loop a few percent of a core; idle it has none at all.
  const fired = await watched({ conditions: [{ type: 'cpu', limit: 1, below: false }], folder });
  assert.deepEqual([fired.end, fired.records.map((one) => one.trigger)], ['count', ['cpu']]);
  assert.ok(statSync(join(folder, fired.records[0]?.file ?? '')).size > 0);
});
