// Analyzers in threads: whatever one of them does, the agent's loop turns and the others run.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import type { Step } from '../../src/shared/model.ts';
import { systemClock } from '../../src/platform/clock.ts';
import type { Analyzer } from '../../src/analyze/contracts.ts';
import type { Placed } from '../../src/analyze/readers.ts';
import { runAnalyzers } from '../../src/analyze/run-analyzers.ts';

let folder = '';
let thread = '';
let placed: Placed[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'threads-'));
  thread = join(folder, 'worker.cjs');
  await build({ entryPoints: [join(import.meta.dirname, 'hostile-worker.ts')], bundle: true, platform: 'node', format: 'cjs', outfile: thread, logLevel: 'error' });
  const file = join(folder, 'a.log');
  await writeFile(file, 'hello');
  placed = [{ path: file, ref: { session: '261121_0200000000', instance: 'a1b2c3', kind: 'application-log', name: 'a.log', bytes: 5, sha256: '0'.repeat(64) } }];
});
after(async () => { await rm(folder, { recursive: true }); });

/** As the agent knows them: ids and needs; the code runs in the worker. */
const known = (...ids: string[]): Analyzer[] => ids.map((id) => ({ id, title: `Title of ${id}`, needs: [], uses: ['application-log'], async analyze() { throw new Error('not in this thread'); } }));

async function run(analyzers: readonly Analyzer[], limitMs = 60_000, cancel = new AbortController().signal, artifacts = placed): Promise<{ steps: Record<string, string>; titles: string[] }> {
  const steps: Record<string, string> = {};
  const step = (id: string, patch: Partial<Step>): void => { steps[id] = patch.because === undefined ? patch.state ?? '' : `${patch.state}: ${patch.because}`; };
  const { findings } = await runAnalyzers({ analyzers, artifacts, window: { from: 10, to: 52 }, thread, clock: systemClock, limitMs, heapMb: 64, cancel, step });
  return { steps, titles: findings.map((f) => f.title) };
}

test('an analyzer reads its artifacts in its thread and hands its findings over', async () => {
  const sum = createHash('sha256').update('hello').digest('hex').slice(0, 8);
  assert.deepEqual(await run(known('reads')), { steps: { reads: 'done' }, titles: [`1 ${sum} 42`] });
});

test('a throw, a late throw, an exit, a lack of memory, findings that cannot be sent: each fails with its reason, the rest runs', async () => {
  const { steps, titles } = await run(known('throws', 'rejects-late', 'exits', 'eats', 'cannot-be-sent', 'prints', 'unknown', 'still-good'));
  assert.deepEqual(titles, ['printed', 'still good']);
  assert.equal(steps['throws'], 'failed: The analyzer throws failed: not what I expected.');
  assert.equal(steps['rejects-late'], 'failed: The analyzer rejects-late failed: out of the blue.');
  assert.equal(steps['exits'], 'failed: The analyzer exits failed: its thread ended with 3 and said nothing.');
  assert.equal(steps['eats'], 'failed: The analyzer eats failed: it needed more than 64 MiB of memory.');
  assert.match(steps['cannot-be-sent'] ?? '', /^failed: The analyzer cannot-be-sent failed: .*could not be cloned/);
  assert.equal(steps['unknown'], 'failed: The analyzer unknown failed: this worker does not know it: agent and worker are of different versions.');
});

test('an endless loop ends at its limit, and the agent\'s own loop turns meanwhile', async () => {
  let turns = 0;
  const turning = setInterval(() => { turns += 1; }, 10);
  const { steps, titles } = await run(known('loops', 'still-good'), 700);
  clearInterval(turning);
  assert.deepEqual([steps, titles], [{ loops: 'failed: Title of loops took longer than 700 ms. Try again, or with a longer limit.', 'still-good': 'done' }, ['still good']]);
  assert.ok(turns >= 5, `${turns} turns`);
});

test('those that look at the HTTP log share a thread and its readers; a fault costs the others nothing', async () => {
  const http: Placed[] = placed.map((one) => ({ ...one, ref: { ...one.ref, kind: 'http-log' } }));
  const using = known('counts', 'reads', 'counts', 'throws', 'counts', 'rejects-late', 'exits', 'counts', 'eats', 'counts').map((one): Analyzer => ({ ...one, uses: ['http-log'] }));
  const { steps, titles } = await run(using, 60_000, new AbortController().signal, http);
  const [first, second, third, fourth, fifth] = titles.filter((title) => /^\d+ \d+$/.test(title)).map((title) => title.split(' ').map(Number));
  assert.deepEqual([first?.[1], second?.[1], third?.[1], fourth?.[1], fifth?.[1]], [1, 2, 1, 1, 1], 'after a fault the thread is a fresh one');
  assert.equal(first?.[0], second?.[0]);
  assert.equal(new Set([second?.[0], third?.[0], fourth?.[0], fifth?.[0]]).size, 4);
  assert.equal(steps['exits'], 'failed: The analyzer exits failed: its thread ended with 3 and said nothing.');
  assert.equal(steps['eats'], 'failed: The analyzer eats failed: it needed more than 64 MiB of memory.');
});

test('cancel ends a thread that loops', async () => {
  const cancel = new AbortController();
  const running = run(known('loops', 'still-good'), 60_000, cancel.signal);
  setImmediate(() => { cancel.abort(new Error('cancelled by the test')); });
  await assert.rejects(running, /cancelled by the test/);
});
