// Owns which shell gives way when one more is wanted: the least recently used that runs nothing. Pure.

export interface Candidate { readonly id: string; readonly usedAt: number; /** undefined: nobody can tell, so it counts as busy. */ readonly busy: boolean | undefined }

/** none: there is room. undefined: all are busy. */
export function givesWay(running: readonly Candidate[], limit: number): string | 'none' | undefined {
  if (running.length < limit) return 'none';
  return running.filter(({ busy }) => busy === false).sort((a, b) => a.usedAt - b.usedAt)[0]?.id;
}
