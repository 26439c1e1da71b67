// Owns the filter of requests as its reader writes it: typed, checked while typing in words, applied with enter, explained on demand.
import { useEffect, useRef, useState } from 'preact/hooks';
import { onCommand } from '../../keys.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { change } from '../../router.tsx';
import { readFilter } from './http-links.ts';

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['failed', 'status 500 and above'], ['status:502.3.12030', 'one status with sub-status and win32 status; 502.3 and 5xx stand for all that begin so'], ['route:"POST /cart/apply"', 'one route; the method may be left out'],
  ['path:/products/*', 'a path; * stands for anything'], ['taken>=30s', 'took 30 s or longer; also ms and m'], ['client:203.0.113.7', 'also host, instance, method, source'], ['agent:bot', 'the user agent has it somewhere; also query, referrer, upstream; family:Chrome is the family as the figures tell it'], ['-status:200,304', 'a minus turns a term round, a comma is or'],
];
const QUICK: readonly (readonly [string, string])[] = [['failed', 'Failed'], ['status:4xx', '4xx'], ['taken>=10s', 'Slow']];

const apply = (text: string): void => change({ filter: text.trim() || undefined, failed: undefined, status: undefined, route: undefined });

export function FilterBox({ applied }: { applied: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(applied);
  const [help, setHelp] = useState(false);
  useEffect(() => setText(applied), [applied]);
  useEffect(() => onCommand((command) => {
    if (command !== 'filter') return false;
    field.current?.focus();
    field.current?.select();
    return true;
  }), []);
  const { fault } = readFilter(text);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (fault !== undefined) return;
    apply(text);
    // From here on j, k and enter are for the rows.
    field.current?.blur();
  };
  const escape = (event: KeyboardEvent): void => { if (event.key === 'Escape') { setText(applied); field.current?.blur(); } };
  const words = text.split(/\s+/);
  const toggle = (word: string): void => apply(words.includes(word) ? words.filter((w) => w !== word).join(' ') : `${text.trim()} ${word}`);
  return (
    <form class="http-filter" role="search" aria-label="Requests" onSubmit={submit}>
      <label class="inline grow"><span>Filter</span><input ref={field} class="mono" type="text" spellcheck={false} autocomplete="off" placeholder='status:502.3 route:"POST /cart/apply" taken>=30s' value={text} maxLength={2_000} aria-invalid={fault !== undefined} aria-describedby="http-filter-fault" onInput={(e) => setText(e.currentTarget.value)} onKeyDown={escape} /></label>
      <span class="http-quick">{QUICK.map(([word, title]) => <button key={word} type="button" class={words.includes(word) ? 'quiet pressed' : 'quiet'} aria-pressed={words.includes(word)} disabled={fault !== undefined} onClick={() => toggle(word)}>{title}</button>)}
        {applied === '' ? undefined : <button type="button" class="quiet" onClick={() => apply('')}>Remove</button>}
        <button type="button" class="quiet" aria-label="How to write a filter" onClick={() => setHelp(true)}>?</button></span>
      <p id="http-filter-fault" class="fault" role="status">{fault ?? (text.trim() === applied.trim() ? '' : <span class="note">Enter applies it.</span>)}</p>
      {help ? <Dialog title="How to write a filter" onClose={() => setHelp(false)} wide><p class="note">Terms with spaces between them must all hold. Texts are compared without regard to case.</p><dl class="examples">{EXAMPLES.map(([word, says]) => <div key={word}><dt><button type="button" class="link" onClick={() => { setHelp(false); apply(`${applied} ${word}`); }}><code>{word}</code></button></dt><dd>{says}</dd></div>)}</dl></Dialog> : undefined}
    </form>
  );
}
