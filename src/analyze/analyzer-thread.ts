// Owns a thread in which analyzers run one after the other; one that faults ends it, and the next gets a fresh one.
import type { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';
import { DiagError, sayError } from '../shared/errors.ts';
import { bytes } from '../shared/units.ts';
import type { Judged } from './run-analyzers.ts';
import type { FromWorker, Job } from './worker.ts';

export class ThreadOfAnalyzers {
  readonly #entry: string;
  readonly #heapMb: number;
  #worker: Worker | undefined;

  /** `entry`: path of the built worker entry. */
  constructor(entry: string, heapMb: number) {
    this.#entry = entry;
    this.#heapMb = heapMb;
  }

  /** A thread of the same kind, not started yet. */
  another(): ThreadOfAnalyzers { return new ThreadOfAnalyzers(this.#entry, this.#heapMb); }

  /**
   * Does one job. What an earlier one left behind (a late throw, memory) must not count against this one: in a thread that was used before it is tried again in a fresh one.
   * @throws DiagError ANALYZER_FAILED when the analyzer threw, the thread died or ran out of memory; the signal's reason when it aborted
   */
  async judge(job: Job, signal: AbortSignal): Promise<Judged> {
    const used = this.#worker !== undefined;
    try {
      return await this.#once(job, signal);
    } catch (error) {
      await this.end();
      if (!used || signal.aborted) throw error;
    }
    try {
      return await this.#once(job, signal);
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = started(this.#entry, this.#heapMb);
    this.#worker = worker;
    worker.once('exit', () => { if (this.#worker === worker) this.#worker = undefined; });
    return worker;
  }

  #once(job: Job, signal: AbortSignal): Promise<Judged> {
    const worker = this.#worker ?? this.#start();
    return answerOf(worker, job, this.#heapMb, signal);
  }
}

function started(entry: string, heapMb: number): Worker {
  const worker = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: heapMb }, execArgv: [], env: {}, stdout: true, stderr: true });
  // What a library prints in there belongs to nobody; unread it would pile up.
  worker.stdout.resume();
  worker.stderr.resume();
  // A fault between two jobs ends the thread; the next job gets a fresh one.
  worker.on('error', () => undefined);
  return worker;
}

function answerOf(worker: Worker, job: Job, heapMb: number, signal: AbortSignal): Promise<Judged> {
  const done = new AbortController();
  const events: EventEmitter = worker;
  return new Promise<Judged>((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => { reject(new DiagError('ANALYZER_FAILED', { analyzer: job.analyzer, why }, { cause })); };
    const once = (event: string, use: (value: never) => void): void => {
      const listener = use as (value: unknown) => void;
      events.once(event, listener);
      done.signal.addEventListener('abort', () => { events.off(event, listener); }, { once: true });
    };
    if (signal.aborted) { reject(signal.reason as Error); return; }
    signal.addEventListener('abort', () => { reject(signal.reason as Error); }, { once: true, signal: done.signal });
    once('message', (said: FromWorker) => { if ('findings' in said) resolve(said); else fail(said.failed); });
    once('messageerror', (error: Error) => { fail('its findings could not be handed over', error); });
    once('error', (error: Error & { code?: string }) => {
      fail(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${bytes(heapMb * 1024 * 1024)} of memory` : sayError(error), error);
    });
    once('exit', (code: number) => { fail(`its thread ended with ${code} and said nothing`); });
    worker.postMessage(job);
  }).finally(() => { done.abort(); });
}
