// Owns masking: finds secrets in names, texts, queries and command lines and puts one fixed word in their place.
import { DOCKER_STAMP } from './log-fields.ts';
import { isSecretName, isSecretQueryName } from './secret-name.ts';
import { MASK, hidden, maskPairs } from './mask-pairs.ts';

export { isSecretName } from './secret-name.ts';
export { MASK } from './mask-pairs.ts';

// Every pattern here runs in linear time on hostile text: a match can begin only where the class it scans cannot have begun before
// (look-behind, or a delimiter that the class leaves out), and what follows the scan is optional or bounded.

interface Shape { readonly pattern: RegExp; readonly take: (match: RegExpExecArray) => { readonly keep: string; readonly secret: string; readonly rest?: string } | undefined }

const whole = (m: RegExpExecArray) => ({ keep: '', secret: m[0] });

/** Secrets that are known by their form, wherever they stand. */
const SHAPES: readonly Shape[] = [
  // JWT and JWE, compact form: `{"` in base64url is eyJ.
  { pattern: /(?<![\w-])eyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)*/g, take: whole },
  { pattern: /\bBearer[ \t]{1,8}([\w.~+/=-]{8,})/gi, take: (m) => (/[0-9]/.test(m[1] ?? '') || (m[1] ?? '').length >= 32 ? { keep: before(m), secret: m[1] ?? '' } : undefined) },
  { pattern: /\bBasic[ \t]{1,8}([\w+/=-]{8,})/gi, take: (m) => (/[a-z][A-Z]|[0-9=+/]/.test(m[1] ?? '') ? { keep: before(m), secret: m[1] ?? '' } : undefined) },
  // user:password@ of a URL: up to the last @ before a slash, since passwords hold @ too. A port is not a password.
  { pattern: /(:\/\/[^\s/:@]*:)(?!\d{1,5}[?#])([^\s/"<>]+)(@)/g, take: (m) => ({ keep: m[1] ?? '', secret: m[2] ?? '', rest: m[3] ?? '' }) },
  // A token in the place of the user: https://ghp_…@github.com
  { pattern: /(:\/\/)([\w.~-]{20,})(@)/g, take: (m) => (/[0-9]/.test(m[2] ?? '') ? { keep: m[1] ?? '', secret: m[2] ?? '', rest: m[3] ?? '' } : undefined) },
  { pattern: /(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])/g, take: whole },
  { pattern: /(?<![\w-])(?:gh[pousr]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{35,}|[spr]k_(?:live|test)_\w{10,}|sk-[\w-]{20,}|npm_\w{30,})/g, take: whole },
  // Client secrets of Entra ID carry 7Q~ or 8Q~ after three characters.
  { pattern: /(?<![\w.~-])[\w.~-]{3}[78]Q~[\w.~-]{31,}/g, take: whole },
  // 64 bytes in base64, the form of storage and bus keys; npm's sha512- integrity has it too and is public.
  { pattern: /(?<![A-Za-z0-9+/=])(?<!sha512-)[A-Za-z0-9+/]{86}==/g, take: whole },
];

/** <password>x</password>, and <add key="ApiKey" value="x"/> or {"name":"ApiKey","value":"x"} where name and value stand apart. */
const NAMED: readonly RegExp[] = [
  /(<([A-Za-z_][\w.:-]{0,63})>)([^<]+)(?=<\/)/g,
  /((?<![\w-])["']?(?:key|name)["']?\s{0,4}[=:]\s{0,4}["']([^"']{1,128})["'][\s,]{1,40}["']?value["']?\s{0,4}[=:]\s{0,4}["'])([^"']*)(?=["'])/gi,
  // Node's rawHeaders: 'Cookie', 'a=b'
  /(["'](cookie|set-cookie|authorization|x-api-key|x-functions-key)["']\s{0,4},\s{0,40}["'])([^"']*)(?=["'])/gi,
];

/** Words of at most 13 characters between the signs of a path: no pair, and no form above has so little but a JWT. Most routes, hosts and addresses of a report are such. */
const WORDS = /^(?!.*eyJ)(?:[\w-]{0,13}[/.{}])*[\w-]{0,13}$/;

/** Masks secrets in free text: connection strings, URLs with credentials, authorization and cookie headers, SAS signatures, tokens, private keys, and name-value pairs whose name is secret. Linear in the length; masking twice changes nothing. */
export function maskText(text: string): { text: string; count: number } {
  if (WORDS.test(text)) return { text, count: 0 };
  let count = 0;
  const hide = (secret: string): string => { if (hidden(secret)) return secret; count += 1; return MASK; };
  let out = maskPrivateKeys(text, hide);
  for (const pattern of NAMED) out = out.replace(pattern, (all, head: string, name: string, value: string) => (isSecretName(name) && value.trim() !== '' ? head + hide(value) : all));
  out = maskPairs(out, hide);
  for (const shape of SHAPES) out = replaceShape(out, shape, hide);
  return { text: out, count };
}

function replaceShape(text: string, shape: Shape, hide: (secret: string) => string): string {
  return text.replace(shape.pattern, (...args) => {
    const groups = args.slice(0, args.findIndex((a, i) => i > 0 && typeof a === 'number')) as unknown as RegExpExecArray;
    const taken = shape.take(groups);
    return taken ? taken.keep + hide(taken.secret) + (taken.rest ?? '') : groups[0];
  });
}

const before = (m: RegExpExecArray): string => m[0].slice(0, m[0].length - (m[1] ?? '').length);

/** The longest private key in use, RSA 16384, has 12,700 characters of PEM. */
const MAX_PEM = 16_384;

/** From BEGIN … PRIVATE KEY to its END. Where the END is cut off, what can be base64 is masked and the text goes on after it. */
function maskPrivateKeys(text: string, hide: (secret: string) => string): string {
  const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
  let out = '';
  let done = 0;
  let endAt = 0;
  for (let found = begin.exec(text); found; found = begin.exec(text)) {
    const from = begin.lastIndex;
    if (endAt !== -1 && endAt < from) endAt = text.indexOf('-----END', from);
    const to = endAt !== -1 && endAt - from <= MAX_PEM ? endAt : endOfBase64(text, from);
    const body = text.slice(from, to);
    if (body.trim() !== '') out += text.slice(done, from) + hide(body);
    else out += text.slice(done, to);
    done = to;
    begin.lastIndex = to;
  }
  return done === 0 ? text : out + text.slice(done);
}

/** Line by line, over the stamps of the platform and the headers of an encrypted key. */
function endOfBase64(text: string, from: number): number {
  if (text.startsWith(MASK, from)) return from + MASK.length;
  const past = (form: RegExp, at: number): number => { form.lastIndex = at; return form.exec(text) === null ? at : form.lastIndex; };
  let at = past(BASE64, from);
  while (text[at] === '\n') at = past(BASE64, past(PEM_HEADER, past(DOCKER_STAMP, at + 1)));
  return at;
}

const BASE64 = /[A-Za-z0-9+/=\\\r\t\v\f ]*/y;
const PEM_HEADER = /[ \t]{0,40}(?:Proc-Type|DEK-Info): [^\n]{0,100}/y;

/** Shorter values would be found by accident in ordinary words. */
const MIN_KNOWN = 8;

/** A maskText that also replaces these very values wherever they stand (of at least 8 characters; as they are, URL-encoded and JSON-escaped). */
export function masker(secretValues: readonly string[]): (text: string) => { text: string; count: number } {
  const known = new Set(secretValues.filter((v) => v.length >= MIN_KNOWN && !MASK.includes(v)).flatMap(formsOf));
  if (known.size === 0) return maskText;
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((v) => v.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
  return (text) => {
    let count = 0;
    const out = maskText(text.replace(pattern, () => { count += 1; return MASK; }));
    return { text: out.text, count: out.count + count };
  };
}

function formsOf(value: string): string[] {
  const escaped = JSON.stringify(value).slice(1, -1);
  return /[\uD800-\uDFFF]/.test(value) ? [value, escaped] : [value, escaped, encodeURIComponent(value)];   // a lone surrogate has no URL form
}

/** No secret is known by its form in fewer characters than `x:sig=a`; spares the work for the many short parameters. */
const MIN_PART = 7;

/** Masks the values of a URL's or W3C row's query whose names are secret (`code`, `sig`, `token`, `key`, …) and secrets by form in the others. The names stay. */
export function maskQuery(query: string): { query: string; count: number } {
  let count = 0;
  const parts = query.split(/([?&;#])/).map((part) => {
    const at = part.indexOf('=');
    const value = part.slice(at + 1);
    if (at > 0 && value !== '' && isSecretQueryName(decoded(part.slice(0, at)))) {
      if (hidden(value)) return part;
      count += 1;
      return `${part.slice(0, at)}=${MASK}`;
    }
    if (part.length < MIN_PART) return part;
    const inside = maskText(part);
    count += inside.count;
    return inside.text;
  });
  return { query: parts.join(''), count };
}

/** Masks a whole URL or path with query: credentials before the host, secret parameters in query and fragment. */
export function maskUrl(url: string): { url: string; count: number } {
  const at = url.search(/[?#]/);
  const head = maskText(at < 0 ? url : url.slice(0, at));
  const tail = at < 0 ? { query: '', count: 0 } : maskQuery(url.slice(at));
  return { url: head.text + tail.query, count: head.count + tail.count };
}

/** pass%77ord is password: percent codes of ASCII are read, anything else is left. */
function decoded(name: string): string {
  return name.replace(/%([2-7][0-9A-Fa-f])/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Masks the value of an environment variable or setting: all of it when the name is secret, else the secrets inside (a URL with a SAS). */
export function maskVariable(name: string, value: string): { value: string; masked: boolean } {
  if (value === '') return { value, masked: false };
  const shellFolder = name === 'PWD' || name === 'OLDPWD';
  if (shellFolder ? !/^(?:\/|[A-Za-z]:[\\/])/.test(value) : isSecretName(name)) return { value: MASK, masked: true };
  const inside = maskText(value);
  return { value: inside.text, masked: inside.count > 0 };
}

/** Masks a whole environment: as maskVariable, and also the settings named in WEBSITE_KEYVAULT_REFERENCES. */
export function maskVariables(variables: readonly { readonly name: string; readonly value: string }[]): { name: string; value: string; masked: boolean }[] {
  const vaulted = vaultNames(variables);
  return variables.map(({ name, value }) => (isVaulted(name, vaulted) && value !== '' ? { name, value: MASK, masked: true } : { name, ...maskVariable(name, value) }));
}

/** The values of an environment that are secret, for masker(). */
export function secretValues(variables: readonly { readonly name: string; readonly value: string }[]): string[] {
  const vaulted = vaultNames(variables);
  return variables.filter(({ name, value }) => value.length >= MIN_KNOWN && (isSecretName(name) || isVaulted(name, vaulted))).map((v) => v.value);
}

/** The setting's form is an object keyed by setting name (seen 2024); read by pattern, so that another or a cut form still gives its names. */
function vaultNames(variables: readonly { readonly name: string; readonly value: string }[]): ReadonlySet<string> {
  const setting = variables.find((v) => v.name.toUpperCase() === 'WEBSITE_KEYVAULT_REFERENCES')?.value ?? '';
  return new Set([...setting.matchAll(/"([^"\\]{1,200})"\s{0,4}:\s{0,4}\{/g)].map((m) => (m[1] ?? '').toLowerCase()));
}

function isVaulted(name: string, vaulted: ReadonlySet<string>): boolean {
  return vaulted.has(name.replace(/^APPSETTING_/i, '').toLowerCase());
}

/** Programs whose short option carries the password: attached (mysql -px) or after a space (sqlcmd -P x). */
const PROGRAM_OPTIONS: readonly (readonly [RegExp, RegExp])[] = [
  [/\b(?:mysql|mysqldump|mysqladmin|mariadb)\b/, /((?<=\s)-p)([^\s]+)/g],
  [/\b(?:sqlcmd|bcp)\b/i, /((?<=\s)-P[ \t]{0,8})(?!-)([^\s]+)/g],
  [/\bsshpass\b/, /((?<=\s)-p[ \t]{0,8})(?!-)([^\s]+)/g],
  [/\bredis-cli\b/, /((?<=\s)-a[ \t]{1,8})(?!-)([^\s]+)/g],
];

/** Masks a command line: `--password x`, `/token:x`, `--key=x`, `-u user:password`, the password options of database clients, and secrets by form. */
export function maskCommandLine(line: string): string {
  const spaced = line.replace(/((?<![^\s"'])(?:--?|\/)([A-Za-z][\w.-]{0,63})["']?[ \t]{1,8})("[^"]*"?|'[^']*'?|[^\s"'-]\S*)/g, (all, head: string, option: string, value: string) => {
    if (isSecretName(option)) return `${head}${MASK}`;
    if (option !== 'u' && option !== 'user') return all;
    const colon = value.indexOf(':');
    return colon > 0 && !value.includes('://') ? `${head}${value.slice(0, colon + 1)}${MASK}` : all;
  });
  const attached = PROGRAM_OPTIONS.reduce((out, [program, option]) => (program.test(line) ? out.replace(option, `$1${MASK}`) : out), spaced);
  return maskText(attached).text;
}
