// Owns one side of the bench of the live HTTP log: the requests sampler alone, once a second, over a folder; tells its CPU time. Arguments: FOLDER SECONDS.
import { createFeed } from '../../src/observe/feed.ts';
import { RequestsSampler } from '../../src/observe/samplers/requests.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { RequestRow } from '../../src/shared/model.ts';

/** The code is warm and the log's past is read. */
const WARM_TICKS = 10;

async function main(): Promise<void> {
  const [, , folder = '', seconds = '30'] = process.argv;
  const { signal } = new AbortController();
  const requests = createFeed<RequestRow>(5_000);
  let rows = 0, samples = 0;
  const sampler = new RequestsSampler({
    folder, instance: '', startedAt: systemClock.now(), now: () => systemClock.now(), history: { write: () => { samples += 1; } }, sourceOf: async (name) => name,
    onRow: (row) => { rows += 1; requests.publish(row); }, onSample: () => { samples += 1; },
  });
  let ticks = 0, before = process.cpuUsage(), rowsBefore = 0;
  for await (const at of systemClock.every(sampler.everyMs, signal)) {
    if (ticks === WARM_TICKS) { before = process.cpuUsage(); rowsBefore = rows; }
    await sampler.tick(at, signal);
    ticks += 1;
    if (ticks === WARM_TICKS + Number(seconds)) break;
  }
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1_000, rows: rows - rowsBefore, samples }));
  process.exit(0);
}

// A clock that ticks keeps no process alive.
const alive = process.stdin.resume();
void main().finally(() => alive.pause());
