// Owns Diagnose now: which diagnosers, how far back, why; each with its cost, those not possible here greyed with their reason.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../../shared/api.ts';
import type { ProcessInfo } from '../../shared/model.ts';
import { ask, diag, problemOf } from '../agent.ts';
import { go, sessionView } from '../router.tsx';
import { useAsk } from '../use-ask.ts';
import { COST_WORDS, costOf, type Diagnoser } from './diagnose-cost.ts';
import { Dialog } from './dialog.tsx';
import { fieldsOf, OptionsForm } from './options-form.tsx';
import { Failure, Show } from './states.tsx';

const MINUTES = [5, 15, 30, 60, 240, 1_440, 7_200] as const;
const DEFAULT_MINUTES = 15;
const minutesWord = (m: number): string => (m < 60 ? `${m} minutes` : m < 1_440 ? `${m / 60} h` : `${m / 1_440} d`);

/** `target`: this very process instead of the worker; `only`: what is ticked at first. */
export interface Aim { target?: ProcessInfo | undefined; only?: readonly string[] | undefined }

export function Diagnose({ onClose, ...aim }: Aim & { onClose: () => void }) {
  return <Dialog title={aim.target === undefined ? 'Diagnose now' : `Diagnose ${aim.target.name}, process ${aim.target.pid}`} onClose={onClose} wide><DiagnoseForm onStarted={onClose} {...aim} /></Dialog>;
}

/** The form alone, also a part of the Analyze page. */
export function DiagnoseForm({ onStarted, target, only }: Aim & { onStarted?: () => void }) {
  const asked = useAsk((signal) => diag.diagnosers({ ...(target === undefined ? {} : { query: { pid: target.pid } }), signal }), [target?.pid]);
  return <Show asked={asked} rows={8}>{(answer) => <Form diagnosers={answer.diagnosers} onStarted={onStarted} target={target} only={only} />}</Show>;
}

type Options = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function Form({ diagnosers, onStarted, target, only }: Aim & { diagnosers: readonly Diagnoser[]; onStarted: (() => void) | undefined }) {
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => new Set(diagnosers.filter((d) => (only?.includes(d.id) ?? d.preselected) && d.offer.yes).map((d) => d.id)));
  const [options, setOptions] = useState<Options>({});
  const [minutes, setMinutes] = useState<number>(DEFAULT_MINUTES);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const start = useRef<HTMLButtonElement>(null);
  useEffect(() => { if (start.current?.closest('dialog')) start.current.focus(); }, []);
  const chosen = diagnosers.filter((d) => ticked.has(d.id));
  const toggle = (id: string): void => {
    const next = new Set(ticked);
    if (!next.delete(id)) next.add(id);
    setTicked(next);
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    const body = { diagnosers: chosen.map((d) => ({ id: d.id, ...(options[d.id] ? { options: options[d.id] } : {}) })), minutes, ...(target === undefined ? {} : { target: { pid: target.pid, startedAt: target.startedAt } }), ...(reason.trim() === '' ? {} : { reason: reason.trim() }) };
    ask(() => diag.startSession({ body }))
      .then((accepted) => { onStarted?.(); go(sessionView(accepted.session)); }, (error: unknown) => { setProblem(problemOf(error)); setBusy(false); });
  };
  return (
    <form class="diagnose" onSubmit={submit}>
      <ul class="picks">{diagnosers.map((d) => <Pick key={d.id} one={d} ticked={ticked.has(d.id)} onToggle={() => toggle(d.id)} values={options[d.id] ?? {}} onValues={(v) => setOptions({ ...options, [d.id]: v })} />)}</ul>
      <div class="fields row">
        <label>Look back<select value={minutes} onChange={(e) => setMinutes(Number(e.currentTarget.value))}>{MINUTES.map((m) => <option key={m} value={m}>{minutesWord(m)}</option>)}</select></label>
        <label class="grow">Reason, for the report<input type="text" maxLength={500} value={reason} onInput={(e) => setReason(e.currentTarget.value)} placeholder="502s on /cart since the deployment" /></label>
      </div>
      {problem ? <Failure problem={problem} /> : undefined}
      <div class="form-foot"><small>{chosen.length} of {diagnosers.length} chosen · {costOf(chosen)}</small><button ref={start} type="submit" class="go" disabled={busy || chosen.length === 0}>{busy ? 'Starting …' : 'Diagnose now'}</button></div>
    </form>
  );
}

interface PickProps { one: Diagnoser; ticked: boolean; onToggle: () => void; values: Readonly<Record<string, unknown>>; onValues: (values: Readonly<Record<string, unknown>>) => void }
function Pick({ one, ticked, onToggle, values, onValues }: PickProps) {
  const fields = fieldsOf(one.options);
  const id = `pick-${one.id}`;
  return (
    <li class={one.offer.yes ? 'pick' : 'pick off'}>
      <input id={id} type="checkbox" checked={ticked} disabled={!one.offer.yes} onChange={onToggle} aria-describedby={`${id}-about`} />
      <label for={id}>{one.title}</label>
      <small class={`cost ${one.cost}`}>{one.offer.yes ? (one.costNote ?? COST_WORDS[one.cost]) : 'not possible here'}</small>
      <p id={`${id}-about`}>{one.offer.yes ? one.about : one.offer.because}</p>
      {ticked && fields.length > 0 ? <details><summary>Options</summary><OptionsForm id={id} fields={fields} values={values} onChange={onValues} /></details> : undefined}
    </li>
  );
}
