// Owns times of the day in a place: quiet hours, and the minutes of a schedule.
import type { QuietHours, Schedule } from '../../shared/rules.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
type Day = (typeof DAYS)[number];
const MINUTE_MS = 60_000;
/** Names of months and days come from the format's own parts, so the language is fixed. */
const formats = new Map<string, Intl.DateTimeFormat>();

interface Local { readonly day: Day; readonly minutes: number }

/** Weekday and minute of the day where the zone's people live. */
export function localOf(at: number, timeZone: string): Local {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    formats.set(timeZone, format);
  }
  const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = value;
  return { day: String(part.weekday).toLowerCase() as Day, minutes: Number(part.hour) * 60 + Number(part.minute) };
}

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
const dayBefore = (day: Day): Day => DAYS[(DAYS.indexOf(day) + 6) % 7] as Day;

/** Whether the instant lies in it; hours that pass midnight belong to the day on which they begin. Equal ends: the whole day. */
export function isQuiet({ from, to, days, timeZone }: QuietHours, at: number): boolean {
  const { day, minutes } = localOf(at, timeZone);
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  const on = (one: Day): boolean => days === undefined || days.includes(one);
  if (begin < end) return on(day) && minutes >= begin && minutes < end;
  return (on(day) && minutes >= begin) || (on(dayBefore(day)) && minutes < end);
}

/** When it ends, to the minute; an hour that the summer time leaves out or repeats is what the zone says it is. Looks ahead two days. */
export function quietUntil(quiet: QuietHours, at: number): number {
  const first = Math.floor(at / MINUTE_MS) * MINUTE_MS;
  for (let minute = 1; minute <= 2 * 24 * 60; minute += 1) {
    if (!isQuiet(quiet, first + minute * MINUTE_MS)) return first + minute * MINUTE_MS;
  }
  return first + 2 * 24 * 60 * MINUTE_MS;
}

/** Whether this minute is one of the schedule's. */
export function isScheduled({ at: times, days, timeZone }: Pick<Schedule, 'at' | 'days' | 'timeZone'>, at: number): boolean {
  const { day, minutes } = localOf(at, timeZone);
  return (days === undefined || days.includes(day)) && times.some((time) => minutesOf(time) === minutes);
}
