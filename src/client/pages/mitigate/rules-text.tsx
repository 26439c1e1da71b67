// Owns the rules as text: edited with their comments, checked while they are typed, kept against changes of others.
import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../../../shared/api.ts';
import { ask, diag, problemOf } from '../../agent.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Failure } from '../../parts/states.tsx';
import { browserClock as clock } from '../../clock.ts';

type Checked = Awaited<ReturnType<typeof diag.checkRules>>;
const CHECK_AFTER_MS = 300;
/** What the server checks in one go; a longer text is checked when it is kept. */
const MAX_CHECK_CHARS = 60_000;

export function RulesText({ text: begun, version, onClose, onDone }: { text: string; version: string; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState(begun);
  const [checked, setChecked] = useState<Checked>();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    if (text.length > MAX_CHECK_CHARS) { setChecked(undefined); return; }
    return clock.after(CHECK_AFTER_MS, () => { ask(() => diag.checkRules({ body: { text } })).then(setChecked, (error: unknown) => { setProblem(problemOf(error)); }); });
  }, [text]);
  const save = (event: Event): void => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    ask(() => diag.putRules({ body: { text, version } })).then(onDone, (error: unknown) => { setProblem(problemOf(error)); setBusy(false); });
  };
  return (
    <Dialog title="Rules as text" onClose={onClose} wide>
      <form class="fields" onSubmit={save}>
        <label>rules.json, comments are kept<textarea class="rules-text" spellcheck={false} rows={18} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
        {checked === undefined ? undefined : <div role="status" class="rules-checked">
          <p>{checked.rules.length} good, {checked.refused.length} refused</p>
          <ul>{checked.refused.map(({ line, id, why }) => <li key={line} class="rule-wrong">Line {line}{id === undefined ? '' : `, ${id}`}: {why}</li>)}{checked.rules.slice(0, 20).map(({ id, says }) => <li key={id}><b>{id}</b> {says}</li>)}</ul>
        </div>}
        {problem ? <Failure problem={problem} /> : undefined}
        <div class="form-foot"><small>A rule that is refused is refused alone; the others live.</small><button type="button" class="quiet" onClick={onClose}>Cancel</button><button type="submit" class="go" disabled={busy}>Keep the text</button></div>
      </form>
    </Dialog>
  );
}
