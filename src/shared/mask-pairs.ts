// Owns the masking of name-value pairs in free text: finds each separator, looks back for the name and forward for the value.
import { isSecretName, isWeakName } from './secret-name.ts';

/** What stands in the place of every secret, whatever its length. */
export const MASK = '[masked]';

/** Already masked, or says that there is nothing: `password: null` is a finding, not a secret. */
export function hidden(secret: string): boolean {
  return secret === MASK || /^(?:|null|undefined|none|true|false|nan|\*+)$/i.test(secret);
}

/** How far back a name may begin: bounds the work per separator. */
const MAX_NAME = 80;
/** Spaces between name, separator and value. */
const MAX_GAP = 8;

interface Value { readonly from: number; readonly to: number }

/** Replaces the values of pairs whose name is secret: `name=value`, `name: value`, `"name":"value"`, also escaped or URL-encoded. Each character is looked at a bounded number of times. */
export function maskPairs(text: string, hide: (secret: string) => string): string {
  const separator = /[=:]|%3[DdAa]/g;
  let out = '';
  let done = 0;
  for (let found = separator.exec(text); found; found = separator.exec(text)) {
    const name = nameBefore(text, found.index, done);
    if (name === undefined) continue;
    const value = valueOf(text, name, separator.lastIndex, found[0] !== '=' && found[0].toUpperCase() !== '%3D');
    if (value === undefined || value.from < done) continue;
    out += text.slice(done, value.from) + hide(text.slice(value.from, value.to));
    done = value.to;
    separator.lastIndex = value.to;
  }
  return done === 0 ? text : out + text.slice(done);
}

interface Name { readonly text: string; readonly at: number; readonly quoted: boolean }

/** The name that ends at the separator, when it is secret. Quotes and backslashes between belong to neither. */
function nameBefore(text: string, separator: number, floor: number): Name | undefined {
  let end = separator;
  const least = Math.max(floor, separator - MAX_GAP);
  while (end > least && isGap(text.charCodeAt(end - 1))) end -= 1;
  const beforeQuotes = end;
  while (end > least && isQuoteOrSlash(text.charCodeAt(end - 1))) end -= 1;
  const first = Math.max(floor, end - MAX_NAME);
  let start = end;
  while (start > first && isNameCharacter(text.charCodeAt(start - 1))) start -= 1;
  if (start > 1 && text[start - 1] === '%' && end - start > 2) start += 2;     // …%3Fsig%3D: the 3F belongs to the code before
  const name = text.slice(start, end);
  const known = isSecretName(name) || name === 'PWD';
  return name !== '' && known ? { text: name, at: start, quoted: end < beforeQuotes } : undefined;
}

function valueOf(text: string, name: Name, afterSeparator: number, colon: boolean): Value | undefined {
  const from = skipGap(text, afterSeparator);
  const word = name.text.toLowerCase();
  if (/cookies?$/.test(word)) return cookieValue(text, from);
  if (word.endsWith('authorization')) return authorizationValue(text, from);
  const quoted = quotedValue(text, from);
  const delimited = quoted ?? (isAfterSemicolon(text, name.at) ? connectionValue(text, from) : undefined);
  const proseLike = (colon || quoted !== undefined) && isWeakName(name.text);
  if (proseLike && delimited === undefined && !randomAhead(text, from)) return undefined;
  const value = delimited ?? plainValue(text, from);
  if (value.to <= value.from) return undefined;
  const secret = text.slice(value.from, value.to);
  if (name.text === 'PWD' && /^(?:\/|[A-Za-z]:[\\/])/.test(secret)) return undefined;    // the shell's working folder
  return proseLike && delimited !== undefined && !looksRandom(secret) ? undefined : value;
}

/** A weak name (`key`, `token`) convicts only a value that looks like one. */
function looksRandom(value: string): boolean {
  return value.length >= 16 && /[0-9]/.test(value) && /^[\w.~+/=%-]+$/.test(value);
}

/** Longer words are no prose: they need not be looked at to their end. */
const MAX_RANDOM = 1_024;

