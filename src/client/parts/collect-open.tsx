// Owns the button that collects what would settle the causes that could not be told: one click, one more session.
import { useState } from 'preact/hooks';
import type { Problem } from '../../shared/api.ts';
import type { Report } from '../../shared/model.ts';
import { plural } from '../../shared/units.ts';
import { ask, diag, problemOf } from '../agent.ts';
import { go, sessionView } from '../router.tsx';
import { useAsk } from '../use-ask.ts';
import { costOf } from './diagnose-cost.ts';
import { Failure } from './states.tsx';

/** Nothing where all was told, or where nothing of it can be collected here. */
export function CollectOpen({ report }: { report: Report }) {
  const wanted = new Set(report.causes.filter((c) => c.verdict === 'cannot-tell').flatMap((c) => c.collect));
  return wanted.size === 0 ? <></> : <Collect session={report.session} wanted={wanted} />;
}

function Collect({ session, wanted }: { session: string; wanted: ReadonlySet<string> }) {
  const asked = useAsk((signal) => diag.diagnosers({ signal }), []);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const possible = asked.value?.diagnosers.filter((d) => wanted.has(d.id) && d.offer.yes) ?? [];
  if (possible.length === 0) return <></>;
  const start = (): void => {
    setBusy(true);
    ask(() => diag.startSession({ body: { diagnosers: possible.map((d) => ({ id: d.id })), reason: `settles what session ${session} could not tell` } }))
      .then((accepted) => { go(sessionView(accepted.session)); }, (error: unknown) => { setProblem(problemOf(error)); setBusy(false); });
  };
  return (
    <section class="collect-open" aria-label="What would settle it">
      <button type="button" class="quiet" disabled={busy} onClick={start}>{busy ? 'Starting …' : `Collect what would settle the open causes: ${plural(possible.length, 'diagnoser')}`}</button>
      <small>{possible.map((d) => d.title).join(', ')} · {costOf(possible)}</small>
      {problem ? <Failure problem={problem} /> : undefined}
    </section>
  );
}
