// Owns the scales of the charts: how values and times are written on them, round steps, and an axis that does not jump.
import type { Unit } from '../../../shared/metrics.ts';
import { bytes, count, duration, percent } from '../../../shared/units.ts';
import { dayTime, time } from '../../words.ts';

export const BYTE_STEPS = Array.from({ length: 45 }, (_, i) => 2 ** i);
export const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400].map((s) => s * 1_000);

/** "02:14" where minutes are enough, "02:14:30" below, the day where hours say nothing. */
export function tickWord(at: number, stepMs: number): string {
  if (stepMs >= 43_200_000) return dayTime(at).slice(5, 10);
  return stepMs >= 60_000 ? time(at).slice(0, 5) : time(at);
}

/** A value on an axis or in a legend; rates say so. */
export function write(unit: Unit, rate: boolean, value: number): string {
  const text = unit === 'bytes' ? bytes(value) : unit === 'ms' ? duration(value) : unit === 'percent' ? percent(value) : count(Number(value.toFixed(value < 10 ? 1 : 0)));
  return rate ? `${text}/s` : text;
}

/** Round steps of durations: of 1, 2, 5 below a minute, of minutes above. */
export const MS_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000, 1_200_000, 3_600_000];
const MINUTES_FROM_MS = 600_000;
/** On an axis there is room for one unit: "140 s", not "2 min 20 s". */
export const axisWord = (unit: Unit, rate: boolean, value: number): string => (unit === 'ms' && value >= 60_000 && value < MINUTES_FROM_MS ? `${Math.round(value / 1_000)} s` : write(unit, rate, value));

/** The axis never shrinks by a little: it follows upward at once and downward only when less than half is used. */
export function steadyTop(): (most: number) => number {
  let top = 0;
  return (most) => {
    const wanted = most * 1.08;
    if (wanted > top || wanted < top / 2) top = most * 1.15;
    return top > 0 ? top : 1;
  };
}