/** The same of what stands here without quotes. Looks only so far: the next separator may lie inside, and the text after it is looked at again. */
function randomAhead(text: string, at: number): boolean {
  const run = match(/(?:[\w.~+/=-]|%(?!26)){0,1024}/y, text, at)?.[0] ?? '';
  const size = trimEnd(run);
  if (size < 16 || !/[0-9]/.test(run)) return false;
  return run.length === MAX_RANDOM || match(/[,.)\]}\\]*(?=[\s&;"'<>]|%26|$)/y, text, at + run.length) !== undefined;
}

/** "…", '…' or \"…\" up to its closing quote; a quote that never closes ends with its line. */
function quotedValue(text: string, at: number): Value | undefined {
  const opening = match(/(\\{0,8})(["'`])/y, text, at);
  if (!opening) return undefined;
  const slashes = (opening[1] ?? '').length;
  const from = at + opening[0].length;
  const closing = /(?<!\\)(\\*)(["'`])|[\r\n]/g;          // look-behind: each run of backslashes is scanned once
  closing.lastIndex = from;
  for (let found = closing.exec(text); found; found = closing.exec(text)) {
    const escapes = (found[1] ?? '').length;
    if (found[2] === undefined) return { from, to: found.index };
    if (found[2] !== opening[2]) continue;
    if (slashes === 0 ? escapes % 2 === 0 : escapes <= slashes) return { from, to: found.index + (slashes === 0 ? escapes : 0) };
  }
  return { from, to: text.length };
}

/** Inside `a=b;Password=c d;e=f` a value reaches to the semicolon, spaces and commas included; without one, to the next space. */
function connectionValue(text: string, at: number): Value {
  const long = match(/[^;"'\r\n]*(?:["'](?=\w)[^;"'\r\n]*)*(;?)/y, text, at);
  if (long?.[1] === ';') return { from: at, to: at + long[0].length - 1 };
  return plainValue(text, at);
}

function isAfterSemicolon(text: string, at: number): boolean {
  return text[at - 1] === ';' || (text[at - 1] === ' ' && text[at - 2] === ';');
}

/** Up to a space, &, ; or quote; closing punctuation stays outside. What is already masked is passed over. */
function plainValue(text: string, at: number): Value {
  const found = match(/(\[masked\])?((?:[^\s&;"'<>%]|%(?!26))*)/y, text, at);
  const head = (found?.[1] ?? '').length;
  const rest = trimEnd(found?.[2] ?? '');
  return { from: at, to: at + head + rest };
}

/** Length without closing punctuation; by hand, because a pattern for it would be quadratic. */
function trimEnd(value: string): number {
  let end = value.length;
  while (end > 0 && ',.)]}\\'.includes(value[end - 1] ?? '')) end -= 1;
  return end;
}

/** All of the header: to the closing quote, the end of a list, or the end of the line. */
function cookieValue(text: string, at: number): Value | undefined {
  const quoted = quotedValue(text, at);
  if (quoted) return nonEmpty(quoted);
  if (text[at] === '[' && !text.startsWith(MASK, at)) return { from: at, to: at + (match(/[^\]\r\n]*\]?/y, text, at)?.[0].length ?? 0) };
  return restOfLine(text, at, /[^\r\n"]*/y);
}

/** What the pattern takes; nothing when that is the mask of an earlier pass and punctuation. */
function restOfLine(text: string, at: number, pattern: RegExp): Value | undefined {
  const taken = (match(pattern, text, at)?.[0] ?? '').trimEnd();
  const fresh = taken.startsWith(MASK) ? taken.slice(MASK.length) : taken;
  return /[^\s,;\]})]/.test(fresh) ? { from: at, to: at + taken.length } : undefined;
}

/** The scheme stays. Bearer, Basic and the like are followed by one word; of Digest and signatures the whole line is secret. */
function authorizationValue(text: string, at: number): Value | undefined {
  const quoted = quotedValue(text, at);
  const start = quoted?.from ?? at;
  const scheme = match(/(Bearer|Basic|Negotiate|NTLM|Token|ApiKey|[A-Za-z][\w-]{2,30}(?=[ \t]+\S))[ \t]{1,8}/iy, text, start);
  const from = start + (scheme?.[0].length ?? 0);
  if (quoted) return nonEmpty({ from: Math.min(from, quoted.to), to: quoted.to });
  const oneWord = scheme === undefined || /^(?:Bearer|Basic|Negotiate|NTLM|Token|ApiKey)/i.test(scheme[0]);
  if (oneWord) return nonEmpty(plainValue(text, from));
  return restOfLine(text, from, /[^\r\n]*/y);
}

const nonEmpty = (value: Value): Value | undefined => (value.to > value.from ? value : undefined);

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

function skipGap(text: string, at: number): number {
  let i = text[at] === '>' || text[at] === '=' ? at + 1 : at;    // =>, ==
  const most = i + MAX_GAP;
  while (i < most && isGap(text.charCodeAt(i))) i += 1;
  return i;
}

const isGap = (c: number): boolean => c === 32 || c === 9;
const isQuoteOrSlash = (c: number): boolean => c === 34 || c === 39 || c === 96 || c === 92;
const isNameCharacter = (c: number): boolean => (c >= 48 && c <= 57) || (c >= 65 && c <= 90) || (c >= 97 && c <= 122) || c === 95 || c === 45 || c === 46;
