// Owns the trial of a rule over the past: the same step over recorded columns, with the stretches skipped in which it could not have changed anything.
import type { Rule } from '../../shared/rules.ts';
import type { Verdict } from '../triggers/trigger.ts';
import { judgeValue } from './meter.ts';
import { NO_HOLD, spent } from './hold.ts';
import { newState, step, type Measured, type RuleState } from './step.ts';
import type { Moment } from './moment.ts';

/** One value every `stepMs` from `from` on; NaN: not measured. `restarts`: starts of the process under it, oldest first, for the warm-up. */
export interface Column { readonly from: number; readonly stepMs: number; readonly values: Float64Array; readonly restarts?: readonly number[] }

export interface Trial {
  /** When it would have fired, and on what value; at most `most`, the count is whole. */
  readonly fired: readonly { readonly at: number; readonly value: number }[];
  readonly firedCount: number;
  readonly overCount: number;
  /** Steps of the past that were measured, and all of them. */
  readonly measured: number;
  readonly steps: number;
  readonly state: RuleState;
}

/** How a value is judged: limits for what is measured; counted conditions come as columns of 0 and 1. */
export interface Judged { readonly above?: number | undefined; readonly below?: number | undefined }

const RUN = 'replay';

/** Pure; same past, same answer. Memory does not grow with the length of the past. @throws nothing, also not on a column without a value */
export function replay(rule: Rule, column: Column, judged: Judged, most = 1_000): Trial {
  const { values, from, stepMs } = column;
  const moment = (i: number): Moment => ({ at: from + i * stepMs, monotonicMs: i * stepMs, run: RUN });
  let state = newState(moment(0));
  const fired: { at: number; value: number }[] = [];
  let firedCount = 0, overCount = 0;
  const ages = agesOf(column);
  const next = rule.warmUpMs > 0 && (column.restarts?.length ?? 0) > 0 ? undefined : skipping(rule, column, judged);
  for (let i = 0; i < values.length; i = next?.(state, i) ?? i + 1) {
    if (rests(state)) {
      i = nextYes(values, i, judged);
      if (i >= values.length) break;
    }
    const value = values[i] as number;
    const stepped = step(rule, state, measuredOf(value, judgeValue(judged, value), ages(from + i * stepMs)), { now: moment(i), elsewhere: [], acting: false });
    ({ state } = stepped);
    if (stepped.over) overCount += 1;
    if (stepped.fires === undefined) continue;
    firedCount += 1;
    if (fired.length < most) fired.push({ at: from + i * stepMs, value });
  }
  return { fired, firedCount, overCount, measured: measuredIn(values), steps: values.length, state };
}

/**
 * Where the next step is due after the one at `i`. Measurements of one verdict in a row add up alike whether taken one by one or as first and last; what can
 * come true among them is known beforehand: the hold is long enough, what holds it back ends, the condition has been gone for long enough.
 */
function skipping(rule: Rule, { values, from, stepMs }: Column, judged: Judged): (state: RuleState, i: number) => number {
  const indexAt = (at: number): number => Math.ceil((at - from) / stepMs);
  return (state, i) => {
    const verdict = judgeValue(judged, values[i] as number);
    const end = runEnd(values, i, judged, verdict);
    if (verdict === 'unknown') return end;
    let due = rule.until === undefined ? Infinity : indexAt(rule.until);
    if (verdict === 'yes') {
      if (state.phase === 'held') due = Math.min(due, indexAt(state.heldBack?.until ?? Infinity));
      else if (state.phase === 'pending') {
        // Each step adds its own time at most, to what is known and to what held.
        const { knownMs, heldMs } = spent(state.holds[''] ?? NO_HOLD);
        due = Math.min(due, i + Math.ceil(Math.max(rule.forMs - knownMs, (rule.forMs * rule.sharePercent) / 100 - heldMs) / stepMs));
      } else due = i + 1;
    } else if (state.open !== undefined) due = Math.min(due, i + Math.ceil((rule.overMs - state.open.clearMs) / stepMs));
    return Math.max(i + 1, Math.min(due, end - 1));
  };
}

/** The first place after `i` that is judged otherwise, or the end. */
function runEnd(values: Float64Array, i: number, { above, below }: Judged, verdict: Verdict): number {
  const end = values.length;
  if (verdict === 'unknown') while (i < end && Number.isNaN(values[i])) i += 1;
  else if (above !== undefined && verdict === 'yes') while (i < end && (values[i] as number) >= above) i += 1;
  else if (above !== undefined) while (i < end && (values[i] as number) < above) i += 1;
  else if (verdict === 'yes') while (i < end && (values[i] as number) < (below ?? -Infinity)) i += 1;
  else while (i < end && (values[i] as number) >= (below ?? -Infinity)) i += 1;
  return i;
}

/** Nothing holds and nothing is open: until the condition holds next, a step changes no more than the phase's name. */
function rests({ holds, open, phase }: RuleState): boolean {
  if (open !== undefined || phase === 'off') return phase === 'off';
  for (const _ in holds) return false;
  return phase === 'idle' || phase === 'unknown';
}

/** The first place from `i` on where the condition holds, or the end. NaN holds for neither comparison. */
function nextYes(values: Float64Array, i: number, { above, below }: Judged): number {
  const end = values.length;
  if (above !== undefined) while (i < end && !((values[i] as number) >= above)) i += 1;
  else while (i < end && !((values[i] as number) < (below ?? -Infinity))) i += 1;
  return i;
}

function measuredOf(value: number, verdict: Verdict, ageMs: number | undefined): Measured[] {
  if (Number.isNaN(value)) return [];
  return [ageMs === undefined ? { subject: '', verdict, value } : { subject: '', verdict, value, ageMs }];
}

/** Age of the process at an instant that never goes back. */
function agesOf({ restarts = [] }: Column): (at: number) => number | undefined {
  let next = 0;
  return (at) => {
    while (next < restarts.length && (restarts[next] as number) <= at) next += 1;
    return next === 0 ? undefined : at - (restarts[next - 1] as number);
  };
}

function measuredIn(values: Float64Array): number {
  let count = 0;
  for (let i = 0; i < values.length; i += 1) count += Number(!Number.isNaN(values[i]));
  return count;
}

/** Counts by second become what a window's condition asks: 1 where the last `withinMs` held at least `count` (and the share), 0 where not, NaN where nothing is known. */
export function windowed(counts: Float64Array, among: Float64Array | undefined, { count, withinMs, sharePercent, stepMs }: { count: number; withinMs: number; sharePercent?: number | undefined; stepMs: number }): Float64Array {
  const steps = Math.max(1, Math.round(withinMs / stepMs));
  const column = new Float64Array(counts.length);
  let sum = 0, all = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const value = counts[i] as number;
    sum += known(value) - (i < steps ? 0 : known(counts[i - steps] as number));
    if (among !== undefined) all += known(among[i] as number) - (i < steps ? 0 : known(among[i - steps] as number));
    const enough = sum >= count && (sharePercent === undefined || all * sharePercent <= sum * 100);
    column[i] = Number.isNaN(value) ? NaN : Number(enough);
  }
  return column;
}

const known = (value: number): number => (Number.isNaN(value) ? 0 : value);
