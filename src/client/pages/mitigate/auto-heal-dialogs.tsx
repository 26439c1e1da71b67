// Owns what can be asked of auto-heal beside its form: when it would have fired, its backups, and its other forms.
import { useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import type { AutoHealRules, AutoHealView, ConvertedView } from '../../../shared/auto-heal.ts';
import { bytes, plural } from '../../../shared/units.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { canCopy, copy } from '../../parts/save.ts';
import { Empty, Failure, Show } from '../../parts/states.tsx';
import { Time } from '../../parts/text.tsx';
import { useAsk } from '../../use-ask.ts';
import { Diff } from './auto-heal-diff.tsx';

const SHOWN = 20;

export function WouldFireDialog({ onClose }: { onClose: () => void }) {
  const asked = useAsk((signal) => diag.tryAutoHeal({ body: { hours: 24 }, signal }), []);
  return (
    <Dialog title="When auto-heal would have fired in the last day" onClose={onClose} wide>
      <Show asked={asked} rows={4}>{({ triggers }) => (triggers.length === 0 ? <Empty title="Auto-heal is off.">Set a trigger and an action first.</Empty> : <ul class="rules">
        {triggers.map(({ on, says, firedCount, fired, cannot, note }) => (
          <li key={on} class="rule trial"><div><p><b>{says}</b></p>
            <p class={firedCount > 0 ? 'rule-held' : 'session-facts'}>{cannot === undefined ? (firedCount === 0 ? 'would not have fired' : `would have fired ${plural(firedCount, 'time')}`) : `The past cannot tell: ${cannot}.`}</p>
            {fired.length === 0 ? undefined : <ol>{fired.slice(0, SHOWN).map(({ at }) => <li key={at}><Time at={at} form="day" /></li>)}</ol>}
            {firedCount > SHOWN ? <p>and {firedCount - SHOWN} more</p> : undefined}{note === undefined ? undefined : <p class="session-facts">{note}</p>}</div></li>))}
      </ul>)}</Show>
    </Dialog>
  );
}

export function BackupsDialog({ view, onClose, onDone }: { view: AutoHealView; onClose: () => void; onDone: () => void }) {
  const [chosen, setChosen] = useState<string>();
  return (
    <Dialog title="Backups of web.config" onClose={onClose} wide>
      {view.backups.length === 0 ? <Empty title="There is no backup yet.">One is kept before every change; the newest twenty stay.</Empty> : <ul class="rules">
        {view.backups.map(({ id, at, bytes: size, existed, why }) => (
          <li key={id} class="rule"><div><p><b><Time at={at} form="day" /></b> {existed ? bytes(size) : 'there was no file'}</p><p class="session-facts">{why} · <code>{id}</code></p></div>
            <div class="rule-does"><button type="button" class="quiet" aria-expanded={chosen === id} aria-label={`Compare backup ${id}`} onClick={() => setChosen(chosen === id ? undefined : id)}>Compare</button></div>
            {chosen === id ? <div class="whole-row"><Backup id={id} refused={view.refused} onDone={onDone} /></div> : undefined}</li>))}
      </ul>}
    </Dialog>
  );
}

function Backup({ id, refused, onDone }: { id: string; refused: string | undefined; onDone: () => void }) {
  const asked = useAsk((signal) => diag.autoHealBackup({ params: { backup: id }, signal }), [id]);
  const [problem, setProblem] = useState<Problem>();
  const restore = (etag: string): void => { setProblem(undefined); ask(() => diag.restoreAutoHeal({ body: { backup: id, etag } })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); }); };
  return (
    <Show asked={asked} rows={4}>{({ diff, etag }) => <div class="fields">
      <Diff diff={diff} />
      {problem ? <Failure problem={problem} /> : undefined}
      {diff.hunks.length === 0 ? undefined : <><p class="cost-line">Restoring it restarts the app. The file as it is now is kept as a backup too.</p><div class="form-foot"><button type="button" class="go bad" disabled={refused !== undefined} onClick={() => restore(etag)}>Restore and restart</button></div></>}
    </div>}</Show>
  );
}

export function ConvertDialog({ rules, onClose, onTake }: { rules: AutoHealRules; onClose: () => void; onTake: (rules: AutoHealRules) => void }) {
  const [from, setFrom] = useState<'auto-heal' | 'rules'>('auto-heal');
  const asked = useAsk(async (signal): Promise<ConvertedView> => {
    if (from === 'auto-heal') return diag.convertAutoHeal({ body: { autoHeal: rules }, signal });
    const known = (await diag.rules({ signal })).rules.map(({ rule }) => rule).slice(0, 50);
    return known.length === 0 ? { lost: ['There is no rule yet.'] } : diag.convertAutoHeal({ body: { rules: known }, signal });
  }, [from]);
  return (
    <Dialog title="Auto-heal in other forms" onClose={onClose} wide>
      <div class="fields">
        <label>From<select value={from} onChange={(e) => setFrom(e.currentTarget.value as typeof from)}><option value="auto-heal">auto-heal of web.config</option><option value="rules">the rules of this page</option></select></label>
        <Show asked={asked} rows={6}>{(made) => <>
          {made.lost.length === 0 ? undefined : <div class="heal-notes"><p><b>What the other form does not say, or says otherwise:</b></p><ul>{made.lost.map((one) => <li key={one} class="warning">{one}</li>)}</ul></div>}
          {from === 'auto-heal' && made.rules !== undefined ? <Text title="As rules" text={JSON.stringify({ rules: made.rules }, null, 2)} /> : undefined}
          {from === 'rules' && made.autoHeal?.triggers !== undefined ? <><Text title="As auto-heal of the management API" text={JSON.stringify({ autoHealEnabled: true, autoHealRules: made.autoHeal }, null, 2)} /><div><button type="button" class="quiet" onClick={() => { if (made.autoHeal !== undefined) onTake(made.autoHeal); }}>Put it into the form</button></div></> : undefined}
          {made.bicep === undefined ? undefined : <Text title="As Bicep" text={made.bicep} />}
        </>}</Show>
      </div>
    </Dialog>
  );
}

function Text({ title, text }: { title: string; text: string }) {
  const [said, setSaid] = useState('');
  return (
    <div class="heal-text">
      <label>{title}<textarea class="rules-text" readOnly spellcheck={false} rows={10} value={text} /></label>
      {canCopy() ? <p><button type="button" class="quiet" aria-label={`Copy: ${title}`} onClick={() => { void copy(text).then((done) => { setSaid(done ? 'Copied.' : 'The browser did not allow it.'); }); }}>Copy</button> <span role="status">{said}</span></p> : undefined}
    </div>
  );
}
