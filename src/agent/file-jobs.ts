// Owns long work on files as operations: begun, told, cancelled, ended, each written into the audit.
import { randomBytes } from 'node:crypto';
import type { Operation } from '../shared/api.ts';
import { DiagError, sayError } from '../shared/errors.ts';
import { bytes, plural } from '../shared/units.ts';
import type { Tell } from '../platform/files/index.ts';
import type { Parts } from './agent.ts';

/** More would only make each other slow. */
const AT_ONCE = 6;
/** A page is told so often at most. */
const TELL_EVERY_MS = 250;

export interface FileJob<T> {
  readonly title: string;
  readonly did: string;
  readonly what: string;
  /** Only reads: not for the audit. */
  readonly reads?: boolean;
  work(signal: AbortSignal, tell: Tell): Promise<T>;
  /** What it did, in a few words. */
  says?(result: T): string;
}

type Given = Pick<Parts, 'operations' | 'operationFeed' | 'platform' | 'audit' | 'log'>;

export class FileJobs {
  readonly #given: Given;
  #running = 0;

  constructor(given: Given) { this.#given = given; }

  /** @throws TOO_MANY */
  start<T>(job: FileJob<T>, who: string, ended: (result: T, operation: string) => void = () => undefined): { operation: string } {
    if (this.#running >= AT_ONCE) throw new DiagError('TOO_MANY', { what: 'jobs on files', limit: AT_ONCE });
    const { operations, platform } = this.#given;
    const end = new AbortController();
    let operation: Operation = { id: `files-${randomBytes(6).toString('hex')}`, kind: 'files', title: job.title, state: 'running', startedAt: platform.clock.now() };
    operations.add({ operation: () => operation, cancel: () => { end.abort(); }, enough: () => { end.abort(); } });
    let toldAt = -Infinity;
    const set = (patch: Partial<Operation>): void => { operation = { ...operation, ...patch }; this.#given.operationFeed.publish(operation); };
    const tell: Tell = (progress) => {
      const now = platform.clock.monotonic();
      if (now - toldAt < TELL_EVERY_MS) return;
      toldAt = now;
      set({ note: progress.note ?? `${plural(progress.files, 'file')}, ${bytes(progress.bytes)}`, ...(progress.fraction === undefined ? {} : { fraction: progress.fraction }) });
    };
    this.#running += 1;
    void this.#run(job, who, end.signal, tell, set, (result) => { ended(result, operation.id); });
    return { operation: operation.id };
  }

  /** Never throws: how it ended is the operation's state. */
  async #run<T>(job: FileJob<T>, who: string, signal: AbortSignal, tell: Tell, set: (patch: Partial<Operation>) => void, ended: (result: T) => void): Promise<void> {
    const { audit, log } = this.#given;
    let said = 'done';
    try {
      const result = await job.work(signal, tell);
      ended(result);
      said = job.says?.(result) ?? 'done';
      set({ state: 'done', fraction: 1, note: said });
    } catch (error) {
      said = signal.aborted ? 'cancelled' : `failed: ${sayError(error)}`;
      if (!signal.aborted && !(error instanceof DiagError)) log.error('a job on files failed', { job: job.title }, error);
      set(signal.aborted ? { state: 'cancelled' } : { state: 'failed', note: sayError(error) });
    } finally {
      this.#running -= 1;
    }
    if (job.reads !== true) await audit(who, job.did, job.what, said);
  }
}
