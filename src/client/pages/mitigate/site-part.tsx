// Owns the restarts of more than one worker on the page: what each way does to users, the walk over the instances with its stop, and the plan.
import { useState } from 'preact/hooks';
import type { Operation, Problem } from '../../../shared/api.ts';
import type { SiteRestartView, WalkView } from '../../../shared/restart.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Failure, Show } from '../../parts/states.tsx';
import { Ago } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';
import { PlanPart } from './plan-part.tsx';
import { SiteDialog } from './site-dialog.tsx';
import { whyNot } from '../../words.ts';

const EVERY_MS = 2_000;
export type Way = SiteRestartView['ways'][number];
export const WAY_WORDS: Readonly<Record<Way['way'], { readonly title: string; readonly go: string }>> = {
  instance: { title: 'This instance', go: 'Restart this instance' },
  instances: { title: 'One instance after another', go: 'Restart all instances in turn' },
  platform: { title: 'The whole site', go: 'Restart the whole site' },
};

export function SitePart({ onChange }: { onChange: () => void }) {
  const asked = useAsk((signal) => diag.siteRestart({ signal }), [], EVERY_MS);
  const running = useAsk((signal) => diag.operations({ signal }), [], EVERY_MS);
  const [chosen, setChosen] = useState<Way>();
  const [begun, setBegun] = useState<string>();
  const job = running.value?.operations.find(({ id }) => id === begun);
  return (
    <>
      <section class="wide">
        <h2>Restart the site <small>more than one worker, and what that does to users</small></h2>
        {job === undefined ? undefined : <Job job={job} />}
        <Show asked={asked} rows={3}>{(view) => <>
          {view.walk === undefined ? undefined : <Walk walk={view.walk} again={asked.again} />}
          <ul class="targets">{view.ways.map((way) => <WayRow key={way.way} way={way} onChoose={() => setChosen(way)} />)}</ul>
          {view.overlapped.yes ? undefined : <p class="session-facts site-note">No restart with overlap here: {view.overlapped.because}.</p>}
          {chosen === undefined ? undefined : <SiteDialog way={chosen} overlapped={view.overlapped} pauseMs={view.pauseMs} onClose={() => setChosen(undefined)} onDone={(operation) => { setChosen(undefined); setBegun(operation.id); asked.again(); running.again(); onChange(); }} />}
        </>}</Show>
      </section>
      <PlanPart onDone={(operation) => { setBegun(operation.id); running.again(); onChange(); }} />
    </>
  );
}

function WayRow({ way: { way, offer, says }, onChoose }: { way: Way; onChoose: () => void }) {
  const { title, go } = WAY_WORDS[way];
  return (
    <li class={offer.yes ? 'target' : 'target off'}>
      <p><b>{title}</b></p>
      <p class="says">{offer.yes ? says : whyNot(offer)}</p>
      <button type="button" class="quiet danger" disabled={!offer.yes} onClick={onChoose}>{go}</button>
    </li>
  );
}

const ENDS: Readonly<Record<Operation['state'], string>> = { running: '', done: 'Done: ', failed: 'It failed: ', cancelled: 'It was cancelled: ' };

function Job({ job }: { job: Operation }) {
  return <div class="restart-done" role="status"><p><b>{job.title}.</b> {ENDS[job.state]}{job.note ?? 'It has begun.'}</p></div>;
}

function Walk({ walk, again }: { walk: WalkView; again: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const runs = walk.state === 'calling' || walk.state === 'running';
  const stop = (): void => { ask(() => diag.stopWalk()).then(again, (error: unknown) => { setProblem(problemOf(error)); }); };
  return (
    <div class="restart-done">
      <p role="status"><b>One instance after another</b>, begun by {walk.who} <Ago at={walk.at} />: {walk.says}</p>
      {runs ? <button type="button" class="quiet" onClick={stop}>Stop the restart of the instances</button> : undefined}
      {problem ? <Failure problem={problem} /> : undefined}
    </div>
  );
}
