// Owns the Mitigate page: what is wrong, what can be restarted and at what cost, the rules that act alone, and who changed what.
import { useState } from 'preact/hooks';
import type { z } from 'zod';
import type { RestartDone, RestartTarget } from '../../../shared/api.ts';
import { diag } from '../../agent.ts';
import { Empty, Show } from '../../parts/states.tsx';
import { Ago, Time } from '../../parts/text.tsx';
import { around, formatRange } from '../../range.ts';
import { Link, viewOf } from '../../router.tsx';
import { useAsk } from '../../use-ask.ts';
import { ROLE_WORDS, time, whyNot } from '../../words.ts';
import { History } from './history.tsx';
import { ChannelsPart } from './channels-part.tsx';
import { Later } from '../../parts/later.tsx';
import { RestartDialog } from './restart-dialog.tsx';
import { RuleHistory } from './rule-history.tsx';
import { SitePart } from './site-part.tsx';
import { RulesPart } from './rules-part.tsx';
import { WrongNow } from './wrong-now.tsx';

export type Target = z.infer<typeof RestartTarget>;
export type Done = z.infer<typeof RestartDone>;
const EVERY_MS = 3_000;
const autoHealPart = async () => (await import('./auto-heal-part.tsx')).AutoHealPart;

export function MitigatePage() {
  const asked = useAsk((signal) => diag.restartTargets({ signal }), [], EVERY_MS);
  const [chosen, setChosen] = useState<Target>();
  const [done, setDone] = useState<Done>();
  const [turn, setTurn] = useState(0);
  const finish = (result: Done): void => { setChosen(undefined); setDone(result); setTurn(turn + 1); asked.again(); };
  return (
    <main id="main" class="mitigate" tabIndex={-1}>
      <h1 class="sr">Mitigate</h1>
      <WrongNow />
      <section class="wide">
        <h2>Restart a worker <small>ends one process; the platform starts the next</small></h2>
        {done ? <Result done={done} /> : undefined}
        <Show asked={asked} rows={3}>{({ targets }) => (targets.length === 0
          ? <Empty title="No process of the site is running.">The first request starts the worker.</Empty>
          : <ul class="targets">{targets.map((t) => <TargetRow key={`${t.info.pid}:${t.info.startedAt}`} target={t} onChoose={() => { setDone(undefined); setChosen(t); }} />)}</ul>)}</Show>
      </section>
      <SitePart onChange={() => setTurn(turn + 1)} />
      <RulesPart onChange={() => setTurn(turn + 1)} />
      <Later title="Auto-heal" load={autoHealPart} props={{ onChange: () => setTurn(turn + 1) }} whole={false} />
      <RuleHistory turn={turn} />
      <ChannelsPart />
      <History turn={turn} />
      {chosen ? <RestartDialog target={chosen} onClose={() => setChosen(undefined)} onDone={finish} /> : undefined}
    </main>
  );
}

function TargetRow({ target, onChoose }: { target: Target; onChoose: () => void }) {
  const { info, offer, says } = target;
  return (
    <li class={offer.yes ? 'target' : 'target off'}>
      <div><p><b>{info.name} {info.pid}</b> <span class={`role ${info.role}`}>{ROLE_WORDS[info.role]}</span></p>
        <p class="session-facts">started <Time at={info.startedAt} form="day" /> (<Ago at={info.startedAt} />){info.commandLine === undefined ? undefined : <> · <code title={info.commandLine}>{info.commandLine}</code></>}</p></div>
      <p class="says">{offer.yes ? says : whyNot(offer)}</p>
      <button type="button" class="quiet danger" disabled={!offer.yes} onClick={onChoose}>Restart {ROLE_WORDS[info.role]} {info.pid}</button>
    </li>
  );
}

/** What happened, with the new process when it was seen in time. */
function Result({ done }: { done: Done }) {
  return (
    <div class="restart-done" role="status">
      <p><b>Process {done.ended.pid} ended at {time(done.at)}{done.overlapped === true ? ', after the next one had answered' : ''}.</b> {done.next === undefined ? 'The next one has not been seen yet; it starts with the next request at the latest.' : `Process ${done.next.pid}, started ${time(done.next.startedAt)}, took over.`}</p>
      <Link to={viewOf('observe', { range: formatRange(around(done.at)) })}>Look at the charts around it</Link>
    </div>
  );
}
