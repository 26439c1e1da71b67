// Owns the form of a rule: when, for how long, what is done and how often at most; wrong fields are told while they are typed.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { CAUSE_IDS } from '../../../shared/cause.ts';
import { metrics, metric, type MetricId } from '../../../shared/metrics.ts';
import type { Rule, TrialView } from '../../../shared/rules.ts';
import { diag } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure } from '../../parts/states.tsx';
import { useDeed } from '../../use-deed.ts';
import { FORM_ACTIONS, FORM_TYPES, ruleOf, type Draft, type FormAction } from './rule-draft.ts';
import { TrialResult } from './rule-try.tsx';

const TYPES: Readonly<Record<(typeof FORM_TYPES)[number], string>> = { metric: 'a metric', status: 'a status of requests', slow: 'slow requests', exit: 'a process that ends by itself', exception: 'an exception', log: 'a log line', probe: 'a probe of a path', cause: 'a cause that a session found' };
const ACTIONS: Readonly<Record<FormAction, string>> = { diagnose: 'Diagnose', collect: 'Collect …', recycle: 'Recycle the worker', 'end-process': 'End the process', notify: 'Tell the channels' };

interface Given { readonly begun: Draft; readonly before: Rule | undefined; readonly version: string; onClose(): void; onDone(): void }

