// Owns a hidden value on the page: one at a time is revealed, on a click, for half a minute; it is kept nowhere.
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../../shared/api.ts';
import { MASK } from '../../shared/mask-pairs.ts';
import type { ProcessKey } from '../../shared/model.ts';
import { ask, diag, problemOf } from '../agent.ts';
import { cell, useCell } from '../cell.ts';
import { browserClock as clock } from '../clock.ts';

const SHOWN_MS = 30_000;
interface Shown { readonly key: string; readonly value: string }
const shown = cell<Shown | undefined>(undefined);

interface MaskedProps { process: ProcessKey | undefined; name: string; text?: string }
/** `text`: what may be seen of it. Without a process it cannot be revealed. */
export function Masked({ process, name, text }: MaskedProps) {
  const key = process === undefined ? '' : `${process.pid}:${process.startedAt}:${name}`;
  const now = useCell(shown);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const open = now !== undefined && now.key === key;
  useEffect(() => (open ? clock.every(SHOWN_MS, () => shown.set(undefined)) : undefined), [open]);
  useEffect(() => () => { if (shown.get()?.key === key) shown.set(undefined); }, [key]);
  const reveal = (): void => {
    if (process === undefined) return;
    setBusy(true);
    setProblem(undefined);
    ask(() => diag.revealVariable({ params: { pid: process.pid }, body: { startedAt: process.startedAt, name } }))
      .then(({ value }) => { shown.set({ key, value }); }, (error: unknown) => setProblem(problemOf(error)))
      .finally(() => setBusy(false));
  };
  if (open) return <span class="revealed"><code>{now.value}</code> <button type="button" class="link" onClick={() => shown.set(undefined)} aria-label={`Hide the value of ${name}`}>Hide</button></span>;
  return (
    <span class="hidden-value">
      {text === undefined || text === '' || text === MASK ? <span class="masked">masked</span> : <code>{text}</code>}
      {process === undefined ? undefined : <button type="button" class="link" disabled={busy} onClick={reveal} aria-label={`Reveal the value of ${name}`} title="Shown here for half a minute; that you looked is written to the audit.">{busy ? 'Asking …' : 'Reveal'}</button>}
      {problem ? <span class="bad-text" role="alert">{problem.detail}</span> : undefined}
    </span>
  );
}
