// Owns lines of access logs and the times in texts of every kind, as far as a recording holds them: read, moved in time, and turned into the answer of a healthy app.

export interface Line { readonly at: number; readonly text: string; readonly fields: readonly string[] | undefined }

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number): string => String(n).padStart(2, '0');
const NGINX = /\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d):(\d\d):(\d\d) \+0000\]/;
const QUICK_MS = 20;

export function atOf(text: string): number | undefined {
  const w3c = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) /.exec(text);
  if (w3c) return Date.parse(`${w3c[1]}T${w3c[2]}Z`);
  const nginx = NGINX.exec(text);
  return nginx ? Date.UTC(Number(nginx[3]), MONTHS.indexOf(nginx[2] ?? ''), Number(nginx[1]), Number(nginx[4]), Number(nginx[5]), Number(nginx[6])) : undefined;
}

export const headOf = (text: string): string[] => text.split(/\r?\n/).filter((line) => line.startsWith('#'));

export function linesOf(text: string): Line[] {
  let fields: readonly string[] | undefined;
  return text.split(/\r?\n/).flatMap((line): Line[] => {
    if (line.startsWith('#Fields: ')) fields = line.slice(9).split(' ');
    const at = line.startsWith('#') ? undefined : atOf(line);
    return at === undefined ? [] : [{ at, text: line, fields }];
  });
}

export const movedLine = (text: string, byMs: number): string => moved(text, byMs);

/** Every instant that a text holds, in the forms of access and error logs, JSON in ms, ISO, PHP and thread dumps. */
export function moved(text: string, byMs: number): string {
  const iso = (ms: number): string => new Date(ms + byMs).toISOString();
  return text
    .replace(/\b1[78]\d{11}\b/g, (ms) => String(Number(ms) + byMs))
    .replace(/\b(\d{4}-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(\.\d{3})?(Z)?/g, (whole, day: string, gap: string, time: string, ms?: string, z?: string) => { const at = Date.parse(`${day}T${time}${ms ?? ''}Z`); return Number.isNaN(at) ? whole : `${iso(at).slice(0, 10)}${gap}${iso(at).slice(11, ms === undefined ? 19 : 23)}${z ?? ''}`; })
    .replace(/\b(\d\d)([/-])(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\2(\d{4})([: ])(\d\d):(\d\d):(\d\d)/g, (_, d: string, cut: string, m: string, y: string, gap: string, h: string, min: string, s: string) => { const at = new Date(Date.UTC(Number(y), MONTHS.indexOf(m), Number(d), Number(h), Number(min), Number(s)) + byMs); return `${two(at.getUTCDate())}${cut}${MONTHS[at.getUTCMonth()]}${cut}${at.getUTCFullYear()}${gap}${at.toISOString().slice(11, 19)}`; })
    .replace(/\b(\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)/g, (_, y: string, m: string, d: string, time: string) => iso(Date.parse(`${y}-${m}-${d}T${time}Z`)).slice(0, 19).replaceAll('-', '/').replace('T', ' '));
}

/** As many columns. */
export function sameForm(a: string, b: string): boolean {
  const columns = (text: string): number => (linesOf(text)[0]?.text ?? '').replace(/"[^"]*"/g, '"').split(' ').length;
  return columns(a) === columns(b);
}

/** The same requests, each answered as quickly as its route ever was, or at once. */
export function answered(lines: readonly Line[]): Line[] {
  const quickest = new Map<string, number>();
  for (const line of lines) {
    const { route, status, takenMs } = partsOf(line);
    if (status < 500 && takenMs !== undefined) quickest.set(route, Math.min(quickest.get(route) ?? Infinity, takenMs));
  }
  return lines.map((line, i) => {
    const { route, status } = partsOf(line);
    // As uneven as answers are.
    const takenMs = Math.round((quickest.get(route) ?? QUICK_MS) * (1 + (i % 5) / 10)) + 1;
    return { ...line, text: withAnswer(line, status < 500 ? status : 200, takenMs) };
  });
}

function partsOf({ text, fields }: Line): { readonly route: string; readonly status: number; readonly takenMs: number | undefined } {
  if (fields) {
    const words = text.split(' '), of = (name: string): string => words[fields.indexOf(name)] ?? '';
    return { route: `${of('cs-method')} ${of('cs-uri-stem')}`, status: Number(of('sc-status')), takenMs: Number(of('time-taken')) };
  }
  const found = /"(\S+ [^ ?]+)[^"]*" (\d{3}) .*" (?:\d+ )?(\d+\.\d{3})/.exec(text);
  return { route: found?.[1] ?? '', status: Number(found?.[2] ?? 0), takenMs: found?.[3] === undefined ? undefined : Number(found[3]) * 1_000 };
}

function withAnswer({ text, fields }: Line, status: number, takenMs: number): string {
  if (fields) {
    const set: Readonly<Record<string, string>> = { 'sc-status': String(status), 'sc-substatus': '0', 'sc-win32-status': '0', 'time-taken': String(takenMs) };
    return text.split(' ').map((word, i) => set[fields[i] ?? ''] ?? word).join(' ');
  }
  const seconds = (takenMs / 1_000).toFixed(3);
  return text.replace(/" \d{3} /, `" ${status} `).replace(/" (\d+ )?\d+\.\d{3}/, (_, length?: string) => `" ${length ?? ''}${seconds}`).replace(/\d+\.\d{3} \d{3} (\w+)$/, `${seconds} ${status} $1`);
}
