// Owns the judging half of a session: each analyzer in a thread of its own, time-boxed, none able to hurt the agent or the others.
import { Worker } from 'node:worker_threads';
import { DiagError, sayError } from '../shared/errors.ts';
import type { Finding, Step } from '../shared/model.ts';
import { bytes, plural } from '../shared/units.ts';
import type { Clock } from '../platform/clock.ts';
import type { Analyzer } from './contracts.ts';
import { deadline, orAbandoned } from './deadline.ts';
import { givenOf, narrowed, type Placed } from './readers.ts';
import { saidOf } from './session-record.ts';
import type { FromWorker, Job } from './worker.ts';

/** Heap of one analyzer: a 256 MiB HTTP log is folded as it streams, an event log of 1000 rows is small. More is a fault. */
export const MAX_HEAP_MB = 512;

export interface AnalyzerRun {
  readonly analyzers: readonly Analyzer[];
  readonly artifacts: readonly Placed[];
  readonly window: { readonly from: number; readonly to: number };
  /** Path of the built worker entry; absent: in this thread, where a limit cannot stop a loop (tests, `diag analyze`). */
  readonly thread: string | undefined;
  readonly clock: Clock;
  readonly limitMs: number;
  readonly heapMb?: number;
  readonly cancel: AbortSignal;
  step(id: string, patch: Partial<Step>): void;
}

/** Findings of all analyzers in the list's order. A fault ends one analyzer, as a failed step. @throws only when cancelled */
export async function runAnalyzers(run: AnalyzerRun): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const analyzer of run.analyzers) {
    run.cancel.throwIfAborted();
    const missing = analyzer.needs.filter((kind) => !run.artifacts.some((a) => a.ref.kind === kind));
    if (missing.length > 0) { run.step(analyzer.id, { state: 'skipped', because: `needs ${missing.join(' and ')}` }); continue; }
    findings.push(...await runOne(run, analyzer));
  }
  return findings;
}

async function runOne(run: AnalyzerRun, analyzer: Analyzer): Promise<readonly Finding[]> {
  const began = run.clock.monotonic();
  const took = (): { tookMs: number } => ({ tookMs: Math.round(run.clock.monotonic() - began) });
  run.step(analyzer.id, { state: 'running', startedAt: run.clock.now() });
  const limit = deadline(run.clock, analyzer.title, run.limitMs, run.cancel);
  try {
    const placed = narrowed(run.artifacts, analyzer);
    const found = run.thread === undefined ? await inline(run, analyzer, placed, limit.signal) : await threaded(run.thread, run.heapMb ?? MAX_HEAP_MB, { analyzer: analyzer.id, placed, window: run.window }, limit.signal);
    run.step(analyzer.id, { state: 'done', note: plural(found.length, 'finding'), ...took() });
    return found;
  } catch (error) {
    if (run.cancel.aborted) { run.step(analyzer.id, { state: 'cancelled', because: 'cancelled', ...took() }); throw error; }
    run.step(analyzer.id, { state: 'failed', ...saidOf(limit.signal.aborted ? limit.signal.reason : error), ...took() });
    return [];
  } finally {
    limit.end();
  }
}

async function inline(run: AnalyzerRun, analyzer: Analyzer, placed: readonly Placed[], signal: AbortSignal): Promise<readonly Finding[]> {
  return orAbandoned(run.clock, analyzer.analyze(givenOf(placed), { window: run.window }, signal), signal, 0);
}

/** @throws DiagError ANALYZER_FAILED when the analyzer threw, the thread died or ran out of memory; the signal's reason when it aborted */
async function threaded(entry: string, heapMb: number, job: Job, signal: AbortSignal): Promise<readonly Finding[]> {
  const worker = new Worker(entry, { workerData: job, resourceLimits: { maxOldGenerationSizeMb: heapMb }, execArgv: [], env: {}, stdout: true, stderr: true });
  // What a library prints in there belongs to nobody; unread it would pile up.
  worker.stdout.resume();
  worker.stderr.resume();
  try {
    return await answerOf(worker, { analyzer: job.analyzer, heapMb }, signal);
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker, { analyzer, heapMb }: { analyzer: string; heapMb: number }, signal: AbortSignal): Promise<readonly Finding[]> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => { reject(new DiagError('ANALYZER_FAILED', { analyzer, why }, { cause })); };
    if (signal.aborted) { reject(signal.reason as Error); return; }
    signal.addEventListener('abort', () => { reject(signal.reason as Error); }, { once: true });
    worker.once('message', (said: FromWorker) => { if ('findings' in said) resolve(said.findings); else fail(said.failed); });
    worker.once('messageerror', (error) => { fail('its findings could not be handed over', error); });
    worker.once('error', (error: Error & { code?: string }) => {
      fail(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${bytes(heapMb * 1024 * 1024)} of memory` : sayError(error), error);
    });
    worker.once('exit', (code) => { fail(`its thread ended with ${code} and said nothing`); });
  });
}
