// Owns how a component reads an API answer: loading, good, error, and good-but-old while it is read again.
import { useEffect, useReducer, useRef } from 'preact/hooks';
import type { Problem } from '../shared/api.ts';
import { ask, problemOf } from './agent.ts';
import { browserClock as clock } from './clock.ts';

export interface Asked<T> { readonly value: T | undefined; readonly problem: Problem | undefined; readonly loading: boolean; again(): void }

/** Calls when a dependency changes and then every `everyMs`; an answer that comes too late is dropped. The value of the
 *  last good answer stays while it is read again, and beside a problem. */
export function useAsk<T>(call: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[], everyMs?: number): Asked<T> {
  const [, draw] = useReducer<number, void>((n) => n + 1, 0);
  const state = useRef<{ value?: T; problem?: Problem; loading: boolean; key?: string }>({ loading: true });
  const run = useRef<() => void>(() => undefined);
  useEffect(() => {
    const end = new AbortController();
    run.current = () => {
      state.current = { ...state.current, loading: true };
      draw();
      ask(() => call(end.signal)).then(
        (value) => { if (!end.signal.aborted) { state.current = { value, loading: false }; draw(); } },
        (error: unknown) => { if (!end.signal.aborted) { state.current = { ...state.current, problem: problemOf(error), loading: false }; draw(); } },
      );
    };
    run.current();
    const stop = everyMs === undefined ? undefined : clock.every(everyMs, () => { if (document.visibilityState === 'visible') run.current(); });
    return () => { stop?.(); end.abort(); };
  }, [...deps, everyMs]);
  return { value: state.current.value, problem: state.current.problem, loading: state.current.loading, again: () => run.current() };
}
