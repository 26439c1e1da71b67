// Owns the filter of a tail: words or a regular expression, case, inversion and levels; the agent applies it.
import { useEffect, useState } from 'preact/hooks';
import { browserClock as clock } from '../../clock.ts';
import { change } from '../../router.tsx';
import { LEVEL_GROUPS, type LevelGroup, type LogQuery } from './log-query.ts';

/** A filter is sent when typing rests. */
const REST_MS = 300;
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What the page marks in the lines. The reader's own regex is not run here: only plain words are, escaped, so no pattern can hang the page. */
export function finderOf(query: LogQuery): RegExp | undefined {
  if (query.text === '' || query.not || query.regex) return undefined;
  return new RegExp(escaped(query.text), query.matchCase ? 'gu' : 'giu');
}

export function FilterBar({ query }: { query: LogQuery }) {
  const [text, setText] = useState(query.text);
  useEffect(() => setText(query.text), [query.text]);
  useEffect(() => (text === query.text ? undefined : clock.after(REST_MS, () => change({ text: text || undefined }, true))), [text, query.text]);
  const flip = (word: 're' | 'not' | 'case', on: boolean): void => change({ [word]: on ? undefined : '1' }, true);
  const toggle = (group: LevelGroup): void => {
    const next = query.groups.includes(group) ? query.groups.filter((g) => g !== group) : [...query.groups, group];
    change({ levels: LEVEL_GROUPS.filter((g) => next.includes(g.id)).flatMap((g) => g.levels).join(',') || undefined }, true);
  };
  return (
    <div class="filter-bar" role="search">
      <div class="filter-field">
        <input type="text" aria-label={query.regex ? 'Filter by regular expression' : 'Filter by text'} placeholder={query.regex ? 'Regular expression (RE2)' : 'Filter by text'} value={text} maxLength={500} spellcheck={false} onInput={(e) => setText(e.currentTarget.value)} />
        <button type="button" class="toggle" aria-pressed={query.matchCase} title="Match upper and lower case" onClick={() => flip('case', query.matchCase)}>Aa</button>
        <button type="button" class="toggle" aria-pressed={query.regex} title="Regular expression (RE2)" onClick={() => flip('re', query.regex)}>.*</button>
        <button type="button" class="toggle" aria-pressed={query.not} title="Show the lines that do not match" onClick={() => flip('not', query.not)}>not</button>
      </div>
      <div class="levels" role="group" aria-label="Levels">{LEVEL_GROUPS.map((g) => <button key={g.id} type="button" class={`toggle level ${g.id}`} aria-pressed={query.groups.includes(g.id)} onClick={() => toggle(g.id)}>{g.title}</button>)}</div>
    </div>
  );
}
