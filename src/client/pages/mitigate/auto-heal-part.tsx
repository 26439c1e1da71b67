// Owns auto-heal on the page: what web.config says, what it cannot see, and the ways to change it.
import { useState } from 'preact/hooks';
import type { AutoHealRules, AutoHealView } from '../../../shared/auto-heal.ts';
import { actionWords, triggerWords } from '../../../shared/auto-heal-words.ts';
import { plural } from '../../../shared/units.ts';
import { diag } from '../../agent.ts';
import { Show } from '../../parts/states.tsx';
import { useAsk } from '../../use-ask.ts';
import { BackupsDialog, ConvertDialog, WouldFireDialog } from './auto-heal-dialogs.tsx';
import { AutoHealForm, Notes } from './auto-heal-form.tsx';
import { PlatformHeal } from './auto-heal-platform.tsx';

type Open = { readonly kind: 'fired' | 'backups' | 'convert' } | { readonly kind: 'form'; readonly begun?: AutoHealRules };

export function AutoHealPart({ onChange }: { onChange: () => void }) {
  const asked = useAsk((signal) => diag.autoHeal({ signal }), []);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const done = (): void => { close(); onChange(); asked.again(); };
  const view = asked.value;
  const readable = view !== undefined && view.unreadable === undefined;
  return (
    <section class="wide heal">
      <h2>Auto-heal <small>the platform's own healing, as the site's web.config and its configuration say it</small></h2>
      <div class="rules-tools">
        <button type="button" class="quiet" disabled={!readable} onClick={() => setOpen({ kind: 'form' })}>Edit auto-heal</button>
        <button type="button" class="quiet" disabled={view?.enabled !== true} onClick={() => setOpen({ kind: 'fired' })}>When it would have fired</button>
        <button type="button" class="quiet" disabled={view === undefined} onClick={() => setOpen({ kind: 'backups' })}>Backups{view === undefined ? '' : ` (${view.backups.length})`}</button>
        <button type="button" class="quiet" disabled={!readable} onClick={() => setOpen({ kind: 'convert' })}>Rules and Bicep …</button>
      </div>
      <Show asked={asked} rows={3}>{(shown) => <State view={shown} />}</Show>
      <PlatformHeal onChange={onChange} />
      {open === undefined || view === undefined ? undefined : <Opened open={open} view={view} close={close} done={done} take={(begun) => setOpen({ kind: 'form', begun })} />}
    </section>
  );
}

function State({ view }: { view: AutoHealView }) {
  const { exists, enabled, rules, refused, unreadable, notes, encoding } = view;
  if (unreadable !== undefined) return <div class="heal-state"><p class="rule-wrong">web.config cannot be edited: {unreadable}.</p></div>;
  const triggers = triggerWords(rules);
  const minded = notes.filter(({ level }) => level !== 'note').length;
  return (
    <div class="heal-state">
      <p><b>{enabled ? 'Auto-heal is on.' : triggers.length === 0 && rules.actions === undefined ? 'Auto-heal is off.' : 'Auto-heal does nothing: it lacks its triggers or its action.'}</b> <span class="session-facts">{exists ? `web.config, ${encoding ?? ''}` : 'There is no web.config yet.'}</span></p>
      {triggers.length === 0 ? undefined : <ul class="heal-rules">{triggers.map(({ on, says }) => <li key={on}>When {says}</li>)}<li>then {actionWords(rules.actions)}.</li></ul>}
      {refused === undefined ? undefined : <p class="rule-note">It cannot be changed here: {refused}.</p>}
      {notes.length === 0 || !exists ? undefined : <details><summary>{minded === 0 ? 'What it cannot see' : `${plural(minded, 'thing')} to mind, and what it cannot see`}</summary><Notes notes={notes} /></details>}
    </div>
  );
}

function Opened({ open, view, close, done, take }: { open: Open; view: AutoHealView; close: () => void; done: () => void; take: (rules: AutoHealRules) => void }) {
  switch (open.kind) {
    case 'form': return <AutoHealForm view={view} onClose={close} onDone={done} {...(open.begun && { begun: open.begun })} />;
    case 'fired': return <WouldFireDialog onClose={close} />;
    case 'backups': return <BackupsDialog view={view} onClose={close} onDone={done} />;
    case 'convert': return <ConvertDialog rules={view.rules} onClose={close} onTake={take} />;
  }
}
