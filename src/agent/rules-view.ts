// Owns how rules are shown: as they live in this agent, or as the agent that leads wrote them last.
import { metric as row } from '../shared/metrics.ts';
import type { Rule, RuleEntry, RuleView } from '../shared/rules.ts';
import { sayHeld, sayRule, sayValue } from '../mitigate/rules/describe.ts';
import type { LivingRule } from '../mitigate/rules/watch.ts';

const DAY_MS = 86_400_000;
const SHOWN = 20;

type Mask = (text: string) => string;

/** `probe`: what the last probe of this rule came to, where it failed. */
export function livingView({ rule, state, measured, error }: LivingRule, now: number, probe: string | undefined, mask: Mask): RuleView {
  const lastFiredAt = state.fired.at(-1)?.at;
  const why = error ?? (rule.when.type === 'probe' ? probe : undefined);
  return {
    rule, says: sayRule(rule), phase: state.phase, since: state.since.at,
    ...(state.heldBack === undefined ? {} : { heldBy: state.heldBack.by, heldSays: sayHeld(state.heldBack.by), ...(state.heldBack.until === undefined ? {} : { heldUntil: state.heldBack.until }) }),
    measured: measured.slice(0, SHOWN).map(({ subject, verdict, value }) => ({ subject, verdict, ...(value === undefined ? {} : { says: valueWords(rule, value) }) })),
    ...(why === undefined ? {} : { error: mask(why).slice(0, 500) }),
    firedLastDay: state.fired.filter(({ at }) => now - at < DAY_MS).length, ...(lastFiredAt === undefined ? {} : { lastFiredAt }),
  };
}

/** From the history of the agent that leads; `entries` newest first. */
export function writtenView(rule: Rule, entries: readonly RuleEntry[], now: number): RuleView {
  const mine = entries.filter((one) => one.rule === rule.id);
  const phase = mine.find((one) => one.did === 'phase');
  const fired = mine.filter((one) => one.did === 'fired');
  return {
    rule, says: sayRule(rule), phase: !rule.enabled ? 'off' : phase?.did === 'phase' ? phase.phase : 'unknown', ...(phase === undefined ? {} : { since: phase.at }),
    ...(phase?.did !== 'phase' || phase.heldBy === undefined ? {} : { heldBy: phase.heldBy, heldSays: sayHeld(phase.heldBy) }),
    measured: [], firedLastDay: fired.filter(({ at }) => now - at < DAY_MS).length, ...(fired[0] === undefined ? {} : { lastFiredAt: fired[0].at }),
  };
}

function valueWords({ when }: Rule, value: number): string {
  if (when.type !== 'metric') return when.type === 'probe' ? `${value} failures in a row` : `${value} within the window`;
  return `${row(when.metric).title} ${sayValue(when, value)}`;
}
