// Owns what the page may ask of a preload: checked against what it would cost the app, audited.
import type { AppWanted } from '../shared/app-link.ts';
import type { AppAsking } from '../shared/app-view.ts';
import { DiagError, sayError } from '../shared/errors.ts';
import { predictSnapshot, refusal } from '../analyze/heap-guard.ts';
import type { LinkedApp } from '../platform/app-link.ts';
import type { Agent } from './agent.ts';

type Parts = Pick<Agent, 'observed' | 'platform' | 'audit'>;

/** @throws APP_UNREACHABLE, APP_REFUSED, HEAP_SNAPSHOT_REFUSED, CANCELLED */
export async function askOfApp({ observed, platform, audit }: Parts, pid: number, asking: AppAsking, who: string, signal: AbortSignal): Promise<void> {
  const app = observed.inside.apps().find((one) => one.process.pid === pid && one.state !== 'ended');
  if (app === undefined) throw new DiagError('APP_UNREACHABLE', { pid, why: 'no such process carries it' });
  const what = asking.what === 'watch' ? `watch the heap of process ${pid}: ${asking.artifact} at ${Math.round(asking.atShare * 100)} % of its limit` : `${asking.what} in process ${pid} for ${asking.forSeconds} s`;
  try {
    if (asking.what === 'watch' && asking.artifact === 'heap-snapshot') await admit(app, asking.atShare, await platform.memoryLeft(pid, signal));
    await observed.inside.ask(app.process, wantedOf(asking), signal);
    await audit(who, 'ask app', what, 'begun');
  } catch (error) {
    await audit(who, 'ask app', what, `failed: ${sayError(error)}`);
    throw error;
  }
}

const wantedOf = (asking: AppAsking): AppWanted => (asking.what === 'watch' ? asking : { what: asking.what, forS: asking.forSeconds });

/** The heap as it will be when the watch acts. What is left then is at most what is left now: less by what the heap still grows. */
async function admit({ ticks, process }: LinkedApp, atShare: number, leftBytes: number | undefined): Promise<void> {
  const heap = ticks.at(-1)?.heap;
  if (heap === undefined) throw new DiagError('APP_UNREACHABLE', { pid: process.pid, why: 'it has not told its heap yet' });
  const usedBytes = heap.limit * atShare;
  const why = refusal(predictSnapshot({ usedBytes, largeBytes: 0, limitBytes: heap.limit }, true), leftBytes === undefined ? undefined : leftBytes - Math.max(0, usedBytes - heap.used));
  if (why !== undefined) throw new DiagError('HEAP_SNAPSHOT_REFUSED', { pid: process.pid, why });
}
