// Owns what a rule is on the wire and on disk: when, for how long, how often, and what is done; and what is told of it while it lives.
import { z } from 'zod';
import { CauseId } from './cause.ts';
import { MetricId } from './metrics.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** More rules than this are a program's work, and the page would not show them. */
export const MAX_RULES = 200;
/** A rule that acts oftener than this is a loop. */
export const MAX_PER_HOUR = 60;
export const MAX_PER_DAY = 200;

/** The value must be at or above a limit, or below one: never both. */
const limit = { above: z.number().optional(), below: z.number().optional() };
const oneLimit = (one: { above?: number | undefined; below?: number | undefined }): boolean => (one.above === undefined) !== (one.below === undefined);
const ONE_LIMIT = { error: 'either above or below' };

/** Events are counted over this time: at least `count` of them. */
const counted = { count: z.int().min(1).max(1_000_000).default(1), withinMs: z.int().min(1_000).max(HOUR_MS).default(MINUTE_MS) };
/** `*` stands for anything; letters of any case. */
const Path = z.string().startsWith('/').max(500);
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day as 22:30');
const Day = z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']);
const TimeZone = z.string().refine(isTimeZone, 'a time zone as Europe/Berlin').default('UTC');

/** Status as 502, 502.3, 502.3.12030 or 5xx. */
export const StatusPattern = z.string().regex(/^([1-5]xx|[1-5]\d\d(\.\d{1,5}(\.\d{1,10})?)?)$/, 'a status as 5xx, 502, 502.3 or 502.3.12030');

export const Condition = z.discriminatedUnion('type', [
  /** A metric of host, site or app; one of a process holds for the process that shows it. `of`: in percent of another one. */
  z.strictObject({ type: z.literal('metric'), metric: MetricId, of: MetricId.optional(), ...limit }).refine(oneLimit, ONE_LIMIT),
  z.strictObject({ type: z.literal('status'), status: StatusPattern, path: Path.optional(), sharePercent: z.number().gt(0).max(100).optional(), ...counted }),
  /** Requests that took at least `overMs`. */
  z.strictObject({ type: z.literal('slow'), overMs: z.int().min(1).max(HOUR_MS), path: Path.optional(), sharePercent: z.number().gt(0).max(100).optional(), ...counted }),
  z.strictObject({ type: z.literal('log'), source: z.string().max(300).optional(), pattern: z.string().min(1).max(500), ...counted }),
  /** The end of a process of the site that nobody asked for; `codes`: exit codes or names of signals, none: any but 0. */
  z.strictObject({ type: z.literal('exit'), codes: z.array(z.union([z.int(), z.string().regex(/^SIG[A-Z]{2,8}$/)])).max(20).optional(), ...counted }),
  z.strictObject({ type: z.literal('exception'), filters: z.array(z.string().min(1).max(300)).max(20).default([]), ...counted }),
  z.strictObject({ type: z.literal('event'), source: z.string().max(200).optional(), eventId: z.int().min(0).optional(), ...counted }),
  z.strictObject({ type: z.literal('cause'), cause: CauseId, ...counted }),
  /** Once in each of these minutes. */
  z.strictObject({ type: z.literal('schedule'), at: z.array(clock).min(1).max(24), days: z.array(Day).min(1).optional(), timeZone: TimeZone }),
  /** Asks a path of the site by its public name; every answer that is no success, or none in time, is a failure. `failures` of them in a row. */
  z.strictObject({ type: z.literal('probe'), path: Path.default('/'), everyMs: z.int().min(5_000).max(HOUR_MS).default(30_000), withinMs: z.int().min(100).max(230_000).default(10_000), failures: z.int().min(1).max(100).default(3) }),
]);
export type Condition = z.infer<typeof Condition>;

const step = { evenIfFailed: z.boolean().optional() };
const Choice = z.strictObject({ id: z.string().max(60), options: z.record(z.string(), z.unknown()).optional() });

