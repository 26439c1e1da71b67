// Owns the fields of a structured entry as they are shown when it is opened, one a line.
import { shownText } from './log-layout.ts';
import { fieldsOf, MAX_FIELDS } from './structured.ts';

const MAX_VALUE_CHARS = 2_000;

export function EntryFields({ text }: { text: string }) {
  const fields = fieldsOf(text);
  if (fields.length === 0) return null;
  return (
    <dl class="entry-fields">
      {fields.slice(0, MAX_FIELDS).map((field, i) => <div key={i}><dt>{shownText(field.name)}</dt><dd>{shownText(field.value.slice(0, MAX_VALUE_CHARS))}</dd></div>)}
      {fields.length > MAX_FIELDS ? <div><dt>…</dt><dd>{fields.length - MAX_FIELDS} more fields</dd></div> : undefined}
    </dl>
  );
}
