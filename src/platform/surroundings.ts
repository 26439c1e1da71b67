// Owns what every door tells alike of the surroundings of a site: runtimes and host facts.
import { readHostFacts } from './host-facts.ts';
import type { Env } from './identity.ts';
import type { Platform } from './platform.ts';
import { findRuntimes } from './runtimes.ts';

export function surroundings({ env, windows }: { readonly env: Env; readonly windows: boolean }): Pick<Platform, 'runtimes' | 'hostFacts'> {
  return {
    runtimes: async (signal) => { signal.throwIfAborted(); return await findRuntimes(env, windows, signal); },
    hostFacts: async (signal) => await readHostFacts(windows, signal),
  };
}
