// Owns the plan on the page: how large it is, what a change would cost, and the change after a confirmation.
import { useState } from 'preact/hooks';
import type { Operation, Problem } from '../../../shared/api.ts';
import type { ScaleView } from '../../../shared/management.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure, Show } from '../../parts/states.tsx';
import { useAsk } from '../../use-ask.ts';
import { whyNot } from '../../words.ts';

export function PlanPart({ onDone }: { onDone: (operation: Operation) => void }) {
  const asked = useAsk((signal) => diag.management({ signal }), []);   // each answer is a request to the management API: once, and after a change
  const [changing, setChanging] = useState(false);
  return (
    <section class="wide">
      <h2>Scale the plan <small>out or in by instances, up or down by SKU</small></h2>
      <Show asked={asked} rows={1}>{({ offer, plan, missing }) => (
        <div class={plan === undefined ? 'target off' : 'target'}>
          <p>{plan === undefined ? <b>The plan is not known here</b> : <><b>{plan.plan}</b>: {plan.instances} × {plan.sku}</>}</p>
          <p class="says">{plan === undefined ? missing ?? whyNot(offer) : `${plan.sites === 1 ? 'One app is' : `${plan.sites} apps are`} in it, and a change is theirs too. From here it may have ${plan.least} to ${plan.most} instances.`}</p>
          <button type="button" class="quiet danger" disabled={plan === undefined} onClick={() => setChanging(true)}>Scale the plan</button>
          {changing && plan !== undefined ? <ScaleDialog plan={plan} onClose={() => setChanging(false)} onDone={(operation) => { setChanging(false); onDone(operation); asked.again(); }} /> : undefined}
        </div>)}</Show>
    </section>
  );
}

function ScaleDialog({ plan, onClose, onDone }: { plan: ScaleView; onClose: () => void; onDone: (operation: Operation) => void }) {
  const [typed, setTyped] = useState({ instances: String(plan.instances), sku: plan.sku, reason: '' });
  const [judged, setJudged] = useState<ScaleView>();
  const [problem, setProblem] = useState<Problem>();
  const change = { instances: Number(typed.instances), sku: typed.sku };
  const type = (patch: Partial<typeof typed>): void => { setTyped({ ...typed, ...patch }); setJudged(undefined); setProblem(undefined); };
  const submit = (event: Event): void => {
    event.preventDefault();
    const failed = (error: unknown): void => { setProblem(problemOf(error)); setJudged(undefined); };
    if (judged === undefined) ask(() => diag.judgeScale({ body: change })).then(setJudged, failed);
    else ask(() => diag.scale({ body: { change, ...(typed.reason.trim() === '' ? {} : { reason: typed.reason.trim() }) } })).then(onDone, failed);
  };
  return (
    <Dialog title={`Scale the plan ${plan.plan}`} onClose={onClose}>
      <form class="fields" onSubmit={submit}>
        <label>Instances<input type="number" min={plan.least} max={plan.most} required value={typed.instances} onInput={(e) => type({ instances: e.currentTarget.value })} /></label>
        <label>SKU<select value={typed.sku} onChange={(e) => type({ sku: e.currentTarget.value })}>{[...new Set([plan.sku, ...plan.skus])].map((sku) => <option key={sku} value={sku}>{sku}</option>)}</select></label>
        <label>Reason, for the history<input type="text" maxLength={500} value={typed.reason} onInput={(e) => setTyped({ ...typed, reason: e.currentTarget.value })} /></label>
        {judged?.to === undefined ? <p class="rule-says" role="status">What it costs is said before it is done.</p> : <p class="cost-line" role="status">{plan.instances} × {plan.sku} become {judged.to.instances} × {judged.to.sku}: {judged.cost}. {typed.sku === plan.sku ? '' : 'A change of SKU moves all apps of the plan to other machines: their workers start anew.'}</p>}
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" onClick={onClose}>Leave it as it is</button><button type="submit" class={judged === undefined ? 'go' : 'go bad'}>{judged === undefined ? 'What would it cost' : 'Scale the plan'}</button></div>
      </form>
    </Dialog>
  );
}
