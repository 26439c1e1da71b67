// Owns the tests of the link's files: an app that no list shows and no socket reaches is read by its files, its end is told once, and it leaves after a while.
import assert from 'node:assert/strict';
import { access, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { AppLinks } from '../../src/platform/app-link.ts';
import type { AppState, AppTick } from '../../src/shared/app-link.ts';
import { waitFor } from '../support/wait.ts';

let folder: string;
let now = Date.now();
before(async () => { folder = await mkdtemp(join(tmpdir(), 'app-link-')); });
after(async () => { await rm(folder, { recursive: true, force: true }); });

const PID = 4_000_001;
const startedAt = now - 60_000;
const stem = `${PID}-${startedAt}`;
const heap = { used: 9_500_000, total: 10_000_000, limit: 10_000_000, external: 0, arrayBuffers: 0, rss: 30_000_000 };
const tick = (seq: number): AppTick => ({ type: 'tick', seq, at: now, forMs: 1_000, started: 0, inFlight: 1, oldest: [], routes: [], dependencies: [], stalls: [], gc: [], heap, failures: [], lost: [] });
const state = (): AppState => ({ version: 1, pid: PID, startedAt, at: now, inFlight: 1, oldest: [], heap, rss: heap.rss });

function frame(of: AppTick): Buffer {
  const json = Buffer.from(JSON.stringify(of));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(json.length, 0);
  return Buffer.concat([head, json]);
}

test('an app of another container is asked for its files, read, missed, told once, and forgotten; hostile names stay unread', async () => {
  const links = new AppLinks({ folder, now: () => now, mayRemove: () => true });
  await writeFile(join(folder, `${stem}.json`), JSON.stringify({ version: 1, pid: PID, startedAt, node: 'v20.0.0', preload: '0', address: `/nowhere/app-service-diag-apps-0/app-service-diag-${PID}-0123456789abcdef.sock` }));
  for (const name of ['1-2.json', `${stem}.frame`, '..%2f.json', `${PID}-x.state`]) await writeFile(join(folder, name), '{"version":1}');
  assert.deepEqual(await links.look([]), []);
  await access(join(folder, `${stem}.want`));
  assert.deepEqual(links.apps(), [], 'nothing is known of it as long as it says nothing');

  await writeFile(join(folder, `${stem}.state`), JSON.stringify(state()).padEnd(4_096));
  for (const seq of [0, 1, 3]) await writeFile(join(folder, `${stem}.${seq}.frame`), frame(tick(seq)));
  const app = await waitFor('its frames by files', async () => { await links.look([]); return links.apps().find(({ ticks }) => ticks.length === 3); });
  assert.deepEqual([app.state, app.process, app.missed], ['files', { pid: PID, startedAt }, 1]);
  assert.ok(!(await readdir(folder)).some((name) => /\.\d\.frame$/.test(name)), 'what was read is gone');

  now += 40_000;
  await utimes(join(folder, `${stem}.state`), (now - 40_000) / 1_000, (now - 40_000) / 1_000);
  const [end, ...more] = await links.look([]);
  assert.deepEqual([end?.process.pid, end?.crash, end?.state?.heap.used, more.length], [PID, undefined, heap.used, 0]);
  assert.equal(links.apps()[0]?.state, 'ended');
  assert.deepEqual(await links.look([]), [], 'an end is told once');
  now += 61_000;
  await links.look([]);
  assert.deepEqual(links.apps(), []);
  links.close();
});
