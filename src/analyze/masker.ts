// Owns the masking of one session: what looks like a secret, and the very values the site's processes hold as secrets.
import { isSecretName, MASK, maskText, secretValues } from '../shared/mask.ts';
import { SecretScan } from '../shared/mask-scan.ts';
import type { Variable } from '../platform/platform.ts';

export interface MaskedText { readonly text: string; readonly count: number }

export interface Masker {
  /** Prose and logs: the known values, then everything that looks like a secret. */
  text(text: string): MaskedText;
  /** Only the known values: for text whose form must stay, such as the columns of an HTTP log. */
  values(text: string): MaskedText;
  /** A quick look at raw bytes: the place of something in [from, to) that `text` might change, -1 when there is nothing. */
  suspect(bytes: Uint8Array, from: number, to: number): number;
}

/** Shorter values are masked in the environment itself but not searched for: they would black out ordinary words. */
const MIN_WORD_CHARS = 8;
/** From this length on a value is searched for when it mixes letters with digits or signs, as no word does. */
const MIN_MIXED_CHARS = 6;
/** Values searched for; more would make the search slow, and no site has as many. Longest first, the rest is left to the patterns. */
export const MAX_VALUES = 500;
/** A line of a multi-line secret (a PEM key) is searched for by itself from this length on. */
const MIN_LINE_CHARS = 16;
const ORDINARY = new Set(['production', 'development', 'undefined', 'localhost', 'disabled', 'password', 'required', 'optional', 'standard', 'anonymous', 'encrypted']);

/** A masker that knows the secret values among these variables, in the forms in which logs repeat them. */
export function makeMasker(variables: readonly Variable[]): Masker {
  const values = searchedFor(variables);
  const pattern = values.length === 0 ? undefined : new RegExp(values.map(escapeForRegExp).join('|'), 'g');
  const known = (text: string): MaskedText => {
    if (!pattern) return { text, count: 0 };
    let count = 0;
    const masked = text.replace(pattern, () => { count += 1; return MASK; });
    return { text: masked, count };
  };
  const scan = new SecretScan(values);
  return {
    suspect: (bytes, from, to) => scan.suspect(bytes, from, to),
    values: known,
    text(text) {
      const first = known(text);
      const second = maskText(first.text);
      return { text: second.text, count: first.count + second.count };
    },
  };
}

/** The secrets to search for, longest first, so that a value which holds another is masked whole. */
function searchedFor(variables: readonly Variable[]): readonly string[] {
  const found = new Set<string>();
  const bySetting = variables.filter((v) => isSecretName(v.name)).map((v) => v.value);
  for (const value of [...secretValues(variables), ...bySetting]) addForms(value, found);
  for (const { value } of variables) for (const part of secretParts(value)) addForms(part, found);
  return [...found].sort((a, b) => b.length - a.length || (a < b ? -1 : 1)).slice(0, MAX_VALUES);
}

/** Secrets inside a value: `Password=…;` of a connection string, `user:password@` of an address. */
function* secretParts(value: string): Generator<string> {
  for (const match of value.matchAll(/(?:^|[;&?])\s{0,4}([\w .-]{1,60})=([^;&]*)/g)) {
    const name = (match[1] ?? '').trim();
    if (isSecretName(name) || /^(pwd|sig|code)$/i.test(name)) yield match[2] ?? '';
  }
  for (const match of value.matchAll(/:\/\/[^\s/:@]{0,200}:([^\s/@]+)@/g)) yield match[1] ?? '';
}

function addForms(value: string, into: Set<string>): void {
  const plain = value.trim().replace(/^(["'])(.*)\1$/s, '$2');
  if (!isDistinct(plain)) return;
  const forms = [plain, encodeURIComponent(toWellFormed(plain)), JSON.stringify(plain).slice(1, -1), plain.replaceAll(' ', '+'), decoded(plain)];
  for (const form of forms) if (isDistinct(form)) into.add(form);
  if (/[\r\n]|\\n/.test(plain)) for (const line of plain.split(/\r?\n|\\n/)) if (line.trim().length >= MIN_LINE_CHARS) into.add(line.trim());
}

function isDistinct(value: string): boolean {
  if (ORDINARY.has(value.toLowerCase()) || MASK.includes(value)) return false;
  if (value.length >= MIN_WORD_CHARS) return true;
  return value.length >= MIN_MIXED_CHARS && /[a-z]/i.test(value) && /[^a-z]/i.test(value);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    if (error instanceof URIError) return value;               // not an encoded value: it stands for itself
    throw error;
  }
}

/** encodeURIComponent refuses half a surrogate pair; an environment may hold one. */
function toWellFormed(value: string): string {
  return value.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

function escapeForRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