/** In order, each awaited; one that fails ends the rest, but for those that say evenIfFailed. */
export const ActionStep = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('diagnose'), diagnosers: z.array(Choice).max(20).optional(), ...step }),
  z.strictObject({ type: z.literal('collect'), diagnosers: z.array(Choice).min(1).max(20), ...step }),
  z.strictObject({ type: z.literal('notify'), channels: z.array(z.string().max(60)).min(1).max(10).optional(), ...step }),
  /** `overlapped`: the new worker answers before the old one is ended, where the platform can. */
  z.strictObject({ type: z.literal('recycle'), what: z.enum(['worker', 'site']).default('worker'), overlapped: z.boolean().default(true), ...step }),
  z.strictObject({ type: z.literal('end-process'), ...step }),
  /** A program of the user's: no shell, its output is kept. */
  z.strictObject({ type: z.literal('run'), program: z.string().min(1).max(500), arguments: z.array(z.string().max(2_000)).max(50).default([]), limitMs: z.int().min(1_000).max(HOUR_MS).default(MINUTE_MS), ...step }),
  z.strictObject({ type: z.literal('scale'), by: z.int().min(-10).max(10).refine((n) => n !== 0, 'not 0'), most: z.int().min(1).max(100), ...step }),
]);
export type ActionStep = z.infer<typeof ActionStep>;

/** Those that change the site or run somebody's program: never without a limit that the user has written down. */
export const HARMFUL: ReadonlySet<ActionStep['type']> = new Set(['recycle', 'end-process', 'run', 'scale']);

export const Limits = z.strictObject({
  cooldownMs: z.int().min(0).max(7 * DAY_MS).default(5 * MINUTE_MS),
  /** Over all instances of the site. */
  perHour: z.int().min(1).max(MAX_PER_HOUR).optional(),
  perDay: z.int().min(1).max(MAX_PER_DAY).optional(),
});

export const QuietHours = z.strictObject({ from: clock, to: clock, days: z.array(Day).min(1).optional(), timeZone: TimeZone });
export type QuietHours = z.infer<typeof QuietHours>;
export type Schedule = Extract<Condition, { type: 'schedule' }>;

export const RuleId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'small letters, digits and dashes, at most 60');

export const Rule = z.strictObject({
  id: RuleId,
  title: z.string().min(1).max(120).optional(),
  enabled: z.boolean().default(true),
  when: Condition,
  /** The condition must hold for so long; time in which nothing was measured does not count and does not end it. */
  forMs: z.int().min(0).max(HOUR_MS).default(0),
  /** Of what was measured in that time this share must hold. */
  sharePercent: z.number().min(50).max(100).default(100),
  /** A process younger than this is not judged. */
  warmUpMs: z.int().min(0).max(DAY_MS).default(0),
  /** The condition must be gone for so long before it counts as over. */
  overMs: z.int().min(0).max(HOUR_MS).default(MINUTE_MS),
  /** No firing between these times of the day. */
  quiet: z.array(QuietHours).max(10).optional(),
  /** The rule rests from this instant on. */
  until: z.number().optional(),
  do: z.array(ActionStep).min(1).max(10),
  limits: Limits.prefault({}),
}).superRefine((rule, ctx) => {
  const harmful = rule.do.find((one) => HARMFUL.has(one.type));
  if (harmful !== undefined && rule.limits.perHour === undefined && rule.limits.perDay === undefined) {
    ctx.addIssue({ code: 'custom', path: ['limits'], message: `${harmful.type} needs limits.perHour or limits.perDay: a rule that acts without a bound can keep the site down` });
  }
});
export type Rule = z.infer<typeof Rule>;

export const RuleSet = z.strictObject({ rules: z.array(z.unknown()).max(MAX_RULES) });

/** What holds a rule back whose condition holds. */
export const HeldBy = z.enum(['cooldown', 'per-hour', 'per-day', 'quiet-hours', 'warm-up', 'acting']);
export type HeldBy = z.infer<typeof HeldBy>;

