// Owns auto-heal of the management API on the page: what it says, and its rules as text with their bounds, the difference, then the write.
import { useState } from 'preact/hooks';
import { AutoHealSent, type AutoHealRules, type PlatformHealCheck, type PlatformHealView } from '../../../shared/auto-heal.ts';
import { notesOn } from '../../../shared/auto-heal-bounds.ts';
import { actionWords, triggerWords } from '../../../shared/auto-heal-words.ts';
import { diag } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure, Show } from '../../parts/states.tsx';
import { useAsk } from '../../use-ask.ts';
import { useDeed } from '../../use-deed.ts';
import { Diff } from './auto-heal-diff.tsx';
import { Notes } from './auto-heal-form.tsx';

export function PlatformHeal({ onChange }: { onChange: () => void }) {
  const asked = useAsk((signal) => diag.platformAutoHeal({ signal }), []);
  const [isOpen, setOpen] = useState(false);
  return (
    <Show asked={asked} rows={1}>{(view) => <>
      <State view={view} onEdit={() => setOpen(true)} />
      {isOpen ? <PlatformForm view={view} onClose={() => setOpen(false)} onDone={() => { setOpen(false); onChange(); asked.again(); }} /> : undefined}
    </>}</Show>
  );
}

function State({ view: { offer, enabled, rules = {}, unreadable, notes }, onEdit }: { view: PlatformHealView; onEdit: () => void }) {
  if (!offer.yes) return <div class="heal-state"><p class="session-facts">By the management API it can be neither read nor set here: {offer.because}.</p></div>;
  if (unreadable !== undefined) return <div class="heal-state"><p class="rule-wrong">The management API answered, but {unreadable}.</p></div>;
  const triggers = triggerWords(rules);
  return (
    <div class="heal-state">
      <p><b>{enabled === true ? 'By the management API it is on.' : 'By the management API it is off.'}</b> <button type="button" class="quiet" onClick={onEdit}>Edit it there</button></p>
      {triggers.length === 0 ? undefined : <ul class="heal-rules">{triggers.map(({ on, says }) => <li key={on}>When {says}</li>)}<li>then {actionWords(rules.actions)}.</li></ul>}
      {notes.length === 0 ? undefined : <details><summary>What it cannot see</summary><Notes notes={notes} /></details>}
    </div>
  );
}

/** Rules of the text, or what is wrong with it. An empty object switches auto-heal off. */
function rulesIn(text: string): AutoHealRules | string {
  try {
    const parsed = AutoHealSent.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    return `${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function PlatformForm({ view, onClose, onDone }: { view: PlatformHealView; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState(() => JSON.stringify(view.rules ?? {}, undefined, 2));
  const [check, setCheck] = useState<PlatformHealCheck>();
  const { busy, problem, run } = useDeed();
  const made = rulesIn(text);
  const notes = typeof made === 'string' ? [] : notesOn(made);
  const wrong = typeof made === 'string' || notes.some(({ level }) => level === 'error');
  const judged = (work: (rules: AutoHealRules) => Promise<void>): void => { if (typeof made !== 'string') run(() => work(made)); };
  const look = (event: Event): void => { event.preventDefault(); judged(async (rules) => { setCheck(await diag.checkPlatformAutoHeal({ body: { rules } })); }); };
  // As it was when this dialog opened: a change of somebody else meanwhile is a conflict, and is said.
  const write = (): void => judged(async (rules) => { await diag.putPlatformAutoHeal({ body: { rules, etag: view.etag ?? '' } }); onDone(); });
  return (
    <Dialog title="Auto-heal through the management API" onClose={onClose} wide>
      <form class="fields rule-form heal-form" onSubmit={look}>
        <label>autoHealRules as JSON<textarea class="rules-text" rows={14} spellcheck={false} value={text} onInput={(e) => { setText(e.currentTarget.value); setCheck(undefined); }} /></label>
        {typeof made === 'string' ? <p class="rule-wrong" role="status">{made}</p> : notes.length === 0 ? undefined : <Notes notes={notes} />}
        {check === undefined ? undefined : <Diff diff={check.diff} />}
        {check?.changes === true ? <p class="cost-line">Writing it may restart the app: requests in flight may fail, and the next ones wait for the start. What is there now is kept in the audit.</p> : undefined}
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot">
          <button type="button" class="quiet" onClick={onClose}>Cancel</button>
          <button type="submit" class={check === undefined ? 'go' : 'quiet'} disabled={busy || wrong}>Show the difference</button>
          {check?.changes === true ? <button type="button" class="go bad" disabled={busy || wrong} onClick={write}>{busy ? 'Writing …' : 'Write it to the site'}</button> : undefined}
        </div>
      </form>
    </Dialog>
  );
}
