// Owns the list of kept sessions: state, what each found, size, pin, bundle, delete; and the way to a new one.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import type { Session } from '../../../shared/model.ts';
import { bytes, count, duration, plural } from '../../../shared/units.ts';
import { ask, diag, fileAddress, problemOf } from '../../agent.ts';
import { useFollow } from '../../live/index.ts';
import { DiagnoseForm } from '../../parts/diagnose.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Empty, Failure, Show } from '../../parts/states.tsx';
import { Sentence, Time } from '../../parts/text.tsx';
import { Link, sessionView } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { dayTime, STATE_WORDS } from '../../words.ts';

const EVERY_MS = 5_000;
export const sizeOf = (session: Session): number => session.artifacts.reduce((n, a) => n + a.bytes, 0);

export function Sessions({ onDiagnose }: { onDiagnose: () => void }) {
  const asked = useAsk((signal) => diag.sessions({ signal }), [], EVERY_MS);
  useFollow(() => ({ type: 'follow', topic: 'operations' }), (message) => { if (message.type === 'operations') asked.again(); }, []);
  const [doomed, setDoomed] = useState<Session>();
  return (
    <main id="main" class="analyze" tabIndex={-1}>
      <h1 class="sr">Analyze</h1>
      <section class="sessions">
        <h2>Sessions <small>newest first; ten are kept, for 20 days, pinned ones longer{asked.value && asked.value.unreadable > 0 ? ` · ${plural(asked.value.unreadable, 'folder')} could not be read` : ''}</small></h2>
        <Show asked={asked} rows={6}>{({ sessions }) => (sessions.length === 0
          ? <Empty title="No session yet.">Diagnose now collects logs, processes and a dump, analyzes them and writes a report. <button type="button" class="link" onClick={onDiagnose}>Diagnose now</button></Empty>
          : <ul class="session-list">{sessions.map((s) => <Row key={s.id} session={s} onDelete={() => setDoomed(s)} onChanged={asked.again} />)}</ul>)}</Show>
      </section>
      <section class="new-session"><h2>Diagnose now <small>collects, analyzes, writes a report</small></h2><DiagnoseForm /></section>
      {doomed ? <DeleteDialog session={doomed} onClose={() => setDoomed(undefined)} onDone={() => { setDoomed(undefined); asked.again(); }} /> : undefined}
    </main>
  );
}

function Row({ session, onDelete, onChanged }: { session: Session; onDelete: () => void; onChanged: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const pin = (): void => { ask(() => diag.pinSession({ params: { session: session.id }, body: { pinned: !session.pinned } })).then(onChanged, (error: unknown) => setProblem(problemOf(error))); };
  const running = session.state === 'running';
  return (
    <li class="session-row">
      <div class="session-main">
        <p class="session-title"><span class={`state ${session.state}`}>{STATE_WORDS[session.state]}</span><Link to={sessionView(session.id)}>{session.headline === undefined ? (running ? 'Collecting …' : `Session ${session.id}`) : <Sentence text={session.headline} />}</Link></p>
        <p class="session-facts"><Time at={session.madeAt} form="day" />{session.endedAt === undefined ? '' : ` · took ${duration(session.endedAt - session.madeAt)}`} · {stepsWord(session)} · {bytes(sizeOf(session))} · by {session.askedBy}{session.reason === undefined ? '' : ` · “${session.reason}”`}</p>
        {problem ? <Failure problem={problem} /> : undefined}
      </div>
      <div class="session-acts">
        <button type="button" class={session.pinned ? 'quiet pressed' : 'quiet'} aria-pressed={session.pinned} onClick={pin} title={session.pinned ? 'Pinned: it does not age out' : 'Pin: keep it from ageing out'}><Icon name="pin" />{session.pinned ? 'Pinned' : 'Pin'}</button>
        {running ? undefined : <a class="quiet" href={fileAddress('sessionBundle', { session: session.id })} download><Icon name="download" />Bundle</a>}
        <button type="button" class="quiet danger" disabled={running} onClick={onDelete} title={running ? 'It is still running: cancel it first' : undefined}>Delete</button>
      </div>
    </li>
  );
}

export function stepsWord(session: Session): string {
  const failed = session.steps.filter((s) => s.state === 'failed').length;
  const done = session.steps.filter((s) => s.state === 'done').length;
  return `${count(done)} of ${plural(session.steps.length, 'step')} done${failed > 0 ? `, ${count(failed)} failed` : ''}`;
}

export function DeleteDialog({ session, onClose, onDone }: { session: Session; onClose: () => void; onDone: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const remove = (): void => { ask(() => diag.deleteSession({ params: { session: session.id } })).then(onDone, (error: unknown) => setProblem(problemOf(error))); };
  return <Dialog title="Delete the session" onClose={onClose} foot={<><button type="button" class="quiet" onClick={onClose}>Keep it</button><button type="button" class="go bad" onClick={remove}>Delete {bytes(sizeOf(session))}</button></>}>
    <p>The session of {dayTime(session.madeAt)}, its report and {plural(session.artifacts.length, 'file')} are removed from the disk. This cannot be undone.</p>
    {problem ? <Failure problem={problem} /> : undefined}
  </Dialog>;
}
