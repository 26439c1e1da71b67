// Owns the reading of a profile in a thread of its own: a hostile or huge file must neither hold up nor end the agent.
import { parentPort, Worker } from 'node:worker_threads';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { ProfileReport } from '../../shared/profile.ts';
import { bytes } from '../../shared/units.ts';
import { profileReport } from './report.ts';
import { unreadableProfile } from './unreadable.ts';

/** The largest file that is read becomes a text and its objects. */
const HEAP_MB = 2_048;

export interface ProfileReadOrder { readonly profile: string }
type FromThread = { readonly report: ProfileReport } | { readonly unreadable: string } | { readonly failed: string };

/** `thread`: the built worker entry; absent: in this thread (tests, a tree that is not built).
 *  @throws PROFILE_UNREADABLE, ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once */
export async function profileInThread({ path, thread, signal }: { readonly path: string; readonly thread: string | undefined; readonly signal: AbortSignal }): Promise<ProfileReport> {
  signal.throwIfAborted();
  if (thread === undefined) return await profileReport({ path }, signal);
  const worker = new Worker(thread, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB }, execArgv: [], stdout: true, stderr: true });
  worker.stdout.resume();
  worker.stderr.resume();
  let stop = (): void => undefined;
  try {
    return await new Promise<ProfileReport>((done, fail) => {
      stop = () => { fail(signal.reason as Error); };
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (said: FromThread) => {
        if ('report' in said) done(said.report);
        else fail('unreadable' in said ? unreadableProfile(said.unreadable) : faulted(said.failed));
      });
      worker.once('error', (error: Error & { code?: string }) => { fail(faulted(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${bytes(HEAP_MB * 1024 * 1024)} of memory` : sayError(error), error)); });
      worker.once('exit', (code) => { fail(faulted(`its thread ended with ${code} and said nothing`)); });
      worker.postMessage({ profile: path } satisfies ProfileReadOrder);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

const faulted = (why: string, cause?: unknown): DiagError => new DiagError('ANALYZER_FAILED', { analyzer: 'profiles', why }, { cause });

/** The thread's side. */
export async function readProfileForOthers({ profile }: ProfileReadOrder): Promise<void> {
  const say = (said: FromThread): void => { parentPort?.postMessage(said); };
  try {
    say({ report: await profileReport({ path: profile }, new AbortController().signal) });
  } catch (error) {
    say(error instanceof DiagError && error.code === 'PROFILE_UNREADABLE' ? { unreadable: String(error.facts['why']) } : { failed: sayError(error) });
  }
}
