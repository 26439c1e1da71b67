// Owns the list of rules on the page: each in words with its live phase, its reading, what holds it back, and what can be done with it.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import type { RuleView, RulesView } from '../../../shared/rules.ts';
import { plural } from '../../../shared/units.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Empty, Failure, Show } from '../../parts/states.tsx';
import { Ago, Time } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';
import { draftOf, type Draft } from './rule-draft.ts';
import { RuleForm } from './rule-form.tsx';
import { RulesText } from './rules-text.tsx';
import { TryDialog } from './rule-try.tsx';

const EVERY_MS = 2_000;
/** Of a long list those that do something come first; the rest is behind a button. */
const SHOWN = 30;
const PHASES: readonly RuleView['phase'][] = ['acting', 'held', 'pending', 'unknown', 'idle', 'off'];

type Open = { readonly kind: 'text' | 'presets' } | { readonly kind: 'form'; readonly begun: Draft; readonly view?: RuleView } | { readonly kind: 'try' | 'remove'; readonly view: RuleView };

export function RulesPart({ onChange }: { onChange: () => void }) {
  const asked = useAsk((signal) => diag.rules({ signal }), [], EVERY_MS);
  const [open, setOpen] = useState<Open>();
  const [all, setAll] = useState(false);
  const close = (): void => setOpen(undefined);
  const done = (): void => { close(); onChange(); asked.again(); };
  return (
    <section class="wide">
      <h2>Rules <small>watch the site and act: evidence first, then the cure, within limits</small></h2>
      <div class="rules-tools"><button type="button" class="quiet" disabled={asked.value === undefined} onClick={() => setOpen({ kind: 'form', begun: draftOf(undefined) as Draft })}>New rule</button><button type="button" class="quiet" disabled={asked.value === undefined} onClick={() => setOpen({ kind: 'presets' })}>From a preset …</button><button type="button" class="quiet" disabled={asked.value === undefined} onClick={() => setOpen({ kind: 'text' })}>Edit as text</button></div>
      <Show asked={asked} rows={3}>{(view) => <Rules view={view} all={all} onAll={() => setAll(true)} onOpen={setOpen} done={done} />}</Show>
      {open === undefined || asked.value === undefined ? undefined : <Opened open={open} view={asked.value} close={close} done={done} />}
    </section>
  );
}

function Rules({ view, all, onAll, onOpen, done }: { view: RulesView; all: boolean; onAll: () => void; onOpen: (open: Open) => void; done: () => void }) {
  const rows = view.rules.map((one, i) => ({ one, i })).sort((a, b) => PHASES.indexOf(a.one.phase) - PHASES.indexOf(b.one.phase) || a.i - b.i).map(({ one }) => one);
  const shown = all ? rows : rows.slice(0, SHOWN);
  return <>
    {view.leads ? undefined : <p class="rule-note">Another agent of this instance watches and acts; phases are what it wrote last.</p>}
    {view.faults.map((fault) => <p key={fault} class="rule-wrong">{fault}</p>)}
    {rows.length === 0 && view.refused.length === 0 ? <Empty title="There is no rule yet.">Begin with a preset: each is whole, has its limits, and is off until you turn it on.</Empty> : undefined}
    <ul class="rules">
      {view.refused.map(({ index, id, line, why }) => <li key={`refused ${index}`} class="rule refused"><p><b>{id ?? `rule ${index + 1}`}</b> <span class="phase">refused</span> <span class="rule-wrong">line {line}: {why}</span></p></li>)}
      {shown.map((one) => <RuleRow key={one.rule.id} view={one} version={view.version} onOpen={onOpen} onDone={done} />)}
    </ul>
    {rows.length > shown.length ? <button type="button" class="quiet" onClick={onAll}>Show all {plural(rows.length, 'rule')}</button> : undefined}
  </>;
}

