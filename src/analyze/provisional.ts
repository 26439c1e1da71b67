// Owns the first word of a session while it still collects: the causes over what is there after some seconds, told as provisional.
import type { Platform } from '../platform/platform.ts';
import type { Analyzer } from './contracts.ts';
import type { Placed } from './readers.ts';
import { causeHeadline } from './report-headline.ts';
import { runAnalyzers } from './run-analyzers.ts';
import type { SessionRecord } from './session-record.ts';

/** The quick diagnosers are done by then; a person waits ten seconds with attention. */
const AFTER_MS = 4_000;
/** What it may take of the machine beside the collecting. */
const LIMIT_MS = 20_000;

export interface ProvisionalGiven {
  readonly platform: Platform;
  readonly analyzers: readonly Analyzer[];
  readonly thread?: string | undefined;
  readonly record: SessionRecord;
  readonly window: { readonly from: number; readonly to: number };
  /** Where what was collected so far lies. */
  placed(): Promise<readonly Placed[]>;
  /** The collecting is over, or the session is. */
  readonly signal: AbortSignal;
}

/** Resolves when it has spoken, or has nothing to say, or it is too late to; never rejects: what fails here is judged again in the end. */
export async function speakEarly(given: ProvisionalGiven): Promise<void> {
  const { clock } = given.platform;
  const judge = given.analyzers.filter((a) => a.diagnose !== undefined);
  if (judge.length === 0) return;
  const [waited] = await Promise.allSettled([clock.wait(AFTER_MS, given.signal)]);
  if (waited.status === 'rejected' || given.signal.aborted) return;
  const [judged] = await Promise.allSettled([Promise.resolve().then(async () => runAnalyzers({ analyzers: judge, artifacts: await given.placed(), window: given.window, thread: given.thread, clock, limitMs: LIMIT_MS, cancel: given.signal, step: () => undefined }))]);
  if (judged.status === 'rejected' || given.signal.aborted) return;
  const headline = causeHeadline(judged.value.diagnosis, []);
  if (headline !== undefined) given.record.change({ provisional: { at: clock.now(), text: headline.text } });
}
