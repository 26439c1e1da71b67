// Owns the form of auto-heal: triggers and action with their bounds told while they are typed, then the difference, then the write.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { ACTION_TYPES, type AutoHealCheck, type AutoHealNote, type AutoHealRules, type AutoHealView } from '../../../shared/auto-heal.ts';
import { notesOn } from '../../../shared/auto-heal-bounds.ts';
import { diag } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure } from '../../parts/states.tsx';
import { useDeed } from '../../use-deed.ts';
import { Diff } from './auto-heal-diff.tsx';
import { healDraftOf, NEW_STATUS, rulesOf, type HealDraft, type StatusDraft } from './auto-heal-draft.ts';

const ACTIONS: Readonly<Record<(typeof ACTION_TYPES)[number], string>> = { Recycle: 'Recycle the worker', LogEvent: 'Write into the event log', CustomAction: 'Run a program' };
const MAX_STATUSES = 20;

interface Given { readonly view: AutoHealView; readonly begun?: AutoHealRules; onClose(): void; onDone(): void }

export function AutoHealForm({ view, begun, onClose, onDone }: Given) {
  const [draft, setDraft] = useState(() => healDraftOf(begun ?? view.rules));
  const [check, setCheck] = useState<AutoHealCheck>();
  const { busy, problem, run } = useDeed();
  const made = rulesOf(draft);
  const notes = typeof made === 'string' ? [] : notesOn(made);
  const wrong = typeof made === 'string' || notes.some(({ level }) => level === 'error');
  const set = (change: Partial<HealDraft>): void => { setDraft({ ...draft, ...change }); setCheck(undefined); };
  const judged = (work: (rules: AutoHealRules) => Promise<void>): void => { if (typeof made !== 'string') run(() => work(made)); };
  const look = (event: Event): void => { event.preventDefault(); judged(async (rules) => { setCheck(await diag.checkAutoHeal({ body: { rules, leaveOut: false } })); }); };
  // The file as it was when this dialog opened: a change of somebody else meanwhile is a conflict, and is said.
  const write = (): void => judged(async (rules) => { await diag.putAutoHeal({ body: { rules, leaveOut: true, etag: view.etag } }); onDone(); });
  return (
    <Dialog title="Auto-heal in web.config" onClose={onClose} wide>
      <form class="fields rule-form heal-form" onSubmit={look}>
        <Triggers draft={draft} set={set} />
        <Action draft={draft} set={set} />
        {typeof made === 'string' ? <p class="rule-wrong" role="status">{made}</p> : <Notes notes={check?.notes ?? notes} off={Object.keys(made).length === 0} />}
        {check === undefined ? undefined : <Checked check={check} />}
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot">
          <button type="button" class="quiet" onClick={onClose}>Cancel</button>
          <button type="submit" class={check === undefined ? 'go' : 'quiet'} disabled={busy || wrong}>Show the difference</button>
          {check?.changes === true ? <button type="button" class="go bad" disabled={busy || wrong || view.refused !== undefined} onClick={write}>{busy ? 'Writing …' : 'Write it and restart the app'}</button> : undefined}
        </div>
        {view.refused === undefined ? undefined : <p class="rule-wrong">It cannot be written here: {view.refused}.</p>}
      </form>
    </Dialog>
  );
}

