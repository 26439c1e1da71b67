// Owns what holds a rule back whose condition holds: cool-down, firings of the last hour and day over all instances, quiet hours.
import type { HeldBy, Rule } from '../../shared/rules.ts';
import { isQuiet, quietUntil } from './day.ts';
import { passedMs, type Moment } from './moment.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export interface HeldBack { readonly by: HeldBy; readonly until?: number }

/** Firings older than a day bind nothing, whatever the cool-down: that one needs the newest only. */
export function stillCounts(fired: readonly Moment[], now: Moment): readonly Moment[] {
  if (fired.length <= 1 || passedMs(fired[0] as Moment, now) < DAY_MS) return fired;
  const from = fired.findIndex((one) => passedMs(one, now) < DAY_MS);
  return fired.slice(from < 0 ? -1 : from);
}

/** `elsewhere`: wall times of firings on the other instances; a clock there that is ahead of ours counts as now. */
export function heldBack(rule: Rule, fired: readonly Moment[], elsewhere: readonly number[], now: Moment): HeldBack | undefined {
  const { cooldownMs, perHour, perDay } = rule.limits;
  const last = fired.at(-1);
  if (last !== undefined) {
    const leftMs = cooldownMs - passedMs(last, now);
    if (leftMs > 0) return { by: 'cooldown', until: now.at + leftMs };
  }
  return tooMany('per-hour', HOUR_MS, perHour, fired, elsewhere, now)
    ?? tooMany('per-day', DAY_MS, perDay, fired, elsewhere, now)
    ?? quietNow(rule, now);
}

function tooMany(by: HeldBy, windowMs: number, most: number | undefined, fired: readonly Moment[], elsewhere: readonly number[], now: Moment): HeldBack | undefined {
  if (most === undefined) return undefined;
  // Firings are in order of time, so the one that frees a place is the one `most` from the end; only with others in between they are sorted.
  const oldest = fired[fired.length - most];
  if (elsewhere.length === 0) {
    const leftMs = oldest === undefined ? 0 : windowMs - passedMs(oldest, now);
    return leftMs > 0 ? { by, until: now.at + leftMs } : undefined;
  }
  const left = [...fired.map((one) => windowMs - passedMs(one, now)), ...elsewhere.map((at) => windowMs - Math.max(0, now.at - at))];
  const binding = left.filter((ms) => ms > 0).sort((a, b) => a - b);
  return binding.length < most ? undefined : { by, until: now.at + (binding[binding.length - most] as number) };
}

function quietNow({ quiet = [] }: Rule, now: Moment): HeldBack | undefined {
  const one = quiet.find((hours) => isQuiet(hours, now.at));
  return one && { by: 'quiet-hours', until: quietUntil(one, now.at) };
}

/** Whether others came first: all instances order the same firings by time and name, so that exactly the first ones of a limit act. Answers why this one does not. */
export function outrun({ limits: { perHour, perDay } }: Rule, { at, instance }: { readonly at: number; readonly instance: string }, earlier: readonly number[], others: readonly { readonly at: number; readonly instance: string }[]): string | undefined {
  const first = (windowMs: number): number => earlier.filter((one) => at - one < windowMs).length + others.filter((one) => at - one.at < windowMs && (one.at < at || (one.at === at && one.instance < instance))).length;
  if (perHour !== undefined && first(HOUR_MS) >= perHour) return 'another instance fired first: the limit per hour over all instances holds';
  if (perDay !== undefined && first(DAY_MS) >= perDay) return 'another instance fired first: the limit per day over all instances holds';
  return undefined;
}
