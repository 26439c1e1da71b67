// Owns a difference of lines on the page: hunks with line numbers, what goes and what comes told by sign and colour.
import type { DiffView } from '../../../shared/auto-heal.ts';
import { plural } from '../../../shared/units.ts';

const SIGN = { ' ': 'stays', '+': 'comes', '-': 'goes' } as const;

export function Diff({ diff }: { diff: DiffView }) {
  if (diff.hunks.length === 0) return <p class="rule-says">No line changes.</p>;
  return (
    <div class="diff">
      <p class="session-facts">{plural(diff.added, 'line')} more, {plural(diff.removed, 'line')} less; every other line stays as it is.{diff.left > 0 ? ` ${plural(diff.left, 'changed line')} not shown.` : ''}</p>
      <div class="diff-box" tabIndex={0} role="region" aria-label="Difference">
        <table><tbody>{diff.hunks.map((hunk) => <Hunk key={hunk.fromLine} hunk={hunk} />)}</tbody></table>
      </div>
    </div>
  );
}

function Hunk({ hunk: { fromLine, toLine, lines } }: { hunk: DiffView['hunks'][number] }) {
  let from = fromLine, to = toLine;
  const rows = lines.map(({ kind, text }) => {
    const line = kind === '-' ? from : to;
    if (kind !== '+') from += 1;
    if (kind !== '-') to += 1;
    return { kind, text, line };
  });
  return <>
    <tr class="at"><td /><td /><td>line {fromLine}</td></tr>
    {rows.map(({ kind, text, line }, i) => <tr key={i} class={SIGN[kind]}><td>{line}</td><td><span class="sr">{SIGN[kind]}</span><span aria-hidden="true">{kind}</span></td><td><code>{text}</code></td></tr>)}
  </>;
}
