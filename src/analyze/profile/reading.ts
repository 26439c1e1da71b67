// Owns the reading of a profile in a thread of its own: a hostile or huge file must neither hold up nor end the agent.
import { parentPort, Worker } from 'node:worker_threads';
import { DiagError, sayError } from '../../shared/errors.ts';
import type { ProfileReport } from '../../shared/profile.ts';
import { answerOf, type ThreadFailed } from '../thread-answer.ts';
import { profileReport } from './report.ts';
import { unreadableProfile } from './unreadable.ts';

/** The largest file that is read becomes a text and its objects. */
const HEAP_MB = 2_048;

export interface ProfileReadOrder { readonly profile: string }
type FromThread = { readonly report: ProfileReport } | { readonly unreadable: string } | ThreadFailed;

/** `thread`: the built worker entry; absent: in this thread (tests, a tree that is not built).
 *  @throws PROFILE_UNREADABLE, ANALYZER_FAILED when the thread faults; the signal's reason when it aborts: then the thread is ended at once */
export async function profileInThread({ path, thread, signal }: { readonly path: string; readonly thread: string | undefined; readonly signal: AbortSignal }): Promise<ProfileReport> {
  signal.throwIfAborted();
  if (thread === undefined) return await profileReport({ path }, signal);
  const worker = new Worker(thread, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB }, execArgv: [], stdout: true, stderr: true });
  return await answerOf<Exclude<FromThread, ThreadFailed>, ProfileReport>(worker, { analyzer: 'profiles', heapMb: HEAP_MB, signal }, (said) => {
    if ('unreadable' in said) throw unreadableProfile(said.unreadable);
    return { answer: said.report };
  }, { profile: path } satisfies ProfileReadOrder);
}

/** The thread's side. */
export async function readProfileForOthers({ profile }: ProfileReadOrder): Promise<void> {
  const say = (said: FromThread): void => { parentPort?.postMessage(said); };
  try {
    say({ report: await profileReport({ path: profile }, new AbortController().signal) });
  } catch (error) {
    say(error instanceof DiagError && error.code === 'PROFILE_UNREADABLE' ? { unreadable: String(error.facts['why']) } : { failed: sayError(error) });
  }
}
