// Owns the fields of a diagnoser's options, drawn from its JSON Schema: numbers, switches, choices, words.

export interface Field { readonly name: string; readonly kind: 'number' | 'switch' | 'choice' | 'word'; readonly title: string; readonly about?: string; readonly least?: number; readonly most?: number; readonly choices?: readonly string[]; readonly preset?: unknown }
type Json = Readonly<Record<string, unknown>>;
const isJson = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v);
const words = (name: string): string => name.replace(/([A-Z])/g, ' $1').toLowerCase().replace(/^./, (c) => c.toUpperCase());

/** The fields a schema asks for; properties of other kinds are left to programs. */
export function fieldsOf(schema: unknown): readonly Field[] {
  if (!isJson(schema) || !isJson(schema['properties'])) return [];
  return Object.entries(schema['properties']).flatMap(([name, property]) => (isJson(property) ? fieldOf(name, property) : []));
}

function fieldOf(name: string, p: Json): Field[] {
  const about = typeof p['description'] === 'string' ? { about: p['description'] } : {};
  const preset = p['default'] === undefined ? {} : { preset: p['default'] };
  const head = { name, title: typeof p['title'] === 'string' ? p['title'] : words(name), ...about, ...preset };
  const choices = Array.isArray(p['enum']) ? p['enum'].filter((c): c is string => typeof c === 'string') : [];
  if (choices.length > 0) return [{ ...head, kind: 'choice', choices }];
  if (p['type'] === 'boolean') return [{ ...head, kind: 'switch' }];
  if (p['type'] === 'string') return [{ ...head, kind: 'word' }];
  if (p['type'] !== 'number' && p['type'] !== 'integer') return [];
  const bound = (key: string): number | undefined => (typeof p[key] === 'number' && Math.abs(p[key]) < Number.MAX_SAFE_INTEGER ? p[key] : undefined);
  const [least, most] = [bound('minimum'), bound('maximum')];
  return [{ ...head, kind: 'number', ...(least === undefined ? {} : { least }), ...(most === undefined ? {} : { most }) }];
}

interface OptionsProps { id: string; fields: readonly Field[]; values: Json; onChange: (values: Json) => void }
export function OptionsForm({ id, fields, values, onChange }: OptionsProps) {
  const set = (name: string, value: unknown): void => onChange({ ...values, [name]: value });
  return <div class="options">{fields.map((f) => <label key={f.name} title={f.about}>
    <span>{f.title}</span>
    <Input id={`${id}-${f.name}`} field={f} value={values[f.name] ?? f.preset} onChange={(v) => set(f.name, v)} />
  </label>)}</div>;
}

function Input({ id, field, value, onChange }: { id: string; field: Field; value: unknown; onChange: (value: unknown) => void }) {
  if (field.kind === 'switch') return <input id={id} type="checkbox" checked={value === true} onChange={(e) => onChange(e.currentTarget.checked)} />;
  if (field.kind === 'choice') return <select id={id} value={String(value ?? '')} onChange={(e) => onChange(e.currentTarget.value)}>{field.choices?.map((c) => <option key={c} value={c}>{c}</option>)}</select>;
  if (field.kind === 'word') return <input id={id} type="text" value={String(value ?? '')} onInput={(e) => onChange(e.currentTarget.value === '' ? undefined : e.currentTarget.value)} />;
  return <input id={id} type="number" min={field.least} max={field.most} value={value === undefined ? '' : String(value)} onInput={(e) => onChange(e.currentTarget.value === '' ? undefined : Number(e.currentTarget.value))} />;
}