/** off: disabled or past its end · unknown: nothing was measured yet · idle: the condition does not hold · pending: it holds, not long enough · held: long enough, and held back · acting: its actions run */
export const RulePhase = z.enum(['off', 'unknown', 'idle', 'pending', 'held', 'acting']);
export type RulePhase = z.infer<typeof RulePhase>;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export const FiringId = z.string().regex(/^[a-z0-9-]{1,120}$/);
const Text = z.string().max(2_000);

/** What an action came to. `interrupted`: the agent ended in the middle of it, and whether it was done could not be told: it is not repeated. */
export const ActionResult = z.object({
  result: z.enum(['done', 'failed', 'skipped', 'interrupted']),
  says: Text.optional(),
  session: z.string().max(40).optional(),
  artifacts: z.array(z.string().max(200)).max(100).optional(),
  tookMs: z.number().nonnegative().optional(),
});
export type ActionResult = z.infer<typeof ActionResult>;

const entry = { at: z.number(), instance: z.string().max(64), rule: RuleId };
/** One line of a rule's history: everything that changed a phase, every firing, every action before and after. */
export const RuleEntry = z.discriminatedUnion('did', [
  z.object({ ...entry, did: z.literal('phase'), phase: RulePhase, heldBy: HeldBy.optional(), value: z.number().optional() }),
  /** `steps` as they were when it fired: a rule that is edited meanwhile does not change a firing that runs. `target`: the process as pid and start. */
  z.object({ ...entry, did: z.literal('fired'), firing: FiringId, condition: Text, value: z.number().optional(), target: z.object({ pid: z.int(), startedAt: z.number() }).optional(), steps: z.array(ActionStep).max(10) }),
  z.object({ ...entry, did: z.literal('begun'), firing: FiringId, step: z.int().min(0) }),
  z.object({ ...entry, did: z.literal('ended'), firing: FiringId, step: z.int().min(0), type: z.string().max(40), ...ActionResult.shape }),
  z.object({ ...entry, did: z.literal('closed'), firing: FiringId }),
  z.object({ ...entry, did: z.literal('over'), firing: FiringId.optional() }),
]);
export type RuleEntry = z.infer<typeof RuleEntry>;
export type Fired = Extract<RuleEntry, { did: 'fired' }>;

/** What is shown of a rule: as it is written, in words, and as it lives now. */
export const RuleView = z.object({
  rule: Rule, says: z.string(), phase: RulePhase,
  since: z.number().optional(),
  heldBy: HeldBy.optional(), heldSays: z.string().optional(), heldUntil: z.number().optional(),
  /** What was measured last: of the site (''), or of processes as pid:start. */
  measured: z.array(z.object({ subject: z.string(), verdict: z.enum(['yes', 'no', 'unknown']), says: z.string().optional() })).max(20),
  error: z.string().optional(),
  firedLastDay: z.int(), lastFiredAt: z.number().optional(),
});
export type RuleView = z.infer<typeof RuleView>;
export const RefusedView = z.object({ index: z.int(), id: z.string().optional(), line: z.int(), why: z.string() });
export const RulesCheck = z.object({ rules: z.array(z.object({ id: RuleId, says: z.string() })), refused: z.array(RefusedView) });
export const RulesView = z.object({
  text: z.string(), version: z.string(),
  /** False: another agent of this instance observes and acts; phases are what it wrote last. */
  leads: z.boolean(),
  rules: z.array(RuleView), refused: z.array(RefusedView), faults: z.array(z.string()),
});
export type RulesView = z.infer<typeof RulesView>;

/** When a rule would have fired. `cannot`: why the past cannot tell. */
export const TrialView = z.object({
  rule: RuleId, says: z.string(), from: z.number(), to: z.number(), stepMs: z.number(),
  steps: z.int(), measured: z.int(), firedCount: z.int(), overCount: z.int(),
  fired: z.array(z.object({ at: z.number(), says: z.string() })).max(1_000),
  cannot: z.string().optional(), note: z.string().optional(),
});
export type TrialView = z.infer<typeof TrialView>;
export const PresetView = z.object({ id: z.string(), about: z.string(), rule: Rule });
