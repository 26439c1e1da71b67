// Owns what an instant is for a rule: wall clock for people and other instances, a monotonic one for how long something lasts.

/** `run`: of this process; a monotonic clock of another one cannot be compared. */
export interface Moment { readonly at: number; readonly monotonicMs: number; readonly run: string }

/** Between two instants, never negative. A wall clock that was set meanwhile matters only where the process is another one. */
export function passedMs(since: Moment, now: Moment): number {
  return Math.max(0, since.run === now.run ? now.monotonicMs - since.monotonicMs : now.at - since.at);
}

/** One of an earlier run that lies in the future is the mark of a clock that was set back: it counts as now, or it would hold for as long as the clock was wrong. */
export function notLater(one: Moment, now: Moment): Moment {
  return one.run !== now.run && one.at > now.at ? now : one;
}
