// Owns the answer to a trial: when the rule would have fired.
import type { Rule, TrialView } from '../../../shared/rules.ts';
import { plural } from '../../../shared/units.ts';
import { diag } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Show } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { useState } from 'preact/hooks';
import { useAsk } from '../../use-ask.ts';

const SHOWN = 50;

export function TrialResult({ trial }: { trial: TrialView }) {
  if (trial.cannot !== undefined) return <p class="rule-says" role="status">The past cannot tell: {trial.cannot}.</p>;
  return (
    <div class="trial" role="status">
      <p><b>{trial.firedCount === 0 ? 'It would not have fired' : `It would have fired ${plural(trial.firedCount, 'time')}`}</b> from <Time at={trial.from} form="short" /> to <Time at={trial.to} form="short" />; {trial.measured.toLocaleString('en')} of {trial.steps.toLocaleString('en')} steps were measured. {trial.note}</p>
      {trial.fired.length === 0 ? undefined : <ol>{trial.fired.slice(0, SHOWN).map(({ at, says }) => <li key={at}><Time at={at} form="day" /> <span>{says}</span></li>)}</ol>}
      {trial.firedCount > SHOWN ? <p>and {trial.firedCount - SHOWN} more</p> : undefined}
    </div>
  );
}

const SPANS = [1, 24, 120] as const;

export function TryDialog({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const [hours, setHours] = useState<number>(24);
  const asked = useAsk((signal) => diag.tryRule({ params: { rule: rule.id }, body: { hours }, signal }), [hours]);
  return (
    <Dialog title={`When ${rule.id} would have fired`} onClose={onClose} wide>
      <div class="fields">
        <label>How far back<select value={hours} onChange={(e) => setHours(Number(e.currentTarget.value))}>{SPANS.map((one) => <option key={one} value={one}>{one === 1 ? 'an hour, each second' : one === 24 ? 'a day' : 'five days'}</option>)}</select></label>
        <Show asked={asked} rows={3}>{(trial) => <TrialResult trial={trial} />}</Show>
      </div>
    </Dialog>
  );
}
