// Owns the steps that the journeys on Linux and on Windows walk alike: work of the worker in the metrics, the chart that moves, the restart by command.
import assert from 'node:assert/strict';
import type { Diag } from '../../src/shared/connect.ts';
import type { Tab } from './browser.ts';
import type { Ran } from './system.ts';
import { waitFor } from './wait.ts';

/** What both systems have. */
export interface Walked {
  readonly diag: Diag;
  readonly diagUrl: string;
  pid(): number | undefined;
  get(path: string, form?: Readonly<Record<string, string>>): Promise<number>;
  cli(...args: readonly string[]): Promise<Ran>;
}

const MIB = 2 ** 20;

/** A spin shows as CPU of the worker in the history, a leak as its private bytes. */
export async function workShows({ diag, pid, get }: Walked): Promise<void> {
  const worker = pid() ?? 0;
  const values = async (metric: 'process.cpu-time' | 'process.private-bytes'): Promise<number[]> => {
    const { series } = await diag.metrics({ query: { metric: [metric], pid: worker, from: Date.now() - 300_000, points: 300 } });
    return (series[0]?.values ?? []).filter((value): value is number => value !== null);
  };
  const cpuMs = async (): Promise<number> => (await values('process.cpu-time')).reduce((a, b) => a + b, 0);
  const before = await waitFor('private bytes', async () => (await values('process.private-bytes')).at(-1));
  await get('/leak?mb=64');
  const idleMs = await cpuMs();
  // A busy machine gives a spin less CPU than it asks for: spin until a second of it was measured.
  await waitFor('a second of CPU time more', async () => { await get('/spin?ms=500'); return await cpuMs() > idleMs + 1_000; }, 60_000);
  await waitFor('64 MiB more', async () => ((await values('process.private-bytes')).at(-1) ?? 0) > before + 50 * MIB, 30_000);
}

/** Draws what the socket brings, without a reload. */
export async function chartMoves({ page }: Tab, { diagUrl, pid }: Walked): Promise<void> {
  await page.goto(`${diagUrl}/observe`);
  const canvas = page.locator('.uplot canvas').first();
  await canvas.waitFor();
  const picture = (): Promise<string> => canvas.evaluate((one) => (one as HTMLCanvasElement).toDataURL());
  const first = await picture();
  await waitFor('the first chart to move', async () => (await picture()) !== first, 20_000);
  await page.getByText(String(pid())).first().waitFor();
}

/** Exactly the worker is ended, the next is named, and the site answers. Gives the pid that was ended. */
export async function restartByCommand({ diag, pid, get, cli }: Walked): Promise<number> {
  const old = await waitFor('the worker as a target', async () => (await diag.restartTargets()).targets.find((one) => one.info.role === 'worker' && one.offer.yes && one.info.pid === pid())?.info);
  const ran = await cli('restart', '--json', '--yes', '--reason', 'journey');
  assert.equal(ran.code, 0, ran.stderr);
  const done = JSON.parse(ran.stdout) as { ended: { pid: number }; next?: { pid: number } };
  assert.equal(done.ended.pid, old.pid);
  assert.ok(done.next && done.next.pid !== old.pid);
  await waitFor('the site to answer', async () => (await get('/cart')) === 200);
  return old.pid;
}

/** The agent does not end itself. */
export async function ownIsRefused({ diag }: Walked): Promise<void> {
  const ours = (await diag.processes()).processes.find((one) => one.info.ours)?.info;
  assert.ok(ours);
  await assert.rejects(diag.restart({ body: { pid: ours.pid, startedAt: ours.startedAt } }), { code: 'PROCESS_OURS' });
}
