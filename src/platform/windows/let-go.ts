// Owns letting a target run on after a program that stopped its threads was ended before it let them go.
import { Win32Error } from './codes.ts';
import type { Threads } from './dump.ts';
import type { Win32 } from './win32.ts';

/** More stops than anybody sets. */
const MAX_STOPS = 128;

export function createLetGo(win32: Win32, idsOf: (pid: number) => readonly number[]): Threads {
  const stopsOf = (id: number): number | undefined => known(() => win32.threadStops(id));
  return {
    stops: (pid) => new Map(idsOf(pid).flatMap((id) => { const stops = stopsOf(id); return stops === undefined ? [] : [[id, stops]]; })),
    letGo: (pid, before) => {
      for (const id of idsOf(pid)) {
        const meant = before.get(id) ?? 0;
        for (let turn = 0; turn < MAX_STOPS && (stopsOf(id) ?? 0) > meant; turn += 1) known(() => { win32.resumeThread(id); });
      }
    },
  };
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
