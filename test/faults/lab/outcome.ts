// Owns how a diagnosis is measured against what is true: rank of the right cause, its confidence, what came first instead.
import type { Cause, CauseId, Diagnosis } from '../../../src/shared/cause.ts';
import type { Fault } from './fault.ts';

export interface Outcome {
  readonly name: string;
  readonly cause: CauseId;
  readonly first: CauseId | 'none';
  readonly title: string;
  /** 1 is first; 0: not found. */
  readonly rank: number;
  readonly word: string;
  readonly score: number;
  readonly share: number;
  readonly reasons: readonly string[];
  readonly found: readonly CauseId[];
  readonly missing: readonly CauseId[];
  readonly right: boolean;
}

export type Expected = Pick<Fault, 'name' | 'cause' | 'also' | 'orAlso'>;

export function outcomeOf(fault: Expected, { causes }: Pick<Diagnosis, 'causes'>): Outcome {
  const found = causes.filter((c) => c.verdict === 'found');
  const rights: readonly CauseId[] = [fault.cause, ...fault.orAlso?.map((o) => o.cause) ?? []];
  const at = found.findIndex((c) => rights.includes(c.id));
  const [first] = found;
  const shown: Cause | undefined = found[at] ?? first;
  const missing = (fault.also ?? []).filter((id) => !found.some((c) => c.id === id));
  return {
    name: fault.name, cause: fault.cause, first: first?.id ?? 'none', title: first?.title ?? 'no cause was found', rank: at + 1, found: found.map((c) => c.id), missing,
    word: shown?.confidence?.word ?? '-', score: shown?.confidence?.score ?? 0, share: shown?.share ?? 0, reasons: shown?.confidence?.reasons ?? [],
    right: at === 0 && missing.length === 0,
  };
}
