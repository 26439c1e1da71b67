// Owns one step of one rule over time: pure, so that living and replaying are the same.
import type { Rule, RulePhase } from '../../shared/rules.ts';
import type { Verdict } from '../triggers/trigger.ts';
import { NO_HOLD, hold, isFull, type Hold } from './hold.ts';
import { heldBack, stillCounts, type HeldBack } from './limits.ts';
import { notLater, passedMs, type Moment } from './moment.ts';

/** The condition as it was measured for one subject: the site ('') or one of its processes. `ageMs`: of that process. */
export interface Measured { readonly subject: string; readonly verdict: Verdict; readonly value?: number; readonly ageMs?: number }

export interface RuleState {
  readonly phase: RulePhase;
  /** Since when it is in this phase. */
  readonly since: Moment;
  /** Of each subject that holds now or did within the window. */
  readonly holds: Readonly<Record<string, Hold>>;
  /** Own firings of the last day, oldest first. */
  readonly fired: readonly Moment[];
  /** It has fired and its condition is not over yet; `clearMs`: for how long it has been measured as gone. */
  readonly open?: { readonly clearMs: number; readonly lastMs?: number };
  readonly heldBack?: HeldBack;
}

export interface StepContext {
  readonly now: Moment;
  /** Firings of the same rule on other instances within the last day, wall time. */
  readonly elsewhere: readonly number[];
  /** Actions of this rule still run. */
  readonly acting: boolean;
}

export interface Stepped {
  readonly state: RuleState;
  /** The subject for which it fires. */
  readonly fires?: string;
  /** The condition of an earlier firing is over. */
  readonly over?: true;
}

/** Nothing holds: one object, so that this most frequent case is seen at a glance. */
const NONE: Record<string, Hold> = {};

export function newState(now: Moment): RuleState {
  return { phase: 'unknown', since: now, holds: NONE, fired: [] };
}

/** `measured` is empty when nothing is known: that neither fires nor clears anything. A subject that is missing among others has ended. */
export function step(rule: Rule, before: RuleState, measured: readonly Measured[], { now, elsewhere, acting }: StepContext): Stepped {
  const fired = stillCounts(before.fired.some((one) => notLater(one, now) !== one) ? before.fired.map((one) => notLater(one, now)) : before.fired, now);
  if (!rule.enabled || (rule.until !== undefined && now.at >= rule.until)) {
    return { state: entered(before, 'off', now, { holds: NONE, fired }) };
  }
  const wanted = { forMs: rule.forMs, share: rule.sharePercent / 100 };
  const judged = measured.every((one) => isWarm(rule, one)) ? measured : measured.map((one) => ({ ...one, verdict: isWarm(rule, one) ? one.verdict : 'unknown' as const }));
  let holds: Record<string, Hold> = NONE;
  let full: string | undefined;
  for (const { subject, verdict } of judged) {
    const next = hold(before.holds[subject] ?? NO_HOLD, verdict, now.monotonicMs, wanted);
    if (next === NO_HOLD) continue;
    if (holds === NONE) holds = {};
    holds[subject] = next;
    if (full === undefined && isFull(next, verdict, wanted)) full = subject;
  }
  if (judged.length === 0 && Object.keys(before.holds).length > 0) holds = Object.fromEntries(Object.entries(before.holds).map(([subject, one]) => [subject, hold(one, 'unknown', now.monotonicMs, wanted)]));
  const { open, over } = closing(before.open, judged, now, rule.overMs);
  const rest = { holds, fired, ...(open === undefined ? {} : { open }) };
  const told = over ? { over: true as const } : {};
  if (full === undefined) return { state: entered(before, acting ? 'acting' : phaseOf(rule, before, measured, judged, holds), now, coldOf(rule, measured, judged, rest, now)), ...told };
  const back = acting ? { by: 'acting' as const } : heldBack(rule, fired, elsewhere, now);
  if (back !== undefined) return { state: entered(before, acting ? 'acting' : 'held', now, { ...rest, heldBack: back }), ...told };
  const others = Object.keys(holds).length === 1 ? NONE : Object.fromEntries(Object.entries(holds).filter(([subject]) => subject !== full));
  return { state: entered(before, 'acting', now, { holds: others, fired: [...fired, now], open: { clearMs: 0, lastMs: now.monotonicMs } }), fires: full, ...told };
}

const isWarm = (rule: Rule, { ageMs }: Measured): boolean => ageMs === undefined || ageMs >= rule.warmUpMs;

function phaseOf(rule: Rule, before: RuleState, measured: readonly Measured[], judged: readonly Measured[], holds: Readonly<Record<string, Hold>>): RulePhase {
  if (holds !== NONE) return 'pending';
  if (judged.some(({ verdict }) => verdict !== 'unknown')) return 'idle';
  // Nothing was measured: what was known before is kept, without a word about now. A process too young to be judged is held back, not unknown.
  if (measured.some((one) => one.verdict === 'yes' && !isWarm(rule, one))) return 'held';
  return before.phase === 'idle' ? 'idle' : 'unknown';
}

/** Of a condition that holds for a process too young to be judged: until when. */
function coldOf<T extends object>(rule: Rule, measured: readonly Measured[], judged: readonly Measured[], rest: T, now: Moment): T & { heldBack?: HeldBack } {
  if (judged.some(({ verdict }) => verdict !== 'unknown')) return rest;
  const young = measured.find((one) => one.verdict === 'yes' && !isWarm(rule, one));
  return young === undefined ? rest : { ...rest, heldBack: { by: 'warm-up', until: now.at + rule.warmUpMs - (young.ageMs ?? 0) } };
}

/** An earlier firing is over when everything that was measured for `overMs` did not hold; time without measurements does not count. */
function closing(open: RuleState['open'], judged: readonly Measured[], now: Moment, overMs: number): { readonly open?: RuleState['open']; readonly over: boolean } {
  if (open === undefined) return { over: false };
  if (judged.some(({ verdict }) => verdict === 'yes')) return { open: { clearMs: 0, lastMs: now.monotonicMs }, over: false };
  if (!judged.some(({ verdict }) => verdict === 'no')) return { open: { clearMs: open.clearMs }, over: false };
  const clearMs = open.clearMs + (open.lastMs === undefined ? 0 : Math.max(0, now.monotonicMs - open.lastMs));
  return clearMs >= overMs ? { over: true } : { open: { clearMs, lastMs: now.monotonicMs }, over: false };
}

function entered(before: RuleState, phase: RulePhase, now: Moment, rest: Omit<RuleState, 'phase' | 'since'>): RuleState {
  return { phase, since: before.phase === phase ? before.since : now, ...rest };
}

/** How long ago it fired last, by the clock that can tell. */
export function sinceFiredMs(state: RuleState, now: Moment): number | undefined {
  const last = state.fired.at(-1);
  return last && passedMs(last, now);
}
