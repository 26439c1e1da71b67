// Owns one row of a log: time, level, file, text with the found words marked; folded until opened. Text nodes only.
import { count, bytes, plural } from '../../../shared/units.ts';
import { time, timeMs, utcTitle } from '../../words.ts';
import { EntryFields } from './entry-fields.tsx';
import { displayed } from './log-layout.ts';
import { isStructured } from './structured.ts';
import type { Row } from './tail-store.ts';

interface LogRowProps { row: Row; top: number; name: string | undefined; expanded: boolean; onToggle: (key: string) => void; find: RegExp | undefined; wanted: boolean; short: boolean }

export function LogRow({ row, top, name, expanded, onToggle, find, wanted, short }: LogRowProps) {
  const place = { transform: `translateY(${top}px)` };
  if (row.notice) {
    const { notice } = row;
    return <div class={`entry note ${notice.kind}`} style={place} data-key={row.key}><span /><i>{notice.kind}</i>{name === undefined ? undefined : <em title={name}>{fileOf(name)}</em>}<b>{notice.text}{notice.lostLines === undefined ? '' : ` ${plural(notice.lostLines, 'line')} lost.`}{notice.lostBytes === undefined ? '' : ` ${bytes(notice.lostBytes)} lost.`}</b></div>;
  }
  const { line } = row;
  if (!line) return null;
  const { text, folded } = displayed(row, expanded);
  const structured = isStructured(line.text);
  const foldable = folded > 0 || expanded || structured;
  const level = line.level === 'unknown' ? '' : line.level;
  return (
    <div class={`entry l-${line.level} ${wanted ? 'wanted' : ''}`} style={place} data-key={row.key}>
      {line.at === undefined ? <span /> : <time title={utcTitle(line.at)}>{short ? time(line.at) : timeMs(line.at)}</time>}
      <i>{level}</i>
      {name === undefined ? undefined : <em title={name}>{fileOf(name)}</em>}
      <b><Marked text={text} find={find} />{foldable ? <button type="button" class="fold" aria-expanded={expanded} onClick={() => onToggle(row.key)}>{expanded ? 'fold' : folded > 0 ? `+${count(folded)} ${folded === 1 ? 'line' : 'lines'}` : 'fields'}</button> : undefined}{line.cutBytes === undefined ? undefined : <small class="cut">{bytes(line.cutBytes)} of this line are left out</small>}{expanded && structured ? <EntryFields text={line.text} /> : undefined}</b>
    </div>
  );
}

/** A file name without its folder, and without the machine in front and the stamp behind, which all of them share. */
export function fileOf(name: string): string {
  const file = name.split('/').pop() ?? name;
  const short = file.replace(/^[0-9A-Za-z]{8,}[-_](?=.*[A-Za-z]{3})/, '').replace(/[-_.]\d{10,}(?=\.\w+$)/, '');
  return short === '' ? file : short;
}

/** Marks in one row are bounded, whatever the pattern finds. */
const MAX_MARKS = 50;

/** The parts of a text between and inside what a pattern finds. */
export function markParts(text: string, find: RegExp | undefined): readonly { readonly text: string; readonly mark: boolean }[] {
  if (!find) return [{ text, mark: false }];
  const out: { text: string; mark: boolean }[] = [];
  let end = 0;
  let made = 0;
  for (const match of text.matchAll(find)) {
    if (match[0] === '' || made >= MAX_MARKS) continue;
    made += 1;
    if (match.index > end) out.push({ text: text.slice(end, match.index), mark: false });
    out.push({ text: match[0], mark: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) out.push({ text: text.slice(end), mark: false });
  return out;
}

function Marked({ text, find }: { text: string; find: RegExp | undefined }) {
  if (!find) return <>{text}</>;
  return <>{markParts(text, find).map((p, i) => (p.mark ? <mark key={i}>{p.text}</mark> : p.text))}</>;
}
