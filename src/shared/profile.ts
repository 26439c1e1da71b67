// Owns the words of a profile report: what a reader, the page and `diag profile --json` may rely on.
import { z } from 'zod';

const whole = z.number().int().nonnegative();
const amount = z.number().nonnegative();

export const PROFILE_FORMATS = ['cpuprofile', 'heapprofile', 'perf', 'collapsed', 'pprof', 'speedscope', 'jfr'] as const;
/** What an amount counts: microseconds of a thread, bytes that live, or samples where the file says no time. */
export const ProfileUnit = z.enum(['us', 'bytes', 'samples']);
export type ProfileUnit = z.infer<typeof ProfileUnit>;
/** engine: built into V8 and not of a file; counted with who called it. */
export const ProfileCategory = z.enum(['app', 'dependency', 'node', 'native', 'engine', 'gc', 'idle', 'program', 'root']);
export type ProfileCategory = z.infer<typeof ProfileCategory>;

/** Lines and columns from 1, as an editor shows them; absent where the file does not say. `minified`: the name a source map did not explain. */
export const ProfileFrame = z.object({ name: z.string(), file: z.string().optional(), line: whole.optional(), column: whole.optional(), category: ProfileCategory, module: z.string(), minified: z.boolean().optional() });
export type ProfileFrame = z.infer<typeof ProfileFrame>;
export const ProfileFunction = ProfileFrame.extend({ self: amount, total: amount });
export type ProfileFunction = z.infer<typeof ProfileFunction>;

/** What the time under the hot function goes into; stable words. */
export const ProfileSign = z.enum(['regex', 'json', 'sync-io', 'sync-crypto', 'sync-compress', 'sync-child', 'compile', 'recursion', 'sort', 'getter', 'logging', 'copy', 'modules', 'gc', 'own-code', 'allocation']);
export type ProfileSign = z.infer<typeof ProfileSign>;

/** `amount` and `share` (of all that is not idle) are what the function and all it calls outside the app take; `hotLine`: where in it most samples fell. */
export const ProfileHot = z.object({ sentence: z.string(), advice: z.string(), sign: ProfileSign, function: ProfileFrame, hotLine: whole.optional(), amount, share: z.number(), frames: z.array(ProfileFrame) });
export type ProfileHot = z.infer<typeof ProfileHot>;
/** A stretch in which nothing else of the event loop was seen to run. `atMs` from the begin of the profile. */
export const ProfileStretch = z.object({ atMs: amount, forMs: amount, sentence: z.string(), frames: z.array(ProfileFrame), share: z.number() });
export type ProfileStretch = z.infer<typeof ProfileStretch>;

/** The call tree in columns: `parent` of a node stands before it, -1 for a root. `time`: node and microseconds in order of time. */
export const ProfileTreeColumns = z.object({
  frames: z.array(ProfileFrame), parent: z.array(z.number().int()), frame: z.array(whole), self: z.array(amount),
  time: z.object({ node: z.array(whole), us: z.array(amount) }).optional(),
  foldedNodes: whole, foldedSamples: whole,
});
export type ProfileTreeColumns = z.infer<typeof ProfileTreeColumns>;

export const ProfileReport = z.object({
  version: z.literal(1),
  file: z.string(),
  format: z.enum(PROFILE_FORMATS),
  unit: ProfileUnit,
  /** What is missing, damaged or cut, one sentence each. */
  notes: z.array(z.string()),
  nodes: whole, samples: whole, total: amount, idle: amount, busy: amount, wallMs: amount.optional(),
  hot: ProfileHot.optional(),
  categories: z.array(z.object({ category: ProfileCategory, self: amount, share: z.number() })),
  modules: z.array(z.object({ name: z.string(), category: ProfileCategory, self: amount, total: amount })), moreModules: whole,
  packages: z.array(z.object({ name: z.string(), self: amount, total: amount })),
  functions: z.array(ProfileFunction), moreFunctions: whole,
  stretches: z.array(ProfileStretch),
  /** Shares of all that is not idle, so that profiles of different length compare. */
  change: z.object({ base: z.string(), functions: z.array(ProfileFrame.extend({ before: z.number(), after: z.number() })) }).optional(),
  tree: ProfileTreeColumns,
});
export type ProfileReport = z.infer<typeof ProfileReport>;
