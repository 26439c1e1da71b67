// Owns one deed at a time of a form or a button: busy while it runs, and what it failed by until the next try.
import { useState } from 'preact/hooks';
import type { Problem } from '../shared/api.ts';
import { ask, problemOf } from './agent.ts';

export interface Deed { readonly busy: boolean; readonly problem: Problem | undefined; run(work: () => Promise<void>): void }

export function useDeed(): Deed {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const run = (work: () => Promise<void>): void => {
    setBusy(true);
    setProblem(undefined);
    ask(work).catch((error: unknown) => { setProblem(problemOf(error)); }).finally(() => { setBusy(false); });
  };
  return { busy, problem, run };
}
