// Owns which shell gives way when one more is wanted: the least recently used that runs nothing. Pure.

export interface Candidate { readonly id: string; readonly usedAt: number; /** undefined: nobody can tell, so it counts as busy. */ readonly busy: boolean | undefined }

export type Way = { readonly room: true } | { readonly ends: string } | { readonly full: true };

export function givesWay(running: readonly Candidate[], limit: number): Way {
  if (running.length < limit) return { room: true };
  const [first] = running.filter(({ busy }) => busy === false).sort((a, b) => a.usedAt - b.usedAt);
  return first === undefined ? { full: true } : { ends: first.id };
}
