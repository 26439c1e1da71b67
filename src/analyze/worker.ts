// Owns the other side of run-analyzers, and of the reading of a dump: jobs in, for each its findings or the reason out. Analyzers that come after each other share what was read.
import { parentPort } from 'node:worker_threads';
import { sayError } from '../shared/errors.ts';
import type { Diagnosis } from '../shared/cause.ts';
import type { Finding } from '../shared/model.ts';
import type { Analyzer, Given } from './contracts.ts';
import { readForOthers, type DumpOrder } from './dump/reading.ts';
import { readProfileForOthers, type ProfileReadOrder } from './profile/reading.ts';
import { knownBrief, type HttpBrief } from './parse/http-facts.ts';
import { sharedReaders, type Placed } from './readers.ts';

export interface Job { readonly analyzer: string; readonly placed: readonly Placed[]; readonly window: { readonly from: number; readonly to: number } }
/** `http`: what the report needs of the HTTP log, when it was read. */
export type FromWorker = { readonly findings: readonly Finding[]; readonly diagnosis?: Diagnosis | undefined; readonly http?: HttpBrief | undefined } | { readonly failed: string };

/** Does jobs until the thread is ended from outside: when there are no more, or the time of one is up. */
export function serve(analyzers: readonly Analyzer[]): void {
  const readers = sharedReaders();
  parentPort?.on('message', (job: Job | DumpOrder | ProfileReadOrder) => { void ('dump' in job ? readForOthers(job) : 'profile' in job ? readProfileForOthers(job) : done(analyzers, job, readers(job.placed))); });
}

async function done(analyzers: readonly Analyzer[], job: Job, given: Given): Promise<void> {
  const said = await answer(analyzers, job, given);
  try {
    parentPort?.postMessage(said);
  } catch (error) {
    parentPort?.postMessage({ failed: `its findings cannot be handed over: ${sayError(error)}` } satisfies FromWorker);
  }
}

async function answer(analyzers: readonly Analyzer[], job: Job, given: Given): Promise<FromWorker> {
  const analyzer = analyzers.find((a) => a.id === job.analyzer);
  if (!analyzer) return { failed: 'this worker does not know it: agent and worker are of different versions' };
  try {
    const findings = await analyzer.analyze(given, { window: job.window }, new AbortController().signal);
    const diagnosis = await analyzer.diagnose?.(given, { window: job.window }, new AbortController().signal);
    return { findings, diagnosis, http: knownBrief(given['http-log'] ?? [], job.window) };
  } catch (error) {
    return { failed: sayError(error) };
  }
}
