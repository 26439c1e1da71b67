// Owns one step of one trigger over time: armed until the condition holds, holding until it has held long enough, then it fires.
import type { Judgement } from './trigger.ts';

/** `heldMs`: time that is known to have held; time in which nothing was measured is not counted, and does not end it. */
export interface TriggerState { readonly phase: 'armed' | 'holding'; readonly heldMs: number; readonly lastYesAt?: number }

export const ARMED: TriggerState = { phase: 'armed', heldMs: 0 };

export interface Stepped { readonly state: TriggerState; readonly fires?: string }

/** Pure. After firing the condition must hold for `forMs` once more. Clocks that go back count as no time. */
export function step(state: TriggerState, { verdict, says }: Judgement, at: number, forMs: number): Stepped {
  if (verdict === 'no') return { state: ARMED };
  if (verdict === 'unknown') return { state: { phase: state.phase, heldMs: state.heldMs } };
  const heldMs = state.heldMs + (state.lastYesAt === undefined ? 0 : Math.max(0, at - state.lastYesAt));
  if (heldMs < forMs) return { state: { phase: 'holding', heldMs, lastYesAt: at } };
  return { state: { phase: 'holding', heldMs: 0, lastYesAt: at }, fires: forMs === 0 ? says : `${says}, for ${Math.round(heldMs / 1_000)} s` };
}