function RuleRow({ view, version, onOpen, onDone }: { view: RuleView; version: string; onOpen: (open: Open) => void; onDone: () => void }) {
  const { rule, says, phase, since, heldSays, heldUntil, measured, error, firedLastDay, lastFiredAt } = view;
  const [problem, setProblem] = useState<Problem>();
  const draft = draftOf(rule);
  const turn = (): void => { setProblem(undefined); ask(() => diag.putRule({ params: { rule: rule.id }, body: { rule: { ...rule, enabled: !rule.enabled }, version } })).then(onDone, (failed: unknown) => { setProblem(problemOf(failed)); }); };
  return (
    <li class={`rule ${phase}`}>
      <div>
        <p><b>{rule.title ?? rule.id}</b> {rule.title === undefined ? undefined : <code>{rule.id}</code>} <span class={`phase ${phase}`}>{phase}</span>{since === undefined ? undefined : <small> since <Time at={since} form="short" /></small>}</p>
        <p class="session-facts">{says}</p>
        <p class="rule-now">{error === undefined ? readingOf(measured) : <span class="rule-wrong">{error}</span>}{heldSays === undefined ? undefined : <span class="rule-held"> Held back: {heldSays}{heldUntil === undefined ? '' : <> until <Time at={heldUntil} /></>}.</span>}{lastFiredAt === undefined ? undefined : <span> Fired <Ago at={lastFiredAt} />, {firedLastDay} in the last day.</span>}</p>
        {problem ? <Failure problem={problem} /> : undefined}
      </div>
      <div class="rule-does">
        <button type="button" class="quiet" aria-label={`Turn ${rule.enabled ? 'off' : 'on'} rule ${rule.id}`} onClick={turn}>{rule.enabled ? 'Turn off' : 'Turn on'}</button>
        <button type="button" class="quiet" aria-label={`Try rule ${rule.id}`} onClick={() => onOpen({ kind: 'try', view })}>Try</button>
        <button type="button" class="quiet" aria-label={`Edit ${draft === undefined ? 'text of ' : ''}rule ${rule.id}`} title={draft === undefined ? 'This rule says more than the form can show' : undefined} onClick={() => onOpen(draft === undefined ? { kind: 'text' } : { kind: 'form', begun: draft, view })}>{draft === undefined ? 'Edit text' : 'Edit'}</button>
        <button type="button" class="quiet danger" aria-label={`Take away rule ${rule.id}`} onClick={() => onOpen({ kind: 'remove', view })}>Take away</button>
      </div>
    </li>
  );
}

function readingOf(measured: RuleView['measured']): string {
  const said = measured.slice(0, 3).flatMap(({ says }) => (says === undefined ? [] : [says]));
  return said.length === 0 ? '' : `${said.join(', ')}.`;
}

function Opened({ open, view, close, done }: { open: Open; view: RulesView; close: () => void; done: () => void }) {
  // What was read when the dialog opened: a change of somebody else meanwhile is a conflict, and is said.
  const [{ text, version }] = useState(view);
  switch (open.kind) {
    case 'text': return <RulesText text={text} version={version} onClose={close} onDone={done} />;
    case 'presets': return <Presets onClose={close} taken={view.rules.map(({ rule }) => rule.id)} version={version} onDone={done} />;
    case 'form': return <RuleForm key={open.begun.id} begun={open.begun} before={open.view?.rule} version={version} onClose={close} onDone={done} />;
    case 'try': return <TryDialog rule={open.view.rule} onClose={close} />;
    case 'remove': return <Remove view={open.view} version={version} onClose={close} onDone={done} />;
  }
}

function Presets({ taken, version, onClose, onDone }: { taken: readonly string[]; version: string; onClose: () => void; onDone: () => void }) {
  const asked = useAsk((signal) => diag.rulePresets({ signal }), []);
  const [problem, setProblem] = useState<Problem>();
  const add = (rule: RuleView['rule']): void => { ask(() => diag.putRule({ params: { rule: rule.id }, body: { rule, version } })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); }); };
  return (
    <Dialog title="Begin with a preset" onClose={onClose} wide>
      {problem ? <Failure problem={problem} /> : undefined}
      <Show asked={asked} rows={6}>{({ presets }) => <ul class="rules">{presets.map(({ id, about, rule }) => <li key={id} class="rule"><p><b>{id}</b> {about}</p><div class="rule-does"><button type="button" class="quiet" disabled={taken.includes(id)} aria-label={taken.includes(id) ? `There already: ${id}` : `Add, off: ${id}`} onClick={() => add(rule)}>{taken.includes(id) ? 'There already' : 'Add, off'}</button></div></li>)}</ul>}</Show>
    </Dialog>
  );
}

function Remove({ view, version, onClose, onDone }: { view: RuleView; version: string; onClose: () => void; onDone: () => void }) {
  const [problem, setProblem] = useState<Problem>();
  const { id } = view.rule;
  const go = (event: Event): void => { event.preventDefault(); ask(() => diag.deleteRule({ params: { rule: id }, query: { version } })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); }); };
  return (
    <Dialog title={`Take rule ${id} away`} onClose={onClose}>
      <form class="fields" onSubmit={go}>
        <p>{view.says}. Its history stays; its limits begin anew if it comes back.</p>
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><button type="button" class="quiet" onClick={onClose}>Keep it</button><button type="submit" class="go bad">Take it away</button></div>
      </form>
    </Dialog>
  );
}
