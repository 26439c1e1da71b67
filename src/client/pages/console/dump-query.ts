// Owns what is asked of the agent for a diagnostic dump: only what narrows it.
import type { LogBundleQuery, LogProviderId } from '../../../shared/log-bundle.ts';

const HOUR_MS = 3_600_000;
const MIB = 2 ** 20;
/** How far back, in ms; 0 is from the beginning. */
export const DUMP_SINCE: readonly (readonly [number, string])[] = [[0, 'the beginning'], [HOUR_MS, 'an hour ago'], [6 * HOUR_MS, '6 hours ago'], [24 * HOUR_MS, 'a day ago'], [7 * 24 * HOUR_MS, 'a week ago']];
/** Bytes before packing; 0 is all. */
export const DUMP_SIZES: readonly number[] = [0, 64 * MIB, 256 * MIB, 1_024 * MIB];

/** All providers are asked for by naming none, so that one which writes its first file meanwhile is in it. */
export function dumpQuery(providers: readonly { readonly id: LogProviderId }[], left: ReadonlySet<LogProviderId>, sinceMs: number, maxBytes: number, now: number): LogBundleQuery {
  return {
    ...(left.size === 0 ? {} : { providers: providers.map(({ id }) => id).filter((id) => !left.has(id)) }),
    ...(sinceMs === 0 ? {} : { from: Math.floor(now - sinceMs) }),
    ...(maxBytes === 0 ? {} : { maxBytes }),
  };
}
