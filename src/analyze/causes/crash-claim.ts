// Owns the claim that all causes share which end a process: its weights, facts and chain; each cause adds its own words and proof.
import type { CauseFact, CauseId, CauseStep } from '../../shared/cause.ts';
import type { Scene } from '../events/scene.ts';
import { crashFacts, crashSteps, crashesOf, rowsOf, triggerOf, type Ended } from './crashes.ts';
import { plural, weightOf, type Claim, type Told, type Weight } from './cause.ts';

export interface CrashWords {
  readonly cause: CauseId;
  readonly key: string;
  /** How the process ends is seen: the weight of that proof. */
  readonly proof: readonly Weight[];
  readonly root: readonly CauseStep[];
  readonly for?: readonly CauseFact[];
  readonly against?: readonly CauseFact[];
  readonly since?: number | undefined;
  title(told: Told, times: string, trigger: string | undefined): string;
  readonly advice: readonly string[];
  readonly mitigations?: readonly string[];
}

export function crashClaim(scene: Scene, crashes: readonly Ended[], words: CrashWords): Claim {
  const rows = rowsOf(crashes);
  const trigger = triggerOf(crashes);
  const weights: Weight[] = [...words.proof];
  const exit = crashes.find((c) => c.exit.code !== undefined || c.exit.signal !== undefined);
  weights.push(exit ? { by: 0.55, says: 'the end of the process was seen, with its code' } : { by: 0.3, says: 'the process ended; its code was not seen' });
  const broken = crashes.flatMap((c) => c.ended);
  if (broken.length > 0) weights.push({ by: 0.5, says: `${plural(Math.round(weightOf(broken)), 'request')} broke off in the same second` });
  else if (rows.length > 0) weights.push({ by: 0.35, says: 'requests found nobody until the next start' });
  if (crashesOf(scene).inferred && crashes.some((c) => c.exception)) weights.push({ by: -0.15, says: 'which exception belongs to which exit is told by their number only: the log has neither times nor process ids' });
  const [first] = crashes;
  return {
    cause: words.cause, key: words.key, rows, weights, for: [...words.for ?? [], ...crashFacts(crashes)], against: words.against ?? [], chain: crashSteps(crashes, [...words.root]), since: words.since ?? first?.exit.at,
    incidents: crashes.length, bad: true, advice: words.advice, mitigations: words.mitigations ?? [],
    title: (told) => words.title(told, crashes.length === 1 ? 'once' : crashes.length === 2 ? 'twice' : `${crashes.length.toLocaleString('en-US')} times`, trigger),
  };
}
