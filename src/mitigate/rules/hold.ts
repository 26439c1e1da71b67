// Owns for how long a condition has held: measured time only, within the last `forMs` of it.
import type { Verdict } from '../triggers/trigger.ts';

/** A stretch of measured time that held, or did not. */
interface Stretch { readonly ms: number; readonly held: boolean }

/** `lastMs`: the monotonic instant of the newest measurement, absent after a gap; then nothing is known about the time before the next one. */
export interface Hold { readonly stretches: readonly Stretch[]; readonly lastMs?: number; readonly lastHeld: boolean }

export const NO_HOLD: Hold = { stretches: [], lastHeld: false };

/** What alternates each second for longer than this is counted in coarser pieces. */
const MAX_STRETCHES = 1_024;

/** Pure. Time between two measurements held when both of them did; time beside a gap is not counted. With a share of all, one that does not hold ends it. */
export function hold(before: Hold, verdict: Verdict, nowMs: number, wanted: { readonly forMs: number; readonly share: number }): Hold {
  if (verdict === 'unknown') return before.lastMs === undefined ? before : { stretches: before.stretches, lastHeld: before.lastHeld };
  const held = verdict === 'yes';
  if (!held && (wanted.share >= 1 || before.stretches.length === 0 && !before.lastHeld)) return NO_HOLD;
  const ms = before.lastMs === undefined ? 0 : Math.max(0, nowMs - before.lastMs);
  const grown = ms === 0 ? before.stretches : trimmed(joined(before.stretches, { ms, held: held && before.lastHeld }), wanted.forMs);
  // Nothing that held is left in the window: the next one that holds begins anew.
  if (!held && !grown.some((one) => one.held)) return NO_HOLD;
  return { stretches: grown, lastMs: nowMs, lastHeld: held };
}

/** Whether it has held long enough. `verdict` is that of the newest measurement. */
export function isFull(one: Hold, verdict: Verdict, wanted: { readonly forMs: number; readonly share: number }): boolean {
  if (verdict !== 'yes') return false;
  if (wanted.forMs === 0) return true;
  const { knownMs, heldMs } = spent(one);
  return knownMs >= wanted.forMs && heldMs >= wanted.share * knownMs;
}

/** Measured time in the window, and how much of it held. */
export function spent({ stretches }: Hold): { readonly knownMs: number; readonly heldMs: number } {
  let knownMs = 0;
  let heldMs = 0;
  for (const { ms, held } of stretches) {
    knownMs += ms;
    if (held) heldMs += ms;
  }
  return { knownMs, heldMs };
}

function joined(stretches: readonly Stretch[], next: Stretch): readonly Stretch[] {
  const last = stretches.at(-1);
  if (last?.held === next.held) return [...stretches.slice(0, -1), { ms: last.ms + next.ms, held: last.held }];
  if (stretches.length < MAX_STRETCHES) return [...stretches, next];
  // The two oldest become one that holds only if both did: never more than was measured.
  const [first, second, ...rest] = stretches as [Stretch, Stretch, ...Stretch[]];
  return [{ ms: first.ms + second.ms, held: first.held && second.held }, ...rest, next];
}

/** Leaves what lies before the window; the oldest stretch that remains is cut. */
function trimmed(stretches: readonly Stretch[], forMs: number): readonly Stretch[] {
  let overMs = -forMs;
  for (const { ms } of stretches) overMs += ms;
  if (overMs <= 0) return stretches;
  let from = 0;
  while (overMs > 0) {
    const { ms } = stretches[from] as Stretch;
    if (ms > overMs) break;
    overMs -= ms;
    from += 1;
  }
  const [first, ...rest] = stretches.slice(from);
  return first === undefined ? [] : [{ ms: first.ms - overMs, held: first.held }, ...rest];
}
