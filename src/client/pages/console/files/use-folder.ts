// Owns the reading of a folder for the page: the first entries at once, the rest page by page behind them.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../../../../shared/api.ts';
import type { FileEntry } from '../../../../shared/files.ts';
import { ask, diag, problemOf } from '../../../agent.ts';

export interface Folder { readonly entries: readonly FileEntry[]; readonly total: number; readonly more: boolean; readonly whole: boolean; readonly problem: Problem | undefined; readonly loaded: boolean; again(): void }

/** So that something stands there within a blink; then larger pages. */
const FIRST = 300;
const NEXT = 5_000;

type State = Omit<Folder, 'again'> & { readonly key: string };
const nothing = (key: string): State => ({ key, entries: [], total: 0, more: false, whole: false, problem: undefined, loaded: false });

export function useFolder(root: string, path: string): Folder {
  const key = `${root}:${path}`;
  const [state, setState] = useState<State>(() => nothing(key));
  const [round, setRound] = useState(0);
  const shown = useRef(key);
  useEffect(() => {
    const end = new AbortController();
    if (shown.current !== key) setState(nothing(key));
    shown.current = key;
    void read(root, path, key, end.signal, (next) => { if (!end.signal.aborted) setState(next); });
    return () => end.abort();
  }, [key, round]);
  return { ...(state.key === key ? state : nothing(key)), again: () => setRound((n) => n + 1) };
}

/** Never throws: a failure is shown beside what is there. */
async function read(root: string, path: string, key: string, signal: AbortSignal, show: (state: State) => void): Promise<void> {
  let entries: FileEntry[] = [];
  let after: string | undefined;
  try {
    do {
      const page = await ask(() => diag.files({ query: { root, path, limit: after === undefined ? FIRST : NEXT, ...(after === undefined ? {} : { after }) }, signal }));
      entries = [...entries, ...page.entries];
      after = page.next;
      show({ key, entries, total: page.total, more: page.more, whole: after === undefined, problem: undefined, loaded: true });
    } while (after !== undefined && !signal.aborted);
  } catch (error) {
    if (!signal.aborted) show({ key, entries, total: entries.length, more: false, whole: false, problem: problemOf(error), loaded: entries.length > 0 });
  }
}
