// Owns the confirmation before a process is ended: it names pid and start time, says what it costs, and ends exactly that process.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { dayTime } from '../../words.ts';
import type { Detail } from './process-detail.tsx';

export function EndProcess({ detail: { info, offers }, onClose, onEnded }: { detail: Detail; onClose: () => void; onEnded: () => void }) {
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    ask(() => diag.endProcess({ params: { pid: info.pid }, body: { startedAt: info.startedAt, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) } }))
      .then(onEnded, (error: unknown) => { setProblem(problemOf(error)); setBusy(false); });
  };
  return (
    <Dialog title={`End process ${info.pid}`} onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <p>This ends <b>{info.name}</b>, process <b>{info.pid}</b>, started <b>{dayTime(info.startedAt)}</b> (<Ago at={info.startedAt} />). It is asked to end and killed after 10 s. If another process has this pid by now, nothing is ended.</p>
        <p class="cost-line">{offers.endSays}</p>
        <label>Reason, for the history<input type="text" maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" onClick={onClose}>Leave it running</button><button type="submit" class="go bad" disabled={busy}>{busy ? 'Ending …' : `End process ${info.pid}`}</button></div>
      </form>
    </Dialog>
  );
}
