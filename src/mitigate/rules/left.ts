// Owns what the history says of each rule when an agent takes over: when it fired, and whether its condition is over.
import type { RuleEntry } from '../../shared/rules.ts';
import type { Moment } from './moment.ts';
import type { LeftState } from './watch.ts';

/** Of another process: only the wall clock compares. */
const EARLIER = 'earlier';

/** `entries` newest first. */
export function leftOf(entries: readonly RuleEntry[], instance: string): ReadonlyMap<string, LeftState> {
  const states = new Map<string, { fired: Moment[]; open?: { clearMs: number }; firing?: string; over: boolean }>();
  for (const entry of entries) {
    if (entry.instance !== instance || (entry.did !== 'fired' && entry.did !== 'over')) continue;
    const state = states.get(entry.rule) ?? { fired: [], over: false };
    states.set(entry.rule, state);
    if (entry.did === 'over') { state.over ||= state.fired.length === 0; continue; }
    if (state.fired.length === 0 && !state.over) { state.open = { clearMs: 0 }; state.firing = entry.firing; }
    state.fired.unshift({ at: entry.at, monotonicMs: 0, run: EARLIER });
  }
  return new Map([...states].map(([rule, { fired, open, firing }]) => [rule, { fired, ...(open === undefined ? {} : { open }), ...(firing === undefined ? {} : { firing }) }]));
}
