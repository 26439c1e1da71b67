// Owns one side of the bench of the live HTTP log: the requests sampler with what follows its rows in the agent, once a second, over a folder; tells its CPU time. Arguments: FOLDER SECONDS [page].
import '../../src/lean.ts';
import { meterOf } from '../../src/mitigate/rules/meter.ts';
import { presets } from '../../src/mitigate/rules/presets.ts';
import { Signals } from '../../src/mitigate/rules/signals.ts';
import { createFeed } from '../../src/observe/feed.ts';
import type { Observed } from '../../src/observe/observe.ts';
import { REQUESTS_KEPT } from '../../src/observe/observer.ts';
import { createRequestFeed } from '../../src/observe/request-feed.ts';
import { RequestsSampler } from '../../src/observe/samplers/requests.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Session } from '../../src/shared/model.ts';

/** The code is warm and the log's past is read. */
const WARM_TICKS = 10;

/** What the agent does with rows: its rules count them, here those presets that ask for requests. */
function followed(requests: Observed['requests'], signal: AbortSignal): void {
  const meters = presets(systemClock.now()).flatMap(({ rule: { when } }) => (when.type === 'status' || when.type === 'slow' ? [meterOf(when, { line: () => () => false })] : []));
  const observed = { requests, errors: createFeed(1), changes: createFeed(1) } as Partial<Observed> as Observed;
  const signals = new Signals({
    observed, platform: { clock: systemClock, can: () => ({ yes: false, because: 'a bench' }), eventLog: async () => [] }, sessions: createFeed<Session>(1),
    report: () => Promise.reject(new Error('no session ends here')), failed: (what, error) => { throw new Error(what, { cause: error }); }, wantsRequests: () => meters.length > 0,
  }, (one) => { for (const meter of meters) meter.take(one); });
  void signals.follow(signal);
}

/** A page that shows each row: all of them are made. What it is then sent is the socket's cost. */
async function looked(requests: Observed['requests'], signal: AbortSignal): Promise<void> {
  for await (const { items } of requests.follow({ signal })) void items;
}

async function main(): Promise<void> {
  const [, , folder = '', seconds = '30', page] = process.argv;
  const { signal } = new AbortController();
  const requests = createRequestFeed(REQUESTS_KEPT);
  followed(requests, signal);
  if (page === 'page') void looked(requests, signal);
  let rows = 0, samples = 0;
  const sampler = new RequestsSampler({
    folder, instance: '', startedAt: systemClock.now(), now: () => systemClock.now(), history: { write: () => { samples += 1; } }, sourceOf: async (name) => name,
    onRows: (some) => { rows += some.size; requests.add(some); }, onSample: () => { samples += 1; },
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
