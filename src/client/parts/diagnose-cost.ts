// Owns how the cost of a set of diagnosers is said in one line.
import type { z } from 'zod';
import type { DiagnoserInfo } from '../../shared/api.ts';

export type Diagnoser = z.infer<typeof DiagnoserInfo>;
const RANK = { free: 0, 'slows-app': 1, 'pauses-app': 2 } as const;
export const COST_WORDS: Readonly<Record<Diagnoser['cost'], string>> = { free: 'costs the app nothing', 'slows-app': 'slows the app', 'pauses-app': 'pauses the app' };

/** The dearest of the set speaks for it, with its own note when it has one. */
export function costOf(chosen: readonly Diagnoser[]): string {
  const dearest = [...chosen].sort((a, b) => RANK[b.cost] - RANK[a.cost])[0];
  if (!dearest) return 'nothing is chosen';
  return dearest.costNote ?? COST_WORDS[dearest.cost];
}