export function RuleForm({ begun, before, version, onClose, onDone }: Given) {
  const [draft, setDraft] = useState(begun);
  const { busy, problem, run } = useDeed();
  const [trial, setTrial] = useState<TrialView>();
  const made = ruleOf(draft, before);
  const set = (change: Partial<Draft>): void => { setDraft({ ...draft, ...change }); setTrial(undefined); };
  const judged = (work: (rule: Rule) => Promise<void>): void => { if (typeof made !== 'string') run(() => work(made)); };
  const save = (event: Event): void => { event.preventDefault(); judged(async (rule) => { await diag.putRule({ params: { rule: rule.id }, body: { rule, version } }); onDone(); }); };
  const attempt = (): void => judged(async (rule) => { setTrial(await diag.tryRule({ params: { rule: rule.id }, body: { rule, hours: 24 } })); });
  return (
    <Dialog title={before === undefined ? 'A new rule' : `Rule ${before.id}`} onClose={onClose} wide>
      <form class="fields rule-form" onSubmit={save}>
        <div class="fields row">
          <Text label="Id" value={draft.id} set={(id) => set({ id })} readOnly={before !== undefined} />
          <label class="grow">Title<input type="text" maxLength={120} value={draft.title} onInput={(e) => set({ title: e.currentTarget.value })} /></label>
          <label class="check"><input type="checkbox" checked={draft.enabled} onChange={() => set({ enabled: !draft.enabled })} />On</label>
        </div>
        <fieldset><legend>When</legend><div class="fields row"><label>What is watched<select value={draft.type} onChange={(e) => set({ type: e.currentTarget.value as Draft['type'] })}>{FORM_TYPES.map((one) => <option key={one} value={one}>{TYPES[one]}</option>)}</select></label><Condition draft={draft} set={set} /></div>
          <div class="fields row"><Text label="Held for (s)" value={draft.forS} set={(forS) => set({ forS })} narrow /><Text label="Process older than (s)" value={draft.warmUpS} set={(warmUpS) => set({ warmUpS })} narrow /></div></fieldset>
        <fieldset><legend>Do, in this order</legend><Steps draft={draft} set={set} /></fieldset>
        <fieldset><legend>At most</legend><div class="fields row"><Text label="Pause between (min)" value={draft.cooldownMin} set={(cooldownMin) => set({ cooldownMin })} narrow /><Text label="An hour" value={draft.perHour} set={(perHour) => set({ perHour })} narrow /><Text label="A day" value={draft.perDay} set={(perDay) => set({ perDay })} narrow /></div></fieldset>
        <p class={typeof made === 'string' ? 'rule-wrong' : 'rule-says'} role="status">{typeof made === 'string' ? made : 'This rule can be kept.'}</p>
        {problem ? <Failure problem={problem} /> : undefined}
        {trial ? <TrialResult trial={trial} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" disabled={busy || typeof made === 'string'} onClick={attempt}>Try over the last day</button><button type="button" class="quiet" onClick={onClose}>Cancel</button><button type="submit" class="go" disabled={busy || typeof made === 'string'}>Keep the rule</button></div>
      </form>
    </Dialog>
  );
}

function Condition({ draft, set }: { draft: Draft; set: (change: Partial<Draft>) => void }) {
  const counted = <><Text label="At least" value={draft.count} set={(count) => set({ count })} narrow /><Text label="Within (s)" value={draft.withinS} set={(withinS) => set({ withinS })} narrow /></>;
  const request = <><Text label="Path (* is anything)" value={draft.path} set={(path) => set({ path })} />{counted}<Text label="Share of all (%)" value={draft.share} set={(share) => set({ share })} narrow /></>;
  switch (draft.type) {
    case 'metric': return <>
      <label class="grow">Metric<select value={draft.metric} onChange={(e) => set({ metric: e.currentTarget.value })}>{metrics.map(({ id, title }) => <option key={id} value={id}>{title} ({id})</option>)}</select></label>
      <label>Limit<select value={draft.side} onChange={(e) => set({ side: e.currentTarget.value as Draft['side'] })}><option value="above">at or above</option><option value="below">below</option></select></label>
      <Text label={metric(draft.metric as MetricId).unit} value={draft.limit} set={(limit) => set({ limit })} narrow /></>;
    case 'status': return <><Text label="Status" value={draft.status} set={(status) => set({ status })} narrow />{request}</>;
    case 'slow': return <><Text label="Longer than (ms)" value={draft.overMs} set={(overMs) => set({ overMs })} narrow />{request}</>;
    case 'log': return <><Text label="Pattern (RE2)" value={draft.pattern} set={(pattern) => set({ pattern })} /><Text label="Log (none: errors of all)" value={draft.source} set={(source) => set({ source })} />{counted}</>;
    case 'probe': return <><Text label="Path" value={draft.path} set={(path) => set({ path })} /><Text label="Every (s)" value={draft.everyS} set={(everyS) => set({ everyS })} narrow /><Text label="Failures in a row" value={draft.count} set={(count) => set({ count })} narrow /></>;
    case 'cause': return <><label>Cause<select value={draft.cause} onChange={(e) => set({ cause: e.currentTarget.value })}>{CAUSE_IDS.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>{counted}</>;
    default: return counted;
  }
}

function Steps({ draft, set }: { draft: Draft; set: (change: Partial<Draft>) => void }) {
  const change = (index: number, more: Partial<Draft['steps'][number]>): void => set({ steps: draft.steps.map((one, i) => (i === index ? { ...one, ...more } : one)) });
  return <>
    {draft.steps.map((one, i) => (
      <div class="fields row" key={i}>
        <label>Step {i + 1}<select value={one.type} onChange={(e) => change(i, { type: e.currentTarget.value as FormAction })}>{FORM_ACTIONS.map((type) => <option key={type} value={type}>{ACTIONS[type]}</option>)}</select></label>
        {one.type === 'collect' ? <label class="grow">Diagnosers, with commas<input type="text" value={one.diagnosers} onInput={(e) => change(i, { diagnosers: e.currentTarget.value })} placeholder="memory-dump" /></label> : undefined}
        <label class="check"><input type="checkbox" checked={one.evenIfFailed} onChange={() => change(i, { evenIfFailed: !one.evenIfFailed })} />also after a failure</label>
        <button type="button" class="quiet" disabled={draft.steps.length === 1} aria-label={`Take away step ${i + 1}`} onClick={() => set({ steps: draft.steps.filter((_, at) => at !== i) })}>Take away</button>
      </div>
    ))}
    <div><button type="button" class="quiet" disabled={draft.steps.length >= 10} onClick={() => set({ steps: [...draft.steps, { type: 'notify', diagnosers: '', evenIfFailed: true }] })}>Add a step</button></div>
  </>;
}

function Text({ label, value, set, narrow, readOnly }: { label: ComponentChildren; value: string; set: (value: string) => void; narrow?: boolean; readOnly?: boolean }) {
  return <label class={narrow ? 'narrow' : 'grow'}>{label}<input type="text" value={value} readOnly={readOnly} onInput={(e) => set(e.currentTarget.value)} /></label>;
}
