// Owns the steps of a session: state, what each does or did, how far it is, how long it took, why it failed.
import type { Step } from '../../../shared/model.ts';
import { duration } from '../../../shared/units.ts';
import { Empty } from '../../parts/states.tsx';
import { STEP_WORDS } from '../../words.ts';

const STAGES = [['collect', 'Collect'], ['analyze', 'Analyze']] as const;

export function Steps({ steps }: { steps: readonly Step[] }) {
  if (steps.length === 0) return <Empty title="No step has begun." />;
  return (
    <div class="steps">{STAGES.map(([stage, title]) => {
      const own = steps.filter((s) => s.stage === stage);
      return own.length === 0 ? undefined : <div key={stage}><h3>{title}</h3><ul>{own.map((s) => <StepRow key={s.id} step={s} />)}</ul></div>;
    })}</div>
  );
}

function StepRow({ step }: { step: Step }) {
  const running = step.state === 'running';
  return (
    <li class={`step ${step.state}`}>
      <span class="step-state">{STEP_WORDS[step.state]}</span>
      <span class="step-title">{step.title}</span>
      <span class="step-note">{step.because ?? step.note}{step.code === undefined ? undefined : <> <code>{step.code}</code></>}</span>
      <span class="num">{step.tookMs === undefined ? '' : duration(step.tookMs)}</span>
      {running ? <progress max={1} aria-label={`Progress of ${step.title}`} {...(step.fraction === undefined ? {} : { value: step.fraction })} /> : undefined}
    </li>
  );
}
