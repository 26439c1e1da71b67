// Owns the words of a diagnosis: the ids of causes, what a verdict on one says, and how many failed requests the found ones explain.
import { z } from 'zod';

/** Stable words: extend the list, never rename. */
export const CAUSE_IDS = [
  'event-loop-blocked', 'cpu-saturated', 'memory-leak-js', 'memory-leak-native', 'heap-limit-reached', 'out-of-memory-killed', 'gc-thrashing',
  'crash-uncaught-exception', 'crash-unhandled-rejection', 'crash-native', 'crash-loop', 'startup-failure', 'startup-too-slow', 'not-listening', 'wrong-port',
  'slow-dependency', 'dependency-down', 'dns-failure', 'connection-pool-exhausted', 'socket-exhaustion', 'descriptor-exhaustion',
  'handler-time-limit', 'platform-time-limit', 'keep-alive-race', 'deadlock', 'thread-pool-exhausted', 'php-fatal-error', 'php-workers-exhausted',
  'java-deadlock', 'java-heap-exhausted', 'disk-full', 'bad-deployment', 'bad-configuration', 'recycled-by-rule', 'recycled-by-user',
  'response-header-invalid', 'client-aborts', 'traffic-spike', 'one-sick-instance', 'developer-errors-hidden', 'application-error', 'exit-unexplained', 'healthy',
] as const;
export const CauseId = z.enum(CAUSE_IDS);
export type CauseId = z.infer<typeof CauseId>;

/** found: it explains failed or slow requests, or what happened is bad in itself. ruled-out: `against` holds the one fact that excludes it.
 *  cannot-tell: what it needs was not collected, and it could explain what is left; `collect` settles it. */
export const CauseVerdict = z.enum(['found', 'ruled-out', 'cannot-tell']);
export type CauseVerdict = z.infer<typeof CauseVerdict>;

const count = z.number().int().nonnegative();
const At = count.max(8.64e15);                                 // as in model.ts, which stands on this file
const sentence = z.string();

/** One thing that speaks for or against a cause, and the place where anyone can read it. */
export const CauseFact = z.object({
  text: sentence,
  at: At.optional(), until: At.optional(),
  where: z.string().optional(),                                // "eventlog.json, event 1002 of 02:14:07", "stderr.txt, byte 5120"
  proof: z.string().optional(),                                // the line, the row or the stack itself, masked and cut
});
export type CauseFact = z.infer<typeof CauseFact>;

/** One step from root to effect, in order of time. */
export const CauseStep = z.object({ at: At.optional(), when: z.string().optional(), what: sentence, detail: z.string().optional(), part: z.enum(['before', 'root', 'link', 'effect']) });
export type CauseStep = z.infer<typeof CauseStep>;

/** score: 0 to 1; its reasons in order of weight. certain from 0.85 on, likely from 0.55 on, else possible. */
export const Confidence = z.object({ word: z.enum(['certain', 'likely', 'possible']), score: z.number().min(0).max(1), reasons: z.array(sentence) });
export type Confidence = z.infer<typeof Confidence>;

export const Cause = z.object({
  id: CauseId,
  verdict: CauseVerdict,
  confidence: Confidence.optional(),                           // of a found one
  title: sentence,                                             // the one sentence that can stand first
  since: At.optional(),
  before: sentence.optional(),                                 // what happened just before it began
  failedRequests: count,                                       // rows that it explains; of a log with very many rows counted by a sample with exact weights
  slowRequests: count,
  share: z.number().min(0).max(1),                             // of all failed and slow requests
  routes: z.array(z.object({ method: z.string(), route: z.string(), count })),     // most first
  instances: z.array(z.string()),
  chain: z.array(CauseStep),
  for: z.array(CauseFact), against: z.array(CauseFact),
  leadsTo: z.array(CauseId),                                   // causes that were seen as effects of this one
  advice: z.array(sentence),                                   // in steps
  mitigations: z.array(z.string()),                            // words of MitigationId: what the product can do now
  collect: z.array(z.string()),                                // ids of diagnosers that settle a cannot-tell
});
export type Cause = z.infer<typeof Cause>;

/** How the failed requests of the window are accounted for. Every number is of the window and without what clients caused. */
export const Accounting = z.object({
  requests: count, failed: count, slow: count,
  explained: count,                                            // of failed + slow
  unexplained: z.array(z.object({ key: z.string(), count, firstAt: At, lastAt: At })),   // by signature "502.3.12030", most first
  aborts: count,                                               // given up by clients, not among the failed
  from: z.enum(['http-log', 'error-log', 'traces', 'app', 'none']),   // what the failed requests were read from
  sampled: z.boolean(),                                        // rows of frequent signatures were sampled; counts stay exact per signature
});
export type Accounting = z.infer<typeof Accounting>;

/** found first, the best first; then cannot-tell, then ruled-out. */
export const Diagnosis = z.object({ causes: z.array(Cause), accounting: Accounting });
export type Diagnosis = z.infer<typeof Diagnosis>;
