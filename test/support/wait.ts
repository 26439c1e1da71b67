// Owns waiting in tests: for a thing, with a limit that says what was waited for; never for time alone.
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 10;

/** Polls until the probe gives something truthy, and returns it. Fails after `limitMs` with what was waited for; a probe that throws counts as "not yet" and is named then. */
export async function waitFor<T>(what: string, probe: () => T | Promise<T>, limitMs = 45_000): Promise<NonNullable<T>> {
  const from = performance.now();
  let last: unknown;
  for (;;) {
    try {
      const seen = await probe();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (performance.now() - from > limitMs) throw new Error(`waited ${limitMs} ms for ${what}; last seen: ${say(last)}`, { cause: last });
    await sleep(EVERY_MS);
  }
}

function say(last: unknown): string {
  if (last instanceof Error) return last.message;
  return String(JSON.stringify(last)).slice(0, 500);
}
