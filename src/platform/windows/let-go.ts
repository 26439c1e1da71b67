// Owns letting a target run on after a program that stopped its threads was ended before it let them go.
import type { ProcessKey } from '../../shared/model.ts';
import type { Clock } from '../clock.ts';
import { Win32Error } from './codes.ts';
import type { Threads } from './dump.ts';
import type { Win32 } from './win32.ts';

/** How often each thread is stopped, by its id. */
export type Stops = ReadonlyMap<number, number>;

/** An app stops threads of its own for microseconds (a collector does); what is still stopped after so many looks is not of that kind. */
const LOOKS = 10;
const LOOK_EVERY_MS = 5;
/** A target is let run on whatever was cancelled. */
const never = new AbortController().signal;

export function createLetGo(win32: Win32, clock: Clock, idsOf: (target: ProcessKey) => readonly number[]): Threads {
  const stops = (target: ProcessKey): Stops => new Map(idsOf(target).flatMap((id) => { const count = known(() => win32.threadStops(id)); return count === undefined ? [] : [[id, count]]; }));
  return {
    stops,
    letGo: async (target, before) => {
      const looks = [stops(target)];
      while (allStopped(before, looks[0] as Stops) === 0 && looks.length < LOOKS) {
        await clock.wait(LOOK_EVERY_MS, never);
        looks.push(stops(target));
      }
      for (const [id, times] of owed(before, looks)) for (let turn = 0; turn < times; turn += 1) known(() => { win32.resumeThread(id); });
    },
  };
}

/**
 * How often each thread is to be resumed, from the stops before the program began and those seen since it ended.
 * Ended while it held all threads: exact. Nothing of the app ran since, at least one thread was not stopped by the app itself, and so the least count of all is what the program added to each.
 * Ended while it was stopping them, or letting them go: a thread is resumed by what it had more than before in every look.
 * Wrong then only of a thread that the app itself stopped between the two and keeps stopped, or let go between the two; in both cases of a stop that another debugger added between them. Nothing tells these apart.
 */
export function owed(before: Stops, looks: readonly Stops[]): Map<number, number> {
  const [first = new Map<number, number>()] = looks;
  const all = allStopped(before, first);
  if (all > 0) return new Map([...first.keys()].map((id) => [id, all]));
  return new Map([...first.keys()].flatMap((id) => {
    const more = Math.min(...looks.map((look) => (look.get(id) ?? 0) - (before.get(id) ?? 0)));
    return more > 0 ? [[id, more] as const] : [];
  }));
}

/** What every thread was stopped more than before; a debugger's own stop of the whole process was there before, and stays. */
function allStopped(before: Stops, now: Stops): number {
  return now.size === 0 ? 0 : Math.min(...now.values()) - (before.size === 0 ? 0 : Math.min(...before.values()));
}

/** A thread that has ended, or that is not ours to look at, is not stopped by us. */
function known<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Win32Error) return undefined;
    throw error;
  }
}
