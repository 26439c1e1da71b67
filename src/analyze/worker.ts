// Owns the other side of run-analyzers: one job in, findings or the reason out, then the thread ends.
import { parentPort, workerData } from 'node:worker_threads';
import { sayError } from '../shared/errors.ts';
import type { Finding } from '../shared/model.ts';
import type { Analyzer } from './contracts.ts';
import { givenOf, type Placed } from './readers.ts';

export interface Job { readonly analyzer: string; readonly placed: readonly Placed[]; readonly window: { readonly from: number; readonly to: number } }
export type FromWorker = { readonly findings: readonly Finding[] } | { readonly failed: string };

/** Does the job that this thread was started with. The thread is ended from outside when the time is up. */
export async function serve(analyzers: readonly Analyzer[]): Promise<void> {
  const said = await answer(analyzers, workerData as Job);
  try {
    parentPort?.postMessage(said);
  } catch (error) {
    parentPort?.postMessage({ failed: `its findings cannot be handed over: ${sayError(error)}` } satisfies FromWorker);
  }
}

async function answer(analyzers: readonly Analyzer[], job: Job): Promise<FromWorker> {
  const analyzer = analyzers.find((a) => a.id === job.analyzer);
  if (!analyzer) return { failed: 'this worker does not know it: agent and worker are of different versions' };
  try {
    return { findings: await analyzer.analyze(givenOf(job.placed), { window: job.window }, new AbortController().signal) };
  } catch (error) {
    return { failed: sayError(error) };
  }
}
