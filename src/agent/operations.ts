// Owns the list of long-running jobs: each with an id, its progress, and the two ways to end it early (cancel, enough).
import { DiagError } from '../shared/errors.ts';
import type { Operation } from '../shared/api.ts';

/** Ended jobs that stay readable, so that a client which polls late still learns how its job ended. */
const KEPT_ENDED = 50;

export interface Job { operation(): Operation; cancel(): void; enough(): void }

export interface Operations {
  add(job: Job): Operation;
  list(): readonly Operation[];
  get(id: string): Operation;                                  // @throws OPERATION_UNKNOWN
  cancel(id: string): Operation;
  enough(id: string): Operation;
  cancelAll(): void;
}

export function createOperations(): Operations {
  const jobs = new Map<string, Job>();
  const of = (id: string): Job => {
    const job = jobs.get(id);
    if (!job) throw new DiagError('OPERATION_UNKNOWN', { operation: id });
    return job;
  };
  const forget = (): void => {
    const ended = [...jobs].filter(([, j]) => j.operation().state !== 'running');
    for (const [id] of ended.slice(0, Math.max(0, ended.length - KEPT_ENDED))) jobs.delete(id);
  };
  return {
    add(job) {
      jobs.set(job.operation().id, job);
      forget();
      return job.operation();
    },
    list: () => [...jobs.values()].map((j) => j.operation()).reverse(),
    get: (id) => of(id).operation(),
    cancel(id) { of(id).cancel(); return of(id).operation(); },
    enough(id) { of(id).enough(); return of(id).operation(); },
    cancelAll() { for (const job of jobs.values()) if (job.operation().state === 'running') job.cancel(); },
  };
}
