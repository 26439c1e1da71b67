// Owns one session: its steps while it runs, Enough and Cancel, then its report and files.
import { useEffect, useState } from 'preact/hooks';
import type { Operation, Problem } from '../../../shared/api.ts';
import type { Session } from '../../../shared/model.ts';
import { bytes, duration } from '../../../shared/units.ts';
import { agentNow, ask, diag, fileAddress, problemOf } from '../../agent.ts';
import { useFollow } from '../../live/index.ts';
import { Failure, Skeleton } from '../../parts/states.tsx';
import { Sentence, Time, useTick } from '../../parts/text.tsx';
import { go, Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { dayTime, STATE_WORDS } from '../../words.ts';
import { Files } from './files.tsx';
import { ReportPane } from './report-pane.tsx';
import { DeleteDialog, sizeOf, stepsWord } from './sessions.tsx';
import { Steps } from './steps.tsx';

export function SessionPage({ id }: { id: string }) {
  const asked = useAsk((signal) => diag.session({ params: { session: id }, signal }), [id]);
  const [sent, setSent] = useState<Session>();
  const running = (sent ?? asked.value)?.state === 'running';
  useFollow(() => ({ type: 'follow-session', session: id }), (message) => { if (message.type === 'session') setSent((was) => newer(was, message.session)); }, [id]);
  const session = sent ?? asked.value;
  return (
    <main id="main" class="session" tabIndex={-1}>
      <p class="crumb"><Link to={viewOf('analyze')}>Sessions</Link> / <code>{id}</code></p>
      {session ? undefined : <h1 class="sr">Session</h1>}
      {asked.problem && !session ? <section><Failure problem={asked.problem} again={asked.again} /></section> : undefined}
      {session ? <>
        <Head session={session} />
        {running ? <Running session={session} /> : undefined}
        {session.report ? <ReportPane session={session} /> : undefined}
        {running || session.report ? undefined : <section><h2>What ran <small>{stepsWord(session)}</small></h2><Steps steps={session.steps} /></section>}
        <Files session={session} />
      </> : asked.problem ? undefined : <section><Skeleton rows={8} /></section>}
    </main>
  );
}

/** A session that has ended does not run again: a late message of its last steps must not hide its report. */
export function newer(was: Session | undefined, sent: Session): Session {
  return was !== undefined && was.state !== 'running' && sent.state === 'running' ? was : sent;
}

function Head({ session }: { session: Session }) {
  const [doomed, setDoomed] = useState(false);
  const params = { session: session.id };
  const running = session.state === 'running';
  return (
    <section class="session-head">
      <div class="said">
        <p><span class={`state ${session.state}`}>{STATE_WORDS[session.state]}</span></p>
        <h1>{session.headline === undefined ? `Session of ${dayTime(session.madeAt)}` : <Sentence text={session.headline} />}</h1>
        {running && session.provisional !== undefined ? <p class="so-far"><b>So far:</b> <Sentence text={session.provisional.text} /></p> : undefined}
        <p class="session-facts"><Time at={session.madeAt} form="day" />{session.endedAt === undefined ? <RunningFor since={session.madeAt} on={running} /> : ` · took ${duration(session.endedAt - session.madeAt)}`} · instance <code>{session.instance}</code>{session.target === undefined ? '' : ` · process ${session.target.pid}`} · {bytes(sizeOf(session))} · by {session.askedBy}{session.reason === undefined ? '' : ` · “${session.reason}”`}</p>
      </div>
      <div class="session-acts">
        {session.report ? <a class="quiet" href={fileAddress('sessionPage', params)} target="_blank" rel="noreferrer">report.html</a> : undefined}
        {running ? undefined : <a class="quiet" href={fileAddress('sessionBundle', params)} download>Bundle</a>}
        <button type="button" class="quiet danger" disabled={running} onClick={() => setDoomed(true)}>Delete</button>
      </div>
      {doomed ? <DeleteDialog session={session} onClose={() => setDoomed(false)} onDone={() => go(viewOf('analyze'))} /> : undefined}
    </section>
  );
}

function RunningFor({ since, on }: { since: number; on: boolean }) {
  useTick();
  return on ? <> · for {duration(Math.max(1, Math.floor((agentNow() - since) / 1_000)) * 1_000)}</> : null;
}

function Running({ session }: { session: Session }) {
  const [operation, setOperation] = useState<Operation>();
  const [asking, setAsking] = useState<'enough' | 'cancel'>();
  const [problem, setProblem] = useState<Problem>();
  const note = (list: readonly Operation[]): void => {
    const own = list.find((o) => o.session === session.id);
    if (own) setOperation(own);
  };
  useEffect(() => { ask(() => diag.operations()).then((a) => note(a.operations), (error: unknown) => setProblem(problemOf(error))); }, [session.id]);
  useFollow(() => ({ type: 'follow', topic: 'operations' }), (message) => { if (message.type === 'operations') note(message.items); }, [session.id]);
  const end = (how: 'enough' | 'cancel'): void => {
    if (!operation) return;
    setAsking(how);
    const params = { operation: operation.id };
    ask(() => (how === 'enough' ? diag.enoughOperation({ params }) : diag.cancelOperation({ params }))).then(setOperation, (error: unknown) => { setProblem(problemOf(error)); setAsking(undefined); });
  };
  return (
    <section aria-live="polite">
      <h2>Running <small>{stepsWord(session)}{operation?.note === undefined ? '' : ` · ${operation.note}`}</small>
        <span class="tail-tools">
          <button type="button" class="quiet" disabled={!operation || asking !== undefined} onClick={() => end('enough')} title="Stop collecting and write the report from what is there">{asking === 'enough' ? 'Finishing …' : 'Enough'}</button>
          <button type="button" class="quiet danger" disabled={!operation || asking !== undefined} onClick={() => end('cancel')} title="Stop and leave nothing">{asking === 'cancel' ? 'Cancelling …' : 'Cancel'}</button>
        </span></h2>
      {problem ? <Failure problem={problem} /> : undefined}
      <Steps steps={session.steps} />
    </section>
  );
}
