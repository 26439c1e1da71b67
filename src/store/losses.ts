// Owns the counts of what bounded buffers and files could not keep; the page shows them.

export interface Losses {
  add(what: string, count?: number): void;
  list(): readonly { readonly what: string; readonly count: number }[];
}

export function createLosses(): Losses {
  const counts = new Map<string, number>();
  return {
    add(what, count = 1) { if (count > 0) counts.set(what, (counts.get(what) ?? 0) + count); },
    list: () => [...counts].map(([what, count]) => ({ what, count })),
  };
}
