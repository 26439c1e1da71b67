// Owns the confirmation of a restart of more than one worker: what it does to users, with overlap or not, pause and probe, and the reason.
import { useState } from 'preact/hooks';
import type { Operation, Problem } from '../../../shared/api.ts';
import type { Offer } from '../../../shared/model.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure } from '../../parts/states.tsx';
import { WAY_WORDS, type Way } from './site-part.tsx';

export function SiteDialog({ way: { way, says }, overlapped, pauseMs, onClose, onDone }: { way: Way; overlapped: Offer; pauseMs: number; onClose: () => void; onDone: (operation: Operation) => void }) {
  const [typed, setTyped] = useState({ reason: '', overlap: overlapped.yes, pause: String(pauseMs / 1_000), path: '/' });
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const { title, go } = WAY_WORDS[way];
  const walks = way === 'instances';
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const { reason, overlap, pause, path } = typed;
    const body = { way, ...(way !== 'platform' && overlapped.yes ? { overlapped: overlap } : {}), ...(walks ? { pauseMs: Math.round(Number(pause) * 1_000), path } : {}), ...(reason.trim() === '' ? {} : { reason: reason.trim() }) };
    ask(() => diag.restartSite({ body })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); setBusy(false); });
  };
  return (
    <Dialog title={`Restart: ${title.toLowerCase()}`} onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <p class="cost-line">{says}</p>
        {way !== 'platform' && overlapped.yes ? <label class="check"><input type="checkbox" checked={typed.overlap} onChange={(e) => setTyped({ ...typed, overlap: e.currentTarget.checked })} />The next worker answers before the old one is ended</label> : undefined}
        {walks ? <label>Pause between two instances, in seconds<input type="number" min={0} max={3600} required value={typed.pause} onInput={(e) => setTyped({ ...typed, pause: e.currentTarget.value })} /></label> : undefined}
        {walks ? <label>What each instance is asked for before the next one<input type="text" pattern="/\S*" required value={typed.path} onInput={(e) => setTyped({ ...typed, path: e.currentTarget.value })} /></label> : undefined}
        <label>Reason, for the history<input type="text" maxLength={500} value={typed.reason} onInput={(e) => setTyped({ ...typed, reason: e.currentTarget.value })} /></label>
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" onClick={onClose}>Leave it running</button><button type="submit" class="go bad" disabled={busy}>{busy ? 'It begins …' : go}</button></div>
      </form>
    </Dialog>
  );
}
