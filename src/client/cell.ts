// Owns the page's observable values: a cell holds one value, tells its followers, and a component can read it.
import { useEffect, useState } from 'preact/hooks';

export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** Calls back after every change; the answer ends it. */
  on(run: (value: T) => void): () => void;
}

export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const followers = new Set<(value: T) => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const run of Array.from(followers)) run(next);
    },
    on(run) {
      followers.add(run);
      return () => { followers.delete(run); };
    },
  };
}

/** The cell's value, and a new render whenever it changes. */
export function useCell<T>(from: Cell<T>): T {
  const [value, setValue] = useState<T>(from.get);
  useEffect(() => {
    setValue(() => from.get());
    return from.on((next) => setValue(() => next));
  }, [from]);
  return value;
}
