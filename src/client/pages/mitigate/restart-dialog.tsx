// Owns the confirmation of a restart: it names pid and start time, says what it costs, and sends exactly that process.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';
import { dayTime, ROLE_WORDS, shortTime } from '../../words.ts';
import { agentNow } from '../../agent.ts';
import type { Done, Target } from './mitigate-page.tsx';

export function RestartDialog({ target, onClose, onDone }: { target: Target; onClose: () => void; onDone: (done: Done) => void }) {
  const { info } = target;
  const [reason, setReason] = useState('');
  const site = useAsk((signal) => diag.siteRestart({ signal }), []);
  const canOverlap = site.value?.overlapped.yes === true && info.role === 'worker';
  const [overlap, setOverlap] = useState(true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const name = `${ROLE_WORDS[info.role]} ${info.pid}`;
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    const body = { pid: info.pid, startedAt: info.startedAt, ...(reason.trim() === '' ? {} : { reason: reason.trim() }), ...(canOverlap && overlap ? { overlapped: true } : {}) };
    ask(() => diag.restart({ body })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); setBusy(false); });
  };
  return (
    <Dialog title={`Restart ${name}, started ${shortTime(info.startedAt, agentNow())}`} onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <p>This ends <b>{info.name}</b>, process <b>{info.pid}</b>, started <b>{dayTime(info.startedAt)}</b> (<Ago at={info.startedAt} />). If another process has this pid by now, nothing is ended.</p>
        <p class="cost-line">{canOverlap && overlap ? 'The next worker is started first; when it answers, new requests go to it, and this one is ended when it has answered what it had: no request fails.' : target.says}</p>
        {canOverlap ? <label class="check"><input type="checkbox" checked={overlap} onChange={(e) => setOverlap(e.currentTarget.checked)} />The next worker answers before this one is ended</label> : undefined}
        <label>Reason, for the history<input type="text" maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" onClick={onClose}>Leave it running</button><button type="submit" class="go bad" disabled={busy}>{busy ? 'Restarting …' : `Restart ${name}`}</button></div>
      </form>
    </Dialog>
  );
}
