// Owns who explains which row: the root of the strongest chain that covers it; equals share it, and are less sure for it.
import type { Row } from '../events/rows.ts';
import { scoreOf, type Claim } from './cause.ts';
import { isDeeper } from './edges.ts';

export interface Attributed {
  readonly claim: Claim;
  readonly score: number;
  readonly rows: readonly Row[];
  readonly failed: number; readonly slow: number;              // by weight; of a shared row its part
  readonly shared: number;                                     // of these, by weight, rows that another claim explains as well
  readonly effects: readonly Claim[];                          // whose rows it took because it is deeper
}

/** A deeper cause takes rows only when it was seen and not just thought of. */
const SURE_ENOUGH = 0.45;
/** Closer than this two claims cannot be told apart. */
const TIE = 0.04;

/** Is `a` the deeper of two claims on one row? */
export function takes(a: Claim, b: Claim): boolean {
  if (a.over?.includes(b.cause) === true) return true;
  return b.over?.includes(a.cause) !== true && isDeeper(a.cause, b.cause);
}

export interface Attribution { readonly claims: readonly Attributed[]; readonly left: readonly Row[] }

/** `rows`: all that failed or were slow; rows beyond them may be claimed by a mechanism that was seen, and then count as slow. */
export function attribute(claims: readonly Claim[], rows: readonly Row[]): Attribution {
  const scores = new Map(claims.map((claim) => [claim, scoreOf(claim.weights)]));
  const byRow = new Map<Row, Claim[]>();
  for (const claim of claims) for (const row of claim.rows) { const list = byRow.get(row); if (list) list.push(claim); else byRow.set(row, [claim]); }
  const won = new Map<Claim, { rows: Row[]; failed: number; slow: number; shared: number; effects: Set<Claim> }>();
  for (const claim of claims) won.set(claim, { rows: [], failed: 0, slow: 0, shared: 0, effects: new Set() });
  for (const [row, candidates] of byRow) {
    const roots = candidates.filter((c) => !candidates.some((d) => d !== c && takes(d, c) && (scores.get(d) ?? 0) >= SURE_ENOUGH));
    const best = Math.max(...roots.map((c) => scores.get(c) ?? 0));
    const winners = roots.filter((c) => (scores.get(c) ?? 0) >= best - TIE);
    for (const winner of winners) {
      const mine = won.get(winner);
      if (!mine) continue;
      const part = row.weight / winners.length;
      mine.rows.push(row);
      if (row.effect === 'fine') mine.slow += part; else mine.failed += part;
      if (winners.length > 1) mine.shared += part;
      for (const other of candidates) if (other !== winner && takes(winner, other)) mine.effects.add(other);
    }
  }
  return {
    claims: claims.map((claim) => { const mine = won.get(claim); return { claim, score: scores.get(claim) ?? 0, rows: mine?.rows ?? [], failed: mine?.failed ?? 0, slow: mine?.slow ?? 0, shared: mine?.shared ?? 0, effects: [...mine?.effects ?? []] }; }),
    left: rows.filter((row) => !byRow.has(row)),
  };
}
