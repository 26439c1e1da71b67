// Owns the judging half of a session: analyzers in threads, time-boxed, none able to hurt the agent or the others.
import type { Diagnosis } from '../shared/cause.ts';
import type { Finding, Step } from '../shared/model.ts';
import { plural } from '../shared/units.ts';
import type { Clock } from '../platform/clock.ts';
import { ThreadOfAnalyzers } from './analyzer-thread.ts';
import type { Analyzer, Given } from './contracts.ts';
import { deadline, orAbandoned } from './deadline.ts';
import { knownBrief, type HttpBrief } from './parse/http-facts.ts';
import { narrowed, sharedReaders, type Placed } from './readers.ts';
import { saidOf } from './session-record.ts';

/** Heap of a thread: a 256 MiB HTTP log is folded as it streams, an event log of 1000 rows is small. More is a fault. */
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

/** Findings of all analyzers in the list's order; and what the report needs of the HTTP log, when one of them read it. */
export interface Judged { readonly findings: readonly Finding[]; readonly diagnosis?: Diagnosis | undefined; readonly http?: HttpBrief | undefined }

type Judge = (analyzer: Analyzer, placed: readonly Placed[], signal: AbortSignal) => Promise<Judged>;

/** A fault ends one analyzer, as a failed step. The HTTP log, which may be large, is read once for all. @throws only when cancelled */
export async function runAnalyzers(run: AnalyzerRun): Promise<Judged> {
  const thread = run.thread === undefined ? undefined : new ThreadOfAnalyzers(run.thread, run.heapMb ?? MAX_HEAP_MB);
  const judge = thread === undefined ? inline(run) : threaded(run, thread);
  const findings: Finding[] = [];
  let http: HttpBrief | undefined;
  let diagnosis: Diagnosis | undefined;
  try {
    for (const analyzer of run.analyzers) {
      run.cancel.throwIfAborted();
      const missing = analyzer.needs.filter((kind) => !run.artifacts.some((a) => a.ref.kind === kind));
      if (missing.length > 0) { run.step(analyzer.id, { state: 'skipped', because: `needs ${missing.join(' and ')}` }); continue; }
      const oneOf = analyzer.needsOne ?? [];
      if (oneOf.length > 0 && !run.artifacts.some((a) => oneOf.includes(a.ref.kind))) { run.step(analyzer.id, { state: 'skipped', because: `needs ${oneOf.join(' or ')}` }); continue; }
      const judged = await runOne(run, analyzer, judge);
      findings.push(...judged.findings);
      http ??= judged.http;
      diagnosis ??= judged.diagnosis;
    }
    return { findings, diagnosis, http };
  } finally {
    await thread?.end();
  }
}

async function runOne(run: AnalyzerRun, analyzer: Analyzer, judge: Judge): Promise<Judged> {
  const began = run.clock.monotonic();
  const took = (): { tookMs: number } => ({ tookMs: Math.round(run.clock.monotonic() - began) });
  run.step(analyzer.id, { state: 'running', startedAt: run.clock.now() });
  const limit = deadline(run.clock, analyzer.title, run.limitMs, run.cancel);
  try {
    const judged = await judge(analyzer, narrowed(run.artifacts, analyzer), limit.signal);
    run.step(analyzer.id, { state: 'done', note: judged.diagnosis ? saidOfCauses(judged.diagnosis) : plural(judged.findings.length, 'finding'), ...took() });
    return judged;
  } catch (error) {
    if (run.cancel.aborted) { run.step(analyzer.id, { state: 'cancelled', because: 'cancelled', ...took() }); throw error; }
    run.step(analyzer.id, { state: 'failed', ...saidOf(limit.signal.aborted ? limit.signal.reason : error), ...took() });
    return { findings: [] };
  } finally {
    limit.end();
  }
}

function saidOfCauses({ causes }: Diagnosis): string {
  const of = (verdict: string): number => causes.filter((c) => c.verdict === verdict).length;
  return `${of('found')} found, ${of('ruled-out')} ruled out, ${of('cannot-tell')} cannot be told`;
}

function inline(run: AnalyzerRun): Judge {
  const readers = sharedReaders();
  return async (analyzer, placed, signal) => {
    const given: Given = readers(placed);
    const findings = await orAbandoned(run.clock, analyzer.analyze(given, { window: run.window }, signal), signal, 0);
    const diagnosis = analyzer.diagnose === undefined ? undefined : await orAbandoned(run.clock, analyzer.diagnose(given, { window: run.window }, signal), signal, 0);
    return { findings, diagnosis, http: knownBrief(given['http-log'] ?? [], run.window) };
  };
}

/** Those that look at the HTTP log come after each other in one thread, the others each in their own. */
function threaded(run: AnalyzerRun, shared: ThreadOfAnalyzers): Judge {
  return async (analyzer, placed, signal) => {
    const job = { analyzer: analyzer.id, placed, window: run.window };
    if (placed.some((one) => one.ref.kind === 'http-log')) return shared.judge(job, signal);
    const own = shared.another();
    try {
      return await own.judge(job, signal);
    } finally {
      await own.end();
    }
  };
}