function Triggers({ draft, set }: { draft: HealDraft; set: (change: Partial<HealDraft>) => void }) {
  const status = (index: number, change: Partial<StatusDraft>): void => set({ statuses: draft.statuses.map((one, i) => (i === index ? { ...one, ...change } : one)) });
  return (
    <fieldset><legend>When one of these happens</legend>
      {draft.statuses.map((one, i) => (
        <div class="fields row" key={i}>
          <Text label="Status" value={one.status} set={(value) => status(i, { status: value })} /><Text label="Sub-status" value={one.sub} set={(sub) => status(i, { sub })} /><Text label="Win32" value={one.win32} set={(win32) => status(i, { win32 })} />
          <Text label="At least" value={one.count} set={(count) => status(i, { count })} /><Text label="Within (s)" value={one.withinS} set={(withinS) => status(i, { withinS })} />
          <button type="button" class="quiet" aria-label={`Take away status ${one.status}`} onClick={() => set({ statuses: draft.statuses.filter((_, at) => at !== i) })}>Take away</button>
        </div>))}
      <div><button type="button" class="quiet" disabled={draft.statuses.length >= MAX_STATUSES} onClick={() => set({ statuses: [...draft.statuses, NEW_STATUS] })}>Add a status</button></div>
      <Trigger title="Slow requests" on={draft.slow} turn={(slow) => set({ slow })}><Text label="Longer than (s)" value={draft.slowTakenS} set={(slowTakenS) => set({ slowTakenS })} /><Text label="At least" value={draft.slowCount} set={(slowCount) => set({ slowCount })} /><Text label="Within (s)" value={draft.slowWithinS} set={(slowWithinS) => set({ slowWithinS })} /></Trigger>
      <Trigger title="Memory" on={draft.memory} turn={(memory) => set({ memory })}><Text label="Private bytes (KB)" value={draft.memoryKB} set={(memoryKB) => set({ memoryKB })} /></Trigger>
      <Trigger title="All requests" on={draft.requests} turn={(requests) => set({ requests })}><Text label="At least" value={draft.requestCount} set={(requestCount) => set({ requestCount })} /><Text label="Within (s)" value={draft.requestWithinS} set={(requestWithinS) => set({ requestWithinS })} /></Trigger>
    </fieldset>
  );
}

function Action({ draft, set }: { draft: HealDraft; set: (change: Partial<HealDraft>) => void }) {
  return (
    <fieldset><legend>Do</legend>
      <div class="fields row">
        <label class="grow">Action<select value={draft.action} onChange={(e) => set({ action: e.currentTarget.value as HealDraft['action'] })}>{ACTION_TYPES.map((one) => <option key={one} value={one}>{ACTIONS[one]}</option>)}</select></label>
        <Text label="Process older than (s)" value={draft.leastS} set={(leastS) => set({ leastS })} />
      </div>
      {draft.action === 'CustomAction' ? <div class="fields row"><label class="grow">Program<input type="text" value={draft.exe} onInput={(e) => set({ exe: e.currentTarget.value })} placeholder="D:\home\site\tools\collect.exe" /></label><label class="grow">Parameters<input type="text" value={draft.parameters} onInput={(e) => set({ parameters: e.currentTarget.value })} /></label></div> : undefined}
    </fieldset>
  );
}

function Checked({ check }: { check: AutoHealCheck }) {
  return <>
    {check.unsaid.length === 0 ? undefined : <div class="heal-notes" role="status"><p><b>web.config has no words for this, and it is left out:</b></p><ul>{check.unsaid.map((one) => <li key={one} class="warning">{one}</li>)}</ul></div>}
    <Diff diff={check.diff} />
    {check.changes ? <p class="cost-line">Writing it restarts the app: requests in flight may fail, and the next ones wait for the start. The file as it is now is kept as a backup.</p> : undefined}
  </>;
}

/** Errors first; notes are what a trigger cannot see. */
export function Notes({ notes, off = false }: { notes: readonly AutoHealNote[]; off?: boolean }) {
  const order = ['error', 'warning', 'note'] as const;
  if (off) return <p class="rule-says" role="status">Without a trigger auto-heal is off: the monitoring element is taken away.</p>;
  const sorted = [...notes].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return <div class="heal-notes" role="status"><ul>{sorted.map(({ level, on, says, source }) => <li key={`${on} ${says}`} class={level}><b>{level === 'error' ? 'Wrong' : level === 'warning' ? 'Mind' : 'Note'}</b> {says}{source === undefined ? undefined : <small> ({source})</small>}</li>)}</ul></div>;
}

function Trigger({ title, on, turn, children }: { title: string; on: boolean; turn: (on: boolean) => void; children: ComponentChildren }) {
  return <div class="fields row"><label class="check heal-on"><input type="checkbox" checked={on} onChange={() => turn(!on)} />{title}</label>{on ? children : undefined}</div>;
}

function Text({ label, value, set }: { label: string; value: string; set: (value: string) => void }) {
  return <label class="narrow">{label}<input type="text" inputMode="numeric" value={value} onInput={(e) => set(e.currentTarget.value)} /></label>;
}
